import { once } from 'node:events';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { createProber } from '../../lib/probe/probe.js';
import type { Attempt } from '../../lib/types.js';
import { cases } from '../support/cases.js';
import { createAuthority } from '../support/certificates.js';
import { runChild } from '../support/child.js';
import { someTarget } from '../support/targets.js';
import type { Measured, Pace, TimedServers } from '../support/timed-child.js';

/** Targets of one run of the law at most. */
const MOST = 60;
const never = new AbortController().signal;
const authority = createAuthority('Test CA');
const { key, cert } = authority.issue(['127.0.0.1']);

// In a process of its own: what makes ours busy must not hold up the servers, nor their clocks.
const child = runChild(new URL('../support/timed-child.ts', import.meta.url), [String(MOST), key, cert]);
const prober = createProber({ ca: [authority.ca] });
afterAll(async () => {
  child.kill();
  await prober.close();
});

/** Sets how the servers are from now on; resolves with their ports, and what they measured until now. */
async function servers(paces: readonly Pace[]): Promise<TimedServers> {
  child.send(paces);
  const [told] = (await once(child, 'message')) as [TimedServers];
  return told;
}

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

const PROTOCOLS = ['http', 'https', 'tcp', 'tls'] as const;

interface Timed {
  readonly attempt: Attempt;
  /** Around the attempt, as the test saw it, in ms. */
  readonly wall: number;
  readonly port: number;
}

async function timed(protocol: string, port: number): Promise<Timed> {
  const target = someTarget(`${protocol}://127.0.0.1:${port}`, {
    timeout: 30_000,
    assertions: { expectBody: protocol.startsWith('http') ? { kind: 'text', text: 'healthy' } : null },
  });
  const start = performance.now();
  const attempt = await prober.attempt(target, never);
  return { attempt, wall: performance.now() - start, port };
}

function expectTrue({ attempt, wall }: Timed, measured: Measured | undefined): void {
  const { outcome, message } = attempt;
  expect({ outcome, message }).toEqual({ outcome: 'good', message: null });
  const { dns, connect, tls, ttfb, total } = attempt.timings;
  const parts = [dns, connect, tls, ttfb].map((part) => part ?? 0);
  expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
  // Each is rounded to a tenth.
  expect(parts.reduce((sum, part) => sum + part)).toBeLessThanOrEqual(total + 0.3);
  expect(total).toBeLessThanOrEqual(wall + 0.1);
  const { handshake = 0, first = 0, last = 0 } = measured ?? {};
  expect(tls ?? 0).toBeGreaterThanOrEqual((handshake ?? 0) - 1);
  if (ttfb === null) return;
  expect(ttfb).toBeGreaterThanOrEqual((first ?? 0) - 1);
  expect(total - (tls ?? 0)).toBeGreaterThanOrEqual((last ?? 0) - 1);
}

test('a latency and its phases are never less than what the server took, and never more than the attempt', async () => {
  const delay = fc.oneof(fc.constant(0), fc.nat(40), fc.nat(300));
  const pace = fc.record({ handshake: delay, head: delay, body: delay });
  const targets = fc.array(fc.tuple(fc.constantFrom(...PROTOCOLS), pace), { minLength: 1, maxLength: MOST });
  const load = fc.record({
    every: fc.integer({ min: 1, max: 50 }),
    busy: fc.oneof(fc.constant(0), fc.nat(120)),
  });
  await fc.assert(
    fc.asyncProperty(targets, load, async (asked, { every, busy }) => {
      const { plain, secure } = await servers(asked.map(([, taken]) => taken));
      const timer = busy > 0 ? setInterval(() => block(busy), every) : undefined;
      const found = await Promise.all(
        asked.map(([protocol], i) => {
          const ports = protocol === 'https' || protocol === 'tls' ? secure : plain;
          return timed(protocol, ports[i] ?? 0);
        }),
      ).finally(() => clearInterval(timer));
      const measured = new Map((await servers([])).measured);
      for (const each of found) expectTrue(each, measured.get(each.port));
    }),
    { ...cases(25), examples: [[[['http', { handshake: 0, head: 500, body: 0 }]], { every: 50, busy: 0 }]] },
  );
});

const takes = (head: number): Pace => ({ handshake: 0, head, body: 0 });
const limited = (port: number, timeout: number) =>
  prober.attempt(someTarget(`http://127.0.0.1:${port}`, { timeout }), never);

test.each([
  ['while the answer comes', 50],
  ['before the request is sent', 0],
])('a target is not failed because our process is busy beyond its time limit: %s', async (_name, from) => {
  const { plain } = await servers([takes(100)]);
  const attempt = limited(plain[0] ?? 0, 1_000);
  // In an immediate: what is due among the timers comes next, before the event loop polls.
  if (from > 0) await new Promise((resolve) => setTimeout(() => setImmediate(resolve), from));
  block(2_000);
  expect(await attempt).toMatchObject({ outcome: 'good', message: null });
});

test('a target that hangs is failed at its time limit, and its total says so', async () => {
  const { plain } = await servers([takes(60_000)]);
  const start = performance.now();
  const { message, timings } = await limited(plain[0] ?? 0, 500);
  const wall = performance.now() - start;
  expect(message).toBe('timed out waiting for the answer');
  expect(timings.total).toBeGreaterThanOrEqual(500);
  expect(timings.total).toBeLessThanOrEqual(wall + 0.1);
});
