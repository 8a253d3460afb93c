import { afterAll, describe, expect, test } from 'vitest';
import { createResolver } from '../../lib/probe/dns.js';
import { createProber } from '../../lib/probe/probe.js';
import { serveDns, type DnsReply } from '../support/dns.js';
import { hang, serveTcp } from '../support/servers.js';
import type { IpVersions } from '../../lib/types.js';
import { someTarget } from '../support/targets.js';

const never = new AbortController().signal;
const ADDRESS = '127.0.0.1';

async function attempt(
  zone: Record<string, DnsReply>,
  host: string,
  timeout = 10_000,
  ipVersion: IpVersions | null = null,
) {
  const server = await serveDns(zone);
  const { port } = await serveTcp(() => undefined);
  const prober = createProber({ servers: server.servers });
  const result = await prober.attempt(someTarget(`tcp://${host}:${port}`, { timeout, ipVersion }), never);
  await prober.close();
  return { result, questions: server.questions };
}

describe('a name', () => {
  test.each<[string, DnsReply, object, string[]]>([
    ['of IPv4', { A: [ADDRESS] }, { outcome: 'good' }, ['A']],
    ['whose first address refuses', { A: ['127.0.0.9', ADDRESS] }, { outcome: 'good' }, ['A']],
    ['of IPv6 only', { AAAA: ['::1'] }, { reason: 'connect' }, ['A', 'AAAA']],
    [
      'of both, where IPv4 refuses',
      { A: ['127.0.0.9'], AAAA: ['::ffff:127.0.0.1'] },
      { outcome: 'good' },
      ['A', 'AAAA'],
    ],
    ['that the server fails on', 'SERVFAIL', { reason: 'dns', message: 'name server failed' }, ['A']],
    ['that the server refuses', 'REFUSED', { reason: 'dns', message: 'name server refused' }, ['A']],
  ])('%s', async (_name, reply, expected, types) => {
    const { result, questions } = await attempt({ 'a.test': reply }, 'a.test');
    expect(result).toMatchObject(expected);
    expect([...new Set(questions)]).toEqual(types.map((type) => `${type} a.test`));
    expect(result.timings.dns === null).toBe(result.reason === 'dns');
  });

  const both = { A: [ADDRESS], AAAA: ['::1'] };
  const none = (version: string) => ({
    reason: 'dns',
    message: `there is no IPv${version} address, and IP_VERSION asks for one`,
  });
  test.each<[IpVersions, DnsReply, object]>([
    ['4', both, { outcome: 'good' }],
    ['6', both, { reason: 'connect' }],
    ['6,4', both, { reason: 'connect' }],
    ['4,6', both, { outcome: 'good' }],
    ['6,4', { A: [ADDRESS] }, { outcome: 'good' }],
    ['6', { A: [ADDRESS] }, none('6')],
    ['4', { AAAA: ['::1'] }, none('4')],
  ])('with IP_VERSION=%s', async (version, reply, expected) => {
    expect((await attempt({ 'a.test': reply }, 'a.test', 10_000, version)).result).toMatchObject(expected);
    const own = await attempt({}, ADDRESS, 10_000, version);
    expect(own.result).toMatchObject(version === '6' ? none('6') : { outcome: 'good' });
  });

  test('that nobody answers for meets the time limit', async () => {
    const { result } = await attempt({ 'a.test': 'silent' }, 'a.test', 300);
    expect(result).toMatchObject({ reason: 'timeout', message: 'timed out resolving' });
  });

  test('that does not exist', async () => {
    const { result } = await attempt({}, 'none.invalid');
    expect(result).toMatchObject({ reason: 'dns', message: 'name not found' });
  });

  test('of the hosts file is not asked of DNS', async () => {
    const { result, questions } = await attempt({}, 'localhost');
    expect(result).toMatchObject({ outcome: 'good' });
    expect(questions).toEqual([]);
  });

  test.each(['127.0.0.1', '[::ffff:127.0.0.1]'])('%s is an address', async (host) => {
    const { result, questions } = await attempt({}, host);
    expect(result).toMatchObject({ outcome: 'good', timings: { dns: null } });
    expect(questions).toEqual([]);
  });
});

describe('an address that hangs', () => {
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;

  test('lets the next one be tried, and is given up when that accepts', async () => {
    const server = await serveDns({ 'a.test': { A: ['127.0.0.7', ADDRESS] } });
    const { port } = await serveTcp((socket) => socket.destroy());
    await hang('127.0.0.7', port);
    const prober = createProber({ servers: server.servers });
    const before = sockets();
    const target = someTarget(`tcp://a.test:${port}`, { timeout: 15_000 });
    expect(await prober.attempt(target, never)).toMatchObject({ outcome: 'good' });
    await expect.poll(sockets, { timeout: 30_000 }).toBeLessThanOrEqual(before);
    await prober.close();
  });

  test('alone meets the time limit', async () => {
    const prober = createProber();
    const { port } = await serveTcp(() => undefined);
    await hang('127.0.0.6', port);
    const before = sockets();
    expect(
      await prober.attempt(someTarget(`tcp://127.0.0.6:${port}`, { timeout: 300 }), never),
    ).toMatchObject({
      reason: 'timeout',
      message: 'timed out connecting',
    });
    await expect.poll(sockets, { timeout: 30_000 }).toBeLessThanOrEqual(before);
    await prober.close();
  });
});

const clock = { pause: () => undefined, resume: () => undefined };

test('many names that nobody answers for do not hold up another', async () => {
  const silent = Array.from({ length: 200 }, (_, i) => `n${i}.test`);
  const zone = Object.fromEntries(silent.map((name) => [name, 'silent'] as const));
  const server = await serveDns({ ...zone, 'a.test': { A: [ADDRESS] } });
  const resolver = createResolver(server.servers);
  const givenUp = silent.map((name) => resolver.resolve(name, clock).catch(() => 'given up'));
  const found = resolver.resolve('a.test', clock);
  expect(await Promise.race([found, ...givenUp])).toMatchObject({ addresses: [ADDRESS] });
  resolver.close();
  await Promise.all(givenUp);
});

test('at most 200 questions are under way', async () => {
  const zone = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`n${i}.test`, { A: [ADDRESS] }]));
  const server = await serveDns(zone, 300);
  const resolver = createResolver(server.servers);
  afterAll(() => resolver.close());
  const found = await Promise.all(Object.keys(zone).map((name) => resolver.resolve(name, clock)));
  expect(found.every(({ addresses }) => addresses[0] === ADDRESS)).toBe(true);
  expect(server.mostAtOnce()).toBeGreaterThan(100);
  expect(server.mostAtOnce()).toBeLessThanOrEqual(200);
});
