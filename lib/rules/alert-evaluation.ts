import type { ChannelName, Check, Outcome, TargetAlert } from '../types.js';
import type { StatusState } from './status.js';
import { DAY, HOUR } from '../time.js';

/** What is stored of a target's alerts, so that nothing is sent twice. Times in ms. */
export interface AlertState {
  /** The alert that people were sent and that was not taken back since; null: as far as they know, all is well. */
  readonly active: ActiveAlert | null;
  /** When its status changed within the last hour; empty while a `flapping` alert is active. */
  readonly transitions: readonly number[];
  /** The expiry of the certificate that the last alert was about. */
  readonly certificate: number | null;
  /** When the last alert was made that it slept, or does by the word of its host. */
  readonly sleptAt: number | null;
  readonly lastRestartAt: number | null;
  /** Restarts of the open incident. */
  readonly restarts: number;
  /** Failed checks since the grace of the last restart was over. */
  readonly failures: number;
  /** The alert that a person is needed was made: all restarts are used up. */
  readonly exhausted: boolean;
  /** What was done about the open incident; the latest 30. */
  readonly events: readonly IncidentEvent[];
}

export interface ActiveAlert {
  readonly status: 'degraded' | 'down' | 'flapping';
  readonly startedAt: number;
  /** When it was over, while people have not been told so; null: it is not over. */
  readonly endedAt: number | null;
  readonly saidAt: number;
  /** The channels that have been sent it, or will be as soon as they accept messages. */
  readonly to: readonly ChannelName[];
  readonly remindedAt: number;
}

export type IncidentEvent =
  | { readonly kind: 'alert'; readonly at: number; readonly alert: TargetAlert['kind'] }
  /** `answer`: what the restart request came to; null: it was not made yet, or nobody knows. */
  | { readonly kind: 'restart'; readonly at: number; readonly answer: string | null };

const NO_INCIDENT = { restarts: 0, failures: 0, exhausted: false, events: [] } as const;

export const NO_ALERT_STATE: AlertState = {
  active: null,
  transitions: [],
  certificate: null,
  sleptAt: null,
  lastRestartAt: null,
  ...NO_INCIDENT,
};

/** Whether there is nothing to store. */
export function isBlank({
  active,
  transitions,
  certificate,
  sleptAt,
  lastRestartAt,
  ...incident
}: AlertState): boolean {
  const { restarts, failures, exhausted, events } = incident;
  return (
    active === null &&
    certificate === null &&
    sleptAt === null &&
    lastRestartAt === null &&
    !exhausted &&
    transitions.length + restarts + failures + events.length === 0
  );
}

/** A recorded check, with the target's state before and after it, and the settings that decide its alerts. */
export interface AlertInput {
  readonly id: string;
  readonly check: Check;
  readonly before: Situation;
  readonly after: Situation;
  /** What the host says against a good answer; null: nothing. */
  readonly contradiction: { readonly message: string; readonly isNew: boolean } | null;
  /** The target is in maintenance, or has just entered its active hours: no alert is made. */
  readonly muted: boolean;
  /** The channels that are set up for this target. */
  readonly to: readonly ChannelName[];
  /** Time between two reminders; null: none. */
  readonly reminder: number | null;
  readonly failureThreshold: number;
  readonly sleepsAfter: number | null;
  /** A certificate that expires sooner than this makes an alert, in ms. */
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

/** An alert and the channels that get it. */
export interface AddressedAlert {
  readonly alert: TargetAlert;
  readonly to: readonly ChannelName[];
  /** Channels that were sent an earlier alert of the same trouble. */
  readonly alreadyTold?: readonly ChannelName[];
}

export interface AlertEvaluation {
  readonly state: AlertState;
  readonly alerts: readonly AddressedAlert[];
  /** The number of the restart to make; null: none. */
  readonly restart: number | null;
}

/** A target with more transitions than this within an hour is flapping. */
const FLAPPING_AFTER = 6;
const EVENTS_KEPT = 30;
/** Alerts that are no part of an incident's record. */
const APART_FROM_INCIDENTS: readonly TargetAlert['kind'][] = ['certificate', 'slept', 'contradicted'];

/**
 * Decides which alerts and which restart follow from a check. It compares what people were told with the state of the
 * target instead of looking for changes. So what happens while alerts are muted is reported afterwards, and nothing is
 * reported twice.
 */
export function evaluateAlerts(known: AlertState, input: AlertInput): AlertEvaluation {
  const { check, before, after, muted } = input;
  const { at } = check;
  if (input.to.length === 0 && input.recovery === null && known.active === null)
    return unchanged(NO_ALERT_STATE);
  const opens = before.incident === null && after.incident !== null;
  const concerned = before.incident !== null || after.incident !== null;
  const state: AlertState = {
    ...known,
    ...(opens || !concerned ? NO_INCIDENT : {}),
    sleptAt: known.sleptAt !== null && Math.abs(at - known.sleptAt) < DAY ? known.sleptAt : null,
    active: known.active && { ...known.active, endedAt: endOfActive(known.active, after) },
    transitions: transitionsOf(known, input),
    lastRestartAt: lastRestart(known, input, concerned),
  };
  if (muted) return { state, alerts: [], restart: null };
  const evaluated = [
    statusAlerts,
    reminder,
    lateChannels,
    certificate,
    slept,
    contradicted,
    restartDecision,
  ].reduce<AlertEvaluation>(
    (soFar, next) => {
      const more = next(soFar.state, input);
      return {
        state: more.state,
        alerts: [...soFar.alerts, ...more.alerts],
        restart: soFar.restart ?? more.restart,
      };
    },
    { state, alerts: [], restart: null },
  );
  const events = [
    ...evaluated.state.events,
    ...evaluated.alerts
      .filter(({ alert, to }) => to.length > 0 && !APART_FROM_INCIDENTS.includes(alert.kind))
      .map(({ alert }): IncidentEvent => ({ kind: 'alert', at, alert: alert.kind })),
    ...(evaluated.restart === null ? [] : [{ kind: 'restart', at, answer: null } as const]),
  ];
  return { ...evaluated, state: { ...evaluated.state, events: concerned ? events.slice(-EVENTS_KEPT) : [] } };
}

type FailedCheck = Extract<Check, { readonly outcome: 'failed' }>;

type EvaluationStep = (state: AlertState, input: AlertInput) => AlertEvaluation;

const unchanged = (state: AlertState): AlertEvaluation => ({ state, alerts: [], restart: null });

/** When the trouble of the active alert ended; null: it lasts. */
function endOfActive({ status, endedAt }: ActiveAlert, after: Situation): number | null {
  if (status === 'flapping') return after.since;
  if (status === after.status) return null;
  return endedAt ?? (status === 'down' ? (after.seriesAt ?? after.since) : after.since);
}

function transitionsOf(
  { active, transitions }: AlertState,
  { check, before, after, muted }: AlertInput,
): readonly number[] {
  // Times in the future were recorded before the clock was set back.
  const recent = transitions.filter((at) => at > check.at - HOUR && at <= check.at);
  const changed = before.status !== after.status && before.status !== 'pending' && !muted;
  return active?.status === 'flapping' ? [] : changed ? [...recent, check.at] : recent;
}

/** Null once the cooldown is over and no incident is open, and when the clock was set back since. */
function lastRestart(
  { lastRestartAt: last }: AlertState,
  { check, recovery }: AlertInput,
  concerned: boolean,
): number | null {
  if (last === null || recovery === null || last > check.at) return null;
  return concerned || check.at < last + recovery.cooldown ? last : null;
}

const statusAlerts: EvaluationStep = (state, input) => {
  const { active, transitions } = state;
  const { id: target, check, after, to } = input;
  const { at } = check;
  const { status } = after;
  const tell = (as: ActiveAlert['status'], startedAt: number, alert: TargetAlert | null): AlertEvaluation => {
    if (to.length === 0) return unchanged(state);
    const alreadyTold = active?.to ?? [];
    const all = [...new Set([...alreadyTold, ...to])];
    return {
      state: {
        ...state,
        active: { status: as, startedAt, endedAt: null, saidAt: at, to: all, remindedAt: at },
      },
      alerts: alert === null ? [] : [{ alert, to, ...(alreadyTold.length > 0 && { alreadyTold }) }],
      restart: null,
    };
  };
  if (status === 'pending' || !agreesWith(check.outcome, status, active)) return unchanged(state);
  if (active?.status === 'flapping' && at - after.since < HOUR) return unchanged(state);
  if (active?.status !== 'flapping' && transitions.length > FLAPPING_AFTER) {
    const startedAt = transitions[0] ?? at;
    const alert = { kind: 'flapping', target, transitions: transitions.length, status } as const;
    return tell('flapping', active?.startedAt ?? startedAt, alert);
  }
  if (active?.status === status) return unchanged(state);
  if (status === 'down') {
    const startedAt = after.incident?.startedAt ?? at;
    return check.outcome === 'failed'
      ? tell('down', startedAt, downAlert(input, check, startedAt))
      : unchanged(state);
  }
  if (active !== null && (status === 'up' || active.status === 'down'))
    return endAlert(state, active, input, status);
  if (status === 'up') return unchanged(state);
  if (check.outcome !== 'degraded') return unchanged(state);
  const alert = { kind: 'degraded', target, message: check.message } as const;
  return tell('degraded', after.since, isCertificateNear(input) ? null : alert);
};

/**
 * Whether a check agrees with the status that would be reported. The status may be older than the check: it may have
 * changed in maintenance, or before the target was removed or paused. It is then reported at the next check that agrees.
 */
function agreesWith(
  outcome: Outcome,
  status: 'up' | 'degraded' | 'down',
  active: ActiveAlert | null,
): boolean {
  switch (status) {
    case 'down':
      return outcome === 'failed';
    case 'degraded':
      return active?.status === 'down' ? outcome !== 'failed' : outcome === 'degraded';
    case 'up':
      return active?.status === 'down' ? outcome !== 'failed' : outcome === 'good';
  }
}

function downAlert({ id, after }: AlertInput, check: FailedCheck, startedAt: number): TargetAlert {
  const failures = after.consecutiveFailures;
  return { kind: 'down', target: id, startedAt, failures, message: check.message };
}

/** Ends the active alert, on every channel that was sent it. */
function endAlert(
  state: AlertState,
  active: ActiveAlert,
  { id, check }: AlertInput,
  now: 'up' | 'degraded',
): AlertEvaluation {
  const { at, message } = check;
  const alert: TargetAlert = {
    kind: 'up',
    target: id,
    was: active.status,
    now,
    startedAt: active.startedAt,
    endedAt: Math.max(active.startedAt, active.endedAt ?? at),
    restarts: active.status === 'down' ? state.restarts : 0,
    message: now === 'degraded' ? message : null,
  };
  const left: ActiveAlert = {
    ...active,
    status: 'degraded',
    startedAt: at,
    endedAt: null,
    saidAt: at,
    remindedAt: at,
  };
  return {
    state: { ...state, active: now === 'degraded' ? left : null },
    alerts: [{ alert, to: active.to }],
    restart: null,
  };
}

const reminder: EvaluationStep = (state, { id, check, after, reminder, to }) => {
  const { active } = state;
  if (reminder === null || active?.status !== 'down' || after.status !== 'down') return unchanged(state);
  if (check.outcome !== 'failed' || check.at - active.remindedAt < reminder) return unchanged(state);
  const alert: TargetAlert = {
    kind: 'reminder',
    target: id,
    startedAt: active.startedAt,
    failures: after.consecutiveFailures,
    message: check.message,
  };
  return {
    state: { ...state, active: { ...active, remindedAt: check.at } },
    alerts: [{ alert, to: active.to.filter((channel) => to.includes(channel)) }],
    restart: null,
  };
};

/** Sends the alert of a lasting outage to channels that were set up after it began. */
const lateChannels: EvaluationStep = (state, input) => {
  const { active } = state;
  const { check, after, to } = input;
  if (active?.status !== 'down' || after.status !== 'down' || check.outcome !== 'failed')
    return unchanged(state);
  const missing = to.filter((channel) => !active.to.includes(channel));
  if (missing.length === 0) return unchanged(state);
  return {
    state: { ...state, active: { ...active, to: [...active.to, ...missing] } },
    alerts: [{ alert: downAlert(input, check, active.startedAt), to: missing }],
    restart: null,
  };
};

function isCertificateNear({ check, tlsExpiry }: AlertInput): boolean {
  return (
    check.outcome !== 'failed' && check.tlsExpiresAt !== null && check.tlsExpiresAt - check.at < tlsExpiry
  );
}

/**
 * One alert for each certificate. Of several behind one name, only one that expires later than the last makes another.
 */
const certificate: EvaluationStep = (state, input) => {
  const { id, check, to } = input;
  const { tlsExpiresAt: expiresAt } = check;
  if (!isCertificateNear(input) || expiresAt === null || to.length === 0) return unchanged(state);
  if (state.certificate !== null && expiresAt <= state.certificate) return unchanged(state);
  return {
    state: { ...state, certificate: expiresAt },
    alerts: [{ alert: { kind: 'certificate', target: id, expiresAt }, to }],
    restart: null,
  };
};

/** At most one alert a day. */
const slept: EvaluationStep = (state, { id, check, before, sleepsAfter, to }) => {
  const { at, coldStart, wakeMs, wakeMsAtLeast } = check;
  if (!coldStart || before.awakeFrom === null || before.consecutiveFailures > 0) return unchanged(state);
  const gap = at - before.awakeFrom;
  const pingedInTime = sleepsAfter === null || gap < sleepsAfter;
  if (!pingedInTime || state.sleptAt !== null || to.length === 0) return unchanged(state);
  return {
    state: { ...state, sleptAt: at },
    alerts: [
      { alert: { kind: 'slept', target: id, gap, wakeMs: wakeMsAtLeast === null ? wakeMs : null }, to },
    ],
    restart: null,
  };
};

/** Once, when it begins; none where one that it slept was made within a day. */
const contradicted: EvaluationStep = (state, { id, check, before, contradiction, sleepsAfter, to }) => {
  if (!contradiction?.isNew || state.sleptAt !== null || to.length === 0) return unchanged(state);
  const gap = before.awakeFrom === null ? Infinity : check.at - before.awakeFrom;
  if (sleepsAfter === null || gap >= sleepsAfter) return unchanged(state);
  const alert = { kind: 'contradicted', target: id, message: contradiction.message } as const;
  return { state: { ...state, sleptAt: check.at }, alerts: [{ alert, to }], restart: null };
};

/**
 * A target that is down is restarted at once, and again when as many checks as made it down have failed after the
 * grace of the restart before; never sooner than the cooldown, and `max` times in one incident.
 */
const restartDecision: EvaluationStep = (before, input) => {
  const { id, check, after, failureThreshold, recovery, to } = input;
  if (recovery === null || recovery.max === 0 || !input.restartable) return unchanged(before);
  if (after.status !== 'down' || check.outcome !== 'failed') return unchanged(before);
  const { at } = check;
  const last = before.lastRestartAt;
  const counts = before.restarts > 0 && last !== null && at > last + recovery.grace;
  const state = { ...before, failures: before.failures + (counts ? 1 : 0) };
  const isCooling = last !== null && at < last + recovery.cooldown;
  if (isCooling || (state.restarts > 0 && state.failures < failureThreshold)) return unchanged(state);
  if (state.restarts < recovery.max) {
    const restarts = state.restarts + 1;
    return { state: { ...state, restarts, failures: 0, lastRestartAt: at }, alerts: [], restart: restarts };
  }
  if (state.exhausted) return unchanged(state);
  const startedAt = after.incident?.startedAt ?? at;
  const message = check.message;
  const alert = { kind: 'person_needed', target: id, restarts: state.restarts, startedAt, message } as const;
  return { state: { ...state, exhausted: true }, alerts: [{ alert, to }], restart: null };
};
