import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.js';
import { controlTargets } from '../config/control.js';
import { checkTarget, type CheckContext } from '../probe/check-target.js';
import type { Prober } from '../probe/probe.js';
import { DeliveryError, type Channel } from '../deliver/channel.js';
import type { Send } from '../deliver/send.js';
import { Ledger, STATE_FIELD, type LedgerSettings, type Stored } from '../record/ledger.js';
import { OUTBOX_FIELD } from '../record/outbox.js';
import { MAINTENANCE_FIELD, readableMaintenance, withMaintenance } from '../record/maintenance.js';
import { chooseDue } from '../rules/due.js';
import { isActive } from '../rules/windows.js';
import type { Meter, Store } from '../store/store.js';
import type { ChannelName, Check, Target } from '../types.js';
import type { Batch, Carry } from './carry.js';
import { DELIVERY_TIMEOUT } from './delivery.js';
import { hasSuccess, lapseOf, Recording, type Books, type Lapse } from './recording.js';
import { transitionView, type RunReport } from './report.js';
import { goRounds } from './rounds.js';

/** What a run needs from the process that it runs in; nothing here belongs to one run. */
export interface RunContext {
  readonly config: Config;
  /** Null: none is configured. */
  readonly store: Store | null;
  /** Bounds and paces the attempts of all runs of the process. */
  readonly prober: Prober;
  readonly carry: Carry;
  /** Those that are set up. */
  readonly channels: ReadonlyMap<ChannelName, Channel>;
  /** Makes restart requests and the heartbeat. */
  readonly send: Send;
  readonly now: () => number;
  readonly random: () => number;
  /** Resolves after so many ms, or early when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** One line or more. */
  readonly log: (text: string) => void;
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
  /** The process is to end: the checks under way are finished, no further round begins. */
  readonly stopping?: AbortSignal;
}

/**
 * A lease outlives the longest run by this much, in ms, so that nobody takes it over while a run is still recording; by
 * a tick where that is shorter, so that the run after one that died is not missed as well.
 */
const LEASE_MARGIN = 30_000;
/** Left of the limit for recording (a store call with its repetitions takes at most 10 s) and delivering. */
const RECORDING = 20_000 + 2 * DELIVERY_TIMEOUT;
/** Ms for the heartbeat. */
const HEARTBEAT_TIMEOUT = 5_000;
/** The last round of a run begins no later than this before the next run. */
const ROUND_MARGIN = 2_000;
/** One run: claim, choose the due, check, judge, commit. Rejects only where Keepalive itself is broken. */
export async function run(context: RunContext, request: RunRequest): Promise<RunReport> {
  const { config, now } = context;
  const runId = randomUUID();
  // The same in 22 characters instead of 36: it goes over the line several times in a run.
  const token = Buffer.from(runId.replaceAll('-', ''), 'hex').toString('base64url');
  let startedAt = now();
  const meter: Meter = { commands: 0, bytesSent: 0, bytesReceived: 0 };
  const report = (rest: Partial<RunReport> & Pick<RunReport, 'status' | 'stored'>): RunReport => ({
    runId,
    trigger: request.trigger,
    startedAt: new Date(startedAt).toISOString(),
    durationMs: Math.max(0, now() - startedAt),
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

  const calledAt = performance.now();
  const store = context.store?.metered(meter) ?? null;
  const books = await open(context, store, {
    token,
    ttl: request.limit + Math.min(LEASE_MARGIN, config.tick),
  });
  if (books === 'locked') return report({ status: 'skipped', reason: 'locked', stored: false });
  // The claim may have found this process's clock to be wrong.
  startedAt = books.openedAt;
  const recording = new Recording(context, store, meter, books, runId, startedAt);

  const awaited = config.targets.filter(
    ({ info, activeHours }) => info.enabled && isActive(activeHours, startedAt),
  );
  const due = chooseDue(awaited, (target) => books.ledger.paceOf(target), startedAt, config.tick);
  const timeIsUp = new AbortController();
  // Not AbortSignal.timeout: Node 20 forgets one that only AbortSignal.any refers to.
  const timer = setTimeout(
    () => timeIsUp.abort(),
    request.limit - RECORDING - (performance.now() - calledAt),
  );
  const signal = AbortSignal.any([timeIsUp.signal, ...(request.signal ? [request.signal] : [])]);
  const { batches, unfinished } = await goRounds(due, startedAt, {
    until: startedAt + request.nextRunIn - ROUND_MARGIN,
    deadline: startedAt + request.limit - RECORDING,
    // A run may cost 10 commands, of which one checkpoint leaves 7; one that goes on for longer stands for several.
    recordEvery: Math.max(request.nextRunIn, config.tick),
    signal,
    stopping: request.stopping ?? new AbortController().signal,
    check: (target, at, onWaking) => checkSafely(context, target, { at, signal, onWaking }),
    record: (finished) => recording.checkpoint(finished, (batches) => isInconclusive(context, batches)),
    now,
    sleep: context.sleep,
  }).finally(() => clearTimeout(timer));

  const inconclusive =
    !recording.hasSuccess && (await isInconclusive(context, [...recording.undecided, ...batches]));
  const status = inconclusive ? 'inconclusive' : unfinished > 0 ? 'partial' : 'completed';
  const lapse = await recording.close(batches, status);
  if (lapse === null) {
    context.carry.seen = { firstRunAt: books.ledger.firstRunAt, lastRunAt: now() };
  }
  if (lapse === null && !inconclusive) await sendHeartbeat(context);
  const { results, transitions } = recording;
  const failed = results.filter(({ ok }) => !ok).length;
  return report({
    status,
    ...(lapse === null ? {} : { reason: lapse.reason }),
    due: due.length,
    checked: results.length,
    succeeded: results.length - failed,
    failed,
    stored: lapse === null,
    transitions: transitions.map(transitionView),
    results,
  });
}

/** The books on what is stored; without it, on what this process remembers, so that the pings still go out. */
async function open(
  { config, carry, channels, log, now }: RunContext,
  store: Store | null,
  lease: { readonly token: string; readonly ttl: number },
): Promise<Books | 'locked'> {
  const openOn = (
    stored: Stored,
    maintenance: string | null,
    process: Pick<LedgerSettings, 'remembered' | 'lastHeardAt'>,
  ): Omit<Books, 'lapse'> => {
    const openedAt = now();
    const windows = readableMaintenance(maintenance, ({ message }) =>
      log(JSON.stringify({ event: 'maintenance_unreadable', message })),
    );
    const settings = {
      targets: withMaintenance(config.targets, windows),
      tick: config.tick,
      channels: [...channels.keys()],
      reminder: config.alerts.reminder,
      ...process,
    };
    return { ledger: new Ledger(stored, settings, openedAt), token: lease.token, openedAt, stored };
  };
  const openOnMemory = (lapse: Lapse): Books => {
    const stored = carry.books ?? { state: null, outbox: null };
    // Whether runs are missing cannot be known: another process may have made them.
    return { ...openOn(stored, carry.maintenance, { lastHeardAt: now() }), lapse };
  };
  if (store === null) return openOnMemory({ reason: 'store_missing', error: null });
  try {
    const fields = [STATE_FIELD, OUTBOX_FIELD, MAINTENANCE_FIELD];
    const claim = await store.claim({ ...lease, fields });
    if (!claim.claimed) return 'locked';
    const [state = null, outbox = null, maintenance = null] = claim.fields;
    const stored = { state, outbox };
    const books = openOn(stored, maintenance, {
      remembered: carry.seen,
      lastHeardAt: carry.all.at(-1)?.at ?? null,
    });
    carry.books = stored;
    carry.maintenance = maintenance;
    return { ...books, lapse: null };
  } catch (error) {
    return openOnMemory(lapseOf(error));
  }
}

/** Tells whoever watches the pinger that a run went well. */
async function sendHeartbeat({ config, send, log }: RunContext): Promise<void> {
  if (config.heartbeatUrl === null) return;
  const request = { url: config.heartbeatUrl, method: 'GET', headers: {}, body: null };
  const problem = await send(request, AbortSignal.timeout(HEARTBEAT_TIMEOUT)).then(
    ({ status }) => (status >= 200 && status <= 299 ? null : `answered ${status}`),
    (error: unknown) => (error instanceof DeliveryError ? error.message : 'failed in an unexpected way'),
  );
  if (problem !== null) log(`heartbeat: ${problem}`);
}

/** What breaks in us while we check one target is no failure of that target, and no harm to the others. */
async function checkSafely(
  { prober, now, random, sleep, log }: RunContext,
  target: Target,
  task: Pick<CheckContext, 'at' | 'signal'> & { readonly onWaking: () => void },
): Promise<Check | null> {
  try {
    return await checkTarget(target, { ...task, prober, now, random, sleep });
  } catch (error) {
    const message = error instanceof Error ? error.stack : undefined;
    log(JSON.stringify({ event: 'check_broken', target: target.info.id, message }));
    return null;
  }
}

/** Everything failed, and so do the addresses that tell whether our own network works: the fault is ours. */
async function isInconclusive(context: RunContext, batches: readonly Batch[]): Promise<boolean> {
  if (batches.length === 0 || hasSuccess(batches)) return false;
  const controls = controlTargets(context.config);
  const attempts = await Promise.all(
    controls.map((target) => context.prober.attempt(target, AbortSignal.timeout(target.timeout))),
  );
  return attempts.length > 0 && attempts.every(({ outcome }) => outcome === 'failed');
}
