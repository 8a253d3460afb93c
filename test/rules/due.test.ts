import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DueState } from '../../lib/rules/due.js';
import { chooseDue, isDue } from '../../lib/rules/due.js';

const MINUTE = 60_000;
const pace = (minutes: number, lastCheckAt: number | null = 0, settling = false): DueState => ({
  lastCheckAt,
  interval: minutes * MINUTE,
  settling,
});

describe('a target is due', () => {
  it.each([
    ['never checked', pace(5, null), 0, true],
    ['on time', pace(5), 5 * MINUTE, true],
    ['by a trigger that came a little early', pace(5), 4.6 * MINUTE, true],
    ['not by the run before', pace(5), 4.4 * MINUTE, false],
    ['late', pace(5), 17 * MINUTE, true],
    ['not by a doubled trigger', pace(1), 2000, false],
    ['not by a doubled trigger where the interval is below the tick', pace(1 / 6), 2000, false],
    ['at every run while a count is under way', pace(720, 0, true), MINUTE, true],
    ['not by a doubled trigger while a count is under way', pace(720, 0, true), 2000, false],
    ['when its last check lies in the future', pace(5, 60 * MINUTE), 0, true],
  ])('%s', (_, target, now, due) => {
    expect(isDue(target, MINUTE, now)).toBe(due);
  });

  it('longest overdue first, never checked before all', () => {
    const paces = { late: pace(1, 0), later: pace(1, -MINUTE), never: pace(60, null), early: pace(60, 0) };
    const names = Object.keys(paces) as (keyof typeof paces)[];
    expect(chooseDue(names, (name) => paces[name], MINUTE, 3 * MINUTE)).toEqual(['never', 'later', 'late']);
  });

  it('is checked about once an interval, however much the trigger wobbles', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.integer({ min: -20_000, max: 20_000 }), { minLength: 200, maxLength: 200 }),
        (minutes, wobble) => {
          let last: number | null = null;
          const gaps: number[] = [];
          for (const [i, late] of wobble.entries()) {
            const now = i * MINUTE + late;
            if (!isDue(pace(minutes, last), MINUTE, now)) continue;
            if (last !== null) gaps.push(now - last);
            last = now;
          }
          for (const gap of gaps) {
            expect(gap).toBeGreaterThanOrEqual(minutes * MINUTE - MINUTE / 2);
            expect(gap).toBeLessThanOrEqual(minutes * MINUTE + MINUTE / 2 + 40_000);
          }
        },
      ),
    );
  });
});
