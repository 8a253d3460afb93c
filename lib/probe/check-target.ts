import type { Waking } from '../rules/waking.js';
import type { Attempt, Check, CheckOrOpen, HostWord, OpenCheck, Reason, Target } from '../types.js';
import type { Prober } from './probe.js';

/** The longest wait between two attempts, before jitter, in ms. */
const LONGEST_DELAY = 30_000;

/** Ms between two attempts while a host wakes. */
const WAKE_DELAY = 2_000;

type FailedAttempt = Extract<Attempt, { outcome: 'failed' }>;

interface CheckContext {
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

/** What a run knows of a target, and bears. */
export interface RunCheckContext extends CheckContext {
  /** Failed checks until it is down. With 0, it is: it gets one attempt, and is not waited for. */
  readonly failuresUntilDown: number;
  /** For how long a host that wakes is waited for, in ms. What is still waking then stays open. */
  readonly longestWait: number;
  /** The check that an earlier run left open; null: there is none. */
  readonly open: Waking | null;
}

/** Makes one check, and waits for a host that wakes as long as its WAKE_TIMEOUT allows. Null when the signal came before its end. */
export async function checkTarget(target: Target, context: CheckContext): Promise<Check | null> {
  const terms = { failuresUntilDown: Infinity, longestWait: Infinity, open: null };
  const [check] = await checkInRun(target, { ...context, ...terms });
  return check === undefined || check.outcome === 'waking' ? null : check;
}

/**
 * Makes attempts until one does not fail or the retries are used up. A name that was not resolved is looked up at least
 * twice. A host that may be waking is asked until its WAKE_TIMEOUT is used up: if it then answers well, the check is good
 * and a cold start. Where the host says that asking again is of no use, it is believed. If the signal cuts an attempt
 * short, the attempt before it decides. Never rejects.
 *
 * The first attempt also decides a check that an earlier run left open, unless the host may still be waking: then that
 * check goes on, and is the only one.
 * @returns the check that was open if it is decided, then the one that was made now; nothing where the signal came before
 */
export async function checkInRun(target: Target, context: RunCheckContext): Promise<readonly CheckOrOpen[]> {
  const { prober, signal, now, open, failuresUntilDown, word = null } = context;
  const startedAt = now();
  const first = await prober.attempt(target, signal, { word, now });
  if (first.interrupted) return [];
  const begun = { first, startedAt, since: startedAt, at: context.at, attempts: 1 };
  if (open === null) return [await goOn(target, context, { ...begun, isWaking: false })];
  const attempts = open.attempts + 1;
  if (first.outcome !== 'failed') {
    const wake = { wakeMs: now() - open.since, wakeMsAtLeast: open.lastAt - open.since };
    const woke = checkOf(first, { at: open.since, attempts, wake });
    return [woke, checkOf(first, { at: context.at, attempts: 1, wake: null })];
  }
  if (startedAt - open.since < target.wakeTimeout) {
    const { since } = open;
    return [await goOn(target, context, { first, startedAt, since, at: since, attempts, isWaking: true })];
  }
  const failed = checkOf(first, { at: open.since, attempts, wake: null });
  const after = { ...context, failuresUntilDown: failuresUntilDown - 1 };
  return [failed, await goOn(target, after, { ...begun, isWaking: false })];
}

/** A check after its first attempt in this run. */
interface Begun {
  readonly first: Attempt;
  /** When that was made. */
  readonly startedAt: number;
  /** When the first attempt of all runs was made. */
  readonly since: number;
  /** When its round began. */
  readonly at: number;
  /** Of all runs. */
  readonly attempts: number;
  readonly isWaking: boolean;
}

async function goOn(
  target: Target,
  context: RunCheckContext,
  { first, startedAt, since, at, ...begun }: Begun,
): Promise<CheckOrOpen> {
  const { prober, signal, now, random, sleep, failuresUntilDown, longestWait } = context;
  const { waitsUntil = Infinity, word = null } = context;
  // Where the next run could not tell what came of it, this one decides.
  const mayLeaveOpen = longestWait !== Infinity;
  const runWaitsUntil = mayLeaveOpen ? Math.min(startedAt + longestWait, waitsUntil) : Infinity;
  const wakesUntil = since + target.wakeTimeout;
  const ended = new AbortController();
  const waited = new AbortController();
  let attempt = first;
  let lastAt = now();
  let { attempts, isWaking } = begun;
  let isAsked = false;
  /** Since when the host says that asking again is of no use. */
  let hopelessSince: number | null = null;
  const leftOpen = (message: string): OpenCheck => {
    return { outcome: 'waking', at, lastAt, attempts, statusCode: attempt.statusCode, message };
  };
  try {
    while (attempt.outcome === 'failed' && failuresUntilDown > 0) {
      const isHopeless = attempt.origin === 'edge' || attempt.origin === 'unwakeable';
      hopelessSince = isHopeless ? (hopelessSince ?? now()) : null;
      isWaking ||= target.wakeTimeout > 0 && mayBeWaking(attempt);
      if (isWaking && !isAsked) {
        isAsked = true;
        context.onWaking?.();
        if (runWaitsUntil < wakesUntil) {
          void sleep(runWaitsUntil - now(), ended.signal).then(() => waited.abort());
        }
      }
      const wait = isWaking ? WAKE_DELAY : retryDelay(target.retryDelay, attempts, random());
      const until =
        hopelessSince === null ? wakesUntil : Math.min(wakesUntil, hopelessSince + attempt.askFor);
      const mayWake = isWaking && now() + wait < until;
      if (mayWake && now() + wait >= runWaitsUntil) return leftOpen(attempt.message);
      if (!mayWake && (isHopeless || attempts > retriesAfter(target, attempt))) break;
      if (now() + wait > waitsUntil) break;
      await sleep(wait, signal);
      if (!signal.aborted) {
        const next = await prober.attempt(target, AbortSignal.any([signal, waited.signal]), { word, now });
        if (!next.interrupted) {
          attempt = next;
          attempts += 1;
          lastAt = now();
          continue;
        }
      }
      // The run is over, or has waited long enough.
      if (mayWake && mayLeaveOpen) return leftOpen(attempt.message);
      break;
    }
  } finally {
    ended.abort();
  }
  const wake = isWaking ? { wakeMs: now() - since, wakeMsAtLeast: null } : null;
  return checkOf(attempt, { at, attempts, wake });
}

/** How long a host took to wake, ms. */
interface Wake {
  readonly wakeMs: number;
  readonly wakeMsAtLeast: number | null;
}

/** @param wake where the host seemed to sleep; else null */
function checkOf(
  attempt: Attempt,
  { at, attempts, wake }: { readonly at: number; readonly attempts: number; readonly wake: Wake | null },
): Check {
  const { statusCode, reached, origin, word, timings, tlsExpiresAt } = attempt;
  const result = resultOf(attempt, wake);
  return { ...result, at, statusCode, attempts, reached, origin, word, timings, tlsExpiresAt };
}

function resultOf(attempt: Attempt, wake: Wake | null) {
  const { outcome, reason, message, timings } = attempt;
  const latency = Math.round(timings.total);
  if (outcome === 'failed') return { outcome, reason, message, latency: null, ...AWAKE } as const;
  if (wake !== null) {
    return { outcome: 'good', reason: null, message: null, latency, coldStart: true, ...wake } as const;
  }
  return outcome === 'good'
    ? ({ outcome, reason, message, latency, ...AWAKE } as const)
    : ({ outcome, reason, message, latency, ...AWAKE } as const);
}

const AWAKE = { coldStart: false, wakeMs: null, wakeMsAtLeast: null } as const;

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
