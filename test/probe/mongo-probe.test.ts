import { setImmediate as turn } from 'node:timers/promises';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { BSONRegExp, MinKey, MongoClient, type Document } from 'mongodb';
import { afterAll, describe, expect, it } from 'vitest';
import { ProbeFailure } from '../../lib/probe/failure.js';
import { MongoReader, messageOf, parse, pick } from '../../lib/probe/mongo-message.js';
import { createProber } from '../../lib/probe/probe.js';
import type { Body } from '../../lib/rules/assertions.js';
import { createAuthority } from '../support/certificates.js';
import { serveDns } from '../support/dns.js';
import { framed, serveMongo, type MongoOptions } from '../support/mongo.js';
import { closedPort, serveHttp, serveRaw, serveTcp } from '../support/servers.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

const never = new AbortController().signal;
const authority = createAuthority('Test CA');
const pair = authority.issue(['a.cluster.test', '127.0.0.1']);
const here = { A: ['127.0.0.1'] };
const PAUSED = 'gone.x1.mongodb.net';
const srv: Record<string, { SRV?: { name: string; port: number }[]; TXT?: string }> = {};
const dns = await serveDns({
  'a.cluster.test': here,
  'b.cluster.test': here,
  'host.x1.mongodb.net': here,
  get '_mongodb._tcp.db.cluster.test'() {
    return srv.good ?? {};
  },
  'db.cluster.test': { TXT: 'authSource=admin&replicaSet=rs' },
  '_mongodb._tcp.evil.cluster.test': { SRV: [{ name: 'elsewhere.test', port: 27017 }] },
});
const bodies: (Body | null)[] = [];
const prober = createProber({
  ca: [authority.ca],
  servers: dns.servers,
  onAnswer: ({ body }) => bodies.push(body),
});
afterAll(() => prober.close());
const attempt = (url: string, options?: TargetOptions) => prober.attempt(someTarget(url, options), never);

async function ask(url: string, query: string, options: TargetOptions = {}): Promise<Body | string> {
  const assertions = { expectBody: { kind: 'text', text: '' } } as const;
  const { message } = await attempt(url, { query, assertions, ...options });
  return message ?? bodies.at(-1) ?? 'no body';
}

const both = ['SCRAM-SHA-1', 'SCRAM-SHA-256'];
const REFUSED = 'the server refuses user name or password: check them, and authSource';
const NO_MONGO = 'it does not answer as MongoDB does: check host and port';

describe.each<[string, string, string, readonly string[]]>([
  // What is written in the address, and as SASLprep has it (RFC 4013).
  ['bob', 'b/b@%', 'b/b@%', both],
  ['b=o,b', 'I\u00adX', 'IX', ['SCRAM-SHA-256']],
  ['bob', '\u2168\u00a0\u00aa', 'IX a', ['SCRAM-SHA-256']],
  ['bob', 'old', 'old', ['SCRAM-SHA-1']],
])('user %s with the password %j (%j) by %j', (name, password, isPrepared, mechanisms) => {
  it('logs in, as the official driver does, and gets the same answer', async () => {
    const { port, commands } = await serveMongo({ user: { name, password: isPrepared, mechanisms } });
    const login = `${encodeURIComponent(name)}:${encodeURIComponent(password)}`;
    const url = `mongodb://${login}@127.0.0.1:${port}/?authSource=admin`;
    const client = new MongoClient(url, { directConnection: true });
    const documents = await client.db('app').collection('users').find().limit(1).toArray();
    await client.close();
    commands.length = 0;

    const ours = await ask(url.replace('/?', '/app?'), '{"find":"users","limit":1}');
    expect(ours).toEqual({ text: JSON.stringify(documents), cut: false });
    expect(commands.slice(-4).map((command: Document) => Object.keys(command)[0])).toEqual([
      'isMaster',
      'saslStart',
      'saslContinue',
      'find',
    ]);
    expect(commands.at(-1)).toMatchObject({ $db: 'app', singleBatch: true });

    const wrong = { reason: 'query', message: REFUSED, reached: true };
    expect(await attempt(url.replace(login, `${encodeURIComponent(name)}:x`))).toMatchObject(wrong);
    expect(await attempt(url.replace(login, 'nobody:x'))).toMatchObject(wrong);
    expect(await attempt(url.replace(`${login}@`, ''))).toMatchObject({
      message: 'the user may not do this, or the server wants a login',
    });
  });
});

describe('the answer', () => {
  it('is judged', async () => {
    const { port } = await serveMongo();
    const url = `mongodb://127.0.0.1:${port}/app`;
    expect(await attempt(url)).toMatchObject({ outcome: 'good', reached: true, statusCode: null });
    expect(await ask(url, '{"ping":1}')).toEqual({ text: '{"ok":1}', cut: false });
    const query = '{"find":"users"}';
    expect(await ask(url, query)).toEqual({
      text: '[{"_id":1,"name":"grün"},{"_id":2,"big":1099511627776}]',
      cut: false,
    });
    expect(await ask(url, query, { maxBody: 10 })).toEqual({ text: '[{"_id":1,', cut: true });
    const judged = (expectJson: string) => attempt(url, { query, assertions: { expectJson } });
    expect(await judged('$count($) = 2')).toMatchObject({ outcome: 'good' });
    expect(await judged('$count($) = 3')).toMatchObject({ reason: 'json' });
  });

  it.each<[string, Document, string]>([
    [
      'a regular expression of PCRE',
      { a: new BSONRegExp('(?i)abc', 's') },
      '{"a":{"$regularExpression":{"pattern":"(?i)abc","options":"s"}}}',
    ],
    ['a text that is no UTF-8', { a: 'broken' }, '{"a":"\ufffdroken"}'],
    [
      'a field that means something to the library',
      { name: 'x', _bsontype: 'ObjectId' },
      '{"name":"x","_bsontype":"ObjectId"}',
    ],
  ])('with %s', async (_name, document, text) => {
    const { port } = await serveMongo({
      answers: () => ({ cursor: { firstBatch: [new Map(Object.entries(document))] }, ok: 1 }),
      meddle: (socket, nth, answer) => {
        const at = answer.indexOf('broken');
        if (at >= 0) answer[at] = 0xff;
        if (nth > 0) socket.write(answer);
        return nth > 0;
      },
    });
    const url = `mongodb://127.0.0.1:${port}`;
    expect(await ask(url, '{"find":"a"}')).toEqual({ text: `[${text}]`, cut: false });
    expect(await attempt(url, { query: '{"find":"a"}' })).toMatchObject({ outcome: 'good' });
  });

  it('longer than MAX_BODY is not read', async () => {
    const { port } = await serveMongo({ answers: () => ({ a: 'x'.repeat(100_000), ok: 1 }) });
    const url = `mongodb://127.0.0.1:${port}`;
    const tooLarge = 'answer too large: give QUERY a limit or a projection';
    expect(await ask(url, '{"a":1}', { maxBody: 50_000 })).toBe(tooLarge);
    expect(await attempt(url, { maxBody: 50_000 })).toMatchObject({ reason: 'too_large', message: tooLarge });
    expect(await attempt(url, { maxBody: 100_000 })).toMatchObject({ outcome: 'good' });
  });

  it('is parsed and written up to MAX_BODY only', async () => {
    const firstBatch = [...Array.from({ length: 100 }, () => ({ a: new MinKey() })), { broken: 1 }];
    const { port } = await serveMongo({
      answers: () => ({ cursor: { firstBatch }, ok: 1 }),
      meddle: (_socket, _nth, answer) => {
        const at = answer.indexOf('broken');
        // No value has this type.
        if (at >= 0) answer[at - 1] = 0x66;
        return false;
      },
    });
    const found = await ask(`mongodb://127.0.0.1:${port}`, '{"find":"a"}', { maxBody: 1_000 });
    const text = expect.stringMatching(/^\[{"a":{"\$minKey":1}},/) as string;
    expect(found).toMatchObject({ cut: true, text });
  });

  it.each<[Document, string, string]>([
    [{ ok: 0, code: 8000, errmsg: 'bad auth : canary' }, 'query', REFUSED],
    [
      { ok: 0, code: 8000, errmsg: 'canary' },
      'query',
      'Atlas refuses this: look at the limits of the cluster',
    ],
    [{ ok: 0, code: 26 }, 'query', 'the server does not have the collection of QUERY'],
    [{ ok: 0, code: 16500 }, 'connect', 'the server refuses more requests for now: its limit is reached'],
    [
      { ok: 0, errmsg: 'canary' },
      'query',
      'the server answered with an error: try QUERY in mongosh with db.runCommand',
    ],
    [{}, 'query', 'the server answered with an error: try QUERY in mongosh with db.runCommand'],
    [
      { ok: 1, writeErrors: [{ code: 1 }] },
      'query',
      'the server did not write: try QUERY in mongosh with db.runCommand',
    ],
  ])('%j: %s, %s', async (answer, reason, message) => {
    const { port } = await serveMongo({ answers: () => answer });
    expect(await attempt(`mongodb://127.0.0.1:${port}`)).toMatchObject({ reason, message, reached: true });
  });
});

describe('several hosts', () => {
  const refusing = (code: number): MongoOptions => ({ answers: () => ({ ok: 0, code }) });

  it('are asked in turn, and none that a server names', async () => {
    const hosts = ['elsewhere.test:27017'];
    const good = await serveMongo({ greeting: { hosts, primary: hosts[0], setName: 'rs' } });
    const more = (port: number) => ({ moreHosts: [`127.0.0.1:${port}`] });
    const refused = `mongodb://127.0.0.1:${await closedPort()}`;
    const before = dns.questions.length;
    expect(await attempt(refused, more(good.port))).toMatchObject({ outcome: 'good' });
    const silent = await serveTcp(() => undefined);
    const slow = { timeout: 3_000, ...more(good.port) };
    expect(await attempt(`mongodb://127.0.0.1:${silent.port}`, slow)).toMatchObject({ outcome: 'good' });
    for (const options of [refusing(10107), { greeting: { arbiterOnly: true } }]) {
      const { port } = await serveMongo(options);
      expect(await attempt(`mongodb://127.0.0.1:${port}`, more(good.port))).toMatchObject({
        outcome: 'good',
      });
    }
    const wrong = await serveMongo(refusing(18));
    expect(await attempt(`mongodb://127.0.0.1:${wrong.port}`, more(good.port))).toMatchObject({
      message: REFUSED,
    });
    expect(await attempt(refused, more(await closedPort()))).toMatchObject({ message: 'connection refused' });
    expect(dns.questions).toHaveLength(before);
  });

  it('come from SRV and TXT records, with TLS', async () => {
    const user = { name: 'bob', password: 'pw', mechanisms: both };
    const { port } = await serveMongo({ user, tls: pair });
    srv.good = {
      SRV: [
        { name: 'b.cluster.test', port: await closedPort() },
        { name: 'a.cluster.test', port },
      ],
    };
    const result = await attempt('mongodb+srv://bob:pw@db.cluster.test/app?retryWrites=true&w=majority');
    expect(result).toMatchObject({ outcome: 'good', tlsExpiresAt: pair.expiresAt });
    expect(await attempt('mongodb+srv://evil.cluster.test')).toMatchObject({
      reason: 'blocked',
      message: 'an SRV record leads out of the domain of the address',
    });
    expect(await attempt('mongodb+srv://none.cluster.test')).toMatchObject({
      reason: 'dns',
      message: 'name not found',
    });
  });
});

describe('TLS', () => {
  it('is used where the address says so', async () => {
    const { port } = await serveMongo({ tls: pair });
    const at = (host: string, options?: TargetOptions) =>
      attempt(`mongodb://${host}:${port}/?tls=true`, options);
    expect(await at('a.cluster.test')).toMatchObject({ outcome: 'good', tlsExpiresAt: pair.expiresAt });
    expect(await at('b.cluster.test')).toMatchObject({ reason: 'tls' });
    expect(await at('b.cluster.test', { tlsVerify: false })).toMatchObject({ outcome: 'good' });
    expect(await attempt(`mongodb://127.0.0.1:${port}`)).toMatchObject({ reason: 'reset' });
  });
});

describe('Atlas', () => {
  it.each<[string, string, () => Promise<number>, object]>([
    [
      'is paused',
      PAUSED,
      closedPort,
      {
        reason: 'dns',
        message: 'name not found: the Atlas cluster is paused or deleted, resume it in Atlas',
      },
    ],
    [
      'is paused, too',
      'host.x1.mongodb.net',
      closedPort,
      {
        reason: 'connect',
        message: 'connection refused: the Atlas cluster is paused or starting, look at Atlas',
      },
    ],
    [
      'does not know our address',
      'host.x1.mongodb.net',
      // A fatal alert: internal error.
      async () => (await serveRaw((socket) => socket.end(Buffer.from('15030300020250', 'hex')))).port,
      {
        reason: 'tls',
        message: 'Atlas refuses our address: add it to the IP access list (for Vercel, 0.0.0.0/0)',
      },
    ],
  ])('%s', async (_name, host, port, expected) => {
    expect(await attempt(`mongodb://u:p@${host}:${await port()}/?tls=true`)).toMatchObject(expected);
  });

  it('has no SRV record any more', async () => {
    expect(await attempt(`mongodb+srv://u:p@${PAUSED}`)).toMatchObject({
      message: 'name not found: the Atlas cluster is paused or deleted, resume it in Atlas',
    });
  });
});

describe('a server that is no good', () => {
  const bytes = (text: string) => async () => (await serveRaw((socket) => socket.write(text, 'latin1'))).port;
  const meddled = (meddle: MongoOptions['meddle'], user?: MongoOptions['user']) => async () =>
    (await serveMongo({ ...(user && { user }), ...(meddle && { meddle }) })).port;
  const user = { name: 'u', password: 'canary-pass', mechanisms: both };
  const at = (step: number, act: (socket: Socket, answer: Buffer) => void) =>
    meddled((socket, nth, answer) => {
      if (nth !== step) return false;
      act(socket, answer);
      return true;
    }, user);
  const slowly = async (socket: Socket, answer: Buffer) => {
    for (const byte of answer) {
      socket.write(Buffer.from([byte]));
      await turn();
    }
  };
  const changed = (place: number, byte: number) => (socket: Socket, answer: Buffer) => {
    answer[place] = byte;
    socket.write(answer);
  };

  it.each<[string, () => Promise<number>, object]>([
    [
      'speaks HTTP',
      async () => (await serveHttp((_q, response) => response.end())).port,
      { reason: 'protocol', message: NO_MONGO },
    ],
    ['sends garbage', bytes('\x00\x01garbage of all sorts'), { reason: 'protocol', message: NO_MONGO }],
    ['is silent', bytes(''), { reason: 'timeout' }],
    [
      'closes at once',
      at(0, (socket) => socket.end()),
      { reason: 'reset', message: 'connection closed: if the server wants TLS, add tls=true to the address' },
    ],
    ['hangs at the login', at(1, () => undefined), { reason: 'timeout' }],
    [
      'closes at the login',
      at(2, (socket) => socket.end()),
      { reason: 'reset', message: 'connection closed early' },
    ],
    ['resets at the command', at(3, (socket) => socket.resetAndDestroy()), { reason: 'reset' }],
    [
      'hangs in the answer',
      at(3, (socket, answer) => socket.write(answer.subarray(0, 20))),
      { reason: 'timeout' },
    ],
    ['answers byte by byte', at(3, (socket, answer) => void slowly(socket, answer)), { outcome: 'good' }],
    [
      'announces too much',
      at(3, changed(2, 0x20)),
      { reason: 'too_large', message: 'answer too large: give QUERY a limit or a projection' },
    ],
    ['announces nonsense', at(3, changed(3, 0x7f)), { reason: 'protocol', message: NO_MONGO }],
    ['answers another question', at(3, changed(8, 99)), { reason: 'protocol', message: NO_MONGO }],
    ['breaks the document', at(3, changed(25, 0x66)), { reason: 'protocol', message: NO_MONGO }],
    [
      'does not know the password itself',
      meddled((socket, nth, answer) => {
        const place = answer.indexOf('v=');
        if (nth !== 2 || place < 0) return false;
        changed(place + 3, 0x41 + (answer[place + 3] === 0x41 ? 1 : 0))(socket, answer);
        return true;
      }, user),
      { reason: 'protocol', message: 'the server does not log in as MongoDB does: check host and port' },
    ],
  ])('%s', async (_name, port, expected) => {
    const url = `mongodb://u:canary-pass@127.0.0.1:${await port()}/canary-db?authSource=admin`;
    const result = await attempt(url, { timeout: 1_000, query: '{"ping":"canary-query"}' });
    expect(result).toMatchObject(expected);
    expect(JSON.stringify(result)).not.toContain('canary');
  });
});

it('whatever the bytes, they are an answer or a ProbeFailure', () => {
  const whole = framed({ ok: 1, cursor: { firstBatch: [{ a: [1, 'x', null] }] } }, messageOf({ ping: 1 }, 1));
  const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(changes, fc.array(fc.nat(whole.length)), (edits, places) => {
      const bytes = Buffer.from(whole);
      for (const [place, byte] of edits) bytes[place] = byte;
      const ends = [...places, bytes.length].sort((a, b) => a - b);
      const reader = new MongoReader(1, 10_000);
      try {
        ends.forEach((end, index) => reader.read(bytes.subarray(ends[index - 1] ?? 0, end)));
        const [outcome, all] = [parse(pick(reader.document, new Set(['ok']))), parse(reader.document)];
        if (edits.length === 0) expect([outcome, all]).toMatchObject([{ ok: 1 }, { cursor: {} }]);
      } catch (error) {
        expect(error).toBeInstanceOf(ProbeFailure);
      }
    }),
    { numRuns: 500 },
  );
});
