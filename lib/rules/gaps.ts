import { HOUR } from '../time.js';

const DAY_IN_HOURS = 24;

/**
 * The longest gaps of the last day, enough to tell the maximum of any later 24 hours: a gap stays until a longer or
 * equal one ends after it, one an hour at most. Latest last, so lengths fall strictly along the list.
 */
export type Gaps = readonly Gap[];

export interface Gap {
  /** The hour in which it ended, counted from the epoch. */
  readonly hour: number;
  readonly length: number;
}

export function withGap(gaps: Gaps, endedAt: number, length: number): Gaps {
  const hour = Math.floor(endedAt / HOUR);
  const longer = gaps.filter((gap) => gap.length > length && gap.hour >= hour - DAY_IN_HOURS);
  const covered = longer.at(-1)?.hour === hour;
  return covered ? longer : [...longer, { hour, length }];
}

/** The longest gap that ended in the hour of `now` or the 24 before it; null when none did. */
export function longestGap(gaps: Gaps, now: number): number | null {
  return gaps.find((gap) => isRecent(gap.hour, now))?.length ?? null;
}

/** Whether a time lies in the hour of `now` or the 24 before it, or later. */
export function isInLastDay(time: number, now: number): boolean {
  return isRecent(Math.floor(time / HOUR), now);
}

function isRecent(hour: number, now: number): boolean {
  return hour >= Math.floor(now / HOUR) - DAY_IN_HOURS;
}
