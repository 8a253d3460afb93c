import type { Figures } from '../rules/figures.js';
import { NOTHING } from '../rules/figures.js';
import { EMPTY } from '../rules/histogram.js';
import type { RunGap, State, TargetState } from './state-model.js';
import { DAY, HOUR } from '../time.js';

/** A clock that is wrong by less is not looked at: time stands still until it has caught up. */
const TOLERANCE = HOUR;
/** How long the figures before a long gap are kept: a clock that is wrong for longer is not found out. */
const KEPT = DAY;
/** So many commits, and there is little to lose by beginning again. */
const FEW_COMMITS = 30;

/**
 * The state at the opening of a run, told from a clock that was ahead for a while. A jump ahead looks like a gap in the
 * runs. When the clock then reads a time within that gap, the gap never was, and all that was recorded behind it is dated
 * in the future: time is taken back to where the gap began, and counted again. Of the wrong time the pings stay counted.
 * A clock that is behind is waited for: nothing tells it from one that was ahead but the gap.
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
    markedHour: Math.min(state.markedHour, Math.floor(countedTo / HOUR)),
    targets,
  };
}

/** The targets with their figures noted where runs were missing for long, and without a note that is too old. */
export function withNotes(
  targets: State['targets'],
  gap: RunGap | null,
  now: number,
): (TargetState | null)[] {
  const isLong = gap !== null && gap.to - gap.from > TOLERANCE;
  return targets.map((target) => {
    if (target === null) return null;
    const { countedTo, figures, beforeGap } = target;
    if (isLong) return { ...target, beforeGap: { countedTo, endedAt: now, figures } };
    return beforeGap !== null && now - beforeGap.endedAt > KEPT ? { ...target, beforeGap: null } : target;
  });
}

function wasAhead({ revision, lastRun, firstRunAt, gaps }: State, now: number): boolean {
  if (lastRun === null || lastRun.at <= now + TOLERANCE) return false;
  const neverWas = gaps.some(({ from, to }) => to - from > TOLERANCE && from <= now && now < to);
  // Where the clock was ahead from the first run on, there is no gap.
  return neverWas || (firstRunAt > now + TOLERANCE && revision <= FEW_COMMITS);
}

function rewoundTarget(target: TargetState, now: number): TargetState {
  const { pings, failures, coldStarts } = target.figures;
  const past = (time: number): number => Math.min(time, now);
  const pastOrNull = (time: number | null): number | null => (time === null ? null : past(time));
  const unlessAhead = (time: number | null): number | null => (time !== null && time > now ? null : time);
  const { beforeGap, addedAt, lastError, incident, idle } = target;
  const restored =
    addedAt > now
      ? { addedAt: now, countedTo: now, figures: NOTHING }
      : beforeGap === null
        ? { countedTo: past(target.countedTo), figures: within(target.figures, now - addedAt) }
        : { countedTo: past(beforeGap.countedTo), figures: beforeGap.figures };
  // The last check stays in the future until the next: so the target is due at once, and no time counts as observed.
  return {
    ...target,
    ...restored,
    figures: { ...restored.figures, pings, failures, coldStarts },
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
  };
}

/** No more time than there was. */
function within(figures: Figures, time: number): Figures {
  const expected = Math.min(figures.expected, time);
  const observed = Math.min(figures.observed, expected);
  const awake = Math.min(figures.awake, time);
  return {
    ...figures,
    expected,
    observed,
    good: Math.min(figures.good, observed),
    awake,
    slept: Math.min(figures.slept, time - awake),
  };
}
