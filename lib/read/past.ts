import { latestIncidents, type Present, type ResolvedIncidents } from './load.js';
import { addressView, shownTargets, type Audienced } from './audience.js';
import { incidentView } from './incident-views.js';
import type { PastMaintenance, PastView } from './views.js';
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
        .map((incident) => ({ target: { id, name }, incident: incidentView(incident, now, clean) })),
    ),
    cutOff: found.flatMap(({ id, incidents }) => {
      const oldest = incidents.at(-1);
      return loaded.unread.has(id) && oldest !== undefined && oldest.startedAt >= from ? [id] : [];
    }),
    maintenance: pastMaintenance(targets, loaded, from, now),
  };
}

/** Each window once, with all the targets that have it. */
function pastMaintenance(
  targets: readonly WatchedTarget[],
  { maintenance }: Present,
  from: number,
  now: number,
): PastMaintenance[] {
  const windows = new Map<
    string,
    { from: number; to: number; reason: string | null; ids: Set<string> | null }
  >();
  const note = (begins: number, ends: number, reason: string | null, id: string | null): void => {
    if (begins > now || ends <= from) return;
    const key = JSON.stringify([begins, ends, reason]);
    const window = windows.get(key) ?? { from: begins, to: ends, reason, ids: new Set() };
    windows.set(key, window);
    if (id === null) window.ids = null;
    else window.ids?.add(id);
  };
  for (const { target, from: begins, to: ends, reason } of maintenance) note(begins, ends, reason, target);
  for (const { info, maintenance: own } of targets) {
    for (const window of own) if (window.kind === 'once') note(window.from, window.to, null, info.id);
  }
  return [...windows.values()]
    .sort((a, b) => b.from - a.from || b.to - a.to)
    .flatMap(({ from: begins, to: ends, reason, ids }): PastMaintenance[] => {
      const those = targets.filter(({ info }) => ids?.has(info.id) ?? true);
      if (those.length === 0) return [];
      const isAll = ids === null || (those.length === targets.length && targets.length > 1);
      return [
        {
          from: new Date(begins).toISOString(),
          to: new Date(ends).toISOString(),
          reason,
          targets: isAll ? null : those.map(({ info: { id, name } }) => ({ id, name })),
        },
      ];
    });
}
