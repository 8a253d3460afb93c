import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cadenceOf, cadenceWithin, callsADayOf } from '../../lib/rules/cadence.js';

const MINUTE = 60_000;

describe('the cron of a tick', () => {
  it.each([
    ['10s', 1 / 6, '* * * * *', 1, 1440],
    ['1m', 1, '* * * * *', 1, 1440],
    ['90s', 1.5, '* * * * *', 1, 1440],
    ['2m', 2, '*/2 * * * *', 2, 720],
    ['5m', 5, '*/5 * * * *', 5, 288],
    ['7m', 7, '*/6 * * * *', 6, 240],
    ['30m', 30, '*/30 * * * *', 30, 48],
    ['59m', 59, '*/30 * * * *', 30, 48],
    ['1h', 60, '0 * * * *', 60, 24],
    ['90m', 90, '0 * * * *', 60, 24],
    ['6h', 360, '0 */6 * * *', 360, 4],
    ['23h', 1380, '0 */12 * * *', 720, 2],
    ['1d', 1440, '0 0 * * *', 1440, 1],
  ])('%s', (_, minutes, cron, period, callsADay) => {
    expect(cadenceOf(minutes * MINUTE)).toEqual({ cron, period: period * MINUTE, callsADay });
  });

  it('is never slower than the tick, from a minute on, and costs what it says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10_000, max: 1440 * MINUTE }), (tick) => {
        const { period, callsADay } = cadenceOf(tick);
        expect(period).toBeLessThanOrEqual(Math.max(tick, MINUTE));
        expect(period * callsADay).toBe(1440 * MINUTE);
        expect(cadenceOf(period).period).toBe(period);
      }),
    );
  });
});

it.each([
  [1440, 1],
  [1000, 2],
  [720, 2],
  [719, 3],
  [1, 1440],
])('%d calls a day are enough for one every %d m', (calls, minutes) => {
  expect(cadenceWithin(calls).period).toBe(minutes * MINUTE);
});

describe('callsADayOf', () => {
  it.each([
    ['* * * * *', 1_440],
    ['*/2 * * * *', 720],
    ['*/7 * * * *', 9 * 24],
    ['0,30 8-17 * * 1-5', 20],
    ['5/20 0 1 * *', 3],
    ['10-30/10 */6 * * *', 12],
    ['CRON_TZ=Europe/Paris 0 0 * * *', 1],
    ['60 * * * *', null],
    ['*/0 * * * *', null],
    ['9-3 * * * *', null],
    ['@daily', null],
    ['', null],
  ])('%s', (cron, calls) => {
    expect(callsADayOf(cron)).toBe(calls);
  });

  it('is what cadences say of themselves', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_440 }), (minutes) => {
        const { cron, callsADay } = cadenceOf(minutes * MINUTE);
        expect(callsADayOf(cron)).toBe(callsADay);
      }),
    );
  });
});
