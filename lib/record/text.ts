/**
 * Whole numbers as printable text that needs no escaping in JSON: 92 characters, ASCII 33 to 126 without `"` and `\`.
 * A number takes as many characters as its size asks for and tells itself where it ends: each character carries a
 * digit to the base 46 and whether more follow.
 */
const ALPHABET = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).filter(
  (char) => char !== '"' && char !== '\\',
);
/** By character code; -1: none of ours. */
const CODES = Int8Array.from({ length: 127 }, (_, char) => ALPHABET.indexOf(String.fromCharCode(char)));
const BASE = 46;
/** Two characters hold a number below this. */
export const PAIR = ALPHABET.length ** 2;

/** `value`: 0 to 2^53. */
export function writeNumber(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('not a whole number from 0');
  let text = '';
  let rest = value;
  while (rest >= BASE) {
    text += charOf(BASE + (rest % BASE));
    rest = Math.floor(rest / BASE);
  }
  return text + charOf(rest);
}

/** `value`: 0 to PAIR - 1, always two characters. */
export function writePair(value: number): string {
  return charOf(Math.floor(value / ALPHABET.length)) + charOf(value % ALPHABET.length);
}

/** Folds small negative numbers in among small positive ones. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Text that is not what was written. */
export class TextError extends Error {
  override readonly name = 'TextError';
}

export class TextReader {
  private position = 0;
  constructor(private readonly text: string) {}

  get done(): boolean {
    return this.position >= this.text.length;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= BASE) {
      const code = this.code();
      value += (code % BASE) * scale;
      if (code < BASE) return value;
      if (scale > Number.MAX_SAFE_INTEGER) throw new TextError('a number without an end');
    }
  }

  pair(): number {
    return this.code() * ALPHABET.length + this.code();
  }

  /** The text of so many numbers, which are not looked at. */
  numbers(count: number): string {
    const start = this.position;
    for (let left = count; left > 0;) if (this.code() < BASE) left -= 1;
    return this.text.slice(start, this.position);
  }

  /** Passes over so many pairs, which are not looked at. */
  skipPairs(count: number): void {
    this.position += 2 * count;
    if (this.position > this.text.length) throw new TextError('a text that is too short');
  }

  private code(): number {
    const code = CODES[this.text.charCodeAt(this.position)] ?? -1;
    if (code < 0) throw new TextError(`unexpected character at ${this.position}`);
    this.position += 1;
    return code;
  }
}

function charOf(code: number): string {
  return ALPHABET[code] ?? '';
}
