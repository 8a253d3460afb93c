import { describe, expect, test } from 'vitest';
import { serveDns, type DnsReply } from '../support/dns.js';
import { runApart } from '../support/run-apart.js';
import { serveHttp } from '../support/servers.js';

const BASE = { KEEP_ALIVE_RETRIES: '0', KEEP_ALIVE_CONTROL_URLS: 'off' };

const answerAfter = (ms: number) =>
  serveHttp((_request, response) => void setTimeout(() => response.end('ok'), ms), '0.0.0.0');
const { port: quick } = await answerAfter(20);
const { port: slow } = await answerAfter(300);

const urls = (hosts: readonly string[], port = quick) =>
  Object.fromEntries(hosts.map((host, i) => [`TARGET_T${i}_URL`, `http://${host}:${port}/`]));
const namesOf = (count: number) => Array.from({ length: count }, (_, i) => `n${i}.test`);
const zoneOf = (
  names: readonly string[],
  replyTo = (i: number): DnsReply => ({ A: [`127.2.0.${1 + (i % 250)}`] }),
) => Object.fromEntries(names.map((name, i) => [name, replyTo(i)]));
const failures = ({ report }: Awaited<ReturnType<typeof runApart>>) =>
  report.results
    .filter(({ ok }) => !ok)
    .map(({ id, message }) => `${id}: ${message ?? ''}`)
    .sort();

describe('two thousand targets under 1,024 descriptors', () => {
  const hosts = Array.from({ length: 2_000 }, (_, i) => `127.1.${Math.floor(i / 200)}.${1 + (i % 200)}`);

  test.each([
    ['as many at once as by default', {}, 300],
    ['500 at once', { KEEP_ALIVE_CONCURRENCY: '500' }, 700],
  ])('%s: all are good, with descriptors to spare', async (_name, options, most) => {
    const outcome = await runApart(
      { env: { ...BASE, ...urls(hosts, slow), ...options } },
      { openFiles: 1_024 },
    );
    expect(failures(outcome)).toEqual([]);
    expect(outcome.report).toMatchObject({ checked: 2_000, succeeded: 2_000 });
    expect(outcome.mostOpen).toBeLessThan(most);
    expect(outcome.leftOpen).toEqual([]);
    expect(outcome.ended).toEqual([0, null]);
  });
});

describe('names that are slow to be answered', () => {
  test.each([
    ['500 at 200 ms', 500, 200, { KEEP_ALIVE_CONCURRENCY: '500', KEEP_ALIVE_TIMEOUT: '5s' }],
    ['1,000 at 20 ms', 1_000, 20, { KEEP_ALIVE_TIMEOUT: '5s' }],
  ])('%s, a tenth of the first questions lost: all are good', async (_name, count, delay, options) => {
    const names = namesOf(count);
    const lost = new Set(names.filter((_host, i) => i % 10 === 0));
    const { servers } = await serveDns(zoneOf(names), delay, lost);
    const outcome = await runApart({ env: { ...BASE, ...urls(names), ...options }, servers });
    expect(failures(outcome)).toEqual([]);
    expect(outcome.report).toMatchObject({ checked: count, succeeded: count });
    // One after the other they would take 100 s and 20 s.
    expect(outcome.report.durationMs).toBeLessThan(15_000);
  });

  test('none is late because others wait with it for their turn to ask', async () => {
    const names = namesOf(500);
    const { servers } = await serveDns(zoneOf(names), 600);
    const options = { KEEP_ALIVE_CONCURRENCY: '500', KEEP_ALIVE_TIMEOUT: '1500ms' };
    const outcome = await runApart({ env: { ...BASE, ...urls(names), ...options }, servers });
    expect(failures(outcome)).toEqual([]);
    // Asked in three turns of 200, the last would have waited 1,200 ms for theirs.
    for (const { latency } of outcome.report.results) expect(latency).toBeLessThan(1_500);
  });
});

describe('half of the names that nobody answers for', () => {
  const names = namesOf(500);
  const zone = zoneOf(names, (i) => (i % 2 === 0 ? 'silent' : { A: ['127.2.0.1'] }));
  const silent = names.flatMap((_host, i) => (i % 2 === 0 ? [`t${i}`] : []));

  test.each([
    ['in the time that the questions take', '10s', 'name server did not answer'],
    ['in less', '2s', 'timed out resolving'],
  ])('%s: they fail, and no other', async (_name, timeout, message) => {
    const { servers } = await serveDns(zone);
    const options = { KEEP_ALIVE_CONCURRENCY: '500', KEEP_ALIVE_TIMEOUT: timeout };
    const outcome = await runApart({ env: { ...BASE, ...urls(names), ...options }, servers });
    expect(failures(outcome)).toEqual(silent.map((id) => `${id}: ${message}`).sort());
    expect(outcome.warnings).toEqual([]);
    expect(outcome.ended).toEqual([0, null]);
  });
});
