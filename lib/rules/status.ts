import type { Check, Outcome, Status } from '../types.js';

/**
 * A status that is decided by checks. `paused` and `sleeping` are derived from the configuration and are not stored.
 */
export type JudgedStatus = Extract<Status, 'pending' | 'up' | 'degraded' | 'down'>;

/** The part of a target's state that its status is decided from. */
export interface StatusState {
  readonly status: JudgedStatus;
  readonly since: number;
  readonly lastOutcome: Outcome | null;
  /** Failed checks in a row. */
  readonly consecutiveFailures: number;
  /** Checks in a row that did not fail. */
  readonly consecutiveSuccesses: number;
  /** Checks in a row that were clean (good), or that were not (degraded or failed). */
  readonly streak: number;
  /** The first check of the current row of failures or successes. */
  readonly seriesAt: number | null;
}

export interface Thresholds {
  readonly failureThreshold: number;
  readonly successThreshold: number;
}

export function newcomer(at: number): StatusState {
  return {
    status: 'pending',
    since: at,
    lastOutcome: null,
    consecutiveFailures: 0,
    consecutiveSuccesses: 0,
    streak: 0,
    seriesAt: null,
  };
}

/** The state after one more check. The status changes only when its threshold is reached. */
export function judge(
  before: StatusState,
  check: Pick<Check, 'at' | 'outcome'>,
  thresholds: Thresholds,
): StatusState {
  const failed = check.outcome === 'failed';
  const clean = check.outcome === 'good';
  const sameSeries = before.lastOutcome !== null && failed === (before.lastOutcome === 'failed');
  const sameStreak = before.lastOutcome !== null && clean === (before.lastOutcome === 'good');
  const counted = {
    lastOutcome: check.outcome,
    consecutiveFailures: failed ? before.consecutiveFailures + 1 : 0,
    consecutiveSuccesses: failed ? 0 : before.consecutiveSuccesses + 1,
    streak: sameStreak ? before.streak + 1 : 1,
    seriesAt: sameSeries ? before.seriesAt : check.at,
  };
  const status = decide(before.status, counted, thresholds);
  return { ...counted, status, since: status === before.status ? before.since : check.at };
}

function decide(
  status: JudgedStatus,
  now: Pick<StatusState, 'lastOutcome' | 'consecutiveFailures' | 'consecutiveSuccesses' | 'streak'>,
  { failureThreshold, successThreshold }: Thresholds,
): JudgedStatus {
  if (now.consecutiveFailures >= failureThreshold) return 'down';
  const clean = now.lastOutcome === 'good';
  switch (status) {
    case 'pending':
      return now.lastOutcome === 'failed' ? 'pending' : clean ? 'up' : 'degraded';
    case 'up':
      return !clean && now.streak >= failureThreshold ? 'degraded' : 'up';
    case 'degraded':
      return clean && now.streak >= successThreshold ? 'up' : 'degraded';
    case 'down':
      if (now.consecutiveSuccesses < successThreshold) return 'down';
      return clean && now.streak >= successThreshold ? 'up' : 'degraded';
  }
}

/** A count toward another status is under way: the target is due at every run. */
export function isSettling(state: Pick<StatusState, 'status' | 'lastOutcome'>): boolean {
  switch (state.lastOutcome) {
    case null:
      return false;
    case 'good':
      return state.status !== 'up';
    case 'degraded':
      return state.status !== 'degraded';
    case 'failed':
      return state.status !== 'down';
  }
}
