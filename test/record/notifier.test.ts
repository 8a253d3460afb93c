import fc from 'fast-check';
import { describe, expect, inject, it } from 'vitest';
import { OUTBOX_FIELD } from '../../lib/record/fields.js';
import { readOutbox } from '../../lib/record/outbox-text.js';
import { readIncident } from '../../lib/record/incidents.js';
import type { Alert, ChannelName, Check } from '../../lib/types.js';
import { cases } from '../support/cases.js';
import { Books } from '../support/books.js';
import { aTarget, failedCheck, goodCheck, type TargetOptions } from '../support/targets.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A Monday. */
const START = Date.UTC(2026, 0, 5, 12);

const CHECKS: Readonly<Record<string, (at: number) => Check>> = {
  g: (at) => goodCheck(at),
  f: (at) => failedCheck(at),
  d: (at) => goodCheck(at, { outcome: 'degraded', message: 'slow: 3200 ms' }),
  /** A cold start. */
  c: (at) => goodCheck(at, { coldStart: true, wakeMs: 20_000 }),
  e: (at) => goodCheck(at, { outcome: 'degraded', message: 'old', tlsExpiresAt: START + 9 * DAY }),
};

interface Told {
  /** Of the check, counted from the first. */
  readonly minute: number;
  readonly alert: Alert;
  readonly to: readonly string[];
}

interface Setting {
  readonly target?: TargetOptions;
  readonly channels?: readonly ChannelName[];
  readonly reminder?: number;
  /** Between two checks. */
  readonly every?: number;
}

/** What is said of one target whose checks go as the letters say; a dot is a minute without a run. */
function tell(letters: string, { target, channels = ['slack'], reminder, every = MINUTE }: Setting = {}) {
  const books = new Books(2 * every, [aTarget('api', target)], channels, reminder);
  const told: Told[] = [];
  const restarts: number[] = [];
  const seen = new Set<string>();
  for (const [i, letter] of Array.from(letters).entries()) {
    if (letter === '.') continue;
    const at = START + i * every;
    books.run(at, [['api', CHECKS[letter]?.(at) ?? goodCheck(at)]]);
    const outbox = readOutbox(books.fields.get(OUTBOX_FIELD) ?? null);
    for (const { alert, to } of outbox.alerts) {
      if (!seen.has(alert.id)) told.push({ minute: i, alert, to: Object.keys(to) });
      seen.add(alert.id);
    }
    for (const order of outbox.restarts) {
      if (!seen.has(order.id)) restarts.push(i);
      seen.add(order.id);
    }
  }
  return {
    told,
    restarts,
    books,
    kinds: told.map(({ minute, alert }) => `${alert.kind}@${minute}`).join(' '),
  };
}

describe('what is said', () => {
  it.each([
    ['nothing of a good target', 'gggg', ''],
    ['nothing of failures below the threshold', 'gffgffgffg', ''],
    ['down and up, once each', 'gfffffgggg', 'down@3 up@7'],
    ['down where the first checks fail', 'fffgg', 'down@2 up@4'],
    ['degraded, and that it is over', 'gdddddggg', 'degraded@3 up@7'],
    ['down after degraded', 'dddfffgg', 'degraded@0 down@5 up@7'],
    ['back but degraded, then fine', 'gfffddggg', 'down@3 up@5 up@7'],
    ['a second outage', 'gfffggfffgg', 'down@3 up@5 down@8 up@10'],
    ['that it slept although it was pinged', 'gcgg', 'slept@1'],
    ['that it slept once a day', 'gcgcgcgc', 'slept@1'],
    ['no sleep of a newcomer', 'cggg', ''],
    ['no sleep after failures', 'gffcgg', ''],
    ['an old certificate once, and no degraded beside it', 'geeeeegggg', 'certificate@1 up@7'],
  ])('%s: %s', (_, letters, expected) => {
    expect(tell(letters, { target: { info: { sleepsAfter: 10 * MINUTE } } }).kinds).toBe(expected);
  });

  it('after how many checks it is down, since when and why, and how long it was out', () => {
    const { told } = tell('gffffgg');
    expect(told.map(({ alert }) => alert)).toMatchObject([
      {
        kind: 'down',
        target: 'api',
        startedAt: START + MINUTE,
        failures: 3,
        message: 'status 503, expected 200-299',
      },
      { kind: 'up', was: 'down', now: 'up', startedAt: START + MINUTE, endedAt: START + 5 * MINUTE },
    ]);
  });

  it('nothing more when only the error text changes', () => {
    const books = new Books(MINUTE, [aTarget('api')], ['slack']);
    for (let i = 0; i < 20; i += 1) {
      const at = START + i * MINUTE;
      books.run(at, [['api', failedCheck(at, { message: `status ${500 + i}` })]]);
    }
    expect(readOutbox(books.fields.get(OUTBOX_FIELD) ?? null).alerts).toHaveLength(1);
  });

  it.each([
    ['every so often while it is down', 'gffffffffffffgg', 4 * MINUTE, 'down@3 reminder@7 reminder@11 up@14'],
    ['not while it comes back', 'gfffgfgfgfgfgg', 4 * MINUTE, 'down@3 reminder@7 reminder@11 up@13'],
  ])('reminders: %s', (_, letters, reminder, expected) => {
    expect(tell(letters, { reminder }).kinds).toBe(expected);
  });

  it('only to the channels of the target', () => {
    const channels = ['slack', 'email'] as const;
    const to = (alerts: readonly ChannelName[] | null) =>
      tell('fffgg', { channels, target: { alerts } }).told.map((each) => each.to);
    expect(to(null)).toEqual([
      ['slack', 'email'],
      ['slack', 'email'],
    ]);
    expect(to(['email'])).toEqual([['email'], ['email']]);
    expect(to([])).toEqual([]);
  });

  it('nothing is kept for a target about which there is nothing to say', () => {
    expect(tell('gfggfgdggd').books.fields.get(OUTBOX_FIELD)).toBeUndefined();
  });
});

describe('flapping', () => {
  const quick = { failureThreshold: 1, successThreshold: 1 };
  const flaps = 'g' + 'fg'.repeat(10);

  it('is said once, at the seventh transition in an hour', () => {
    expect(tell(flaps, { target: quick }).kinds).toBe('down@1 up@2 down@3 up@4 down@5 up@6 flapping@7');
  });

  it('is over when nothing changed for an hour, and then it is said what is', () => {
    const { kinds, told } = tell(flaps + 'g'.repeat(70), { target: quick });
    expect(kinds).toMatch(/flapping@7 up@80$/);
    expect(told.at(-1)?.alert).toMatchObject({ was: 'flapping', endedAt: START + 20 * MINUTE });
    expect(tell(flaps + 'f'.repeat(70), { target: quick }).kinds).toMatch(/flapping@7 down@81$/);
  });

  it('needs more than six transitions within an hour', () => {
    const slow = ('f' + 'g'.repeat(9)).repeat(6);
    expect(tell('g' + slow + slow, { target: quick }).kinds).toContain('flapping');
    const slower = ('f' + 'g'.repeat(19)).repeat(6);
    expect(tell('g' + slower, { target: quick }).kinds).not.toContain('flapping');
  });
});

describe('who may not be disturbed', () => {
  const from = START + 2 * MINUTE;
  const muted = (minutes: number): TargetOptions => ({
    maintenance: [{ kind: 'once', from, to: from + minutes * MINUTE }],
  });

  it.each([
    ['an outage within the window is not said', 'ggffffgggggg', ''],
    ['one that outlasts it is said when it ends', 'ggffffffffffffgg', 'down@12 up@15'],
    ['the end of an earlier one is said when it ends', 'ffgggggggggggg', 'down@1 up@12'],
    ['what changed and changed back is not said', 'ffgggfffffffff', 'down@1'],
  ])('in maintenance: %s', (_, letters, expected) => {
    expect(tell(letters, { target: { failureThreshold: 2, ...muted(10) } }).kinds).toBe(expected);
  });

  it('the end that was not said at once is dated right', () => {
    const { told } = tell('ffgggggggggggg', { target: { failureThreshold: 2, ...muted(10) } });
    expect(told[1]?.alert).toMatchObject({ startedAt: START, endedAt: from });
  });

  it('who enters the active hours may wake slowly', () => {
    const at = (hour: number, minute: number) => hour * 60 + minute;
    const hours = { days: [1, 2, 3, 4, 5, 6, 7], toMinute: at(20, 0), timeZone: 'UTC' };
    const entering = (fromMinute: number) => ({ activeHours: { ...hours, fromMinute } });
    expect(tell('fffffffgg', { target: entering(at(12, 0)) }).kinds).toBe('down@5 up@8');
    expect(tell('ffffggggg', { target: entering(at(12, 0)) }).kinds).toBe('');
    expect(tell('fffffffgg', { target: entering(at(11, 0)) }).kinds).toBe('down@2 up@8');
    expect(
      tell('fffffffffffffffgg', { target: { ...entering(at(12, 0)), wakeTimeout: 6 * MINUTE } }).kinds,
    ).toBe('down@12 up@16');
  });
});

describe('restarts', () => {
  const restart = (changes: object = {}): TargetOptions => ({
    recovery: {
      url: 'http://hook.test/',
      request: { method: 'POST', headers: {}, body: null },
      cooldown: 5 * MINUTE,
      max: 3,
      grace: 2 * MINUTE,
      ...changes,
    },
  });

  it.each([
    [
      'at once when it is down, then after grace and as many failures again',
      'g' + 'f'.repeat(30),
      {},
      [3, 8, 13],
    ],
    ['not while it only fails', 'gffgffgffg', {}, []],
    ['not sooner than the cooldown', 'g' + 'f'.repeat(30), { cooldown: 10 * MINUTE }, [3, 13, 23]],
    [
      'failures in the grace do not count',
      'g' + 'f'.repeat(30),
      { cooldown: 0, grace: 6 * MINUTE },
      [3, 12, 21],
    ],
    ['no more than the limit', 'g' + 'f'.repeat(30), { max: 1 }, [3]],
    ['none where the limit is 0', 'g' + 'f'.repeat(30), { max: 0 }, []],
    ['anew in another incident', 'gfff' + 'gggggg' + 'fff', { max: 1 }, [3, 12]],
    [
      'not sooner than the cooldown in another incident',
      'gfffggffff',
      { max: 1, cooldown: 6 * MINUTE },
      [3, 9],
    ],
  ])('%s', (_, letters, changes, expected) => {
    expect(tell(letters, { target: restart(changes) }).restarts).toEqual(expected);
  });

  it('none in maintenance', () => {
    const window = { kind: 'once', from: START, to: START + 10 * MINUTE } as const;
    expect(tell('f'.repeat(14), { target: { ...restart(), maintenance: [window] } }).restarts).toEqual([10]);
  });

  it('then a person is asked for, once, when the last one did not help either', () => {
    expect(tell('g' + 'f'.repeat(40), { target: restart({ max: 2 }) }).kinds).toBe('down@3 person_needed@13');
  });

  it('are made where nobody is told', () => {
    expect(tell('fff', { target: restart(), channels: [] })).toMatchObject({ restarts: [2], kinds: '' });
  });

  it('are in the record of the incident', () => {
    const { books } = tell('g' + 'f'.repeat(15) + 'gg', {
      target: restart({ max: 2 }),
      reminder: 4 * MINUTE,
    });
    const { events } = readIncident(books.fields.get('i0.0') ?? '');
    expect(
      events.map((event) => [(event.at - START) / MINUTE, event.kind === 'alert' ? event.alert : 'RESTART']),
    ).toEqual([
      [3, 'down'],
      [3, 'RESTART'],
      [7, 'reminder'],
      [8, 'RESTART'],
      [11, 'reminder'],
      [13, 'person_needed'],
      [15, 'reminder'],
      [17, 'up'],
    ]);
  });
});

describe('missed runs', () => {
  const missed = (letters: string) => tell(letters).kinds;

  it('are said once a day, unless it was far more than the last time', () => {
    expect(missed('gg.....gg......gg')).toBe('missed@7');
    expect(missed('gg.....gg............gg')).toBe('missed@7 missed@21');
    expect(missed('gg...gg')).toBe('');
  });

  it.runIf(inject('long'))('are said again after a day', () => {
    const day = 24 * 60;
    expect(missed('gg.....g' + 'g'.repeat(day) + '......g')).toBe(`missed@7 missed@${day + 14}`);
  });
});

describe('the pace of the runs', () => {
  /** The target is to be checked every minute, and runs are expected every two. */
  const said = (letters: string) => tell(letters).kinds;
  const every = (minutes: number, runs: number) => ('g' + '.'.repeat(minutes - 1)).repeat(runs);

  it('is told of once, where it is too slow for a target, instead of runs that are missing', () => {
    expect(said(every(10, 300))).toBe('pace@40');
    expect(tell(every(10, 6)).told.at(-1)?.alert).toMatchObject({
      kind: 'pace',
      expected: 2 * MINUTE,
      actual: 10 * MINUTE,
      slowFor: { count: 1, targets: [{ target: 'api', interval: MINUTE, sleepsAfter: null }] },
    });
  });

  it('is not told of where every target is checked often enough', () => {
    expect(said(every(2, 40))).toBe('');
  });

  it('does not hide a gap that is far longer, nor one before it was known', () => {
    expect(said(every(10, 6) + '.'.repeat(60) + 'g')).toBe('pace@40 missed@120');
    expect(said('g' + '.'.repeat(59) + 'ggg')).toBe('missed@61');
    expect(said('ggggg' + every(10, 8))).toBe('missed@15 pace@65');
  });

  it.runIf(inject('long'))('is told of again only after it was mended for a day', () => {
    const slow = every(10, 9);
    expect(said(slow + 'g'.repeat(12 * 60) + slow)).toBe('pace@40 missed@820');
    expect(said(slow + 'g'.repeat(25 * 60) + slow)).toMatch(/^pace@40 missed@\d+ pace@\d+$/);
  });
});

it('never is an "up" without its "down", nor anything said twice in a row', () => {
  const letters = fc
    .array(fc.constantFrom('g', 'f', 'd', 'ff', 'fff', 'ggg', 'ddd', 'g'.repeat(61)), { maxLength: 60 })
    .map((parts) => parts.join(''));
  const windows = fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 30 })), { maxLength: 3 });
  fc.assert(
    fc.property(letters, windows, fc.integer({ min: 1, max: 3 }), (letters, windows, failureThreshold) => {
      const maintenance = windows.map(([start, length]) => ({
        kind: 'once' as const,
        from: START + start * MINUTE,
        to: START + (start + length) * MINUTE,
      }));
      const { told } = tell(letters, { target: { failureThreshold, maintenance } });
      let known: string | null = null;
      for (const { minute, alert } of told) {
        const at = START + minute * MINUTE;
        expect(maintenance.some(({ from, to }) => at >= from && at < to)).toBe(false);
        if (alert.kind === 'up') {
          expect(known).toBe(alert.was);
          expect(alert.endedAt).toBeGreaterThanOrEqual(alert.startedAt);
          known = alert.now === 'up' ? null : 'degraded';
        } else {
          expect(alert.kind).not.toBe(known);
          known = alert.kind;
        }
      }
    }),
    cases(300),
  );
});
