import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkInRun, checkTarget, retryDelay } from '../../lib/probe/check-target.js';
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

/** Makes a check on a clock that goes on while it sleeps, `now` ms after the first attempt of the check that is open. */
async function inRun(
  results: Attempt[],
  terms: { open?: boolean; now?: number; untilDown?: number; abortAfter?: number } = {},
) {
  const { open = false, now: startedAt = 0, untilDown = 3, abortAfter = Infinity } = terms;
  const controller = new AbortController();
  let now = startedAt;
  let made = 0;
  const checks = await checkInRun(someTarget('http://some.test/', { wakeTimeout: 90_000 }), {
    at: startedAt,
    signal: controller.signal,
    now: () => now,
    random: () => 0.5,
    sleep: (ms, signal) => {
      // The limit of the wait: it is not reached while an attempt is made.
      if (ms > 2_000) return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
      now += ms;
      return Promise.resolve();
    },
    prober: {
      attempt: () => {
        const result = results[made++] ?? results.at(-1) ?? failed;
        if (made >= abortAfter) controller.abort();
        return Promise.resolve(result);
      },
      close: () => Promise.resolve(),
    },
    failuresUntilDown: untilDown,
    longestWait: 20_000,
    open: open ? { since: 0, attempts: 10, lastAt: 18_000 } : null,
  });
  return checks.map(({ at, outcome, attempts, ...rest }) => ({
    ...{ at, outcome, attempts },
    ...('wakeMs' in rest && rest.coldStart ? { wakeMs: rest.wakeMs, wakeMsAtLeast: rest.wakeMsAtLeast } : {}),
    ...('lastAt' in rest ? { lastAt: rest.lastAt } : {}),
  }));
}

describe('a check of a host that may be waking, in a run that waits for 20 s', () => {
  const asleep = attempt({ outcome: 'failed', reason: 'status', message: 'status 503', statusCode: 503 });
  const times = <T>(count: number, value: T) => Array.from({ length: count }, () => value);

  test.each<[string, Attempt[], Parameters<typeof inRun>[1], object[]]>([
    [
      'ends as one that is waited for, if it wakes in time',
      [...times(9, asleep), good],
      {},
      [{ at: 0, outcome: 'good', attempts: 10, wakeMs: 18_000, wakeMsAtLeast: null }],
    ],
    [
      'stays open after that',
      times(50, asleep),
      {},
      [{ at: 0, outcome: 'waking', attempts: 10, lastAt: 18_000 }],
    ],
    [
      'is decided by the first good answer of the next run, which is a check of its own',
      [good],
      { open: true, now: 60_000 },
      [
        { at: 0, outcome: 'good', attempts: 11, wakeMs: 60_000, wakeMsAtLeast: 18_000 },
        { at: 60_000, outcome: 'good', attempts: 1 },
      ],
    ],
    [
      'is decided so where WAKE_TIMEOUT is over, since it may have woken before',
      [slow],
      { open: true, now: 120_000 },
      [
        { at: 0, outcome: 'good', attempts: 11, wakeMs: 120_000, wakeMsAtLeast: 18_000 },
        { at: 120_000, outcome: 'degraded', attempts: 1 },
      ],
    ],
    [
      'goes on in the next run, where the wake is seen',
      [asleep, asleep, good],
      { open: true, now: 60_000 },
      [{ at: 0, outcome: 'good', attempts: 13, wakeMs: 64_000, wakeMsAtLeast: null }],
    ],
    [
      'stays open once more',
      times(50, asleep),
      { open: true, now: 60_000 },
      [{ at: 0, outcome: 'waking', attempts: 20, lastAt: 78_000 }],
    ],
    [
      'has failed when WAKE_TIMEOUT ends in a run',
      times(50, asleep),
      { open: true, now: 80_000 },
      [{ at: 0, outcome: 'failed', attempts: 15 }],
    ],
    [
      'has failed when WAKE_TIMEOUT is over, and the next one begins',
      times(50, asleep),
      { open: true, now: 90_000 },
      [
        { at: 0, outcome: 'failed', attempts: 11 },
        { at: 90_000, outcome: 'waking', attempts: 10, lastAt: 108_000 },
      ],
    ],
    [
      'has failed, and with it the target is down',
      times(50, asleep),
      { open: true, now: 90_000, untilDown: 1 },
      [
        { at: 0, outcome: 'failed', attempts: 11 },
        { at: 90_000, outcome: 'failed', attempts: 1 },
      ],
    ],
    [
      'has failed with another one that shows no sleep',
      times(50, failed),
      { open: true, now: 90_000 },
      [
        { at: 0, outcome: 'failed', attempts: 11 },
        { at: 90_000, outcome: 'failed', attempts: 3 },
      ],
    ],
    [
      'is one attempt where the target is down',
      times(50, asleep),
      { untilDown: 0 },
      [{ at: 0, outcome: 'failed', attempts: 1 }],
    ],
    [
      'stays open where the run ends',
      times(50, asleep),
      { abortAfter: 3 },
      [{ at: 0, outcome: 'waking', attempts: 3, lastAt: 4_000 }],
    ],
    [
      'is none where the run ends at the first attempt',
      [cut],
      { open: true, now: 60_000, abortAfter: 1 },
      [],
    ],
  ])('%s', async (_, results, terms, expected) => {
    expect(await inRun(results, terms)).toEqual(expected);
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
