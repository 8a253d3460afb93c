import type { Outcome } from '../types.js';

/** Totals since a target was added. Times in ms. */
export interface Counters {
  readonly pings: number;
  readonly failures: number;
  /** Time in which checks were expected: enabled, in active hours, outside maintenance. */
  readonly expected: number;
  /** The part of it for which a check speaks. */
  readonly observed: number;
  /** The part of it for which a check speaks that did not fail. */
  readonly good: number;
  readonly coldStarts: number;
  /** Time in which its host is known to have been awake; counted when the ping after it is answered. */
  readonly awake: number;
  /** Time in which its host is known to have slept. */
  readonly slept: number;
}

export const NOTHING: Counters = {
  pings: 0,
  failures: 0,
  expected: 0,
  observed: 0,
  good: 0,
  coldStarts: 0,
  awake: 0,
  slept: 0,
};

/** The last check, as far as it says something about the time after it. */
export interface LastCheck {
  readonly lastCheckAt: number | null;
  readonly lastOutcome: Outcome | null;
}

/** A time without a check, and the last check before it. */
export interface UncheckedTime {
  readonly lastCheck: LastCheck;
  /** For how long it speaks, ms. */
  readonly reach: number;
  readonly from: number;
  readonly to: number;
}

/** The stretches of [from, to) in which checks count, ascending. */
export type CountedIntervals = (from: number, to: number) => readonly (readonly [from: number, to: number])[];

/**
 * For how long a check speaks at most, ms: its interval and a grace of one tick or one interval, whichever is shorter.
 */
export function reachOf(interval: number, tick: number): number {
  return interval + Math.min(tick, interval);
}

/**
 * Until when the last check speaks for the time after `from`. One that lies after `from` was dated by a wrong clock.
 */
function speaksUntil({ lastCheckAt }: LastCheck, reach: number, from: number): number {
  return lastCheckAt === null || lastCheckAt > from ? from : Math.max(from, lastCheckAt + reach);
}

/** How much of [from, to) no check speaks for, when nothing was checked since `from`. */
export function unobservedTime({ lastCheck, reach, from, to }: UncheckedTime): number {
  return Math.max(0, to - speaksUntil(lastCheck, reach, from));
}

/**
 * The counters at `to`, when nothing was checked since `from`. The last check speaks for `reach` ms after it was made; what
 * lies beyond was expected and not observed.
 */
export function extend(
  counters: Counters,
  { lastCheck, reach, from, to }: UncheckedTime,
  counted: CountedIntervals,
): Counters {
  if (to <= from) return counters;
  const end = speaksUntil(lastCheck, reach, from);
  let expected = 0;
  let observed = 0;
  for (const [start, stop] of counted(from, to)) {
    expected += stop - start;
    observed += Math.max(0, Math.min(stop, end) - start);
  }
  return {
    ...counters,
    expected: counters.expected + expected,
    observed: counters.observed + observed,
    good: counters.good + (lastCheck.lastOutcome === 'failed' ? 0 : observed),
  };
}

export function difference(a: Counters, b: Counters): Counters {
  return {
    pings: a.pings - b.pings,
    failures: a.failures - b.failures,
    expected: a.expected - b.expected,
    observed: a.observed - b.observed,
    good: a.good - b.good,
    coldStarts: a.coldStarts - b.coldStarts,
    awake: a.awake - b.awake,
    slept: a.slept - b.slept,
  };
}

/** Good time over observed time, 0 to 1; null when nothing was observed. */
export function uptimeRatio(counters: Counters): number | null {
  return ratio(counters.good, counters.observed);
}

/** Observed time over expected time, 0 to 1; null when nothing was expected. */
export function coverage(counters: Counters): number | null {
  return ratio(counters.observed, counters.expected);
}

/** Pings that did not fail, in percent with one digit ("100.0"); null before the first. */
export function successRate(pings: number, failures: number): string | null {
  return pings === 0 ? null : (((pings - failures) / pings) * 100).toFixed(1);
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? Math.round((part / whole) * 1e6) / 1e6 : null;
}
