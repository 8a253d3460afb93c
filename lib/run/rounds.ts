import type { Check, Target } from '../types.js';
import type { Batch } from './carry.js';

export interface RoundsOptions {
  /** When the next run is near: no round begins later, unless a check that began earlier is still under way. */
  readonly until: number;
  /** Aborts when there is just enough time left to record. */
  readonly signal: AbortSignal;
  /** Makes one check as soon as there is room for it; null when the signal came before its end. Never rejects. */
  readonly check: (target: Target, at: number) => Promise<Check | null>;
  readonly now: () => number;
  /** Resolves after so many ms, or when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface RoundsResult {
  /** By time, ascending. */
  readonly batches: readonly Batch[];
  /** How many of the due got no check. */
  readonly unfinished: number;
}

/**
 * Checks each target now, and again as often as its interval asks until the next run is near. Each goes its own way:
 * while a slow one is waited for, the others go on at their pace, since no other run can ping them meanwhile.
 */
export async function goRounds(
  due: readonly Target[],
  startedAt: number,
  { until, signal, check, now, sleep }: RoundsOptions,
): Promise<RoundsResult> {
  const finished = new Map<number, Map<string, Check>>();
  const allIn = new AbortController();
  let underWay = due.length;
  let unfinished = 0;

  const goOn = async (target: Target): Promise<void> => {
    let isLate = true;
    for (let at = startedAt; ;) {
      const result = await check(target, at);
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
        if (isLate && --underWay === 0) allIn.abort();
        isLate = false;
        await sleep(next - now(), AbortSignal.any([signal, allIn.signal]));
        if (allIn.signal.aborted) return;
      }
      if (signal.aborted) return;
      at = next;
    }
  };

  await Promise.all(due.map(goOn));
  return {
    batches: [...finished].sort(([a], [b]) => a - b).map(([at, checks]) => ({ at, checks })),
    unfinished,
  };
}
