import { needsBody } from '../rules/assertions.js';
import { wordsOf } from '../rules/redis-command.js';
import type { Reason } from '../types.js';
import { connect, secure } from './connect.js';
import { Dialogue } from './dialogue.js';
import { closedWithoutTls, Interruption, ProbeFailure } from './failure.js';
import type { Probe } from './probe-context.js';
import { RespReader } from './resp-reader.js';

type Meaning = readonly [form: RegExp, message: string, reason?: Reason];

/**
 * What error answers mean, by how they begin (https://redis.io/docs/latest/develop/reference/protocol-spec/ and Redis's
 * source; the limits are those of https://upstash.com/docs/redis/troubleshooting, 2026-11). `connect`: the server takes
 * no commands yet, which may be over in a while.
 */
const MEANINGS: readonly Meaning[] = [
  [/^(?:WRONGPASS|ERR invalid password|Unauthorized)/i, 'the server refuses user name or password'],
  [
    /^(?:NOAUTH|ERR Protocol error: unauthenticated|ERR operation not permitted)/i,
    'the server wants a login: put user name and password into the address',
  ],
  [
    /^ERR (?:AUTH <password> called without|Client sent AUTH, but no password)/,
    'the address has a password, but the server has none: leave it out',
  ],
  [/^ERR wrong number of arguments for 'auth'/i, 'the server knows no user names: leave it out'],
  [/^NOPERM/, 'the user may not do this: let its ACL allow the command and its keys'],
  [/^LOADING/, 'the server is loading its data: wait until it is done', 'connect'],
  [
    /^ERR max (?:number of clients|concurrent connections)/i,
    'the server has no connection left: close idle ones or raise its limit',
    'connect',
  ],
  [/^MASTERDOWN/, 'the replica has lost its master: look at their link'],
  [/^READONLY/, 'this is a replica that takes no writes: give the address of its master'],
  [/^(?:MOVED|ASK) /, 'another node of the cluster has this key: give the address of that node'],
  [/^TRYAGAIN/, 'the cluster is moving these keys: try again later'],
  [/^CROSSSLOT/, 'the keys of QUERY are in several slots of the cluster: ask for one of them'],
  [/^CLUSTERDOWN/, 'the cluster is down: look at CLUSTER INFO'],
  [/^MISCONF/, 'the server takes no writes since it cannot save to disk: look at its log'],
  [/^OOM/, 'the server is out of memory: raise maxmemory or remove keys'],
  [/^NOREPLICAS/, 'the server takes no writes: too few of its replicas answer'],
  [/^BUSY /, 'a script blocks the server: SCRIPT KILL ends it'],
  [/^WRONGTYPE/, 'the key of QUERY holds another type: ask with a command for it'],
  [/^NOSCRIPT/, 'the server does not have the script of QUERY: load it or use EVAL'],
  [/^DENIED/, 'protected mode: the server has no password and refuses all but its own machine'],
  [/^ERR .*\b(?:limit|quota|size) exceeded/i, "the database's allowance is used up: look at its plan"],
  [/^ERR (?:DB index is out of range|invalid DB index)/i, 'the server has no database of this number'],
  [/^ERR SELECT is not allowed in cluster mode/i, 'a cluster has no numbered databases: leave the path out'],
  [/^ERR unknown (?:command|subcommand)/i, 'the server does not know the command of QUERY'],
  [/^ERR (?:wrong number of arguments|syntax error)/i, 'QUERY has a wrong form: try it in redis-cli'],
];
/** Redis without TLS waits for the end of the line that the handshake begins with. */
const SILENT_WITHOUT_TLS = 'timed out in the TLS handshake: for a server without TLS, write redis://';
const OTHER = 'the server answered with an error: try QUERY in redis-cli';

/** Redis and what speaks its protocol: login, database, then one command (`PING` unless QUERY says otherwise). */
export const probeRedis: Probe<'redis:' | 'rediss:'> = async (target, url, context) => {
  const { trace, deadline } = context;
  const { socket } = await connect(url, Number(url.port), context, () => true);
  try {
    const stream =
      target.protocol === 'rediss:'
        ? await secure(socket, url, target.tlsVerify, undefined, context).catch((error: unknown) => {
            throw isTimeout(error) ? new ProbeFailure('timeout', SILENT_WITHOUT_TLS) : error;
          })
        : socket;
    const dialogue = new Dialogue(stream);
    const ask = async (words: readonly (string | Buffer)[], keep: number) => {
      const reader = new RespReader(keep);
      trace.ttfb = await dialogue.ask(commandOf(words), reader, deadline).catch((error: unknown) => {
        const isRefused = error instanceof ProbeFailure && error.code === 'reset' && !trace.reached;
        throw isRefused && target.protocol === 'redis:' ? closedWithoutTls('rediss://') : error;
      });
      trace.reached = true;
      if (reader.error !== null) throw failureFor(reader.error);
      return reader;
    };
    for (const words of preparation(url)) await ask(words, 0);
    const keep = needsBody(target.assertions) ? target.maxBody : 0;
    const { text, cut } = await ask(wordsOf(target.query ?? 'PING') ?? ['PING'], keep);
    return keep === 0 ? null : { text, cut };
  } finally {
    socket.destroy();
  }
};

function isTimeout(error: unknown): boolean {
  return error instanceof ProbeFailure && error.code === 'timeout' && !(error instanceof Interruption);
}

/** Login and choice of the database. As in redis-cli, what stands alone before the `@` is a password. */
function preparation({ username, password, pathname }: URL): string[][] {
  const [user, secret] = password === '' ? ['', username] : [username, password];
  const database = pathname.slice(1);
  const login = [user, secret].map(decodeURIComponent);
  return [
    // Without a name, Redis before version 6 understands it too.
    ...(secret === '' ? [] : [['AUTH', ...(user === '' || user === 'default' ? login.slice(1) : login)]]),
    ...(database === '' ? [] : [['SELECT', database]]),
  ];
}

/** A command as a list of strings. */
function commandOf(words: readonly (string | Buffer)[]): Buffer {
  const strings = words.map((word) => {
    const bytes = Buffer.from(word);
    return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
  });
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...strings]);
}

function failureFor(error: string): ProbeFailure {
  const [, message = OTHER, reason = 'query'] = MEANINGS.find(([form]) => form.test(error)) ?? [];
  return new ProbeFailure(reason, message);
}
