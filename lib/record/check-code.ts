import type { Check, CheckReason, Outcome } from '../types.js';
import { NewerTextError } from './codec/text-error.js';
import { PAIR } from './codec/varint.js';
import { REASON_CODES } from './codes.js';

/** What the log of recent checks keeps of one check. */
export interface LoggedCheck {
  readonly outcome: Outcome;
  readonly reason: CheckReason | null;
  /** Kept where the reason is `status`; null otherwise. */
  readonly statusCode: number | null;
  /**
   * In ms: exact below 200, within half a percent above, 3 minutes at most. A cold start's is its wake time. Null where
   * the check failed, if only here, or the host woke between two runs.
   */
  readonly latency: number | null;
  readonly coldStart: boolean;
  /** How long the host took to wake at least, where it woke between two runs: ms, up to 5 % less, 4 minutes at most. */
  readonly wakeMsAtLeast?: number;
}

/**
 * A check code is a number below 8,464, stored as a pair:
 * - 0 to 7,289: a check that did not fail. The latency counts steps of half a percent, 0 to 2,429 (183 s); 2,430 more
 *   for a degraded check, 4,860 more for a cold start.
 * - 7,290 and more: a failed check. 7,290 plus the reason's code; where an HTTP status from 100 to 599 is the reason,
 *   7,302 plus the status less 100. The reason `local` (7,804) is no failure: the check is degraded.
 * - 8,208 to 8,463: a cold start that ended between two runs. How long it took at least, in steps of 5 %.
 *
 * Worked value: a good check of 45 ms is step 768, the pair 8 32: `*B`. Status 503 is 7,705, the pair 83 69: `vh`.
 */
const STEP = Math.log(1.005);
const LATENCIES = 2_430;
const DEGRADED = LATENCIES;
const COLD = 2 * LATENCIES;
const FAILED = 3 * LATENCIES;
const STATUS = FAILED + 12;
const STATUS_FROM = 100;
const LOCAL = FAILED + REASON_CODES.local;
const WOKE_LATER_STEP = Math.log(1.05);
const WOKE_LATER_STEPS = 256;
const WOKE_LATER = PAIR - WOKE_LATER_STEPS;
const STATUS_TO = 599;

const REASONS: ReadonlyMap<number, CheckReason> = new Map(
  (Object.entries(REASON_CODES) as [CheckReason, number][]).map(([reason, code]) => [FAILED + code, reason]),
);

type PickFromEach<Union, Key extends keyof Union> = Union extends unknown ? Pick<Union, Key> : never;

/** What a check code is made of. */
export type CodedCheck = PickFromEach<
  Check,
  'outcome' | 'reason' | 'statusCode' | 'latency' | 'coldStart' | 'wakeMs' | 'wakeMsAtLeast'
>;

/** @throws RangeError for a failed check whose reason has no code: no failure is stored as anything else */
export function writeCheckCode(check: CodedCheck): number {
  if (check.reason !== null) {
    const { reason, statusCode } = check;
    if (reason === 'status' && statusCode !== null && statusCode >= STATUS_FROM && statusCode <= STATUS_TO) {
      return STATUS + statusCode - STATUS_FROM;
    }
    const code = FAILED + REASON_CODES[reason];
    if (!(code >= FAILED && code < WOKE_LATER)) throw new RangeError('a reason has no code');
    return code;
  }
  if (check.wakeMsAtLeast !== null) {
    const step = Math.floor(Math.log(check.wakeMsAtLeast + 1) / WOKE_LATER_STEP);
    return WOKE_LATER + Math.min(WOKE_LATER_STEPS - 1, step);
  }
  const latency = check.coldStart ? check.wakeMs : check.latency;
  const step = Math.min(LATENCIES - 1, Math.round(Math.log(latency + 1) / STEP));
  return step + (check.coldStart ? COLD : check.outcome === 'degraded' ? DEGRADED : 0);
}

const WOKE = { outcome: 'good', reason: null, statusCode: null, latency: null, coldStart: true } as const;

/** @throws NewerTextError for a code that is not used yet */
export function readCheckCode(code: number): LoggedCheck {
  if (code < FAILED) {
    const coldStart = code >= COLD;
    const latency = Math.round(Math.exp((code % LATENCIES) * STEP) - 1);
    const outcome = !coldStart && code >= DEGRADED ? 'degraded' : 'good';
    return { outcome, reason: null, statusCode: null, latency, coldStart };
  }
  if (code >= WOKE_LATER) {
    const wakeMsAtLeast = Math.ceil(Math.exp((code - WOKE_LATER) * WOKE_LATER_STEP) - 1);
    return { ...WOKE, wakeMsAtLeast };
  }
  const failure = { outcome: 'failed', latency: null, coldStart: false } as const;
  if (code === LOCAL) return { ...failure, outcome: 'degraded', reason: 'local', statusCode: null };
  const statusCode = code - STATUS + STATUS_FROM;
  if (statusCode >= STATUS_FROM && statusCode <= STATUS_TO)
    return { ...failure, reason: 'status', statusCode };
  const reason = REASONS.get(code);
  if (reason === undefined) throw new NewerTextError(`check code ${code} is unknown`);
  return { ...failure, reason, statusCode: null };
}
