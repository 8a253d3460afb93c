import type { TargetMark } from '../record/marks.js';
import { DAY, dayEndingAt, HOUR, markOf } from '../record/marks.js';
import type { TargetState } from '../record/state.js';
import { newTarget } from '../record/state.js';
import { markAt } from '../record/targets.js';
import type { Histogram } from '../rules/histogram.js';
import { add, EMPTY, subtract } from '../rules/histogram.js';
import { countedTime } from '../rules/windows.js';
import type { WatchedTarget } from '../types.js';
import type { Overview } from './load.js';
import { windowStart } from './load.js';

/** What is known of one target, and what was known of it at any marked time. */
export interface Account {
  /** False: no run has seen the target yet, what is known is a newcomer's. */
  readonly isSeen: boolean;
  readonly known: TargetState;
  readonly at: (time: number) => TargetMark;
}

export function openAccount(
  target: WatchedTarget,
  tick: number,
  { state, marks }: Overview,
  now: number,
): Account {
  const slot = state?.targets.findIndex((candidate) => candidate?.id === target.info.id) ?? -1;
  const known = state?.targets[slot] ?? newTarget(target.info.id, now);
  // After the clock was set back, or by a clock that is behind, hours were marked that are still to come.
  const markedUntil = Math.min(state?.markedHour ?? 0, Math.floor(now / HOUR)) * HOUR;
  const at = (time: number): TargetMark => {
    if (time > markedUntil) return markAt(known, target, time, tick);
    const mark = marks.get(time) ?? null;
    const marked = markOf(mark, slot);
    if (mark === null || mark.takenAt === time || !target.info.enabled) return marked;
    const expected = marked.figures.expected + countedTime(target, mark.takenAt, time);
    return {
      figures: { ...marked.figures, expected },
      latencies: dayEndingAt(mark.takenAt) === dayEndingAt(time) ? marked.latencies : EMPTY,
    };
  };
  return { isSeen: slot !== -1, known, at };
}

/** Latencies are counted by day: today's, and yesterday's beyond those before the window. */
export function lastDay(at: Account['at'], now: number): Histogram {
  const midnight = Math.floor(now / DAY) * DAY;
  const start = windowStart('24h', now);
  const before = start % DAY === 0 ? EMPTY : at(start).latencies;
  const today = now === midnight ? EMPTY : at(now).latencies;
  return add(today, subtract(at(midnight).latencies, before));
}

/** Of an hour or a day, or what has gone by of it: latencies are counted by day. */
export function latenciesBetween(from: number, start: TargetMark, end: TargetMark): Histogram {
  return from % DAY === 0 ? end.latencies : subtract(end.latencies, start.latencies);
}
