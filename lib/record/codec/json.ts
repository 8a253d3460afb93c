import { TextError } from './text-error.js';

/** The latest and the earliest time, in ms from the epoch: the difference of two can be stored as well. */
const LATEST = 2e15;
/** The same for other numbers. */
const LARGEST = 2 * LATEST;

/** @throws TextError for what is no JSON */
export function parseJson(text: string, format: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TextError(`${format} is not JSON`, { cause });
  }
}

/** @throws TextError for anything but a number that can be stored again; the same for the others, each for its kind */
export function asNumber(value: unknown): number {
  if (typeof value === 'number' && Math.abs(value) <= LARGEST) return value;
  throw new TextError('a number is missing');
}

/** Ms since the epoch. */
export function asTime(value: unknown): number {
  if (typeof value === 'number' && Math.abs(value) <= LATEST) return value;
  throw new TextError('a time is missing');
}

export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TextError('a string is missing');
}

export function asList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TextError('a list is missing');
}

/** @throws TextError where the list ends before the index */
export function itemAt<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new TextError('a list is too short');
  return item;
}

export function asNumbers(value: unknown): number[] {
  return asList(value).map(asNumber);
}

/** The properties of an object by name: foreign names must not find those of Object.prototype. */
export function asObject(value: unknown): ReadonlyMap<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return new Map(Object.entries(value));
  }
  throw new TextError('an object is missing');
}

export function orNull<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null || value === undefined ? null : read(value);
}
