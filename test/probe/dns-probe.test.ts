import { createSocket } from 'node:dgram';
import { createServer, type AddressInfo } from 'node:net';
import dnsPacket, { type DecodedPacket, type Packet } from 'dns-packet';
import fc from 'fast-check';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { createProber } from '../../lib/probe/probe.js';
import { serveDns } from '../support/dns.js';
import { serveDnsmasq } from '../support/dnsmasq.js';
import { closedPort } from '../support/servers.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

const never = new AbortController().signal;
const names = await serveDns({
  'ns.test': { A: ['127.0.0.1'] },
  'two.test': { A: ['127.0.0.9', '127.0.0.1'] },
});
const prober = createProber({ servers: names.servers });
afterAll(() => prober.close());
const attempt = (port: number, query: string, options: TargetOptions = {}, host = '127.0.0.1') =>
  prober.attempt(someTarget(`dns://${host}:${port}`, { query, ...options }), never);

const text = (wanted: string) => ({ assertions: { expectBody: { kind: 'text', text: wanted } } }) as const;
const json = (expectJson: string) => ({ assertions: { expectJson } });
const GOOD = { outcome: 'good', reached: true, statusCode: null, timings: { tls: null, connect: null } };

describe('a real name server', async () => {
  const long = Array.from({ length: 40 }, (_, i) => `--txt-record=long.test,${i} ${'x'.repeat(80)}`);
  const { port } = await serveDnsmasq([
    '--local=/test/',
    '--host-record=a.test,192.0.2.1,2001:db8::1',
    '--host-record=b.test,192.0.2.7',
    '--host-record=b.test,192.0.2.3',
    '--cname=www.test,a.test',
    '--mx-host=test,Mail.test,10',
    '--mx-host=test,backup.test,20',
    '--txt-record=test,v=spf1 -all',
    '--srv-host=_sip._tcp.test,sip.test,5060,1,2',
    '--ptr-record=1.2.0.192.in-addr.arpa,a.test',
    '--caa-record=test,0,issue,ca.example',
    '--naptr-record=test,1,2,u,E2U+sip,!^.*$!sip:x!,',
    ...long,
  ]);

  test.each<[string, TargetOptions, object]>([
    ['A a.test', {}, GOOD],
    ['a A.TEST.', text('["192.0.2.1"]'), GOOD],
    ['A b.test', text('["192.0.2.3","192.0.2.7"]'), GOOD],
    ['A b.test', json('"192.0.2.7" in $ and $count($) = 2'), GOOD],
    ['AAAA a.test', text('["2001:db8::1"]'), GOOD],
    ['CNAME www.test', text('["a.test"]'), GOOD],
    ['A www.test', text('192.0.2.1'), GOOD],
    ['MX test', text('["10 mail.test","20 backup.test"]'), GOOD],
    ['TXT test', text('["v=spf1 -all"]'), GOOD],
    ['SRV _sip._tcp.test', text('["1 2 5060 sip.test"]'), GOOD],
    ['PTR 1.2.0.192.in-addr.arpa', text('["a.test"]'), GOOD],
    ['CAA test', text('["0 issue ca.example"]'), GOOD],
    ['NAPTR test', text('["1 2 u E2U+sip !^.*$!sip:x! ."]'), GOOD],
    // Over 512 bytes: over TCP.
    ['TXT long.test', json('$count($) = 40'), GOOD],
    ['TXT long.test', { ...json('true'), maxBody: 100 }, { reason: 'too_large' }],
    ['A a.test', text('192.0.2.2'), { reason: 'body', message: 'expected text not found', reached: true }],
    ['A a.test', { assertions: { degradedJson: '$count($) = 1' } }, { outcome: 'degraded' }],
    ['A none.test', {}, { reason: 'query', message: 'the name does not exist (NXDOMAIN)', reached: true }],
    ['AAAA b.test', {}, { reason: 'query', message: 'the name has no record of this type' }],
    [
      'A example.com',
      {},
      {
        reason: 'query',
        message: 'the name server refuses (REFUSED): it does not serve this zone, or not to this client',
      },
    ],
  ])('%s %j', async (query, options, expected) => {
    expect(await attempt(port, query, options)).toMatchObject(expected);
  });

  test('is found by its name, and by its next address', async () => {
    const found = await attempt(port, 'A a.test', {}, 'ns.test');
    expect(found).toMatchObject({ outcome: 'good' });
    expect(found.timings.dns).not.toBeNull();
    expect(await attempt(port, 'A a.test', {}, 'two.test')).toMatchObject({ outcome: 'good' });
    expect(await attempt(port, 'A a.test', {}, 'none.test')).toMatchObject({
      reason: 'dns',
      message: 'name not found',
      reached: false,
    });
  });
});

type Reply = (query: DecodedPacket, nth: number, raw: Buffer) => readonly Buffer[];

/** A name server on UDP that says anything; over TCP, `overTcp`. */
async function serveReplies(reply: Reply, overTcp?: (query: DecodedPacket) => Buffer): Promise<number> {
  const tcp = createServer((socket) => {
    socket.on('error', () => undefined);
    if (overTcp === undefined) return;
    socket.on('data', (bytes) => void socket.write(overTcp(dnsPacket.decode(bytes.subarray(2)))));
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket('udp4');
  let nth = 0;
  udp.on('message', (raw, peer) => {
    for (const answer of reply(dnsPacket.decode(raw), nth++, raw)) udp.send(answer, peer.port, peer.address);
  });
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve));
  onTestFinished(() => {
    udp.close();
    tcp.close();
  });
  return port;
}

const answer = ({ id, questions }: DecodedPacket, changes: Packet = {}, rcode = 0): Buffer =>
  dnsPacket.encode({
    type: 'response',
    id: id ?? 0,
    flags: 0x180 + rcode,
    questions: questions ?? [],
    answers: rcode === 0 ? [{ type: 'A', name: 'a.test', ttl: 1, data: '192.0.2.1' }] : [],
    ...changes,
  });
const forged: Packet = { answers: [{ type: 'A', name: 'a.test', ttl: 1, data: '6.6.6.6' }] };

/** An answer whose record has a name that points at itself. */
function looped(query: DecodedPacket): Buffer {
  const head = answer(query, { answers: [] });
  head.writeUInt16BE(1, 6);
  return Buffer.concat([head, Buffer.from([0xc0, head.length, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4])]);
}

describe('a name server', () => {
  const silence = { reason: 'timeout', message: 'timed out waiting for the answer', reached: false };
  const noDns = {
    reason: 'protocol',
    message: 'what answers is no valid DNS: check the address and the port',
    reached: false,
  };
  const refused = (message: string) => ({ reason: 'query', message, reached: true });
  test.each<[string, Reply, object]>([
    ['that answers', (query) => [answer(query)], GOOD],
    ['whose first answer is lost', (query, nth) => (nth === 0 ? [] : [answer(query)]), GOOD],
    ['that says nothing', () => [], silence],
    ['with another id', (query) => [answer(query, { id: (query.id ?? 0) ^ 1 })], silence],
    [
      'beside one that guesses the id',
      (query) => [answer(query, { ...forged, id: (query.id ?? 0) ^ 1 }), answer(query)],
      GOOD,
    ],
    [
      'that answers another question',
      (query) => [answer(query, { ...forged, questions: [{ type: 'A', name: 'evil.test' }] })],
      silence,
    ],
    ['that sends nothing', () => [Buffer.alloc(0)], silence],
    ['that speaks something else', () => [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')], noDns],
    ['that breaks off', (query) => [answer(query).subarray(0, 33)], noDns],
    ['whose name points at itself', (query) => [looped(query)], noDns],
    ['that echoes', (_query, _nth, raw) => [raw], { outcome: 'failed', reason: 'query' }],
    [
      'that fails',
      (query) => [answer(query, {}, 2)],
      refused('the name server failed (SERVFAIL): it cannot reach the zone, or its DNSSEC is broken'),
    ],
    [
      'that cannot read',
      (query) => [answer(query, {}, 1)],
      refused('the name server cannot read the question (FORMERR)'),
    ],
    [
      'that will not',
      (query) => [answer(query, {}, 4)],
      refused('the name server does not answer such questions (NOTIMP)'),
    ],
    [
      'that has none',
      (query) => [answer(query, { answers: [] })],
      refused('the name has no record of this type'),
    ],
  ])('%s', async (_name, reply, expected) => {
    const options = { ...text('192.0.2.1'), timeout: 800 };
    expect(await attempt(await serveReplies(reply), 'A a.test', options)).toMatchObject(expected);
  });

  const truncated: Reply = (query) => [answer(query, { answers: [], flags: 0x380 })];
  const withLength = (bytes: Buffer) =>
    Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
  test.each<[string, ((query: DecodedPacket) => Buffer) | undefined, object]>([
    ['answers', (query) => withLength(answer(query)), GOOD],
    ['says nothing', undefined, silence],
    [
      'announces more than it sends',
      (query) => Buffer.concat([Buffer.from([0xff, 0xff]), answer(query)]),
      silence,
    ],
    ['sends garbage', () => withLength(Buffer.alloc(300, 7)), { outcome: 'failed' }],
  ])('that truncates, and over TCP %s', async (_name, overTcp, expected) => {
    const options = { ...text('192.0.2.1'), timeout: 1_600 };
    expect(await attempt(await serveReplies(truncated, overTcp), 'A a.test', options)).toMatchObject(
      expected,
    );
  });

  test('that is not there', async () => {
    expect(await attempt(await closedPort(), 'A a.test')).toMatchObject({
      reason: 'connect',
      message: 'no name server can be reached there: check the address and the port',
    });
  });

  test('may send any bytes', async () => {
    let bytes: Uint8Array = new Uint8Array();
    const port = await serveReplies((_query, _nth, raw) => [Buffer.concat([raw.subarray(0, 2), bytes])]);
    const head = fc.constant(
      Uint8Array.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 1, 97, 4, 116, 101, 115, 116, 0, 0, 1, 0, 1]),
    );
    const any = fc.uint8Array({ maxLength: 64 });
    const pieces = fc.tuple(fc.oneof(head, any), any).map(([a, b]) => Buffer.concat([a, b]));
    await fc.assert(
      fc.asyncProperty(pieces, async (sent) => {
        bytes = sent;
        const result = await attempt(port, 'A a.test', { timeout: 100, ...text('s3cr3t') });
        expect(result.outcome).toBe('failed');
        expect(result.message?.length).toBeLessThanOrEqual(120);
      }),
      { numRuns: 100 },
    );
  });
});

test('an attempt that is cut short asks no more', async () => {
  let asked = 0;
  const port = await serveReplies(() => {
    asked++;
    return [];
  });
  const controller = new AbortController();
  // The first wait is 100 ms.
  const target = someTarget(`dns://127.0.0.1:${port}`, { query: 'A a.test', timeout: 800 });
  const running = prober.attempt(target, controller.signal);
  await expect.poll(() => asked).toBe(1);
  controller.abort();
  expect(await running).toMatchObject({ interrupted: true });
  const before = asked;
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(asked).toBe(before);
});

test('the answer to the first question counts when it comes after further ones', async () => {
  const server = createSocket('udp4');
  const questions: { readonly raw: Buffer; readonly port: number }[] = [];
  server.on('message', (raw, { port }) => {
    questions.push({ raw, port });
    const [first] = questions;
    if (questions.length !== 3 || first === undefined) return;
    server.send(answer(dnsPacket.decode(first.raw)), first.port, '127.0.0.1');
  });
  await new Promise<void>((done) => server.bind(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  expect(await attempt(server.address().port, 'A a.test', { timeout: 2_000 })).toMatchObject(GOOD);
});
