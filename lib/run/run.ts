import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.js';
import { controlTargets } from '../config/control.js';
import { checkTarget } from '../probe/check.js';
import type { Prober } from '../probe/probe.js';
import { Ledger, STATE_FIELD } from '../record/ledger.js';
import type { LastRun } from '../record/state.js';
import { TextError } from '../record/text.js';
import { chooseDue } from '../rules/due.js';
import { isActive } from '../rules/windows.js';
import type { Meter, Store } from '../store/store.js';
import type { StoreErrorCode } from '../store/store.js';
import { StoreError } from '../store/store.js';
import type { Check, Status, Target, Transition } from '../types.js';
import type { Batch, Carry } from './carry.js';
import { goRounds } from './rounds.js';

/** What a run needs from the process that it runs in; nothing here belongs to one run. */
export interface RunContext {
  readonly config: Config;
  /** Null: none is configured. */
  readonly store: Store | null;
  /** Bounds and paces the attempts of all runs of the process. */
  readonly prober: Prober;
  readonly carry: Carry;
  readonly now: () => number;
  readonly random: () => number;
  /** Resolves after so many ms, or early when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly log: (line: string) => void;
}

export interface RunRequest {
  /** Who called: `vercel`, `qstash`, `local`, `http`. */
  readonly trigger: string;
  /** How long the process may go on working, in ms. */
  readonly limit: number;
  /** In how many ms the next run is expected: until then, rounds are made for intervals shorter than that. */
  readonly nextRunIn: number;
  /** Ends the checks early; what is finished is recorded. */
  readonly signal?: AbortSignal;
}

export interface RunResult {
  readonly id: string;
  readonly ok: boolean;
  readonly status: Status;
  readonly statusCode: number | null;
  readonly latency: number | null;
  readonly attempts: number;
  readonly coldStart: boolean;
  readonly wakeMs?: number;
  readonly message?: string;
}

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

/** A lease outlives the longest run by this much, so that nobody takes it over while a run is still recording. */
const LEASE_MARGIN = 30_000;
/** Left of the limit for recording: two store calls with their repetitions take at most 20 s. */
const RECORDING = 20_000;
/** The last round of a run begins no later than this before the next run. */
const ROUND_MARGIN = 2_000;

/** One run: claim, choose the due, check, judge, commit. Rejects only where Keepalive itself is broken. */
export async function run(context: RunContext, request: RunRequest): Promise<RunReport> {
  const { config, now } = context;
  const startedAt = now();
  const runId = randomUUID();
  const meter: Meter = { commands: 0, bytesSent: 0, bytesReceived: 0 };
  const report = (rest: Partial<RunReport> & Pick<RunReport, 'status' | 'stored'>): RunReport => ({
    runId,
    trigger: request.trigger,
    startedAt: new Date(startedAt).toISOString(),
    durationMs: now() - startedAt,
    due: 0,
    checked: 0,
    succeeded: 0,
    failed: 0,
    commands: meter.commands,
    transitions: [],
    results: [],
    ...rest,
  });
  if (config.targets.length === 0) return report({ status: 'skipped', reason: 'no_targets', stored: false });

  const store = context.store?.metered(meter) ?? null;
  const books = await open(context, store, {
    token: runId,
    now: startedAt,
    ttl: request.limit + LEASE_MARGIN,
  });
  if (books === 'locked') return report({ status: 'skipped', reason: 'locked', stored: false });
  const { ledger } = books;

  const carried = context.carry.all;
  const transitions = carried.flatMap(({ at, checks }) => ledger.record(at, checks));

  const awaited = config.targets.filter(
    ({ info, activeHours }) => info.enabled && isActive(activeHours, startedAt),
  );
  const due = chooseDue(awaited, (target) => ledger.paceOf(target), startedAt, config.tick);
  const left = Math.max(0, startedAt + request.limit - RECORDING - now());
  const signal = AbortSignal.any([AbortSignal.timeout(left), ...(request.signal ? [request.signal] : [])]);
  const { batches, unfinished } = await goRounds(due, startedAt, {
    until: startedAt + request.nextRunIn - ROUND_MARGIN,
    signal,
    check: (target, at) => checkSafely(context, target, at, signal),
    now,
    sleep: context.sleep,
  });

  const inconclusive = await isInconclusive(context, batches);
  const results: RunResult[] = [];
  const lines: string[] = [];
  for (const { at, checks } of inconclusive ? [] : batches) {
    transitions.push(...ledger.record(at, checks));
    for (const [id, check] of checks) {
      const result = resultOf(id, check, ledger.statusOf(id));
      results.push(result);
      lines.push(pingLine(ledger.pingsOf(id), result));
    }
  }
  const failed = results.filter(({ ok }) => !ok).length;
  const status = inconclusive ? 'inconclusive' : unfinished > 0 ? 'partial' : 'completed';
  const lastRun: LastRun = {
    id: runId,
    at: startedAt,
    status,
    durationMs: now() - startedAt,
    checked: results.length,
    failed,
  };
  const lapse = books.lapse ?? (await commit(store, ledger, runId, lastRun));

  if (lapse === null) {
    context.carry.drop(carried);
    for (const line of [...lines, ...transitions.map(transitionLine)]) context.log(line);
  } else {
    logLapse(context, lapse, runId, results);
    if (!inconclusive) context.carry.keep(batches);
  }
  return report({
    status,
    ...(lapse === null ? {} : { reason: lapse.reason }),
    due: due.length,
    checked: results.length,
    succeeded: results.length - failed,
    failed,
    stored: lapse === null,
    transitions: transitions.map((transition) => ({
      ...transition,
      at: new Date(transition.at).toISOString(),
    })),
    results,
  });
}

/** Why a run is not on record. */
interface Lapse {
  readonly reason: StoreErrorCode | 'store_missing' | 'lease_lost';
  readonly error: unknown;
}

/** The books on what is stored; without it, on what this process remembers, so that the pings still go out. */
async function open(
  { config, carry }: RunContext,
  store: Store | null,
  lease: { readonly token: string; readonly now: number; readonly ttl: number },
): Promise<{ readonly ledger: Ledger; readonly lapse: Lapse | null } | 'locked'> {
  const openOn = (stored: string | null): Ledger =>
    new Ledger(stored, config.targets, config.tick, lease.now);
  const openOnMemory = (lapse: Lapse): { ledger: Ledger; lapse: Lapse } => {
    const ledger = openOn(null);
    for (const { at, checks } of carry.all) ledger.record(at, checks);
    return { ledger, lapse };
  };
  if (store === null) return openOnMemory({ reason: 'store_missing', error: null });
  try {
    const claim = await store.claim({ ...lease, fields: [STATE_FIELD] });
    if (!claim.claimed) return 'locked';
    return { ledger: openOn(claim.fields[0] ?? null), lapse: null };
  } catch (error) {
    return openOnMemory(lapseOf(error));
  }
}

async function commit(
  store: Store | null,
  ledger: Ledger,
  token: string,
  lastRun: LastRun,
): Promise<Lapse | null> {
  try {
    const answer = await store?.commit({ token, ...ledger.close(lastRun), release: true });
    return answer === 'lost' ? { reason: 'lease_lost', error: null } : null;
  } catch (error) {
    return lapseOf(error);
  }
}

function lapseOf(error: unknown): Lapse {
  if (error instanceof StoreError) return { reason: error.code, error };
  if (error instanceof TextError) return { reason: 'store_corrupt', error };
  throw error;
}

/** What breaks in us while we check one target is no failure of that target, and no harm to the others. */
async function checkSafely(
  { prober, random, sleep, log }: RunContext,
  target: Target,
  at: number,
  signal: AbortSignal,
): Promise<Check | null> {
  try {
    return await checkTarget(target, { at, prober, signal, random, sleep });
  } catch (error) {
    const message = error instanceof Error ? error.stack : undefined;
    log(JSON.stringify({ event: 'check_broken', target: target.info.id, message }));
    return null;
  }
}

/** Everything failed, and so do the addresses that tell whether our own network works: the fault is ours. */
async function isInconclusive(context: RunContext, batches: readonly Batch[]): Promise<boolean> {
  const checks = batches.flatMap((batch) => [...batch.checks.values()]);
  if (checks.length === 0 || checks.some(({ outcome }) => outcome !== 'failed')) return false;
  const controls = controlTargets(context.config);
  const attempts = await Promise.all(
    controls.map((target) => context.prober.attempt(target, AbortSignal.timeout(target.timeout))),
  );
  return attempts.length > 0 && attempts.every(({ outcome }) => outcome === 'failed');
}

function resultOf(id: string, check: Check, status: Status): RunResult {
  return {
    id,
    ok: check.outcome !== 'failed',
    status,
    statusCode: check.statusCode,
    latency: check.latency,
    attempts: check.attempts,
    coldStart: check.coldStart,
    ...(check.wakeMs === null ? {} : { wakeMs: check.wakeMs }),
    ...(check.message === null ? {} : { message: check.message }),
  };
}

/** `ping #12 api ok 45ms` */
function pingLine(count: number, { id, ok, latency, message }: RunResult): string {
  const answer = ok ? `ok ${latency ?? 0}ms` : 'failed';
  return `ping #${count} ${id} ${answer}${message === undefined ? '' : ` (${message})`}`;
}

/** `api: up -> down (status 503, expected 200-299)` */
function transitionLine({ target, from, to, reason }: Transition): string {
  return `${target}: ${from} -> ${to}${reason === null ? '' : ` (${reason})`}`;
}

function logLapse(
  { log }: RunContext,
  { reason, error }: Lapse,
  runId: string,
  results: readonly RunResult[],
): void {
  const message = error instanceof Error ? error.message : undefined;
  log(JSON.stringify({ event: 'run_not_stored', runId, reason, message }));
  for (const result of results) log(JSON.stringify({ event: 'check_not_stored', runId, ...result }));
}
