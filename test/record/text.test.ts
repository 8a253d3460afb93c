import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  PAIR,
  TextError,
  TextReader,
  unzigzag,
  writeNumber,
  writePair,
  zigzag,
} from '../../lib/record/text.js';

describe('numbers as text', () => {
  it('come back in turn, and need no escaping in JSON', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat()), (numbers) => {
        const text = numbers.map(writeNumber).join('');
        const reader = new TextReader(text);
        expect(numbers.map(() => reader.number())).toEqual(numbers);
        expect(reader.done).toBe(true);
        expect(JSON.stringify(text)).toHaveLength(text.length + 2);
      }),
    );
  });

  it.each([
    [0, 1],
    [45, 1],
    [46, 2],
    [2115, 2],
    [2116, 3],
  ])('%i takes %i characters', (number, length) => {
    expect(writeNumber(number)).toHaveLength(length);
  });

  it('in pairs take two characters', () => {
    for (let value = 0; value < PAIR; value += 1) {
      const text = writePair(value);
      expect(text).toHaveLength(2);
      expect(new TextReader(text).pair()).toBe(value);
    }
  });

  it('fold negative numbers in', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        expect(unzigzag(zigzag(value))).toBe(value);
      }),
    );
  });

  it.each([[-1], [0.5], [Number.NaN]])('refuse %d', (value) => {
    expect(() => writeNumber(value)).toThrow(RangeError);
  });

  it('say where a foreign text cannot be read', () => {
    expect(() => new TextReader('\u0000').number()).toThrow(TextError);
    expect(() => new TextReader('').pair()).toThrow(TextError);
  });
});
