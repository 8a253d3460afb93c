import { createHash, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { createProber } from '../../lib/probe/probe.js';
import type { Answer } from '../../lib/rules/assertions.js';
import { createAuthority, type Pair } from '../support/certificates.js';
import { attempts, busyWith, CANARY, KEPT, rowsOf } from '../support/databases.js';
import { startMariadb } from '../support/mariadb.js';
import { closedPort, serveHttp, serveTcp } from '../support/servers.js';
import type { TargetOptions } from '../support/targets.js';

const authority = createAuthority('Test CA');
const pairs = {
  good: authority.issue(['127.0.0.1']),
  expired: authority.issue(['127.0.0.1'], -30, -1),
  ending: authority.issue(['127.0.0.1'], -30, 5),
  other: authority.issue(['other.test']),
  own: createAuthority('Vendor').issue(['127.0.0.1']),
};
const server = await startMariadb(
  pairs.good,
  `
CREATE DATABASE app;
CREATE TABLE app.jobs (id INT, done BIT(1));
CREATE PROCEDURE app.two() SQL SECURITY INVOKER SELECT 2 AS two;
CREATE USER native IDENTIFIED BY 'secret';
CREATE USER open;
CREATE USER tls IDENTIFIED BY 'secret' REQUIRE SSL;
CREATE USER locked IDENTIFIED BY 'secret' ACCOUNT LOCK;
CREATE USER expired IDENTIFIED BY 'secret' PASSWORD EXPIRE;
CREATE USER outside IDENTIFIED BY 'secret';
CREATE USER limited IDENTIFIED BY 'secret' WITH MAX_QUERIES_PER_HOUR 1;
GRANT SELECT, INSERT, EXECUTE ON app.* TO native, open, tls, locked, expired, limited;
SET GLOBAL read_only = ON;
`,
);
const answers: Answer[] = [];
const prober = createProber({ ca: [authority.ca], onAnswer: (answer) => answers.push(answer) });
afterAll(async () => {
  await prober.close();
  await server.stop();
});
const attempt = attempts(prober);
const at = (user: string, path = '/app') => `mysql://${user}@127.0.0.1:${server.port}${path}`;
const WRONG = { reason: 'query', message: 'the database refuses the user name or password', reached: false };
const LOCKED = { message: 'the account of this user is locked, or its password has expired' };

describe('a real server (MariaDB)', () => {
  test.each<[string, string, TargetOptions, object]>([
    [
      'over TLS',
      at('native:secret'),
      {},
      { outcome: 'good', reached: true, tlsExpiresAt: pairs.good.expiresAt },
    ],
    [
      'without TLS',
      at('native:secret', '/app?ssl-mode=DISABLED'),
      {},
      { outcome: 'good', timings: { tls: null } },
    ],
    ['no password', at('open'), {}, { outcome: 'good' }],
    ['no database', at('native:secret', ''), {}, { outcome: 'good' }],
    [
      'parameters of other clients',
      at('open', '/app?sslaccept=strict&connection_limit=1&charset=utf8'),
      {},
      { outcome: 'good' },
    ],
    ['a wrong password', at('native:wr0ng'), {}, WRONG],
    ['an unknown user', at('nobody:secret'), {}, WRONG],
    ['a user who has to use TLS', at('tls:secret'), {}, { outcome: 'good' }],
    ['the same without', at('tls:secret', '/app?sslmode=disable'), {}, WRONG],
    ['an account that is locked', at('locked:secret'), {}, LOCKED],
    ['a password that has expired', at('expired:secret'), {}, LOCKED],
    [
      'a database that is not there',
      at('native:secret', '/app2'),
      {},
      { message: 'the user is not allowed to use this database' },
    ],
    [
      'a database that is not for the user',
      at('outside:secret'),
      {},
      { message: 'the user is not allowed to use this database' },
    ],
    [
      'a syntax error',
      at('open'),
      { query: `SELEC '${CANARY}'` },
      { message: 'QUERY has a syntax error', reached: true },
    ],
    ['two statements', at('open'), { query: 'SELECT 1; SELECT 2' }, { message: 'QUERY has a syntax error' }],
    [
      'an unknown table',
      at('open'),
      { query: `SELECT * FROM ${CANARY}` },
      { message: 'QUERY names something that does not exist in this database' },
    ],
    [
      'no permission',
      at('open'),
      { query: 'SELECT * FROM mysql.user' },
      { message: 'the user is not allowed to do what QUERY asks for' },
    ],
    [
      'read only',
      at('open'),
      { query: 'INSERT INTO jobs VALUES (1, 1)' },
      { message: 'the database is read only, and QUERY writes' },
    ],
    [
      'a query that never ends',
      at('open'),
      { query: 'SELECT SLEEP(100)', timeout: 300 },
      { reason: 'timeout', message: 'timed out waiting for the answer' },
    ],
    [
      'a limit of the database',
      at('open'),
      {
        query:
          'SET STATEMENT max_statement_time=0.02 FOR SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c',
      },
      { reason: 'timeout', message: 'the database stopped QUERY: it took too long, or was cancelled' },
    ],
    [
      'a file of ours',
      at('open'),
      { query: `LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE jobs` },
      { reason: 'query' },
    ],
  ])('%s', async (_name, url, options, expected) => {
    expect(await attempt(url, options)).toMatchObject(expected);
  });

  test('a user who has used up what is allowed', async () => {
    await attempt(at('limited:secret'));
    expect(await attempt(at('limited:secret'))).toMatchObject({
      message: 'the database has too many connections',
    });
  });

  test.each<[string, unknown]>([
    ['SELECT 1', [{ '1': 1 }]],
    ['SELECT COUNT(*) AS n FROM jobs', [{ n: 0 }]],
    [
      `SELECT 1.50 AS a, TRUE AS b, NULL AS c, 'x"é' AS d, 9007199254740991 AS e`,
      [{ a: 1.5, b: 1, c: null, d: 'x"é', e: 9007199254740991 }],
    ],
    ['SELECT 1 AS a UNION SELECT 2', [{ a: 1 }, { a: 2 }]],
    ['SELECT * FROM jobs', []],
    ['DO 1', []],
    ['CALL two()', [{ two: 2 }]],
  ])('%s: its rows are JSON', async (query, rows) => {
    expect(await attempt(at('open'), { query, ...KEPT })).toMatchObject({ outcome: 'good' });
    expect(rowsOf(answers)).toEqual(rows);
  });

  test('an answer longer than MAX_BODY is cut', async () => {
    const query = `SELECT seq, REPEAT('x', 100) AS x FROM seq_1_to_10000000`;
    const json = { query, maxBody: 1_000, assertions: { expectJson: 'true' } };
    expect(await attempt(at('open'), json)).toMatchObject({ reason: 'too_large' });
    expect(answers.at(-1)?.body).toMatchObject({ cut: true });
    expect(await attempt(at('open'), { query })).toMatchObject({ outcome: 'good' });
  });

  test.each<[keyof typeof pairs, object]>([
    ['good', { outcome: 'good' }],
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
    const port = await serveScript([HELLO_TLS, packet(3, OK), ANSWER], { tls: pairs[pair] });
    const result = await attempt(`mysql://u:${CANARY}@127.0.0.1:${port}`);
    expect(result).toMatchObject({ ...expected, tlsExpiresAt: pairs[pair].expiresAt });
  });
});

function packet(sequence: number, ...parts: (string | Buffer)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const header = Buffer.alloc(4);
  header.writeUIntLE(content.length, 0, 3);
  header[3] = sequence;
  return Buffer.concat([header, content]);
}
const SALT = Buffer.from('abcdefghijklmnopqrst');
const WITH_TLS = 0x800;
function hello(plugin: string, flags = 0): Buffer {
  const capabilities = Buffer.alloc(4);
  capabilities.writeUInt32LE(0x8_8208 | flags);
  return packet(
    0,
    '\x0a8.4.0\0',
    Buffer.alloc(4, 1),
    SALT.subarray(0, 8),
    '\0',
    capabilities.subarray(0, 2),
    '\x2d\x02\0',
    capabilities.subarray(2),
    Buffer.from([21]),
    Buffer.alloc(10),
    SALT.subarray(8),
    `\0${plugin}\0`,
  );
}
const HELLO = hello('mysql_native_password');
const HELLO_TLS = hello('caching_sha2_password', WITH_TLS);
const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
const EOF = Buffer.from([0xfe, 0, 0, 2, 0]);
const lengthed = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
const column = (name: string) =>
  Buffer.concat([
    ...['def', '', '', '', name, name].map(lengthed),
    Buffer.from([0xc, 0x2d, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0]),
  ]);
const ANSWER = Buffer.concat([
  packet(1, '\x01'),
  packet(2, column('a')),
  packet(3, EOF),
  packet(4, lengthed('1')),
  packet(5, EOF),
]);
const HEAD = ANSWER.subarray(0, ANSWER.length - 4 - 2 - 4 - EOF.length);
const error = (number: number, text: string, marker = '#HY000') =>
  packet(1, Buffer.from([0xff, number & 0xff, number >> 8]), marker + text);

type Line = Buffer | ((got: Buffer) => Buffer);
interface ScriptOptions {
  readonly tls?: Pair;
  readonly oneByOne?: boolean;
  /** What follows the last line. */
  readonly then?: (socket: Socket) => void;
}

/** A server that begins with the first line, and answers whatever it gets by the next one. Returns its port. */
async function serveScript(lines: readonly Line[], options: ScriptOptions = {}): Promise<number> {
  const { tls, oneByOne = false, then } = options;
  const { port } = await serveTcp((socket) => {
    socket.setNoDelay();
    const left = [...lines];
    const say = (to: Socket, got: Buffer) => {
      const next = left.shift();
      if (next === undefined) return;
      const bytes = typeof next === 'function' ? next(got) : next;
      if (oneByOne) for (let i = 0; i < bytes.length; i++) to.write(bytes.subarray(i, i + 1));
      else to.write(bytes);
      if (left.length === 0) then?.(to);
    };
    const play = (to: Socket) => to.on('error', () => undefined).on('data', (got: Buffer) => say(to, got));
    say(socket, Buffer.alloc(0));
    if (tls === undefined) play(socket);
    else {
      socket.once('data', (bytes: Buffer) => {
        // The request for TLS; the handshake may have come with it.
        socket.pause();
        if (bytes.length > 36) socket.unshift(bytes.subarray(36));
        play(new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(tls) }));
      });
    }
  });
  return port;
}
const url = (port: number, query = '') => `mysql://u:${CANARY}@127.0.0.1:${port}/d${query}`;
const NOT_SPOKEN = { reason: 'protocol', message: 'the port does not speak MySQL' };

const hash = (algorithm: string, ...parts: (string | Buffer)[]) =>
  parts.reduce((sum, part) => sum.update(part), createHash(algorithm)).digest();
const mixed = (a: Buffer, b: Buffer) => Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));
const switchTo = (plugin: string, sequence: number) =>
  packet(sequence, Buffer.from([0xfe]), `${plugin}\0`, SALT, '\0');

describe('ways to log in', () => {
  const once = hash('sha256', CANARY);
  const scramble = mixed(once, hash('sha256', hash('sha256', once), SALT));

  test('caching_sha2_password, known to the server already', async () => {
    let got: Buffer = Buffer.alloc(0);
    const port = await serveScript([
      hello('caching_sha2_password'),
      (bytes) => {
        got = bytes;
        return Buffer.concat([packet(2, '\x01\x03'), packet(3, OK)]);
      },
      ANSWER,
    ]);
    expect(await attempt(url(port))).toMatchObject({ outcome: 'good' });
    expect(got.includes(scramble)).toBe(true);
    expect(got.includes(CANARY)).toBe(false);
  });

  test('caching_sha2_password at first, over TLS', async () => {
    let got = '';
    const lines: Line[] = [
      HELLO_TLS,
      packet(3, '\x01\x04'),
      (bytes) => {
        got = bytes.toString('latin1');
        return packet(5, OK);
      },
      ANSWER,
    ];
    const port = await serveScript(lines, { tls: pairs.good });
    expect(await attempt(url(port))).toMatchObject({ outcome: 'good' });
    expect(got).toBe(packet(4, `${CANARY}\0`).toString('latin1'));
  });

  test('caching_sha2_password at first, without TLS', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    let got: Buffer = Buffer.alloc(0);
    const lines: Line[] = [
      hello('caching_sha2_password'),
      packet(2, '\x01\x04'),
      (bytes) => {
        expect(bytes).toEqual(packet(3, '\x02'));
        return packet(4, '\x01', publicKey.export({ type: 'spki', format: 'pem' }));
      },
      (bytes) => {
        got = bytes.subarray(4);
        return packet(6, OK);
      },
      ANSWER,
    ];
    const refused = { reason: 'tls', message: 'the database wants the password as it is, and has no TLS' };
    expect(await attempt(url(await serveScript(lines)))).toMatchObject(refused);
    expect(await attempt(url(await serveScript(lines), '?ssl-mode=DISABLED'))).toMatchObject({
      outcome: 'good',
    });
    const text = mixed(privateDecrypt(privateKey, got), Buffer.concat([SALT, SALT, SALT]));
    expect(text.toString()).toBe(`${CANARY}\0`);
  });

  test('another plugin than the first, mysql_native_password', async () => {
    let got: Buffer = Buffer.alloc(0);
    const port = await serveScript([
      hello('something_new'),
      switchTo('mysql_native_password', 2),
      (bytes) => {
        got = bytes;
        return packet(4, OK);
      },
      ANSWER,
    ]);
    expect(await attempt(url(port))).toMatchObject({ outcome: 'good' });
    const sha1 = hash('sha1', CANARY);
    expect(got).toEqual(packet(3, mixed(sha1, hash('sha1', SALT, hash('sha1', sha1)))));
  });

  test.each<[string, Line[], object]>([
    ['mysql_clear_password without TLS', [HELLO, switchTo('mysql_clear_password', 2)], { reason: 'tls' }],
    [
      'a plugin that is not known',
      [HELLO, switchTo('client_ed25519', 2)],
      {
        reason: 'query',
        message:
          'the database wants a login that is not supported: mysql_native_password and caching_sha2_password are',
      },
    ],
    ['the login of MySQL 4', [HELLO, packet(2, Buffer.from([0xfe]))], { reason: 'query' }],
    [
      'a login that goes round in circles',
      [HELLO, ...Array.from({ length: 20 }, (_, i) => switchTo('mysql_native_password', 2 * i + 2))],
      NOT_SPOKEN,
    ],
    ['a key that nobody asked for', [hello('caching_sha2_password'), packet(2, '\x01KEY')], NOT_SPOKEN],
    ['more of what has no more', [HELLO, packet(2, '\x01\x04')], NOT_SPOKEN],
  ])('%s', async (_name, lines, expected) => {
    expect(await attempt(url(await serveScript(lines)))).toMatchObject(expected);
  });

  test('TLS that the address asks for', async () => {
    expect(
      await attempt(url(await serveScript([HELLO, packet(2, OK), ANSWER]), '?ssl-mode=REQUIRED')),
    ).toMatchObject({
      reason: 'tls',
      message: 'the server has no TLS, and the address asks for it',
    });
  });
});

describe('a server that is hostile or broken', () => {
  test('the script itself is fine, also one byte at a time', async () => {
    for (const oneByOne of [false, true]) {
      const port = await serveScript([HELLO, packet(2, OK), ANSWER], { oneByOne });
      expect(await attempt(url(port), KEPT)).toMatchObject({ outcome: 'good', reached: true });
      expect(rowsOf(answers)).toEqual([{ a: 1 }]);
    }
  });

  const huge = Buffer.from([0xff, 0xff, 0xff, 5]);
  test.each<[string, Line[], object]>([
    ['garbage', [Buffer.alloc(100, 0xee)], NOT_SPOKEN],
    ['a small packet of garbage', [packet(0, 'hello')], NOT_SPOKEN],
    ['another protocol', [Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')], NOT_SPOKEN],
    ['an empty greeting', [packet(0)], NOT_SPOKEN],
    ['half a greeting', [packet(0, '\x0a8.4.0\0')], NOT_SPOKEN],
    ['garbage in the login', [HELLO, packet(2, 'x')], NOT_SPOKEN],
    ['16 MB in the login', [HELLO, huge], NOT_SPOKEN],
    ['a row of 16 MB', [HELLO, packet(2, OK), Buffer.concat([HEAD, huge])], { reason: 'too_large' }],
    [
      'too many columns',
      [HELLO, packet(2, OK), packet(1, Buffer.from([0xfd, 0xff, 0xff, 0xff]))],
      NOT_SPOKEN,
    ],
    [
      'more columns than can be counted',
      [HELLO, packet(2, OK), packet(1, Buffer.alloc(9, 0xfe))],
      NOT_SPOKEN,
    ],
    [
      'a value longer than its row',
      [HELLO, packet(2, OK), Buffer.concat([HEAD, packet(4, Buffer.from([9, 1]))])],
      NOT_SPOKEN,
    ],
    [
      'a row that is too long',
      [HELLO, packet(2, OK), Buffer.concat([HEAD, packet(4, Buffer.from([1, 49, 1, 49]))])],
      NOT_SPOKEN,
    ],
    ['an empty packet', [HELLO, packet(2, OK), packet(1)], NOT_SPOKEN],
    [
      'a missing column',
      [HELLO, packet(2, OK), Buffer.concat([packet(1, '\x02'), packet(2, column('a')), packet(3, EOF)])],
      NOT_SPOKEN,
    ],
    [
      'a file is wanted',
      [HELLO, packet(2, OK), packet(1, Buffer.from([0xfb]), '/etc/passwd')],
      { reason: 'query', message: 'QUERY loads a file: expected a statement whose answer is rows' },
    ],
  ])('%s', async (_name, lines, expected) => {
    expect(await attempt(url(await serveScript(lines)), KEPT)).toMatchObject(expected);
  });

  test.each<[string, () => Promise<number>, object]>([
    [
      'an HTTP server',
      async () => (await serveHttp((_q, answer) => answer.end())).port,
      { reason: 'timeout', message: 'timed out waiting for the greeting' },
    ],
    ['a close', async () => (await serveTcp((socket) => socket.destroy())).port, { reason: 'reset' }],
    [
      'silence in the login',
      () => serveScript([HELLO]),
      { reason: 'timeout', message: 'timed out logging in' },
    ],
    [
      'silence in the handshake',
      () => serveScript([HELLO_TLS]),
      { reason: 'timeout', message: 'timed out in the TLS handshake' },
    ],
    [
      'more than a greeting before TLS',
      () => serveScript([Buffer.concat([HELLO_TLS, packet(2, OK)])]),
      NOT_SPOKEN,
    ],
    [
      'no TLS after all',
      () => serveScript([HELLO_TLS, packet(2, OK)]),
      { reason: 'tls', message: expect.stringContaining('the port does not speak TLS') as string },
    ],
    ['nobody', closedPort, { reason: 'connect', message: 'connection refused' }],
  ])('%s', async (_name, serve, expected) => {
    expect(await attempt(url(await serve()), { timeout: 500 })).toMatchObject(expected);
  });

  test('it may close at every byte', async () => {
    const lines = [HELLO, packet(2, OK), ANSWER];
    const results = new Set<string>();
    for (const [index, line] of lines.entries()) {
      for (let length = 1; length < line.length; length++) {
        const script = [...lines.slice(0, index), line.subarray(0, length)];
        const { reason, message } = await attempt(
          url(await serveScript(script, { then: (socket) => socket.end() })),
        );
        results.add(`${reason}: ${message}`);
      }
    }
    expect([...results]).toEqual(['reset: connection closed early']);
  });

  test('endless rows take no memory, and end at MAX_BODY', async () => {
    const flood = Buffer.concat(Array.from({ length: 50_000 }, () => packet(4, lengthed('123456789'))));
    const port = await serveScript([HELLO, packet(2, OK), HEAD], {
      then: (socket) => {
        const more = () => {
          while (socket.writable && socket.write(flood));
        };
        socket.on('drain', more);
        more();
      },
    });
    expect(await attempt(url(port), KEPT)).toMatchObject({ reason: 'too_large' });
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 10; i++) expect(await attempt(url(port))).toMatchObject({ outcome: 'good' });
    expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000);
  });

  test('nothing goes on after an attempt', async () => {
    const before = busyWith();
    const silent = await serveScript([HELLO, packet(2, OK)]);
    const stopping = await serveScript([HELLO, packet(2, OK), HEAD]);
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => attempt(url(i % 2 ? silent : stopping), { timeout: 200 })),
    );
    await attempt(at('native:secret'));
    // The two servers that listen.
    await expect.poll(busyWith, { timeout: 10_000 }).toBeLessThanOrEqual(before + 2);
  });
});

describe('errors in words', () => {
  test.each<[number, string, object]>([
    [1040, 'Too many connections', { reason: 'connect', message: 'the database has too many connections' }],
    [1053, 'Server shutdown in progress', { reason: 'reset' }],
    [
      1129,
      `Host '${CANARY}' is blocked`,
      { message: 'the database has blocked this address after many errors: FLUSH HOSTS lifts it' },
    ],
    [
      1130,
      `Host '${CANARY}' is not allowed`,
      { message: 'the database does not let this user in from here, or lets nobody in without TLS' },
    ],
    [3159, 'Connections using insecure transport are prohibited', { reason: 'tls' }],
    [
      1105,
      'Due to the usage quota being exhausted, access to the cluster has been restricted.',
      { message: "the plan's quota is used up: wait until it is renewed, or change the plan" },
    ],
    [
      1105,
      'database main is sleeping',
      { message: 'the host says that the database is paused: resume it in its console' },
    ],
    [1366, `Incorrect value: 'paused ${CANARY}'`, { message: 'the database answers with an error' }],
    [9999, `${CANARY}\n\x1b[31m`, { message: 'the database answers with an error' }],
  ])('%s %s', async (number, text, expected) => {
    const failed = { outcome: 'failed', ...expected };
    expect(await attempt(url(await serveScript([error(number, text, '')])))).toMatchObject(failed);
    expect(await attempt(url(await serveScript([HELLO, error(number, text)])))).toMatchObject(failed);
    expect(await attempt(url(await serveScript([HELLO, packet(2, OK), error(number, text)])))).toMatchObject(
      failed,
    );
  });
});
