import { latestIncidents, type Present, type ResolvedIncidents } from './load.js';
import { incidentView } from './incident-views.js';
import { pastMaintenance } from './maintenance-spans.js';
import { noteEvents } from './notes.js';
import type { PastView } from './views.js';
import type { WatchedTarget } from '../types.js';

/** The incidents of all targets and the maintenance since `from`. */
export function pastView(
  watch: { readonly tick: number; readonly targets: readonly WatchedTarget[] },
  loaded: Present & ResolvedIncidents,
  from: number,
  now: number,
): PastView {
  const latest = latestIncidents(watch, loaded, now);
  const found = watch.targets.map(({ info: { id, name } }) => ({
    id,
    name,
    incidents: latest.get(id) ?? [],
  }));
  return {
    incidents: found.flatMap(({ id, name, incidents }) =>
      incidents
        .filter(({ endedAt }) => (endedAt ?? now) >= from)
        .map((incident) => ({
          target: { id, name },
          incident: incidentView(incident, now, noteEvents(loaded.notes, id, incident)),
        })),
    ),
    cutOff: found.flatMap(({ id, incidents }) => {
      const oldest = incidents.at(-1);
      return loaded.unread.has(id) && oldest !== undefined && oldest.startedAt >= from ? [id] : [];
    }),
    maintenance: pastMaintenance(watch.targets, loaded.maintenance, from, now),
  };
}
