import type { ChannelName, Check, Outcome, TargetAlert } from '../types.js';
import type { StatusState } from './status.js';
import { DAY, HOUR } from '../time.js';

/** What is remembered of a target in order to say each thing once. Times in ms. */
export interface AlertState {
  /** The trouble that people know of; null: as far as they know, all is well. */
  readonly told: ActiveAlert | null;
  /** When its status changed within the last hour; none while it is said to flap. */
  readonly transitions: readonly number[];
  /** The end of the certificate that was told of. */
  readonly certificate: number | null;
  /** When it was last said that it slept. */
  readonly sleptAt: number | null;
  readonly lastRestartAt: number | null;
  /** Restarts of the open incident. */
  readonly restarts: number;
  /** Failed checks since the grace of the last restart was over. */
  readonly failures: number;
  /** It was said that restarts do not help. */
  readonly exhausted: boolean;
  /** What was done about the open incident; the latest 30. */
  readonly events: readonly IncidentEvent[];
}

export interface ActiveAlert {
  readonly status: 'degraded' | 'down' | 'flapping';
  readonly startedAt: number;
  /** When it was over, if people do not know that yet. */
  readonly endedAt: number | null;
  readonly saidAt: number;
  /** The channels that were told, or that will be as soon as they take messages. */
  readonly to: readonly ChannelName[];
  readonly remindedAt: number;
}

export type IncidentEvent =
  | { readonly kind: 'alert'; readonly at: number; readonly alert: TargetAlert['kind'] }
  /** `answer`: what the restart request came to; null: it was not made yet, or nobody knows. */
  | { readonly kind: 'restart'; readonly at: number; readonly answer: string | null };

const NO_INCIDENT = { restarts: 0, failures: 0, exhausted: false, events: [] } as const;

export const NO_ALERT_STATE: AlertState = {
  told: null,
  transitions: [],
  certificate: null,
  sleptAt: null,
  lastRestartAt: null,
  ...NO_INCIDENT,
};

/** Nothing is to be remembered. */
export function isBlank({
  told,
  transitions,
  certificate,
  sleptAt,
  lastRestartAt,
  ...incident
}: AlertState): boolean {
  const { restarts, failures, exhausted, events } = incident;
  return (
    told === null &&
    certificate === null &&
    sleptAt === null &&
    lastRestartAt === null &&
    !exhausted &&
    transitions.length + restarts + failures + events.length === 0
  );
}

/** What a check made of a target. */
export interface AlertInput {
  readonly id: string;
  readonly check: Check;
  readonly before: Situation;
  readonly after: Situation;
  /** In maintenance, or just entering its active hours. */
  readonly muted: boolean;
  /** The channels that are set up for this target. */
  readonly to: readonly ChannelName[];
  /** Time between two reminders; null: none. */
  readonly reminder: number | null;
  readonly failureThreshold: number;
  readonly sleepsAfter: number | null;
  /** A certificate nearer to its end than this is told of. */
  readonly tlsExpiry: number;
  readonly recovery: { readonly cooldown: number; readonly max: number; readonly grace: number } | null;
  /** False: no restart can be made for this check, because it is recorded late or cannot be recorded. */
  readonly restartable: boolean;
}

export interface Situation extends Pick<
  StatusState,
  'status' | 'since' | 'consecutiveFailures' | 'seriesAt'
> {
  readonly incident: { readonly startedAt: number } | null;
  /** The last ping that reached the host, good or failed, unless the target rested since. */
  readonly awakeFrom: number | null;
}

/** An alert, and who is told. */
export interface News {
  readonly alert: TargetAlert;
  readonly to: readonly ChannelName[];
  /** Who knew already that something is wrong, where the alert says that it became something else. */
  readonly knew?: readonly ChannelName[];
}

export interface AlertEvaluation {
  readonly notes: AlertState;
  readonly alerts: readonly News[];
  /** The number of the restart to make; null: none. */
  readonly restart: number | null;
}

/** More transitions than this within an hour are flapping. */
const FLAPPING_AFTER = 6;
const EVENTS_KEPT = 30;

/**
 * What is to be said and done after a check. It compares what people know with what is, rather than looking for
 * changes: what happens while they may not be disturbed is made up for afterwards, and nothing is said twice.
 */
export function evaluateAlerts(known: AlertState, input: AlertInput): AlertEvaluation {
  const { check, before, after, muted } = input;
  const { at } = check;
  if (input.to.length === 0 && input.recovery === null && known.told === null) return nothing(NO_ALERT_STATE);
  const opens = before.incident === null && after.incident !== null;
  const concerned = before.incident !== null || after.incident !== null;
  const notes: AlertState = {
    ...known,
    ...(opens || !concerned ? NO_INCIDENT : {}),
    sleptAt: known.sleptAt !== null && Math.abs(at - known.sleptAt) < DAY ? known.sleptAt : null,
    told: known.told && { ...known.told, endedAt: endOfTrouble(known.told, after) },
    transitions: transitionsOf(known, input),
    lastRestartAt: lastRestart(known, input, concerned),
  };
  if (muted) return { notes, alerts: [], restart: null };
  const said = [statusNews, reminder, latecomers, certificate, slept, restartNews].reduce<AlertEvaluation>(
    (so, next) => {
      const more = next(so.notes, input);
      return {
        notes: more.notes,
        alerts: [...so.alerts, ...more.alerts],
        restart: so.restart ?? more.restart,
      };
    },
    { notes, alerts: [], restart: null },
  );
  const events = [
    ...said.notes.events,
    ...said.alerts
      .filter(({ alert, to }) => to.length > 0 && alert.kind !== 'certificate' && alert.kind !== 'slept')
      .map(({ alert }): IncidentEvent => ({ kind: 'alert', at, alert: alert.kind })),
    ...(said.restart === null ? [] : [{ kind: 'restart', at, answer: null } as const]),
  ];
  return { ...said, notes: { ...said.notes, events: concerned ? events.slice(-EVENTS_KEPT) : [] } };
}

type EvaluationStep = (notes: AlertState, input: AlertInput) => AlertEvaluation;

const nothing = (notes: AlertState): AlertEvaluation => ({ notes, alerts: [], restart: null });

/** When what people were told of came to its end; null: it is still so. */
function endOfTrouble({ status, endedAt }: ActiveAlert, after: Situation): number | null {
  if (status === 'flapping') return after.since;
  if (status === after.status) return null;
  return endedAt ?? (status === 'down' ? (after.seriesAt ?? after.since) : after.since);
}

function transitionsOf(
  { told, transitions }: AlertState,
  { check, before, after, muted }: AlertInput,
): readonly number[] {
  // What lies in the future comes from a clock that was set back since.
  const recent = transitions.filter((at) => at > check.at - HOUR && at <= check.at);
  const changed = before.status !== after.status && before.status !== 'pending' && !muted;
  return told?.status === 'flapping' ? [] : changed ? [...recent, check.at] : recent;
}

/** Forgotten when it has no bearing any more, or when the clock was set back since. */
function lastRestart(
  { lastRestartAt: last }: AlertState,
  { check, recovery }: AlertInput,
  concerned: boolean,
): number | null {
  if (last === null || recovery === null || last > check.at) return null;
  return concerned || check.at < last + recovery.cooldown ? last : null;
}

const statusNews: EvaluationStep = (notes, input) => {
  const { told, transitions } = notes;
  const { id: target, check, after, to } = input;
  const { at } = check;
  const { status } = after;
  const tell = (as: ActiveAlert['status'], startedAt: number, alert: TargetAlert | null): AlertEvaluation => {
    if (to.length === 0) return nothing(notes);
    const knew = told?.to ?? [];
    const all = [...new Set([...knew, ...to])];
    return {
      notes: {
        ...notes,
        told: { status: as, startedAt, endedAt: null, saidAt: at, to: all, remindedAt: at },
      },
      alerts: alert === null ? [] : [{ alert, to, ...(knew.length > 0 && { knew }) }],
      restart: null,
    };
  };
  if (status === 'pending' || !bearsOut(check.outcome, status, told)) return nothing(notes);
  if (told?.status === 'flapping' && at - after.since < HOUR) return nothing(notes);
  if (told?.status !== 'flapping' && transitions.length > FLAPPING_AFTER) {
    const startedAt = transitions[0] ?? at;
    const alert = { kind: 'flapping', target, transitions: transitions.length, status } as const;
    return tell('flapping', told?.startedAt ?? startedAt, alert);
  }
  if (told?.status === status) return nothing(notes);
  if (status === 'down') {
    const startedAt = after.incident?.startedAt ?? at;
    return tell('down', startedAt, downAlert(input, startedAt));
  }
  if (told !== null && (status === 'up' || told.status === 'down'))
    return trouble(notes, told, input, status);
  if (status === 'up') return nothing(notes);
  const alert = { kind: 'degraded', target, message: check.message ?? '' } as const;
  return tell('degraded', after.since, isCertificateNear(input) ? null : alert);
};

/**
 * Whether a check agrees with the status that is to be told. The status may be older than the check: it changed in
 * maintenance, or before the target was removed or rested. Then people are told by the next check that agrees.
 */
function bearsOut(outcome: Outcome, status: 'up' | 'degraded' | 'down', told: ActiveAlert | null): boolean {
  switch (status) {
    case 'down':
      return outcome === 'failed';
    case 'degraded':
      return told?.status === 'down' ? outcome !== 'failed' : outcome === 'degraded';
    case 'up':
      return told?.status === 'down' ? outcome !== 'failed' : outcome === 'good';
  }
}

function downAlert({ id, check, after }: AlertInput, startedAt: number): TargetAlert {
  const failures = after.consecutiveFailures;
  return { kind: 'down', target: id, startedAt, failures, message: check.message ?? '' };
}

/** The end of what people were told of, for all who were told. */
function trouble(
  notes: AlertState,
  told: ActiveAlert,
  { id, check }: AlertInput,
  now: 'up' | 'degraded',
): AlertEvaluation {
  const { at, message } = check;
  const alert: TargetAlert = {
    kind: 'up',
    target: id,
    was: told.status,
    now,
    startedAt: told.startedAt,
    endedAt: Math.max(told.startedAt, told.endedAt ?? at),
    restarts: told.status === 'down' ? notes.restarts : 0,
    message: now === 'degraded' ? message : null,
  };
  const left: ActiveAlert = {
    ...told,
    status: 'degraded',
    startedAt: at,
    endedAt: null,
    saidAt: at,
    remindedAt: at,
  };
  return {
    notes: { ...notes, told: now === 'degraded' ? left : null },
    alerts: [{ alert, to: told.to }],
    restart: null,
  };
}

const reminder: EvaluationStep = (notes, { id, check, after, reminder, to }) => {
  const { told } = notes;
  if (reminder === null || told?.status !== 'down' || after.status !== 'down') return nothing(notes);
  if (check.outcome !== 'failed' || check.at - told.remindedAt < reminder) return nothing(notes);
  const alert: TargetAlert = {
    kind: 'reminder',
    target: id,
    startedAt: told.startedAt,
    failures: after.consecutiveFailures,
    message: check.message,
  };
  return {
    notes: { ...notes, told: { ...told, remindedAt: check.at } },
    alerts: [{ alert, to: told.to.filter((channel) => to.includes(channel)) }],
    restart: null,
  };
};

/** An outage that lasts is told to those of the target's channels that were set up after it began. */
const latecomers: EvaluationStep = (notes, input) => {
  const { told } = notes;
  const { check, after, to } = input;
  if (told?.status !== 'down' || after.status !== 'down' || check.outcome !== 'failed') return nothing(notes);
  const missing = to.filter((channel) => !told.to.includes(channel));
  if (missing.length === 0) return nothing(notes);
  return {
    notes: { ...notes, told: { ...told, to: [...told.to, ...missing] } },
    alerts: [{ alert: downAlert(input, told.startedAt), to: missing }],
    restart: null,
  };
};

function isCertificateNear({ check, tlsExpiry }: AlertInput): boolean {
  return (
    check.outcome !== 'failed' && check.tlsExpiresAt !== null && check.tlsExpiresAt - check.at < tlsExpiry
  );
}

/** Once for each certificate; of several behind one name, for each that ends later than those told of. */
const certificate: EvaluationStep = (notes, input) => {
  const { id, check, to } = input;
  const { tlsExpiresAt: expiresAt } = check;
  if (!isCertificateNear(input) || expiresAt === null || to.length === 0) return nothing(notes);
  if (notes.certificate !== null && expiresAt <= notes.certificate) return nothing(notes);
  return {
    notes: { ...notes, certificate: expiresAt },
    alerts: [{ alert: { kind: 'certificate', target: id, expiresAt }, to }],
    restart: null,
  };
};

/** Once a day at most. */
const slept: EvaluationStep = (notes, { id, check, before, sleepsAfter, to }) => {
  const { at, coldStart, wakeMs } = check;
  if (!coldStart || before.awakeFrom === null || before.consecutiveFailures > 0) return nothing(notes);
  const gap = at - before.awakeFrom;
  const pingedInTime = sleepsAfter === null || gap < sleepsAfter;
  if (!pingedInTime || notes.sleptAt !== null || to.length === 0) return nothing(notes);
  return {
    notes: { ...notes, sleptAt: at },
    alerts: [{ alert: { kind: 'slept', target: id, gap, wakeMs }, to }],
    restart: null,
  };
};

/**
 * A target that is down is restarted at once, and again when as many checks as made it down have failed after the
 * grace of the restart before; never sooner than the cooldown, and `max` times in one incident.
 */
const restartNews: EvaluationStep = (before, input) => {
  const { id, check, after, failureThreshold, recovery, to } = input;
  if (recovery === null || recovery.max === 0 || !input.restartable) return nothing(before);
  if (after.status !== 'down' || check.outcome !== 'failed') return nothing(before);
  const { at } = check;
  const last = before.lastRestartAt;
  const counts = before.restarts > 0 && last !== null && at > last + recovery.grace;
  const notes = { ...before, failures: before.failures + (counts ? 1 : 0) };
  const isCooling = last !== null && at < last + recovery.cooldown;
  if (isCooling || (notes.restarts > 0 && notes.failures < failureThreshold)) return nothing(notes);
  if (notes.restarts < recovery.max) {
    const restarts = notes.restarts + 1;
    return { notes: { ...notes, restarts, failures: 0, lastRestartAt: at }, alerts: [], restart: restarts };
  }
  if (notes.exhausted) return nothing(notes);
  const startedAt = after.incident?.startedAt ?? at;
  const message = check.message;
  const alert = { kind: 'person_needed', target: id, restarts: notes.restarts, startedAt, message } as const;
  return { notes: { ...notes, exhausted: true }, alerts: [{ alert, to }], restart: null };
};
