import type { TargetSnapshot } from '../record/snapshots.js';
import { dayEndingAt, targetSnapshotOf } from '../record/snapshots.js';
import { type State, type TargetState, newTarget } from '../record/state-model.js';
import { snapshotAt } from '../record/targets.js';
import type { Histogram } from '../rules/histogram.js';
import { add, EMPTY, subtract } from '../rules/histogram.js';
import { countedTime } from '../rules/windows.js';
import type { WatchedTarget } from '../types.js';
import type { Overview } from './load.js';
import { windowStart } from './load.js';
import { DAY, HOUR } from '../time.js';

/** What is known of one target now, and what was known of it at any time that has a snapshot. */
export interface Timeline {
  /** False: no run has seen the target yet, and `known` is the state of a new target. */
  readonly isSeen: boolean;
  readonly known: TargetState;
  /** Null: the target existed then, and its snapshot is lost. */
  readonly at: (time: number) => TargetSnapshot | null;
}

export function openTimeline(
  target: WatchedTarget,
  tick: number,
  { state, snapshots }: Overview,
  now: number,
): Timeline {
  const slot = state === null ? -1 : (slotsOf(state).get(target.info.id) ?? -1);
  const known = state?.targets[slot] ?? newTarget(target.info.id, now);
  // After the clock was set back, or by a clock that is behind, there are snapshots of hours that are still to come.
  const snapshotsUntil = state === null ? 0 : Math.min(state.snapshotHour, Math.floor(now / HOUR)) * HOUR;
  const at = (time: number): TargetSnapshot | null => {
    const snapshot = snapshots.get(time) ?? null;
    // A run may have written the snapshot of the very hour that begins now. Unless it was read, what is known now
    // stands for it.
    if (time > snapshotsUntil || (time === now && snapshot === null))
      return snapshotAt(known, target, time, tick);
    if (snapshot === null && known.addedAt < time) return null;
    const stored = targetSnapshotOf(snapshot, slot);
    if (snapshot === null || snapshot.takenAt === time) return stored;
    const expected = stored.counters.expected + expectedTime(target, known, snapshot.takenAt, time);
    return {
      counters: { ...stored.counters, expected },
      latencies: dayEndingAt(snapshot.takenAt) === dayEndingAt(time) ? stored.latencies : EMPTY,
    };
  };
  return { isSeen: slot !== -1, known, at };
}

const slots = new WeakMap<State, ReadonlyMap<string, number>>();

/** The slot of each target, by id. */
function slotsOf(state: State): ReadonlyMap<string, number> {
  const found =
    slots.get(state) ??
    new Map(state.targets.flatMap((target, slot) => (target === null ? [] : [[target.id, slot] as const])));
  slots.set(state, found);
  return found;
}

/** For how many ms of [from, to), a time without runs, checks were expected. */
function expectedTime(target: WatchedTarget, { idle }: TargetState, from: number, to: number): number {
  const counted = countedTime(target, from, to);
  return idle === null
    ? counted
    : counted - countedTime(target, Math.max(from, idle.from), Math.min(to, idle.to));
}

/**
 * The latencies of the last 24 hours: today's, and yesterday's without those before the window. They are counted by
 * day.
 */
export function lastDay(at: Timeline['at'], now: number): Histogram {
  const midnight = Math.floor(now / DAY) * DAY;
  const start = windowStart('24h', now);
  const before = start % DAY === 0 ? EMPTY : at(start)?.latencies;
  const today = now === midnight ? EMPTY : (at(now)?.latencies ?? EMPTY);
  const yesterday = at(midnight)?.latencies;
  return before && yesterday ? add(today, subtract(yesterday, before)) : today;
}

/** The latencies of an hour or a day, as far as it has passed. They are counted by day. */
export function latenciesBetween(
  from: number,
  start: TargetSnapshot | null,
  end: TargetSnapshot | null,
): Histogram {
  if (from % DAY === 0) return end?.latencies ?? EMPTY;
  return start && end ? subtract(end.latencies, start.latencies) : EMPTY;
}
