import type { Window } from '../read/load.js';
import type { TargetStats } from '../read/views.js';
import type { Status } from '../types.js';
import { restsOnLittle } from './words.js';
import { singleLine } from '../single-line.js';
import { DAY } from '../time.js';

export const METRICS = ['status', 'uptime', 'latency'] as const;
export type Metric = (typeof METRICS)[number];

/** By the names that Shields has for them. */
type Color = 'brightgreen' | 'green' | 'yellow' | 'orange' | 'red' | 'blue' | 'lightgrey';

/** One line; nothing in it is escaped yet. */
export interface Badge {
  readonly label: string;
  readonly message: string;
  readonly color: Color;
  /** There is no such badge. */
  readonly isError: boolean;
}

const STATUS_COLORS: Readonly<Record<Status, Color>> = {
  up: 'brightgreen',
  degraded: 'yellow',
  down: 'red',
  sleeping: 'blue',
  pending: 'lightgrey',
  paused: 'lightgrey',
};

/** The colour of the first bound that a ratio reaches. */
const UPTIME_COLORS: readonly (readonly [atLeast: number, Color])[] = [
  [0.999, 'brightgreen'],
  [0.99, 'green'],
  [0.97, 'yellow'],
  [0.9, 'orange'],
  [0, 'red'],
];

/** The colour of the first bound, in ms, that a latency does not exceed. */
const LATENCY_COLORS: readonly (readonly [atMost: number, Color])[] = [
  [200, 'brightgreen'],
  [500, 'green'],
  [1_000, 'yellow'],
  [3_000, 'orange'],
  [Infinity, 'red'],
];

const NAME_LENGTH = 40;
const LABEL_LENGTH = 60;

export interface BadgeFacts {
  readonly target: TargetStats;
  readonly metric: Metric;
  /** Of the uptime and the latency. */
  readonly window: Window;
  /** The median within the window, ms; looked at where it is the metric. */
  readonly latency: number | null;
  readonly now: number;
  /** Instead of the target's name and the metric; the empty text leaves the label away. */
  readonly label: string | null;
}

export function badgeOf({ target, metric, window, latency, now, label }: BadgeFacts): Badge {
  const name = singleLine(target.name, NAME_LENGTH) || target.id;
  switch (metric) {
    case 'status':
      return { label: labelOr(name, label), ...statusBadge(target, now), isError: false };
    case 'uptime': {
      const value = dated(uptimeBadge(target.uptimeRatio[window], target.coverage[window]), target);
      return { label: labelOr(`${name} uptime ${window}`, label), ...value, isError: false };
    }
    case 'latency': {
      const value = dated(latencyBadge(latency), target);
      return { label: labelOr(`${name} latency ${window}`, label), ...value, isError: false };
    }
  }
}

export function errorBadge(message: string, label: string | null): Badge {
  return { label: labelOr('keepalive', label), message, color: 'lightgrey', isError: true };
}

function labelOr(usual: string, label: string | null): string {
  return label === null ? usual : singleLine(label, LABEL_LENGTH);
}

type BadgeValue = Pick<Badge, 'message' | 'color'>;
const NO_DATA: BadgeValue = { message: 'no data', color: 'lightgrey' };

const UNKNOWN: BadgeValue = { message: 'unknown', color: 'lightgrey' };

/** Where the runs have stopped, a value is marked as stale and has no colour. */
function dated(value: BadgeValue, { lastKnownStatus }: TargetStats): BadgeValue {
  if (lastKnownStatus === null || value === NO_DATA) return value;
  return { message: `${value.message} (stale)`, color: 'lightgrey' };
}

/**
 * Where no run came for three ticks, and of a target of which nothing was heard for a day beyond its interval, nobody
 * knows the status.
 */
function statusBadge(target: TargetStats, now: number): BadgeValue {
  const { status, lastKnownStatus, lastCheckAt, pingInterval } = target;
  if (lastKnownStatus !== null) return UNKNOWN;
  const rests = status === 'paused' || status === 'sleeping';
  const isKnown = lastCheckAt !== null && now - Date.parse(lastCheckAt) <= pingInterval + DAY;
  return rests || isKnown ? { message: status, color: STATUS_COLORS[status] } : NO_DATA;
}

function uptimeBadge(ratio: number | null, coverage: number | null): BadgeValue {
  if (ratio === null) return NO_DATA;
  if (coverage !== null && restsOnLittle(coverage)) {
    return { message: `${percent(ratio)}%, ${Math.floor(coverage * 100)}% observed`, color: 'lightgrey' };
  }
  const color = UPTIME_COLORS.find(([atLeast]) => ratio >= atLeast)?.[1] ?? 'red';
  return { message: `${percent(ratio)}%`, color };
}

/** With two digits at most, rounded down: what is not whole never looks whole. */
function percent(ratio: number): number {
  const millionths = Math.round(ratio * 1e6);
  return Math.floor((ratio < 1 ? Math.min(millionths, 999_999) : millionths) / 100) / 100;
}

function latencyBadge(latency: number | null): BadgeValue {
  if (latency === null) return NO_DATA;
  const color = LATENCY_COLORS.find(([atMost]) => latency <= atMost)?.[1] ?? 'red';
  const ms = Math.round(latency);
  return { message: ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`, color };
}

/** As Shields draws it. */
export async function renderSvg({ label, message, color }: Badge): Promise<string> {
  const { makeBadge } = await import('badge-maker');
  return makeBadge({ label, message, color });
}

/** What Shields' endpoint badge reads (https://shields.io/badges/endpoint-badge). */
export function renderShields({ label, message, color, isError }: Badge): string {
  return JSON.stringify({ schemaVersion: 1, label, message, color, ...(isError ? { isError } : {}) });
}
