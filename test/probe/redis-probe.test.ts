import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkTarget } from '../../lib/probe/check-target.js';
import { ProbeFailure } from '../../lib/probe/failure.js';
import { createProber } from '../../lib/probe/probe.js';
import { RespReader } from '../../lib/probe/resp-reader.js';
import type { Body } from '../../lib/rules/assertions.js';
import { createAuthority } from '../support/certificates.js';
import { serveDns } from '../support/dns.js';
import { freePort, startRedis, type RedisServer } from '../support/redis.js';
import { closedPort, serveHttp, serveRaw, serveTcp } from '../support/servers.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

const never = new AbortController().signal;
const authority = createAuthority('Test CA');
const dns = await serveDns({ 'redis.test': { A: ['127.0.0.1'] }, 'other.test': { A: ['127.0.0.1'] } });
const bodies: (Body | null)[] = [];
const prober = createProber({
  ca: [authority.ca],
  servers: dns.servers,
  onAnswer: ({ body }) => bodies.push(body),
});
afterAll(() => prober.close());
const attempt = (url: string, options?: TargetOptions) => prober.attempt(someTarget(url, options), never);

/** What came back, where an assertion looks at it. */
async function ask(url: string, query: string, options: TargetOptions = {}): Promise<Body | string> {
  const assertions = { expectBody: { kind: 'text', text: '' } } as const;
  const { message } = await attempt(url, { query, assertions, ...options });
  return message ?? bodies.at(-1) ?? 'no body';
}

let redis: RedisServer;
let tlsPort = 0;
const PASSWORD = 'pa ss/1%';
const LOGIN = `:${encodeURIComponent(PASSWORD)}@`;
const folder = mkdtempSync(join(tmpdir(), 'keepalive-redis-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(async () => {
  redis = await startRedis({ password: PASSWORD });
  tlsPort = await freePort();
  const { cert, key } = authority.issue(['redis.test', '127.0.0.1']);
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  const tls = { 'tls-cert-file': certFile, 'tls-key-file': keyFile, 'tls-auth-clients': 'no' };
  await redis.command('CONFIG', 'SET', ...Object.entries({ ...tls, 'tls-port': `${tlsPort}` }).flat());
  await redis.command('ACL', 'SETUSER', 'bob', 'on', '>b:b', '+ping', '+select', '+get', '~public:*');
  await redis.command('SET', 'public:status', '{"status":"healthy"}');
  await redis.command('SET', 'a "key"', 'grün');
  await redis.command('RPUSH', 'list', 'a', 'b"', '');
});
afterAll(() => redis.stop());

describe('a real server', () => {
  const at = (rest: string) => `redis://${rest.replace('HOST', `127.0.0.1:${redis.port}`)}`;

  it.each<[string, string | null]>([
    [`${LOGIN}HOST`, null],
    [`default${LOGIN}HOST`, null],
    [`${LOGIN.slice(1)}HOST`, null],
    [`${LOGIN}HOST/3`, null],
    [`${LOGIN}HOST/`, null],
    ['bob:b%3Ab@HOST', null],
    ['bob:b%3Ab@HOST?family=0', null],
    [':wrong@HOST', 'the server refuses user name or password'],
    ['nobody:wrong@HOST', 'the server refuses user name or password'],
    ['HOST', 'the server wants a login: put user name and password into the address'],
    [`${LOGIN}HOST/99`, 'the server has no database of this number'],
  ])('redis://%s: %s', async (rest, message) => {
    const result = await attempt(at(rest));
    expect(result).toMatchObject({
      outcome: message === null ? 'good' : 'failed',
      reason: message === null ? null : 'query',
      message,
      reached: true,
      statusCode: null,
    });
    expect(result.timings.ttfb).not.toBeNull();
  });

  it('has no password', async () => {
    const open = await startRedis();
    try {
      expect(await attempt(open.url)).toMatchObject({ outcome: 'good' });
      const message = 'the address has a password, but the server has none: leave it out';
      expect(await attempt(`redis://:x@127.0.0.1:${open.port}`)).toMatchObject({ reason: 'query', message });

      await open.command('REPLICAOF', '127.0.0.1', String(await closedPort()));
      await open.command('CONFIG', 'SET', 'replica-serve-stale-data', 'no');
      expect(await ask(open.url, 'GET x')).toBe('the replica has lost its master: look at their link');
      await open.command('CONFIG', 'SET', 'replica-serve-stale-data', 'yes');
      expect(await ask(open.url, 'SET x 1')).toBe(
        'this is a replica that takes no writes: give the address of its master',
      );
      await open.command('REPLICAOF', 'NO', 'ONE');
      await open.command('CONFIG', 'SET', 'maxmemory', '1');
      expect(await ask(open.url, 'SET x 1')).toBe(
        'the server is out of memory: raise maxmemory or remove keys',
      );
      await open.command('CONFIG', 'SET', 'maxclients', '1');
      expect(await attempt(open.url)).toMatchObject({
        reason: 'connect',
        message: 'the server has no connection left: close idle ones or raise its limit',
      });
    } finally {
      await open.stop();
    }
    expect(await attempt(open.url)).toMatchObject({ reason: 'connect', message: 'connection refused' });
  });

  it.each<[string, string]>([
    ['PING', 'PONG'],
    ['ping "a b"', 'a b'],
    ['GET public:status', '{"status":"healthy"}'],
    [String.raw`GET "a \"key\""`, 'grün'],
    [String.raw`ECHO "\x67r\xc3\xbcn\n"`, 'grün\n'],
    ["ECHO 'it''s'", ''],
    [String.raw`ECHO 'it\'s "so"'`, 'it\'s "so"'],
    ['GET nothing', 'null'],
    ['LLEN list', '3'],
    ['LRANGE list 0 -1', '["a","b\\"",""]'],
    ['LRANGE nothing 0 -1', '[]'],
    ['EVAL "return {1,{2,{}},false,{err=\'x\'}}" 0', '[1,[2,[]],null,"x"]'],
    ['ECHO ""', ''],
  ])('%s answers %s', async (query, text) => {
    const url = at(`${LOGIN}HOST`);
    const found = await ask(url, query);
    // Redis 7 puts a word before the error of a script.
    const plain =
      typeof found === 'string' ? found : { ...found, text: found.text.replace('"ERR x"', '"x"') };
    if (query.includes("''")) expect(plain).toEqual({ text: 'PONG', cut: false });
    else expect(plain).toEqual({ text, cut: false });
  });

  it.each([
    ['INCR public:status', 'the user may not do this: let its ACL allow the command and its keys'],
    ['GET secret', 'the user may not do this: let its ACL allow the command and its keys'],
  ])('with fewer rights, %s: %s', async (query, message) => {
    expect(await ask(at('bob:b%3Ab@HOST'), query)).toBe(message);
  });

  it.each([
    ['INCR list', 'the key of QUERY holds another type: ask with a command for it'],
    ['INCR public:status', 'the server answered with an error: try QUERY in redis-cli'],
    ['GET', 'QUERY has a wrong form: try it in redis-cli'],
    ['GETT x', 'the server does not know the command of QUERY'],
    [
      'EVALSHA 0000000000000000000000000000000000000000 0',
      'the server does not have the script of QUERY: load it or use EVAL',
    ],
  ])('%s: %s', async (query, message) => {
    const result = await attempt(at(`${LOGIN}HOST`), { query });
    expect(result).toMatchObject({ reason: 'query', message, reached: true });
  });

  it('is judged by its answer', async () => {
    const url = at(`${LOGIN}HOST`);
    const judged = (query: string, assertions: TargetOptions['assertions']) =>
      attempt(url, { query, assertions: { ...assertions } });
    const query = 'GET public:status';
    expect(await judged(query, { expectJson: 'status = "healthy"' })).toMatchObject({ outcome: 'good' });
    expect(await judged(query, { expectJson: 'status = "ill"' })).toMatchObject({ reason: 'json' });
    expect(await judged('LLEN list', { degradedJson: '$ > 2' })).toMatchObject({ outcome: 'degraded' });
    expect(await judged('INFO', { rejectBody: { kind: 'text', text: 'role:master' } })).toMatchObject({
      reason: 'body',
    });
    expect(await judged('PING', { expectJson: 'true' })).toMatchObject({ message: 'body is not JSON' });
    const first = { assertions: { expectBody: { kind: 'text', text: '# Server' } }, maxBody: 20 } as const;
    expect(await attempt(url, { query: 'INFO', ...first })).toMatchObject({ outcome: 'good' });
  });

  it('speaks TLS', async () => {
    const tls = (host: string, options?: TargetOptions) =>
      attempt(`rediss://${LOGIN}${host}:${tlsPort}`, options);
    const good = await tls('redis.test');
    expect(good).toMatchObject({ outcome: 'good', timings: { tls: expect.any(Number) as number } });
    expect(good.tlsExpiresAt).not.toBeNull();
    expect(await tls('redis.test', { assertions: { tlsExpiry: 100 * 86_400_000 } })).toMatchObject({
      outcome: 'degraded',
    });
    expect(await tls('other.test')).toMatchObject({ reason: 'tls' });
    expect(await tls('other.test', { tlsVerify: false })).toMatchObject({ outcome: 'good' });
    expect(await attempt(`redis://127.0.0.1:${tlsPort}`)).toMatchObject({
      reason: 'reset',
      message: 'connection closed without an answer: for a server with TLS, write rediss://',
    });
    expect(await attempt(`rediss://127.0.0.1:${redis.port}`, { timeout: 500 })).toMatchObject({
      reason: 'timeout',
      message: 'timed out in the TLS handshake: for a server without TLS, write redis://',
    });
  });
});

/** What a server says to each command that it gets, in turn; a function may do anything with the socket. */
type Script = readonly (string | ((socket: Socket) => void))[];

const serve = (script: Script) =>
  serveTcp((socket) => {
    let step = 0;
    socket.on('data', () => {
      const answer = script[step++] ?? '+OK\r\n';
      if (typeof answer === 'string') socket.write(answer, 'latin1');
      else answer(socket);
    });
  });

describe('a stand-in', () => {
  const NOT_REDIS = 'it does not answer as Redis does: check host and port';
  const inPieces = (text: string) => (socket: Socket) => {
    const pieces = Array.from(text);
    const next = () => {
      const piece = pieces.shift();
      if (piece !== undefined && !socket.destroyed) socket.write(piece, () => setImmediate(next));
    };
    next();
  };
  const hang = () => undefined;
  const close = (socket: Socket) => socket.end();
  const part = (text: string) => (socket: Socket) => socket.end(text);

  it.each<[string, Script, object]>([
    ['garbage', ['\x00\x01\x02garbage'], { reason: 'protocol', message: NOT_REDIS }],
    ['another protocol', ['HTTP/1.1 400 Bad Request\r\n\r\n'], { reason: 'protocol', message: NOT_REDIS }],
    ['RESP 3', ['%1\r\n+a\r\n+b\r\n'], { reason: 'protocol', message: NOT_REDIS }],
    ['no carriage return', ['+PONG\n'], { reason: 'protocol', message: NOT_REDIS }],
    ['a number that is none', [':12x\r\n'], { reason: 'protocol', message: NOT_REDIS }],
    ['a string beyond any sense', ['$99999999999999\r\n'], { reason: 'protocol', message: NOT_REDIS }],
    ['a list beyond any sense', ['*4294967295\r\n'], { reason: 'protocol', message: NOT_REDIS }],
    ['a negative length', ['$-2\r\n'], { reason: 'protocol', message: NOT_REDIS }],
    ['lists in lists', ['*1\r\n'.repeat(1_000)], { reason: 'protocol', message: NOT_REDIS }],
    ['an endless line', [`+${'x'.repeat(20_000)}`], { reason: 'protocol', message: NOT_REDIS }],
    ['silence', [hang], { reason: 'timeout', message: 'timed out waiting for the answer' }],
    ['half an answer', ['$5\r\nhe'], { reason: 'timeout', message: 'timed out waiting for the answer' }],
    [
      'a close at once',
      [close],
      {
        reason: 'reset',
        message: 'connection closed without an answer: for a server with TLS, write rediss://',
      },
    ],
    ['a close within', [part('$5\r\nhe')], { reason: 'reset' }],
    ['a reset', [(socket) => socket.resetAndDestroy()], { reason: 'reset' }],
    ['one byte at a time', [inPieces('*2\r\n$2\r\nhi\r\n:-5\r\n')], { outcome: 'good' }],
    ['more than one answer', ['+OK\r\n+OK\r\n+OK\r\n'], { outcome: 'good' }],
  ])('answers with %s', async (_name, script, expected) => {
    const { port } = await serve(script);
    const assertions = { expectBody: { kind: 'text', text: '' } } as const;
    const result = await attempt(`redis://127.0.0.1:${port}`, { timeout: 1_000, assertions });
    expect(result).toMatchObject(expected);
  });

  it.each<[string, Script, object]>([
    ['hangs', ['+OK\r\n', hang], { reason: 'timeout' }],
    ['closes', ['+OK\r\n', close], { reason: 'reset', message: 'connection closed early' }],
    ['errs', ['+OK\r\n', '-ERR x\r\n'], { reason: 'query' }],
    ['closes later', ['+OK\r\n', '+OK\r\n', close], { reason: 'reset', message: 'connection closed early' }],
    [
      'has said more than it was asked',
      ['+OK\r\n+OK\r\n+PONG\r\n', hang],
      { reason: 'protocol', message: 'the server says more than it was asked' },
    ],
    ['says yes to all', ['+OK\r\n', '+OK\r\n', '+PONG\r\n'], { outcome: 'good' }],
  ])('%s after the login', async (_name, script, expected) => {
    const { port } = await serve(script);
    expect(await attempt(`redis://:x@127.0.0.1:${port}/1`, { timeout: 1_000 })).toMatchObject(expected);
  });

  it.each<[string, string, string]>([
    [
      '-LOADING Redis is loading the dataset in memory',
      'connect',
      'the server is loading its data: wait until it is done',
    ],
    [
      '-MOVED 3999 10.0.0.5:6381',
      'query',
      'another node of the cluster has this key: give the address of that node',
    ],
    [
      '-ASK 3999 10.0.0.5:6381',
      'query',
      'another node of the cluster has this key: give the address of that node',
    ],
    ['-CLUSTERDOWN The cluster is down', 'query', 'the cluster is down: look at CLUSTER INFO'],
    [
      '-MISCONF Redis is configured to save RDB snapshots',
      'query',
      'the server takes no writes since it cannot save to disk: look at its log',
    ],
    [
      '-NOREPLICAS Not enough good replicas to write.',
      'query',
      'the server takes no writes: too few of its replicas answer',
    ],
    ['-BUSY Redis is busy running a script.', 'query', 'a script blocks the server: SCRIPT KILL ends it'],
    ['-ERR invalid password', 'query', 'the server refuses user name or password'],
    [
      '-DENIED Redis is running in protected mode',
      'query',
      'protected mode: the server has no password and refuses all but its own machine',
    ],
    [
      '-ERR max daily request limit exceeded. Limit: 10000, Usage: 10001',
      'query',
      "the database's allowance is used up: look at its plan",
    ],
    [
      '-ERR max concurrent connections exceeded',
      'connect',
      'the server has no connection left: close idle ones or raise its limit',
    ],
    ['-whatever it is', 'query', 'the server answered with an error: try QUERY in redis-cli'],
    ['-', 'query', 'the server answered with an error: try QUERY in redis-cli'],
  ])('%s: %s', async (answer, reason, message) => {
    const { port } = await serve([`${answer}\r\n`]);
    expect(await attempt(`redis://127.0.0.1:${port}`)).toMatchObject({ reason, message, reached: true });
  });

  it('that loads its data is waited for', async () => {
    let asked = 0;
    const { port } = await serveRaw((socket) => {
      socket.end(++asked < 3 ? '-LOADING Redis is loading the dataset in memory\r\n' : '+PONG\r\n');
    });
    const target = someTarget(`redis://127.0.0.1:${port}`, { wakeTimeout: 60_000, retries: 0 });
    const context = {
      at: 0,
      prober,
      signal: never,
      now: () => 0,
      random: () => 0,
      sleep: () => Promise.resolve(),
    };
    expect(await checkTarget(target, context)).toMatchObject({
      outcome: 'good',
      coldStart: true,
      attempts: 3,
    });
  });

  it.each<[string, string, string]>([
    ['string', `$${2 ** 28}\r\n`, 'x'.repeat(65_536)],
    ['list', `*${2 ** 28}\r\n`, '$3\r\nabc\r\n'.repeat(8_192)],
  ])('an endless %s is read as far as MAX_BODY', async (_name, head, piece) => {
    let sent = 0;
    const { port } = await serve([
      (socket) => {
        socket.write(head);
        const more = () => {
          sent += piece.length;
          if (!socket.destroyed && sent < 2 ** 26) socket.write(piece, () => setImmediate(more));
        };
        more();
      },
    ]);
    const url = `redis://127.0.0.1:${port}`;
    const found = await ask(url, 'GET x', { maxBody: 10_000 });
    expect(found).toMatchObject({ cut: true });
    expect((found as Body).text).toHaveLength(10_000);
    expect(sent).toBeLessThan(2 ** 26);
    // Nobody looks at it: its beginning is enough.
    expect(await attempt(url)).toMatchObject({ outcome: 'good' });
  });

  it('gets nothing that it could tell to others', async () => {
    const secrets = ['canary-user', 'canary-pass', 'canary-key'];
    const errors = secrets.map((secret) => `-ERR ${secret}\r\n`);
    for (const script of [
      errors,
      ['+OK\r\n', ...errors],
      ['+OK\r\n', `+${secrets.join()}\r\n`],
      ['canary-pass'],
    ]) {
      const { port } = await serve(script);
      const result = await attempt(`redis://canary-user:canary-pass@127.0.0.1:${port}/`, {
        query: 'GET canary-key',
        assertions: { expectBody: { kind: 'text', text: 'not there' } },
      });
      expect(result.outcome).toBe('failed');
      expect(JSON.stringify(result)).not.toContain('canary');
    }
  });

  it('of HTTP is told from Redis', async () => {
    const { port } = await serveHttp((_request, response) => response.end('hello'));
    expect(await attempt(`redis://127.0.0.1:${port}`)).toMatchObject({
      reason: 'protocol',
      message: NOT_REDIS,
    });
  });
});

type Value = string | number | null | { readonly error: string } | readonly Value[];

const values = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme' }),
    fc.integer(),
    fc.constant(null),
    fc.record({ error: fc.stringMatching(/^[A-Z]+ [a-z]*$/) }),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
})).value;

function encoded(value: Value): string {
  if (value === null) return '$-1\r\n';
  if (typeof value === 'number') return `:${value}\r\n`;
  if (typeof value === 'string') return `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
  if ('error' in value) return `-${value.error}\r\n`;
  return `*${value.length}\r\n${value.map(encoded).join('')}`;
}

const plain = (value: Value): unknown =>
  Array.isArray(value)
    ? value.map((each: Value) => plain(each))
    : typeof value === 'object' && value !== null && 'error' in value
      ? value.error
      : value;

function readIn(pieces: readonly Buffer[], keep: number): RespReader {
  const reader = new RespReader(keep);
  for (const piece of pieces) if (!reader.isOver) reader.read(piece);
  return reader;
}

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places, bytes.length].map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

describe('an answer', () => {
  it('is read the same however it is cut into pieces, and as far as it is kept', () => {
    fc.assert(
      fc.property(values, fc.array(fc.nat(200)), fc.integer({ min: 1, max: 200 }), (value, places, keep) => {
        const bytes = Buffer.from(encoded(value));
        const whole = readIn(cutAt(bytes, places), 100_000);
        const isError = typeof value === 'object' && value !== null && 'error' in value;
        const text = isError ? '' : typeof value === 'string' ? value : JSON.stringify(plain(value));
        expect(whole).toMatchObject({ isOver: true, cut: false, text, error: isError ? value.error : null });

        const kept = readIn(cutAt(bytes, places), keep);
        const length = Buffer.byteLength(text);
        expect(kept.isOver).toBe(true);
        if (length <= keep) expect(kept).toMatchObject({ text, cut: false });
        // A character may be cut in two.
        else if (length === text.length) expect(kept.text).toBe(text.slice(0, keep));
        expect(kept.cut).toBe(length > keep);
      }),
    );
  });

  it('that is none ends in a failure, and holds no more than is kept', () => {
    const pieces = fc.constantFrom(
      '*3\r\n',
      '$5\r\n',
      '+',
      '-',
      ':1\r\n',
      '\r\n',
      '-1',
      '99',
      'abc',
      '\0',
      '\xff',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 50 }), fc.nat(40), (texts, keep) => {
        try {
          const reader = readIn([Buffer.from(texts.join(''), 'latin1')], keep);
          // Bytes that are not UTF-8 become a character of three.
          expect(reader.text.length).toBeLessThanOrEqual(keep);
        } catch (error) {
          expect(error).toBeInstanceOf(ProbeFailure);
        }
      }),
    );
  });
});
