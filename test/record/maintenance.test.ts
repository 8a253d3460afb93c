import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Maintenance } from '../../lib/record/maintenance.js';
import {
  begin,
  end,
  openWindow,
  openWindows,
  readableMaintenance,
  readMaintenance,
  WINDOWS_KEPT,
  withMaintenance,
  writeMaintenance,
} from '../../lib/record/maintenance.js';
import { TextError } from '../../lib/record/codec/text-error.js';
import { inMaintenance } from '../../lib/rules/windows.js';
import { aTarget } from '../support/targets.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 20, 12);
const window = (target: string | null, from: number, to: number, reason: string | null = null) => ({
  target,
  from: NOW + from,
  to: NOW + to,
  reason,
});

describe('the text form', () => {
  it('is none where nothing was ever written', () => {
    expect(readMaintenance(null)).toEqual([]);
  });

  it('gives back what was written', () => {
    const windows = fc.array(
      fc.record({
        target: fc.option(fc.string({ unit: 'binary' })),
        from: fc.integer({ min: 0, max: 4e12 }),
        to: fc.integer({ min: 4e12 + 1, max: 8e12 }),
        reason: fc.option(fc.string({ unit: 'binary' })),
      }),
    );
    fc.assert(
      fc.property(windows, (all) => {
        expect(readMaintenance(writeMaintenance(all))).toEqual(all);
      }),
    );
  });

  it.each([
    '',
    'nonsense',
    '{}',
    'null',
    '1',
    '[1]',
    '[null]',
    '[{}]',
    '[[]]',
    '[[null,1]]',
    '[[null,1,"2",null]]',
    '[[1,1,2,null]]',
    '[[null,2,0]]',
    '[[null,2,-1]]',
    '[[null,0.5,2,null]]',
    '[[null,1,8640000000000000]]',
    '[[null,1,1e999,null]]',
    '[[null,1,2,null],[null]]',
  ])('is refused where it is %j, and then counts as none', (text) => {
    expect(() => readMaintenance(text)).toThrow(TextError);
    const complaints: TextError[] = [];
    expect(readableMaintenance(text, (error) => complaints.push(error))).toEqual([]);
    expect(complaints).toHaveLength(1);
  });
});

describe('beginning and ending', () => {
  const open = [window(null, -HOUR, HOUR, 'all'), window('a', -HOUR, 2 * HOUR), window('b', -HOUR, HOUR)];

  it.each([
    ['all', null, [window('a', -HOUR, 2 * HOUR), window('b', -HOUR, HOUR), window(null, 0, 9 * HOUR)]],
    ['one', 'a', [window(null, -HOUR, HOUR, 'all'), window('b', -HOUR, HOUR), window('a', 0, 9 * HOUR)]],
    ['a new one', 'c', [...open, window('c', 0, 9 * HOUR)]],
  ])('a window for %s takes the place of the one that is open', (_, target, expected) => {
    const windows = begin(open, window(target, 0, 9 * HOUR));
    expect(openWindows(windows, NOW)).toEqual(expected);
    const past = open.find((each) => each.target === target);
    expect(windows.filter(({ to }) => to <= NOW)).toEqual(past ? [{ ...past, to: NOW, reason: null }] : []);
  });

  it('may make it shorter', () => {
    expect(begin([window('a', -HOUR, 9 * HOUR)], window('a', 0, 1))).toEqual([
      window('a', -HOUR, 0),
      window('a', 0, 1),
    ]);
  });

  it.each([
    ['one', 'a', ['all', 'b']],
    ['all', null, []],
    ['what is not open', 'c', ['all', 'a', 'b']],
  ])('ending %s', (_, target, left) => {
    const windows = end(open, target, NOW);
    expect(openWindows(windows, NOW).map((each) => each.target ?? 'all')).toEqual(left);
    expect(windows).toHaveLength(3);
  });

  it('leaves nothing of a window that a clock ahead of ours has begun', () => {
    const ahead = [window('a', 5, HOUR)];
    expect(end(ahead, 'a', NOW)).toEqual([]);
    expect(end(ahead, null, NOW)).toEqual([]);
    expect(begin(ahead, window('a', 0, 1))).toEqual([window('a', 0, 1)]);
    expect(openWindows(ahead, NOW)).toEqual(ahead);
    expect(openWindow(ahead, 'a', NOW)).toBeNull();
  });

  it('forgets what ended before the kept hours', () => {
    const windows = [window('a', -9 * DAY, -8 * DAY), window('a', -9 * DAY, -8 * DAY + 1)];
    expect(end(windows, null, NOW)).toEqual(windows.slice(1));
  });

  it('keeps a hundred: of those that ended the latest, and every open one', () => {
    const many = Array.from({ length: 150 }, (_, i) => window('a', -1000 + i, -999 + i));
    const windows = begin([...many, ...open], window('c', 0, 1));
    expect(windows).toHaveLength(WINDOWS_KEPT);
    expect(windows).toEqual([...many.slice(-96), ...open, window('c', 0, 1)]);
    const manyOpen = Array.from({ length: 150 }, (_, i) => window(`t${i}`, -1, 1));
    expect(end([...many, ...manyOpen], 'none', NOW)).toEqual(manyOpen);
  });
});

describe('laws', () => {
  const ID = fc.constantFrom('a', 'b', null);
  const step = fc.record({
    after: fc.integer({ min: 0, max: 3 * HOUR }),
    target: ID,
    lasts: fc.option(fc.integer({ min: 1, max: 5 * HOUR })),
  });
  const muted = (windows: readonly Maintenance[], id: string, at: number) => {
    const [target] = withMaintenance([aTarget(id)], windows);
    return inMaintenance(target?.maintenance ?? [], at);
  };

  it('no change alters what is past, and each does what it says from now on', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let windows: readonly Maintenance[] = [];
        let now = NOW;
        for (const { after, target, lasts } of steps) {
          now += after;
          const before = windows;
          windows =
            lasts === null
              ? end(windows, target, now)
              : begin(windows, { target, from: now, to: now + lasts, reason: null });
          for (const id of ['a', 'b']) {
            for (let at = NOW; at < now; at += HOUR / 2) {
              expect(muted(windows, id, at)).toBe(muted(before, id, at));
            }
            const concerned = target === null || target === id;
            if (lasts !== null && concerned) expect(muted(windows, id, now + lasts - 1)).toBe(true);
            if (!concerned) expect(muted(windows, id, now)).toBe(muted(before, id, now));
          }
          if (lasts === null && target === null) expect(openWindows(windows, now)).toEqual([]);
          const targets = openWindows(windows, now).map((each) => each.target);
          expect(new Set(targets).size).toBe(targets.length);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('the targets with what was begun', () => {
  const [a, b] = [aTarget('a', { maintenance: [{ kind: 'once', from: 1, to: 2 }] }), aTarget('b')];

  it('are the same objects where nothing applies', () => {
    const targets = [a, b];
    expect(withMaintenance(targets, [])).toBe(targets);
    const [first, second] = withMaintenance(targets, [window('b', 0, 1)]);
    expect(first).toBe(a);
    expect(second).toEqual({ ...b, maintenance: [{ kind: 'once', from: NOW, to: NOW + 1 }] });
  });

  it('keep their own windows', () => {
    const [first, second] = withMaintenance([a, b], [window(null, 0, 1)]);
    expect(first?.maintenance).toEqual([...a.maintenance, { kind: 'once', from: NOW, to: NOW + 1 }]);
    expect(second?.maintenance).toHaveLength(1);
  });
});

it('of the windows in force for a target, the one that ends last is shown', () => {
  const windows = [
    window('a', -5, 5, 'own'),
    window(null, -5, 9, 'all'),
    window('a', 1, 99, 'to come'),
    window('b', -5, 50, 'another'),
  ];
  expect(openWindow(windows, 'a', NOW)?.reason).toBe('all');
  expect(openWindow(windows, 'b', NOW)?.reason).toBe('another');
  expect(openWindow(windows, 'b', NOW + 50)).toBeNull();
  expect(openWindow(windows, 'a', NOW - 6)).toBeNull();
});
