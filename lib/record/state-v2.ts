import type { Counters } from '../rules/counters.js';
import type { LastRun, LogHead, LostData, RunGap, State, TargetState } from './state-model.js';
import { RUN_CODES, OUTCOME_CODES, STATUS_CODES } from './codes.js';
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
  type Field,
} from './codec/field-codecs.js';
import { histogramField } from './codec/histogram-codec.js';
import { asTime } from './codec/json.js';
import { TextError } from './codec/text-error.js';
import { VarintReader } from './codec/varint.js';

const HOUR = 3_600_000;
/** The logs count time in quarters of a second. */
const LOG_UNIT = 250;

/** Version 2 of the state did not ask who answered, and did not count the time in which a host was awake. */
type CountersV2 = Omit<Counters, 'awake' | 'slept'>;

interface TargetStateV2 extends Omit<
  TargetState,
  'counters' | 'beforeGap' | 'provenAt' | 'brokenAt' | 'asleepAt' | 'waking' | 'hostWord'
> {
  readonly counters: CountersV2;
  readonly beforeGap: {
    readonly countedTo: number;
    readonly endedAt: number;
    readonly counters: CountersV2;
  } | null;
}

const counters = mapped(
  record({ pings: count, failures: count, expected: whole, missed: whole, bad: whole, coldStarts: count }),
  ({ pings, failures, expected, observed, good, coldStarts }: CountersV2) => ({
    ...{ pings, failures, expected, coldStarts },
    missed: expected - observed,
    bad: observed - good,
  }),
  ({ pings, failures, expected, missed, bad, coldStarts }): CountersV2 => {
    const observed = expected - missed;
    return { pings, failures, expected, observed, good: observed - bad, coldStarts };
  },
);

type HeadV2 = Omit<State, 'targets' | 'account' | 'peers'>;

/** Later versions have the same, and since version 4 an account behind it. */
export const stateHeadV2: Field<HeadV2> = record<HeadV2>({
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

const target: Field<TargetStateV2> = record<TargetStateV2>({
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

/** Versions 3 and 4 are written with it too. */
export const STATE_V2_DICTIONARY = Buffer.from(
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

/** @throws TextError for what is no state in version 2 */
export function readStateV2(body: string): State {
  const inflated = inflate(body, STATE_V2_DICTIONARY, 'the state');
  const base = asTime(new VarintReader(inflated).number());
  const reader = new VarintReader(inflated, base);
  reader.number();
  const [rest] = stateHeadV2.read(1, reader);
  const [targets] = slots.read(1, reader);
  if (rest === undefined || targets === undefined || !reader.done)
    throw new TextError('the state is too long');
  return { ...rest, account: null, peers: [], targets: targets.map((each) => each && migrated(each)) };
}

/** It did not ask who answered: where the rules of the host let an answer prove anything, it took each for the app's own. */
function migrated({ counters, beforeGap, ...target }: TargetStateV2): TargetState {
  return {
    ...target,
    counters: withAwake(counters),
    beforeGap: beforeGap && { ...beforeGap, counters: withAwake(beforeGap.counters) },
    provenAt: target.awakeFrom,
    brokenAt: null,
    asleepAt: null,
    waking: null,
    hostWord: null,
  };
}

/** Version 2 did not count it. */
function withAwake(counters: CountersV2): Counters {
  return { ...counters, awake: 0, slept: 0 };
}
