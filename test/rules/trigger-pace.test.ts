import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseDue } from '../../lib/rules/due.js';
import {
  checkSpacing,
  INTERVALS_KEPT,
  isSlow,
  missedToTell,
  timeUntilDown,
  tooSlowFor,
  triggerPace,
  withInterval,
} from '../../lib/rules/trigger-pace.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const NOW = Date.UTC(2026, 0, 5, 12);

const times = (count: number, ...lengths: number[]): number[] =>
  Array.from({ length: count }, () => lengths).flat();

describe('the pace of the runs', () => {
  it.each<[string, number[], tick: number, actual: number | null, longest: number | null]>([
    ['no run', [], MINUTE, null, null],
    ['three intervals', [60, 60, 60], MINUTE, null, null],
    ['four intervals', [60, 61, 59, 60], MINUTE, 60_000, 61_000],
    ['a minute', times(20, 60), MINUTE, 60_000, 60_000],
    ['ten minutes, a minute expected', times(4, 600), MINUTE, 600_000, 600_000],
    ['a minute, ten minutes expected', times(9, 60), 10 * MINUTE, 60_000, 60_000],
    ['every trigger twice within seconds', times(8, 2, 58), MINUTE, 60_000, 60_000],
    ['every trigger four times within seconds', times(5, 1, 1, 2, 56), MINUTE, 60_000, 60_000],
    ['two triggers that are set for the same minute', times(6, 40, 1760), 30 * MINUTE, 1_800_000, 1_800_000],
    ['two triggers that alternate', times(6, 20, 40), MINUTE, 40_000, 40_000],
    ['one outage among many', [...times(8, 60), 7200, ...times(8, 60)], MINUTE, 60_000, 7_200_000],
    ['as many outages as intervals', [60, 600, 60, 600], MINUTE, 60_000, 600_000],
    ['six runs of another pace', [...times(14, 60), ...times(6, 600)], MINUTE, 600_000, 600_000],
    ['five runs of another pace', [...times(15, 60), ...times(5, 600)], MINUTE, 60_000, 600_000],
    ['once a day', times(4, 86_400), 24 * HOUR, 24 * HOUR, 24 * HOUR],
  ])('of %s', (_, intervals, tick, actual, longest) => {
    const alternating = intervals[0] === 20;
    const found = triggerPace({ intervals, lastAt: NOW }, tick, NOW + 1000);
    expect(found.expected).toBe(tick);
    expect(found.longest).toBe(longest);
    if (alternating) expect([20_000, 40_000]).toContain(found.actual);
    else expect(found.actual).toBe(actual);
  });

  it('is none once runs have stopped', () => {
    const runs = { intervals: times(9, 600), lastAt: NOW };
    expect(triggerPace(runs, MINUTE, NOW + 30 * MINUTE).actual).toBe(600_000);
    expect(triggerPace(runs, MINUTE, NOW + 30 * MINUTE + 1)).toEqual({
      expected: MINUTE,
      actual: null,
      longest: null,
    });
  });

  it('is slow where it exceeds the expected one by more than a tenth', () => {
    expect(isSlow({ expected: MINUTE, actual: 66_000 })).toBe(false);
    expect(isSlow({ expected: MINUTE, actual: 67_000 })).toBe(true);
    expect(isSlow({ expected: MINUTE, actual: null })).toBe(false);
  });

  it('is kept in a few numbers, whatever the clocks say', () => {
    expect(withInterval([], NOW, NOW + MINUTE)).toEqual([60]);
    expect(withInterval([60], NOW, NOW + 300)).toEqual([60]);
    expect(withInterval([], NOW, NOW + 61_400)).toEqual([60]);
    expect(withInterval([], NOW, NOW + 9_600)).toEqual([10]);
    expect(withInterval([], NOW, NOW + 1_190_000)).toEqual([1200]);
    expect(withInterval([60], NOW, NOW - HOUR)).toEqual([60]);
    expect(withInterval(times(INTERVALS_KEPT, 60), NOW, NOW + 90_000)).toEqual([
      ...times(INTERVALS_KEPT - 1, 60),
      90,
    ]);
  });
});

const calm = (pace: number, tick: number) => ({ pace, tick, lastRunMs: 0 });

describe('the time between two checks', () => {
  it.each([
    ['an interval that the runs keep', 5 * MINUTE, calm(MINUTE, MINUTE), 5 * MINUTE],
    ['runs that come more seldom', 5 * MINUTE, calm(10 * MINUTE, MINUTE), 10 * MINUTE],
    ['an interval between two runs', 450 * SECOND, calm(2 * MINUTE, 2 * MINUTE), 8 * MINUTE],
    ['a run that is near enough', 450 * SECOND, calm(5 * MINUTE, 5 * MINUTE), 5 * MINUTE],
    ['rounds', 10 * SECOND, calm(MINUTE, MINUTE), 10 * SECOND],
    ['rounds, and then nothing', 30 * SECOND, calm(10 * MINUTE, MINUTE), 570 * SECOND],
    ['rounds that a function has no time for', 5 * MINUTE, calm(10 * MINUTE, 10 * MINUTE), 10 * MINUTE],
    [
      'rounds while a run waits for another target',
      MINUTE,
      { pace: 2 * MINUTE, tick: MINUTE, lastRunMs: 95_000 },
      MINUTE,
    ],
  ])('with %s', (_, interval, at, expected) => {
    expect(checkSpacing(interval, at)).toBe(expected);
  });

  it('is what the choice of the due targets makes of it', () => {
    const lengths = fc.integer({ min: 1, max: 720 }).map((minutes) => minutes * MINUTE);
    fc.assert(
      fc.property(lengths, lengths, lengths, (interval, pace, tick) => {
        fc.pre(interval > Math.min(tick, 260 * SECOND));
        let at = 0;
        do at += pace;
        while (chooseDue([0], () => ({ lastCheckAt: 0, interval, settling: false }), tick, at).length === 0);
        expect(checkSpacing(interval, calm(pace, tick))).toBe(at);
      }),
    );
  });
});

const info = (id: string, interval: number, sleepsAfter: number | null = null, enabled = true) => ({
  id,
  interval,
  sleepsAfter,
  enabled,
});

it('the crons of vercel.json, at random minutes of their hours, are taken for late or slow once a year at most', () => {
  const tick = 30 * MINUTE;
  let random = 7;
  const chance = () => (random = (random * 16_807) % 2_147_483_647) / 2_147_483_647;
  const calls = Array.from({ length: 400 * 96 }, (_, quarter) => (quarter * 15 + chance() * 60) * MINUTE);
  const [firstRunAt = 0, ...later] = calls.sort((a, b) => a - b);
  let lastAt = firstRunAt;
  let intervals: readonly number[] = [];
  const told: unknown[] = [];
  for (const now of later) {
    const gap = now - lastAt > 2 * tick ? { from: lastAt, to: now } : null;
    told.push(...[missedToTell({ firstRunAt, lastAt, intervals, gaps: [] }, gap, tick, now) ?? []].flat());
    intervals = withInterval(intervals, lastAt, now);
    const pace = triggerPace({ intervals, lastAt: now }, tick, now);
    if (isSlow(pace)) told.push(pace);
    lastAt = now;
  }
  expect(told.length).toBeLessThanOrEqual(1);
});

describe('a pace', () => {
  it('is too slow for an interval, or to keep a host awake', () => {
    const targets = [
      info('slow', 5 * MINUTE),
      info('fine', 12 * HOUR),
      info('render', 450 * SECOND, 15 * MINUTE),
      info('koyeb', 30 * MINUTE, HOUR),
      info('paused', MINUTE, null, false),
      info('configured', HOUR, 30 * MINUTE),
    ];
    expect(tooSlowFor(targets, calm(20 * MINUTE, MINUTE))).toEqual({
      count: 2,
      targets: [
        { target: 'render', interval: 450_000, checkedEvery: 20 * MINUTE, sleepsAfter: 15 * MINUTE },
        { target: 'slow', interval: 300_000, checkedEvery: 20 * MINUTE, sleepsAfter: null },
      ],
    });
    expect(tooSlowFor(targets, calm(5 * MINUTE + 20 * SECOND, MINUTE)).count).toBe(0);
  });

  it('names the first ten', () => {
    const many = Array.from({ length: 500 }, (_, i) => info(`t${i}`, MINUTE));
    const found = tooSlowFor(many, calm(HOUR, MINUTE));
    expect([found.count, found.targets.length]).toEqual([500, 10]);
  });

  it.each([
    ['at the expected pace', 5 * MINUTE, 3, calm(MINUTE, MINUTE), 7 * MINUTE],
    ['at a tenth of it', 5 * MINUTE, 3, calm(10 * MINUTE, MINUTE), 30 * MINUTE],
    ['at the first failure', 5 * MINUTE, 1, calm(MINUTE, MINUTE), 5 * MINUTE],
    ['in rounds', 10 * SECOND, 3, calm(MINUTE, MINUTE), 30 * SECOND],
  ])('tells of an outage %s', (_, interval, threshold, at, expected) => {
    expect(timeUntilDown(interval, threshold, at)).toBe(expected);
  });
});

describe('missed runs', () => {
  const gap = (length: number, to = NOW) => ({ from: to - length, to });
  const before = (intervals: number[], gaps = [] as { from: number; to: number }[], earlier = 0) => {
    const lastAt = NOW - MINUTE;
    const known = intervals.reduce((sum, each) => sum + each * SECOND, 0);
    return { firstRunAt: lastAt - known - earlier, lastAt, intervals, gaps };
  };

  it.each([
    ['after runs that came in time', before([60, 60]), gap(HOUR), gap(HOUR)],
    ['by a state of an earlier version', before([], [], HOUR), gap(HOUR), gap(HOUR)],
    ['at the second run ever', before([]), gap(HOUR), null],
    ['at the second run ever, after more than an hour', before([]), gap(2 * HOUR), gap(2 * HOUR)],
    ['at the third run, as long as the one before', before([86_400]), gap(24 * HOUR), null],
    ['while no run ever came in time', before([3600, 3600]), gap(HOUR), null],
    ['at the usual pace', before(times(5, 600)), gap(10 * MINUTE), null],
    ['beyond the usual pace', before(times(5, 600)), gap(HOUR), gap(HOUR)],
    [
      'once the first run came in time',
      before([3600], [gap(HOUR, NOW - MINUTE)]),
      null,
      gap(HOUR, NOW - MINUTE),
    ],
    ['where none is missing', before([60, 60]), null, null],
  ])('are told of %s', (_, runs, missing, expected) => {
    expect(missedToTell(runs, missing, MINUTE, NOW)).toEqual(expected);
  });
});
