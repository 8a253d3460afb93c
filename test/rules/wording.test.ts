import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { byImportance, headline, LEVELS, wordingOf } from '../../lib/rules/wording.js';
import type { Alert } from '../../lib/types.js';
import { ALERTS, NOON } from '../support/digests.js';
import {
  intervalInWords,
  lengthInWords,
  paceInWords,
  spanInWords,
  timeInWords,
} from '../../lib/rules/durations.js';

const alertOf = (name: string): Alert => {
  const alert = ALERTS[name];
  if (alert === undefined) throw new Error(`no alert ${name}`);
  return alert;
};

const API = { name: 'API', isLocal: false, timeZone: 'UTC' };

const said = (alert: Alert, timeZone = 'UTC') => {
  const { level, subject, predicate, details } = wordingOf(alert, { ...API, timeZone });
  return `${level} | ${subject} ${predicate} | ${details.join(' | ')}`;
};

describe('an alert', () => {
  it.each([
    ['down', 'critical | API is down | status 503, expected 200-299 | 3 checks have failed since 11:50 UTC'],
    ['down at the first failure', 'critical | API is down | name not found | one check failed at 12:00 UTC'],
    [
      'reminder',
      'critical | API is still down after 1 d 2 h | connection refused | 312 checks have failed since 2026-11-19 10:00 UTC',
    ],
    ['up after down', 'good | API is up again after 3 h 20 m | it was down from 08:40 to 12:00 UTC'],
    [
      'up after two restarts',
      'good | API is up again after 12 m | it was down from 11:48 to 12:00 UTC | restarted 2 times',
    ],
    [
      'up, but degraded',
      'warning | API answers again after 12 m, but is degraded | it was down from 11:48 to 12:00 UTC | took 3,200 ms | restarted once',
    ],
    [
      'up after degraded',
      'good | API is back to normal after 12 m | it was degraded from 11:48 to 12:00 UTC',
    ],
    ['up after flapping', 'good | API is stable again and up | it was flapping from 10:30 to 12:00 UTC'],
    ['degraded', 'warning | API is degraded | took 3,200 ms'],
    [
      'flapping',
      'warning | API is flapping, currently down | its status changed 5 times within an hour | the next message comes once it has been stable for an hour',
    ],
    [
      'slept',
      'warning | API fell asleep although it was pinged 9 m earlier | it took 42 s to wake | the host sleeps sooner than SLEEPS_AFTER says, or it restarted',
    ],
    [
      'contradicted',
      'warning | API answers, but its host says that it does not run | Railway says that the app sleeps | something else may answer in its place: nothing shows that it is awake',
    ],
    ['certificate', 'warning | API has a certificate that expires in 6 d | it is valid until 2026-11-26'],
    [
      'certificate that has ended',
      'warning | API has an expired certificate | it was valid until 2026-11-20',
    ],
    ['restart', 'info | API is being restarted (1 of 3) | restart request: answered 201'],
    [
      'person_needed',
      'critical | API needs a person | 3 restarts did not help | down for 45 m: status 503, expected 200-299',
    ],
    [
      'person_needed without a restart',
      'critical | API needs a person | down for 45 m: status 503, expected 200-299',
    ],
    [
      'missed',
      'warning | Keepalive recorded no runs for 1 h 35 m | from 10:25 to 12:00 UTC | check the trigger and the database; if the trigger is meant to call that rarely, set KEEP_ALIVE_TICK to its interval',
    ],
    [
      'pace',
      'warning | Keepalive runs every 20 m, expected every 1 m | too slow to keep awake: app (sleeps after 15 m) | too slow for the interval of api (every 5 m) and 12 more | let the trigger call more often; if it is meant to call that rarely, set KEEP_ALIVE_TICK to its interval',
    ],
    [
      'pace that is only slower than expected',
      'warning | Keepalive runs every 10 m, expected every 1 m | let the trigger call more often; if it is meant to call that rarely, set KEEP_ALIVE_TICK to its interval',
    ],
    ['unwatched', 'info | API is no longer watched (removed) | it had been down since 11:50 UTC'],
    [
      'unwatched after its end',
      'info | API is no longer watched (paused) | it was degraded from 11:50:00 to 11:55:00 UTC',
    ],
    [
      'unrecorded',
      "warning | Keepalive cannot record what it finds | since 11:45 UTC | the store's allowance is used up | targets are still pinged and outages still reported, but no statistics are kept and nothing is restarted",
    ],
    [
      'undelivered',
      'info | Keepalive could not deliver 3 earlier messages | this channel did not accept them for a day',
    ],
    [
      'allowances',
      'warning | Keepalive will use more than its plan allows this month | 620,000 of 500,000 Upstash commands | 5 of 4 Vercel CPU hours | waits and rounds are shortened already; let the trigger call less often, check fewer targets, or take a larger plan',
    ],
    ['test', 'info | Keepalive sent a test message | nothing is wrong; this channel works'],
  ])('%s', (name, expected) => {
    expect(said(alertOf(name))).toBe(expected);
  });

  it('is told of in full in this table', () => {
    const kinds = new Set(Object.values(ALERTS).map(({ kind }) => kind));
    expect([...kinds].toSorted()).toEqual(
      'allowances certificate contradicted degraded down flapping missed pace peer_down peer_up person_needed reminder restart slept test undelivered unrecorded unwatched up'.split(
        ' ',
      ),
    );
  });

  it.each([
    [{ ...alertOf('flapping'), transitions: 1 }, 'its status changed once within an hour'],
    [{ ...alertOf('person_needed'), restarts: 1 }, 'one restart did not help'],
  ])('counts one as one', (alert, expected) => {
    expect(wordingOf(alert, API).details[0]).toBe(expected);
  });

  it.each([
    ['missed', 'npm start was not running, its machine was asleep, or it could not reach its database'],
    ['pace', 'its runs take longer than that; set KEEP_ALIVE_TICK to the interval it can keep'],
  ])('%s names no trigger where there is none', (name, expected) => {
    expect(wordingOf(alertOf(name), { ...API, isLocal: true }).details.at(-1)).toBe(expected);
  });

  it.each([
    ['down', 'critical | API is down | status 503, expected 200-299 | 3 checks have failed since 12:50 CET'],
    ['up after down', 'good | API is up again after 3 h 20 m | it was down from 09:40 to 13:00 CET'],
  ])('%s in a time zone', (name, expected) => {
    expect(said(alertOf(name), 'Europe/Paris')).toBe(expected);
  });

  it('names all its times in the time zone', () => {
    const time = /\d\d:\d\d\b/;
    const named = Object.entries(ALERTS).filter(([, alert]) => time.test(said(alert)));
    expect(named.length).toBeGreaterThan(10);
    for (const [name, alert] of named) {
      expect([name, said(alert, 'Asia/Kolkata')]).toEqual([name, expect.stringContaining('GMT+5:30')]);
      expect(said(alert, 'Asia/Kolkata')).not.toContain('UTC');
    }
  });

  it('gives the date of a certificate by the time zone', () => {
    const alert = { ...alertOf('certificate'), expiresAt: Date.parse('2026-12-01T23:30Z') } as Alert;
    const untilIn = (timeZone: string) => wordingOf(alert, { ...API, timeZone }).details;
    expect(untilIn('UTC')).toEqual(['it is valid until 2026-12-01']);
    expect(untilIn('Europe/Paris')).toEqual(['it is valid until 2026-12-02']);
  });

  it('has a level that is known', () => {
    for (const alert of Object.values(ALERTS)) expect(LEVELS).toContain(wordingOf(alert, API).level);
  });
});

describe('a headline', () => {
  const of = (...names: string[]) => headline(names.map((name) => ({ alert: alertOf(name), ...API })));

  it.each([
    [['down'], 'API is down'],
    [['missed'], 'Keepalive recorded no runs for 1 h 35 m'],
    [['pace'], 'Keepalive runs every 20 m, expected every 1 m'],
    [['pace', 'down'], '1 warning about the pace of the runs, 1 down'],
    [['down', 'down', 'up after down'], '2 down, 1 up again'],
    [['person_needed', 'reminder', 'flapping'], '1 waiting for a person, 1 still down, 1 flapping'],
    [['missed', 'degraded'], '1 gap in the runs, 1 degraded'],
    [['missed', 'missed'], '2 gaps in the runs'],
    [['down', 'undelivered'], '1 down, 3 not delivered'],
    [['unwatched', 'unrecorded'], '1 no longer watched, 1 store that cannot be written to'],
    [
      ['slept', 'certificate', 'certificate', 'restart'],
      '1 fell asleep, 2 with a certificate near its expiry, 1 being restarted',
    ],
    [[], ''],
  ])('of %j is %j', (names, expected) => {
    expect(of(...names)).toBe(expected);
  });
});

describe('order', () => {
  it('puts what matters most first, and then what happened first', () => {
    const later = { ...alertOf('down'), id: 'later', at: NOON + 1 };
    const names = ['up after down', 'missed', 'down', 'person_needed', 'restart', 'degraded'];
    const sorted = [later, ...names.map(alertOf)].toSorted(byImportance).map(({ id, kind }) => [kind, id]);
    expect(sorted).toEqual([
      ['person_needed', 'a15'],
      ['down', 'a1'],
      ['down', 'later'],
      ['missed', 'a17'],
      ['degraded', 'a9'],
      ['restart', 'a14'],
      ['up', 'a4'],
    ]);
  });
});

describe('words', () => {
  const S = 1_000;
  const M = 60 * S;
  const H = 60 * M;
  it.each([
    [-1, '0 s'],
    [0, '0 s'],
    [499, '0 s'],
    [500, '1 s'],
    [59.4 * S, '59 s'],
    [59.6 * S, '1 m'],
    [60 * S, '1 m'],
    [59 * M + 29 * S, '59 m'],
    [59 * M + 31 * S, '1 h'],
    [H, '1 h'],
    [3 * H + 20 * M, '3 h 20 m'],
    [23 * H + 59 * M, '23 h 59 m'],
    [23 * H + 59 * M + 40 * S, '1 d'],
    [26 * H, '1 d 2 h'],
    [71 * H, '2 d 23 h'],
    [71 * H + 40 * M, '3 d'],
    [12 * 24 * H + 5 * H, '12 d'],
  ])('a length of %i ms is %j', (ms, expected) => {
    expect(lengthInWords(ms)).toBe(expected);
  });

  it.each([
    [10 * S, '10 s'],
    [10.5 * S, '10.5 s'],
    [90 * S, '1 m 30 s'],
    [7.5 * M, '7 m 30 s'],
    [5 * M, '5 m'],
    [12 * H, '12 h'],
    [H + 5 * S, '1 h 5 s'],
    [3.5 * 24 * H, '3 d 12 h'],
  ])('an interval of %i ms is %j, exactly', (ms, expected) => {
    expect(intervalInWords(ms)).toBe(expected);
  });

  it.each([
    [9_600, '10 s'],
    [59_600, '1 m'],
    [62_000, '1 m 2 s'],
    [66_000, '1 m 5 s'],
    [303_000, '5 m'],
    [451_000, '7 m 30 s'],
    [593_000, '10 m'],
    [22 * M + 10 * S, '22 m'],
    [24 * H - 7 * M, '1 d'],
  ])('a measured interval of %i ms is about %j', (ms, expected) => {
    expect(paceInWords(ms)).toBe(expected);
  });

  it.each([
    [NOON, '12:00 UTC'],
    [NOON - 12 * H, '00:00 UTC'],
    [NOON - 12 * H - 1, '2026-11-19 23:59 UTC'],
    [NOON + 13 * H, '2026-11-21 01:00 UTC'],
  ])('a time of %i', (at, expected) => {
    expect(timeInWords(at, NOON, 'UTC')).toBe(expected);
  });

  it.each([
    ['seconds', NOON - 36 * S, NOON, 'from 11:59:24 to 12:00:00 UTC'],
    ['seconds below ten minutes', NOON - 10 * M + 1, NOON, 'from 11:50:00 to 12:00:00 UTC'],
    ['minutes from ten minutes on', NOON - 10 * M, NOON, 'from 11:50 to 12:00 UTC'],
    [
      'its date where it began long ago',
      NOON - 13 * H,
      NOON - 12 * H,
      'from 2026-11-19 23:00 to 2026-11-20 00:00 UTC',
    ],
    [
      'one date where both are of one day',
      NOON - 30 * H,
      NOON - 20 * H,
      'from 2026-11-19 06:00 to 16:00 UTC',
    ],
    [
      'both dates where it lasted for days',
      NOON - 60 * H,
      NOON,
      'from 2026-11-18 00:00 to 2026-11-20 12:00 UTC',
    ],
  ])('a span shows %s', (_, from, to, expected) => {
    expect(spanInWords(from, to, NOON, 'UTC')).toBe(expected);
  });
});

describe('times of a zone', () => {
  const SUMMER = Date.parse('2026-07-20T12:00Z');
  it.each([
    ['UTC', NOON, '12:00 UTC'],
    ['Europe/Paris', NOON, '13:00 CET'],
    ['Europe/Paris', SUMMER, '14:00 CEST'],
    ['Europe/London', NOON, '12:00 GMT'],
    ['Europe/London', SUMMER, '13:00 BST'],
    ['America/New_York', NOON, '07:00 EST'],
    ['America/New_York', SUMMER, '08:00 EDT'],
    ['Australia/Sydney', NOON, '23:00 AEDT'],
    ['America/Sao_Paulo', NOON, '09:00 GMT-3'],
    ['Asia/Kolkata', NOON, '17:30 GMT+5:30'],
    ['Asia/Kathmandu', NOON, '17:45 GMT+5:45'],
  ])('%s at %i', (zone, at, expected) => {
    expect(timeInWords(at, at, zone)).toBe(expected);
  });

  it.each([
    ['Asia/Tokyo', '2026-11-19T22:00Z', '2026-11-20 07:00 GMT+9'],
    ['America/Los_Angeles', '2026-11-20T03:00Z', '19:00 PST'],
    ['America/Los_Angeles', '2026-11-19T03:00Z', '2026-11-18 19:00 PST'],
  ])('%s has dates of its own', (zone, at, expected) => {
    expect(timeInWords(Date.parse(at), NOON, zone)).toBe(expected);
  });

  it.each([
    ['one name where both ends have it', '10:25Z', '12:00Z', 'from 12:25 to 14:00 CEST', '2026-10-24'],
    ['both where clocks go back', '23:30Z', '01:30Z', 'from 01:30 CEST to 02:30 CET', '2026-10-24'],
    ['the same time twice', '00:30Z', '01:30Z', 'from 02:30 CEST to 02:30 CET', '2026-10-25'],
    ['the second first', '00:58Z', '01:01Z', 'from 02:58:00 CEST to 02:01:00 CET', '2026-10-25'],
    ['both where clocks go forward', '00:30Z', '01:30Z', 'from 01:30 CET to 03:30 CEST', '2026-03-29'],
  ])('a span has %s', (_, begin, end, expected, date) => {
    const from = Date.parse(`${date}T${begin}`);
    const last = Date.parse(`${date}T${end}`);
    const to = last < from ? last + 24 * 60 * 60_000 : last;
    expect(spanInWords(from, to, to, 'Europe/Paris')).toBe(expected);
  });

  it('a span has the dates of the zone', () => {
    const [from, to] = ['2026-10-24T22:30Z', '2026-10-25T21:30Z'].map((text) => Date.parse(text));
    const now = Date.parse('2026-10-26T12:00Z');
    expect(spanInWords(from ?? 0, to ?? 0, now, 'Europe/Paris')).toBe(
      'from 2026-10-25 00:30 CEST to 22:30 CET',
    );
  });

  const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'), 'UTC');
  const instants = fc.integer({ min: Date.parse('2015-01-01'), max: Date.parse('2040-01-01') });
  /** Up to three hours before or after the clock changes, where it does. */
  const moments = fc
    .tuple(zones, instants, fc.integer({ min: -180, max: 180 }), fc.boolean())
    .map(([zone, at, minutes, isNear]) => {
      const start = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
      const change = isNear ? start.getTimeZoneTransition('next') : null;
      const near = change === null ? at : change.epochMilliseconds + minutes * 60_000;
      return { zone, at: near - (near % 60_000) };
    });

  /** All instants that are told so: `2026-10-25`, `02:30`, `CET`, with an independent library. */
  function readBack(zone: string, date: string, clock: string, name: string): number[] {
    const wall = Temporal.PlainDateTime.from(`${date}T${clock}`);
    const found = (['earlier', 'later'] as const).map((disambiguation) =>
      wall.toZonedDateTime(zone, { disambiguation }),
    );
    const told = found.filter((each) => {
      const offset = /^GMT([+-])(\d+)(?::(\d+))?$/.exec(name);
      if (offset === null)
        return timeInWords(each.epochMilliseconds, each.epochMilliseconds, zone).endsWith(name);
      const [, sign, hours, minutes = '0'] = offset;
      const ahead = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
      return each.offsetNanoseconds === ahead * 60e9;
    });
    return [...new Set(told.map((each) => each.epochMilliseconds))];
  }

  it('a time is that of one instant', () => {
    fc.assert(
      fc.property(moments, ({ zone, at }) => {
        const [date = '', clock = '', name = ''] = timeInWords(at, at + 24 * 3_600_000, zone).split(' ');
        expect(readBack(zone, date, clock, name)).toEqual([at]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('both ends of a span are those of one instant', () => {
    fc.assert(
      fc.property(moments, fc.integer({ min: 0, max: 400 }), ({ zone, at }, minutes) => {
        const to = at + minutes * 60_000;
        const text = spanInWords(at, to, to + 24 * 3_600_000, zone);
        const parts = /^from (\S+) ([\d:]+)(?: (\S+))? to (?:(\S+) )?(\S+) (\S+)$/.exec(text);
        const [, date = '', clock = '', firstName, lastDate = date, lastClock = '', name = ''] = parts ?? [];
        expect([
          readBack(zone, date, clock, firstName ?? name),
          readBack(zone, lastDate, lastClock, name),
        ]).toEqual([[at], [to]]);
      }),
      { numRuns: 1_000 },
    );
  });
});
