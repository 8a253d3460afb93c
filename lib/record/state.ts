import type { Counters } from '../rules/counters.js';
import type { State, TargetState } from './state-model.js';
import { OUTCOME_CODES, STATUS_CODES } from './codes.js';
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
import { readStateV2, stateHead, STATE_V2_DICTIONARY } from './state-v2.js';

/** Of the format of the state. Versions 1 and 2 are read in state-v1.ts and state-v2.ts. */
const VERSION = 3;
const HOUR = 3_600_000;

const counters = mapped(
  record({
    pings: count,
    failures: count,
    expected: whole,
    missed: whole,
    bad: whole,
    coldStarts: count,
    awake: count,
    slept: count,
  }),
  ({ observed, good, expected, ...rest }: Counters) => ({
    ...rest,
    expected,
    missed: expected - observed,
    bad: observed - good,
  }),
  ({ missed, bad, expected, ...rest }): Counters => {
    const observed = expected - missed;
    return { ...rest, expected, observed, good: observed - bad };
  },
);

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
  provenAt: nullable(time),
  awakeSince: nullable(time),
  brokenAt: nullable(time),
  asleepAt: nullable(time),
  sleptAt: nullable(time),
  pingsMissed: flag,
  idle: optional(record({ from: time, to: time })),
  unobserved: optional(record({ total: count, atSeries: count })),
  beforeGap: optional(record({ countedTo: time, endedAt: time, counters })),
});

const slots = list(optional(target));

/**
 * The state is the envelope with the version (codec/envelope.ts), then deflated text in base64. That text is varints: the
 * base (when the last run began, before it the first; in ms since the epoch), then the fields of `stateHead` and `slots` as
 * codec/fields.ts describes them, in the order in which they stand here.
 */
export function writeState({ targets, ...rest }: State): string {
  const out = new VarintWriter(rest.lastRun?.at ?? rest.firstRunAt);
  out.number(out.base);
  stateHead.write([rest], out);
  slots.write([targets], out);
  return writeEnvelope(VERSION, deflate(out.text, STATE_V2_DICTIONARY));
}

/** @throws TextError for what `writeState` did not write */
export function readState(source: string): State {
  const { version, body } = readEnvelope(source, 'the state', VERSION);
  if (version === 1) return migrateState(readStateV1(body));
  if (version === 2) return readStateV2(body);
  const inflated = inflate(body, STATE_V2_DICTIONARY, 'the state');
  const base = asTime(new VarintReader(inflated).number());
  const reader = new VarintReader(inflated, base);
  reader.number();
  const [rest] = stateHead.read(1, reader);
  const [targets] = slots.read(1, reader);
  if (rest === undefined || targets === undefined || !reader.done)
    throw new TextError('the state is too long');
  return { ...rest, targets };
}
