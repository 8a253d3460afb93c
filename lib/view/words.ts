import type { Freshness, TargetStats } from '../read/views.js';
import type { Status } from '../types.js';
import { lengthInWords } from '../rules/durations.js';

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

type ShownStatus = Pick<TargetStats, 'status' | 'lastKnownStatus' | 'maintenance'>;

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
  freshness: Freshness,
  targets: readonly (Pick<TargetStats, 'name'> & ShownStatus)[],
): OverallStatus {
  const shown = targets.map(shownStatus);
  const count = (status: Shown): number => shown.filter((each) => each === status).length;
  const who = (status: Shown): string => {
    const those = targets.filter((_, i) => shown[i] === status);
    const [first] = those;
    return first !== undefined && those.length === 1
      ? first.name
      : `${those.length} of ${targets.length} services`;
  };
  const rest = (['degraded', 'maintenance', 'pending', 'sleeping', 'paused'] as const)
    .filter((status) => count(status) > 0)
    .map((status) => `${count(status)} ${LABELS[status].toLowerCase()}`);
  const verdict = (mood: Mood, sentence: string): OverallStatus => {
    const told =
      mood === 'down' || mood === 'up' ? rest : rest.filter((text) => !text.endsWith(labelOf(mood)));
    return { mood, sentence, remark: told.length === 0 ? null : told.join(', ') };
  };
  const { isStale, lastRunAt, updatedAt, lost } = freshness;
  if (lastRunAt === null && lost !== null) {
    return { mood: 'unknown', sentence: 'The recorded data is gone', remark: null };
  }
  if (isStale && lastRunAt !== null) {
    const since = lengthInWords(Date.parse(updatedAt) - Date.parse(lastRunAt));
    return { mood: 'unknown', sentence: `Nothing was checked for ${since}`, remark: null };
  }
  if (count('down') > 0) {
    return verdict('down', `${who('down')} ${count('down') === 1 ? 'is' : 'are'} down`);
  }
  if (count('degraded') > 0) {
    return verdict('degraded', `${who('degraded')} ${count('degraded') === 1 ? 'is' : 'are'} degraded`);
  }
  if (count('up') > 0) {
    const all = count('up') === targets.length;
    if (targets.length === 1) return verdict('up', `${who('up')} is up`);
    return verdict('up', all ? `All ${targets.length} services are up` : 'All active services are up');
  }
  if (count('maintenance') > 0) return verdict('maintenance', 'Maintenance is under way');
  if (count('pending') > 0) return verdict('pending', 'Waiting for the first checks');
  if (count('sleeping') > 0) return verdict('sleeping', 'Outside active hours');
  return verdict('paused', 'Everything is paused');
}

function labelOf(mood: Mood): string {
  return mood === 'unknown' ? '' : LABELS[mood].toLowerCase();
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

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
