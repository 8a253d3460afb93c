import type { IncidentView, TargetIncident } from '../read/views.js';
import { MINUTE } from '../time.js';
import { causeOf, type Cause } from './causes.js';

/** What is wrong with one service, or was. */
export interface Trouble {
  readonly target: TargetIncident['target'];
  readonly mood: 'down' | 'degraded';
  readonly message: string;
  readonly startedAt: string;
  /** Null: it is not over. */
  readonly endedAt: string | null;
  /** Null where it is degraded: that is no incident. */
  readonly incident: IncidentView | null;
}

/** Troubles of one cause and time, which are told as one. */
export interface Episode {
  readonly mood: Trouble['mood'];
  readonly cause: Cause;
  /** Of the first to begin. */
  readonly startedAt: string;
  /** Of the last to end; null: some are not over. */
  readonly endedAt: string | null;
  readonly troubles: readonly [Trouble, ...Trouble[]];
}

/** Services that fail for one cause are found by the checks of several runs. */
const TOGETHER = 5 * MINUTE;

export function troubleOf({ target, incident }: TargetIncident): Trouble {
  const { message, startedAt, endedAt } = incident;
  return { target, mood: 'down', message, startedAt, endedAt, incident };
}

/** Folds troubles of the same state, cause and time; the order is that of the first of each. */
export function episodes(troubles: readonly Trouble[]): Episode[] {
  const found: { mood: Trouble['mood']; cause: Cause; troubles: [Trouble, ...Trouble[]] }[] = [];
  for (const trouble of troubles) {
    const cause = causeOf(trouble.message);
    const same = found.find(
      (each) =>
        each.mood === trouble.mood &&
        each.cause.kind === cause.kind &&
        each.cause.status === cause.status &&
        isNear(each.troubles[0].startedAt, trouble.startedAt) &&
        isNear(each.troubles[0].endedAt, trouble.endedAt),
    );
    if (same === undefined) found.push({ mood: trouble.mood, cause, troubles: [trouble] });
    else same.troubles.push(trouble);
  }
  return found.map((each) => {
    const starts = each.troubles.map(({ startedAt }) => startedAt);
    const ends = each.troubles.map(({ endedAt }) => endedAt);
    return {
      ...each,
      startedAt: starts.reduce((a, b) => (a < b ? a : b)),
      endedAt: ends.reduce((a, b) => (a === null || b === null ? null : a > b ? a : b)),
    };
  });
}

function isNear(a: string | null, b: string | null): boolean {
  return a === null || b === null ? a === b : Math.abs(Date.parse(a) - Date.parse(b)) <= TOGETHER;
}
