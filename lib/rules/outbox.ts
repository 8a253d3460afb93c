import type { Alert, ChannelName, TargetAlert } from '../types.js';
import type { Notes } from './announce.js';

type ByChannel<T> = Readonly<Partial<Record<ChannelName, T>>>;

/** What is to be sent and to whom, and what was said and done before: kept from run to run. Times in ms. */
export interface Outbox {
  /** In the order of time; gone once every channel has taken them or was given up. */
  readonly alerts: readonly PendingAlert[];
  /** Restarts that are ordered, and not known to be made. */
  readonly restarts: readonly PendingRestart[];
  /** Those whose last delivery failed. */
  readonly troubles: ByChannel<Trouble>;
  /** By id; none where there is nothing to remember. */
  readonly notes: Readonly<Record<string, Notes>>;
  /** The missed runs of which people were told last. */
  readonly missed: { readonly at: number; readonly length: number } | null;
  /** People were told that runs come too seldom. `mendedAt`: since when they come often enough; null: they do not. */
  readonly slowPace: { readonly mendedAt: number | null } | null;
}

export interface PendingAlert {
  readonly alert: Alert;
  /** The channels that have not taken it, with how often each was tried. */
  readonly to: ByChannel<number>;
}

export interface PendingRestart {
  /** Of the alert that says what came of it. */
  readonly id: string;
  readonly target: string;
  /** When it was ordered. */
  readonly at: number;
  /** From 1. */
  readonly number: number;
  readonly max: number;
  /** Who is told what came of it. */
  readonly to: readonly ChannelName[];
}

export interface Trouble {
  /** Since when the channel takes nothing. */
  readonly since: number;
  /** Tries in a row. */
  readonly failures: number;
  /** No try before. */
  readonly nextAt: number;
  readonly permanent: boolean;
  readonly message: string;
  /** Alerts that it will never get. */
  readonly dropped: number;
}

/** What came of one delivery. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly channel: ChannelName; readonly ids: readonly string[] }
  | {
      readonly kind: 'failed';
      readonly channel: ChannelName;
      readonly ids: readonly string[];
      readonly at: number;
      readonly permanent: boolean;
      readonly message: string;
      /** Ms; null: the channel did not say. */
      readonly retryAfter: number | null;
    }
  | {
      readonly kind: 'restarted';
      readonly target: string;
      readonly orderedAt: number;
      readonly answer: string;
    }
  /** It is not down any more, or must not be restarted now. */
  | { readonly kind: 'not_restarted'; readonly target: string; readonly orderedAt: number };

export const EMPTY_OUTBOX: Outbox = {
  alerts: [],
  restarts: [],
  troubles: {},
  notes: {},
  missed: null,
  slowPace: null,
};

const HOUR = 3_600_000;
/** An alert that no channel took by then is news no more. */
const LONGEST_AGE = 24 * HOUR;
/** With the delays between them, about 13 hours. */
const MOST_ATTEMPTS = 20;
const FIRST_DELAY = 30_000;
const LONGEST_DELAY = HOUR;

/** How long a channel is left alone after so many failures in a row, in ms: 30 s, doubled up to an hour. */
function delayAfter(failures: number): number {
  return Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (failures - 1));
}

/** @param to at least one */
export function pendingFor(alert: Alert, to: readonly ChannelName[]): PendingAlert {
  return { alert, to: Object.fromEntries(to.map((channel) => [channel, 0])) };
}

/** Drops what is too old, and what waits for channels that are set up no longer. */
export function withoutStale(outbox: Outbox, channels: readonly ChannelName[], now: number): Outbox {
  const names = new Set([outbox.troubles, ...outbox.alerts.map(({ to }) => to)].flatMap(channelsOf));
  return [...names].reduce((left, channel) => {
    const isSetUp = channels.includes(channel);
    const stale = left.alerts.filter(({ alert }) => !isSetUp || now - alert.at > LONGEST_AGE);
    const dropped = drop(left, channel, new Set(stale.map(({ alert }) => alert.id)));
    return isSetUp ? dropped : { ...dropped, troubles: without(dropped.troubles, channel) };
  }, outbox);
}

/** What a channel is to be told now; nothing while it is left alone after a failure. */
export function dueFor(outbox: Outbox, channel: ChannelName, now: number): Alert[] {
  const trouble = outbox.troubles[channel];
  // A time of the next try that is further away than any delay comes from a clock that was set back since.
  if (trouble !== undefined && now < trouble.nextAt && trouble.nextAt <= now + LONGEST_AGE) return [];
  return outbox.alerts.filter(({ to }) => to[channel] !== undefined).map(({ alert }) => alert);
}

/** The outbox once it is known what came of a delivery. Told twice of the same, it stays the same. */
export function settle(outbox: Outbox, outcome: Outcome): Outbox {
  switch (outcome.kind) {
    case 'delivered': {
      const { channel, ids } = outcome;
      const troubles = without(outbox.troubles, channel);
      return { ...outbox, troubles, alerts: taken(outbox.alerts, channel, new Set(ids)) };
    }
    case 'failed':
      return failed(outbox, outcome);
    case 'restarted':
    case 'not_restarted':
      return restarted(outbox, outcome);
  }
}

function taken(
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

function failed(outbox: Outbox, outcome: Outcome & { readonly kind: 'failed' }): Outbox {
  const { channel, at, permanent, message, retryAfter } = outcome;
  const ids = new Set(outcome.ids);
  const before = outbox.troubles[channel];
  const failures = (before?.failures ?? 0) + 1;
  const wait = permanent ? 0 : Math.max(delayAfter(failures), Math.min(retryAfter ?? 0, LONGEST_AGE));
  const alerts = outbox.alerts.map((pending) => {
    const attempts = pending.to[channel];
    if (attempts === undefined || !ids.has(pending.alert.id)) return pending;
    return { ...pending, to: { ...pending.to, [channel]: attempts + 1 } };
  });
  const hopeless = alerts.filter(
    ({ alert, to }) => ids.has(alert.id) && (permanent || (to[channel] ?? 0) >= MOST_ATTEMPTS),
  );
  const trouble: Trouble = {
    since: before?.since ?? at,
    failures,
    nextAt: at + wait,
    permanent,
    message,
    dropped: before?.dropped ?? 0,
  };
  return drop(
    { ...outbox, alerts, troubles: { ...outbox.troubles, [channel]: trouble } },
    channel,
    new Set(hopeless.map(({ alert }) => alert.id)),
  );
}

/** Gives alerts up for a channel. Whoever never got the news of a trouble is not told of its end either. */
function drop(outbox: Outbox, channel: ChannelName, ids: ReadonlySet<string>): Outbox {
  const dropped = outbox.alerts.filter(({ alert, to }) => ids.has(alert.id) && to[channel] !== undefined);
  if (dropped.length === 0) return outbox;
  const notes = { ...outbox.notes };
  for (const { alert } of dropped) {
    if (!('target' in alert) || !OPENS.includes(alert.kind)) continue;
    const known = notes[alert.target];
    if (known?.told && known.told.saidAt === alert.at) {
      const to = known.told.to.filter((name) => name !== channel);
      notes[alert.target] = { ...known, told: { ...known.told, to } };
    }
  }
  const trouble = outbox.troubles[channel];
  const troubles =
    trouble === undefined
      ? outbox.troubles
      : { ...outbox.troubles, [channel]: { ...trouble, dropped: trouble.dropped + dropped.length } };
  return { ...outbox, notes, troubles, alerts: taken(outbox.alerts, channel, ids) };
}

/** Alerts that an `up` answers. */
const OPENS: readonly TargetAlert['kind'][] = ['down', 'degraded', 'flapping', 'certificate'];

function restarted(
  outbox: Outbox,
  outcome: Outcome & { readonly kind: 'restarted' | 'not_restarted' },
): Outbox {
  const { target, orderedAt } = outcome;
  const order = outbox.restarts.find((each) => each.target === target && each.at === orderedAt);
  if (order === undefined) return outbox;
  const left = { ...outbox, restarts: outbox.restarts.filter((each) => each !== order) };
  const known = outbox.notes[target];
  const answer = outcome.kind === 'restarted' ? outcome.answer : 'was not needed any more';
  const events = known?.events.map((event) =>
    event.kind === 'restart' && event.at === orderedAt ? { ...event, answer } : event,
  );
  const noted =
    known === undefined || events === undefined
      ? left
      : { ...left, notes: { ...left.notes, [target]: { ...known, events } } };
  if (outcome.kind === 'not_restarted') return noted;
  const { id, number, max, to } = order;
  if (to.length === 0) return noted;
  const alert = { id, at: orderedAt, kind: 'restart', target, number, max, answer } as const;
  return { ...noted, alerts: [...noted.alerts, pendingFor(alert, to)] };
}

function channelsOf(record: ByChannel<unknown>): ChannelName[] {
  return Object.keys(record) as ChannelName[];
}

function without<T>(record: ByChannel<T>, channel: ChannelName): ByChannel<T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== channel));
}
