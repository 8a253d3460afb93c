import type { Alert, ChannelName } from '../types.js';
import { NO_ALERT_STATE, type ActiveAlert } from './alert-evaluation.js';
import {
  isEnd,
  pendingFor,
  removedFor,
  subjectOf,
  undeliveredTo,
  without,
  type Moved,
  type Outbox,
  type DeliveryTrouble,
} from './outbox.js';
import { DAY, HOUR, MINUTE } from '../time.js';

/** The result of one delivery. */
export type DeliveryOutcome =
  | {
      readonly kind: 'delivered';
      readonly channel: ChannelName;
      readonly ids: readonly string[];
      /** How many alerts the message said to be undelivered. */
      readonly undelivered: number;
    }
  | {
      readonly kind: 'moved';
      readonly channel: ChannelName;
      /** Null: what was known of a move is out of date. */
      readonly moved: Moved | null;
    }
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

/**
 * Ms until the next attempt after so many failures in a row. After a temporary failure: 30 s, doubled each time up to an
 * hour. After a refusal, which somebody has to correct: 2 minutes, doubled up to two hours.
 */
export function delayAfter({ failures, permanent }: Pick<DeliveryTrouble, 'failures' | 'permanent'>): number {
  const [first, longest] = permanent ? [2 * MINUTE, 2 * HOUR] : [MINUTE / 2, HOUR];
  return Math.min(longest, first * 2 ** (failures - 1));
}

/** The outbox after a delivery. Applying the same outcome again changes nothing. */
export function applyOutcome(outbox: Outbox, outcome: DeliveryOutcome): Outbox {
  switch (outcome.kind) {
    case 'delivered': {
      const { channel, ids } = outcome;
      const troubles = without(outbox.troubles, channel);
      const left = undeliveredTo(outbox, channel) - outcome.undelivered;
      const others = without(outbox.undelivered, channel);
      const undelivered = left > 0 ? { ...others, [channel]: left } : others;
      return {
        ...outbox,
        troubles,
        undelivered,
        alerts: removedFor(outbox.alerts, channel, new Set(ids)),
      };
    }
    case 'moved': {
      const { channel, moved } = outcome;
      const others = without(outbox.moved, channel);
      return { ...outbox, moved: moved === null ? others : { ...others, [channel]: moved } };
    }
    case 'failed':
      return failed(outbox, outcome);
    case 'restarted':
    case 'not_restarted':
      return restarted(outbox, outcome);
  }
}

function failed(outbox: Outbox, outcome: DeliveryOutcome & { readonly kind: 'failed' }): Outbox {
  const { channel, at, permanent, message, retryAfter } = outcome;
  const ids = new Set(outcome.ids);
  const before = outbox.troubles[channel];
  const failures = before === undefined ? 1 : before.failures + 1;
  const delay = delayAfter({ failures, permanent });
  const wait = retryAfter === null ? delay : Math.max(delay, Math.min(retryAfter, DAY));
  const alerts = outbox.alerts.map((pending) => {
    const attempts = pending.to[channel];
    if (attempts === undefined || !ids.has(pending.alert.id)) return pending;
    return { ...pending, to: { ...pending.to, [channel]: attempts + 1 } };
  });
  const since = before?.since ?? at;
  const trouble: DeliveryTrouble = { since, failures, nextAt: at + wait, permanent, message };
  return { ...outbox, alerts, troubles: { ...outbox.troubles, [channel]: trouble } };
}

/** An alert that a channel was sent. */
export interface SentAlert {
  readonly channel: ChannelName;
  readonly alert: Alert;
}

/**
 * Applies what was sent while nothing could be recorded. Alerts that are queued are not sent again, and outages that are
 * not on record become active alerts, so that their end is sent too.
 * @param sent in the order of time
 */
export function reconciled(outbox: Outbox, sent: readonly SentAlert[]): Outbox {
  let left = outbox;
  const rest = [isSameAlert, isSameOutage].reduce((unmatched, isSame) => {
    return unmatched.filter(({ channel, alert }) => {
      const found = left.alerts.find((each) => each.to[channel] !== undefined && isSame(each.alert, alert));
      if (found === undefined) return true;
      left = { ...left, alerts: removedFor(left.alerts, channel, new Set([found.alert.id])) };
      return false;
    });
  }, sent);
  const alertStates = new Map(left.alertStates);
  for (const { channel, alert } of rest) {
    const subject = subjectOf(alert);
    if (subject === null) continue;
    const known = alertStates.get(subject) ?? NO_ALERT_STATE;
    const { active } = known;
    const others = active?.to.filter((name) => name !== channel) ?? [];
    if (isEnd(alert) && active !== null) {
      alertStates.set(subject, { ...known, active: { ...active, to: others } });
    } else if (isStatusAlert(alert)) {
      alertStates.set(subject, {
        ...known,
        active: { ...(active ?? activeAlertOf(alert)), to: [...others, channel] },
      });
    }
  }
  return { ...left, alertStates };
}

function activeAlertOf(alert: StatusAlert): ActiveAlert {
  const { at } = alert;
  const status = alert.kind === 'peer_down' ? 'down' : alert.kind;
  const startedAt = 'startedAt' in alert ? alert.startedAt : at;
  return { status, startedAt, endedAt: null, saidAt: at, to: [], remindedAt: at };
}

type StatusAlert = Alert & { readonly kind: ActiveAlert['status'] | 'peer_down' };

function isStatusAlert(alert: Alert): alert is StatusAlert {
  const { kind } = alert;
  return kind === 'down' || kind === 'degraded' || kind === 'flapping' || kind === 'peer_down';
}

/** Whether two alerts are of the same kind and subject, and of the same check or outage. */
function isSameAlert(a: Alert, b: Alert): boolean {
  if (a.kind !== b.kind || subjectOf(a) !== subjectOf(b)) return false;
  return a.at === b.at || ('startedAt' in a && 'startedAt' in b && a.startedAt === b.startedAt);
}

/**
 * Whether both are of one outage, which `queued` dates to an earlier check that the sender of `sent` did not know of.
 */
function isSameOutage(queued: Alert, sent: Alert): boolean {
  if (queued.kind !== 'down' || sent.kind !== 'down' || queued.target !== sent.target) return false;
  return queued.startedAt < sent.startedAt && queued.at <= sent.at;
}

function restarted(
  outbox: Outbox,
  outcome: DeliveryOutcome & { readonly kind: 'restarted' | 'not_restarted' },
): Outbox {
  const { target, orderedAt } = outcome;
  const order = outbox.restarts.find((each) => each.target === target && each.at === orderedAt);
  if (order === undefined) return outbox;
  const left = { ...outbox, restarts: outbox.restarts.filter((each) => each !== order) };
  const known = outbox.alertStates.get(target);
  const answer = outcome.kind === 'restarted' ? outcome.answer : 'was not needed any more';
  const events = known?.events.map((event) =>
    event.kind === 'restart' && event.at === orderedAt ? { ...event, answer } : event,
  );
  const updated =
    known === undefined || events === undefined
      ? left
      : { ...left, alertStates: new Map([...left.alertStates, [target, { ...known, events }]]) };
  if (outcome.kind === 'not_restarted') return updated;
  const { id, number, max, to } = order;
  if (to.length === 0) return updated;
  const alert = { id, at: orderedAt, kind: 'restart', target, number, max, answer } as const;
  return { ...updated, alerts: [...updated.alerts, pendingFor(alert, to)] };
}
