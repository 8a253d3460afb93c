import type { Alert, ChannelName } from '../types.js';
import type { AlertState } from './alert-evaluation.js';
import { DAY } from '../time.js';

export type ByChannel<T> = Readonly<Partial<Record<ChannelName, T>>>;

/**
 * Alerts and restarts that are to be delivered, and what is remembered of earlier ones. Stored by each run. Times in
 * ms.
 */
export interface Outbox {
  /** Oldest first. An alert is removed once every channel has accepted it or it is too old for the rest. */
  readonly alerts: readonly PendingAlert[];
  /** Restarts that were ordered and may not have been made yet. */
  readonly restarts: readonly PendingRestart[];
  /** Channels whose last delivery failed. */
  readonly troubles: ByChannel<DeliveryTrouble>;
  /** How many alerts a channel did not accept in time; counted until a message to it says so. */
  readonly undelivered: ByChannel<number>;
  /** Where a channel said that what is configured has moved to. */
  readonly moved: ByChannel<Moved>;
  /** By target id, or `peerKey`; what has nothing to remember has none. */
  readonly alertStates: ReadonlyMap<string, AlertState>;
  /** The last gap in the runs that was reported. */
  readonly missed: { readonly at: number; readonly length: number } | null;
  /**
   * Not null: it was reported that runs come too seldom. `mendedAt`: since when they come often enough; null: they do
   * not.
   */
  readonly slowPace: { readonly mendedAt: number | null } | null;
}

export interface PendingAlert {
  readonly alert: Alert;
  /** The channels that have not accepted it yet, with the number of attempts. */
  readonly to: ByChannel<number>;
  /** Channels that were sent an earlier alert of the same trouble. */
  readonly alreadyTold?: readonly ChannelName[];
}

export interface PendingRestart {
  /** The id of the alert that will report its result. */
  readonly id: string;
  readonly target: string;
  /** When it was ordered. */
  readonly at: number;
  /** From 1. */
  readonly number: number;
  readonly max: number;
  /** The channels that get that alert. */
  readonly to: readonly ChannelName[];
}

export interface DeliveryTrouble {
  /** Since when the channel accepts nothing. */
  readonly since: number;
  /** Failed attempts in a row. */
  readonly failures: number;
  /** No attempt is made before this time. */
  readonly nextAt: number;
  /** It refuses what is sent to it (4xx): most likely its configuration has to change. */
  readonly permanent: boolean;
  readonly message: string;
}

/** A Telegram group that became a supergroup. */
export interface Moved {
  /** The chat id that is configured. */
  readonly from: string;
  readonly to: string;
}

export const EMPTY_OUTBOX: Outbox = {
  alerts: [],
  restarts: [],
  troubles: {},
  undelivered: {},
  moved: {},
  alertStates: new Map(),
  missed: null,
  slowPace: null,
};

/** How long delivery of an alert to a channel is attempted. */
const LONGEST_AGE = DAY;
/** The same for the end of a trouble that the channel was sent: an incident may be open there. */
const LONGEST_AGE_OF_END = 7 * DAY;

/** How many alerts a channel did not take in time and was not told of yet. */
export function undeliveredTo({ undelivered }: Outbox, channel: ChannelName): number {
  return undelivered[channel] ?? 0;
}

/** @param to at least one */
export function pendingFor(
  alert: Alert,
  to: readonly ChannelName[],
  alreadyTold: readonly ChannelName[] = [],
): PendingAlert {
  const pending = { alert, to: Object.fromEntries(to.map((channel) => [channel, 0])) };
  return alreadyTold.length === 0 ? pending : { ...pending, alreadyTold };
}

/**
 * Adds alerts. A reminder takes the place of an earlier one of the same target that was not delivered yet.
 * @param more in the order of time
 */
export function enqueued(outbox: Outbox, more: readonly PendingAlert[]): Outbox {
  return more.reduce((soFar, pending) => {
    const { alert, to } = pending;
    const others =
      alert.kind !== 'reminder' ? soFar.alerts : withoutReminders(soFar.alerts, alert.target, to);
    return { ...soFar, alerts: [...others, pending] };
  }, outbox);
}

function withoutReminders(
  alerts: readonly PendingAlert[],
  target: string,
  to: ByChannel<number>,
): readonly PendingAlert[] {
  const ids = new Set(
    alerts.flatMap(({ alert }) => (alert.kind === 'reminder' && alert.target === target ? [alert.id] : [])),
  );
  return channelsOf(to).reduce((left, channel) => removedFor(left, channel, ids), alerts);
}

/** Alerts that an `up`, `unwatched` or `peer_up` alert ends. */
const OPENING_KINDS: ReadonlySet<Alert['kind']> = new Set([
  'down',
  'degraded',
  'flapping',
  'certificate',
  'peer_down',
]);
/** Alerts that stay true for as long as the outage lasts. */
const LASTING_KINDS: ReadonlySet<Alert['kind']> = new Set([
  'down',
  'degraded',
  'flapping',
  'person_needed',
  'up',
  'peer_down',
]);

/** Whether the alert says that all is well again, or that the target or peer is no longer watched. */
export function isEnd(alert: Alert): boolean {
  const { kind } = alert;
  return kind === 'unwatched' || kind === 'peer_up' || (kind === 'up' && alert.now === 'up');
}

/**
 * Drops alerts for channels that are not to get them any more, and alerts that are too old, which are counted. The alert
 * of an outage that lasts is never too old. The alerts of one that is over are dropped together, so that no channel gets
 * the end of an outage whose beginning it did not get.
 * @param isWanted whether the channel is set up, and is one of the alert's target
 */
export function withoutStale(
  outbox: Outbox,
  isWanted: (alert: Alert, channel: ChannelName) => boolean,
  channels: readonly ChannelName[],
  now: number,
): Outbox {
  const isSetUp = (channel: ChannelName): boolean => channels.includes(channel);
  const waiting = new Set(outbox.alerts.flatMap(({ to }) => channelsOf(to)));
  return [...waiting].reduce<Outbox>(
    (left, channel) => {
      const unwanted = left.alerts.filter(
        ({ alert, to }) => to[channel] !== undefined && !isWanted(alert, channel),
      );
      const wanted = withdrawn(left, channel, unwanted);
      const stale = staleFor(wanted, channel, now);
      if (stale.size === 0) return wanted;
      const count = undeliveredTo(wanted, channel) + stale.size;
      return {
        ...wanted,
        alerts: removedFor(wanted.alerts, channel, stale),
        undelivered: { ...wanted.undelivered, [channel]: count },
      };
    },
    {
      ...outbox,
      troubles: only(outbox.troubles, isSetUp),
      undelivered: only(outbox.undelivered, isSetUp),
      moved: only(outbox.moved, isSetUp),
    },
  );
}

/** Removes alerts for a channel. Where one of them begins an outage, the channel counts as not told of it. */
function withdrawn(outbox: Outbox, channel: ChannelName, pending: readonly PendingAlert[]): Outbox {
  if (pending.length === 0) return outbox;
  const alertStates = new Map(outbox.alertStates);
  for (const { alert } of pending) {
    const subject = OPENING_KINDS.has(alert.kind) ? subjectOf(alert) : null;
    const known = subject === null ? undefined : alertStates.get(subject);
    if (subject === null || known?.active == null) continue;
    const to = known.active.to.filter((name) => name !== channel);
    alertStates.set(subject, { ...known, active: { ...known.active, to } });
  }
  const ids = new Set(pending.map(({ alert }) => alert.id));
  return { ...outbox, alertStates, alerts: removedFor(outbox.alerts, channel, ids) };
}

/** The ids of the alerts that are too old for a channel. */
function staleFor({ alerts, alertStates }: Outbox, channel: ChannelName, now: number): ReadonlySet<string> {
  const bySubject = new Map<string | null, Alert[]>();
  const alreadyTold = new Set<Alert>();
  for (const { alert, to, ...rest } of alerts) {
    if (to[channel] === undefined) continue;
    const subject = subjectOf(alert);
    bySubject.set(subject, [...(bySubject.get(subject) ?? []), alert]);
    if (rest.alreadyTold?.includes(channel)) alreadyTold.add(alert);
  }
  const isOld = ({ at }: Alert, age = LONGEST_AGE): boolean => now - at > age;
  const stale = [...bySubject].flatMap(([subject, waiting]) => {
    if (!waiting.some((alert) => isOld(alert))) return [];
    if (subject === null) return waiting.filter((alert) => isOld(alert));
    const active = alertStates.get(subject)?.active ?? null;
    return outagesOf(waiting).flatMap((outage) => {
      const opening = outage.find(({ kind }) => OPENING_KINDS.has(kind));
      const isOver = outage.some(isEnd);
      if (opening === undefined) {
        return outage.filter((alert) =>
          isOld(alert, isEnd(alert) || alert.kind === 'up' ? LONGEST_AGE_OF_END : LONGEST_AGE),
        );
      }
      // A channel that was sent `degraded` and not `down` gets the end all the same.
      const end = alreadyTold.has(opening) ? outage.findLast(isEnd) : undefined;
      if (isOver) {
        return isOld(opening)
          ? outage.filter((alert) => alert !== end || isOld(end, LONGEST_AGE_OF_END))
          : [];
      }
      const lasts = active !== null && active.to.includes(channel);
      return outage.filter((alert) => isOld(alert) && !(lasts && LASTING_KINDS.has(alert.kind)));
    });
  });
  return new Set(stale.map(({ id }) => id));
}

/** Splits the alerts of one target or peer into outages: each part but the last stops with an end. */
function outagesOf(alerts: readonly Alert[]): Alert[][] {
  return alerts.reduce<Alert[][]>(
    (parts, alert) => {
      parts.at(-1)?.push(alert);
      if (isEnd(alert)) parts.push([]);
      return parts;
    },
    [[]],
  );
}

/**
 * The alerts to deliver to a channel now; none while it waits after a failure. A channel that refused is tried again as
 * soon as there is a new alert, since its configuration may have been corrected.
 */
export function dueFor(outbox: Outbox, channel: ChannelName, now: number): Alert[] {
  const trouble = outbox.troubles[channel];
  const waiting = outbox.alerts.filter(({ to }) => to[channel] !== undefined);
  // A next attempt that is further away than any delay was set before the clock was set back.
  if (trouble !== undefined && now < trouble.nextAt && trouble.nextAt <= now + LONGEST_AGE) {
    const isNews = trouble.permanent && waiting.some(({ to }) => to[channel] === 0);
    if (!isNews) return [];
  }
  return waiting.map(({ alert }) => alert);
}

export function removedFor(
  alerts: readonly PendingAlert[],
  channel: ChannelName,
  ids: ReadonlySet<string>,
): readonly PendingAlert[] {
  return alerts.flatMap((pending) => {
    if (!ids.has(pending.alert.id)) return [pending];
    const to = without(pending.to, channel);
    return Object.keys(to).length === 0 ? [] : [{ ...pending, to }];
  });
}

/** Whose alert state an alert belongs to: a target's id, or a peer's key; null: the pinger itself. */
export function subjectOf(alert: Alert): string | null {
  return 'target' in alert ? alert.target : 'peer' in alert ? peerKey(alert.peer) : null;
}

/** Stands among the ids of targets, which have no colon. */
export function peerKey(peer: string): string {
  return `peer:${peer}`;
}

/** The peer's host; null: it is a target's id. */
export function peerOfKey(key: string): string | null {
  return key.startsWith('peer:') ? key.slice('peer:'.length) : null;
}

function channelsOf(record: ByChannel<unknown>): ChannelName[] {
  return Object.keys(record) as ChannelName[];
}

function only<T>(record: ByChannel<T>, isKept: (channel: ChannelName) => boolean): ByChannel<T> {
  return channelsOf(record)
    .filter((channel) => !isKept(channel))
    .reduce(without, record);
}

export function without<T>(record: ByChannel<T>, channel: ChannelName): ByChannel<T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== channel));
}
