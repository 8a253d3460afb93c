import { describe, expect, it } from 'vitest';
import {
  coverage,
  extend,
  NOTHING,
  reachOf,
  successRate,
  unobservedTime,
  uptimeRatio,
} from '../../lib/rules/counters.js';

const always = (from: number, to: number) => [[from, to]] as const;
const good = { lastCheckAt: 0, lastOutcome: 'good' } as const;

describe('time weighed', () => {
  it.each([
    ['a good check speaks until the next', good, 90, { expected: 90, observed: 90, good: 90 }],
    ['for its reach at most', good, 250, { expected: 250, observed: 120, good: 120 }],
    [
      'a failed one counts as observed, not as good',
      { ...good, lastOutcome: 'failed' as const },
      90,
      { expected: 90, observed: 90, good: 0 },
    ],
    [
      'a degraded one is good',
      { ...good, lastOutcome: 'degraded' as const },
      90,
      { expected: 90, observed: 90, good: 90 },
    ],
    [
      'before the first check nothing is observed',
      { lastCheckAt: null, lastOutcome: null },
      90,
      { expected: 90, observed: 0, good: 0 },
    ],
    [
      'a check of a time to come, by a clock that was wrong, does not speak',
      { ...good, lastCheckAt: 1_000 },
      90,
      { expected: 90, observed: 0, good: 0 },
    ],
  ])('%s', (_, lastCheck, until, expected) => {
    expect(extend(NOTHING, { lastCheck, reach: 120, from: 0, to: until }, always)).toMatchObject(expected);
  });

  it('leaves out what does not count', () => {
    const night = (from: number, to: number) =>
      [
        [from, 50],
        [80, to],
      ] as const;
    expect(extend(NOTHING, { lastCheck: good, reach: 90, from: 0, to: 100 }, night)).toMatchObject({
      expected: 70,
      observed: 60,
      good: 60,
    });
  });

  it('takes nothing away where time goes backwards', () => {
    expect(extend(NOTHING, { lastCheck: good, reach: 90, from: 100, to: 40 }, always)).toBe(NOTHING);
  });
});

describe('what a check speaks for', () => {
  it.each([
    ['a tick shorter than the interval', 300, 60, 360],
    ['a tick as long as the interval', 300, 300, 600],
    ['a tick of a day', 300, 86_400, 600],
    ['an interval of half a day', 43_200, 60, 43_260],
  ])('%s', (_, interval, tick, expected) => {
    expect(reachOf(interval, tick)).toBe(expected);
  });

  it.each([
    ['within its reach', 0, 0, 100, 0],
    ['beyond its reach', 0, 0, 250, 130],
    ['long after it', 0, 200, 250, 50],
    ['never checked', null, 10, 60, 50],
  ])('leaves unobserved what is %s', (_, lastCheckAt, from, to, expected) => {
    const lastCheck = { lastCheckAt, lastOutcome: 'failed' } as const;
    expect(unobservedTime({ lastCheck, reach: 120, from, to })).toBe(expected);
  });
});

describe('ratios', () => {
  it('are null without data, never 100 %', () => {
    expect(uptimeRatio(NOTHING)).toBeNull();
    expect(coverage(NOTHING)).toBeNull();
    expect(successRate(0, 0)).toBeNull();
  });

  it('have the digits of the contract', () => {
    expect(successRate(1, 0)).toBe('100.0');
    expect(successRate(3, 1)).toBe('66.7');
    expect(successRate(3, 3)).toBe('0.0');
    expect(uptimeRatio({ ...NOTHING, observed: 3, good: 2 })).toBe(0.666667);
  });
});
