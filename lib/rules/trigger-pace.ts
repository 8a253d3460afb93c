import type { SlowTarget, SlowTargets } from '../types.js';
import { HOUR } from '../time.js';

/** After this many ticks without a run, nothing is being pinged any more. */
export const CRITICAL_AFTER_TICKS = 3;

/** How often runs come, whoever triggers them. Durations in ms. */
export interface TriggerPace {
  /** What KEEP_ALIVE_TICK says. */
  readonly expected: number;
  /** The median time between two of the last runs; null: too few came to tell, or none comes any more. */
  readonly actual: number | null;
  /** The longest time between two of the last runs; null where `actual` is. */
  readonly longest: number | null;
}

/** Of the last runs. */
export interface RunTimes {
  /** From the start of each run to the start of the next one, in whole seconds, oldest first. */
  readonly intervals: readonly number[];
  /** When the latest run started; null: there was none. */
  readonly lastAt: number | null;
}

/** What limits the rounds of a run, in ms. */
export interface RoundLimits {
  readonly tick: number;
  /** How long after the start of a run the plan allows rounds to begin; absent: no plan limits them. */
  readonly longestRounds?: number;
}

/** What decides how often a target is checked, besides its own interval. */
export interface CheckTimes extends RoundLimits {
  /** Time between two runs. */
  readonly pace: number;
  /** How long the last run took: targets with short intervals are checked in rounds meanwhile. 0: not known. */
  readonly lastRunMs: number;
}

interface Paced {
  readonly id: string;
  readonly enabled: boolean;
  readonly interval: number;
  readonly sleepsAfter: number | null;
}

/** How many intervals between runs are kept: enough for the median below where every trigger comes twice. */
export const INTERVALS_KEPT = 20;
/**
 * The median (the lower one of two) is taken over the latest of them, so that a changed trigger shows after six runs.
 */
const INTERVALS_COMPARED = 11;
/** Intervals needed before the trigger's real pace is inferred. */
const INTERVALS_NEEDED = 4;
/** Without a run for this many usual intervals, runs have stopped and have no pace. */
const STOPPED_AFTER = 3;
/** A pace counts as too slow only beyond this factor, since triggers are a little late now and then. */
const TOLERANCE = 1.1;
/**
 * The latest start of a round, in ms after the start of its run: the time limit of a function, less what recording
 * needs.
 */
const LONGEST_ROUNDS = 260_000;
/** The last round begins no later than this before the next run. */
export const ROUND_MARGIN = 2_000;
const TARGETS_NAMED = 10;

/** Runs are missing when none came for so many ticks, or for so many times as long as usual. */
export const MISSED_AFTER_TICKS = 2;
/**
 * People are told of a longer gap. On Vercel's free plan the calls of vercel.json are up to 75 minutes apart, with a
 * default tick of 30 minutes: such a gap is no news.
 */
const TOLD_AFTER_TICKS = 2.5;
/** A longer gap, in ms, is reported at once, even where no run has come in time yet. */
const HELD_AT_MOST = HOUR;

/** Adds the time since the last start, unless it is below half a second or the clock was set back. */
export function withInterval(intervals: readonly number[], lastAt: number, now: number): readonly number[] {
  const seconds = (now - lastAt) / 1000;
  // Triggers vary by a second or two. Rounded, the intervals are equal numbers, which take less space when deflated.
  const [, step = 1] = STEPS.findLast(([from]) => seconds >= from) ?? [];
  const rounded = Math.round(seconds / step) * step;
  return rounded < 1 ? intervals : [...intervals, rounded].slice(-INTERVALS_KEPT);
}

/** From so many seconds, intervals are kept to this many. */
const STEPS: readonly (readonly [from: number, step: number])[] = [
  [0, 1],
  [20, 2],
  [45, 5],
  [600, 30],
];

export function triggerPace({ intervals, lastAt }: RunTimes, tick: number, now: number): TriggerPace {
  const unknown = { expected: tick, actual: null, longest: null };
  const apart = withoutDoubled(intervals, tick);
  const recent = apart.slice(-INTERVALS_COMPARED).sort((a, b) => a - b);
  const actual = recent[Math.floor((recent.length - 1) / 2)];
  if (actual === undefined || recent.length < INTERVALS_NEEDED || lastAt === null) return unknown;
  if (now - lastAt > STOPPED_AFTER * Math.max(actual, tick)) return unknown;
  return { expected: tick, actual, longest: Math.max(...apart) };
}

/**
 * The intervals in ms, without runs that follow another one within half a tick and within a twelfth of what is usual:
 * a trigger that was sent twice, or two triggers that are set for the same minute.
 */
function withoutDoubled(intervals: readonly number[], tick: number): number[] {
  const lengths = intervals.map((seconds) => seconds * 1000);
  // The fifth longest of 20: longer ones may be outages, and shorter ones may be triggers that fired up to four times.
  // With more than a twelfth of it, calls at random minutes would be taken for doubled ones.
  const usual = lengths.toSorted((a, b) => a - b)[Math.floor(lengths.length * 0.8)];
  if (usual === undefined) return [];
  const doubled = Math.min(tick / 2, usual / 12);
  const apart: number[] = [];
  let since = 0;
  for (const length of lengths) {
    since += length;
    if (length < doubled) continue;
    apart.push(since);
    since = 0;
  }
  return apart;
}

/** Intervals needed to tell how many runs a month will have. */
const INTERVALS_COUNTED = 10;

/**
 * The mean time between two runs in ms, at the tick where too few have come to tell: what runs cost goes by their number,
 * however irregularly they come.
 */
export function meanInterval(intervals: readonly number[], tick: number): number {
  if (intervals.length < INTERVALS_COUNTED) return tick;
  return (intervals.reduce((sum, seconds) => sum + seconds, 0) / intervals.length) * 1000;
}

/** Whether runs come more seldom than KEEP_ALIVE_TICK says. */
export function isSlow({ actual, expected }: Pick<TriggerPace, 'actual' | 'expected'>): boolean {
  return actual !== null && actual > TOLERANCE * expected;
}

/**
 * The longest time between two checks of a target with such an interval. In a run, rounds begin for as long as the next
 * run is not near and the plan allows it. After the last of them it is due in a later run, by the rule of `isDue`.
 */
export function checkSpacing(interval: number, times: CheckTimes): number {
  const { pace, tick } = times;
  const window = Math.max(roundsWindow(times), times.lastRunMs);
  const lastRound = Math.floor(Math.min(window, pace) / interval) * interval;
  const dueFrom = lastRound + interval - Math.min(interval, tick) / 2;
  const nextRun = pace * Math.max(1, Math.ceil(dueFrom / pace));
  return Math.max(lastRound > 0 ? interval : 0, nextRun - lastRound);
}

/** How long after the start of a run rounds may begin, where nothing else keeps it going. */
export function roundsWindow({ tick, longestRounds = Infinity }: RoundLimits): number {
  return Math.min(tick - ROUND_MARGIN, LONGEST_ROUNDS, longestRounds);
}

/** The targets that runs come too seldom for: those that fall asleep, then those that are checked too seldom. */
export function tooSlowFor(targets: readonly Paced[], times: CheckTimes): SlowTargets {
  const slow = targets.flatMap(({ id, enabled, interval, sleepsAfter }): SlowTarget[] => {
    if (!enabled) return [];
    const checkedEvery = checkSpacing(interval, times);
    const sleeps = sleepsAfter !== null && interval < sleepsAfter && checkedEvery >= sleepsAfter;
    const isLate = Math.min(times.pace, checkedEvery) > TOLERANCE * interval;
    return sleeps || isLate
      ? [{ target: id, interval, checkedEvery, sleepsAfter: sleeps ? sleepsAfter : null }]
      : [];
  });
  const asleep = (each: SlowTarget): number => Number(each.sleepsAfter === null);
  return {
    count: slow.length,
    targets: slow.sort((a, b) => asleep(a) - asleep(b)).slice(0, TARGETS_NAMED),
  };
}

/**
 * How long an outage lasts at most until its alert: the time until the first check that fails, and the time of the
 * further ones that the threshold asks for.
 */
export function timeUntilDown(interval: number, failureThreshold: number, times: CheckTimes): number {
  const counting = checkSpacing(Math.min(interval, times.tick), times);
  return checkSpacing(interval, times) + (failureThreshold - 1) * counting;
}

/** A time without a run. */
interface LongGap {
  readonly from: number;
  readonly to: number;
}

/** What is known when a run begins, of the runs before it. */
export interface Before {
  readonly firstRunAt: number;
  readonly lastAt: number;
  readonly intervals: readonly number[];
  /** Times without a run before this one, latest last. */
  readonly gaps: readonly LongGap[];
}

/**
 * The gap in the runs to report; null: none. A gap as long as the usual interval is not reported, because the pace is.
 * While all intervals since the very first run were that long, it cannot be known whether runs are missing or the trigger
 * is that slow: a gap of up to an hour is then reported with the first run that comes in time.
 * @param gap the time without a run that ended with this one
 */
export function missedToTell(before: Before, gap: LongGap | null, tick: number, now: number): LongGap | null {
  const { firstRunAt, lastAt, intervals, gaps } = before;
  const limit = MISSED_AFTER_TICKS * tick;
  const known = intervals.reduce((sum, seconds) => sum + seconds * 1000, 0);
  // Intervals are rounded.
  const isWhole = lastAt - firstRunAt < 1.1 * known + 2000;
  const isOpen =
    isWhole && intervals.length < INTERVALS_NEEDED && intervals.every((seconds) => seconds * 1000 > limit);
  if (isOpen) {
    if (gap === null) return longestOf(gaps);
    const longest = Math.max(
      HELD_AT_MOST,
      ...intervals.map((seconds) => MISSED_AFTER_TICKS * seconds * 1000),
    );
    return gap.to - gap.from > longest ? gap : null;
  }
  if (gap === null || gap.to - gap.from <= TOLD_AFTER_TICKS * tick) return null;
  const usual = triggerPace({ intervals, lastAt }, tick, now).actual ?? tick;
  return gap.to - gap.from > MISSED_AFTER_TICKS * usual ? gap : null;
}

function longestOf(gaps: readonly LongGap[]): LongGap | null {
  return gaps.reduce<LongGap | null>(
    (longest, gap) => (longest === null || gap.to - gap.from > longest.to - longest.from ? gap : longest),
    null,
  );
}
