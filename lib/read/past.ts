import { latestIncidents, type Present, type ResolvedIncidents } from './load.js';
import { addressView, shownTargets, type Audienced } from './audience.js';
import { incidentView } from './incident-views.js';
import { pastMaintenance } from './maintenance-spans.js';
import { noteEvents } from './notes.js';
import type { PastView } from './views.js';
import type { WatchedTarget } from '../types.js';

/** The incidents of all targets and the maintenance since `from`. */
export function pastView(
  watch: Audienced & { readonly tick: number; readonly targets: readonly WatchedTarget[] },
  loaded: Present & ResolvedIncidents,
  from: number,
  now: number,
): PastView {
  const latest = latestIncidents(watch, loaded, now);
  const targets = shownTargets(watch);
  const found = targets.map(({ info }) => ({
    ...{ id: info.id, name: info.name, incidents: latest.get(info.id) ?? [] },
    clean: addressView(info, watch.audience).clean,
  }));
  return {
    incidents: found.flatMap(({ id, name, incidents, clean }) =>
      incidents
        .filter(({ endedAt }) => (endedAt ?? now) >= from)
        .map((incident) => ({
          target: { id, name },
          incident: incidentView(incident, now, { clean, notes: noteEvents(loaded.notes, id, incident) }),
        })),
    ),
    cutOff: found.flatMap(({ id, incidents }) => {
      const oldest = incidents.at(-1);
      return loaded.unread.has(id) && oldest !== undefined && oldest.startedAt >= from ? [id] : [];
    }),
    maintenance: pastMaintenance(targets, loaded.maintenance, from, now),
  };
}
