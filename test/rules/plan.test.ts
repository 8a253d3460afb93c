import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GITHUB_GAPS, outlook, runsAMonth, runTimes } from '../../lib/rules/plan.js';
import { checkSpacing, timeUntilDown } from '../../lib/rules/trigger-pace.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const CRONS = { kind: 'daily-crons', anHour: 4 } as const;
const every = (period: number) => ({ kind: 'every', period }) as const;

describe('the plan of a trigger that keeps its pace', () => {
  it('says what the rules of the runs come to', () => {
    const minutes = (most: number) => fc.integer({ min: 1, max: most }).map((count) => count * MINUTE);
    fc.assert(
      fc.property(minutes(30), minutes(120), fc.integer({ min: 1, max: 5 }), (pace, interval, threshold) => {
        const times = { pace, tick: pace, lastRunMs: 0 };
        const target = { interval, sleepsAfter: null, failureThreshold: threshold };
        const found = outlook(target, every(pace), { tick: pace });
        expect(found.longestGap).toBe(checkSpacing(interval, times));
        // Rounds that follow the first failure are not looked at one by one.
        const atMost = timeUntilDown(interval, threshold, times);
        if (interval < pace) expect(found.downAfterAtMost).toBeLessThanOrEqual(atMost);
        else expect(found.downAfterAtMost).toBe(atMost);
        expect(found.downAfter).toBeLessThan(found.downAfterAtMost);
      }),
    );
  });

  it.each([
    ['Railway, every 2 minutes', 10 * MINUTE, 5 * MINUTE, 2 * MINUTE, 0],
    ['Render, once a day', 15 * MINUTE, 7.5 * MINUTE, DAY, 30],
    ['Render, every 15 minutes', 15 * MINUTE, 7.5 * MINUTE, 15 * MINUTE, 2_880],
    ['Fly, every minute', 5 * MINUTE, 2.5 * MINUTE, MINUTE, 0],
  ])('counts how often a target sleeps: %s', (_, sleepsAfter, interval, period, sleeps) => {
    const target = { interval, sleepsAfter, failureThreshold: 3 };
    expect(outlook(target, every(period), { tick: period }).sleeps).toBe(sleeps);
  });
});

it('plans for a target whose rounds do not fill the time between runs', () => {
  // Checked at 0 and 3 minutes; the run at 4 finds it not due, the one at 8 checks it.
  const target = { interval: 3 * MINUTE, sleepsAfter: null, failureThreshold: 1 };
  expect(outlook(target, every(4 * MINUTE), { tick: 4 * MINUTE })).toMatchObject({ longestGap: 5 * MINUTE });
});

describe('the plan of daily crons', () => {
  it('has the gaps of 96 random minutes', () => {
    const times = runTimes(CRONS, MINUTE);
    expect(times).toHaveLength(runsAMonth(CRONS));
    const gaps = times
      .slice(1)
      .map((at, index) => at - (times[index] ?? 0))
      .sort((a, b) => a - b);
    const quantile = (share: number) => (gaps[Math.floor(share * gaps.length)] ?? 0) / MINUTE;
    expect(quantile(0.5)).toBeGreaterThanOrEqual(11);
    expect(quantile(0.5)).toBeLessThanOrEqual(13);
    expect(quantile(0.99)).toBeGreaterThan(45);
    expect(quantile(0.99)).toBeLessThan(56);
    expect(runTimes(CRONS, MINUTE)).toEqual(times);
  });

  it('keeps awake what sleeps after hours, and not what sleeps after minutes', () => {
    const sleeps = (sleepsAfter: number) =>
      outlook({ interval: sleepsAfter / 2, sleepsAfter, failureThreshold: 3 }, CRONS, { tick: 15 * MINUTE })
        .sleeps;
    expect(sleeps(48 * HOUR)).toBe(0);
    expect(sleeps(12 * HOUR)).toBe(0);
    expect(sleeps(15 * MINUTE)).toBeGreaterThan(500);
  });
});

describe('the plan of GitHub Actions', () => {
  const GITHUB = { kind: 'irregular', gaps: GITHUB_GAPS } as const;

  it('has the gaps that were measured', () => {
    const times = runTimes(GITHUB, MINUTE);
    // 65.5 runs a day were measured.
    expect(runsAMonth(GITHUB) / 30).toBeGreaterThan(64);
    expect(runsAMonth(GITHUB) / 30).toBeLessThan(67);
    expect(times.length / runsAMonth(GITHUB)).toBeGreaterThan(0.95);
    expect(times.length / runsAMonth(GITHUB)).toBeLessThan(1.05);
    const gaps = times
      .slice(1)
      .map((at, index) => at - (times[index] ?? 0))
      .sort((a, b) => a - b);
    for (const { share, gap } of GITHUB_GAPS) {
      const found = gaps[Math.min(gaps.length - 1, Math.floor(share * gaps.length))] ?? 0;
      expect(found / gap).toBeGreaterThan(0.9);
      expect(found / gap).toBeLessThan(1.15);
    }
    expect(runTimes(GITHUB, MINUTE)).toEqual(times);
  });

  it('keeps awake what sleeps after more than an hour', () => {
    const sleeps = (sleepsAfter: number) =>
      outlook({ interval: sleepsAfter / 2, sleepsAfter, failureThreshold: 3 }, GITHUB, { tick: 30 * MINUTE })
        .sleeps;
    expect(sleeps(12 * HOUR)).toBe(0);
    expect(sleeps(15 * MINUTE)).toBeGreaterThan(1_000);
    expect(sleeps(5 * MINUTE)).toBeGreaterThan(1_800);
  });
});

it('a plan of 10s rounds, and of one run only, is no failure', () => {
  const target = { interval: 10_000, sleepsAfter: null, failureThreshold: 3 };
  expect(outlook(target, every(MINUTE), { tick: MINUTE })).toMatchObject({
    longestGap: 10_000,
    downAfterAtMost: 30_000,
  });
  const rare = { interval: 365 * DAY, sleepsAfter: 400 * DAY, failureThreshold: 1 };
  expect(outlook(rare, every(MINUTE), { tick: MINUTE })).toEqual({
    awakeShare: 1,
    checksAMonth: 1,
    longestGap: 0,
    sleeps: 0,
    downAfter: 0,
    downAfterAtMost: 0,
  });
});
