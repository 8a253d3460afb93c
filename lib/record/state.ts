import type { Figures } from '../rules/figures.js';
import { NOTHING } from '../rules/figures.js';
import type { Gaps } from '../rules/gaps.js';
import type { Histogram } from '../rules/histogram.js';
import { EMPTY } from '../rules/histogram.js';
import type { StatusState } from '../rules/status.js';
import { newcomer } from '../rules/status.js';
import type { LogHead } from './log.js';
import { RUN_CODES, OUTCOME_CODES, STATUS_CODES } from './codes.js';
import { deflate, inflate, readEnvelope, writeEnvelope } from './codec/envelope.js';
import {
  code,
  count,
  flag,
  list,
  mapped,
  nullable,
  optional,
  record,
  text,
  time,
  timeIn,
  timeRoundedTo,
  whole,
  type Field,
} from './codec/fields.js';
import { histogramField } from './codec/histogram.js';
import { asTime } from './codec/json.js';
import { TextError } from './codec/text-error.js';
import { VarintReader, VarintWriter } from './codec/varint.js';
import { migrateState, readStateV1 } from './state-v1.js';

/** Everything that a run reads and writes back: one text, whatever the number of targets. */
export interface State {
  /** Raised by each commit. */
  readonly revision: number;
  readonly firstRunAt: number;
  /** How often time was taken back, after which marks are written again. */
  readonly rewinds: number;
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

export interface TargetState extends StatusState {
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

/** Of the format of the state. Version 1 is read in state-v1.ts. */
const VERSION = 2;
const HOUR = 3_600_000;
/** The logs count time in quarters of a second. */
const LOG_UNIT = 250;

const figures = mapped(
  record({ pings: count, failures: count, expected: whole, missed: whole, bad: whole, coldStarts: count }),
  ({ pings, failures, expected, observed, good, coldStarts }: Figures) => ({
    ...{ pings, failures, expected, coldStarts },
    missed: expected - observed,
    bad: observed - good,
  }),
  ({ pings, failures, expected, missed, bad, coldStarts }): Figures => {
    const observed = expected - missed;
    return { pings, failures, expected, observed, good: observed - bad, coldStarts };
  },
);

const head: Field<Omit<State, 'targets'>> = record<Omit<State, 'targets'>>({
  revision: count,
  firstRunAt: time,
  rewinds: count,
  lastRun: optional(
    record<LastRun>({
      id: text,
      at: time,
      status: code(RUN_CODES, 'run status'),
      durationMs: count,
      checked: count,
      failed: count,
      commands: count,
    }),
  ),
  gaps: list(record<RunGap>({ from: time, to: time })),
  intervals: list(count),
  lost: optional(record<LostData>({ firstRunAt: time, lastRunAt: time })),
  log: record<LogHead>({
    version: count,
    span: whole,
    offset: count,
    lastUnit: timeIn(LOG_UNIT),
    lastWidth: nullable(count),
    pending: text,
  }),
  markedHour: timeIn(HOUR),
});

const target: Field<TargetState> = record<TargetState>({
  id: text,
  addedAt: time,
  removedAt: nullable(time),
  restingSince: nullable(time),
  status: code(STATUS_CODES, 'status'),
  since: time,
  lastOutcome: nullable(code(OUTCOME_CODES, 'outcome')),
  consecutiveFailures: count,
  consecutiveSuccesses: count,
  streak: count,
  seriesAt: nullable(time),
  lastCheckAt: nullable(time),
  lastSuccessAt: nullable(time),
  awakeFrom: nullable(time),
  lastStatusCode: nullable(count),
  latency: nullable(count),
  message: optional(text),
  lastError: optional(record({ at: time, message: text })),
  tlsExpiresAt: nullable(timeRoundedTo(1000)),
  incident: optional(record({ startedAt: time, message: text })),
  incidents: count,
  figures,
  countedTo: time,
  latencies: histogramField,
  awakeGaps: list(record({ hour: timeIn(HOUR), length: count })),
  phases: optional(list(nullable(count))),
  awakeSince: nullable(time),
  sleptAt: nullable(time),
  pingsMissed: flag,
  idle: optional(record({ from: time, to: time })),
  unobserved: optional(record({ total: count, atSeries: count })),
  beforeGap: optional(record({ countedTo: time, endedAt: time, figures })),
});

const slots = list(optional(target));

/**
 * What many states of a few targets hold: deflate refers to it instead of repeating it. A text can be read only with the
 * dictionary that it was written with: change it with VERSION, never alone.
 */
export const STATE_DICTIONARY = Buffer.from(
  'certificate has expired name not found connection reset connection refused request timed out status ' +
    '404, expected 200-299 status 502, expected 200-299 status 500, expected 200-299 status 503, expected' +
    ' 200-299wt]jXkR&]%ozp~%!#$00000000-0000-4000-8000-000000000000!!!$#)!6_#_#_#_#_#_#_#_#_#_#_#_#_#_#_#' +
    "_#_#_#_#_#!$}QR'~+!%!!$##%(webworkerozp~%ozp~%!!!!%#uw{&ozp~%%#)!!]%)]%Y]c)pzp~%##z}m*#z}m*#},b&!p##" +
    '!>status 503, expected 200-299#!!>status 503, expected 200-299g~v^%g~v^%#!X]c)>status 503, expected ' +
    "200-299#!]%]%)!ozp~%ozp~%!!X]c)!!!!!--I##########I##########'+,/001547'',,.211767'##!!aa>aa>##&&!!!!" +
    "%+8a#pzp~%pzp~%!!!!!!#!!!!!ZjTZYkR&a&ee``'!#$00000000-0000-4000-8000-000000000000!!!#!)!6_#_#_#_#_#_" +
    "#_#_#_#_#_#_#_#_#_#_#_#_#_#_#!$PRR'h#!$!!##%apiee``'!!#ee``'#!a&a&fe``'###b&X#!!RWt^%!!a&!ee``'!!!!-" +
    "I##########)/04566<<@)#!aa>#&%+8`#fe``'!!!!!",
);

/**
 * The state is the envelope with the version (codec/envelope.ts), then deflated text in base64. That text is varints: the
 * base (when the last run began, before it the first; in ms since the epoch), then the fields of `head` and `slots` as
 * codec/fields.ts describes them, in the order in which they stand here.
 */
export function writeState({ targets, ...rest }: State): string {
  const out = new VarintWriter(rest.lastRun?.at ?? rest.firstRunAt);
  out.number(out.base);
  head.write([rest], out);
  slots.write([targets], out);
  return writeEnvelope(VERSION, deflate(out.text, STATE_DICTIONARY));
}

/** @throws TextError for what `writeState` did not write */
export function readState(source: string): State {
  const { version, body } = readEnvelope(source, 'the state', VERSION);
  if (version === 1) return migrateState(readStateV1(body));
  const inflated = inflate(body, STATE_DICTIONARY, 'the state');
  const base = asTime(new VarintReader(inflated).number());
  const reader = new VarintReader(inflated, base);
  reader.number();
  const [rest] = head.read(1, reader);
  const [targets] = slots.read(1, reader);
  if (rest === undefined || targets === undefined || !reader.done)
    throw new TextError('the state is too long');
  return { ...rest, targets };
}
