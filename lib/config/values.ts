import * as z from '#zod';
import { isSingleLine } from '../single-line.js';
import { DAY, HOUR, MINUTE } from '../time.js';

/**
 * How a value may be written in a targets file besides as the text that a variable has: JSON Schema is made of it.
 * `list`: entries in a list, between which `separator` stands in a text. `map`: names and texts, in a text as JSON.
 */
export type Form =
  | { readonly kind: 'text' | 'flag' | 'map' }
  | { readonly kind: 'amount'; readonly units: readonly string[]; readonly mayBeOff: boolean }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'word'; readonly words: readonly string[] }
  | { readonly kind: 'list'; readonly separator: ',' | ';'; readonly words?: readonly string[] };

/** Turns the text of a variable into a value. A failure says what was expected, never what was found. */
export type Value<T> = z.ZodMiniType<T, string> & { readonly expected: string; readonly form: Form };

/**
 * Thrown by a `parse` that can say more precisely what is wrong than its general expectation does. The message becomes
 * the problem's, so it holds no part of the value.
 */
export class InvalidValue extends Error {
  override readonly name = 'InvalidValue';
}

/**
 * `parse` gives undefined for a text that is not what was `expected`. It may also throw: an `InvalidValue` replaces the
 * general message, any other error counts as undefined.
 */
export function value<T>(
  expected: string,
  parse: (text: string) => T | undefined,
  form: Form = { kind: 'text' },
): Value<T> {
  const convert = z.transform((text: string, context) => {
    let message = `expected ${expected}`;
    try {
      const parsed = parse(text);
      if (parsed !== undefined) return parsed;
    } catch (error) {
      if (error instanceof InvalidValue) message = error.message;
    }
    if (isQuoted(text)) message += ', without quotes around it';
    context.issues.push({ code: 'custom', message, input: text });
    return z.NEVER;
  });
  return Object.assign(z.pipe(z.string(), convert), { expected, form });
}

/** What a `Value` said of a text that it did not take: it has one thing to say. */
export function expectationOf({ issues: [issue] }: z.core.$ZodError): string {
  return issue?.message ?? 'not valid';
}

/** Whether a text stands in quotes, which a shell takes away and most other places do not. */
export function isQuoted(text: string): boolean {
  return /^(["'`]).*\1$|^[“”„‘’].*[“”‘’]$/s.test(text);
}

export function isOff(text: string): boolean {
  return /^(?:off|none)$/i.test(text);
}

const UNITS = new Map(Object.entries({ ms: 1, s: 1000, m: MINUTE, h: HOUR, d: DAY }));

/** `90s` as milliseconds, a bare number as it is, rounded to whole ones; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  return parseAmount(text, UNITS);
}

/** A duration in ms; the bounds are durations too, and included. */
export function duration(min: string, max: string): Value<number> {
  return value(
    `a duration such as 30s, 10m or 2h, from ${min} to ${max}`,
    (text) => within(parseDuration(text), parseDuration(min), parseDuration(max)),
    { kind: 'amount', units: [...UNITS.keys()], mayBeOff: false },
  );
}

/** The same, or 0 for `off` and `0`. */
export function durationOrOff(min: string, max: string): Value<number> {
  return value(
    `a duration such as 30s, 10m or 2h, from ${min} to ${max}, or off`,
    (text) => {
      const parsed = isOff(text) ? 0 : parseDuration(text);
      return parsed === 0 ? 0 : within(parsed, parseDuration(min), parseDuration(max));
    },
    { kind: 'amount', units: [...UNITS.keys()], mayBeOff: true },
  );
}

const SIZES = new Map(Object.entries({ b: 1, kb: 1024, mb: 1024 ** 2 }));

/** A number of bytes, 1kb being 1,024. */
export function size(min: string, max: string): Value<number> {
  const parse = (text: string) => parseAmount(text, SIZES);
  return value(
    `a size such as 64kb or 1mb, from ${min} to ${max}`,
    (text) => within(parse(text), parse(min), parse(max)),
    { kind: 'amount', units: [...SIZES.keys()], mayBeOff: false },
  );
}

export function integer(min: number, max: number): Value<number> {
  return value(
    `a whole number from ${min} to ${max}`,
    (text) => (/^\d+$/.test(text) ? within(Number(text), min, max) : undefined),
    { kind: 'integer', min, max },
  );
}

/** Any decimal number. */
export const decimal = value('a number such as 10, -1 or 2.5', (text) =>
  /^-?\d{1,9}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined,
);

const FLAGS: ReadonlyMap<string, boolean> = new Map(
  Object.entries<boolean>({
    true: true,
    '1': true,
    yes: true,
    on: true,
    false: false,
    '0': false,
    no: false,
    off: false,
  }),
);

export const flag = value('true or false', (text) => FLAGS.get(text.toLowerCase()), { kind: 'flag' });

export function oneOf<const T extends string>(words: readonly T[]): Value<T> {
  return value(`one of ${words.join(', ')}`, (text) => words.find((word) => word === text.toLowerCase()), {
    kind: 'word',
    words,
  });
}

export const text = value<string>('a text', (found) => found);

/** What people read in one line: alerts put it into mail headers. */
export const label = line(100);

/** Without control characters, and without what turns the direction of the text behind it. */
export function line(longest: number): Value<string> {
  return value(`one line of at most ${longest} characters`, (found) =>
    found !== '' && isSingleLine(found) && Array.from(found).length <= longest ? found : undefined,
  );
}

/** Fit to be sent in an HTTP header. */
export function secret(minLength: number): Value<string> {
  return value(`at least ${minLength} characters, printable ASCII only`, (found) =>
    found.length >= minLength && /^[\x20-\x7e]+$/.test(found) ? found : undefined,
  );
}

export function matching(expected: string, form: RegExp): Value<string> {
  return value(expected, (found) => (form.test(found) ? found : undefined));
}

function parseAmount(amount: string, units: ReadonlyMap<string, number>): number | undefined {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(amount) ?? [];
  const word = unit.toLowerCase();
  const factor = word === '' ? 1 : units.get(word);
  return digits === undefined || factor === undefined ? undefined : Math.round(Number(digits) * factor);
}

function within(
  number: number | undefined,
  min: number | undefined,
  max: number | undefined,
): number | undefined {
  if (number === undefined || min === undefined || max === undefined) return undefined;
  return number >= min && number <= max ? number : undefined;
}
