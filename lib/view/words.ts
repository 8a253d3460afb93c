import type { Freshness, TargetStats } from '../read/views.js';
import type { Status } from '../types.js';
import { lengthInWords } from '../rules/durations.js';
import type { Cause } from './causes.js';
import { CAUSES, counted, fill, TEXT } from './text.js';

/** What a reader sees of a target's status: maintenance lies over what the checks say. */
export type Shown = Status | 'maintenance';

export const LABELS: Readonly<Record<Shown, string>> = {
  up: 'Up',
  degraded: 'Degraded',
  down: 'Down',
  pending: 'Pending',
  paused: 'Paused',
  sleeping: 'Off hours',
  maintenance: 'Maintenance',
};

/** Where runs have stopped, what was shown then. */
export function shownStatus({ status, lastKnownStatus, maintenance }: ShownStatus): Shown {
  const last = lastKnownStatus ?? status;
  return maintenance === null || last === 'paused' || last === 'sleeping' ? last : 'maintenance';
}

export type ShownStatus = Pick<TargetStats, 'status' | 'lastKnownStatus' | 'maintenance'>;

/** `unknown`: nothing can be said, because nothing was checked lately. */
export type Mood = Shown | 'unknown';

/** What its sign and colour say. */
export function targetMood(target: ShownStatus): Mood {
  return target.lastKnownStatus === null ? shownStatus(target) : 'unknown';
}

/** The state of everything in one sentence. */
export interface OverallStatus {
  readonly mood: Mood;
  readonly sentence: string;
  /** What the sentence leaves out; null: nothing. */
  readonly remark: string | null;
}

/** What to say of all targets, at least one. */
export function overallStatus(
  { isStale, lastRunAt, updatedAt, lost }: Freshness,
  targets: readonly (Pick<TargetStats, 'name'> & ShownStatus)[],
): OverallStatus {
  if (lastRunAt === null && lost !== null) return { mood: 'unknown', sentence: TEXT.lost, remark: null };
  if (isStale && lastRunAt !== null) {
    const length = lengthInWords(Date.parse(updatedAt) - Date.parse(lastRunAt));
    return { mood: 'unknown', sentence: fill(TEXT.stale, { length }), remark: null };
  }
  const of = (status: Shown) => targets.filter((target) => shownStatus(target) === status);
  const mood = LEADING.find((status) => of(status).length > 0) ?? 'paused';
  const rest = LEADING.filter((status) => status !== mood && status !== 'up')
    .map((status) => [of(status).length, LABELS[status].toLowerCase()] as const)
    .filter(([count]) => count > 0)
    .map(([count, label]) => `${count} ${label}`);
  return {
    mood,
    sentence: sentenceOf(mood, of(mood), targets.length),
    remark: rest.length === 0 ? null : rest.join(', '),
  };
}

/** The state that the sentence is about is the first of these that any target is in. */
const LEADING: readonly Shown[] = ['down', 'degraded', 'up', 'maintenance', 'pending', 'sleeping', 'paused'];

function sentenceOf(mood: Shown, those: readonly { readonly name: string }[], total: number): string {
  const count = those.length;
  const name = those[0]?.name ?? '';
  switch (mood) {
    case 'down':
      if (count === 1) return fill(TEXT.oneDown, { name });
      return fill(count === total ? TEXT.allDown : TEXT.severalDown, { count, total });
    case 'degraded':
      return count === 1 ? fill(TEXT.oneDegraded, { name }) : TEXT.severalDegraded;
    case 'up':
      return count === total ? TEXT.allUp : TEXT.restUp;
    case 'maintenance':
    case 'pending':
    case 'sleeping':
    case 'paused':
      return TEXT[mood];
  }
}

/** `Returned an error (503)` */
export function causeInWords({ kind, status }: Cause): string {
  return fill(CAUSES[kind], { status: status ?? '' });
}

const NAMED = 6;

/** `API, Search`, `API, Search and 12 more services`, `All services` */
export function namesInWords(names: readonly string[], isAll: boolean): string {
  if (isAll && names.length > 1) return TEXT.everything;
  const left = names.length - NAMED;
  if (left <= 0) return names.join(', ');
  return fill('{names} {more}', {
    names: names.slice(0, NAMED).join(', '),
    more: counted(TEXT.moreServices, left),
  });
}

/** `99.98%`: rounded down, so that 100 means all of it; `–` for null. */
export function percent(ratio: number | null): string {
  if (ratio === null) return '–';
  const hundredths = Math.floor(ratio * 10_000 + 1e-6);
  return `${hundredths % 100 === 0 ? hundredths / 100 : (hundredths / 100).toFixed(2)}%`;
}

/** A ratio that rests on less than half of the time is shown without colour and with its coverage. */
export function restsOnLittle(coverage: number | null): boolean {
  return coverage !== null && coverage < 0.5;
}

/** So many latencies at least, for a percentile to be more than the slowest of them, and a median more than chance. */
const SAMPLES = { p50: 10, p95: 20, p99: 100 } as const;

/** `of 3 checks`, where a percentile rests on few; null where it does not, or nothing was measured. */
export function fewSamples(name: keyof typeof SAMPLES, samples: number): string | null {
  if (samples === 0 || samples >= SAMPLES[name]) return null;
  return samples === 1 ? 'of 1 check' : `of ${samples} checks`;
}

/** How much of an incident nobody watched; empty where that is known to be nothing, or not known. */
export function unobservedInWords(ms: number | null): string {
  return ms === null || ms === 0 ? '' : `, not observed for ${lengthInWords(ms)} of it`;
}

/** `20 Nov 2026`; UTC. */
export function dateInWords(iso: string): string {
  const start = 3 * (Number(iso.slice(5, 7)) - 1);
  return `${Number(iso.slice(8, 10))} ${MONTHS.slice(start, start + 3)} ${iso.slice(0, 4)}`;
}

/** `20 Nov`, with the year where it is not that of `now`; UTC. */
export function dayInWords(iso: string, now: string): string {
  const date = dateInWords(iso);
  return iso.slice(0, 4) === now.slice(0, 4) ? date.slice(0, -5) : date;
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
