import { type Changes, type Ledger, type Stored } from '../record/ledger.js';
import { MAILING_FIELD, OUTBOX_FIELD, STATE_FIELD } from '../record/fields.js';
import type { DeliveryOutcome } from '../rules/delivery-outcome.js';
import type { Usage } from '../rules/account.js';
import { inMaintenance } from '../rules/windows.js';
import type { LastRun } from '../record/state-model.js';
import { TextError } from '../record/codec/text-error.js';
import type { Commit, Meter, Store, StoreErrorCode } from '../store/store.js';
import { ACKNOWLEDGE_COMMANDS, COMMIT_COMMANDS, StoreError, SWAP_COMMANDS } from '../store/store.js';
import type { CheckOrOpen, Target, Transition } from '../types.js';
import type { Batch } from './backlog.js';
import { deliverDigests, makeRestarts, type DeliveryContext } from './delivery.js';
import type { JointDeliveryContext, Together } from './joint-delivery.js';
import { pingLine, resultOf, transitionLine, type RunResult } from './report.js';
import type { RunContext } from './run-context.js';
import type { RunUsage } from './run-usage.js';
import type { SubscriberMails } from './subscriber-mails.js';
import { newToken } from './turns.js';
import { DAY, MINUTE } from '../time.js';

/** Why a run could not be recorded. */
export interface RecordFailure {
  readonly reason: StoreErrorCode | 'store_missing' | 'lease_lost';
  readonly error: unknown;
}

export interface OpenRun {
  /** The token of the lease. */
  readonly token: string;
  readonly ledger: Ledger;
  /** The run's time, in ms since the epoch. */
  readonly openedAt: number;
  /** What the ledger was opened on. */
  readonly stored: Stored;
  /**
   * Not null: the store could not be read. The ledger is opened on what this process remembers, and nothing is
   * committed.
   */
  readonly failure: RecordFailure | null;
  /** The run has the lease although the stored texts could not be read. It has to release it, since no commit will. */
  readonly isLeaseLeft: boolean;
  /** Mails to subscribers; null: there are none, or they cannot be sent now. */
  readonly mails: SubscriberMails | null;
}

/** Ms after which an alert says that nothing can be recorded, and ms until it is repeated. */
const UNRECORDED_AFTER = 15 * MINUTE;
const UNRECORDED_AGAIN_AFTER = DAY;
/** Ms of a lease that is taken to record once more. */
const SHORT_LEASE = 10_000;
/** Store commands that a run may cost, without deliveries and with them. */
const MOST_COMMANDS = 10;
const MOST_DELIVERING = 12;
/** More than the alerts that can be made within a day; beyond it, the oldest are dropped. */
const MOST_SENT = 10_000;

/** @throws what is neither a fault of the store nor of what it holds. */
export function recordFailureOf(error: unknown): RecordFailure {
  if (error instanceof StoreError) return { reason: error.code, error };
  if (error instanceof TextError) return { reason: 'store_corrupt', error };
  throw error;
}

/** Whether a target answered here. */
export function hasSuccess(batches: readonly Batch[]): boolean {
  return hasCheck(
    batches,
    (check) => check.outcome === 'good' || (check.outcome === 'degraded' && check.reason !== 'local'),
  );
}

/** Whether a target is not well, or still waking, as far as is known. */
export function hasTrouble(batches: readonly Batch[]): boolean {
  return hasCheck(batches, ({ outcome }) => outcome !== 'good' && outcome !== 'degraded');
}

function hasCheck(batches: readonly Batch[], isSought: (check: CheckOrOpen) => boolean): boolean {
  return batches.some(({ checks }) => [...checks.values()].some(isSought));
}

export interface CommitterOptions {
  readonly context: RunContext;
  /** The store of the context, which counts its commands into `meter`. */
  readonly store: Store | null;
  readonly meter: Meter;
  readonly usage: RunUsage;
  readonly opened: OpenRun;
  readonly runId: string;
  readonly startedAt: number;
  /** The run is made by `npm start`, not by a trigger. */
  readonly isLocal: boolean;
  /** When the process has to be done, in ms since the epoch. */
  readonly end: number;
  readonly stopping: AbortSignal;
}

/**
 * Records a run: first the checks that earlier runs of the process could not store, then its own, in one commit or, where
 * the run lasts long, in several. Alerts are delivered once their checks are recorded. Checks that cannot be recorded are
 * logged and kept for a later run, and their alerts are delivered from memory; they are not sent again later.
 */
export class Committer {
  readonly results: RunResult[] = [];
  readonly transitions: Transition[] = [];
  /**
   * Failed checks that are not judged until a success, or the end of the run, shows whether the fault is the targets'
   * or ours.
   */
  readonly undecided: Batch[] = [];
  hasSuccess = false;
  private failure: RecordFailure | null;
  private readonly kept: readonly Batch[];
  private checkpoints = 0;
  /** Results of deliveries that are not recorded yet. */
  private outcomes: readonly DeliveryOutcome[];
  /** Checks that are judged and not recorded yet. */
  private waiting: { batches: Batch[]; results: RunResult[]; lines: string[] } = noneWaiting();

  /** Something is to be delivered under the lease: it is kept until the results are recorded. */
  private mustDeliver = false;
  /** A message for all shards that is on its way while checks are still made. */
  private joint: Promise<void> | null = null;
  /** All that the run has found is on record, or never will be. */
  private isOver = false;
  private readonly context: RunContext;
  private readonly store: Store | null;
  private readonly meter: Meter;
  private readonly usage: RunUsage;
  private readonly opened: OpenRun;
  private readonly runId: string;
  private readonly startedAt: number;
  private readonly isLocal: boolean;
  private readonly end: number;
  private readonly stopping: AbortSignal;

  constructor(options: CommitterOptions) {
    const { context, store, meter, usage, opened, runId, startedAt, isLocal, end, stopping } = options;
    this.context = context;
    this.store = store;
    this.meter = meter;
    this.usage = usage;
    this.opened = opened;
    this.runId = runId;
    this.startedAt = startedAt;
    this.isLocal = isLocal;
    this.end = end;
    this.stopping = stopping;
    this.failure = opened.failure;
    this.kept = context.backlog.all;
    this.outcomes = context.backlog.outcomes;
    // What this process remembers holds them already.
    const isRemembered = opened.failure !== null && context.backlog.unrecordedSince !== null;
    if (!isRemembered) opened.ledger.notifier.applyOutcomes(this.outcomes);
    for (const { at, checks } of this.kept)
      this.note(opened.ledger.record(at, checks, { restartable: false }));
    if (opened.failure === null) opened.ledger.notifier.reconcile(context.backlog.sent);
  }

  /**
   * Commits what is finished so far, and keeps the lease. If the commit fails, the next one holds these checks too.
   * @param isInconclusive whether the fault is ours where every check of the run has failed
   */
  async checkpoint(
    batches: readonly Batch[],
    isInconclusive: (batches: readonly Batch[]) => Promise<boolean>,
  ): Promise<void> {
    this.hasSuccess ||= hasSuccess(batches);
    this.undecided.push(...batches);
    if (this.failure !== null) return;
    if (!this.hasSuccess && (await isInconclusive(this.undecided))) return;
    this.judge([]);
    const { ledger } = this.opened;
    const failure = await this.write((used) => ledger.checkpoint(this.lastRun('partial'), used), {
      release: false,
      commands: ACKNOWLEDGE_COMMANDS,
    });
    if (failure?.reason === 'lease_lost') this.failure = failure;
    this.checkpoints += 1;
    // What comes of it is on record with the next commit.
    if (failure === null) await this.deliverAlerts();
  }

  /** Applies these checks, and those that were undecided, to the ledger, which decides alerts and restarts. */
  judge(batches: readonly Batch[]): void {
    const { ledger } = this.opened;
    const all = [...this.undecided.splice(0), ...batches];
    for (const { at, checks } of all) {
      const transitions = ledger.record(at, checks, { restartable: this.opened.failure === null });
      for (const [id, check] of checks) {
        const result = resultOf(id, check, ledger.statusOf(id));
        this.results.push(result);
        this.waiting.results.push(result);
        this.waiting.lines.push(pingLine(ledger.pingsOf(id), result));
      }
      this.note(transitions);
    }
    this.waiting.batches.push(...all);
  }

  /** Finds out what subscribers are to be told. */
  async prepareMails(): Promise<void> {
    const { mails, ledger } = this.opened;
    if (mails === null || this.failure !== null) return;
    mails.observe(ledger);
    const commit = this.checkpoints > 0 ? ACKNOWLEDGE_COMMANDS : COMMIT_COMMANDS;
    const needed = this.meter.commands + 1 + commit + ACKNOWLEDGE_COMMANDS;
    await mails.prepare(this.store?.kind === 'sqlite' || needed <= MOST_DELIVERING);
  }

  /** Commits what was judged. The lease is given back, unless there is something to deliver. */
  async commit(status: LastRun['status']): Promise<RecordFailure | null> {
    const { ledger, mails } = this.opened;
    const { notifier } = ledger;
    // What is told for all shards together needs no lease of one.
    const hasAlerts = this.context.together === undefined && this.hasAlerts;
    const isDue = notifier.restarts.length > 0 || hasAlerts || mails?.isDue === true;
    this.mustDeliver = status !== 'inconclusive' && isDue;
    const delivers = this.mustDeliver;
    const hasRemoved = !delivers && status !== 'inconclusive' && (await this.removeGoneSubscribers());
    this.failure ??= await this.write(
      (used) => {
        const lastRun = this.lastRun(status, { delivers });
        // With a checkpoint before, and an acknowledgement after or the store's time asked, a commit that appends would be
        // a command too many, and so it would with addresses removed. The rows of the log wait in the state for the next run.
        const hasRoom = !delivers && this.meter.commands + COMMIT_COMMANDS <= MOST_COMMANDS;
        const { fields, append } =
          (this.checkpoints > 0 || hasRemoved) && !hasRoom
            ? ledger.closeWithoutAppending(lastRun, used)
            : ledger.close(lastRun, used);
        return { fields: { ...fields, ...mails?.fields }, append };
      },
      {
        release: !delivers,
        decides: true,
        commands: COMMIT_COMMANDS + (delivers ? ACKNOWLEDGE_COMMANDS : 0),
      },
    );
    if (this.failure !== null) this.keepForLater(this.failure);
    return this.failure;
  }

  /** Removes addresses of subscribers whose mailboxes are gone, where there is room for it. @returns whether it was tried */
  private async removeGoneSubscribers(): Promise<boolean> {
    const { mails } = this.opened;
    if (this.failure !== null || mails?.hasGone !== true) return false;
    if (this.store?.kind !== 'sqlite') {
      // With copies of the list it costs more, whatever else the run does; it is done once for an address.
      const needed = this.meter.commands + SWAP_COMMANDS + ACKNOWLEDGE_COMMANDS;
      if (this.checkpoints > 0 || (!mails.hasCopies && needed > MOST_COMMANDS)) return false;
    }
    await mails.removeGone();
    return true;
  }

  /**
   * Delivers what is to be delivered, and gives the lease back with what came of it.
   * @param mailsUntil when the last mail to a subscriber may be sent, if it began now
   */
  async deliver(status: LastRun['status'], mailsUntil: () => number): Promise<void> {
    if (this.failure === null && this.mustDeliver) {
      await this.deliverAndAcknowledge(mailsUntil);
      return;
    }
    this.isOver = true;
    await this.joint;
    if (this.failure === null) {
      if (this.hasAlerts) await this.deliverForAll();
      return;
    }
    // The process that took the lease checks the same targets and delivers its own alerts.
    if (this.failure.reason !== 'lease_lost') await this.deliverFromMemory(this.failure, status);
  }

  private get hasAlerts(): boolean {
    return this.opened.ledger.notifier.digests(this.context.now()).length > 0;
  }

  /** Makes restarts, then delivers alerts. With several shards it does not wait until these are delivered. */
  private async deliverAlerts(): Promise<void> {
    const { notifier } = this.opened.ledger;
    const restarts = await makeRestarts(notifier, this.deliveryContext());
    this.outcomes = [...this.outcomes, ...restarts];
    if (this.context.together === undefined) {
      const digests = await deliverDigests(notifier, this.deliveryContext());
      this.outcomes = [...this.outcomes, ...digests];
    } else if (this.hasAlerts && restarts.length === 0) {
      this.joint = (this.joint ?? Promise.resolve()).then(() => this.deliverForAll());
      // It is awaited when the run ends.
      this.joint.catch(() => undefined);
    }
  }

  /**
   * Delivers what is on record of all shards, where no other run is doing it. Where the store does not say what waits, this
   * shard tells its own alerts.
   */
  private async deliverForAll(): Promise<void> {
    const { context, opened } = this;
    const { together, backlog, shard = 0 } = context;
    if (together === undefined) return;
    const { notifier } = opened.ledger;
    const { delivery } = together;
    let failure: RecordFailure | null = null;
    try {
      await delivery.deliver(together, this.jointContext(together));
    } catch (error) {
      failure = recordFailureOf(error);
    }
    // Also after a failure: some of it may have been delivered before.
    notifier.applyJointRecord(delivery.record, shard);
    if (failure !== null && this.hasAlerts) {
      const { reason } = failure;
      context.log(JSON.stringify({ event: 'not_told_together', runId: this.runId, reason }));
      const outcomes = await deliverDigests(notifier, this.deliveryContext());
      this.outcomes = [...this.outcomes, ...outcomes];
      backlog.outcomes = this.outcomes;
      await this.recordToldAlone();
    }
    const { [OUTBOX_FIELD]: outbox } = opened.ledger.acknowledgement().fields;
    if (outbox !== undefined && backlog.lastKnown !== null)
      backlog.lastKnown = { ...backlog.lastKnown, outbox };
  }

  /**
   * Records in the shard's own outbox what it has told alone: another machine that makes its next run would tell it again.
   * The lease was given back before. Where another run has it, this process remembers what was told.
   */
  private async recordToldAlone(): Promise<void> {
    const { context, opened, store } = this;
    const { backlog } = context;
    const token = newToken();
    try {
      const claim = await store?.claim({ token, ttl: SHORT_LEASE, fields: [OUTBOX_FIELD] });
      if (store == null || claim?.claimed !== true) return;
      const isSame = (claim.fields.get(OUTBOX_FIELD) ?? null) === (backlog.lastKnown?.outbox ?? null);
      const { fields } = isSame ? opened.ledger.acknowledgement() : { fields: {} };
      const answer = await store.commit({ token, fields, append: null, release: true });
      if (isSame && answer !== 'lost') backlog.outcomes = [];
    } catch (error) {
      context.log(
        JSON.stringify({
          ...{ event: 'delivery_not_acknowledged', runId: this.runId },
          reason: recordFailureOf(error).reason,
        }),
      );
    }
  }

  private async deliverUnrecorded(): Promise<readonly DeliveryOutcome[]> {
    const { together, now } = this.context;
    const { notifier } = this.opened.ledger;
    if (together === undefined) return deliverDigests(notifier, this.deliveryContext());
    const digests = notifier.digests(now());
    const outcomes = await together.delivery.deliverUnrecorded(
      together,
      digests,
      this.jointContext(together),
    );
    notifier.applyOutcomes(outcomes);
    return outcomes;
  }

  private jointContext({ targets }: Together): JointDeliveryContext {
    const { context, startedAt, end, stopping } = this;
    const { sleep, shard = 0 } = context;
    const isOver = (): boolean => this.isOver;
    return { ...this.deliveryContext(), ...{ targets, sleep, shard, isOver, startedAt, end, stopping } };
  }

  private deliveryContext(): DeliveryContext {
    const { context, opened } = this;
    const { config, channels, send, now, log } = context;
    const isDown = ({ info }: Target): boolean => info.enabled && opened.ledger.statusOf(info.id) === 'down';
    return {
      targets: opened.ledger.targets,
      channels,
      send,
      publicUrl: config.publicUrl,
      isLocal: this.isLocal,
      timeZone: config.page.timeZone ?? 'UTC',
      now,
      log,
      mayRestart: (target) => isDown(target) && !inMaintenance(target.maintenance, now()),
    };
  }

  /**
   * Delivers alerts although nothing can be recorded, and keeps the ledger's texts in the process, so that nothing is sent
   * twice. No restarts are made, since their limit could not be kept without a record.
   */
  private async deliverFromMemory({ error }: RecordFailure, status: LastRun['status']): Promise<void> {
    const { backlog, now } = this.context;
    const { ledger, stored } = this.opened;
    const { notifier } = ledger;
    backlog.unrecordedSince ??= this.startedAt;
    const isNews =
      backlog.unrecordedSaidAt === null ||
      this.startedAt - backlog.unrecordedSaidAt >= UNRECORDED_AGAIN_AFTER;
    if (isNews && error instanceof Error && this.startedAt - backlog.unrecordedSince >= UNRECORDED_AFTER) {
      backlog.unrecordedSaidAt = this.startedAt;
      const { message } = error;
      notifier.onUnrecorded({ from: backlog.unrecordedSince, at: this.startedAt, message });
    }
    const waiting = new Map(
      notifier.digests(now()).flatMap(({ alerts }) => alerts.map((each) => [each.id, each])),
    );
    const outcomes = await this.deliverUnrecorded();
    const sent = outcomes.flatMap((outcome) =>
      outcome.kind !== 'delivered'
        ? []
        : outcome.ids.flatMap((id) => {
            const alert = waiting.get(id);
            return alert === undefined ? [] : [{ channel: outcome.channel, alert }];
          }),
    );
    backlog.sent = [...backlog.sent, ...sent].slice(-MOST_SENT);
    const { fields } = ledger.checkpoint(this.lastRun(status));
    backlog.lastKnown = {
      state: fields[STATE_FIELD] ?? stored.state,
      outbox: fields[OUTBOX_FIELD] ?? stored.outbox,
    };
  }

  /**
   * Delivers and records the results. If that fails, the process remembers them, so that nothing is delivered twice.
   */
  private async deliverAndAcknowledge(mailsUntil: () => number): Promise<void> {
    await this.deliverAlerts();
    const { mails } = this.opened;
    const hasMails = mails?.isDue === true;
    if (this.context.together !== undefined) {
      // What a restart has come to is told for all shards only once it is on record.
      if (this.outcomes.length > 0 || !hasMails) await this.acknowledge({ release: !hasMails });
      this.isOver = true;
      await this.joint;
      if (this.hasAlerts) await this.deliverForAll();
      if (!hasMails) return;
    }
    if (hasMails) {
      await mails.send({
        until: mailsUntil(),
        stopping: this.stopping,
        save: async (fields) =>
          (await this.write(() => ({ fields, append: null }), { release: false, commands: 0 })) === null,
      });
    }
    await this.acknowledge({ release: true });
  }

  private async acknowledge({ release }: { readonly release: boolean }): Promise<void> {
    const { ledger, mails } = this.opened;
    const changes = (): Changes => ({
      fields: { ...ledger.acknowledgement().fields, ...mails?.fields },
      append: null,
    });
    const failure = await this.write(changes, { release, commands: 0 });
    if (failure === null) return;
    mails?.remember();
    const { reason } = failure;
    this.context.backlog.outcomes = this.outcomes;
    this.context.log(JSON.stringify({ event: 'delivery_not_acknowledged', runId: this.runId, reason }));
  }

  private note(transitions: readonly Transition[]): void {
    this.transitions.push(...transitions);
    this.waiting.lines.push(...transitions.map(transitionLine));
  }

  private lastRun(status: LastRun['status'], { delivers } = { delivers: false }): LastRun {
    return {
      id: this.runId,
      at: this.startedAt,
      status,
      durationMs: Math.max(0, this.context.now() - this.startedAt),
      checked: this.results.filter(({ ok }) => ok !== null).length,
      failed: this.results.filter(({ ok }) => ok === false).length,
      commands: this.meter.commands + COMMIT_COMMANDS + (delivers ? ACKNOWLEDGE_COMMANDS : 0),
    };
  }

  private async write(
    changes: (used: Usage) => Changes,
    { commands, ...end }: Pick<Commit, 'release' | 'decides'> & { readonly commands: number },
  ): Promise<RecordFailure | null> {
    const { backlog } = this.context;
    const used = this.usage.soFar(commands);
    const change = changes(used);
    try {
      const answer = await this.store?.commit({ token: this.opened.token, ...change, ...end });
      if (answer === 'lost') return { reason: 'lease_lost', error: null };
    } catch (error) {
      return recordFailureOf(error);
    }
    if (STATE_FIELD in change.fields) this.usage.onCommitted(used);
    const { [STATE_FIELD]: state, [OUTBOX_FIELD]: outbox } = change.fields;
    backlog.lastKnown = {
      state: state ?? backlog.lastKnown?.state ?? this.opened.stored.state,
      outbox: outbox ?? backlog.lastKnown?.outbox ?? this.opened.stored.outbox,
    };
    const mailing = change.fields[MAILING_FIELD];
    if (mailing !== undefined) {
      this.opened.mails?.onSaved(mailing);
      backlog.mailing = null;
    }
    backlog.sent = [];
    backlog.unrecordedSince = null;
    backlog.drop(this.kept);
    backlog.outcomes = [];
    this.outcomes = [];
    // One call for all lines: the call costs more than building the text.
    if (this.waiting.lines.length > 0) this.context.log(this.waiting.lines.join('\n'));
    this.waiting = noneWaiting();
    return null;
  }

  private keepForLater({ reason, error }: RecordFailure): void {
    const { log, backlog } = this.context;
    const { runId } = this;
    const message = error instanceof Error ? error.message : undefined;
    backlog.outcomes = this.outcomes;
    log(JSON.stringify({ event: 'run_not_stored', runId, reason, message }));
    for (const result of this.waiting.results) {
      log(JSON.stringify({ event: 'check_not_stored', runId, ...result }));
    }
    const dropped = backlog.keep(this.waiting.batches);
    if (dropped > 0) log(JSON.stringify({ event: 'checks_dropped', runId, count: dropped }));
  }
}

function noneWaiting(): { batches: Batch[]; results: RunResult[]; lines: string[] } {
  return { batches: [], results: [], lines: [] };
}
