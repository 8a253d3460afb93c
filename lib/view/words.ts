import type { Freshness, TargetStats } from '../read/views.js';
import type { Status } from '../types.js';
import type { Cause } from './causes.js';
import type { Words } from './language.js';

/** What a reader sees of a target's status: maintenance lies over what the checks say. */
export type Shown = Status | 'maintenance';

/** In the order of the filter. */
export const SHOWN: readonly Shown[] = Object.keys({
  up: true,
  degraded: true,
  down: true,
  pending: true,
  paused: true,
  sleeping: true,
  maintenance: true,
} satisfies Record<Shown, true>) as Shown[];

/** Where runs have stopped, what was shown then. */
export function shownStatus({ status, lastKnownStatus, maintenance }: ShownStatus): Shown {
  const last = lastKnownStatus ?? status;
  return maintenance === null || last === 'paused' || last === 'sleeping' ? last : 'maintenance';
}

export type ShownStatus = Pick<TargetStats, 'status' | 'lastKnownStatus' | 'maintenance' | 'unread'>;

/** `unknown`: nothing can be said, because nothing was checked lately, or what was found cannot be read. */
export type Mood = Shown | 'unknown';

/** What its sign and colour say. */
export function targetMood(target: ShownStatus): Mood {
  const isKnown = target.lastKnownStatus === null && target.unread !== true;
  return isKnown ? shownStatus(target) : 'unknown';
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
  { isStale, lastRunAt, updatedAt, lost, unread = 0 }: Freshness,
  all: readonly (Pick<TargetStats, 'name'> & ShownStatus)[],
  words: Words,
): OverallStatus {
  if (lastRunAt === null && lost !== null) {
    return { mood: 'unknown', sentence: words.text('lost'), remark: null };
  }
  if (isStale && lastRunAt !== null) {
    const length = words.length(Date.parse(updatedAt) - Date.parse(lastRunAt));
    return { mood: 'unknown', sentence: words.text('stale', { length }), remark: null };
  }
  const targets = all.filter((target) => target.unread !== true);
  const those = new Map<Shown, { readonly name: string }[]>();
  for (const target of targets) {
    const status = shownStatus(target);
    const its = those.get(status) ?? [];
    its.push(target);
    those.set(status, its);
  }
  const mood = LEADING.find((status) => those.has(status)) ?? 'paused';
  const rest = LEADING.filter((status) => status !== mood && status !== 'up')
    .map((status) => [status, those.get(status)?.length ?? 0] as const)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => words.text(`count.${status}`, { count }));
  if (unread > 0) {
    const sentence = words.text('unread', { count: unread });
    // What cannot be read may be down.
    if (mood !== 'down' && mood !== 'degraded') return { mood: 'unknown', sentence, remark: null };
    rest.push(sentence);
  }
  return {
    mood,
    sentence: sentenceOf(mood, those.get(mood) ?? [], { total: all.length, words }),
    remark: rest.length === 0 ? null : rest.join(', '),
  };
}

/** The state that the sentence is about is the first of these that any target is in. */
const LEADING: readonly Shown[] = ['down', 'degraded', 'up', 'maintenance', 'pending', 'sleeping', 'paused'];

function sentenceOf(
  mood: Shown,
  those: readonly { readonly name: string }[],
  { total, words }: { readonly total: number; readonly words: Words },
): string {
  const count = those.length;
  const name = those[0]?.name ?? '';
  switch (mood) {
    case 'down':
      if (count === 1) return words.text('oneDown', { name });
      return count === total ? words.text('allDown', { total }) : words.text('severalDown', { count, total });
    case 'degraded':
      return count === 1 ? words.text('oneDegraded', { name }) : words.text('severalDegraded');
    case 'up':
      return words.text(count === total ? 'allUp' : 'restUp');
    case 'maintenance':
    case 'pending':
    case 'sleeping':
    case 'paused':
      return words.text(mood);
  }
}

/** `Returned an error (503)` */
export function causeInWords({ kind, status }: Cause, words: Words): string {
  return words.text(`cause.${kind}`, { status: status ?? '' });
}

const NAMED = 6;

/** `API, Search`, `API, Search and 12 more services`, `All services` */
export function namesInWords(names: readonly string[], isAll: boolean, words: Words): string {
  if (isAll && names.length > 1) return words.text('everything');
  const count = names.length - NAMED;
  const named = names.slice(0, NAMED).join(', ');
  return count <= 0 ? named : `${named} ${words.text('moreServices', { count })}`;
}

/** A ratio that rests on less than half of the time is shown without colour and with its coverage. */
export function restsOnLittle(coverage: number | null): boolean {
  return coverage !== null && coverage < 0.5;
}

/** So many latencies at least, for a percentile to be more than the slowest of them, and a median more than chance. */
const SAMPLES = { p50: 10, p95: 20, p99: 100 } as const;

/** `of 3 checks`, where a percentile rests on few; null where it does not, or nothing was measured. */
export function fewSamples(name: keyof typeof SAMPLES, count: number, words: Words): string | null {
  return count === 0 || count >= SAMPLES[name] ? null : words.text('fewSamples', { count });
}
