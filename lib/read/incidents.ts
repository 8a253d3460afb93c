import type { Incident } from '../record/incidents.js';
import type { WatchedTarget } from '../types.js';
import type { LatestIncidents } from './load.js';
import { incidentView } from './stats.js';
import type { RecentIncidents, TargetIncident } from './views.js';

/** The latest incidents of all targets, at most `limit`: those that are open, then those that ended last. */
export function recentIncidents(
  targets: readonly WatchedTarget[],
  { state, incidents }: LatestIncidents,
  now: number,
  limit: number,
): RecentIncidents {
  const all = targets.flatMap(({ info: { id, name } }) =>
    (incidents.get(id) ?? []).map((incident) => ({ target: { id, name }, incident })),
  );
  return {
    since: new Date(state?.firstRunAt ?? now).toISOString(),
    incidents: all
      .sort(({ incident: a }, { incident: b }) => endOf(b) - endOf(a) || b.startedAt - a.startedAt)
      .slice(0, limit)
      .map(({ target, incident }): TargetIncident => ({ target, incident: incidentView(incident, now) })),
  };
}

function endOf({ endedAt }: Incident): number {
  return endedAt ?? Number.MAX_SAFE_INTEGER;
}
