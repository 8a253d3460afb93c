import { controlTargets } from '../config/control.js';
import { checkInRun, type RunCheckContext } from '../probe/check-target.js';
import { DeliveryError } from '../deliver/channel.js';
import { Ledger, type LedgerSettings, type Stored } from '../record/ledger.js';
import {
  HEAD_FIELDS,
  MAILING_HEAD_FIELDS,
  MAINTENANCE_FIELD,
  NOTES_FIELD,
  OUTBOX_FIELD,
  SHARDS_FIELD,
  STATE_FIELD,
  SUBSCRIBERS_FIELD,
} from '../record/fields.js';
import { endOf, type LastRun } from '../record/state-model.js';
import { readableMaintenance, withMaintenance } from '../record/maintenance.js';
import type { JointRecord } from '../rules/joint-delivery.js';
import { limitsOf, shareOf } from '../rules/allowances.js';
import { chooseDue } from '../rules/due.js';
import { ROUND_MARGIN } from '../rules/trigger-pace.js';
import { longestWait } from '../rules/waking.js';
import { isActive } from '../rules/windows.js';
import type { Meter, Store } from '../store/store.js';
import type { CheckOrOpen, Target } from '../types.js';
import type { Batch } from './backlog.js';
import { DELIVERY_TIMEOUT } from './delivery.js';
import type { Together } from './joint-delivery.js';
import { keepLease } from './lease.js';
import type { RunContext } from './run-context.js';
import {
  hasSuccess,
  hasTrouble,
  recordFailureOf,
  Committer,
  type OpenRun,
  type RecordFailure,
} from './committer.js';
import { patience } from './patience.js';
import { peerLine, transitionView, type RunReport } from './report.js';
import { areAllSilent, readPeers, watchedPeers, type PeerReadings } from './peer-readings.js';
import { RunUsage } from './run-usage.js';
import { SecondOpinions } from './second-opinions.js';
import { SubscriberMails } from './subscriber-mails.js';
import { machineOf, runIdOf, tokenOf } from './turns.js';
import { runRounds, type RoundsOptions, type RoundsResult } from './rounds.js';

export interface RunRequest {
  /** Who called: `vercel`, `qstash`, `local`, `http`. */
  readonly trigger: string;
  /** How long the process may go on working, in ms. */
  readonly limit: number;
  /** Ms until the next run is expected: targets with shorter intervals are checked in rounds until then. */
  readonly nextRunIn: number;
  /** Ends the checks early; what is finished is recorded. */
  readonly signal?: AbortSignal;
  /** Which of several machines that share the work makes the run (turns.ts). */
  readonly machine?: Machine;
  /** The process is to end: the checks under way are finished, no further round begins. */
  readonly stopping?: AbortSignal;
}

export interface Machine {
  readonly id: string;
  /** Ms that its lease lasts; it is renewed while the run lasts. */
  readonly lease: number;
}

/**
 * Ms by which a lease outlives the longest run, so that no other process takes it while a run is still recording. A tick
 * where that is shorter, so that after a run that died only one run is missed.
 */
const LEASE_MARGIN = 30_000;
/** Left of the limit for recording (a store call with its repetitions takes at most 10 s) and delivering. */
const RECORDING = 20_000 + 2 * DELIVERY_TIMEOUT;
/** Ms by which a reminder may come early. */
const TOGETHER = 30_000;
/** Ms for the heartbeat. */
const HEARTBEAT_TIMEOUT = 5_000;
/** Ms for which a run sends mails to subscribers: so many at most, at least these few, and it ends before the next run. */
const MAILING = { longest: 30_000, shortest: 5_000, before: 5_000 };
/** Left of the limit for recording how far the mails have come, and for the last of them. */
const RECORDING_MAILS = 20_000;

/**
 * One run: claim, choose the due, check, judge, commit, deliver. Whoever triggered it was authenticated before.
 * Rejects only where Keepalive itself is broken.
 */
export async function run(uncounted: RunContext, request: RunRequest): Promise<RunReport> {
  const { config, now } = uncounted;
  const { machine } = request;
  const runId = runIdOf(machine?.id);
  const token = tokenOf(runId);
  let startedAt = now();
  const meter: Meter = { commands: 0, bytesSent: 0, bytesReceived: 0 };
  const context = counted(uncounted, meter);
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
  if (config.targets.length === 0 && uncounted.isEmptied !== true)
    return report({ status: 'skipped', reason: 'no_targets', stored: false });

  // Claim.
  const calledAt = performance.now();
  const usage = new RunUsage(context, meter, request);
  const { store } = context;
  const lifetime = request.limit + Math.min(LEASE_MARGIN, config.tick);
  const isLocal = request.trigger === 'local';
  const opened = await open(context, store, { token, ttl: machine?.lease ?? lifetime, isLocal }, request);
  if (typeof opened === 'string') {
    if (opened !== 'locked') await releaseLease(store, token);
    usage.end();
    return report({ status: 'skipped', reason: opened, stored: false });
  }
  // The claim may have found this process's clock to be wrong.
  startedAt = opened.openedAt;
  usage.onClaimed(startedAt);
  const renewing =
    machine && store && opened.failure === null ? keepLease(store, machine.lease, lifetime) : null;
  const end = now() + Math.floor(request.limit - (performance.now() - calledAt));
  const stopping = request.stopping ?? new AbortController().signal;
  const committer = new Committer({
    ...{ context, store, meter, usage, opened, runId, startedAt },
    ...{ isLocal, end, stopping },
  });

  // Choose the due.
  const awaited = config.targets.filter(
    ({ info, activeHours }) => info.enabled && isActive(activeHours, startedAt),
  );
  const due = chooseDue(awaited, (target) => opened.ledger.dueStateOf(target), config.tick, startedAt);

  const { waits } = opened.ledger.throttle;
  const opinions = new SecondOpinions(context, opened.ledger, { mayAskUntil: startedAt + waits });

  // Watch the peers meanwhile.
  const cancelled = request.signal ?? new AbortController().signal;
  const reading = readPeers(context, opened.ledger, { waits, signal: cancelled });

  // Check, for no longer than the plan allows. What is finished before a long wait is judged, committed and delivered
  // meanwhile.
  const { batches, unfinished } = await checkAll(due, context, request, {
    startedAt,
    ledger: opened.ledger,
    opinions,
    timeLeft: request.limit - RECORDING - (performance.now() - calledAt),
    record: (finished) =>
      committer.checkpoint(finished, (failed) => isInconclusive(context, opinions, failed)),
  });
  const readings = await reading;
  const inconclusive =
    !committer.hasSuccess && (await isInconclusive(context, opinions, [...committer.undecided, ...batches]));
  const status = inconclusive ? 'inconclusive' : unfinished > 0 ? 'partial' : 'completed';

  // Judge. An inconclusive run leaves its checks out, and delivers nothing: its network does not work.
  if (!inconclusive) {
    committer.judge(batches);
    const isAlone = !committer.hasSuccess && !hasSuccess(batches);
    await recordPeers(context, opened.ledger, { readings, isAlone });
    await committer.prepareMails();
  }

  // Commit.
  const failure = await committer.commit(status);
  if (failure === null) {
    context.backlog.seen = { firstRunAt: opened.ledger.firstRunAt, lastRunAt: now() };
  }

  // Deliver.
  if (!inconclusive) {
    const { longest, shortest, before } = MAILING;
    const mailsUntil = (): number => {
      const at = now();
      const spare = startedAt + request.nextRunIn - before;
      return Math.min(end - RECORDING_MAILS, Math.max(at + shortest, Math.min(at + longest, spare)));
    };
    await committer.deliver(status, mailsUntil);
  }
  clearInterval(renewing ?? undefined);
  if (opened.isLeaseLeft) await releaseLease(store, token);
  if (failure === null && !inconclusive) await sendHeartbeat(context);
  usage.end();

  const { results, transitions } = committer;
  const checked = results.filter(({ ok }) => ok !== null).length;
  const failed = results.filter(({ ok }) => ok === false).length;
  return report({
    status,
    ...(failure === null ? {} : { reason: failure.reason }),
    due: due.length,
    checked,
    succeeded: checked - failed,
    failed,
    stored: failure === null,
    transitions: transitions.map(transitionView),
    results,
  });
}

/** The same, whose stores count what they cost into `meter`. */
function counted({ store, together, ...context }: RunContext, meter: Meter): RunContext {
  return {
    ...context,
    store: store?.metered(meter) ?? null,
    ...(together && { together: { ...together, store: together.store.metered(meter) } }),
  };
}

/** Checks the due targets, in rounds where their intervals are shorter than the time to the next run. */
async function checkAll(
  due: readonly Target[],
  context: RunContext,
  { limit, nextRunIn, signal: cancelled, stopping }: RunRequest,
  { startedAt, ledger, opinions, timeLeft, record }: CheckPlan,
): Promise<RoundsResult> {
  const { pace, throttle } = ledger;
  const waitsUntil = startedAt + throttle.waits;
  const timeIsUp = new AbortController();
  // Not AbortSignal.timeout: Node 20 forgets one that only AbortSignal.any refers to.
  const timer = setTimeout(() => timeIsUp.abort(), timeLeft);
  const signal = AbortSignal.any([timeIsUp.signal, ...(cancelled ? [cancelled] : [])]);
  try {
    return await runRounds(due, startedAt, {
      until: startedAt + Math.min(nextRunIn - ROUND_MARGIN, throttle.rounds),
      deadline: startedAt + limit - RECORDING,
      // A run may cost 10 commands, of which one checkpoint leaves 7; one that goes on for longer stands for several.
      recordEvery: Math.max(nextRunIn, context.config.tick),
      signal,
      stopping: stopping ?? new AbortController().signal,
      check: async (target, at, onWaking) => {
        const checks = await checkSafely(context, target, {
          ...{ at, signal, onWaking, waitsUntil },
          word: ledger.hostWordOf(target.info.id),
          failuresUntilDown: ledger.failuresUntilDown(target),
          longestWait: longestWait(target, { pace, isOnVercel: context.config.isOnVercel }),
          // What comes of it may not be on record when the next round begins.
          open: at === startedAt ? ledger.openCheckOf(target.info.id) : null,
        });
        return opinions.judge(target, checks, signal);
      },
      record,
      now: context.now,
      sleep: context.sleep,
    });
  } finally {
    clearTimeout(timer);
  }
}

interface CheckPlan {
  readonly startedAt: number;
  readonly ledger: Ledger;
  readonly opinions: SecondOpinions;
  /** Ms until what is under way is given up. */
  readonly timeLeft: number;
  readonly record: RoundsOptions['record'];
}

/**
 * Opens the ledger on what is stored; where that cannot be had, on what this process remembers: the pings still go out.
 */
async function open(
  context: RunContext,
  store: Store | null,
  { isLocal, ...lease }: { readonly token: string; readonly ttl: number; readonly isLocal: boolean },
  { machine, nextRunIn }: Pick<RunRequest, 'machine' | 'nextRunIn'>,
): Promise<OpenRun | 'locked' | 'sharded' | 'taken'> {
  const { config, backlog, channels, log, now, shards, shard = 0, together, storeFailure } = context;
  const openOn = (
    stored: Stored,
    maintenance: string | null,
    process: Pick<LedgerSettings, 'remembered' | 'lastHeardAt'>,
  ): Omit<OpenRun, 'failure' | 'isLeaseLeft' | 'mails'> => {
    const openedAt = now();
    const windows = readableMaintenance(maintenance, ({ message }) =>
      log(JSON.stringify({ event: 'maintenance_unreadable', message })),
    );
    const settings = {
      targets: withMaintenance(config.targets, windows),
      tick: config.tick,
      limits: shareOf(
        limitsOf(config, { isLocal }),
        context.among ?? { all: shards ?? 1, together: shards ?? 1 },
      ),
      channels: [...channels.keys()],
      // Shards are checked at slightly different times within a tick, and are reminded of together.
      reminder: config.alerts.reminder && config.alerts.reminder - Math.min(config.tick / 2, TOGETHER),
      peers: watchedPeers(context),
      ...process,
    };
    return { ledger: new Ledger(stored, settings, openedAt), token: lease.token, openedAt, stored };
  };
  const openOnMemory = (failure: RecordFailure, isLeaseLeft = false): OpenRun => {
    const stored = backlog.lastKnown ?? { state: null, outbox: null };
    // Whether runs are missing cannot be known: another process may have made them.
    const opened = openOn(stored, backlog.maintenance, { lastHeardAt: now() });
    if (together !== undefined) {
      opened.ledger.notifier.applyJointRecord(together.delivery.record, shard);
    }
    return { ...opened, failure, isLeaseLeft, mails: null };
  };
  if (storeFailure !== undefined) return openOnMemory(recordFailureOf(storeFailure));
  if (store === null) return openOnMemory({ reason: 'store_missing', error: null });
  let isClaimed = false;
  try {
    const hasRead = config.subscriptions !== null && backlog.expectsMails;
    const fields = [
      ...(config.subscriptions === null ? HEAD_FIELDS : MAILING_HEAD_FIELDS),
      ...(hasRead ? [SUBSCRIBERS_FIELD, NOTES_FIELD] : []),
      ...(shards === undefined ? [SHARDS_FIELD] : []),
    ];
    const claim = await store.claim({ ...lease, fields, within: patience(config.tick) });
    if (!claim.claimed) return 'locked';
    backlog.expectsMails = false;
    isClaimed = true;
    // Some of the targets live elsewhere.
    if (claim.fields.has(SHARDS_FIELD)) return 'sharded';
    const stored = {
      state: claim.fields.get(STATE_FIELD) ?? null,
      outbox: claim.fields.get(OUTBOX_FIELD) ?? null,
    };
    const maintenance = claim.fields.get(MAINTENANCE_FIELD) ?? null;
    const opened = openOn(stored, maintenance, {
      remembered: backlog.seen,
      lastHeardAt: backlog.all.at(-1)?.at ?? null,
    });
    if (machine && isOthers(opened.ledger.lastRun, machine, opened.openedAt - nextRunIn / 2)) return 'taken';
    if (together !== undefined && opened.ledger.notifier.waits) {
      const record = await deliveredForAll(context, together);
      opened.ledger.notifier.applyJointRecord(record, shard);
    }
    backlog.lastKnown = stored;
    backlog.maintenance = maintenance;
    const mails = SubscriberMails.open(context, store, {
      texts: claim.fields,
      openedAt: opened.openedAt,
      hasRead,
    });
    return { ...opened, failure: null, isLeaseLeft: false, mails };
  } catch (error) {
    return openOnMemory(recordFailureOf(error), isClaimed);
  }
}

/**
 * What other runs have delivered of what waits; where that cannot be read, what this process and the shard's database know
 * of it.
 */
async function deliveredForAll(
  { config, log, shard = 0 }: RunContext,
  { delivery, store }: Together,
): Promise<JointRecord> {
  const within = patience(config.tick);
  try {
    return await delivery.read(store, log, within);
  } catch (error) {
    const { reason } = recordFailureOf(error);
    log(JSON.stringify({ event: 'deliveries_unreadable', reason }));
    return delivery.readCopy(store, shard, log, within);
  }
}

/** Whether another machine has made the run of this period: its last one ended after `since`. */
function isOthers(lastRun: LastRun | null, { id }: Machine, since: number): boolean {
  const other = lastRun === null ? null : machineOf(lastRun.id);
  return lastRun !== null && other !== null && other !== id && endOf(lastRun) > since;
}

/** Releases the lease with an empty commit, so that the next run does not find it taken. */
async function releaseLease(store: Store | null, token: string): Promise<void> {
  await store
    ?.commit({ token, fields: {}, append: null, release: true })
    // The lease expires by itself.
    .catch(() => undefined);
}

/** Calls KEEP_ALIVE_HEARTBEAT_URL, where somebody watches that runs go well. */
async function sendHeartbeat({ config, send, log }: RunContext): Promise<void> {
  if (config.heartbeatUrl === null) return;
  const request = { url: config.heartbeatUrl, method: 'GET', headers: {}, body: null };
  const problem = await send(request, AbortSignal.timeout(HEARTBEAT_TIMEOUT)).then(
    ({ status }) => (status >= 200 && status <= 299 ? null : `answered ${status}`),
    (error: unknown) => (error instanceof DeliveryError ? error.message : 'failed in an unexpected way'),
  );
  if (problem !== null) log(`heartbeat: ${problem}`);
}

/**
 * An error of our own while checking a target is logged: it is no failure of the target and does not affect the others.
 */
async function checkSafely(
  { prober, now, random, sleep, log }: RunContext,
  target: Target,
  task: Omit<RunCheckContext, 'prober' | 'now' | 'random' | 'sleep'>,
): Promise<readonly CheckOrOpen[]> {
  try {
    return await checkInRun(target, { ...task, prober, now, random, sleep });
  } catch (error) {
    const message = error instanceof Error ? error.stack : undefined;
    log(JSON.stringify({ event: 'check_broken', target: target.info.id, message }));
    return [];
  }
}

/** Whether every check failed here, and peers or the control addresses show that the fault is ours. */
async function isInconclusive(
  context: RunContext,
  opinions: SecondOpinions,
  batches: readonly Batch[],
): Promise<boolean> {
  if (!hasTrouble(batches) || hasSuccess(batches)) return false;
  if (opinions.showOurFault) return true;
  return isCutOff(context);
}

/** Whether there are control addresses, and none of them answers. */
async function isCutOff({ config, prober }: RunContext): Promise<boolean> {
  const attempts = await Promise.all(
    controlTargets(config).map((target) => prober.attempt(target, AbortSignal.timeout(target.timeout))),
  );
  return attempts.length > 0 && attempts.every(({ outcome }) => outcome === 'failed');
}

/**
 * Records what was read of peers. Where nothing at all could be reached, it may be our own network: they count for
 * nothing.
 * @param isAlone no target answered in this run
 */
async function recordPeers(
  context: RunContext,
  ledger: Ledger,
  { readings, isAlone }: { readonly readings: PeerReadings; readonly isAlone: boolean },
): Promise<void> {
  if (isAlone && areAllSilent(readings) && (await isCutOff(context))) return;
  const lines = ledger.recordPeers(readings).map(peerLine);
  if (lines.length > 0) context.log(lines.join('\n'));
}
