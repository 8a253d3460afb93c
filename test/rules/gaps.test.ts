import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Gaps } from '../../lib/rules/gaps.js';
import { longestGap, withGap } from '../../lib/rules/gaps.js';

const HOUR = 3_600_000;

describe('gaps between good pings', () => {
  it('tell the longest that ended in the running hour or the 24 before it, exactly, and stay few', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 3 * HOUR }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 0, max: 30 * HOUR }), (all, later) => {
        let gaps: Gaps = [];
        let time = 0;
        const ended = all.map((length) => {
          time += length;
          gaps = withGap(gaps, time, length);
          return { time, length };
        });
        const now = time + later;
        const oldest = Math.floor(now / HOUR) - 24;
        const recent = ended.filter((gap) => Math.floor(gap.time / HOUR) >= oldest);
        const expected = recent.length === 0 ? null : Math.max(...recent.map(({ length }) => length));
        expect(longestGap(gaps, now)).toBe(expected);
        expect(gaps.length).toBeLessThanOrEqual(25);
      }),
    );
  });
});
