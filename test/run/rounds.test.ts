import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { periodOf } from '../../lib/local/scheduler.js';
import { runRounds } from '../../lib/run/rounds.js';
import type { Check } from '../../lib/types.js';
import { VirtualClock } from '../support/clock.js';
import { configOf, GOOD, Pinger } from '../support/runs.js';
import { someTarget } from '../support/targets.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TICKS = [10, 30, 60, 120, 300, 600, 1800, 3600, 21_600, 86_400].map((seconds) => seconds * SECOND);
const INTERVALS = [10, 30, 60, 300, 450, 600, 1800, 3600, 21_600, 43_200].map((seconds) => seconds * SECOND);
const TIMEOUT = 10 * SECOND;
/** What a run keeps of its limit for recording and delivering. */
const RECORDING = 40 * SECOND;
/** No round begins so shortly before the next run. */
const MARGIN = 2 * SECOND;

/** When the rounds of a target begin that answers within its interval, from the contract's text. */
function roundsOf(interval: number, nextRunIn: number, limit: number): number[] {
  const last = Math.min(nextRunIn - MARGIN - 1, limit - RECORDING - TIMEOUT);
  return Array.from({ length: 1 + Math.max(0, Math.floor(last / interval)) }, (_, round) => round * interval);
}

async function lengthOf(tick: number, interval: number, limit: number, answersIn: number, nextRunIn = tick) {
  const config = configOf({
    KEEP_ALIVE_TICK: `${tick}ms`,
    KEEP_ALIVE_CONTROL_URLS: 'off',
    TARGET_A_URL: 'http://a.test/',
    TARGET_A_INTERVAL: `${interval}ms`,
  });
  const pinger = new Pinger(config, null);
  pinger.attempt = async () => {
    await pinger.clock.sleep(answersIn);
    return GOOD;
  };
  const { checked, durationMs, status } = await pinger.run({ nextRunIn, limit });
  expect(status).toBe('completed');
  return { checked, durationMs };
}

describe('a run lasts no longer than its checks, unless another round fits before the next run and the limit', () => {
  describe.each([
    ['Vercel Hobby', 300 * SECOND],
    ['Vercel Pro', 800 * SECOND],
  ])('%s', (name, limit) => {
    it.each([
      ['answers at once', 100],
      ['is slow', 7 * SECOND],
    ])('with a target that %s', async (_, answersIn) => {
      const table: string[] = [];
      for (const tick of TICKS) {
        const row: string[] = [];
        for (const interval of INTERVALS) {
          const { checked, durationMs } = await lengthOf(tick, interval, limit, answersIn);
          const rounds = roundsOf(interval, tick, limit);
          expect.soft([tick, interval, checked]).toEqual([tick, interval, rounds.length]);
          expect
            .soft([tick, interval, durationMs])
            .toEqual([tick, interval, (rounds.at(-1) ?? 0) + answersIn]);
          row.push(`${durationMs / SECOND}`);
        }
        table.push(`| ${words(tick)} | ${row.join(' | ')} |`);
      }
      if (answersIn < SECOND) {
        const head = `| ${name}: tick \\ interval | ${INTERVALS.map(words).join(' | ')} |`;
        console.log([head, `| --- |${' ---: |'.repeat(INTERVALS.length)}`, ...table].join('\n'));
      }
    });
  });

  it('whenever the next run comes really', async () => {
    for (const nextRunIn of [0, 45 * SECOND, 9 * MINUTE, 11 * MINUTE, 3 * HOUR]) {
      const rounds = roundsOf(MINUTE, nextRunIn, 300 * SECOND);
      const { durationMs } = await lengthOf(10 * MINUTE, MINUTE, 300 * SECOND, 100, nextRunIn);
      expect([nextRunIn, durationMs]).toEqual([nextRunIn, (rounds.at(-1) ?? 0) + 100]);
    }
  });

  it('on one machine, where runs come for each interval that rounds cannot keep', async () => {
    for (const kind of ['sqlite', 'upstash', 'redis'] as const) {
      for (const tick of TICKS) {
        for (const interval of INTERVALS) {
          const period = periodOf(kind, tick, [interval, 12 * HOUR]);
          expect(period).toBeLessThanOrEqual(tick);
          const { checked, durationMs } = await lengthOf(tick, interval, 300 * SECOND, 100, period);
          expect(durationMs).toBe((checked - 1) * interval + 100);
          // No gap between two pings is longer than the interval, or than the tick where that is longer.
          if (kind === 'sqlite' || interval >= MINUTE)
            expect([checked, period]).toEqual([1, Math.min(tick, interval)]);
          else expect(checked * interval).toBeGreaterThanOrEqual(Math.min(period, checked * interval));
          if (kind === 'sqlite') expect(durationMs).toBe(100);
        }
      }
    }
  });
});

describe('rounds of several targets', () => {
  interface Watched {
    readonly interval: number;
    readonly takes: number;
    readonly wakes: boolean;
  }
  interface Finished {
    readonly id: string;
    readonly begunAt: number;
    readonly at: number;
    recordedAt: number | null;
  }

  /** Makes the rounds of one run on a clock of their own. All times are ms since its beginning. */
  async function play(watched: readonly Watched[], nextRunIn: number, limit: number, recordEvery: number) {
    const clock = new VirtualClock(0);
    const finished: Finished[] = [];
    const recordedAt: number[] = [];
    const targets = watched.map(({ interval }, i) => {
      const target = someTarget('http://a.test/', { timeout: TIMEOUT });
      return { ...target, info: { ...target.info, id: `target-${i}`, interval } };
    });
    const never = new AbortController().signal;
    const { batches, unfinished } = await runRounds(targets, 0, {
      until: nextRunIn - MARGIN,
      deadline: limit - RECORDING,
      recordEvery,
      signal: never,
      stopping: never,
      check: async ({ info: { id } }, at, onWaking) => {
        const { takes, wakes } = watched[Number(id.slice('target-'.length))] ?? expect.unreachable();
        const begunAt = clock.now;
        if (wakes) onWaking();
        await clock.sleep(takes);
        finished.push({ id, begunAt, at: clock.now, recordedAt: null });
        return [{ at } as Check];
      },
      record: (batches) => {
        recordedAt.push(clock.now);
        for (const { at, checks } of batches) {
          for (const id of checks.keys()) {
            const one = finished.find(
              (each) => each.id === id && each.begunAt >= at && each.recordedAt === null,
            );
            if (one !== undefined) one.recordedAt = clock.now;
          }
        }
        return Promise.resolve();
      },
      now: () => clock.now,
      sleep: (ms, signal) => clock.sleep(ms, signal),
    });
    expect(unfinished).toBe(0);
    const left = batches.flatMap(({ checks }) => [...checks.keys()]);
    expect(left.sort()).toEqual(
      finished.flatMap(({ id, recordedAt }) => (recordedAt === null ? [id] : [])).sort(),
    );
    return { finished, recordedAt, endedAt: clock.now };
  }

  const watched = fc.record({
    interval: fc.constantFrom(...INTERVALS.slice(0, 6), 13 * SECOND, 25 * SECOND, 95 * SECOND),
    takes: fc.constantFrom(10, 300, 4000, 8000, 33 * SECOND, 95 * SECOND),
    wakes: fc.boolean(),
  });

  it('end in time, and what is finished is on record before a long wait', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(watched, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(...TICKS, 47 * SECOND, 100 * SECOND),
        fc.constantFrom(300 * SECOND, 800 * SECOND),
        async (all, nextRunIn, limit) => {
          const recordEvery = nextRunIn;
          const { finished, recordedAt, endedAt } = await play(all, nextRunIn, limit, recordEvery);

          // It ends with its last check, each of which began as a round that could.
          expect(endedAt).toBe(Math.max(...finished.map(({ at }) => at)));
          const late = Math.max(
            ...finished
              .filter(({ begunAt }) => begunAt < nextRunIn - MARGIN || begunAt === 0)
              .map(({ at }) => at),
          );
          for (const { id, begunAt } of finished) {
            if (begunAt === 0) continue;
            const { interval, takes } = all[Number(id.slice('target-'.length))] ?? expect.unreachable();
            if (begunAt >= nextRunIn - MARGIN) expect(takes).toBeLessThanOrEqual(interval);
            expect(begunAt).toBeLessThanOrEqual(Math.max(nextRunIn - MARGIN, late));
            expect(begunAt).toBeLessThanOrEqual(limit - RECORDING - TIMEOUT);
          }
          // No round is left out that could begin before the next run.
          for (const [i, { interval, takes }] of all.entries()) {
            const begun = finished.filter(({ id }) => id === `target-${i}`).map(({ begunAt }) => begunAt);
            const pace = Math.max(interval, takes);
            const last = Math.min(nextRunIn - MARGIN - 1, limit - RECORDING - TIMEOUT);
            const wanted = Array.from(
              { length: 1 + Math.max(0, Math.floor(last / pace)) },
              (_, k) => k * pace,
            );
            expect(begun.slice(0, wanted.length)).toEqual(wanted);
          }

          // The cost: one call, and one more for each `recordEvery`.
          expect(recordedAt.length).toBeLessThanOrEqual(1 + endedAt / recordEvery);
          // Nothing is kept back for longer than that, and 5 s for what is about to end.
          for (const { at, recordedAt } of finished) {
            expect((recordedAt ?? endedAt) - at).toBeLessThanOrEqual(recordEvery + 5 * SECOND);
          }
          // Before the first wait of more than 10 s there was a call, or 5 s into it where a check turns out to be slow.
          const events = finished.flatMap(({ begunAt, at }) => [begunAt, at]).sort((a, b) => a - b);
          const from = events.find((at, i) => (events[i + 1] ?? at) - at > 10 * SECOND) ?? endedAt;
          if (from < endedAt && finished.some(({ at }) => at <= from)) {
            expect(recordedAt[0]).toBeLessThanOrEqual(from + 5 * SECOND);
          }
        },
      ),
      { numRuns: 300 },
    );
  }, 120_000);
});

function words(ms: number): string {
  const [size, unit] = (
    [
      [DAY, 'd'],
      [HOUR, 'h'],
      [MINUTE, 'm'],
      [SECOND, 's'],
    ] as const
  ).find(([size]) => ms >= size) ?? [1, 'ms'];
  return `${ms / size}${unit}`;
}
