import { HOURS_KEPT } from './snapshots.js';
import type { WatchedTarget } from '../types.js';
import { DAY } from '../time.js';
import { readEnvelope, writeEnvelope } from './codec/envelope.js';
import { asList, asText, asTime, orNull, parseJson } from './codec/json.js';
import { TextError } from './codec/text-error.js';

/** Of the format of this field. Version 1 has the same body and no version before it. */
const VERSION = 2;

/** From (included) to (excluded), ms since the epoch. */
export interface Maintenance {
  /** A target's id; null: all. */
  readonly target: string | null;
  readonly from: number;
  readonly to: number;
  readonly reason: string | null;
}

/** Statistics of an hour may rest on a snapshot of up to a day before. */
const ENDED_KEPT = (HOURS_KEPT / 24 + 1) * DAY;
export const WINDOWS_KEPT = 100;

/** @throws TextError for what `writeMaintenance` did not write */
export function readMaintenance(text: string | null): readonly Maintenance[] {
  if (text === null) return [];
  const { body } = readEnvelope(text, 'the maintenance', VERSION);
  return asList(parseJson(body, 'the maintenance')).map(toWindow);
}

/**
 * The same, but a text that cannot be read is passed to `complain` and counts as none: it must not stop a run or a
 * reader.
 */
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

/**
 * The envelope with the version (codec/envelope.ts), then a JSON list with a list for each window: its target, when it
 * begins, its length in ms, and its reason where it has one.
 *
 * Worked value: ` 2[["api",1767614400000,1800000,"deploy"]]`.
 */
export function writeMaintenance(windows: readonly Maintenance[]): string {
  const body = JSON.stringify(
    windows.map(({ target, from, to, reason }) => [
      target,
      from,
      to - from,
      ...(reason === null ? [] : [reason]),
    ]),
  );
  return writeEnvelope(VERSION, body);
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

/**
 * All open windows, and the latest of those that have ended, as long as statistics depend on them. Their reasons are
 * dropped.
 */
function kept(windows: readonly Maintenance[], now: number): Maintenance[] {
  const open = openWindows(windows, now);
  const ended = windows
    .filter(({ to }) => to <= now && to > now - ENDED_KEPT)
    .sort((a, b) => b.to - a.to)
    .slice(0, Math.max(0, WINDOWS_KEPT - open.length));
  return [...ended.reverse().map((window) => ({ ...window, reason: null })), ...open];
}

function toWindow(item: unknown): Maintenance {
  const [target, from, length, reason = null] = asList(item);
  const begins = asTime(from);
  const ends = asTime(begins + asTime(length));
  if (!Number.isInteger(begins) || !Number.isInteger(ends))
    throw new TextError('a window has no whole times');
  if (ends <= begins) throw new TextError('a window of the maintenance ends before it begins');
  return { target: orNull(target, asText), from: begins, to: ends, reason: orNull(reason, asText) };
}
