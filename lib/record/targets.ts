import type { Figures } from '../rules/figures.js';
import { extend } from '../rules/figures.js';
import { withGap } from '../rules/gaps.js';
import { EMPTY, observe } from '../rules/histogram.js';
import { judge } from '../rules/status.js';
import { countedIntervals, inMaintenance, isActive, isActiveThroughout } from '../rules/windows.js';
import type { Check, Target, WatchedTarget } from '../types.js';
import type { TargetMark } from './marks.js';
import { DAY, dayEndingAt, DAYS_KEPT } from './marks.js';
import type { TargetState } from './state.js';
import { newTarget } from './state.js';

const MINUTE = 60_000;
/** A target that is gone from the configuration keeps its slot until no mark holds anything of it. */
const REMOVED_KEPT = (DAYS_KEPT + 2) * DAY;

/** The figures at a later time, when the target was not checked again until then. */
export function figuresAt(
  state: TargetState,
  target: WatchedTarget | undefined,
  at: number,
  tick: number,
): Figures {
  if (!target?.info.enabled) return state.figures;
  const reach = target.info.interval + tick;
  return extend(state.figures, state, reach, state.countedTo, at, (from, to) =>
    countedIntervals(target, from, to),
  );
}

/** What is to be marked at a later time, when the target was not checked again until then. */
export function markAt(
  state: TargetState,
  target: WatchedTarget | undefined,
  at: number,
  tick: number,
): TargetMark {
  const sameDay = Math.floor((state.lastCheckAt ?? 0) / DAY) === dayEndingAt(at);
  return { figures: figuresAt(state, target, at, tick), latencies: sameDay ? state.latencies : EMPTY };
}

/** The states by slot once the configuration is known: newcomers get a slot, the missing and the resting are noted. */
export function admit(
  states: readonly (TargetState | null)[],
  targets: readonly Target[],
  now: number,
): (TargetState | null)[] {
  const configured = new Map(targets.map((target) => [target.info.id, target]));
  const kept = states.map((state) => {
    if (state === null) return null;
    const target = configured.get(state.id);
    if (target !== undefined) return settle(state, target, now);
    if (state.removedAt !== null && now - state.removedAt > REMOVED_KEPT) return null;
    const countedTo = Math.max(state.countedTo, now);
    return { ...state, removedAt: state.removedAt ?? now, countedTo, awakeFrom: null };
  });
  const known = new Set(kept.map((state) => state?.id));
  for (const target of targets) {
    if (known.has(target.info.id)) continue;
    const free = kept.indexOf(null);
    const state = settle(newTarget(target.info.id, now), target, now);
    kept[free === -1 ? kept.length : free] = state;
  }
  return kept;
}

/** A target that is new to the books may have been checked earlier, by runs that could not be stored. */
export function addedBy(state: TargetState, at: number, now: number): TargetState {
  const isEarlier = state.addedAt === now && state.lastCheckAt === null && at < now;
  return isEarlier ? { ...state, addedAt: at, countedTo: at, since: at } : state;
}

function settle(state: TargetState, target: Target, now: number): TargetState {
  const { enabled } = target.info;
  const uncounted = !enabled || state.removedAt !== null;
  const resting = !enabled || !isActive(target.activeHours, now);
  // It may have rested while no run came to see it.
  const rested = state.awakeFrom !== null && !isActiveThroughout(target.activeHours, state.awakeFrom, now);
  return {
    ...state,
    removedAt: null,
    countedTo: uncounted ? Math.max(state.countedTo, now) : state.countedTo,
    restingSince: resting ? (state.restingSince ?? now) : null,
    awakeFrom: resting || rested ? null : state.awakeFrom,
  };
}

export function advance(before: TargetState, target: Target, check: Check, figures: Figures): TargetState {
  const { at } = check;
  const failed = check.outcome === 'failed';
  const counted = !inMaintenance(target.maintenance, at);
  const standing = judge(before, check, target);
  // Nobody pinged it while it rested: that it slept says nothing of the pings.
  const rested = before.awakeFrom === null && before.lastSuccessAt !== null;
  const opens = before.incident === null && standing.status === 'down';
  const closes = before.incident !== null && standing.status !== 'down';
  const sameDay = Math.floor((before.lastCheckAt ?? 0) / DAY) === Math.floor(at / DAY);
  const latencies = sameDay ? before.latencies : EMPTY;
  return {
    ...before,
    ...standing,
    lastCheckAt: at,
    lastSuccessAt: failed ? before.lastSuccessAt : at,
    awakeFrom: failed ? before.awakeFrom : at,
    awakeGaps:
      failed || before.awakeFrom === null || before.awakeFrom > at
        ? before.awakeGaps
        : withGap(before.awakeGaps, at, at - before.awakeFrom),
    lastStatusCode: check.statusCode,
    latency: check.latency,
    message: check.message,
    lastError: failed ? { at, message: check.message ?? '' } : before.lastError,
    tlsExpiresAt: check.tlsExpiresAt ?? before.tlsExpiresAt,
    phases: phasesOf(check),
    incident: opens
      ? { startedAt: standing.seriesAt ?? at, message: check.message ?? '' }
      : closes
        ? null
        : before.incident,
    incidents: before.incidents + (opens ? 1 : 0),
    figures: counted
      ? {
          ...figures,
          pings: figures.pings + 1,
          failures: figures.failures + (failed ? 1 : 0),
          coldStarts: figures.coldStarts + (check.coldStart && !rested ? 1 : 0),
        }
      : figures,
    countedTo: Math.max(before.countedTo, at),
    counted,
    latencies:
      counted && check.latency !== null && !check.coldStart ? observe(latencies, check.latency) : latencies,
  };
}

function phasesOf({ timings: { dns, connect, tls, ttfb } }: Check): TargetState['phases'] {
  return [dns, connect, tls, ttfb].map((phase) => (phase === null ? null : Math.round(phase)));
}

/** One check a minute is logged, and besides it the one with which a failure begins. */
export function isLogged(before: TargetState, check: Check): boolean {
  const sameMinute = Math.floor((before.lastCheckAt ?? 0) / MINUTE) === Math.floor(check.at / MINUTE);
  return !sameMinute || (check.outcome === 'failed' && before.lastOutcome !== 'failed');
}
