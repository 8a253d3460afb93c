import { DAY, HOUR, MINUTE } from '../time.js';
import { isDue } from './due.js';
import { roundsWindow, type RoundLimits } from './trigger-pace.js';

/**
 * What starts runs. `every`: a trigger that keeps its pace, period in ms. `daily-crons`: so many daily crons in each hour,
 * each of which comes once a day at some minute of its hour, as on Vercel's Hobby plan. `irregular`: the time between two
 * runs is drawn from a distribution.
 */
export type PlannedTrigger =
  | { readonly kind: 'every'; readonly period: number }
  | { readonly kind: 'daily-crons'; readonly anHour: number }
  | { readonly kind: 'irregular'; readonly gaps: readonly Quantile[] };

/** Which share of the times between two runs (0 to 1) is at most so long (ms). */
export interface Quantile {
  readonly share: number;
  readonly gap: number;
}

/**
 * The times between two runs that GitHub Actions makes of a schedule of every 5 minutes: 300 runs of one public repository
 * in August 2026 (https://github.com/Ambiguous-Interactive/unity-helpers/issues/448), of which the shortest is assumed: 5
 * minutes is all that GitHub allows. Others measured gaps of hours: it may be worse, and hardly better.
 */
export const GITHUB_GAPS: readonly Quantile[] = [
  { share: 0, gap: 5 * MINUTE },
  { share: 0.25, gap: 14.6 * MINUTE },
  { share: 0.5, gap: 21.3 * MINUTE },
  { share: 0.75, gap: 26.1 * MINUTE },
  { share: 0.9, gap: 34 * MINUTE },
  { share: 1, gap: 58.5 * MINUTE },
];

/** What a target asks of the trigger. Durations in ms. */
export interface PlannedTarget {
  readonly interval: number;
  /** Null: it does not sleep. */
  readonly sleepsAfter: number | null;
  readonly failureThreshold: number;
}

/** What a trigger makes of a target. Durations in ms. */
export interface Outlook {
  /** The longest time between two checks. */
  readonly longestGap: number;
  /** How often it falls asleep in 30 days; null: it does not sleep. */
  readonly sleeps: number | null;
  /** The part of the time (0 to 1) in which it is awake. */
  readonly awakeShare: number;
  /** From the beginning of an outage until it counts as down, on average. */
  readonly downAfter: number;
  readonly downAfterAtMost: number;
  /** In 30 days, while it is well. */
  readonly checksAMonth: number;
}

const MONTH = 30 * DAY;
/** Runs that are played at most: a week of runs every 10 s. */
const MOST_RUNS = 60_480;

/** When runs start, in ms from the beginning: of 30 days, or of as many as `MOST_RUNS` last. */
export function runTimes(trigger: PlannedTrigger, interval: number): number[] {
  if (trigger.kind === 'every') {
    const { period } = trigger;
    // All of it repeats itself: ten intervals show as much as a month.
    const length = Math.min(MONTH, Math.max(DAY, 10 * interval, 10 * period));
    return Array.from(
      { length: Math.min(MOST_RUNS, Math.ceil(length / period)) },
      (_, index) => index * period,
    );
  }
  const random = generator();
  if (trigger.kind === 'irregular') {
    const times = [0];
    for (let at = 0; (at += quantile(trigger.gaps, random())) < MONTH;) times.push(Math.round(at));
    return times;
  }
  const hours = MONTH / HOUR;
  return Array.from({ length: hours * trigger.anHour }, (_, index) => {
    const hour = Math.floor(index / trigger.anHour);
    return hour * HOUR + Math.floor(random() * 60) * MINUTE;
  }).sort((a, b) => a - b);
}

/** Plays the runs of a trigger, and looks at what a target gets of them. All of its checks are good but for outages. */
export function outlook(target: PlannedTarget, trigger: PlannedTrigger, limits: RoundLimits): Outlook {
  const { tick } = limits;
  const { interval, sleepsAfter, failureThreshold } = target;
  const runs = runTimes(trigger, interval);
  const checks: { readonly at: number; readonly run: number }[] = [];
  let lastCheckAt: number | null = null;
  for (const [run, at] of runs.entries()) {
    if (!isDue({ lastCheckAt, interval, settling: false }, tick, at)) continue;
    const until = roundsLength(interval, (runs[run + 1] ?? at + tick) - at, limits);
    lastCheckAt = at;
    checks.push({ at, run });
    for (let later = interval; later <= until; later += interval) {
      lastCheckAt = at + later;
      checks.push({ at: lastCheckAt, run });
    }
  }
  let [longestGap, sleeps, asleep, weighted, total, downAfterAtMost] = [0, 0, 0, 0, 0, 0];
  let previous: number | null = null;
  for (const [index, { at }] of checks.entries()) {
    const gap: number | null = previous === null ? null : at - previous;
    previous = at;
    if (gap === null) continue;
    longestGap = Math.max(longestGap, gap);
    if (sleepsAfter !== null && gap >= sleepsAfter) {
      sleeps += 1;
      asleep += gap - sleepsAfter;
    }
    const more = furtherFailures(index, failureThreshold - 1);
    if (more === null) continue;
    // Outages begin at any time between the two checks.
    weighted += gap * (gap / 2 + more);
    total += gap;
    downAfterAtMost = Math.max(downAfterAtMost, gap + more);
  }
  const played = (checks.at(-1)?.at ?? 0) - (checks[0]?.at ?? 0);
  return {
    longestGap,
    sleeps: sleepsAfter === null ? null : played === 0 ? 0 : Math.round((sleeps * MONTH) / played),
    awakeShare: played === 0 ? 1 : Math.round(1_000 * (1 - asleep / played)) / 1_000,
    downAfter: total === 0 ? 0 : Math.round(weighted / total),
    downAfterAtMost,
    checksAMonth: played === 0 ? checks.length : Math.round(((checks.length - 1) * MONTH) / played),
  };

  /** Ms from a failed check to the last of so many more; null: that is beyond what is played. */
  function furtherFailures(index: number, count: number): number | null {
    const first = checks[index];
    if (first === undefined) return null;
    let { at, run } = first;
    let next = index + 1;
    for (let i = 0; i < count; i += 1) {
      do run += 1;
      while (
        run < runs.length &&
        !isDue({ lastCheckAt: at, interval, settling: true }, tick, runs[run] ?? 0)
      );
      while ((checks[next]?.at ?? Infinity) <= at) next += 1;
      const soonest = Math.min(runs[run] ?? Infinity, checks[next]?.at ?? Infinity);
      if (soonest === Infinity) return null;
      if (soonest !== runs[run]) run = checks[next]?.run ?? run;
      at = soonest;
    }
    return at - first.at;
  }
}

/** Ms from the start of a run to its last round, for the shortest interval and the time until the next run. */
export function roundsLength(interval: number, untilNext: number, limits: RoundLimits): number {
  const window = Math.min(roundsWindow(limits), untilNext);
  return interval === Infinity ? 0 : Math.floor(window / interval) * interval;
}

/** Runs in 30 days. */
export function runsAMonth(trigger: PlannedTrigger): number {
  return MONTH / meanPace(trigger);
}

/** Ms between two runs on average. */
export function meanPace(trigger: PlannedTrigger): number {
  switch (trigger.kind) {
    case 'every':
      return trigger.period;
    case 'daily-crons':
      return HOUR / trigger.anHour;
    case 'irregular':
      return steps(trigger.gaps).reduce(
        (sum, [a, b]) => sum + (b.share - a.share) * ((a.gap + b.gap) / 2),
        0,
      );
  }
}

/** The gap that this share of all gaps is not longer than; between two known ones, in proportion. */
function quantile(gaps: readonly Quantile[], share: number): number {
  const [a, b] = steps(gaps).find(([, upper]) => share <= upper.share) ?? [];
  if (a === undefined || b === undefined) return gaps.at(-1)?.gap ?? 0;
  return a.gap + ((share - a.share) / (b.share - a.share)) * (b.gap - a.gap);
}

/** Each quantile with the next one. */
function steps(gaps: readonly Quantile[]): [Quantile, Quantile][] {
  return gaps.slice(1).flatMap((upper, i): [Quantile, Quantile][] => {
    const lower = gaps[i];
    return lower === undefined ? [] : [[lower, upper]];
  });
}

/** Numbers from 0 to 1 that look random and are always the same (mulberry32). */
function generator(): () => number {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
