import fc from 'fast-check';
import { TextError } from '../../../lib/record/codec/text-error.js';
import { describe, expect, it } from 'vitest';
import {
  PAIR,
  VarintReader,
  unzigzag,
  writeVarint,
  writePair,
  zigzag,
} from '../../../lib/record/codec/varint.js';

describe('numbers as text', () => {
  it('come back in turn, and need no escaping in JSON', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat()), (numbers) => {
        const text = numbers.map(writeVarint).join('');
        const reader = new VarintReader(text);
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
    expect(writeVarint(number)).toHaveLength(length);
  });

  it('in pairs take two characters', () => {
    for (let value = 0; value < PAIR; value += 1) {
      const text = writePair(value);
      expect(text).toHaveLength(2);
      expect(new VarintReader(text).pair()).toBe(value);
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
    expect(() => writeVarint(value)).toThrow(RangeError);
  });

  it('say where a foreign text cannot be read', () => {
    expect(() => new VarintReader('\u0000').number()).toThrow(TextError);
    expect(() => new VarintReader('').pair()).toThrow(TextError);
  });
});
