import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { createProber } from '../../lib/probe/probe.js';
import type { Answer } from '../../lib/rules/assertions.js';
import { createAuthority, type Pair } from '../support/certificates.js';
import { attempts, busyWith, CANARY, KEPT, rowsOf } from '../support/databases.js';
import { serveDns } from '../support/dns.js';
import { startPostgres } from '../support/postgres.js';
import { closedPort, serveHttp, serveTcp } from '../support/servers.js';
import type { TargetOptions } from '../support/targets.js';

const authority = createAuthority('Test CA');
const pairs = {
  good: authority.issue(['db.test', '127.0.0.1']),
  expired: authority.issue(['127.0.0.1'], -30, -1),
  ending: authority.issue(['127.0.0.1'], -30, 5),
  other: authority.issue(['other.test']),
  own: createAuthority('Vendor').issue(['127.0.0.1']),
};
const server = await startPostgres(
  pairs.good,
  `
CREATE ROLE scram LOGIN PASSWORD 'secret'
CREATE ROLE tls LOGIN PASSWORD 'secret'
CREATE ROLE clear LOGIN PASSWORD 'secret'
CREATE ROLE stranger LOGIN PASSWORD 'secret'
CREATE ROLE trust LOGIN
CREATE ROLE full LOGIN CONNECTION LIMIT 0 PASSWORD 'secret'
SET password_encryption = 'md5'
CREATE ROLE md5 LOGIN PASSWORD 'secret'
CREATE DATABASE app
CREATE DATABASE readonly
ALTER DATABASE readonly SET default_transaction_read_only = on
ALTER ROLE clear SET statement_timeout = '20ms'
`,
);
const dns = await serveDns({ 'db.test': { A: ['127.0.0.1'] }, 'stranger.test': { A: ['127.0.0.1'] } });
const answers: Answer[] = [];
const prober = createProber({
  ca: [authority.ca],
  servers: dns.servers,
  onAnswer: (answer) => answers.push(answer),
});
afterAll(async () => {
  await prober.close();
  await server.stop();
});
const attempt = attempts(prober);
const at = (user: string, path = '/app') => `postgres://${user}@127.0.0.1:${server.port}${path}`;

describe('a real server', () => {
  test.each<[string, string, TargetOptions, object]>([
    ['SCRAM over TLS', at('scram:secret'), {}, { outcome: 'good', reached: true }],
    ['SCRAM without TLS', at('scram:secret', '/app?sslmode=disable'), {}, { timings: { tls: null } }],
    ['md5', at('md5:secret'), {}, { outcome: 'good' }],
    ['cleartext over TLS', at('clear:secret'), {}, { outcome: 'good' }],
    [
      'cleartext where TLS is switched off',
      at('clear:secret', '/app?sslmode=disable'),
      {},
      { outcome: 'good' },
    ],
    ['no password', at('trust'), {}, { outcome: 'good' }],
    ['no database: that of the user', at('trust', ''), {}, { message: 'there is no database of this name' }],
    ['a name of the certificate', at('trust').replace('127.0.0.1', 'db.test'), {}, { outcome: 'good' }],
    [
      'another name',
      at('trust').replace('127.0.0.1', 'stranger.test'),
      {},
      {
        reason: 'tls',
        message: expect.stringContaining('certificate is for another name') as string,
        tlsExpiresAt: pairs.good.expiresAt,
      },
    ],
    [
      'another name, not verified',
      at('trust').replace('127.0.0.1', 'stranger.test'),
      { tlsVerify: false },
      { outcome: 'good' },
    ],
    [
      'parameters of other clients',
      at(
        'trust',
        '/app?pgbouncer=true&channel_binding=require&connection_limit=1&sslaccept=strict&schema=a&uselibpqcompat=true',
      ),
      {},
      { outcome: 'good' },
    ],
    ['options', at('trust', '/app?options=-c%20datestyle%3DISO'), {}, { outcome: 'good' }],
    ['encoded user info and database', at('%73cram:%73ecret', '/%61pp'), {}, { outcome: 'good' }],
    [
      'a wrong password',
      at('scram:wr0ng'),
      {},
      { reason: 'query', message: 'the database refuses the user name or password', reached: false },
    ],
    [
      'a wrong password, md5',
      at('md5:wr0ng'),
      {},
      { message: 'the database refuses the user name or password' },
    ],
    [
      'no password where one is needed',
      at('scram'),
      {},
      { message: 'the database asks for a password, and the address has none' },
    ],
    [
      'a user without TLS',
      at('tls:secret', '/app?sslmode=disable'),
      {},
      { message: 'the database does not let this user in from here, or lets nobody in without TLS' },
    ],
    [
      'a user who is not let in',
      at('stranger:secret'),
      {},
      { message: 'the database does not let this user in from here, or lets nobody in without TLS' },
    ],
    ['no database', at('trust', '/nope'), {}, { message: 'there is no database of this name' }],
    [
      'a syntax error',
      at('trust'),
      { query: `SELEC '${CANARY}'` },
      { reason: 'query', message: 'QUERY has a syntax error', reached: true },
    ],
    [
      'an unknown table',
      at('trust'),
      { query: `SELECT * FROM ${CANARY}` },
      { message: 'QUERY names something that does not exist in this database' },
    ],
    [
      'no permission',
      at('trust'),
      { query: 'SELECT * FROM pg_authid' },
      { message: 'the user is not allowed to do what QUERY asks for' },
    ],
    [
      'read only',
      at('trust', '/readonly'),
      { query: 'CREATE TABLE a (b int)' },
      { message: 'the database is read only, and QUERY writes' },
    ],
    [
      'a division by zero',
      at('trust'),
      { query: 'SELECT 1/0' },
      { message: 'the database answers with an error', reached: true },
    ],
    [
      'COPY',
      at('trust'),
      { query: 'COPY (SELECT 1) TO STDOUT' },
      { message: 'QUERY copies data: expected a statement whose answer is rows' },
    ],
    [
      'a query that never ends',
      at('trust'),
      { query: 'SELECT pg_sleep(100)', timeout: 300 },
      { reason: 'timeout', message: 'timed out waiting for the answer' },
    ],
    [
      'a limit of the database',
      at('clear:secret'),
      { query: 'SELECT pg_sleep(100)' },
      { reason: 'timeout', message: 'the database stopped QUERY: it took too long, or was cancelled' },
    ],
    [
      'nothing but a comment',
      at('trust'),
      { query: '-- nothing', ...KEPT },
      { outcome: 'good', reached: true },
    ],
  ])('%s', async (_name, url, options, expected) => {
    expect(await attempt(url, options)).toMatchObject(expected);
  });

  test.each(['require', 'disable'])('a query that times out does not go on: sslmode=%s', async (mode) => {
    const query = `SELECT pg_sleep(100) AS ${mode}`;
    const url = at('trust', `/app?sslmode=${mode}`);
    expect(await attempt(url, { query, timeout: 1_000, tlsVerify: true })).toMatchObject({
      reason: 'timeout',
      message: 'timed out waiting for the answer',
    });
    const running = `SELECT count(*) AS n FROM pg_stat_activity WHERE query = '${query}' AND state = 'active'`;
    await expect
      .poll(
        async () => {
          await attempt(at('trust'), { query: running, ...KEPT });
          return rowsOf(answers);
        },
        { timeout: 10_000 },
      )
      .toEqual([{ n: 0 }]);
  });

  test.each<[string, unknown]>([
    ['SELECT 1', [{ '?column?': 1 }]],
    ['SELECT count(*) FROM pg_class WHERE false', [{ count: 0 }]],
    [
      `SELECT 1.50 AS a, true AS b, NULL AS c, 'x"\u00e9' AS d, '{"e":[1]}'::jsonb AS f, 'NaN'::float8 AS g`,
      [{ a: 1.5, b: true, c: null, d: 'x"\u00e9', f: { e: [1] }, g: 'NaN' }],
    ],
    ['SELECT g FROM generate_series(1, 3) g', [{ g: 1 }, { g: 2 }, { g: 3 }]],
    ['SELECT 1 WHERE false', []],
    ['SELECT 1; SELECT 2 AS two', [{ two: 2 }]],
    ['SELECT 1; SET datestyle = ISO', []],
    ['', []],
    [`SELECT 1 AS "__proto__"`, JSON.parse('[{"__proto__":1}]')],
  ])('%s: its rows are JSON', async (query, rows) => {
    expect(await attempt(at('trust'), { query, ...KEPT })).toMatchObject({ outcome: 'good' });
    expect(rowsOf(answers)).toEqual(rows);
  });

  test('assertions over the rows', async () => {
    const judged = (assertions: TargetOptions['assertions'], query = 'SELECT 7 AS "queue"') =>
      attempt(at('trust'), { query, ...(assertions && { assertions }) });
    expect(await judged({ expectJson: 'queue < 10' })).toMatchObject({ outcome: 'good' });
    expect(await judged({ expectJson: '$[0].queue < 5' })).toMatchObject({ reason: 'json' });
    expect(await judged({ degradedJson: 'queue > 5' })).toMatchObject({ outcome: 'degraded' });
    expect(await judged({ expectBody: { kind: 'text', text: '"queue":7' } })).toMatchObject({
      outcome: 'good',
    });
    expect(await judged({ rejectBody: { kind: 'text', text: '7' } })).toMatchObject({ reason: 'body' });
    expect(await judged({ degradedAfter: 1 }, 'SELECT pg_sleep(0.05)')).toMatchObject({
      outcome: 'degraded',
    });
  });

  test('an answer longer than MAX_BODY is cut', async () => {
    const query = `SELECT generate_series(1, 10000000) AS g, repeat('x', 100) AS x`;
    const text = (found: string): TargetOptions => ({
      query,
      maxBody: 1_000,
      assertions: { expectBody: { kind: 'text', text: found } },
    });
    expect(await attempt(at('trust'), text('"g":5'))).toMatchObject({ outcome: 'good' });
    expect(answers.at(-1)?.body).toMatchObject({ cut: true });
    expect(answers.at(-1)?.body?.text).toHaveLength(1_000);
    expect(await attempt(at('trust'), text('"g":500'))).toMatchObject({ reason: 'too_large' });
    const json = { query, maxBody: 1_000, assertions: { expectJson: 'true' } };
    expect(await attempt(at('trust'), json)).toMatchObject({ reason: 'too_large' });
    // Nobody looks at the rows.
    expect(await attempt(at('trust'), { query })).toMatchObject({ outcome: 'good' });
    const long = { query: `SELECT repeat('\u20ac', 5000000)`, maxBody: 1_001, ...KEPT };
    expect(await attempt(at('trust'), long)).toMatchObject({ reason: 'too_large' });
  });

  test('the environment is not read', async () => {
    const set = {
      PGUSER: 'scram',
      PGPASSWORD: 'secret',
      PGHOST: 'nowhere',
      PGSSLMODE: 'disable',
      PGOPTIONS: '-c x=y',
    };
    Object.assign(process.env, set);
    try {
      expect(await attempt(at('scram'))).toMatchObject({
        message: 'the database asks for a password, and the address has none',
        tlsExpiresAt: pairs.good.expiresAt,
      });
    } finally {
      for (const name of Object.keys(set)) Reflect.deleteProperty(process.env, name);
    }
  });

  test('TLS is used where it is offered, and demanded where the address does', async () => {
    await server.set(`ssl = 'off'`);
    expect(await attempt(at('scram:secret'))).toMatchObject({ outcome: 'good', timings: { tls: null } });
    expect(await attempt(at('scram:secret', '/app?sslmode=require'))).toMatchObject({
      reason: 'tls',
      message: 'the server has no TLS, and the address asks for it',
    });
    expect(await attempt(at('clear:secret'))).toMatchObject({
      reason: 'tls',
      message: 'the database wants the password as it is, and has no TLS: sslmode=disable would send it',
    });
    await server.set(`ssl = 'on'`);
  });

  test.each<[keyof typeof pairs, object]>([
    ['expired', { reason: 'tls', message: expect.stringContaining('certificate has expired') as string }],
    ['ending', { outcome: 'degraded', message: 'certificate ends in less than 14 days' }],
    [
      'other',
      { reason: 'tls', message: expect.stringContaining('certificate is for another name') as string },
    ],
    [
      'own',
      {
        reason: 'tls',
        message:
          "unknown certificate issuer: trust the host's authority by NODE_EXTRA_CA_CERTS, or set TLS_VERIFY=false",
      },
    ],
  ])('certificate: %s', async (pair, expected) => {
    const port = await serveScript([SETTLED, ANSWER], { tls: pairs[pair] });
    expect(await attempt(`postgres://u@127.0.0.1:${port}`)).toMatchObject({
      ...expected,
      tlsExpiresAt: pairs[pair].expiresAt,
    });
  });
});

function packet(type: string, ...parts: (string | Buffer)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length + 4);
  return Buffer.concat([Buffer.from(type), length, content]);
}
const int = (value: number, size = 4) => {
  const bytes = Buffer.alloc(size);
  bytes.writeIntBE(value, 0, size);
  return bytes;
};
const error = (sqlState: string, text: string) => packet('E', `SFATAL\0VFATAL\0C${sqlState}\0M${text}\0\0`);
const READY = packet('Z', 'I');
const SETTLED = Buffer.concat([
  packet('R', int(0)),
  packet('S', 'server_version\x0015\0'),
  packet('K', int(1), int(2)),
  READY,
]);
const COLUMN = packet('T', int(1, 2), 'a\0', int(0), int(0, 2), int(23), int(4, 2), int(-1), int(0, 2));
const row = (text: string) => packet('D', int(1, 2), int(Buffer.byteLength(text)), text);
const ANSWER = Buffer.concat([COLUMN, row('1'), packet('C', 'SELECT 1\0'), READY]);
/** Announces `length` bytes that never come. */
const announcing = (type: string, length: number) => Buffer.concat([Buffer.from(type), int(length + 4)]);

interface ScriptOptions {
  readonly tls?: Pair;
  readonly oneByOne?: boolean;
  /** What follows the last answer. */
  readonly then?: (socket: Socket) => void;
}

/** A server that answers whatever it gets by the next of `answers`. Returns its port. */
async function serveScript(
  answers: readonly (Buffer | ((got: Buffer) => Buffer))[],
  { tls, oneByOne = false, then }: ScriptOptions = {},
): Promise<number> {
  const play = (socket: Socket) => {
    const left = [...answers];
    socket
      .on('error', () => undefined)
      .on('data', (got: Buffer) => {
        const next = left.shift();
        if (next === undefined) return;
        const bytes = typeof next === 'function' ? next(got) : next;
        if (oneByOne) for (let i = 0; i < bytes.length; i++) socket.write(bytes.subarray(i, i + 1));
        else socket.write(bytes);
        if (left.length === 0) then?.(socket);
      });
  };
  const { port } = await serveTcp((socket) => {
    socket.setNoDelay();
    if (tls === undefined) {
      play(socket);
      return;
    }
    socket.once('data', () => {
      socket.write('S');
      play(new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(tls) }));
    });
  });
  return port;
}
const plain = (port: number) => `postgres://u:${CANARY}@127.0.0.1:${port}/d?sslmode=disable`;
const NOT_SPOKEN = { reason: 'protocol', message: 'the port does not speak PostgreSQL' };

describe('a server that is hostile or broken', () => {
  test('the script itself is fine, also one byte at a time', async () => {
    for (const oneByOne of [false, true]) {
      const port = await serveScript([SETTLED, ANSWER], { oneByOne });
      expect(await attempt(plain(port), KEPT)).toMatchObject({ outcome: 'good', reached: true });
      expect(rowsOf(answers)).toEqual([{ a: 1 }]);
    }
  });

  test.each<[string, (Buffer | ((got: Buffer) => Buffer))[], object]>([
    ['garbage in the login', [Buffer.alloc(100, 0xee)], NOT_SPOKEN],
    ['another protocol in the login', [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')], NOT_SPOKEN],
    ['a length below zero', [Buffer.from('R\0\0\0\x01')], NOT_SPOKEN],
    ['a login message of 2 GB', [announcing('S', 0x7fff_0000)], NOT_SPOKEN],
    ['a login message of 1 MB', [announcing('S', 1_000_000)], NOT_SPOKEN],
    [
      'endless notices',
      [Buffer.concat(Array.from({ length: 10_000 }, () => packet('N', 'MHello\0\0')))],
      NOT_SPOKEN,
    ],
    ['the answer before the login', [ANSWER], NOT_SPOKEN],
    [
      'an answer that comes with the login',
      [Buffer.concat([SETTLED, ANSWER])],
      { reason: 'protocol', message: 'the server says more than it was asked' },
    ],
    ['a row of 2 GB', [SETTLED, Buffer.concat([COLUMN, announcing('D', 0x7fff_0000)])], NOT_SPOKEN],
    ['a row of 1 GB', [SETTLED, Buffer.concat([COLUMN, announcing('D', 2 ** 30)])], { reason: 'too_large' }],
    ['columns of 100 MB', [SETTLED, announcing('T', 100_000_000)], { reason: 'too_large' }],
    ['a row without columns', [SETTLED, row('1')], NOT_SPOKEN],
    [
      'a value longer than its row',
      [SETTLED, Buffer.concat([COLUMN, packet('D', int(1, 2), int(9), 'x')])],
      NOT_SPOKEN,
    ],
    ['more columns than there are', [SETTLED, packet('T', int(-1, 2))], NOT_SPOKEN],
    ['an unknown message', [SETTLED, packet('?')], NOT_SPOKEN],
    ['an error without an end', [SETTLED, packet('E', 'C42601')], NOT_SPOKEN],
    ['an error without fields', [SETTLED, packet('E', '\0')], { reason: 'query' }],
    ['COPY FROM STDIN', [SETTLED, packet('G', '\0\0\0')], { reason: 'query' }],
    [
      'a login that goes round in circles',
      Array.from({ length: 20 }, () => packet('R', int(5), 'salt')),
      NOT_SPOKEN,
    ],
    [
      'an unknown login',
      [packet('R', int(7))],
      {
        reason: 'query',
        message: 'the database wants another login than by password, which is not supported',
      },
    ],
    [
      'SASL without SCRAM',
      [packet('R', int(10), 'OAUTHBEARER\0\0')],
      {
        reason: 'query',
        message: 'the database wants another login than by password, which is not supported',
      },
    ],
    ['SCRAM that begins in the middle', [packet('R', int(11), 'r=a,s=b,i=1')], NOT_SPOKEN],
    [
      'SCRAM with a nonce of its own',
      [scramStart, packet('R', int(11), 'r=abc,s=c2FsdA==,i=4096')],
      NOT_SPOKEN,
    ],
    ['SCRAM of too many rounds', [scramStart, (got) => scramFirst(got, 200_001)], NOT_SPOKEN],
    [
      'SCRAM with a wrong proof',
      [scramStart, (got) => scramFirst(got, 4_096), packet('R', int(12), 'v=d3Jvbmc=')],
      { reason: 'protocol', message: 'the server does not prove that it knows the password' },
    ],
    ['SCRAM that begins twice', [scramStart, scramStart], NOT_SPOKEN],
    ['SCRAM without a proof', [scramStart, (got) => scramFirst(got, 4_096), SETTLED], NOT_SPOKEN],
  ])('%s', async (_name, script, expected) => {
    const port = await serveScript(script);
    expect(await attempt(plain(port), { ...KEPT, timeout: 10_000 })).toMatchObject(expected);
  });

  test('a login is hashed once', async () => {
    let messages = 0;
    let nonce = '';
    const { port } = await serveTcp((socket) =>
      socket
        .on('error', () => undefined)
        .on('data', (got: Buffer) => {
          messages++;
          nonce ||= /,r=([^,]+)$/.exec(got.toString('latin1'))?.[1] ?? '';
          socket.write(
            messages === 1 ? scramStart : packet('R', int(11), `r=${nonce}more,s=c2FsdA==,i=4096`),
          );
        }),
    );
    expect(await attempt(plain(port))).toMatchObject(NOT_SPOKEN);
    // The startup, the first message of SCRAM, one proof.
    expect(messages).toBe(3);
  });

  test('the password as it is goes to nobody without TLS', async () => {
    const got: Buffer[] = [];
    const { port } = await serveTcp((socket) => {
      socket
        .on('error', () => undefined)
        .on('data', (bytes: Buffer) => {
          got.push(bytes);
          socket.write(got.length === 1 ? 'N' : packet('R', int(3)));
        });
    });
    expect(await attempt(`postgres://u:${CANARY}@127.0.0.1:${port}/d`)).toMatchObject({ reason: 'tls' });
    expect(Buffer.concat(got).includes(CANARY)).toBe(false);
  });

  test('md5 is what the protocol says', async () => {
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    let got = '';
    const port = await serveScript([
      packet('R', int(5), 'salt'),
      (bytes) => {
        got = bytes.toString('latin1');
        return SETTLED;
      },
      ANSWER,
    ]);
    expect(await attempt(plain(port))).toMatchObject({ outcome: 'good' });
    expect(got).toBe(`p\0\0\0\x28md5${md5(`${md5(`${CANARY}u`)}salt`)}\0`);
  });

  test.each<[string, () => Promise<number>, object]>([
    ['an HTTP server', async () => (await serveHttp((_q, answer) => answer.end())).port, NOT_SPOKEN],
    [
      'an SSH server',
      async () => (await serveTcp((socket) => socket.write('SSH-2.0-x\r\n'))).port,
      NOT_SPOKEN,
    ],
    ['a byte behind the S', () => serveScript([Buffer.from('SR')]), NOT_SPOKEN],
    [
      'no TLS behind the S',
      () => serveScript([Buffer.from('S'), SETTLED]),
      { reason: 'tls', message: expect.stringContaining('the port does not speak TLS') as string },
    ],
    [
      'nothing behind the S',
      () => serveScript([Buffer.from('S')]),
      { reason: 'timeout', message: 'timed out in the TLS handshake' },
    ],
    [
      'a close behind the S',
      () => serveScript([Buffer.from('S')], { then: (socket) => socket.destroy() }),
      { reason: 'reset' },
    ],
    [
      'silence',
      async () => (await serveTcp(() => undefined)).port,
      { reason: 'timeout', message: 'timed out asking for TLS' },
    ],
    ['a close', async () => (await serveTcp((socket) => socket.destroy())).port, { reason: 'reset' }],
    [
      'silence in the login',
      () => serveScript([Buffer.from('N')]),
      { reason: 'timeout', message: 'timed out logging in' },
    ],
    ['nobody', closedPort, { reason: 'connect', message: 'connection refused' }],
  ])('%s', async (_name, serve, expected) => {
    const url = `postgres://u:${CANARY}@127.0.0.1:${await serve()}/d`;
    expect(await attempt(url, { timeout: 500 })).toMatchObject(expected);
  });

  test('it may close at every byte', async () => {
    const results = new Map<string, number>();
    for (let length = 0; length < SETTLED.length + ANSWER.length; length++) {
      const script = [SETTLED.subarray(0, length), ANSWER.subarray(0, Math.max(0, length - SETTLED.length))];
      const isInLogin = length < SETTLED.length;
      const port = await serveScript(isInLogin ? script.slice(0, 1) : script, {
        then: (socket) => socket.end(),
      });
      const { reason, message } = await attempt(plain(port));
      results.set(`${reason}: ${message}`, (results.get(`${reason}: ${message}`) ?? 0) + 1);
    }
    expect([...results]).toEqual([['reset: connection closed early', SETTLED.length + ANSWER.length]]);
  });

  test('endless rows take no memory, and end at MAX_BODY', async () => {
    const flood = Buffer.concat([COLUMN, ...Array.from({ length: 50_000 }, () => row('123456789'))]);
    const port = await serveScript([SETTLED, flood], {
      then: (socket) => {
        const more = () => {
          while (socket.writable && socket.write(flood));
        };
        socket.on('drain', more);
        more();
      },
    });
    expect(await attempt(plain(port), KEPT)).toMatchObject({ reason: 'too_large' });
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 10; i++) expect(await attempt(plain(port))).toMatchObject({ outcome: 'good' });
    expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000);
  });

  test('nothing goes on after an attempt', async () => {
    const before = busyWith();
    const silent = await serveScript([SETTLED]);
    const flooding = await serveScript([SETTLED, announcing('D', 1_000)]);
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => attempt(plain(i % 2 ? silent : flooding), { timeout: 200 })),
    );
    await attempt(at('scram:secret'));
    // The two servers that listen.
    await expect.poll(busyWith, { timeout: 10_000 }).toBeLessThanOrEqual(before + 2);
  });
});

const scramStart = packet('R', int(10), 'SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0');
function scramFirst(got: Buffer, iterations: number): Buffer {
  const nonce = /r=([^,]+)$/.exec(got.toString('latin1'))?.[1] ?? '';
  return packet('R', int(11), `r=${nonce}more,s=c2FsdA==,i=${iterations}`);
}

describe('errors in words', () => {
  test.each<[string, string, object]>([
    [
      '57P03',
      'the database system is starting up',
      { reason: 'connect', message: 'the database is starting up or shutting down' },
    ],
    [
      '57P01',
      'terminating connection due to administrator command',
      { reason: 'reset', message: 'the database is shutting down, or ended the connection on purpose' },
    ],
    [
      '53300',
      'sorry, too many clients already',
      { reason: 'connect', message: 'the database has too many connections' },
    ],
    ['53100', 'could not extend file', { message: 'the disk of the database is full' }],
    [
      'XX000',
      'Tenant or user not found',
      {
        reason: 'query',
        message: 'no such project or user: if the Supabase project is paused, restore it in the dashboard',
      },
    ],
    [
      'XX000',
      `(ENOTFOUND) tenant/user postgres.${CANARY} not found`,
      { message: 'no such project or user: if the Supabase project is paused, restore it in the dashboard' },
    ],
    ['XX000', 'Max client connections reached', { message: 'the database has too many connections' }],
    [
      'XX000',
      'The endpoint has been disabled. Enable it using Neon API and retry.',
      { message: 'the endpoint is disabled: enable it in the console of the host (Neon)' },
    ],
    [
      'XX000',
      'Your account or project has exceeded the compute time quota. Upgrade your plan to increase limits.',
      { message: "the plan's quota is used up: wait until it is renewed, or change the plan" },
    ],
    [
      '08P01',
      'Endpoint ID is not specified. Either please upgrade the postgres client library',
      { reason: 'tls', message: 'the host wants its own name in TLS: use its host name and sslmode=require' },
    ],
    ['28000', 'connection is insecure (try using `sslmode=require`)', { reason: 'tls' }],
    [
      '08P01',
      'unsupported startup parameter: options',
      { message: "the pooler refuses the address's parameter options: leave it out" },
    ],
    [
      '08P01',
      'no more connections allowed (max_client_conn)',
      { message: 'the database has too many connections' },
    ],
    ['08P01', `no such database: ${CANARY}`, { message: 'there is no database of this name' }],
    [
      '08006',
      'server login failed',
      { reason: 'connect', message: 'the pooler does not reach the database' },
    ],
    ['XX000', `${CANARY}\n\x1b[31m`, { message: 'the database has an internal error' }],
    [CANARY, CANARY, { message: 'the database answers with an error' }],
    // What a statement says of its own data is nobody's verdict.
    ['22000', 'tenant or user not found', { message: 'the database answers with an error' }],
  ])('%s %s', async (sqlState, text, expected) => {
    const port = await serveScript([error(sqlState, text)]);
    expect(await attempt(plain(port))).toMatchObject({ outcome: 'failed', ...expected });
    const later = await serveScript([SETTLED, error(sqlState, text)]);
    expect(await attempt(plain(later))).toMatchObject({ outcome: 'failed', ...expected });
  });

  test.each([
    [
      'postgres://u@db.abc.supabase.co',
      'name not found: a paused Supabase project has none, restore it in the dashboard',
    ],
    [
      'postgres://u@pg-1-x.aivencloud.com:12691',
      'name not found: an Aiven service that is powered off has none, power it on in the console',
    ],
    ['postgres://u@db.gone.test', 'name not found'],
  ])('%s: %s', async (url, message) => {
    expect(await attempt(url)).toMatchObject({ reason: 'dns', message });
  });
});
