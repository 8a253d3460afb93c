import { afterAll, expect, it } from 'vitest';
import { parseConfig } from '../../lib/config/config.js';
import { checkTarget } from '../../lib/probe/check-target.js';
import { createProber } from '../../lib/probe/probe.js';
import { HOSTS } from '../../lib/rules/hosts.js';
import type { Check, Target } from '../../lib/types.js';
import { createAuthority } from '../support/certificates.js';
import { serveDns } from '../support/dns.js';
import { serveMongo } from '../support/mongo.js';
import { startPostgres } from '../support/postgres.js';
import { closedPort } from '../support/servers.js';

const authority = createAuthority('Test CA');
const pair = authority.issue(['a.cluster.test', '127.0.0.1']);
const server = await startPostgres(pair, "CREATE ROLE scram LOGIN PASSWORD 'secret'");
const mongo = await serveMongo({ tls: pair });
const dns = await serveDns({
  'cluster.test': { A: ['127.0.0.1'] },
  '_mongodb._tcp.cluster.test': { SRV: [{ name: 'a.cluster.test', port: mongo.port }] },
  'a.cluster.test': { A: ['127.0.0.1'] },
});
const prober = createProber({ ca: [authority.ca], servers: dns.servers });
afterAll(async () => {
  await prober.close();
  await server.stop();
});

const POSTGRES = `postgres://scram:secret@127.0.0.1:${server.port}/postgres`;
const SRV = 'mongodb+srv://cluster.test/';

/** A target as its variables configure it. */
function target(url: string, host: string): Target {
  const result = parseConfig({ TARGET_DB_URL: url, TARGET_DB_HOST: host, TARGET_DB_RETRY_DELAY: '0' });
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join());
  return result.config.targets[0] ?? expect.unreachable();
}

let waits = 0;
async function check(of: Target): Promise<Check> {
  const found = await checkTarget(of, {
    ...{ at: 0, prober, signal: new AbortController().signal, now: Date.now, random: () => 0.5 },
    sleep: () => {
      waits += 1;
      return Promise.resolve();
    },
  });
  return found ?? expect.unreachable();
}

it.each([
  ['supabase', POSTGRES],
  ['aiven', POSTGRES],
  ['neon', POSTGRES],
  ['atlas', `mongodb://127.0.0.1:${mongo.port}/?tls=true`],
  ['atlas', SRV],
  ['aiven', `mongodb://127.0.0.1:${mongo.port}/?tls=true`],
])('%s: the answer to a query is the database’s own (%s)', async (host, url) => {
  const found = await check(target(url, host));
  expect(found).toMatchObject({ outcome: 'good', origin: 'container', reached: true, attempts: 1 });
});

it.each(['supabase', 'aiven', 'neon'])('%s: one that lets nobody in has answered no query', async (host) => {
  const found = await check(target(POSTGRES.replace('secret', 'wrong'), host));
  expect(found).toMatchObject({ outcome: 'failed', reason: 'query', origin: null, reached: false });
});

it.each([
  ['supabase', 'postgres://u:p@127.0.0.1'],
  ['aiven', 'postgres://u:p@127.0.0.1'],
  ['atlas', 'mongodb://127.0.0.1'],
])('%s: nobody waits for one that is paused, since no request wakes it (%s)', async (host, address) => {
  const paused = target(`${address}:${await closedPort()}/x`, host);
  expect([paused.wakeTimeout, paused.info.sleepsAfter]).toEqual([0, HOSTS[paused.info.host].sleepsAfter]);
  waits = 0;
  expect(await check(paused)).toMatchObject({ outcome: 'failed', coldStart: false, origin: null });
  expect(waits).toBe(paused.retries);
});

it.each([
  ['supabase', 'postgres://u:p@gone.test/x', 'a paused Supabase project loses its name'],
  ['aiven', 'postgres://u:p@gone.test/x', 'a powered-off Aiven service may lose its name'],
  ['atlas', 'mongodb://gone.test/', 'look whether the Atlas cluster is paused or deleted'],
  ['aura', 'https://gone.test/', 'a paused Aura instance loses its name'],
])('%s: a name that is gone says what it may mean (%s)', async (host, url, message) => {
  const found = await check(target(url, host));
  expect(found).toMatchObject({ outcome: 'failed', reason: 'dns', origin: null, reached: false });
  expect(found.message).toContain(message);
});
