import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkTarget, retryDelay } from '../../lib/probe/check-target.js';
import type { Attempt } from '../../lib/types.js';
import { someTarget, type AttemptChanges, type TargetOptions } from '../support/targets.js';

const attempt = (options: AttemptChanges = {}): Attempt =>
  ({
    outcome: 'good',
    reason: null,
    message: null,
    statusCode: 200,
    timings: { dns: null, connect: 1, tls: null, ttfb: 2, total: 44.6 },
    tlsExpiresAt: null,
    origin: 'unknown',
    askFor: 0,
    word: null,
    reached: true,
    ...options,
  }) as Attempt;
const good = attempt();
const failed = attempt({ outcome: 'failed', reason: 'status', message: 'status 500', statusCode: 500 });
const unresolved = attempt({ outcome: 'failed', reason: 'dns', message: 'name not found', statusCode: null });
const slow = attempt({ outcome: 'degraded', message: 'slower than 10 ms' });
const cut = attempt({ outcome: 'failed', reason: 'timeout', message: 'cut short', interrupted: true });

/** Checks against attempts that end as told; `abortAfter` so many of them, the run is over. */
async function check(results: Attempt[], options: TargetOptions = {}, abortAfter = Infinity) {
  const controller = new AbortController();
  const delays: number[] = [];
  let made = 0;
  const result = await checkTarget(someTarget('http://some.test/', options), {
    at: 7,
    signal: controller.signal,
    now: () => 0,
    random: () => 0.5,
    sleep: (ms) => {
      delays.push(ms);
      return Promise.resolve();
    },
    prober: {
      attempt: () => {
        const result = results[made++] ?? failed;
        if (made >= abortAfter) controller.abort();
        return Promise.resolve(result);
      },
      close: () => Promise.resolve(),
    },
  });
  return { check: result, delays };
}

describe('a check', () => {
  test.each<[string, Attempt[], TargetOptions, object, number[]]>([
    ['good at once', [good], {}, { outcome: 'good', attempts: 1, latency: 45 }, []],
    [
      'degraded at once',
      [slow],
      {},
      { outcome: 'degraded', attempts: 1, latency: 45, message: 'slower than 10 ms' },
      [],
    ],
    [
      'good at the third attempt',
      [failed, failed, good],
      {},
      { outcome: 'good', attempts: 3, reason: null },
      [1_000, 2_000],
    ],
    [
      'failed in all',
      [failed, failed, failed, good],
      {},
      { outcome: 'failed', attempts: 3, latency: null, statusCode: 500 },
      [1_000, 2_000],
    ],
    ['failed without retries', [failed, good], { retries: 0 }, { outcome: 'failed', attempts: 1 }, []],
    [
      'unresolved without retries',
      [unresolved, good],
      { retries: 0 },
      { outcome: 'good', attempts: 2 },
      [1_000],
    ],
    [
      'unresolved twice',
      [unresolved, unresolved, good],
      { retries: 0 },
      { reason: 'dns', attempts: 2 },
      [1_000],
    ],
    [
      'unresolved, then failed',
      [unresolved, failed, good],
      { retries: 0 },
      { reason: 'status', attempts: 2 },
      [1_000],
    ],
  ])('%s', async (_name, results, options, expected, delays) => {
    const got = await check(results, options);
    expect(got.check).toMatchObject({ at: 7, coldStart: false, wakeMs: null, ...expected });
    expect(got.delays).toEqual(delays);
  });

  test('that is cut short at its first attempt is none', async () => {
    expect((await check([cut], {}, 1)).check).toBeNull();
  });

  test('is not tried again when the run is over', async () => {
    expect((await check([failed, good], {}, 1)).check).toMatchObject({ attempts: 1, reason: 'status' });
  });

  test('keeps the failure before the attempt that was cut short', async () => {
    expect((await check([failed, cut], {}, 2)).check).toMatchObject({ attempts: 1, reason: 'status' });
    expect((await check([failed, good], {}, 2)).check).toMatchObject({ attempts: 2, outcome: 'good' });
  });
});

test('the wait doubles, within a quarter, and is bounded', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 3_600_000 }),
      fc.integer({ min: 1, max: 50 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (base, attempts, random) => {
        const even = Math.min(base * 2 ** (attempts - 1), 30_000);
        const delay = retryDelay(base, attempts, random);
        expect(delay).toBeGreaterThanOrEqual(even * 0.75);
        expect(delay).toBeLessThanOrEqual(even * 1.25);
      },
    ),
  );
});
