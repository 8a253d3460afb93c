import type { Maintenance } from '../record/maintenance.js';
import { maintenanceIntervals, type Interval } from '../rules/windows.js';
import { DAY } from '../time.js';
import type { MaintenanceWindow, WatchedTarget } from '../types.js';
import type { MaintenanceSpan } from './views.js';

/** How far ahead pages look. */
const AHEAD = 7 * DAY;
/** What a calendar holds: what has passed lately stays in it. */
const CALENDAR = { behind: 7 * DAY, ahead: 90 * DAY };

/** A window of one target, or of all (null). */
interface OwnedSpan {
  readonly from: number;
  readonly to: number;
  readonly reason: string | null;
  readonly id: string | null;
}

/** Windows that have begun since `from` and do not come back every week, latest first. */
export function pastMaintenance(
  targets: readonly WatchedTarget[],
  begun: readonly Maintenance[],
  from: number,
  now: number,
): MaintenanceSpan[] {
  const spans = [...begunSpans(begun), ...configuredSpans(targets, onceSpan)];
  return together(
    targets,
    spans.filter((span) => span.from <= now && span.to > from),
  ).reverse();
}

/** Windows that begin within the next 7 days, the next one first. */
export function upcomingMaintenance(
  targets: readonly WatchedTarget[],
  begun: readonly Maintenance[],
  now: number,
): MaintenanceSpan[] {
  return spansBeginning(targets, begun, now + 1, now + AHEAD);
}

/** Windows of the days around today (UTC), in the order in which they begin. The same all day. */
export function calendarMaintenance(
  targets: readonly WatchedTarget[],
  begun: readonly Maintenance[],
  now: number,
): MaintenanceSpan[] {
  const midnight = Math.floor(now / DAY) * DAY;
  return spansBeginning(targets, begun, midnight - CALENDAR.behind, midnight + CALENDAR.ahead);
}

/** Windows that begin from `from` to `to` (both included). */
function spansBeginning(
  targets: readonly WatchedTarget[],
  begun: readonly Maintenance[],
  from: number,
  to: number,
): MaintenanceSpan[] {
  const begins = ([start]: Interval): boolean => start >= from && start <= to;
  const of = (window: MaintenanceWindow): Interval[] =>
    window.kind === 'once'
      ? onceSpan(window)
      : // With some days around, so that no window is cut.
        maintenanceIntervals([window], from - 2 * DAY, to + 2 * DAY);
  const spans = [...begunSpans(begun), ...configuredSpans(targets, of)];
  return together(
    targets,
    spans.filter((span) => begins([span.from, span.to])),
  );
}

function onceSpan(window: MaintenanceWindow): Interval[] {
  return window.kind === 'once' ? [[window.from, window.to]] : [];
}

function begunSpans(begun: readonly Maintenance[]): OwnedSpan[] {
  return begun.map(({ target, from, to, reason }) => ({ from, to, reason, id: target }));
}

/** Targets often have the same windows: each is looked at once. */
function configuredSpans(
  targets: readonly WatchedTarget[],
  of: (window: MaintenanceWindow) => Interval[],
): OwnedSpan[] {
  const known = new Map<string, Interval[]>();
  return targets.flatMap(({ info: { id }, maintenance }) =>
    maintenance.flatMap((window) => {
      const key = JSON.stringify(window);
      const intervals = known.get(key) ?? of(window);
      known.set(key, intervals);
      return intervals.map(([from, to]): OwnedSpan => ({ from, to, reason: window.reason ?? null, id }));
    }),
  );
}

/** Each window once, with all the targets that have it, in the order in which they begin. */
function together(targets: readonly WatchedTarget[], spans: readonly OwnedSpan[]): MaintenanceSpan[] {
  const windows = new Map<
    string,
    { from: number; to: number; reason: string | null; ids: Set<string> | null }
  >();
  for (const { from, to, reason, id } of spans) {
    const key = JSON.stringify([from, to, reason]);
    const window = windows.get(key) ?? { from, to, reason, ids: new Set() };
    windows.set(key, window);
    if (id === null) window.ids = null;
    else window.ids?.add(id);
  }
  return [...windows.values()]
    .sort((a, b) => a.from - b.from || a.to - b.to)
    .flatMap(({ from, to, reason, ids }): MaintenanceSpan[] => {
      const those = targets.filter(({ info }) => ids?.has(info.id) ?? true);
      if (those.length === 0) return [];
      const isAll = ids === null || (those.length === targets.length && targets.length > 1);
      return [
        {
          from: new Date(from).toISOString(),
          to: new Date(to).toISOString(),
          reason,
          targets: isAll ? null : those.map(({ info: { id, name } }) => ({ id, name })),
        },
      ];
    });
}
