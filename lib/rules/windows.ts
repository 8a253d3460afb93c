import type { MaintenanceWindow, WeeklyWindow } from '../types.js';
import { DAY, MINUTE } from '../time.js';

/**
 * Weekly and one-off windows on the time line. An instant is inside a weekly window exactly when the clock on the wall
 * of its time zone reads a time in the window, so that daylight saving has no special case: 08:00-20:00 lasts 12 hours
 * on every day that changes its clocks at night, 02:00-03:00 is empty where that hour is skipped, 01:00-03:00 lasts 3
 * hours where it is repeated, and 02:30-03:00 then comes twice.
 */

/** From (included) to (excluded), milliseconds since the epoch. */
export type Interval = readonly [from: number, to: number];

/** When a target is watched, and when what happens to it counts. */
export interface Schedule {
  readonly activeHours: WeeklyWindow | null;
  readonly maintenance: readonly MaintenanceWindow[];
}

/** The parts of [from, to) inside the window: sorted, disjoint, not touching. */
export function activeIntervals(activeHours: WeeklyWindow | null, from: number, to: number): Interval[] {
  if (from >= to) return [];
  return activeHours === null ? [[from, to]] : merge(weeklyIntervals(activeHours, from, to));
}

/** The parts of [from, to) inside any of the windows: sorted, disjoint, not touching. */
export function maintenanceIntervals(
  windows: readonly MaintenanceWindow[],
  from: number,
  to: number,
): Interval[] {
  if (windows.length === 0 || from >= to) return [];
  return merge(
    windows.flatMap((window) =>
      window.kind === 'weekly'
        ? weeklyIntervals(window.window, from, to)
        : clip([window.from, window.to], from, to),
    ),
  );
}

/** The parts of [from, to) that count for a target: in its active hours and outside its maintenance. */
export function countedIntervals(schedule: Schedule, from: number, to: number): Interval[] {
  const active = activeIntervals(schedule.activeHours, from, to);
  const muted = maintenanceIntervals(schedule.maintenance, from, to);
  return muted.length === 0 ? active : active.flatMap((interval) => without(interval, muted));
}

/** Milliseconds of [from, to) that count for a target. */
export function countedTime(schedule: Schedule, from: number, to: number): number {
  if (schedule.activeHours === null && schedule.maintenance.length === 0) return Math.max(0, to - from);
  return duration(countedIntervals(schedule, from, to));
}

export function isActive(activeHours: WeeklyWindow | null, at: number): boolean {
  return activeHours === null || weeklyIntervals(activeHours, at, at + 1).length > 0;
}

/** No part of [from, to) is outside the window. */
export function isActiveThroughout(activeHours: WeeklyWindow | null, from: number, to: number): boolean {
  return activeHours === null || duration(activeIntervals(activeHours, from, to)) >= to - from;
}

/** Whether the target is active at `at` and was not at `since`: a host that slept may still be waking. */
export function isEntering(activeHours: WeeklyWindow | null, since: number, at: number): boolean {
  return activeHours !== null && isActive(activeHours, at) && !isActive(activeHours, since);
}

export function inMaintenance(windows: readonly MaintenanceWindow[], at: number): boolean {
  return maintenanceIntervals(windows, at, at + 1).length > 0;
}

/**
 * When the maintenance that holds at `at` ends, windows that touch or overlap being one; null when there is none. Weekly
 * windows that leave no gap never end: for them the answer is a week ahead, and moves on with `at`.
 */
export function maintenanceEnd(windows: readonly MaintenanceWindow[], at: number): number | null {
  if (!inMaintenance(windows, at)) return null;
  const horizon = at + 8 * DAY;
  const [[, end] = [at, at]] = maintenanceIntervals(windows, at, horizon);
  const beyond = windows.map((window) =>
    window.kind === 'once' && window.from < horizon ? window.to : horizon,
  );
  return end < horizon ? end : Math.max(...beyond);
}

/** Milliseconds covered by disjoint intervals. */
export function duration(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, [from, to]) => sum + to - from, 0);
}

function weeklyIntervals(window: WeeklyWindow, from: number, to: number): Interval[] {
  const start = window.fromMinute * MINUTE;
  const end = window.toMinute * MINUTE + (window.toMinute <= window.fromMinute ? DAY : 0);
  return constantOffsets(window.timeZone, from, to).flatMap(({ offset, from: first, to: last }) => {
    const intervals: Interval[] = [];
    // Days of the wall clock since 1970-01-01; the day before may reach past midnight.
    const lastDay = Math.floor((last - 1 + offset) / DAY);
    for (let day = Math.floor((first + offset) / DAY) - 1; day <= lastDay; day++) {
      if (!window.days.includes(isoWeekday(day))) continue;
      const midnight = day * DAY - offset;
      intervals.push(...clip([midnight + start, midnight + end], first, last));
    }
    return intervals;
  });
}

/** 1970-01-01, day 0, was a Thursday. */
function isoWeekday(day: number): number {
  return ((((day + 3) % 7) + 7) % 7) + 1;
}

/** Cuts [from, to) where the zone's distance from UTC changes. No zone has changed it twice in a day and back. */
function constantOffsets(
  timeZone: string,
  from: number,
  to: number,
): { from: number; to: number; offset: number }[] {
  const parts = [];
  let begin = from;
  let offset = offsetAt(timeZone, from);
  for (let at = from; at < to;) {
    const next = Math.min(at + DAY, to);
    const offsetThen = offsetAt(timeZone, next);
    if (offsetThen !== offset) {
      const change = firstChange(timeZone, at, next, offset);
      parts.push({ from: begin, to: change, offset });
      begin = change;
      offset = offsetThen;
    }
    at = next;
  }
  if (begin < to) parts.push({ from: begin, to, offset });
  return parts;
}

/** The first instant in (from, to] with another offset than `offset`, which holds at `from` and not at `to`. */
function firstChange(timeZone: string, from: number, to: number, offset: number): number {
  let before = from;
  let after = to;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(timeZone, middle) === offset) before = middle;
    else after = middle;
  }
  return after;
}

/** Offsets at the beginnings of days (UTC), by zone and day: Intl takes 2 µs for each, and a run asks for many. */
const offsets = new Map<string, number>();
const OFFSETS_KEPT = 10_000;

/** Milliseconds by which the zone's wall clock is ahead of UTC. No zone has changed it twice in a day and back. */
export function offsetAt(timeZone: string, at: number): number {
  if (timeZone === 'UTC') return 0;
  const day = Math.floor(at / DAY);
  const offset = offsetOnDay(timeZone, day);
  return offset === offsetOnDay(timeZone, day + 1) ? offset : computeOffset(timeZone, at);
}

function offsetOnDay(timeZone: string, day: number): number {
  const key = `${timeZone} ${day}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  const offset = computeOffset(timeZone, day * DAY);
  if (offsets.size >= OFFSETS_KEPT) offsets.clear();
  offsets.set(key, offset);
  return offset;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function computeOffset(timeZone: string, at: number): number {
  let formatter = formatters.get(timeZone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
    formatters.set(timeZone, formatter);
  }
  const found = /GMT([+-])(\d+):(\d+)(?::(\d+))?$/.exec(formatter.format(at));
  if (found === null) return 0;
  const [, sign, hours, minutes, seconds = 0] = found;
  const ahead = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -ahead : ahead;
}

function clip([start, end]: Interval, from: number, to: number): Interval[] {
  const first = Math.max(start, from);
  const last = Math.min(end, to);
  return first < last ? [[first, last]] : [];
}

function merge(intervals: Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const [from, to] of intervals.sort(([a], [b]) => a - b)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1]) merged[merged.length - 1] = [last[0], Math.max(last[1], to)];
    else merged.push([from, to]);
  }
  return merged;
}

/** What is left of an interval without the (sorted, disjoint) `holes`. */
function without([from, to]: Interval, holes: readonly Interval[]): Interval[] {
  const left: Interval[] = [];
  let begin = from;
  for (const [start, end] of holes) {
    left.push(...clip([begin, start], from, to));
    begin = Math.max(begin, end);
  }
  return [...left, ...clip([begin, to], from, to)];
}
