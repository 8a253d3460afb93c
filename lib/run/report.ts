import type { Check, Status, Transition } from '../types.js';

export type RunResult = {
  readonly id: string;
  readonly status: Status;
  readonly statusCode: number | null;
  readonly attempts: number;
  readonly coldStart: boolean;
  readonly wakeMs?: number;
  readonly message?: string;
} & ({ readonly ok: true; readonly latency: number } | { readonly ok: false; readonly latency: null });

export interface TransitionView extends Omit<Transition, 'at'> {
  readonly at: string;
}

export interface RunReport {
  readonly runId: string;
  readonly trigger: string;
  readonly status: 'completed' | 'partial' | 'skipped' | 'inconclusive';
  readonly reason?: string;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly due: number;
  readonly checked: number;
  readonly succeeded: number;
  readonly failed: number;
  /** False: what was found could not be recorded; a skipped or inconclusive run has nothing to record. */
  readonly stored: boolean;
  /** Store commands that the run cost. */
  readonly commands: number;
  readonly transitions: readonly TransitionView[];
  readonly results: readonly RunResult[];
}

export function resultOf(id: string, check: Check, status: Status): RunResult {
  return {
    id,
    ...(check.outcome === 'failed' ? { ok: false, latency: null } : { ok: true, latency: check.latency }),
    status,
    statusCode: check.statusCode,
    attempts: check.attempts,
    coldStart: check.coldStart,
    ...(check.wakeMs === null ? {} : { wakeMs: check.wakeMs }),
    ...(check.message === null ? {} : { message: check.message }),
  };
}

/** `ping #12 api ok 45ms`, or `ok <1ms`, with a remark in brackets where there is one. */
export function pingLine(count: number, result: RunResult): string {
  const { id, wakeMs, message } = result;
  const answer = result.ok ? `ok ${result.latency === 0 ? '<1' : result.latency}ms` : 'failed';
  const remark = wakeMs === undefined ? message : `woke in ${(wakeMs / 1000).toFixed(1)}s`;
  return `ping #${count} ${id} ${answer}${remark === undefined ? '' : ` (${remark})`}`;
}

/** `api: up -> down (status 503, expected 200-299)` */
export function transitionLine({ target, from, to, reason }: Transition): string {
  return `${target}: ${from} -> ${to}${reason === null ? '' : ` (${reason})`}`;
}

export function transitionView(transition: Transition): TransitionView {
  return { ...transition, at: new Date(transition.at).toISOString() };
}
