import { DAY, HOUR, MINUTE, SECOND } from '../time.js';
import { offsetAt } from './windows.js';

/** A number with its unit: days, hours, minutes, seconds, milliseconds. */
export interface Quantity {
  readonly count: number;
  readonly unit: 'd' | 'h' | 'm' | 's' | 'ms';
  /** Digits behind the point that are always shown. */
  readonly digits?: number;
}

/** A length in ms as at most two quantities: the two largest units, the smaller only where it says something. */
export function lengthParts(ms: number): Quantity[] {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return [{ count: seconds, unit: 's' }];
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return [{ count: minutes, unit: 'm' }];
  if (minutes < 24 * 60) {
    return joined({ count: Math.floor(minutes / 60), unit: 'h' }, { count: minutes % 60, unit: 'm' });
  }
  const hours = Math.round(minutes / 60);
  return hours < 72
    ? joined({ count: Math.floor(hours / 24), unit: 'd' }, { count: hours % 24, unit: 'h' })
    : [{ count: Math.round(hours / 24), unit: 'd' }];
}

/** `45 s`, `12 m`, `3 h 20 m`, `12 d` */
export function lengthInWords(ms: number): string {
  return inWords(lengthParts(ms));
}

const UNITS = [
  [DAY, 'd'],
  [HOUR, 'h'],
  [MINUTE, 'm'],
] as const;

/** An interval or a limit that is configured, in ms, exactly. */
export function intervalParts(ms: number): Quantity[] {
  let rest = ms;
  const parts: Quantity[] = [];
  for (const [size, unit] of UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0) parts.push({ count, unit });
    rest -= count * size;
  }
  if (rest > 0 || parts.length === 0) parts.push({ count: rest / 1000, unit: 's' });
  return parts;
}

/** `10 s`, `7 m 30 s`, `12 h` */
export function intervalInWords(ms: number): string {
  return inWords(intervalParts(ms));
}

const ROUND_LENGTHS = [
  DAY,
  HOUR,
  30 * MINUTE,
  10 * MINUTE,
  5 * MINUTE,
  MINUTE,
  30 * SECOND,
  10 * SECOND,
  5 * SECOND,
  SECOND,
];
const ROUNDED_BY = 0.03;

/** `10 m`, `7 m 30 s`: an interval that was measured, rounded by 3 % at most (or to whole seconds). */
export function paceInWords(ms: number): string {
  const rounded = ROUND_LENGTHS.map((length) => Math.round(ms / length) * length);
  const near = rounded.find((length) => length > 0 && Math.abs(length - ms) <= ROUNDED_BY * ms);
  return intervalInWords(near ?? Math.max(1, Math.round(ms / 1000)) * 1000);
}

function joined(large: Quantity, small: Quantity): Quantity[] {
  return small.count === 0 ? [large] : [large, small];
}

function inWords(parts: readonly Quantity[]): string {
  return parts
    .map(({ count, unit, digits = 0 }) => `${digits === 0 ? count : count.toFixed(digits)} ${unit}`)
    .join(' ');
}

/** `12:03 UTC`, `13:03 CET`, with the date where it is more than 12 hours from `now`. */
export function timeInWords(at: number, now: number, timeZone: string): string {
  const iso = wallClock(at, timeZone);
  const time = `${iso.slice(11, 16)} ${zoneName(at, timeZone)}`;
  return Math.abs(now - at) > 12 * HOUR ? `${iso.slice(0, 10)} ${time}` : time;
}

/** `2026-11-20`: the day on which it is in the zone. */
export function dateInWords(at: number, timeZone: string): string {
  return wallClock(at, timeZone).slice(0, 10);
}

/** What a clock in the zone shows, as an ISO time. */
function wallClock(at: number, timeZone: string): string {
  return new Date(at + offsetAt(timeZone, at)).toISOString();
}

/** Each of these has short names for the zones of its own part of the world. */
const LOCALES = ['en-GB', 'en-US', 'en-AU'];
/** By locale and zone: making one takes much longer than using it. */
const nameFormats = new Map<string, Intl.DateTimeFormat>();

/**
 * `CET`, `EDT`; `GMT+5:30` where the zone has no short name. A zone has a different name at
 * each of its offsets, so the name tells apart the times that its clock shows twice.
 */
function zoneName(at: number, timeZone: string): string {
  let name = 'UTC';
  if (timeZone === name) return name;
  for (const locale of LOCALES) {
    const key = `${locale} ${timeZone}`;
    const format =
      nameFormats.get(key) ?? new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'short' });
    nameFormats.set(key, format);
    // `20/11/2026, CET`
    name = /\S+$/.exec(format.format(at))?.[0] ?? name;
    if (!/^GMT[+-]/.test(name)) break;
  }
  return name;
}

/** A span shorter than this is given to the second: to the minute, both ends could be the same. */
const SHORT_SPAN = 10 * MINUTE;

/**
 * `from 08:40 to 12:00 UTC`; with seconds where it is short, with the dates where `timeInWords` names one. Where the clock
 * changes in between, each end names its own time: `from 01:30 CEST to 04:00 CET`.
 */
export function spanInWords(from: number, to: number, now: number, timeZone: string): string {
  const digits = to - from < SHORT_SPAN ? 19 : 16;
  const first = wallClock(from, timeZone);
  const last = wallClock(to, timeZone);
  const [firstZone, lastZone] = [zoneName(from, timeZone), zoneName(to, timeZone)];
  const clock = (iso: string): string => iso.slice(11, digits);
  const isFar = now - from > 12 * HOUR;
  const firstDate = isFar ? `${first.slice(0, 10)} ` : '';
  const lastDate = isFar && first.slice(0, 10) !== last.slice(0, 10) ? `${last.slice(0, 10)} ` : '';
  const change = firstZone === lastZone ? '' : ` ${firstZone}`;
  return `from ${firstDate}${clock(first)}${change} to ${lastDate}${clock(last)} ${lastZone}`;
}

/** A latency in ms, with as many digits as say something. */
export function latencyPart(ms: number): Quantity {
  if (ms < 1000) return { count: ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms), unit: 'ms' };
  return ms < 10_000
    ? { count: ms / 1000, unit: 's', digits: 2 }
    : { count: Math.round(ms / 1000), unit: 's' };
}

/** `45 ms`, `1.24 s`, `32 s`; `–` for null. */
export function latencyInWords(ms: number | null): string {
  return ms === null ? '–' : inWords([latencyPart(ms)]);
}

/** `14 days`, `36 hours` */
export function durationText(ms: number): string {
  return ms >= 2 * DAY ? `${Math.round(ms / DAY)} days` : `${Math.round(ms / HOUR)} hours`;
}
