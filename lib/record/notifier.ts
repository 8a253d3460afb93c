import {
  evaluateAlerts,
  isBlank,
  NO_ALERT_STATE,
  type IncidentEvent,
  type AlertState,
  type Situation,
} from '../rules/alert-evaluation.js';
import {
  dueFor,
  enqueued,
  pendingFor,
  reconciled,
  settle,
  withoutStale,
  type Moved,
  type Outbox,
  type DeliveryOutcome,
  type PendingAlert,
  type PendingRestart,
  type SentAlert,
} from '../rules/outbox.js';
import { inMaintenance, isEntering } from '../rules/windows.js';
import type { Alert, ChannelName, Check, Target } from '../types.js';
import { readOutbox, writeOutbox } from './outbox-text.js';
import { DAY, MINUTE } from '../time.js';

/** Who can be told, and how often they want to hear it again. */
export interface Correspondence {
  /** The channels that are set up. */
  readonly channels: readonly ChannelName[];
  /** Ms between two reminders; null: none. */
  readonly reminder: number | null;
}

/** What a channel is to be told. */
export interface ChannelNews {
  readonly channel: ChannelName;
  readonly alerts: readonly Alert[];
  /** How many earlier alerts it did not take in time. */
  readonly undelivered: number;
  /** Where it said that what is configured has moved to. */
  readonly moved: Moved | null;
}

/** Left to a target after it enters its active hours, or twice its WAKE_TIMEOUT: it may wake slowly. */
const ENTERING = 5 * MINUTE;
/** Missed runs are told of once in this time, unless it was far more than the last time. */
const MISSED_AGAIN_AFTER = DAY;
const FAR_MORE = 2;
/** Runs that came too seldom are told of again only after they came often enough for this time. */
const MENDED_AFTER = DAY;

/** What is to be said and done: what was left by earlier runs and what this one sees, until it is delivered. */
export class Notifier {
  private stock: Outbox;
  /** What came since `stock` was put together. */
  private readonly fresh = {
    alerts: [] as PendingAlert[],
    notes: new Map<string, AlertState>(),
  };
  private ids = 0;
  /** Another text than the stored one was given away to be stored. */
  private isWritten = false;

  /**
   * @param run unique among the runs of an installation
   * @throws TextError when the stored text is not one of ours
   */
  constructor(
    private readonly stored: string | null,
    private readonly targets: ReadonlyMap<string, Target>,
    /** Of the targets whose history is kept, those that are configured among them. */
    known: ReadonlySet<string>,
    private readonly correspondence: Correspondence,
    private readonly run: string,
    private readonly now: number,
  ) {
    const { notes, missed, ...rest } = readOutbox(stored);
    const kept = {
      ...rest,
      notes: new Map([...notes].filter(([id]) => known.has(id))),
      missed: missed !== null && now - missed.at < MISSED_AGAIN_AFTER ? missed : null,
    };
    const { channels } = correspondence;
    this.stock = withoutStale(kept, (...asked) => this.isWanted(...asked), channels, now);
    for (const [id, known] of this.stock.notes) this.closeUnwatched(id, known);
  }

  /** A check that was recorded. `restartable`: restarts can be made because of it. */
  see(target: Target, check: Check, before: Situation, after: Situation, restartable: boolean): void {
    const { id } = target.info;
    const { at } = check;
    const entering = Math.max(ENTERING, 2 * target.wakeTimeout);
    const to = this.channelsOf(target);
    const { notes, alerts, restart } = evaluateAlerts(this.notesOf(id), {
      id,
      check,
      before,
      after,
      muted: inMaintenance(target.maintenance, at) || isEntering(target.activeHours, at - entering, at),
      to,
      reminder: this.correspondence.reminder,
      failureThreshold: target.failureThreshold,
      sleepsAfter: target.info.sleepsAfter,
      tlsExpiry: target.assertions.tlsExpiry,
      recovery: target.recovery,
      restartable,
    });
    this.fresh.notes.set(id, notes);
    for (const { alert, to, knew } of alerts) this.enqueue({ ...alert, id: this.nextId(), at }, to, knew);
    if (restart !== null && target.recovery !== null) {
      const { max } = target.recovery;
      const order = { id: this.nextId(), target: id, at, number: restart, max, to };
      // One that was ordered before and never made is made up for by this one.
      const others = this.stock.restarts.filter((each) => each.target !== id);
      this.stock = { ...this.stock, restarts: [...others, order] };
    }
  }

  /** Runs that did not come. */
  seeMissed(from: number, to: number): void {
    const { missed } = this.outbox;
    const length = to - from;
    const { channels } = this.correspondence;
    const isNews = missed === null || length > FAR_MORE * missed.length;
    if (!isNews || channels.length === 0) return;
    this.stock = { ...this.outbox, missed: { at: to, length } };
    this.enqueue({ id: this.nextId(), at: to, kind: 'missed', from, to }, channels);
  }

  /** How often runs come, where that is known. @param slow what to tell of it; null: they come often enough */
  seePace(slow: Pick<Alert & { kind: 'pace' }, 'expected' | 'actual' | 'slowFor'> | null): void {
    const { slowPace: told } = this.outbox;
    const { channels } = this.correspondence;
    if (told === null) {
      if (slow === null || channels.length === 0) return;
      this.stock = { ...this.outbox, slowPace: { mendedAt: null } };
      this.enqueue({ id: this.nextId(), at: this.now, kind: 'pace', ...slow }, channels);
      return;
    }
    const since = told.mendedAt === null ? this.now : Math.min(told.mendedAt, this.now);
    const mendedAt = slow === null ? since : null;
    const isOver = slow === null && this.now - since >= MENDED_AFTER;
    this.stock = { ...this.outbox, slowPace: isOver ? null : { mendedAt } };
  }

  /** Nothing could be recorded since `from`. */
  seeUnrecorded(from: number, message: string, at: number): void {
    const { channels } = this.correspondence;
    this.enqueue({ id: this.nextId(), at, kind: 'unrecorded', from, message }, channels);
  }

  /** What was sent while nothing could be recorded. */
  seeSent(sent: readonly SentAlert[]): void {
    if (sent.length > 0) this.stock = reconciled(this.outbox, sent);
  }

  eventsOf(id: string): readonly IncidentEvent[] {
    return this.notesOf(id).events;
  }

  get restarts(): readonly PendingRestart[] {
    return this.outbox.restarts;
  }

  /** What each channel is to be told now. */
  digests(now: number): ChannelNews[] {
    const { outbox } = this;
    return this.correspondence.channels
      .map((channel) => ({
        channel,
        alerts: dueFor(outbox, channel, now),
        undelivered: outbox.undelivered[channel] ?? 0,
        moved: outbox.moved[channel] ?? null,
      }))
      .filter(({ alerts }) => alerts.length > 0);
  }

  settle(outcomes: readonly DeliveryOutcome[]): void {
    this.stock = outcomes.reduce(settle, this.outbox);
  }

  /** What to store; null: what is stored already. */
  text(): string | null {
    const text = writeOutbox(this.outbox, this.now);
    this.isWritten ||= text !== (this.stored ?? '');
    return this.isWritten ? text : null;
  }

  private get outbox(): Outbox {
    const { alerts, notes } = this.fresh;
    if (alerts.length + notes.size > 0) {
      const all = new Map([...this.stock.notes, ...notes]);
      this.stock = {
        ...this.stock,
        notes: new Map([...all].filter(([, known]) => !isBlank(known))),
      };
      this.stock = enqueued(this.stock, alerts.splice(0));
      notes.clear();
    }
    return this.stock;
  }

  private notesOf(id: string): AlertState {
    return this.fresh.notes.get(id) ?? this.stock.notes.get(id) ?? NO_ALERT_STATE;
  }

  /** What people take for down although nobody looks at it any more is closed, once and for all that it was told to. */
  private closeUnwatched(id: string, known: AlertState): void {
    const { told } = known;
    const target = this.targets.get(id);
    if (told === null || target?.info.enabled) return;
    if (target !== undefined && inMaintenance(target.maintenance, this.now)) return;
    const because = target === undefined ? 'removed' : 'paused';
    const { status: was, startedAt, endedAt } = told;
    this.fresh.notes.set(id, { ...known, told: null, transitions: [] });
    const alert = { kind: 'unwatched', target: id, was, because, startedAt, endedAt } as const;
    this.enqueue({ ...alert, id: this.nextId(), at: this.now }, told.to);
  }

  /** Whether an alert that waits for a channel is still to go there. */
  private isWanted(alert: Alert, channel: ChannelName): boolean {
    if (!this.correspondence.channels.includes(channel)) return false;
    const target = 'target' in alert ? this.targets.get(alert.target) : undefined;
    // Who was told of the beginning is told of the end.
    if (target === undefined || alert.kind === 'up' || alert.kind === 'unwatched') return true;
    return this.channelsOf(target).includes(channel);
  }

  private enqueue(alert: Alert, to: readonly ChannelName[], knew?: readonly ChannelName[]): void {
    const setUp = to.filter((channel) => this.correspondence.channels.includes(channel));
    if (setUp.length > 0) this.fresh.alerts.push(pendingFor(alert, setUp, knew));
  }

  private channelsOf({ alerts }: Target): readonly ChannelName[] {
    const { channels } = this.correspondence;
    return alerts === null ? channels : channels.filter((channel) => alerts.includes(channel));
  }

  private nextId(): string {
    this.ids += 1;
    return `${this.run}-${this.ids}`;
  }
}
