import { awakeAfter, type AwakeRules } from '../rules/awake.js';
import type { Counters } from '../rules/counters.js';
import { extend, reachOf, unobservedTime } from '../rules/counters.js';
import { EMPTY, observe } from '../rules/histogram.js';
import { contradicts, HOSTS } from '../rules/hosts.js';
import { judge } from '../rules/status.js';
import { isDecidable } from '../rules/waking.js';
import {
  countedIntervals,
  inMaintenance,
  isActive,
  isActiveThroughout,
  maintenanceIntervals,
} from '../rules/windows.js';
import type { Check, OpenCheck, Target, WatchedTarget } from '../types.js';
import type { TargetSnapshot } from './snapshots.js';
import { dayEndingAt, DAYS_KEPT, HOURS_KEPT } from './snapshots.js';
import { type TargetState, type Unobserved, newTarget } from './state-model.js';
import { DAY, MINUTE } from '../time.js';

/** A target that is gone from the configuration keeps its slot until no snapshot holds anything of it. */
export const REMOVED_KEPT = (DAYS_KEPT + 2) * DAY;

/** The counters at a later time, when the target was not checked again until then. */
function countersAt(
  state: TargetState,
  target: WatchedTarget | undefined,
  at: number,
  tick: number,
): Counters {
  // One that was removed and is configured again counts from its first run on.
  if (!target?.info.enabled || state.removedAt !== null) return state.counters;
  const reach = reachOf(target.info.interval, tick);
  // While a check is open, nothing is counted of the time for which it will speak.
  const from = state.countedTo + (state.waking === null ? 0 : reach);
  return extend(state.counters, { lastCheck: state, reach, from, to: at }, (start, end) =>
    countedIntervals(target, start, end),
  );
}

/**
 * How much of its open incident no check speaks for up to a later time, when it was not checked again until then, in
 * ms.
 */
export function unobservedAt(
  state: TargetState,
  target: WatchedTarget | undefined,
  at: number,
  tick: number,
): number | null {
  if (state.unobserved === null) return null;
  const reach = target?.info.enabled && state.removedAt === null ? reachOf(target.info.interval, tick) : 0;
  return state.unobserved.total + unobservedTime({ lastCheck: state, reach, from: state.countedTo, to: at });
}

/** The state once time is counted up to `at`, when the target was not checked again until then. */
export function countUpTo(
  state: TargetState,
  target: WatchedTarget | undefined,
  at: number,
  tick: number,
): TargetState {
  if (!target?.info.enabled) return idleUntil(state, at);
  // What the open check says counts from its first attempt on.
  if (state.waking !== null && at >= state.waking.since) return state;
  const total = unobservedAt(state, target, at, tick);
  const { idle } = state;
  return {
    ...state,
    // No snapshot that is read any more depends on it.
    idle: idle !== null && at - idle.to > (HOURS_KEPT / 24 + 2) * DAY ? null : idle,
    counters: countersAt(state, target, at, tick),
    countedTo: Math.max(state.countedTo, at),
    unobserved: state.unobserved === null || total === null ? null : { ...state.unobserved, total },
  };
}

/** It was paused or not configured since it was last counted: nothing was expected, and nobody watched. */
function idleUntil(state: TargetState, at: number): TargetState {
  const { countedTo, idle, unobserved } = state;
  if (at <= countedTo) return state;
  return {
    ...state,
    countedTo: at,
    idle: { from: idle?.to === countedTo ? idle.from : countedTo, to: at },
    unobserved: unobserved && { ...unobserved, total: unobserved.total + at - countedTo },
  };
}

/** The snapshot of a target at a later time, when it was not checked again until then. */
export function snapshotAt(
  state: TargetState,
  target: WatchedTarget | undefined,
  at: number,
  tick: number,
): TargetSnapshot {
  const sameDay = state.lastCheckAt !== null && Math.floor(state.lastCheckAt / DAY) === dayEndingAt(at);
  return { counters: countersAt(state, target, at, tick), latencies: sameDay ? state.latencies : EMPTY };
}

interface Admission {
  readonly now: number;
  /** Pings may have been missed since the last run. */
  readonly pingsMissed: boolean;
}

/** The states by slot once the configuration is known: newcomers get a slot, the missing and the resting are noted. */
export function admit(
  states: readonly (TargetState | null)[],
  targets: readonly Target[],
  { now, pingsMissed }: Admission,
): (TargetState | null)[] {
  const configured = new Map(targets.map((target) => [target.info.id, target]));
  const kept = states.map((state) => {
    if (state === null) return null;
    const target = configured.get(state.id);
    if (target !== undefined) return admitted(state, target, { now, pingsMissed });
    if (state.removedAt !== null && now - state.removedAt > REMOVED_KEPT) return null;
    return { ...idleUntil(state, now), removedAt: state.removedAt ?? now, awakeFrom: null, waking: null };
  });
  const known = new Set(kept.map((state) => state?.id));
  for (const target of targets) {
    if (known.has(target.info.id)) continue;
    const free = kept.indexOf(null);
    const state = admitted(newTarget(target.info.id, now), target, { now, pingsMissed: false });
    kept[free === -1 ? kept.length : free] = state;
  }
  return kept;
}

/** A target that is new in the state may have been checked earlier, by runs that could not be stored. */
export function addedBy(state: TargetState, at: number, now: number): TargetState {
  const isEarlier = state.addedAt === now && state.lastCheckAt === null && at < now;
  return isEarlier ? { ...state, addedAt: at, countedTo: at, since: at } : state;
}

function admitted(state: TargetState, target: Target, { now, pingsMissed }: Admission): TargetState {
  const { enabled } = target.info;
  const { waking } = state;
  const uncounted = !enabled || state.removedAt !== null;
  const resting = !enabled || !isActive(target.activeHours, now);
  // It may have rested while no run came to see it.
  const rested = state.awakeFrom !== null && !isActiveThroughout(target.activeHours, state.awakeFrom, now);
  const awakeFrom = resting || rested ? null : state.awakeFrom;
  return {
    ...(uncounted ? idleUntil(state, now) : state),
    removedAt: null,
    restingSince: resting ? (state.restingSince ?? now) : null,
    awakeFrom,
    pingsMissed: awakeFrom !== null && (state.pingsMissed || pingsMissed),
    waking: waking !== null && !resting && isDecidable(waking, target, now) ? waking : null,
  };
}

/** The state with a check that stays open. @param before counted up to its first attempt */
export function leaveOpen(before: TargetState, { at, attempts, lastAt }: OpenCheck): TargetState {
  return { ...before, waking: { since: at, attempts, lastAt } };
}

/** @param before counted up to the check */
export function advance(before: TargetState, target: Target, check: Check): TargetState {
  const { at } = check;
  const { counters } = before;
  const failed = check.outcome === 'failed';
  const counted = !inMaintenance(target.maintenance, at);
  // What answers while the host says that the app does not run may not be the app.
  const seen =
    contradiction(before, target, check) === null ? check : ({ ...check, origin: 'asleep' } as const);
  const awake = awakeAfter(before, awakeRules(target), seen);
  const judged = judge(before, check, target);
  const opens = check.outcome === 'failed' && before.incident === null && judged.status === 'down';
  const closes = before.incident !== null && judged.status !== 'down';
  const latencies = isInSame(DAY, before.lastCheckAt, at) ? before.latencies : EMPTY;
  return {
    ...before,
    ...awake.state,
    ...judged,
    lastCheckAt: at,
    lastSuccessAt: failed ? before.lastSuccessAt : at,
    unobserved: failed || (before.incident !== null && !closes) ? unobservedAfter(before, check) : null,
    lastStatusCode: check.statusCode,
    latency: check.latency,
    message: check.message,
    lastError: failed ? { at, message: check.message } : before.lastError,
    tlsExpiresAt: check.tlsExpiresAt ?? before.tlsExpiresAt,
    phases: phasesOf(check),
    hostWord: target.hostToken && (check.word ?? before.hostWord),
    incident: opens
      ? { startedAt: judged.seriesAt ?? at, message: check.message }
      : closes
        ? null
        : before.incident,
    incidents: before.incidents + (opens ? 1 : 0),
    counters: {
      ...counters,
      pings: counters.pings + (counted ? 1 : 0),
      failures: counters.failures + (counted && failed ? 1 : 0),
      coldStarts: counters.coldStarts + (counted && check.coldStart ? 1 : 0),
      awake: counters.awake + awake.awake,
      slept: counters.slept + awake.slept,
    },
    countedTo: Math.max(before.countedTo, at),
    waking: null,
    latencies:
      counted && check.latency !== null && !check.coldStart ? observe(latencies, check.latency) : latencies,
  };
}

/**
 * What the host says against a good answer, in this check or, as long as it was not asked again, in one before; null:
 * nothing.
 */
export function contradiction(
  before: TargetState,
  { info }: Target,
  check: Check,
): { readonly message: string; readonly isNew: boolean } | null {
  const { word } = check;
  if (word?.message == null) return null;
  const lasts = before.asleepAt !== null && before.lastOutcome !== 'failed';
  const isAskedBefore = lasts && word.at === before.hostWord?.at;
  return contradicts(info.host, isAskedBefore ? { ...check, at: word.at } : check)
    ? { message: word.message, isNew: !lasts }
    : null;
}

function awakeRules({ info, maintenance }: Target): AwakeRules {
  return {
    sleepsAfter: info.sleepsAfter,
    answersCount: HOSTS[info.host].answersCount,
    isExempt: (from, to) => maintenanceIntervals(maintenance, from, to + 1).length > 0,
  };
}

/** How much of the failures that began with it or earlier no check spoke for, once this check is made. */
export function unobservedAfter(
  { unobserved, lastOutcome, incident }: TargetState,
  { outcome }: Pick<Check, 'outcome'>,
): Unobserved | null {
  const failed = outcome === 'failed';
  const begins = failed !== (lastOutcome === 'failed') || lastOutcome === null;
  if (begins && failed && incident === null) return { total: 0, atSeries: 0 };
  return unobserved && begins ? { ...unobserved, atSeries: unobserved.total } : unobserved;
}

function phasesOf({ timings: { dns, connect, tls, ttfb } }: Check): TargetState['phases'] {
  return [dns, connect, tls, ttfb].map((phase) => (phase === null ? null : Math.round(phase)));
}

/** One check a minute is logged, and besides it the one with which a failure begins, if only here. */
export function isLogged(before: TargetState, check: Check): boolean {
  return (
    !isInSame(MINUTE, before.lastCheckAt, check.at) ||
    (check.outcome === 'failed' && before.lastOutcome !== 'failed') ||
    (check.reason === 'local' && before.lastOutcome === 'good')
  );
}

/**
 * Whether two times lie in the same day or minute, counted from the epoch.
 * @param time null: never
 * @param unit in ms
 */
function isInSame(unit: number, time: number | null, at: number): boolean {
  return time !== null && Math.floor(time / unit) === Math.floor(at / unit);
}
