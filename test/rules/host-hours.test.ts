import { describe, expect, it } from 'vitest';
import { MONTHLY_HOURS } from '../../lib/rules/hosts.js';
import { monthlyHours } from '../../lib/rules/host-hours.js';
import type { HostName, PublicTarget, Target, WeeklyWindow } from '../../lib/types.js';
import { aTarget } from '../support/targets.js';

const MINUTE = 60_000;
const on = (
  host: HostName,
  id: string,
  info: Partial<PublicTarget> = {},
  activeHours: WeeklyWindow | null = null,
): Target =>
  aTarget(id, { info: { host, sleepsAfter: 15 * MINUTE, interval: 5 * MINUTE, ...info }, activeHours });
const hours = (targets: readonly Target[], month: string) =>
  monthlyHours(targets, MONTHLY_HOURS, Date.parse(`${month}T00:00Z`)).map((each) => [each.host, each.hours]);
const office = (days: number[], from: number, to: number, timeZone: string): WeeklyWindow => ({
  days,
  fromMinute: from * 60,
  toMinute: to * 60,
  timeZone,
});
const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];

it.each([
  ['2026-02-14', 672],
  ['2028-02-29', 696],
  ['2026-04-30', 720],
  ['2026-12-01', 744],
  ['2026-12-31', 744],
])('awake all month, as on %s, are %i hours', (day, expected) => {
  expect(hours([on('render', 'a')], day)).toEqual([['render', expected]]);
});

it.each([
  ['eight hours a day', office(EVERY_DAY, 8, 16, 'UTC'), '2026-04-10', 240],
  [
    'the weekdays of a month that begins on a Sunday',
    office([1, 2, 3, 4, 5], 8, 18, 'UTC'),
    '2026-02-10',
    200,
  ],
  ['across midnight', office(EVERY_DAY, 22, 6, 'UTC'), '2026-04-10', 240],
  [
    'a month of Paris in which an hour is skipped',
    office(EVERY_DAY, 2, 12, 'Europe/Paris'),
    '2026-03-10',
    309,
  ],
  [
    'a month of Paris in which an hour comes twice',
    office(EVERY_DAY, 2, 12, 'Europe/Paris'),
    '2026-10-10',
    311,
  ],
])('active hours: %s', (_, activeHours, day, expected) => {
  expect(hours([on('render', 'a', {}, activeHours)], day)).toEqual([['render', expected]]);
});

it.each([
  ['before it falls asleep', 15 * MINUTE, 720],
  ['twice as seldom', 30 * MINUTE, 360],
  ['once a day', 24 * 60 * MINUTE, 8],
])('a target that is pinged %s', (_, interval, expected) => {
  expect(hours([on('render', 'a', { interval })], '2026-04-10')).toEqual([['render', expected]]);
});

describe('what is left out', () => {
  it.each([
    ['paused', on('render', 'a', { enabled: false })],
    ['of a host without an allowance', on('koyeb', 'a')],
    ['of no host', on('none', 'a')],
    ['that never sleeps', on('render', 'a', { sleepsAfter: null })],
  ])('a target %s', (_, target) => {
    expect(hours([target], '2026-04-10')).toEqual([]);
    expect(hours([target, on('render', 'b')], '2026-04-10')).toEqual([['render', 720]]);
  });
});

describe('an allowance', () => {
  it('is enough for one, and exceeded by two; each host has its own', () => {
    const now = Date.UTC(2026, 3, 10);
    const targets = [on('render', 'a'), on('heroku', 'b'), on('render', 'c', {}, office([1], 8, 10, 'UTC'))];
    expect(monthlyHours(targets, MONTHLY_HOURS, now)).toEqual([
      { host: 'render', hours: 728, allowance: 750, exceeds: false, targets: ['a', 'c'] },
      { host: 'heroku', hours: 720, allowance: 1000, exceeds: false, targets: ['b'] },
    ]);
    const more = [...targets, on('render', 'd'), on('render', 'e'), on('heroku', 'f')];
    expect(monthlyHours(more, MONTHLY_HOURS, now)).toEqual([
      {
        host: 'render',
        hours: 2168,
        allowance: 750,
        exceeds: true,
        targets: ['a', 'c', 'd', 'e'],
        message:
          'render: 4 targets use 2,168 of 750 hours a month on the free plan: give them ACTIVE_HOURS, or keep fewer awake',
      },
      {
        host: 'heroku',
        hours: 1440,
        allowance: 1000,
        exceeds: true,
        targets: ['b', 'f'],
        message:
          'heroku: 2 targets use 1,440 of 1,000 hours a month on the Eco plan: give them ACTIVE_HOURS, or keep fewer awake',
      },
    ]);
  });

  it.each([
    [750, false],
    [751, true],
  ])('of 750 hours with %i used is exceeded: %s', (used, exceeds) => {
    const now = Date.UTC(2026, 3, 10);
    const share = (used - 720) / 720;
    const second = on('render', 'b', { interval: (15 * MINUTE) / share });
    expect(monthlyHours([on('render', 'a'), second], MONTHLY_HOURS, now)).toMatchObject([
      { hours: used, exceeds },
    ]);
  });
});
