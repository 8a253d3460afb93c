import { lengthInWords } from '../rules/durations.js';
import type { PeerState } from '../rules/peer-watch.js';
import { PEER_TROUBLES } from '../rules/wording.js';
import type { CheckOrOpen, Status, Transition } from '../types.js';

export type RunResult = {
  readonly id: string;
  readonly status: Status;
  readonly statusCode: number | null;
  readonly attempts: number;
  readonly coldStart: boolean;
  /** From the first attempt to the answer. */
  readonly wakeMs?: number;
  /** Where the host woke between two runs: from the first attempt to the last one that failed. */
  readonly wakeMsAtLeast?: number;
  readonly message?: string;
} & (
  | {
      readonly ok: true;
      /** Null: it answers elsewhere alone. */
      readonly latency: number | null;
    }
  | {
      /** Null: the host is waking, and a later run decides. It counts neither as succeeded nor as failed. */
      readonly ok: false | null;
      readonly latency: null;
    }
);

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

/** One report of the runs that several shards have made at the same time. @param commands besides those of the runs */
export function mergedReport(reports: readonly RunReport[], commands: number): RunReport {
  const [first] = reports;
  if (first === undefined) throw new RangeError('no run');
  const made = reports.filter(({ status }) => status !== 'skipped');
  const sum = (of: (report: RunReport) => number): number =>
    reports.reduce((total, each) => total + of(each), 0);
  const began = reports.map(({ startedAt }) => Date.parse(startedAt));
  const from = Math.min(...began);
  const to = Math.max(...reports.map(({ durationMs }, i) => (began[i] ?? from) + durationMs));
  const reason = (made.length > 0 ? made : reports).find((each) => each.reason !== undefined)?.reason;
  return {
    runId: first.runId,
    trigger: first.trigger,
    status: mergedStatus(made),
    ...(reason === undefined ? {} : { reason }),
    startedAt: new Date(from).toISOString(),
    durationMs: to - from,
    due: sum(({ due }) => due),
    checked: sum(({ checked }) => checked),
    succeeded: sum(({ succeeded }) => succeeded),
    failed: sum(({ failed }) => failed),
    stored: made.length > 0 && made.every(({ stored }) => stored),
    commands: sum((report) => report.commands) + commands,
    transitions: reports.flatMap(({ transitions }) => transitions),
    results: reports.flatMap(({ results }) => results),
  };
}

function mergedStatus(made: readonly RunReport[]): RunReport['status'] {
  if (made.length === 0) return 'skipped';
  if (made.every(({ status }) => status === 'inconclusive')) return 'inconclusive';
  return made.every(({ status }) => status === 'completed') ? 'completed' : 'partial';
}

export function resultOf(id: string, check: CheckOrOpen, status: Status): RunResult {
  if (check.outcome === 'waking') {
    const { statusCode, attempts, message, at, lastAt } = check;
    const waking = `waking for ${lengthInWords(lastAt - at)} so far: ${message}`;
    return { id, ok: null, latency: null, status, statusCode, attempts, coldStart: false, message: waking };
  }
  return {
    id,
    ...(check.outcome === 'failed' ? { ok: false, latency: null } : { ok: true, latency: check.latency }),
    status,
    statusCode: check.statusCode,
    attempts: check.attempts,
    coldStart: check.coldStart,
    ...(check.wakeMs === null ? {} : { wakeMs: check.wakeMs }),
    ...(check.wakeMsAtLeast === null ? {} : { wakeMsAtLeast: check.wakeMsAtLeast }),
    ...(check.message === null ? {} : { message: check.message }),
  };
}

/**
 * `ping #12 api ok 45ms`, or `ok <1ms`, with a remark in brackets where there is one. A check that stays open has no number
 * yet.
 */
export function pingLine(count: number, result: RunResult): string {
  const { id, wakeMs, wakeMsAtLeast, message } = result;
  if (result.ok === null) return `${id} ${message ?? 'waking'}`;
  const answer = result.ok
    ? result.latency === null
      ? 'failed here'
      : `ok ${result.latency === 0 ? '<1' : result.latency}ms`
    : 'failed';
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)}s`;
  const woke = wakeMs === undefined ? undefined : `woke in ${seconds(wakeMs)}`;
  const remark =
    wakeMsAtLeast === undefined ? (woke ?? message) : `${woke} or less, ${seconds(wakeMsAtLeast)} at least`;
  return `ping #${count} ${id} ${answer}${remark === undefined ? '' : ` (${remark})`}`;
}

/** `api: up -> down (status 503, expected 200-299)` */
export function transitionLine({ target, from, to, reason }: Transition): string {
  return `${target}: ${from} -> ${to}${reason === null ? '' : ` (${reason})`}`;
}

/** `peer b.example.com does not answer (connection refused)` */
export function peerLine({ peer, trouble }: PeerState): string {
  if (trouble === null) return `peer ${peer} is well again`;
  return `peer ${peer} ${PEER_TROUBLES[trouble.kind]}${trouble.message === null ? '' : ` (${trouble.message})`}`;
}

export function transitionView(transition: Transition): TransitionView {
  return { ...transition, at: new Date(transition.at).toISOString() };
}
