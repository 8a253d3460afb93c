import {
  announce,
  isBlank,
  NO_NOTES,
  type IncidentEvent,
  type Notes,
  type Situation,
} from '../rules/announce.js';
import {
  dueFor,
  pendingFor,
  settle,
  withoutStale,
  type Outbox,
  type Outcome,
  type PendingAlert,
  type PendingRestart,
} from '../rules/outbox.js';
import { inMaintenance, isEntering } from '../rules/windows.js';
import type { Alert, ChannelName, Check, Target } from '../types.js';
import { readOutbox, writeOutbox } from './outbox.js';

/** Who can be told, and how often they want to hear it again. */
export interface Correspondence {
  /** The channels that are set up. */
  readonly channels: readonly ChannelName[];
  /** Ms between two reminders; null: none. */
  readonly reminder: number | null;
}

/** Left to a target after it enters its active hours, or twice its WAKE_TIMEOUT: it may wake slowly. */
const ENTERING = 5 * 60_000;
/** Missed runs are told of once in this time, unless it was far more than the last time. */
const MISSED_AGAIN_AFTER = 24 * 3_600_000;
const FAR_MORE = 2;
/** Runs that came too seldom are told of again only after they came often enough for this time. */
const MENDED_AFTER = 24 * 3_600_000;

/** What is to be said and done: what was left by earlier runs and what this one sees, until it is delivered. */
export class Desk {
  private stock: Outbox;
  /** What came since `stock` was put together. */
  private readonly fresh = {
    alerts: [] as PendingAlert[],
    notes: new Map<string, Notes>(),
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
    targets: ReadonlyMap<string, Target>,
    private readonly correspondence: Correspondence,
    private readonly run: string,
    private readonly now: number,
  ) {
    const { notes, missed, ...rest } = readOutbox(stored);
    const kept = {
      ...rest,
      notes: Object.fromEntries(Object.entries(notes).filter(([id]) => targets.has(id))),
      missed: missed !== null && now - missed.at < MISSED_AGAIN_AFTER ? missed : null,
    };
    this.stock = withoutStale(kept, correspondence.channels, now);
  }

  /** A check that was recorded. */
  see(target: Target, check: Check, before: Situation, after: Situation): void {
    const { id } = target.info;
    const { at } = check;
    const entering = Math.max(ENTERING, 2 * target.wakeTimeout);
    const to = this.channelsOf(target);
    const { notes, alerts, restart } = announce(this.notesOf(id), {
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
    });
    this.fresh.notes.set(id, notes);
    for (const { alert, to } of alerts) this.enqueue({ ...alert, id: this.nextId(), at }, to);
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

  eventsOf(id: string): readonly IncidentEvent[] {
    return this.notesOf(id).events;
  }

  get restarts(): readonly PendingRestart[] {
    return this.outbox.restarts;
  }

  /** What each channel is to be told now. */
  digests(now: number): { readonly channel: ChannelName; readonly alerts: readonly Alert[] }[] {
    return this.correspondence.channels
      .map((channel) => ({ channel, alerts: dueFor(this.outbox, channel, now) }))
      .filter(({ alerts }) => alerts.length > 0);
  }

  settle(outcomes: readonly Outcome[]): void {
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
      const all = { ...this.stock.notes, ...Object.fromEntries(notes) };
      this.stock = {
        ...this.stock,
        alerts: [...this.stock.alerts, ...alerts.splice(0)],
        notes: Object.fromEntries(Object.entries(all).filter(([, known]) => !isBlank(known))),
      };
      notes.clear();
    }
    return this.stock;
  }

  private notesOf(id: string): Notes {
    return this.fresh.notes.get(id) ?? this.stock.notes[id] ?? NO_NOTES;
  }

  private enqueue(alert: Alert, to: readonly ChannelName[]): void {
    if (to.length > 0) this.fresh.alerts.push(pendingFor(alert, to));
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
