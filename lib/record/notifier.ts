import {
  evaluateAlerts,
  isBlank,
  NO_ALERT_STATE,
  type AlertInput,
  type IncidentEvent,
  type AlertState,
  type Situation,
} from '../rules/alert-evaluation.js';
import {
  dueFor,
  enqueued,
  peerKey,
  peerOfKey,
  pendingFor,
  undeliveredTo,
  withoutStale,
  type Moved,
  type Outbox,
  type PendingAlert,
  type PendingRestart,
} from '../rules/outbox.js';
import { withJointRecord, type JointRecord } from '../rules/joint-delivery.js';
import { applyOutcome, reconciled, type DeliveryOutcome, type SentAlert } from '../rules/delivery-outcome.js';
import { inMaintenance, isEntering } from '../rules/windows.js';
import type { Alert, ChannelName, Check, Target } from '../types.js';
import type { PeerTrouble } from '../rules/peer-watch.js';
import type { RunGap } from './state-model.js';
import { readOutbox, writeOutbox } from './outbox-text.js';
import { DAY, MINUTE } from '../time.js';

/** The channels that can be notified, and how often alerts are repeated. */
export interface NotifierSettings {
  /** The channels that are set up. */
  readonly channels: readonly ChannelName[];
  /** Ms between two reminders; null: none. */
  readonly reminder: number | null;
  /** The hosts of the peers that are watched; absent: none are. */
  readonly peers?: readonly string[];
}

/** The alerts that are due for one channel. */
export interface PendingDigest {
  readonly channel: ChannelName;
  readonly alerts: readonly Alert[];
  /** How many earlier alerts it did not accept in time. */
  readonly undelivered: number;
  /** Where the configured receiver has moved to, as the channel reported; null: it has not moved. */
  readonly moved: Moved | null;
}

/** The digests that are due now, one a channel. @param channels those that are set up */
export function digestsOf(outbox: Outbox, channels: readonly ChannelName[], now: number): PendingDigest[] {
  return channels
    .map((channel) => ({
      channel,
      alerts: dueFor(outbox, channel, now),
      undelivered: undeliveredTo(outbox, channel),
      moved: outbox.moved[channel] ?? null,
    }))
    .filter(({ alerts }) => alerts.length > 0);
}

/** A check that was recorded, with what its target was before and after it. */
export interface RecordedCheck {
  readonly check: Check;
  readonly before: Situation;
  readonly after: Situation;
  readonly contradiction: AlertInput['contradiction'];
  /** Restarts can be made because of it. */
  readonly restartable: boolean;
}

/** What a notifier is opened with. */
export interface NotifierContext {
  /** Those that are configured, by id. */
  readonly targets: ReadonlyMap<string, Target>;
  /** The ids of all targets whose history is kept, configured or not. */
  readonly known: ReadonlySet<string>;
  readonly settings: NotifierSettings;
  /** Unique among the runs of an installation. */
  readonly run: string;
  /** Ms since the epoch. */
  readonly now: number;
}

/**
 * Ms without alerts after a target enters its active hours, since it may wake slowly; twice its WAKE_TIMEOUT if longer.
 */
const ENTERING = 5 * MINUTE;
/** Missed runs are reported once in this time, in ms, unless the gap is longer than `FAR_MORE` times the last one. */
const MISSED_AGAIN_AFTER = DAY;
const FAR_MORE = 2;
/** A slow pace is reported again only after runs came often enough for this time, in ms. */
const MENDED_AFTER = DAY;

/**
 * Makes alerts and restarts, and keeps them in the outbox until they are delivered. Opened on the outbox of earlier
 * runs.
 */
export class Notifier {
  private base: Outbox;
  /** Additions that are not in `base` yet: it is rebuilt when it is read. */
  private readonly added = {
    alerts: [] as PendingAlert[],
    alertStates: new Map<string, AlertState>(),
  };
  private ids = 0;
  /** `text` has returned another text than the stored one, so that it must go on doing so. */
  private isWritten = false;

  private readonly stored: string | null;
  private readonly targets: ReadonlyMap<string, Target>;
  private readonly settings: NotifierSettings;
  private readonly run: string;
  private readonly now: number;

  /** @throws TextError when the stored text is not one of ours */
  constructor(stored: string | null, { targets, known, settings, run, now }: NotifierContext) {
    this.stored = stored;
    this.targets = targets;
    this.settings = settings;
    this.run = run;
    this.now = now;
    const { alertStates, missed, ...rest } = readOutbox(stored);
    const kept = {
      ...rest,
      alertStates: new Map([...alertStates].filter(([id]) => known.has(id) || peerOfKey(id) !== null)),
      missed: missed !== null && now - missed.at < MISSED_AGAIN_AFTER ? missed : null,
    };
    const { channels } = settings;
    this.base = withoutStale(kept, (...asked) => this.isWanted(...asked), channels, now);
    for (const [id, known] of this.base.alertStates) {
      const peer = peerOfKey(id);
      if (peer === null) this.closeUnwatched(id, known);
      else if (!settings.peers?.includes(peer)) this.endPeerAlert(peer, 'removed');
    }
  }

  onCheck(target: Target, { check, before, after, contradiction, restartable }: RecordedCheck): void {
    const { id } = target.info;
    const { at } = check;
    const entering = Math.max(ENTERING, 2 * target.wakeTimeout);
    const to = this.channelsOf(target);
    const { state, alerts, restart } = evaluateAlerts(this.alertStateOf(id), {
      id,
      check,
      before,
      after,
      contradiction,
      muted: inMaintenance(target.maintenance, at) || isEntering(target.activeHours, at - entering, at),
      to,
      reminder: this.settings.reminder,
      failureThreshold: target.failureThreshold,
      sleepsAfter: target.info.sleepsAfter,
      tlsExpiry: target.assertions.tlsExpiry,
      recovery: target.recovery,
      restartable,
    });
    this.added.alertStates.set(id, state);
    for (const { alert, to, alreadyTold } of alerts)
      this.enqueue({ ...alert, id: this.nextId(), at }, to, alreadyTold);
    if (restart !== null && target.recovery !== null) {
      const { max } = target.recovery;
      const order = { id: this.nextId(), target: id, at, number: restart, max, to };
      // It replaces an earlier order that was never made.
      const others = this.base.restarts.filter((each) => each.target !== id);
      this.base = { ...this.base, restarts: [...others, order] };
    }
  }

  /** Reports missed runs. */
  onMissedRuns({ from, to }: RunGap): void {
    const { missed } = this.outbox;
    const length = to - from;
    const { channels } = this.settings;
    const isNews = missed === null || length > FAR_MORE * missed.length;
    if (!isNews || channels.length === 0) return;
    this.base = { ...this.outbox, missed: { at: to, length } };
    this.enqueue({ id: this.nextId(), at: to, kind: 'missed', from, to }, channels);
  }

  /** Reports a slow pace of the runs. @param slow null: runs come often enough */
  onPace(slow: Pick<Alert & { kind: 'pace' }, 'expected' | 'actual' | 'slowFor'> | null): void {
    const { slowPace: before } = this.outbox;
    const { channels } = this.settings;
    if (before === null) {
      if (slow === null || channels.length === 0) return;
      this.base = { ...this.outbox, slowPace: { mendedAt: null } };
      this.enqueue({ id: this.nextId(), at: this.now, kind: 'pace', ...slow }, channels);
      return;
    }
    const since = before.mendedAt === null ? this.now : Math.min(before.mendedAt, this.now);
    const mendedAt = slow === null ? since : null;
    const isOver = slow === null && this.now - since >= MENDED_AFTER;
    this.base = { ...this.outbox, slowPace: isOver ? null : { mendedAt } };
  }

  /** Reports allowances that will be exceeded. @returns whether there is a channel that is told */
  onAllowances(over: (Alert & { kind: 'allowances' })['over']): boolean {
    const { channels } = this.settings;
    this.enqueue({ id: this.nextId(), at: this.now, kind: 'allowances', over }, channels);
    return channels.length > 0;
  }

  /**
   * Reports trouble of a peer, once to each channel, and its end to those that were told of it.
   * @param trouble null: the peer is well
   */
  onPeer(peer: string, trouble: PeerTrouble | null): void {
    if (trouble === null) {
      this.endPeerAlert(peer, 'running');
      return;
    }
    const key = peerKey(peer);
    const known = this.alertStateOf(key);
    const { channels } = this.settings;
    const told = known.active?.to ?? [];
    const untold = channels.filter((channel) => !told.includes(channel));
    if (untold.length === 0) return;
    const { now } = this;
    const { kind: how, since, message } = trouble;
    const startedAt = known.active?.startedAt ?? since;
    const to = [...told, ...untold];
    const active = { status: 'down', startedAt, endedAt: null, saidAt: now, to, remindedAt: now } as const;
    this.added.alertStates.set(key, { ...known, active });
    const alert = { kind: 'peer_down', peer, how, startedAt, message } as const;
    this.enqueue({ ...alert, id: this.nextId(), at: now }, untold);
  }

  private endPeerAlert(peer: string, end: (Alert & { kind: 'peer_up' })['now']): void {
    const key = peerKey(peer);
    const { active } = this.alertStateOf(key);
    if (active === null) return;
    const { now } = this;
    this.added.alertStates.set(key, NO_ALERT_STATE);
    const { startedAt } = active;
    const alert = { kind: 'peer_up', peer, now: end, startedAt, endedAt: Math.max(startedAt, now) } as const;
    this.enqueue({ ...alert, id: this.nextId(), at: now }, active.to);
  }

  /** Reports that nothing could be recorded since `from`. */
  onUnrecorded({ from, at, message }: Pick<Alert & { kind: 'unrecorded' }, 'from' | 'at' | 'message'>): void {
    const { channels } = this.settings;
    this.enqueue({ id: this.nextId(), at, kind: 'unrecorded', from, message }, channels);
  }

  /** Applies what was sent while nothing could be recorded. */
  reconcile(sent: readonly SentAlert[]): void {
    if (sent.length > 0) this.base = reconciled(this.outbox, sent);
  }

  eventsOf(id: string): readonly IncidentEvent[] {
    return this.alertStateOf(id).events;
  }

  get restarts(): readonly PendingRestart[] {
    return this.outbox.restarts;
  }

  /** The digests that are due now, one a channel. */
  digests(now: number): PendingDigest[] {
    return digestsOf(this.outbox, this.settings.channels, now);
  }

  /** Whether another run may have delivered some of what waits here. */
  get waits(): boolean {
    const { alerts, troubles } = this.base;
    return alerts.length > 0 || Object.keys(troubles).length > 0;
  }

  /** Applies what came of messages that were sent for all shards. */
  applyJointRecord(record: JointRecord, shard: number): void {
    this.base = withJointRecord(this.outbox, record, shard);
  }

  applyOutcomes(outcomes: readonly DeliveryOutcome[]): void {
    this.base = outcomes.reduce(applyOutcome, this.outbox);
  }

  /** The text to store; null: the stored one is still right. */
  text(): string | null {
    const text = writeOutbox(this.outbox, this.now);
    this.isWritten ||= text !== (this.stored ?? '');
    return this.isWritten ? text : null;
  }

  private get outbox(): Outbox {
    const { alerts, alertStates } = this.added;
    if (alerts.length + alertStates.size > 0) {
      const all = new Map([...this.base.alertStates, ...alertStates]);
      this.base = {
        ...this.base,
        alertStates: new Map([...all].filter(([, known]) => !isBlank(known))),
      };
      this.base = enqueued(this.base, alerts.splice(0));
      alertStates.clear();
    }
    return this.base;
  }

  private alertStateOf(id: string): AlertState {
    return this.added.alertStates.get(id) ?? this.base.alertStates.get(id) ?? NO_ALERT_STATE;
  }

  /** Ends the active alert of a target that was removed or paused, on every channel that was sent it. */
  private closeUnwatched(id: string, known: AlertState): void {
    const { active } = known;
    const target = this.targets.get(id);
    if (active === null || target?.info.enabled) return;
    if (target !== undefined && inMaintenance(target.maintenance, this.now)) return;
    const because = target === undefined ? 'removed' : 'paused';
    const { status: was, startedAt, endedAt } = active;
    this.added.alertStates.set(id, { ...known, active: null, transitions: [] });
    const alert = { kind: 'unwatched', target: id, was, because, startedAt, endedAt } as const;
    this.enqueue({ ...alert, id: this.nextId(), at: this.now }, active.to);
  }

  /** Whether an alert that waits for a channel is still to go there. */
  private isWanted(alert: Alert, channel: ChannelName): boolean {
    if (!this.settings.channels.includes(channel)) return false;
    const target = 'target' in alert ? this.targets.get(alert.target) : undefined;
    // A channel that was sent the beginning gets the end.
    if (target === undefined || alert.kind === 'up' || alert.kind === 'unwatched') return true;
    return this.channelsOf(target).includes(channel);
  }

  private enqueue(alert: Alert, to: readonly ChannelName[], alreadyTold?: readonly ChannelName[]): void {
    const setUp = to.filter((channel) => this.settings.channels.includes(channel));
    if (setUp.length > 0) this.added.alerts.push(pendingFor(alert, setUp, alreadyTold));
  }

  private channelsOf({ alerts }: Target): readonly ChannelName[] {
    const { channels } = this.settings;
    return alerts === null ? channels : channels.filter((channel) => alerts.includes(channel));
  }

  private nextId(): string {
    this.ids += 1;
    return `${this.run}-${this.ids}`;
  }
}
