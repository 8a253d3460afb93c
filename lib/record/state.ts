import type { Account, MonthUsage, UsageSince } from '../rules/account.js';
import type { Waking } from '../rules/waking.js';
import type { State, TargetState } from './state-model.js';
import type { HostWord } from '../types.js';
import { HOST_SAYS_CODES } from './codes.js';
import { deflate, inflate, readEnvelope, writeEnvelope } from './codec/envelope.js';
import {
  code,
  count,
  list,
  nullable,
  optional,
  record,
  text,
  time,
  timeRoundedTo,
  type Field,
  type Fields,
} from './codec/field-codecs.js';
import { asTime } from './codec/json.js';
import { TextError } from './codec/text-error.js';
import { VarintReader, VarintWriter } from './codec/varint.js';
import { migrateState, readStateV1 } from './state-v1.js';
import { readStateV2, stateHeadV2, STATE_V2_DICTIONARY } from './state-v2.js';
import { readStateV3, targetFieldsV3 } from './state-v3.js';

/** Of the format of the state. Versions 1 to 3 are read in state-v1.ts, state-v2.ts and state-v3.ts. */
const VERSION = 4;

const usage: Fields<UsageSince> = {
  since: timeRoundedTo(1000),
  wallMs: count,
  cpuMs: count,
  commands: count,
  invocations: count,
  messages: count,
};
const month = record<MonthUsage>({ month: count, ...usage });

const account: Field<Account | null> = optional(
  record<Account>({
    month,
    otherMonth: optional(month),
    recent: record(usage),
    before: optional(record(usage)),
    toldIn: nullable(count),
  }),
);

const slots = list(
  optional(
    record<TargetState>({
      ...targetFieldsV3,
      waking: optional(record<Waking>({ since: time, attempts: count, lastAt: time })),
      hostWord: optional(
        record<HostWord>({
          at: time,
          says: code(HOST_SAYS_CODES, 'word of a host'),
          message: optional(text),
        }),
      ),
    }),
  ),
);

/**
 * The state is the envelope with the version (codec/envelope.ts), then deflated text in base64. That text is varints: the
 * base (when the last run began, before it the first; in ms since the epoch), then the fields of `stateHeadV2`, `account`
 * and `slots` as codec/field-codecs.ts describes them, in the order in which they stand.
 */
export function writeState({ targets, account: counted, ...rest }: State): string {
  const out = new VarintWriter(rest.lastRun?.at ?? rest.firstRunAt);
  out.number(out.base);
  stateHeadV2.write([rest], out);
  account.write([counted], out);
  slots.write([targets], out);
  return writeEnvelope(VERSION, deflate(out.text, STATE_V2_DICTIONARY));
}

/** @throws TextError for what `writeState` did not write */
export function readState(source: string): State {
  const { version, body } = readEnvelope(source, 'the state', VERSION);
  if (version === 1) return migrateState(readStateV1(body));
  if (version === 2) return readStateV2(body);
  if (version === 3) return readStateV3(body);
  const inflated = inflate(body, STATE_V2_DICTIONARY, 'the state');
  const base = asTime(new VarintReader(inflated).number());
  const reader = new VarintReader(inflated, base);
  reader.number();
  const [rest] = stateHeadV2.read(1, reader);
  const [counted = null] = account.read(1, reader);
  const [targets] = slots.read(1, reader);
  if (rest === undefined || targets === undefined || !reader.done)
    throw new TextError('the state is too long');
  return { ...rest, account: counted, targets };
}
