import fc from 'fast-check';
import { expect, it } from 'vitest';
import { spread, type AwakeShare } from '../../lib/rules/awake-line.js';

const hour = (awake: number, slept = 0) => ({ length: 60, awake, slept });

it.each([
  ['nothing known', [hour(0), hour(0)], [hour(0), hour(0)]],
  ['all within its hour', [hour(60), hour(50, 10)], [hour(60), hour(50, 10)]],
  ['counted in the hour of the next ping', [hour(0), hour(0), hour(130)], [hour(10), hour(60), hour(60)]],
  ['asleep for hours', [hour(0), hour(0), hour(5, 100)], [hour(0), hour(0, 45), hour(5, 55)]],
  ['more than there is', [hour(0), hour(200)], [hour(60), hour(60)]],
])('%s', (_, given, expected) => {
  expect(spread(given)).toEqual(expected);
});

it('fits, keeps what fits as a whole, and moves nothing forward', () => {
  const share = fc.record({
    length: fc.constant(60),
    awake: fc.integer({ min: 0, max: 200 }),
    slept: fc.integer({ min: 0, max: 200 }),
  });
  fc.assert(
    fc.property(fc.array(share, { maxLength: 30 }), (given) => {
      const found = spread(given);
      const sum = (from: readonly AwakeShare[], key: 'awake' | 'slept') =>
        from.reduce((all, each) => all + each[key], 0);
      for (const { length, awake, slept } of found) expect(awake + slept).toBeLessThanOrEqual(length);
      for (const key of ['awake', 'slept'] as const) {
        expect(sum(found, key)).toBeLessThanOrEqual(sum(given, key));
        for (let i = 0; i < given.length; i += 1) {
          expect(sum(found.slice(i), key)).toBeLessThanOrEqual(sum(given.slice(i), key));
        }
      }
    }),
  );
});
