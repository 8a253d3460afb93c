import { describe, expect, inject, it } from 'vitest';
import { WINDOWS, windowStart } from '../../lib/read/load.js';
import { stats, targetHistory } from '../../lib/read/stats.js';
import { chooseDue } from '../../lib/rules/due.js';
import type { Check, Target } from '../../lib/types.js';
import { Books } from '../support/books.js';
import { aTarget, failedCheck, goodCheck } from '../support/targets.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TICK = 5 * MINUTE;
const START = Date.UTC(2026, 2, 1, 7, 30);

/** A reproducible stand-in for chance (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const NIGHT_OFF = { days: [1, 2, 3, 4, 5], fromMinute: 480, toMinute: 1200, timeZone: 'UTC' };
const SUNDAY = { days: [7], fromMinute: 120, toMinute: 300, timeZone: 'UTC' };
const targets: readonly Target[] = [
  aTarget('quick', { info: { interval: 5 * MINUTE, sleepsAfter: 15 * MINUTE } }),
  aTarget('slow', { info: { interval: 12 * HOUR } }),
  aTarget('office', { info: { interval: 30 * MINUTE }, activeHours: NIGHT_OFF }),
  aTarget('kept', {
    info: { interval: 10 * MINUTE },
    maintenance: [
      { kind: 'weekly', window: SUNDAY },
      { kind: 'once', from: START + 3 * DAY + 7 * HOUR, to: START + 3 * DAY + 9 * HOUR },
    ],
  }),
];

/** Written for the test from the text of the contract, minute by minute; shares nothing with the code. */
function isActive({ activeHours }: Target, minute: number): boolean {
  if (activeHours === null) return true;
  const weekday = new Date(minute).getUTCDay() || 7;
  const ofDay = (minute % DAY) / MINUTE;
  return (
    activeHours.days.includes(weekday) && ofDay >= activeHours.fromMinute && ofDay < activeHours.toMinute
  );
}

function inMaintenance({ maintenance }: Target, minute: number): boolean {
  return maintenance.some((window) =>
    window.kind === 'once'
      ? minute >= window.from && minute < window.to
      : new Date(minute).getUTCDay() === 0 && minute % DAY >= 2 * HOUR && minute % DAY < 5 * HOUR,
  );
}

interface Plain {
  expected: number;
  observed: number;
  good: number;
  pings: number;
  failures: number;
}

function plainFigures(target: Target, checks: readonly Check[], from: number, to: number): Plain {
  const plain = { expected: 0, observed: 0, good: 0, pings: 0, failures: 0 };
  let last: Check | undefined;
  let next = 0;
  for (let minute = START; minute < to; minute += MINUTE) {
    while ((checks[next]?.at ?? Infinity) <= minute) {
      last = checks[next];
      next += 1;
      if (last && last.at >= from && !inMaintenance(target, last.at)) {
        plain.pings += 1;
        if (last.outcome === 'failed') plain.failures += 1;
      }
    }
    if (minute < from || !isActive(target, minute) || inMaintenance(target, minute)) continue;
    plain.expected += MINUTE;
    // For its interval and a grace of one tick or one interval, whichever is shorter.
    const { interval } = target.info;
    if (!last || minute >= last.at + interval + Math.min(TICK, interval)) continue;
    plain.observed += MINUTE;
    if (last.outcome !== 'failed') plain.good += MINUTE;
  }
  return plain;
}

const ratio = (part: number, whole: number) => (whole === 0 ? null : Math.round((part / whole) * 1e6) / 1e6);

describe.each(inject('long') ? [[1], [2], [3]] : [[2]])(
  'figures against a plain computation, script %i',
  (seed) => {
    const random = chance(seed);
    const books = new Books(TICK, targets);
    const checks = new Map(targets.map(({ info }) => [info.id, [] as Check[]]));
    const awayFrom = START + Math.floor(random() * 60) * HOUR + 20 * HOUR;
    const awayFor = [0, 7 * HOUR, 60 * HOUR][seed - 1] ?? 0;
    let failing = false;
    let now = START;
    const end = START + 12 * DAY + 5 * HOUR + 25 * MINUTE;
    for (; now < end; now += TICK) {
      const missed = random() < 0.05 || (now > awayFrom && now < awayFrom + awayFor);
      if (now !== START && missed) continue;
      if (random() < 0.03) failing = !failing;
      const due = chooseDue(
        targets.filter((target) => isActive(target, now)),
        ({ info }) => ({
          lastCheckAt: checks.get(info.id)?.at(-1)?.at ?? null,
          interval: info.interval,
          settling: false,
        }),
        TICK,
        now,
      );
      books.run(
        now,
        due.map(({ info }) => {
          const latency = Math.round(20 + random() * 400);
          const check = failing && random() < 0.7 ? failedCheck(now) : goodCheck(now, { latency });
          checks.get(info.id)?.push(check);
          return [info.id, check] as const;
        }),
      );
    }
    const watch = { enabled: true, tick: TICK, targets };

    it.each([0, 4 * MINUTE, 47 * MINUTE, 26 * HOUR, 9 * DAY])(
      'holds for every target and window, read %i ms after the last run',
      async (later) => {
        const readAt = now + later;
        books.reads = 0;
        const found = stats(watch, await books.overview(readAt), readAt);
        expect(books.reads).toBeLessThanOrEqual(2);
        for (const target of targets) {
          const own = found.targets.find(({ id }) => id === target.info.id);
          const made = checks.get(target.info.id) ?? [];
          for (const window of WINDOWS) {
            const plain = plainFigures(target, made, windowStart(window, readAt), readAt);
            expect
              .soft(
                { uptime: own?.uptimeRatio[window], coverage: own?.coverage[window] },
                `${target.info.id} ${window}`,
              )
              .toEqual({
                uptime: ratio(plain.good, plain.observed),
                coverage: ratio(plain.observed, plain.expected),
              });
          }
          const all = plainFigures(target, made, START, readAt);
          expect([own?.pingCount, own?.failedPings]).toEqual([all.pings, all.failures]);
        }
      },
    );

    it('gives the percentiles of the last day within 5 %', async () => {
      const found = stats(watch, await books.overview(now), now);
      const latencies = (checks.get('quick') ?? [])
        .filter(({ at, latency }) => at >= windowStart('24h', now) && latency !== null)
        .map(({ latency }) => latency ?? 0)
        .sort((a, b) => a - b);
      const p95 = latencies[Math.ceil(0.95 * latencies.length) - 1] ?? 0;
      const own = found.targets.find(({ id }) => id === 'quick')?.latencyMs.p95 ?? Number.NaN;
      expect(Math.abs(own - p95)).toBeLessThanOrEqual(p95 * 0.05);
    });

    it('gives every hour and day its counts, uptime and downtime', async () => {
      for (const target of targets) {
        const history = await books.history(target.info.id, now);
        const { hours, days } = targetHistory(watch, target, history, now);
        const made = checks.get(target.info.id) ?? [];
        expect(hours.length).toBe(168);
        expect(days.length).toBe(13);
        for (const bucket of [...hours, ...days]) {
          const [from, to] = [Date.parse(bucket.from), Date.parse(bucket.to)];
          const plain = plainFigures(target, made, from, to);
          expect.soft(bucket, `${target.info.id} ${bucket.from}`).toMatchObject({
            pings: plain.pings,
            failures: plain.failures,
            downtimeMs: plain.observed - plain.good,
            uptimeRatio: ratio(plain.good, plain.observed),
            coverage: ratio(plain.observed, plain.expected),
          });
        }
      }
    });
  },
);
