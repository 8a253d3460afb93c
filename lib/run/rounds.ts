import { setMaxListeners } from 'node:events';
import type { Check, Target } from '../types.js';
import type { Batch } from './carry.js';

export interface RoundsOptions {
  /** When the next run is near: no round begins later, unless a check that began earlier is still under way. */
  readonly until: number;
  /** How often what is finished is given to `record` once `until` has passed. */
  readonly tick: number;
  /** Aborts when there is just enough time left to record. */
  readonly signal: AbortSignal;
  /** Makes one check as soon as there is room for it; null when the signal came before its end. Never rejects. */
  readonly check: (target: Target, at: number, onWaking: () => void) => Promise<Check | null>;
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

/**
 * Checks each target now, and again as often as its interval asks until the next run is near. Each goes its own way:
 * while a slow one is waited for, the others go on at their pace, since no other run can ping them meanwhile, and what
 * they found is recorded: as soon as only hosts that wake are waited for, and then once a tick.
 */
export async function goRounds(
  due: readonly Target[],
  startedAt: number,
  options: RoundsOptions,
): Promise<RoundsResult> {
  const { until, tick, signal, check, record, now, sleep } = options;
  const finished = new Map<number, Map<string, Check>>();
  /** Targets whose checks of the time before `until` are not over. */
  const late = new Set(due);
  const waking = new Set<Target>();
  const noneLate = new AbortController();
  const over = AbortSignal.any([signal, noneLate.signal]);
  // Each target that waits for its next round listens.
  setMaxListeners(0, signal, over);
  let unfinished = 0;
  let recording = Promise.resolve();
  let onlyWakingSeen = false;

  const takeFinished = (): Batch[] => {
    const batches = [...finished].sort(([a], [b]) => a - b).map(([at, checks]) => ({ at, checks }));
    finished.clear();
    return batches;
  };
  const recordFinished = (): void => {
    if (finished.size > 0) recording = recording.then(() => record(takeFinished()));
  };
  const look = (): void => {
    if (onlyWakingSeen || late.size === 0 || [...late].some((target) => !waking.has(target))) return;
    onlyWakingSeen = true;
    recordFinished();
  };

  const goOn = async (target: Target): Promise<void> => {
    for (let at = startedAt; ;) {
      const result = await check(target, at, () => {
        waking.add(target);
        look();
      });
      waking.delete(target);
      if (result === null) {
        if (at === startedAt) unfinished += 1;
      } else {
        const batch = finished.get(at) ?? new Map<string, Check>();
        finished.set(at, batch.set(target.info.id, result));
      }
      const next = Math.max(at + target.info.interval, now());
      if (next < until) {
        await sleep(next - now(), signal);
      } else {
        late.delete(target);
        if (late.size === 0) noneLate.abort();
        else look();
        await sleep(next - now(), over);
        if (noneLate.signal.aborted) return;
      }
      if (signal.aborted) return;
      at = next;
    }
  };
  const recordOnceATick = async (): Promise<void> => {
    for (let at = until; ; at += tick) {
      await sleep(at - now(), over);
      if (over.aborted) return;
      recordFinished();
    }
  };

  if (due.length > 0) await Promise.all([recordOnceATick(), ...due.map(goOn)]);
  await recording;
  return { batches: takeFinished(), unfinished };
}
