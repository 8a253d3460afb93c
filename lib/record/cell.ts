import type { Check, Outcome, Reason } from '../types.js';
import { TextError } from './text.js';

/** What the log of recent checks keeps of one. */
export interface Cell {
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  /** Kept where the reason is `status`; null otherwise. */
  readonly statusCode: number | null;
  /** Exact below 200 ms, within half a percent above, 3 minutes at most; a cold start's is its wake time; null when failed. */
  readonly latency: number | null;
  readonly coldStart: boolean;
}

const REASONS: readonly Reason[] = [
  'dns',
  'connect',
  'tls',
  'timeout',
  'reset',
  'protocol',
  'status',
  'body',
  'json',
  'too_large',
  'redirect',
  'blocked',
];
const STEP = Math.log(1.005);
/** Steps of half a percent up to 183 s. */
const LATENCIES = 2_430;
const GOOD = 0;
const DEGRADED = LATENCIES;
const COLD = 2 * LATENCIES;
const FAILED = 3 * LATENCIES;
const STATUS = FAILED + REASONS.length;
const STATUS_FROM = 100;
const STATUS_TO = 599;

/** 0 to 7,801: two characters of the log. */
export function cellCode(
  check: Pick<Check, 'outcome' | 'reason' | 'statusCode' | 'latency' | 'coldStart' | 'wakeMs'>,
): number {
  if (check.outcome === 'failed') {
    const status = check.statusCode ?? 0;
    if (check.reason === 'status' && status >= STATUS_FROM && status <= STATUS_TO) {
      return STATUS + status - STATUS_FROM;
    }
    return FAILED + REASONS.indexOf(check.reason ?? 'protocol');
  }
  const latency = (check.coldStart ? check.wakeMs : check.latency) ?? 0;
  const step = Math.min(LATENCIES - 1, Math.round(Math.log(latency + 1) / STEP));
  return step + (check.coldStart ? COLD : check.outcome === 'degraded' ? DEGRADED : GOOD);
}

export function cellOf(code: number): Cell {
  if (code < FAILED) {
    const coldStart = code >= COLD;
    const latency = Math.round(Math.exp((code % LATENCIES) * STEP) - 1);
    const outcome = !coldStart && code >= DEGRADED ? 'degraded' : 'good';
    return { outcome, reason: null, statusCode: null, latency, coldStart };
  }
  const failure = { outcome: 'failed', latency: null, coldStart: false } as const;
  if (code < STATUS) return { ...failure, reason: REASONS[code - FAILED] ?? null, statusCode: null };
  const statusCode = code - STATUS + STATUS_FROM;
  if (statusCode > STATUS_TO) throw new TextError('an unknown check code');
  return { ...failure, reason: 'status', statusCode };
}
