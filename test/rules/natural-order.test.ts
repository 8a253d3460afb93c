import { expect, it } from 'vitest';
import { compareNaturally } from '../../lib/rules/natural-order.js';

const ORDERED = [
  '',
  '-1',
  '0',
  '01',
  '1',
  '1-a',
  '2',
  '10',
  '10-2',
  '10-10',
  'a',
  'a-1',
  'a01-z',
  'a1',
  'a1-b',
  'a1b',
  'a1b2',
  'a1b10',
  'a2',
  'a02-c',
  'a3',
  'a10',
  'a99999999999999999998',
  'a99999999999999999999',
  `b${'9'.repeat(400)}`,
  `b${'9'.repeat(401)}`,
  'ab',
];

it('compares the numbers in texts by their value, and what is equal then letter by letter', () => {
  const names = ['t10', 't1', 't2-b', 't2', 't2-a', 't01', 'other', 't10-10', 't10-9'];
  expect(names.toSorted(compareNaturally)).toEqual([
    'other',
    't01',
    't1',
    't2',
    't2-a',
    't2-b',
    't10',
    't10-9',
    't10-10',
  ]);
});

it('has one order for all texts, whatever they are compared with', () => {
  for (const a of ORDERED)
    for (const b of ORDERED) {
      expect(Math.sign(compareNaturally(a, b)) + Math.sign(compareNaturally(b, a))).toBe(0);
      expect(compareNaturally(a, b) === 0).toBe(a === b);
      for (const c of ORDERED)
        if (compareNaturally(a, b) < 0 && compareNaturally(b, c) < 0)
          expect([a, b, c, compareNaturally(a, c) < 0]).toEqual([a, b, c, true]);
    }
});
