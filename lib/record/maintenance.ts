import { HOURS_KEPT } from './marks.js';
import type { WatchedTarget } from '../types.js';
import { TextError } from './text.js';
import { DAY } from '../time.js';

/** From (included) to (excluded), ms since the epoch. */
export interface Maintenance {
  /** A target's id; null: all. */
  readonly target: string | null;
  readonly from: number;
  readonly to: number;
  readonly reason: string | null;
}

/** Figures of the hours are taken from what was known up to a day before. */
const ENDED_KEPT = (HOURS_KEPT / 24 + 1) * DAY;
export const WINDOWS_KEPT = 100;
/** Of ECMAScript, in ms either side of the epoch. */
const LATEST_DATE = 8.64e15;

/** @throws TextError for what `writeMaintenance` did not write. */
export function readMaintenance(text: string | null): readonly Maintenance[] {
  if (text === null) return [];
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (cause) {
    throw new TextError('the maintenance is not readable', { cause });
  }
  if (!Array.isArray(found)) throw new TextError('the maintenance is not a list');
  return found.map(toWindow);
}

/** The same, but what cannot be read is told to `complain` and counts as none: it must hold up neither run nor reader. */
export function readableMaintenance(
  text: string | null,
  complain: (error: TextError) => void = () => undefined,
): readonly Maintenance[] {
  try {
    return readMaintenance(text);
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    complain(error);
    return [];
  }
}

/** Each window as `[target, from, length]`, with its reason behind where it has one: every run reads this. */
export function writeMaintenance(windows: readonly Maintenance[]): string {
  return JSON.stringify(
    windows.map(({ target, from, to, reason }) => [
      target,
      from,
      to - from,
      ...(reason === null ? [] : [reason]),
    ]),
  );
}

/**
 * What is left open for the same target (or for all) ends where the new window begins: what was not counted stays so.
 */
export function begin(windows: readonly Maintenance[], window: Maintenance): Maintenance[] {
  const rest = windows.flatMap((each) => (each.target === window.target ? upTo(each, window.from) : [each]));
  return kept([...rest, window], window.from);
}

/** Ends what is open for this target alone; null: all that is open. */
export function end(windows: readonly Maintenance[], target: string | null, now: number): Maintenance[] {
  return kept(
    windows.flatMap((each) => (target === null || each.target === target ? upTo(each, now) : [each])),
    now,
  );
}

/** What is in force or to come. */
export function openWindows(windows: readonly Maintenance[], now: number): Maintenance[] {
  return windows.filter(({ to }) => to > now);
}

/** The window in force for a target that ends last; null: none is. */
export function openWindow(windows: readonly Maintenance[], id: string, now: number): Maintenance | null {
  return windows
    .filter((window) => concerns(window, id) && window.from <= now && window.to > now)
    .reduce<Maintenance | null>(
      (last, window) => (last === null || window.to > last.to ? window : last),
      null,
    );
}

/** The targets with these windows besides their own; the very same where nothing applies. */
export function withMaintenance<T extends WatchedTarget>(
  targets: readonly T[],
  windows: readonly Maintenance[],
): readonly T[] {
  if (windows.length === 0) return targets;
  return targets.map((target) => {
    const own = windows.filter((window) => concerns(window, target.info.id));
    if (own.length === 0) return target;
    const more = own.map(({ from, to }) => ({ kind: 'once' as const, from, to }));
    return { ...target, maintenance: [...target.maintenance, ...more] };
  });
}

function concerns({ target }: Maintenance, id: string): boolean {
  return target === null || target === id;
}

/** The part before `time`: none of what begins later, by a clock that is ahead of ours. */
function upTo(window: Maintenance, time: number): Maintenance[] {
  if (window.to <= time) return [window];
  return window.from < time ? [{ ...window, to: time }] : [];
}

/** All that is open, and of what has ended the latest, as long as figures depend on it; nobody asks for its reason. */
function kept(windows: readonly Maintenance[], now: number): Maintenance[] {
  const open = openWindows(windows, now);
  const ended = windows
    .filter(({ to }) => to <= now && to > now - ENDED_KEPT)
    .sort((a, b) => b.to - a.to)
    .slice(0, Math.max(0, WINDOWS_KEPT - open.length));
  return [...ended.reverse().map((window) => ({ ...window, reason: null })), ...open];
}

function toWindow(item: unknown): Maintenance {
  const [target, from, length, reason = null] = Array.isArray(item) ? (item as unknown[]) : [];
  if (!isTextOrNull(target) || !isTextOrNull(reason) || !isTime(from) || !isTime(length)) throw unreadable();
  const to = from + length;
  if (length <= 0 || !isTime(to)) throw unreadable();
  return { target, from, to, reason };
}

function unreadable(): TextError {
  return new TextError('a window of the maintenance is not readable');
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function isTime(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(Number(value)) <= LATEST_DATE;
}
