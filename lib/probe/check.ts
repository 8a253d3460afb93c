import type { Attempt, Check, Target } from '../types.js';
import { RUN_OVER } from './limit.js';
import type { Prober } from './probe.js';

/** The longest wait between two attempts, before jitter, in ms. */
const LONGEST_DELAY = 30_000;

export interface CheckContext {
  /** When the check's round began, ms since the epoch. */
  readonly at: number;
  readonly prober: Prober;
  /** Fires when the run's time is up. */
  readonly signal: AbortSignal;
  /** 0 to 1. */
  readonly random: () => number;
  /** Resolves after `ms`, or at once when the signal fires. Never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Attempts until one is not failed or the retries are used up; a name that was not resolved is asked for twice at
 * least. When the signal cuts an attempt short, the one before it stands; null: there was none. Never rejects.
 */
export async function checkTarget(target: Target, context: CheckContext): Promise<Check | null> {
  const { at, prober, signal, random, sleep } = context;
  let attempts = 1;
  let attempt = await prober.attempt(target, signal);
  if (attempt.message === RUN_OVER) return null;
  while (attempt.outcome === 'failed' && attempts <= retriesAfter(target, attempt)) {
    await sleep(retryDelay(target.retryDelay, attempts, random()), signal);
    if (signal.aborted) break;
    const next = await prober.attempt(target, signal);
    if (next.message === RUN_OVER) break;
    attempt = next;
    attempts++;
  }
  const { total } = attempt.timings;
  return {
    ...attempt,
    at,
    attempts,
    latency: attempt.outcome === 'failed' ? null : Math.round(total),
    coldStart: false,
    wakeMs: null,
  };
}

function retriesAfter({ retries }: Target, { reason }: Attempt): number {
  return reason === 'dns' ? Math.max(1, retries) : retries;
}

/** Doubles with each attempt made, 25 % up or down, so that what failed together is not asked again together. */
export function retryDelay(base: number, attempts: number, random: number): number {
  return Math.min(base * 2 ** (attempts - 1), LONGEST_DELAY) * (0.75 + random / 2);
}
