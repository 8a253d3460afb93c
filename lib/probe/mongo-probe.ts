import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { Binary, EJSON, type Document } from 'bson';
import { needsBody, type Body } from '../rules/assertions.js';
import type { Reason } from '../types.js';
import { connect, secure } from './connect.js';
import { Deadline } from './deadline.js';
import { Dialogue } from './dialogue.js';
import { codeOf, Interruption, ProbeFailure } from './failure.js';
import { messageOf, MongoReader, noAnswer, parse, pick } from './mongo-message.js';
import type { Probe, ProbeContext } from './probe-context.js';
import { prepared, Scram, type ScramMechanism } from './scram.js';

/** Ms that a host has to accept a connection and greet, while others are left to try. */
const NEXT_HOST_AFTER = 2_000;
const MOST_HOSTS = 10;
/** Bytes of an answer that nobody looks at, at most, where MAX_BODY is not more. */
const LONGEST_ANSWER = 65_536;
/** What a server adds to an answer, in bytes: its time, its signature. */
const MARGIN = 16_384;

/** What an answer says of how the command went. */
const OUTCOME: ReadonlySet<string> = new Set(['ok', 'code', 'errmsg', 'writeErrors', 'writeConcernError']);
const CURSOR: ReadonlySet<string> = new Set(['cursor']);

/** What the servers of a cluster tell each other through their clients. */
const OF_THE_CLUSTER: ReadonlySet<string> = new Set(['$clusterTime', 'operationTime']);

/** By the specification of its drivers. */
const FEWEST_ROUNDS = 4_096;

const LOGIN_REFUSED = 'the server refuses user name or password: check them, and authSource';

/** Error codes (https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml) and what they mean. */
const MEANINGS: ReadonlyMap<unknown, readonly [message: string, reason?: Reason]> = new Map<
  unknown,
  readonly [message: string, reason?: Reason]
>([
  [18, [LOGIN_REFUSED]],
  [11, [LOGIN_REFUSED]],
  [13, ['the user may not do this, or the server wants a login']],
  [26, ['the server does not have the collection of QUERY']],
  [50, ['QUERY took longer than its maxTimeMS']],
  [59, ['the server does not know the command of QUERY']],
  [9, ['QUERY has a wrong form: try it in mongosh with db.runCommand']],
  [14, ['QUERY has a wrong form: try it in mongosh with db.runCommand']],
  [40415, ['QUERY has a field that the command does not know']],
  [334, ['the server does not offer this kind of login: check authMechanism']],
  [13297, ['the server has the database of QUERY in another spelling']],
  [16500, ['the server refuses more requests for now: its limit is reached', 'connect']],
]);
/** The host is not the primary, or is about to stop: another one may answer. */
const ELSEWHERE: ReadonlySet<unknown> = new Set([10107, 13435, 13436, 189, 91, 11600, 11602]);
const NOT_PRIMARY =
  'no host of the address takes this: it needs the primary, or one that is not starting up or stopping';
const OTHER = 'the server answered with an error: try QUERY in mongosh with db.runCommand';

/** How to log in and where to ask, from the address. */
interface MongoSettings {
  /** Null: no login. */
  readonly user: string | null;
  readonly password: string;
  readonly authSource: string;
  readonly mechanism: string | null;
  readonly database: string;
  readonly usesTls: boolean;
  readonly loadBalanced: boolean;
}

/** A connection to a server that has greeted. */
interface Session {
  readonly socket: Socket;
  readonly dialogue: Dialogue;
  readonly hello: Document;
}

/**
 * MongoDB and what speaks its protocol: the first host that greets, login, then one command (`ping` unless QUERY says
 * otherwise). Hosts that a server names are never asked: only those of the address, or of its SRV records.
 */
export const probeMongo: Probe<'mongodb:' | 'mongodb+srv:'> = async (target, url, context) => {
  const { trace } = context;
  try {
    const { hosts, defaults } =
      target.protocol === 'mongodb:'
        ? { hosts: [url, ...target.moreHosts.map((host) => new URL(`mongodb://${host}`))], defaults: '' }
        : await seedsOf(url, context);
    const settings = settingsOf(url, new URLSearchParams(defaults));
    let firstFailure: unknown = null;
    for (const [index, host] of hosts.entries()) {
      const isLast = index === hosts.length - 1;
      let session: Session | null = null;
      try {
        const open = (of: ProbeContext) => greet(host, settings, target.tlsVerify, of);
        const share = Math.min(NEXT_HOST_AFTER, target.timeout / hosts.length);
        session = isLast ? await open(context) : await within(share, context, open);
        const isLookedAt = needsBody(target.assertions);
        const limit = isLookedAt ? target.maxBody : Math.max(LONGEST_ANSWER, target.maxBody);
        const ask = asker(session.dialogue, context, limit + MARGIN);
        if (settings.user !== null)
          await logIn(settings, settings.user, session.hello, ask, context.deadline);
        const answer = await ask(commandOf(target.query, settings.database));
        return isLookedAt ? bodyOf(answer, target.maxBody) : null;
      } catch (error) {
        firstFailure ??= error;
        const isFinal = session !== null && !(error instanceof Unavailable);
        if (isLast || isFinal || error instanceof Interruption) {
          throw isFinal || error instanceof Interruption ? error : firstFailure;
        }
        trace.reached = false;
      } finally {
        session?.socket.destroy();
      }
    }
    throw new ProbeFailure('dns', 'name has no SRV record');
  } catch (error) {
    throw url.hostname.endsWith('.mongodb.net') ? ofAtlas(error, context) : error;
  }
};

/** An error answer after which another host may do better. */
class Unavailable extends ProbeFailure {}

/** The hosts of a `mongodb+srv` address, in order, and the parameters that its TXT record adds. */
async function seedsOf(
  url: URL,
  { deadline, resolver, trace }: ProbeContext,
): Promise<{ hosts: readonly URL[]; defaults: string }> {
  const name = url.hostname.toLowerCase();
  const start = deadline.elapsed;
  const found = await deadline.guard<readonly [readonly { name: string; port: number }[], string]>(
    'resolving',
    (resolve, reject) => {
      const service = resolver.service(`_mongodb._tcp.${name}`, deadline);
      Promise.all([service, resolver.text(name, deadline)]).then(resolve, reject);
      return () => undefined;
    },
  );
  trace.dns = (trace.dns ?? 0) + deadline.elapsed - start;
  const [records, defaults] = found;
  // No record may lead out of the domain (https://github.com/mongodb/specifications, initial-dns-seedlist-discovery).
  const labels = name.split('.');
  const domain = `.${(labels.length > 2 ? labels.slice(1) : labels).join('.')}`;
  const hosts = records.map((record) => {
    const host = record.name.toLowerCase().replace(/\.$/, '');
    if (!host.endsWith(domain) || !/^[a-z0-9._-]+$/.test(host)) {
      throw new ProbeFailure('blocked', 'an SRV record leads out of the domain of the address');
    }
    return new URL(`mongodb://${host}:${record.port}`);
  });
  return { hosts: hosts.slice(0, MOST_HOSTS), defaults };
}

/** @param defaults what a TXT record says, for what the address itself does not */
function settingsOf(url: URL, defaults: URLSearchParams): MongoSettings {
  const own = new URLSearchParams([...url.searchParams].map(([name, text]) => [name.toLowerCase(), text]));
  const database = decodeURIComponent(url.pathname.slice(1));
  const tls = own.get('tls') ?? own.get('ssl');
  const user = decodeURIComponent(url.username);
  return {
    user: user === '' ? null : user,
    password: decodeURIComponent(url.password),
    authSource: own.get('authsource') ?? defaults.get('authSource') ?? (database || 'admin'),
    mechanism: own.get('authmechanism'),
    database: database || 'admin',
    usesTls: tls === null ? url.protocol === 'mongodb+srv:' : tls === 'true',
    loadBalanced: (own.get('loadbalanced') ?? defaults.get('loadBalanced')) === 'true',
  };
}

/** Connects to a host and asks who it is. */
async function greet(
  host: URL,
  { usesTls, user, authSource, loadBalanced }: MongoSettings,
  verify: boolean,
  context: ProbeContext,
): Promise<Session> {
  const { socket } = await connect(host, Number(host.port), context, () => true);
  try {
    const stream = usesTls ? await secure(socket, host, verify, undefined, context) : socket;
    const dialogue = new Dialogue(stream);
    const answer = await asker(
      dialogue,
      context,
      LONGEST_ANSWER,
    )({
      // Every version knows it by this name.
      isMaster: 1,
      helloOk: true,
      loadBalanced: loadBalanced || undefined,
      client: {
        application: { name: 'keepalive' },
        driver: { name: 'keepalive', version: '0.1' },
        os: { type: process.platform },
      },
      saslSupportedMechs: user === null ? undefined : `${authSource}.${user}`,
      $db: 'admin',
    }).catch((error: unknown) => {
      const isClosed = error instanceof ProbeFailure && error.code === 'reset';
      throw isClosed && !usesTls
        ? new ProbeFailure('reset', 'connection closed: if the server wants TLS, add tls=true to the address')
        : error;
    });
    const hello = parse(answer);
    if (hello.arbiterOnly === true)
      throw new Unavailable('query', 'the host is an arbiter, which holds no data');
    return { socket, dialogue, hello };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Opens a session within its own time limit, which is shorter than the attempt's. */
async function within(
  ms: number,
  context: ProbeContext,
  open: (context: ProbeContext) => Promise<Session>,
): Promise<Session> {
  const part = new Deadline(ms, new AbortController().signal);
  let isOver = false;
  try {
    return await context.deadline.guard<Session>('connecting', (resolve, reject) => {
      open({ ...context, deadline: part }).then((session) => {
        if (isOver) session.socket.destroy();
        else resolve(session);
      }, reject);
      return () => {
        isOver = true;
        part.end();
      };
    });
  } finally {
    part.close();
  }
}

type Ask = (command: Document) => Promise<Buffer>;

/** How to send a command and get its answer as BSON. Rejects with a ProbeFailure where the answer is an error. */
function asker(dialogue: Dialogue, { deadline, trace }: ProbeContext, limit: number): Ask {
  let id = 0;
  return async (command) => {
    const reader = new MongoReader(++id, limit);
    trace.ttfb = await dialogue.ask(messageOf(command, id), reader, deadline);
    const document = parse(pick(reader.document, OUTCOME));
    trace.reached = true;
    // A write that failed is told beside `ok: 1`.
    const writeError: unknown = Array.isArray(document.writeErrors) ? document.writeErrors[0] : undefined;
    const concern: unknown = document.writeConcernError;
    if (Number(document.ok) !== 1) throw failureFor(document);
    if (writeError !== undefined || concern !== undefined) {
      throw new ProbeFailure('query', 'the server did not write: try QUERY in mongosh with db.runCommand');
    }
    return reader.document;
  };
}

function failureFor({ code, errmsg }: Document): ProbeFailure {
  if (ELSEWHERE.has(code)) return new Unavailable('query', NOT_PRIMARY);
  // Atlas has one code for all that its proxy refuses.
  if (code === 8000) {
    const isLogin = /^bad auth/i.test(String(errmsg));
    return new ProbeFailure(
      'query',
      isLogin ? LOGIN_REFUSED : 'Atlas refuses this: look at the limits of the cluster',
    );
  }
  const [message, reason = 'query'] = MEANINGS.get(code) ?? [OTHER];
  return new ProbeFailure(reason, message);
}

/** SCRAM, in two questions or three. */
async function logIn(
  settings: MongoSettings,
  user: string,
  hello: Document,
  ask: Ask,
  deadline: Deadline,
): Promise<void> {
  const { authSource, password } = settings;
  const offered: unknown = hello.saslSupportedMechs;
  const best = Array.isArray(offered) && offered.includes('SCRAM-SHA-256') ? 'SCRAM-SHA-256' : 'SCRAM-SHA-1';
  const named = settings.mechanism;
  const mechanism: ScramMechanism = named === 'SCRAM-SHA-1' || named === 'SCRAM-SHA-256' ? named : best;
  const secret =
    mechanism === 'SCRAM-SHA-256'
      ? prepared(password)
      : createHash('md5').update(`${user}:mongo:${password}`).digest('hex');
  const scram = new Scram({ mechanism, user, secret, fewestRounds: FEWEST_ROUNDS });
  const say = async (command: Document) => parse(await ask(command));
  const first = await say({
    saslStart: 1,
    mechanism,
    payload: new Binary(Buffer.from(scram.first)),
    autoAuthorize: 1,
    options: { skipEmptyExchange: true },
    $db: authSource,
  });
  const go = (payload: string) =>
    say({
      saslContinue: 1,
      conversationId: first.conversationId as unknown,
      payload: new Binary(Buffer.from(payload)),
      $db: authSource,
    });
  const proof = await deadline
    .work('logging in', () => scram.prove(payloadOf(first)))
    .catch((cause: unknown) => {
      throw cause instanceof RangeError ? invalidLogin() : cause;
    });
  const last = await go(proof);
  if (!scram.isProvenBy(payloadOf(last))) throw invalidLogin();
  if (last.done !== true && (await go('')).done !== true) throw noAnswer();
}

function invalidLogin(): ProbeFailure {
  return new ProbeFailure('protocol', 'the server does not log in as MongoDB does: check host and port');
}

function payloadOf({ payload }: Document): string {
  if (!(payload instanceof Binary)) throw noAnswer();
  return Buffer.from(payload.buffer).subarray(0, payload.position).toString('latin1');
}

function commandOf(query: string | null, database: string): Document {
  const command = (query === null ? { ping: 1 } : EJSON.parse(query)) as Document;
  return {
    ...command,
    // Without it, the server would keep the rest for whoever asks for it.
    ...('find' in command && { singleBatch: (command.singleBatch as unknown) ?? true }),
    // A secondary does, where there is no primary.
    $readPreference: (command.$readPreference as unknown) ?? { mode: 'primaryPreferred' },
    $db: (command.$db as unknown) ?? database,
  };
}

/** The documents of a cursor, or else the answer itself, as relaxed Extended JSON. */
function bodyOf(answer: Buffer, maxBody: number): Body {
  const cursor: unknown = parse(pick(answer, CURSOR), 'firstBatch').cursor;
  const batch: unknown = (cursor as Document | undefined)?.firstBatch;
  const json = Array.isArray(batch) ? listOf(batch, maxBody) : textOf(withoutCluster(parse(answer)));
  const bytes = Buffer.from(json);
  return { text: bytes.subarray(0, maxBody).toString(), cut: bytes.length > maxBody };
}

/** Documents as a list, one after the other until the text is longer than `limit`. */
function listOf(documents: readonly unknown[], limit: number): string {
  let json = '[';
  for (const each of documents) {
    if (json.length > limit) break;
    if (json.length > 1) json += ',';
    json += textOf(each instanceof Uint8Array ? parse(each) : each);
  }
  return `${json}]`;
}

function withoutCluster(answer: Document): Document {
  return Object.fromEntries(Object.entries(answer).filter(([name]) => !OF_THE_CLUSTER.has(name)));
}

/** Plain JSON where a field's name means something to the library (`_bsontype`), which then refuses the document. */
function textOf(value: unknown): string {
  try {
    return EJSON.stringify(value);
  } catch {
    try {
      return JSON.stringify(value);
    } catch (error) {
      throw new ProbeFailure('query', 'the answer cannot be written as JSON: give QUERY a projection', {
        cause: error,
      });
    }
  }
}

/** What a failure means at Atlas (https://www.mongodb.com/docs/atlas/troubleshoot-connection/ and reports, 2026-11). */
function ofAtlas(error: unknown, { trace }: ProbeContext): unknown {
  if (!(error instanceof ProbeFailure) || error instanceof Interruption) return error;
  const cause = codeOf(error.cause);
  const named = (reason: Reason, message: string) => new ProbeFailure(reason, message, { cause: error });
  if (error.code === 'dns' && /^(?:ENOTFOUND|ENODATA)$/.test(cause)) {
    return named('dns', 'name not found: the Atlas cluster is paused or deleted, resume it in Atlas');
  }
  if (cause === 'ECONNREFUSED' && error.code === 'connect') {
    return named('connect', 'connection refused: the Atlas cluster is paused or starting, look at Atlas');
  }
  if (/^ERR_SSL_.*ALERT_INTERNAL_ERROR$/.test(cause)) {
    return named('tls', 'Atlas refuses our address: add it to the IP access list (for Vercel, 0.0.0.0/0)');
  }
  if (error.code === 'timeout' && trace.dns !== null && trace.connect === null) {
    return named('timeout', 'timed out connecting: add our address to the IP access list of Atlas');
  }
  return error;
}
