import type { Counters } from '../rules/counters.js';
import { NOTHING } from '../rules/counters.js';
import { EMPTY } from '../rules/histogram.js';
import type { RunGap, State, TargetState } from './state-model.js';
import { DAY, HOUR } from '../time.js';

/** A clock that is wrong by less than this (ms) is ignored: no time is counted until it has caught up. */
const TOLERANCE = HOUR;
/** How long the counters before a long gap are kept, in ms: a clock that is wrong for longer is not detected. */
const KEPT = DAY;
/** After at most this many commits there is little to lose by counting again from the start. */
const FEW_COMMITS = 30;

/**
 * Corrects the state after the clock was ahead for a while. A jump ahead looks like a gap in the runs. When the clock then
 * reads a time within that gap, the gap was not real, and everything recorded after it is dated in the future: time is
 * taken back to the beginning of the gap and counted again. Pings of the wrong time stay counted. Without such a gap the
 * clock may as well be behind now, and nothing is counted until it has caught up.
 */
export function rewound(state: State, now: number): State {
  if (!wasAhead(state, now)) return state;
  const targets = state.targets.map((target) => target && rewoundTarget(target, now));
  const countedTo = Math.min(now, ...targets.map((target) => target?.countedTo ?? now));
  return {
    ...state,
    firstRunAt: Math.min(state.firstRunAt, now),
    rewinds: state.rewinds + 1,
    gaps: state.gaps.filter(({ to }) => to <= now),
    snapshotHour: Math.min(state.snapshotHour, Math.floor(countedTo / HOUR)),
    targets,
  };
}

/** Sets `beforeGap` of each target after a long gap in the runs, and clears it once it is too old. */
export function withCountersBeforeGap(
  targets: State['targets'],
  gap: RunGap | null,
  now: number,
): (TargetState | null)[] {
  const isLong = gap !== null && gap.to - gap.from > TOLERANCE;
  return targets.map((target) => {
    if (target === null) return null;
    const { countedTo, counters, beforeGap } = target;
    if (isLong) return { ...target, beforeGap: { countedTo, endedAt: now, counters } };
    return beforeGap !== null && now - beforeGap.endedAt > KEPT ? { ...target, beforeGap: null } : target;
  });
}

function wasAhead({ revision, lastRun, firstRunAt, gaps }: State, now: number): boolean {
  if (lastRun === null || lastRun.at <= now + TOLERANCE) return false;
  const isGapUnreal = gaps.some(({ from, to }) => to - from > TOLERANCE && from <= now && now < to);
  // Where the clock was ahead from the first run on, there is no gap.
  return isGapUnreal || (firstRunAt > now + TOLERANCE && revision <= FEW_COMMITS);
}

function rewoundTarget(target: TargetState, now: number): TargetState {
  const { pings, failures, coldStarts } = target.counters;
  const past = (time: number): number => Math.min(time, now);
  const pastOrNull = (time: number | null): number | null => (time === null ? null : past(time));
  const unlessAhead = (time: number | null): number | null => (time !== null && time > now ? null : time);
  const { beforeGap, addedAt, lastError, incident, idle, hostWord } = target;
  const restored =
    addedAt > now
      ? { addedAt: now, countedTo: now, counters: NOTHING }
      : beforeGap === null
        ? { countedTo: past(target.countedTo), counters: within(target.counters, now - addedAt) }
        : { countedTo: past(beforeGap.countedTo), counters: beforeGap.counters };
  // The last check stays in the future until the next: so the target is due at once, and no time counts as observed.
  return {
    ...target,
    ...restored,
    counters: { ...restored.counters, pings, failures, coldStarts },
    since: past(target.since),
    seriesAt: pastOrNull(target.seriesAt),
    lastSuccessAt: pastOrNull(target.lastSuccessAt),
    removedAt: pastOrNull(target.removedAt),
    restingSince: pastOrNull(target.restingSince),
    lastError: lastError && { ...lastError, at: past(lastError.at) },
    incident: incident && { ...incident, startedAt: past(incident.startedAt) },
    awakeFrom: unlessAhead(target.awakeFrom),
    provenAt: unlessAhead(target.provenAt),
    awakeSince: unlessAhead(target.awakeSince),
    brokenAt: unlessAhead(target.brokenAt),
    asleepAt: unlessAhead(target.asleepAt),
    sleptAt: unlessAhead(target.sleptAt),
    awakeGaps: target.awakeGaps.filter(({ hour }) => hour <= Math.floor(now / HOUR)),
    idle: idle !== null && idle.to > now ? null : idle,
    latencies: EMPTY,
    unobserved: null,
    beforeGap: null,
    waking: null,
    hostWord: hostWord !== null && hostWord.at > now ? null : hostWord,
  };
}

/** The counters, limited to the time that has really passed. */
function within(counters: Counters, time: number): Counters {
  const expected = Math.min(counters.expected, time);
  const observed = Math.min(counters.observed, expected);
  const awake = Math.min(counters.awake, time);
  return {
    ...counters,
    expected,
    observed,
    good: Math.min(counters.good, observed),
    awake,
    slept: Math.min(counters.slept, time - awake),
  };
}
