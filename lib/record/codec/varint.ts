import { TextError } from './text-error.js';

/**
 * Whole numbers as printable text that needs no escaping in JSON. The alphabet has 92 characters: ASCII 33 to 126
 * without `"` and `\`.
 *
 * A varint is one or more characters, the least significant digit first. Each carries a digit to the base 46; all but
 * the last have 46 added to it. A pair is two characters, the more significant first, to the base 92.
 *
 * Worked value: 100 = 8 + 2 × 46 is the characters number 54 (8 + 46) and 2: `X$`.
 */
const ALPHABET = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).filter(
  (char) => char !== '"' && char !== '\\',
);
/** The place of a character in the alphabet, by its character code; -1: it is not in it. */
const CODES = Int8Array.from({ length: 127 }, (_, char) => ALPHABET.indexOf(String.fromCharCode(char)));
const BASE = 46;
/** A pair holds a number below this. */
export const PAIR = ALPHABET.length ** 2;

/** @param value 0 to 2^53 - 1 */
export function writeVarint(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('not a whole number from 0');
  let text = '';
  let rest = value;
  while (rest >= BASE) {
    text += charOf(BASE + (rest % BASE));
    rest = Math.floor(rest / BASE);
  }
  return text + charOf(rest);
}

/** @param value 0 to PAIR - 1; it always takes two characters */
export function writePair(value: number): string {
  if (!Number.isInteger(value) || value < 0 || value >= PAIR) throw new RangeError('not a pair');
  return charOf(Math.floor(value / ALPHABET.length)) + charOf(value % ALPHABET.length);
}

/** Maps whole numbers to whole numbers from 0, small ones to small ones: 0, -1, 1, -2 become 0, 1, 2, 3. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Appends numbers and strings to a text. */
export class VarintWriter {
  text = '';

  /** @param base the time that times are stored relative to, in ms since the epoch */
  constructor(readonly base = 0) {}

  number(value: number): void {
    this.text += writeVarint(value);
  }

  /** The string as it is, without its length. A lone surrogate becomes U+FFFD: UTF-8 cannot hold it. */
  string(value: string): void {
    this.text += value.replace(/\p{Surrogate}/gu, '\ufffd');
  }
}

/** Reads a text from its beginning. Every method throws a TextError where the text holds something else, or ends. */
export class VarintReader {
  private position = 0;

  /** @param base as for VarintWriter */
  constructor(
    private readonly text: string,
    readonly base = 0,
  ) {}

  get done(): boolean {
    return this.position >= this.text.length;
  }

  number(): number {
    let code = this.code();
    if (code < BASE) return code;
    let value = code - BASE;
    for (let scale = BASE; ; scale *= BASE) {
      code = this.code();
      value += (code % BASE) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new TextError('a number is too large');
      if (code < BASE) return value;
      if (scale > Number.MAX_SAFE_INTEGER) throw new TextError('a number has no end');
    }
  }

  pair(): number {
    return this.code() * ALPHABET.length + this.code();
  }

  /** @param length in UTF-16 code units */
  string(length: number): string {
    const start = this.position;
    this.skip(length);
    return this.text.slice(start, this.position);
  }

  /** The text of so many numbers below 46^9, which are not decoded. */
  numbers(count: number): string {
    const start = this.position;
    for (let left = count, digits = 1; left > 0; digits += 1) {
      if (digits > 9) throw new TextError('a number is too large');
      if (this.code() < BASE) {
        left -= 1;
        digits = 0;
      }
    }
    return this.text.slice(start, this.position);
  }

  /** Passes over so many pairs, which are not decoded. */
  skipPairs(count: number): void {
    this.skip(2 * count);
  }

  private skip(length: number): void {
    this.position += length;
    if (this.position > this.text.length) throw new TextError('the text is too short');
  }

  private code(): number {
    const code = CODES[this.text.charCodeAt(this.position)] ?? -1;
    if (code < 0) throw new TextError(`unexpected character at ${this.position}`);
    this.position += 1;
    return code;
  }
}

function charOf(code: number): string {
  const char = ALPHABET[code];
  if (char === undefined) throw new RangeError('no character has this code');
  return char;
}
