import type { Attempt, Check, HostWord, Reason, Target } from '../types.js';
import type { Prober } from './probe.js';

/** The longest wait between two attempts, before jitter, in ms. */
const LONGEST_DELAY = 30_000;

/** Ms between two attempts while a host wakes. */
const WAKE_DELAY = 2_000;

type FailedAttempt = Extract<Attempt, { outcome: 'failed' }>;

export interface CheckContext {
  /** When the check's round began, ms since the epoch. */
  readonly at: number;
  readonly prober: Prober;
  /** What the host's own API said when another process asked it. */
  readonly word?: HostWord | null;
  /** Fires when the run's time is up. */
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** No further attempt begins later than this, ms since the epoch; absent: whenever the target wants it. */
  readonly waitsUntil?: number;
  /** 0 to 1. */
  readonly random: () => number;
  /** Resolves after `ms`, or at once when the signal fires. Never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Called once when the target seems to sleep: what follows may take its WAKE_TIMEOUT. */
  readonly onWaking?: () => void;
}

/**
 * Makes attempts until one does not fail or the retries are used up. A name that was not resolved is looked up at least
 * twice. A host that may be waking is asked until its WAKE_TIMEOUT is used up: if it then answers well, the check is good
 * and a cold start. Where the host says that asking again is of no use, it is believed. If the signal cuts an attempt
 * short, the attempt before it decides; null where there was none. Never rejects.
 */
export async function checkTarget(target: Target, context: CheckContext): Promise<Check | null> {
  const { at, prober, signal, now, random, sleep, waitsUntil = Infinity, word = null } = context;
  const known = { word, now };
  const startedAt = now();
  let attempts = 1;
  let attempt = await prober.attempt(target, signal, known);
  if (attempt.interrupted) return null;
  let waking = false;
  /** Since when the host says that asking again is of no use. */
  let hopelessSince: number | null = null;
  while (attempt.outcome === 'failed') {
    const isHopeless = attempt.origin === 'edge' || attempt.origin === 'unwakeable';
    hopelessSince = isHopeless ? (hopelessSince ?? now()) : null;
    if (!waking && target.wakeTimeout > 0 && mayBeWaking(attempt)) {
      waking = true;
      context.onWaking?.();
    }
    const wait = waking ? WAKE_DELAY : retryDelay(target.retryDelay, attempts, random());
    const wakesUntil = startedAt + target.wakeTimeout;
    const until = Math.min(wakesUntil, hopelessSince === null ? wakesUntil : hopelessSince + attempt.askFor);
    const mayWake = waking && now() + wait < until;
    if (!mayWake && (isHopeless || attempts > retriesAfter(target, attempt))) break;
    if (now() + wait > waitsUntil) break;
    await sleep(wait, signal);
    if (signal.aborted) break;
    const next = await prober.attempt(target, signal, known);
    if (next.interrupted) break;
    attempt = next;
    attempts++;
  }
  const { statusCode, reached, origin, timings, tlsExpiresAt } = attempt;
  const result = resultOf(attempt, waking ? now() - startedAt : null);
  return { ...result, at, statusCode, attempts, reached, origin, word: attempt.word, timings, tlsExpiresAt };
}

/** @param wakeMs since the first attempt, where the host seemed to sleep; else null */
function resultOf(attempt: Attempt, wakeMs: number | null) {
  const { outcome, reason, message, timings } = attempt;
  const latency = Math.round(timings.total);
  if (outcome === 'failed') return { outcome, reason, message, latency: null, ...AWAKE } as const;
  if (wakeMs !== null) {
    return { outcome: 'good', reason: null, message: null, latency, coldStart: true, wakeMs } as const;
  }
  return outcome === 'good'
    ? ({ outcome, reason, message, latency, ...AWAKE } as const)
    : ({ outcome, reason, message, latency, ...AWAKE } as const);
}

const AWAKE = { coldStart: false, wakeMs: null } as const;

/** Whether a host that sleeps may fail like that while it wakes; `by status`: with a gateway's status. */
const MAY_WAKE: Readonly<Record<Reason, boolean | 'by status'>> = {
  dns: false,
  connect: true,
  tls: false,
  timeout: true,
  reset: true,
  protocol: false,
  status: 'by status',
  body: false,
  json: false,
  too_large: false,
  redirect: false,
  blocked: false,
  query: false,
  // Only what the host says of itself decides: see `mayBeWaking`.
  host: false,
};
const WAKING_STATUSES: readonly (number | null)[] = [502, 503, 504];

/** Whether this is what a sleeping host answers to the request that wakes it. One that is broken may answer the same. */
function mayBeWaking({ reason, statusCode, origin, askFor }: FailedAttempt): boolean {
  if (origin === 'asleep') return true;
  if (origin === 'edge' || origin === 'unwakeable') return askFor > 0;
  const mayWake = MAY_WAKE[reason];
  return mayWake === 'by status' ? WAKING_STATUSES.includes(statusCode) : mayWake;
}

function retriesAfter({ retries }: Target, { reason }: FailedAttempt): number {
  return reason === 'dns' ? Math.max(1, retries) : retries;
}

/** Ms until the next attempt: doubled after each one, 25 % more or less, so that targets that failed together are not
 * asked again at the same moment. */
export function retryDelay(base: number, attempts: number, random: number): number {
  return Math.min(base * 2 ** (attempts - 1), LONGEST_DELAY) * (0.75 + random / 2);
}
