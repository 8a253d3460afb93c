import type { Counters } from '../rules/counters.js';
import type { LastRun, LogHead, LostData, RunGap, State, TargetState } from './state-model.js';
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
} from './codec/field-codecs.js';
import { histogramField } from './codec/histogram-codec.js';
import { asTime } from './codec/json.js';
import { TextError } from './codec/text-error.js';
import { VarintReader, VarintWriter } from './codec/varint.js';
import { migrateState, readStateV1 } from './state-v1.js';

/** Of the format of the state. Version 1 is read in state-v1.ts. */
const VERSION = 2;
const HOUR = 3_600_000;
/** The logs count time in quarters of a second. */
const LOG_UNIT = 250;

const counters = mapped(
  record({ pings: count, failures: count, expected: whole, missed: whole, bad: whole, coldStarts: count }),
  ({ pings, failures, expected, observed, good, coldStarts }: Counters) => ({
    ...{ pings, failures, expected, coldStarts },
    missed: expected - observed,
    bad: observed - good,
  }),
  ({ pings, failures, expected, missed, bad, coldStarts }): Counters => {
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
  snapshotHour: timeIn(HOUR),
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
  counters,
  countedTo: time,
  latencies: histogramField,
  awakeGaps: list(record({ hour: timeIn(HOUR), length: count })),
  phases: optional(list(nullable(count))),
  awakeSince: nullable(time),
  sleptAt: nullable(time),
  pingsMissed: flag,
  idle: optional(record({ from: time, to: time })),
  unobserved: optional(record({ total: count, atSeries: count })),
  beforeGap: optional(record({ countedTo: time, endedAt: time, counters })),
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
