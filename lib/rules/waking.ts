import type { Target } from '../types.js';

/** A wake whose end is not known yet. Times are ms since the epoch. */
export interface Waking {
  /** When the round of the first attempt began. */
  readonly since: number;
  /** How many attempts were made so far. */
  readonly attempts: number;
  /** When the last one ended. */
  readonly lastAt: number;
}

/**
 * For how long a function waits for a host that wakes, in ms. All of its time is paid for: with a run every two minutes of
 * which each waits for so long, the free plan's month is two thirds used (240 of 360 GB-hours, see allowances.ts).
 */
const LONGEST_WAIT = 20_000;

type Sleeper = Pick<Target, 'wakeTimeout'> & { readonly info: Pick<Target['info'], 'sleepsAfter'> };

/**
 * For how long a run waits for a host that wakes, in ms; what is still waking then stays open. Where the next run comes so
 * late that the host may have woken and fallen asleep again, this one waits until it knows.
 * @param pace ms between two runs
 * @param isOnVercel elsewhere waiting costs nothing
 */
export function longestWait(
  { info: { sleepsAfter } }: Sleeper,
  { pace, isOnVercel }: { readonly pace: number; readonly isOnVercel: boolean },
): number {
  if (!isOnVercel) return Infinity;
  return sleepsAfter !== null && pace >= sleepsAfter / 2 ? Infinity : LONGEST_WAIT;
}

/**
 * Whether an answer at `now` tells how an open check ended: a host that woke meanwhile is still awake. Later it may have
 * fallen asleep again.
 */
export function isDecidable({ lastAt }: Waking, { wakeTimeout, info }: Sleeper, now: number): boolean {
  return wakeTimeout > 0 && now - lastAt < (info.sleepsAfter ?? Infinity);
}
