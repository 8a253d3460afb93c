import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isOurFault,
  withOpinions,
  withoutPlaces,
  type FailedCheck,
  type Opinion,
} from '../../lib/rules/opinions.js';
import { failedCheck } from '../support/targets.js';

const FAILED = failedCheck(0) as FailedCheck;
const well = (place: string): Opinion => ({ place, isWell: true });
const failing = (place: string): Opinion => ({ place, isWell: false });
const LONG = 'a-name-of-forty-characters.example.com.x';

describe('a failed check', () => {
  it.each([
    ['nobody else has an opinion', [], 'failed', 'status 503, expected 200-299'],
    ['one of two says that it is well', [well('fra1')], 'failed', 'status 503, expected 200-299'],
    [
      'two of three do',
      [well('fra1'), well('syd1')],
      'degraded',
      'answers from fra1 and syd1, not from here',
    ],
    [
      'both others see it failing',
      [failing('fra1'), failing('syd1')],
      'failed',
      'status 503, expected 200-299 (also from fra1 and syd1)',
    ],
    [
      'two of four do',
      [well('a'), well('b'), failing('c')],
      'failed',
      'status 503, expected 200-299 (also from c)',
    ],
    [
      'three of five do',
      [well('a'), well('b'), well('c'), failing('d')],
      'degraded',
      'answers from a, b and c, not from here',
    ],
    ['two in one place do', [well('fra1'), well('fra1')], 'degraded', 'answers from fra1, not from here'],
    [
      'more places do than there is room for',
      [well(LONG), well(`${LONG}y`), well(`${LONG}z`)],
      'degraded',
      `answers from ${LONG} and 2 more, not from here`,
    ],
  ] as const)('where %s', (_case, opinions, outcome, message) => {
    expect(withOpinions(FAILED, opinions)).toMatchObject({ outcome, message });
  });

  it('keeps its message where there is no room for a place, and says so without one where it is outvoted', () => {
    const long = { ...FAILED, message: 'x'.repeat(110) };
    expect(withOpinions(long, [failing('fra1')])).toBe(long);
    const endless = [well('x'.repeat(110)), well('y'.repeat(110))];
    expect(withOpinions(FAILED, endless).message).toBe('answers from other places, not from here');
  });

  const opinion = fc.record({ place: fc.stringMatching(/^[a-z0-9.:-]{1,40}$/), isWell: fc.boolean() });
  it('is degraded exactly where more than half of all opinions are that it is well, in 120 characters at most', () => {
    fc.assert(
      fc.property(fc.array(opinion, { maxLength: 10 }), (opinions) => {
        const check = withOpinions(FAILED, opinions);
        const goods = opinions.filter(({ isWell }) => isWell).length;
        expect(check.outcome === 'degraded').toBe(goods > opinions.length + 1 - goods);
        expect(check.reason).toBe(check.outcome === 'degraded' ? 'local' : 'status');
        expect(check.message?.length).toBeLessThanOrEqual(120);
        if (check.outcome === 'failed') expect(withoutPlaces(check.message)).toBe(FAILED.message);
      }),
    );
  });
});

describe('everything fails here, and the fault is ours', () => {
  it.each([
    ['where nobody has an opinion', [[], []], false],
    ['where one target alone is well elsewhere', [[well('a')], []], false],
    ['where two are', [[well('a')], [well('a')]], true],
    ['where two are, and of a third nobody knows', [[well('a')], [], [well('a')]], true],
    ['where one of three is failing elsewhere', [[well('a')], [failing('a')], [well('a')]], false],
    [
      'where peers are of two minds',
      [
        [well('a'), failing('b')],
        [well('a'), failing('b')],
      ],
      false,
    ],
    ['where most peers say so', [[well('a'), well('b'), failing('c')], [well('a')]], true],
  ] as const)('%s: %o is %s', (_case, byTarget, isOurs) => {
    expect(isOurFault(byTarget)).toBe(isOurs);
  });
});
