import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Figures } from '../rules/figures.js';
import { NOTHING } from '../rules/figures.js';
import type { Gaps } from '../rules/gaps.js';
import type { Histogram } from '../rules/histogram.js';
import { EMPTY } from '../rules/histogram.js';
import type { JudgedStatus, Standing } from '../rules/status.js';
import { newcomer } from '../rules/status.js';
import type { Outcome } from '../types.js';
import type { LogHead } from './log.js';
import { TextError } from './text.js';

/** Everything that a run reads and writes back: one text, whatever the number of targets. */
export interface State {
  /** Raised by each commit. */
  readonly revision: number;
  readonly firstRunAt: number;
  /** How often time was taken back, after which marks are written again; absent: never. */
  readonly rewinds?: number;
  readonly lastRun: LastRun | null;
  /** Runs that were missed, latest last. */
  readonly gaps: readonly RunGap[];
  /** From the start of each of the last runs to the start of the next one, whole seconds, oldest first. */
  readonly intervals: readonly number[];
  /** Data that was here before and is gone (its database was emptied, or another one is in use now); null: none is known of. */
  readonly lost: LostData | null;
  readonly log: LogHead;
  /** The last full hour whose figures were marked, counted from the epoch. */
  readonly markedHour: number;
  /** By slot. A slot is a target's place in marks and logs; null: free. */
  readonly targets: readonly (TargetState | null)[];
}

export interface LastRun {
  readonly id: string;
  readonly at: number;
  readonly status: 'completed' | 'partial' | 'inconclusive';
  readonly durationMs: number;
  readonly checked: number;
  readonly failed: number;
  /** Store commands that it cost, its last commit included. */
  readonly commands: number;
}

/** When a run was last heard of: it began then, or recorded something since. */
export function endOf({ at, durationMs }: LastRun): number {
  return at + durationMs;
}

export interface RunGap {
  readonly from: number;
  readonly to: number;
}

/** The time of the data that was lost. */
export interface LostData {
  readonly firstRunAt: number;
  /** When a run was last heard of. */
  readonly lastRunAt: number;
}

export interface TargetState extends Standing {
  readonly id: string;
  readonly addedAt: number;
  /** Since when it is missing from the configuration; its slot is kept until the history holds nothing of it. */
  readonly removedAt: number | null;
  /** Since when it is paused or outside its active hours; null when neither. */
  readonly restingSince: number | null;
  readonly lastCheckAt: number | null;
  readonly lastSuccessAt: number | null;
  /** The last ping that reached the host, unless the target rested since: the next that does ends a gap that began here. */
  readonly awakeFrom: number | null;
  readonly lastStatusCode: number | null;
  /** Of the last check; null when it failed. */
  readonly latency: number | null;
  /** Of the last check; null when it was good. */
  readonly message: string | null;
  readonly lastError: { readonly at: number; readonly message: string } | null;
  readonly tlsExpiresAt: number | null;
  readonly incident: OpenIncident | null;
  /** How many incidents there were, the open one included. */
  readonly incidents: number;
  readonly figures: Figures;
  /** Until when `figures` are counted. */
  readonly countedTo: number;
  /** Latencies of the UTC day of the last check, cold starts left out. */
  readonly latencies: Histogram;
  readonly awakeGaps: Gaps;
  /** Of the last check, whole ms: dns, connect, tls, ttfb; null where a phase did not take place. */
  readonly phases: readonly (number | null)[] | null;
  /** Where the host sleeps: since when it is pinged without a gap as long as its limit and without a cold start; rests apart. */
  readonly awakeSince: number | null;
  /** When it was last found to have slept although it was to be kept awake. */
  readonly sleptAt: number | null;
  /** Pings since `awakeFrom` that we missed: no run came in time, or it did not check everything. */
  readonly pingsMissed: boolean;
  /** The last stretch in which it was paused or missing from the configuration: nothing was expected of it. */
  readonly idle: Stretch | null;
  /** How much of the open incident, or of the failures that may become one, no check speaks for; null: not known, or none. */
  readonly unobserved: Unobserved | null;
  /** The figures before the last long gap in the runs, should it turn out that the clock was wrong; kept for a day of runs. */
  readonly beforeGap: {
    readonly countedTo: number;
    /** When the run was made that found the gap. */
    readonly endedAt: number;
    readonly figures: Figures;
  } | null;
}

/** From (included) to (excluded). */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** In ms, up to `countedTo`. */
export interface Unobserved {
  /** Since the first failed check. */
  readonly total: number;
  /** What it was when the last row of failed or of good checks began: an incident ends with the first of a row. */
  readonly atSeries: number;
}

export interface OpenIncident {
  readonly startedAt: number;
  readonly message: string;
}

export function newTarget(id: string, now: number): TargetState {
  return {
    ...newcomer(now),
    id,
    addedAt: now,
    removedAt: null,
    restingSince: null,
    lastCheckAt: null,
    lastSuccessAt: null,
    awakeFrom: null,
    lastStatusCode: null,
    latency: null,
    message: null,
    lastError: null,
    tlsExpiresAt: null,
    incident: null,
    incidents: 0,
    figures: NOTHING,
    countedTo: now,
    latencies: EMPTY,
    awakeGaps: [],
    phases: null,
    awakeSince: null,
    sleptAt: null,
    pingsMissed: false,
    idle: null,
    unobserved: null,
    beforeGap: null,
  };
}

const VERSION = 1;

type Packed = number | string | null | readonly Packed[];

/** One property of a target as a JSON value. `base` is the time of the last run, `hour` the last marked hour. */
interface Codec<T> {
  readonly write: (value: T, context: Context) => Packed;
  readonly read: (packed: Packed, context: Context) => T;
}

interface Context {
  readonly base: number;
  readonly hour: number;
}

const text: Codec<string> = { write: (value) => value, read: (packed) => asText(packed) };
const count: Codec<number> = { write: (value) => value, read: (packed) => asNumber(packed) };
const flag: Codec<boolean> = { write: (value) => (value ? 1 : 0), read: (packed) => packed === 1 };
const time: Codec<number> = {
  write: (value, { base }) => base - value,
  read: (packed, { base }) => base - asNumber(packed),
};
const optional = <T>(codec: Codec<T>): Codec<T | null> => ({
  write: (value, context) => (value === null ? null : codec.write(value, context)),
  read: (packed, context) => (packed === null ? null : codec.read(packed, context)),
});
/** A column that is not used any more keeps its place. */
const retired: Codec<undefined> = { write: () => 1, read: () => undefined };
const oneOf = <T>(values: readonly T[]): Codec<T> => ({
  write: (value) => values.indexOf(value),
  read: (packed) => {
    const value = values[asNumber(packed)];
    if (value === undefined) throw new TextError('an unknown value in the state');
    return value;
  },
});

const packedFigures: Codec<Figures> = {
  write: ({ pings, failures, expected, observed, good, coldStarts }) => [
    pings,
    failures,
    expected,
    expected - observed,
    observed - good,
    coldStarts,
  ],
  read: (packed) => {
    const [pings = 0, failures = 0, expected = 0, missed = 0, bad = 0, coldStarts = 0] = asNumbers(packed);
    const observed = expected - missed;
    return { pings, failures, expected, observed, good: observed - bad, coldStarts };
  },
};

/** In the order in which they are written; what a text does not hold yet reads as a new target's. */
const COLUMNS: { readonly [K in keyof TargetState]: Codec<TargetState[K]> } & {
  readonly counted: Codec<undefined>;
} = {
  id: text,
  addedAt: time,
  removedAt: optional(time),
  restingSince: optional(time),
  status: oneOf<JudgedStatus>(['pending', 'up', 'degraded', 'down']),
  since: time,
  lastOutcome: optional(oneOf<Outcome>(['good', 'degraded', 'failed'])),
  consecutiveFailures: count,
  consecutiveSuccesses: count,
  streak: count,
  seriesAt: optional(time),
  lastCheckAt: optional(time),
  lastSuccessAt: optional(time),
  awakeFrom: optional(time),
  lastStatusCode: optional(count),
  latency: optional(count),
  message: optional(text),
  lastError: optional({
    write: ({ at, message }, context) => [time.write(at, context), message],
    read: (packed, context) => {
      const [at, message] = asList(packed);
      return { at: time.read(at ?? null, context), message: asText(message ?? null) };
    },
  }),
  tlsExpiresAt: optional({
    write: (value) => Math.round(value / 1000),
    read: (packed) => asNumber(packed) * 1000,
  }),
  incident: optional({
    write: ({ startedAt, message }, context) => [time.write(startedAt, context), message],
    read: (packed, context) => {
      const [startedAt, message] = asList(packed);
      return { startedAt: time.read(startedAt ?? null, context), message: asText(message ?? null) };
    },
  }),
  incidents: count,
  countedTo: time,
  counted: retired,
  figures: packedFigures,
  latencies: {
    write: (histogram) => flattenHistogram(histogram),
    read: (packed) => unflattenHistogram(asNumbers(packed)),
  },
  awakeGaps: {
    write: (gaps, { hour: now }) => gaps.flatMap(({ hour, length }) => [now - hour, length]),
    read: (packed, { hour: now }) =>
      pairs(asNumbers(packed)).map(([ago, length]) => ({ hour: now - ago, length })),
  },
  phases: optional({
    write: (phases) => phases,
    read: (packed) => asList(packed).map((phase) => (phase === null ? null : asNumber(phase))),
  }),
  awakeSince: optional(time),
  sleptAt: optional(time),
  pingsMissed: flag,
  idle: optional({
    write: ({ from, to }, context) => [time.write(from, context), time.write(to, context)],
    read: (packed, context) => {
      const [from, to] = asList(packed);
      return { from: time.read(from ?? null, context), to: time.read(to ?? null, context) };
    },
  }),
  unobserved: optional({
    write: ({ total, atSeries }) => [total, atSeries],
    read: (packed) => {
      const [total = 0, atSeries = 0] = asNumbers(packed);
      return { total, atSeries };
    },
  }),
  beforeGap: optional({
    write: ({ countedTo, endedAt, figures }, context) => [
      time.write(countedTo, context),
      time.write(endedAt, context),
      packedFigures.write(figures, context),
    ],
    read: (packed, context) => {
      const [countedTo, endedAt, figures] = asList(packed);
      return {
        countedTo: time.read(countedTo ?? null, context),
        endedAt: time.read(endedAt ?? null, context),
        figures: packedFigures.read(figures ?? null, context),
      };
    },
  }),
};
const NAMES = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];

/**
 * What most states hold: deflate refers to it instead of repeating it, which halves the state of a few targets.
 * A text can be read only with the dictionary that it was written with: change it with VERSION, never alone.
 */
const dictionary = Buffer.from(
  ',"request timed out","connection refused","connection reset","name not found","certificate has expired"' +
    ',"status 404, expected 200-299","status 500, expected 200-299","status 502, expected 200-299","status 503, expected 200-299"' +
    ',[[0,60000,1,3600000]],[[39,38,1,74,1,18],[1000,0,60000000,0,0,0]],[1],[0],[0],[1800000000],[null],[null],[null],[200],[0],[0],[0]' +
    '[1,{"revision":100,"firstRunAt":1760000000000,"lastRun":{"id":"","at":1760000000000,"status":"partial","inconclusive","completed"' +
    ',"durationMs":100,"checked":1,"failed":0},"gaps":[{"from":1760000000000,"to":1760000000000}],"log":{"span":245000,"offset":1000' +
    ',"lastUnit":7000000000,"lastWidth":1},"markedHour":490000},[["api"],[60000],[null],[null],[1],[60000],[0],[0],[10],[10],[60000],[0],[0],[0],[200]',
);

/**
 * The text form: JSON in which each property of the targets is one column (so that equal things stand side by side)
 * and times are distances from the last run, deflated, in base64.
 */
export function writeState(state: State): string {
  const { targets, lost, ...rest } = state;
  const head = lost === null ? rest : { ...rest, lost };
  const context = { base: head.lastRun?.at ?? head.firstRunAt, hour: head.markedHour };
  const columns = NAMES.map((name) => {
    const { write } = COLUMNS[name] as Codec<unknown>;
    return targets.map((target) =>
      target === null ? null : write(name === 'counted' ? undefined : target[name], context),
    );
  });
  const json = JSON.stringify([VERSION, head, columns]);
  // Level 9 takes three times as long to save two hundredths.
  return deflateRawSync(json, { level: 7, dictionary }).toString('base64');
}

/** Throws a TextError for what `writeState` did not write. */
export function readState(source: string): State {
  const [version, head, columns] = parse(source);
  if (version !== VERSION) throw new TextError('the state was written by another version of Keepalive');
  const context = { base: head.lastRun?.at ?? head.firstRunAt, hour: head.markedHour };
  const ids = asList(columns[0] ?? []);
  const fresh = newTarget('', context.base);
  const targets = ids.map((id): Record<string, unknown> | null => (id === null ? null : { ...fresh }));
  for (const [index, name] of NAMES.entries()) {
    const column = columns[index];
    if (column === undefined || name === 'counted') continue;
    const { read } = COLUMNS[name];
    const values = asList(column);
    for (const [slot, target] of targets.entries()) {
      if (target !== null) target[name] = read(values[slot] ?? null, context);
    }
  }
  const complete = { ...head, intervals: head.intervals ?? [], lost: head.lost ?? null };
  return { ...complete, targets: targets as unknown as (TargetState | null)[] };
}

/** What a text holds; those of earlier versions lack what was added since. */
type StoredHead = Omit<State, 'targets' | Added> & Partial<Pick<State, Added>>;
type Added = 'intervals' | 'lost';

function parse(source: string): [number, StoredHead, readonly Packed[]] {
  try {
    const json: unknown = JSON.parse(
      inflateRawSync(Buffer.from(source, 'base64'), { dictionary }).toString(),
    );
    if (Array.isArray(json) && json.length === 3) return json as [number, StoredHead, Packed[]];
  } catch (cause) {
    throw new TextError('the state is not readable', { cause });
  }
  throw new TextError('the state is not readable');
}

/** Ascending buckets as distances, each followed by its count. */
export function flattenHistogram(histogram: Histogram): number[] {
  let previous = 0;
  return [...histogram]
    .sort(([a], [b]) => a - b)
    .flatMap(([bucket, observed]) => {
      const distance = bucket - previous;
      previous = bucket;
      return [distance, observed];
    });
}

export function unflattenHistogram(flat: readonly number[]): Histogram {
  const histogram = new Map<number, number>();
  let bucket = 0;
  for (let i = 0; i + 1 < flat.length; i += 2) {
    bucket += flat[i] ?? 0;
    histogram.set(bucket, flat[i + 1] ?? 0);
  }
  return histogram;
}

function pairs(flat: readonly number[]): [number, number][] {
  return Array.from({ length: Math.floor(flat.length / 2) }, (_, i) => [
    flat[2 * i] ?? 0,
    flat[2 * i + 1] ?? 0,
  ]);
}

function asNumber(packed: Packed): number {
  if (typeof packed !== 'number') throw new TextError('a number is missing in the state');
  return packed;
}

function asText(packed: Packed): string {
  if (typeof packed !== 'string') throw new TextError('a text is missing in the state');
  return packed;
}

function asList(packed: Packed): readonly Packed[] {
  if (typeof packed !== 'object' || packed === null) throw new TextError('a list is missing in the state');
  return packed;
}

function asNumbers(packed: Packed): number[] {
  return asList(packed).map(asNumber);
}
