import type { Counters } from '../rules/counters.js';
import type { State, TargetState } from './state-model.js';
import { OUTCOME_CODES, STATUS_CODES } from './codes.js';
import { inflate } from './codec/envelope.js';
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
  type Fields,
} from './codec/field-codecs.js';
import { histogramField } from './codec/histogram-codec.js';
import { asTime } from './codec/json.js';
import { TextError } from './codec/text-error.js';
import { VarintReader } from './codec/varint.js';
import { stateHeadV2, STATE_V2_DICTIONARY } from './state-v2.js';

const HOUR = 3_600_000;

/** Version 3 of the state had no account, and a wake ended with its run. */
type TargetStateV3 = Omit<TargetState, 'waking' | 'hostWord'>;

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

/** Versions 4 and 5 have them too, and others behind them. */
export const targetFieldsV3: Fields<TargetStateV3> = {
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
};

const slots = list(optional(record<TargetStateV3>(targetFieldsV3)));

/** @throws TextError for what is no state in version 3 */
export function readStateV3(body: string): State {
  const inflated = inflate(body, STATE_V2_DICTIONARY, 'the state');
  const base = asTime(new VarintReader(inflated).number());
  const reader = new VarintReader(inflated, base);
  reader.number();
  const [rest] = stateHeadV2.read(1, reader);
  const [targets] = slots.read(1, reader);
  if (rest === undefined || targets === undefined || !reader.done)
    throw new TextError('the state is too long');
  return {
    ...rest,
    account: null,
    peers: [],
    targets: targets.map((each) => each && { ...each, waking: null, hostWord: null }),
  };
}
