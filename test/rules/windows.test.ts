import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import {
  activeIntervals,
  countedIntervals,
  countedTime,
  duration,
  inMaintenance,
  isActive,
  maintenanceEnd,
  maintenanceIntervals,
} from '../../lib/rules/windows.js';
import type { MaintenanceWindow, WeeklyWindow } from '../../lib/types.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];

const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
const weekly = (times: string, timeZone = 'UTC', days = EVERY_DAY): WeeklyWindow => ({
  days,
  fromMinute: minutes(times.slice(0, 5)),
  toMinute: minutes(times.slice(6)),
  timeZone,
});
const at = (text: string) => Date.parse(text);
const once = (from: string, to: string): MaintenanceWindow => ({ kind: 'once', from: at(from), to: at(to) });
const localDay = (date: string, timeZone: string): [number, number] => {
  const day = Temporal.PlainDate.from(date);
  return [
    day.toZonedDateTime(timeZone).epochMilliseconds,
    day.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds,
  ];
};

describe('a weekly window over one local day', () => {
  const [spring, autumn, plain] = ['2026-03-29', '2026-10-25', '2026-06-10'];
  it.each([
    [plain, '08:00-20:00', 12],
    [spring, '08:00-20:00', 12],
    [autumn, '08:00-20:00', 12],
    [spring, '02:00-03:00', 0],
    [spring, '02:30-03:30', 0.5],
    [spring, '01:00-04:00', 2],
    [autumn, '01:00-03:00', 3],
    [autumn, '02:00-03:00', 2],
    [plain, '00:00-24:00', 24],
    [spring, '00:00-24:00', 23],
    [autumn, '00:00-24:00', 25],
    [plain, '00:00-00:00', 24],
    [plain, '22:00-06:00', 8],
    [spring, '22:00-06:00', 7],
    [autumn, '22:00-06:00', 9],
    [plain, '12:00-12:00', 24],
  ])('on %s in Paris, %s lasts %d hours', (date, times, hours) => {
    const intervals = activeIntervals(weekly(times, 'Europe/Paris'), ...localDay(date, 'Europe/Paris'));
    expect(duration(intervals)).toBe(hours * HOUR);
  });

  it('comes twice where the clock does', () => {
    expect(
      activeIntervals(weekly('02:30-03:00', 'Europe/Paris'), ...localDay('2026-10-25', 'Europe/Paris')),
    ).toEqual([
      [at('2026-10-25T00:30Z'), at('2026-10-25T01:00Z')],
      [at('2026-10-25T01:30Z'), at('2026-10-25T02:00Z')],
    ]);
  });
});

describe('weekdays', () => {
  const night = weekly('22:00-06:00', 'UTC', [5]);
  it.each([
    ['2026-11-20T21:59:59.999Z', false],
    ['2026-11-20T22:00Z', true],
    ['2026-11-21T05:59:59.999Z', true],
    ['2026-11-21T06:00Z', false],
    ['2026-11-21T23:00Z', false],
    ['2026-11-20T05:00Z', false],
  ])('a window that begins on Friday night and spans midnight: %s is %s', (text, inside) => {
    expect(isActive(night, at(text))).toBe(inside);
  });

  it('are those of the window, not of UTC', () => {
    const saturday = weekly('00:00-01:00', 'Asia/Tokyo', [6]);
    expect(isActive(saturday, at('2026-11-20T15:30Z'))).toBe(true);
    expect(isActive(saturday, at('2026-11-21T00:30Z'))).toBe(false);
  });

  it('hold before 1970', () => {
    expect(isActive(weekly('00:00-24:00', 'UTC', [3]), -1)).toBe(true);
    expect(isActive(weekly('00:00-24:00', 'UTC', [4]), -1)).toBe(false);
  });
});

it('windows that touch are one interval', () => {
  expect(activeIntervals(weekly('00:00-24:00', 'Europe/Paris'), 0, 30 * DAY)).toEqual([[0, 30 * DAY]]);
});

describe('maintenance', () => {
  const windows = [
    once('2026-12-01T02:00Z', '2026-12-01T04:00Z'),
    once('2026-12-01T03:00Z', '2026-12-01T05:00Z'),
    { kind: 'weekly', window: weekly('04:30-06:00', 'UTC', [2]) } as const,
  ];
  it('counts what several windows share once', () => {
    const range = [at('2026-12-01T00:00Z'), at('2026-12-02T00:00Z')] as const;
    expect(maintenanceIntervals(windows, ...range)).toEqual([
      [at('2026-12-01T02:00Z'), at('2026-12-01T06:00Z')],
    ]);
    expect(countedTime({ activeHours: null, maintenance: windows }, ...range)).toBe(20 * HOUR);
  });
  it('begins at its first and ends before its last instant', () => {
    const [window] = windows;
    const only = window === undefined ? [] : [window];
    expect(
      ['01:59:59.999', '02:00', '03:59:59.999', '04:00'].map((time) =>
        inMaintenance(only, at(`2026-12-01T${time}Z`)),
      ),
    ).toEqual([false, true, true, false]);
  });
});

describe('the end of a maintenance', () => {
  const at12 = at('2026-11-20T12:00Z');
  const saturday = { kind: 'weekly', window: weekly('00:00-04:00', 'UTC', [6]) } as const;
  const always = { kind: 'weekly', window: weekly('00:00-24:00') } as const;
  it.each([
    ['none', [], null],
    ['one to come', [once('2026-11-20T12:01Z', '2026-11-20T13:00Z')], null],
    ['one that has just ended', [once('2026-11-20T11:00Z', '2026-11-20T12:00Z')], null],
    ['one that has just begun', [once('2026-11-20T12:00Z', '2026-11-20T13:00Z')], '2026-11-20T13:00Z'],
    [
      'one that the next one follows without a gap',
      [once('2026-11-20T11:00Z', '2026-11-21T00:00Z'), saturday],
      '2026-11-21T04:00Z',
    ],
    [
      'one that the next one follows after a gap',
      [once('2026-11-20T11:00Z', '2026-11-20T23:59Z'), saturday],
      '2026-11-20T23:59Z',
    ],
    ['one of years', [once('2026-01-01T00:00Z', '2030-01-01T00:00Z'), saturday], '2030-01-01T00:00Z'],
    [
      'one that begins beyond all horizons does not matter',
      [always, once('2029-01-01T00:00Z', '2030-01-01T00:00Z')],
      '2026-11-28T12:00Z',
    ],
    ['one without an end is told for eight days', [always], '2026-11-28T12:00Z'],
  ])('%s', (_, windows, end) => {
    expect(maintenanceEnd(windows, at12)).toBe(end === null ? null : at(end));
  });
});

describe('counted time', () => {
  const schedule = {
    activeHours: weekly('08:00-20:00', 'Europe/Paris', [1, 2, 3, 4, 5]),
    maintenance: [
      once('2026-11-20T06:00Z', '2026-11-20T09:00Z'),
      once('2026-11-20T12:00Z', '2026-11-20T13:00Z'),
    ],
  };
  it('is inside active hours and outside maintenance', () => {
    expect(countedIntervals(schedule, at('2026-11-20T00:00Z'), at('2026-11-23T00:00Z'))).toEqual([
      [at('2026-11-20T09:00Z'), at('2026-11-20T12:00Z')],
      [at('2026-11-20T13:00Z'), at('2026-11-20T19:00Z')],
    ]);
  });
  it('is all of it where a target has neither', () => {
    const always = { activeHours: null, maintenance: [] };
    expect(countedIntervals(always, 5, 9)).toEqual([[5, 9]]);
    expect(countedTime(always, 5, 9)).toBe(4);
  });
  it.each([
    [9, 9],
    [9, 5],
  ])('is nothing in the empty range from %d to %d', (from, to) => {
    for (const each of [schedule, { activeHours: null, maintenance: [] }]) {
      expect(countedIntervals(each, from, to)).toEqual([]);
      expect(countedTime(each, from, to)).toBe(0);
    }
  });
});

describe('laws', () => {
  const zone = fc.constantFrom(...Intl.supportedValuesOf('timeZone'), 'UTC', 'Etc/GMT+12');
  const instant = fc.integer({ min: at('1990-01-01T00:00Z'), max: at('2040-01-01T00:00Z') });
  const window = fc.record({
    days: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
    fromMinute: fc.integer({ min: 0, max: 1439 }),
    toMinute: fc.integer({ min: 0, max: 1440 }),
    timeZone: zone,
  });
  const maintenance = fc.array(
    fc.oneof(
      window.map((weeklyWindow) => ({ kind: 'weekly' as const, window: weeklyWindow })),
      fc
        .tuple(instant, fc.integer({ min: 1, max: 60 * DAY }))
        .map(([from, length]) => ({ kind: 'once' as const, from, to: from + length })),
    ),
    { maxLength: 4 },
  );
  const schedule = fc.record({ activeHours: fc.option(window), maintenance });
  const range = fc
    .tuple(instant, fc.integer({ min: 1, max: 40 * DAY }))
    .map(([from, length]) => [from, from + length] as const);

  /** By the definition, with an independent library: what the wall clock reads. */
  const readsInside = ({ days, fromMinute, toMinute, timeZone }: WeeklyWindow, when: number) => {
    const clock = Temporal.Instant.fromEpochMilliseconds(when).toZonedDateTimeISO(timeZone);
    const minute = clock.hour * 60 + clock.minute;
    const today = days.includes(clock.dayOfWeek);
    const yesterday = days.includes(((clock.dayOfWeek + 5) % 7) + 1);
    return toMinute > fromMinute
      ? today && minute >= fromMinute && minute < toMinute
      : (today && minute >= fromMinute) || (yesterday && minute < toMinute);
  };

  it('an instant is active exactly when the wall clock reads a time in the window', () => {
    fc.assert(
      fc.property(window, instant, (each, when) => {
        expect(isActive(each, when)).toBe(readsInside(each, when));
      }),
      { numRuns: 500 },
    );
  });

  it('the edges of every interval are where the wall clock enters and leaves the window', () => {
    fc.assert(
      fc.property(window, range, (each, [from, to]) => {
        for (const [start, end] of activeIntervals(each, from, to)) {
          expect(readsInside(each, start)).toBe(true);
          expect(readsInside(each, end - 1)).toBe(true);
          if (start > from) expect(readsInside(each, start - 1)).toBe(false);
          if (end < to) expect(readsInside(each, end)).toBe(false);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('intervals are sorted, disjoint, inside the range, and agree with their sum and with each instant', () => {
    fc.assert(
      fc.property(schedule, range, fc.nat(), (each, [from, to], offset) => {
        const intervals = countedIntervals(each, from, to);
        const edges = intervals.flat();
        expect(edges).toEqual([...new Set(edges)].sort((a, b) => a - b));
        for (const edge of edges) expect(edge).toBeGreaterThanOrEqual(from);
        for (const edge of edges) expect(edge).toBeLessThanOrEqual(to);
        expect(countedTime(each, from, to)).toBe(duration(intervals));
        const when = from + (offset % (to - from));
        expect(intervals.some(([start, end]) => start <= when && when < end)).toBe(
          isActive(each.activeHours, when) && !inMaintenance(each.maintenance, when),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('a range is the sum of its parts', () => {
    fc.assert(
      fc.property(schedule, range, fc.nat(), (each, [from, to], offset) => {
        const middle = from + (offset % (to - from));
        expect(countedTime(each, from, middle) + countedTime(each, middle, to)).toBe(
          countedTime(each, from, to),
        );
      }),
      { numRuns: 200 },
    );
  });
});
