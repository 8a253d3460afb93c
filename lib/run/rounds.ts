import { setMaxListeners } from 'node:events';
import type { CheckOrOpen, Target } from '../types.js';
import type { Batch } from './backlog.js';
import { MINUTE } from '../time.js';

export interface RoundsOptions {
  /** When the next run is near: no round begins later, unless a check that began earlier is still under way. */
  readonly until: number;
  /** When the checks have to be over: no round begins that leaves no time for one attempt. */
  readonly deadline: number;
  /** Ms from one call of `record` to the next, at least. */
  readonly recordEvery: number;
  /** Aborts at the deadline: what is under way is given up. */
  readonly signal: AbortSignal;
  /** Aborts when the process is to end: no round begins any more, what is under way goes on. */
  readonly stopping: AbortSignal;
  /**
   * Makes one check as soon as there is room for it. Gives it behind one of an earlier run that it decided; nothing when
   * the signal came before its end. Never rejects.
   */
  readonly check: (target: Target, at: number, onWaking: () => void) => Promise<readonly CheckOrOpen[]>;
  /** Takes what is finished while the rest is waited for. Never rejects. */
  readonly record: (batches: readonly Batch[]) => Promise<void>;
  readonly now: () => number;
  /** Resolves after so many ms, or when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface RoundsResult {
  /** What `record` was not given, by time, ascending. */
  readonly batches: readonly Batch[];
  /** How many of the due got no check. */
  readonly unfinished: number;
}

/** Ms; what is finished is recorded before a longer wait for the next round. */
const LONG_WAIT = 10_000;
/** Ms; the first call of `record` comes no later where rounds follow each other without a long wait. */
const FIRST_RECORD = MINUTE;
/** A check that has not ended after so many ms may go on for much longer, with its retries. */
const SLOW_CHECK = 5_000;

/**
 * Checks each target now, and again at its interval until the next run is near. Targets do not wait for each other: while
 * one is slow, the others are checked on time, since no other run can check them meanwhile. It ends as soon as no check
 * is under way and no round can begin.
 *
 * What is finished is given to `record` before a long wait: for the next round, a host that wakes, or a slow check. Each
 * call costs store commands, so that after the first one there is at most one every `recordEvery` ms.
 */
export async function runRounds(
  due: readonly Target[],
  startedAt: number,
  options: RoundsOptions,
): Promise<RoundsResult> {
  const { until, deadline, recordEvery, signal, stopping, check, record, now, sleep } = options;
  const finished = new Map<number, Map<string, CheckOrOpen>>();
  /** Targets whose checks of the time before `until` are not over. */
  const late = new Set(due);
  /** Targets under check that may answer at any moment, and since when they are; oldest first. */
  const quick = new Map<Target, number>();
  /** Targets that make for a long wait. */
  const slow = new Set<Target>();
  let noneQuick = new AbortController();
  const noneLate = new AbortController();
  const ended = new AbortController();
  const noMoreRounds = AbortSignal.any([signal, stopping]);
  const mayBegin = (): boolean => !noMoreRounds.aborted;
  const over = AbortSignal.any([noMoreRounds, noneLate.signal]);
  // Every target that waits listens to these signals.
  setMaxListeners(0, signal, noMoreRounds, over);
  let unfinished = 0;
  let recording = Promise.resolve();
  let recordedAt: number | null = null;
  let isScheduled = false;

  const takeFinished = (): Batch[] => {
    const batches = [...finished].sort(([a], [b]) => a - b).map(([at, checks]) => ({ at, checks }));
    finished.clear();
    return batches;
  };
  /** Whether it is time to record. */
  const recordIfDue = (): void => {
    if (finished.size === 0) return;
    const age = now() - (recordedAt ?? startedAt);
    const period = recordedAt === null ? Math.min(FIRST_RECORD, recordEvery) : recordEvery;
    if (age < period && (recordedAt !== null || slow.size === 0)) {
      void recordLater(period - age);
      return;
    }
    // Checks that are about to end are recorded together with the rest.
    if (quick.size > 0 && age < period + SLOW_CHECK) return;
    recordedAt = now();
    recording = recording.then(() => record(takeFinished()));
  };
  const recordLater = async (ms: number): Promise<void> => {
    if (isScheduled) return;
    isScheduled = true;
    await sleep(ms, ended.signal);
    isScheduled = false;
    if (!ended.signal.aborted) recordIfDue();
  };
  const watchForSlow = async (settled: AbortSignal): Promise<void> => {
    for (const [target, since] of quick) {
      await sleep(since + SLOW_CHECK - now(), settled);
      if (settled.aborted) return;
      if (quick.get(target) !== since) continue;
      quick.delete(target);
      slow.add(target);
      recordIfDue();
    }
  };
  const begin = (target: Target): void => {
    quick.set(target, now());
    if (quick.size > 1) return;
    noneQuick = new AbortController();
    void watchForSlow(noneQuick.signal);
  };
  const leaveQuick = (target: Target): void => {
    quick.delete(target);
    if (quick.size === 0) noneQuick.abort();
  };

  const checkRepeatedly = async (target: Target): Promise<void> => {
    for (let at = startedAt; ;) {
      begin(target);
      const results = await check(target, at, () => {
        leaveQuick(target);
        slow.add(target);
        recordIfDue();
      });
      leaveQuick(target);
      slow.delete(target);
      if (results.length === 0 && at === startedAt) unfinished += 1;
      for (const result of results) {
        const batch = finished.get(result.at) ?? new Map<string, CheckOrOpen>();
        finished.set(result.at, batch.set(target.info.id, result));
      }
      const wanted = at + target.info.interval;
      const next = Math.max(wanted, now());
      // A host that is waking is asked again by the next run.
      const isOpen = results.at(-1)?.outcome === 'waking';
      const canBegin = !isOpen && mayBegin() && next + target.timeout <= deadline;
      if (canBegin && next < until) {
        if (next - now() > LONG_WAIT) slow.add(target);
        recordIfDue();
        await sleep(next - now(), noMoreRounds);
        slow.delete(target);
      } else {
        late.delete(target);
        if (late.size === 0) noneLate.abort();
        if (late.size + quick.size + slow.size > 0) recordIfDue();
        // A target that overran its interval would only overrun it again.
        if (!canBegin || wanted < now()) return;
        await sleep(next - now(), over);
        if (noneLate.signal.aborted) return;
      }
      if (!mayBegin()) return;
      at = next;
    }
  };

  await Promise.all(due.map(checkRepeatedly));
  ended.abort();
  await recording;
  return { batches: takeFinished(), unfinished };
}
