import type { Account, MonthUsage, UsageSince } from '../rules/account.js';
import type { Waking } from '../rules/waking.js';
import type { HostWord } from '../types.js';
import type { State, TargetState } from './state-model.js';
import { HOST_SAYS_CODES } from './codes.js';
import { inflate } from './codec/envelope.js';
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
import { VarintReader } from './codec/varint.js';
import { stateHeadV2, STATE_V2_DICTIONARY } from './state-v2.js';
import { targetFieldsV3 } from './state-v3.js';

const usage: Fields<UsageSince> = {
  since: timeRoundedTo(1000),
  wallMs: count,
  cpuMs: count,
  commands: count,
  invocations: count,
  messages: count,
};
const month = record<MonthUsage>({ month: count, ...usage });

/** Version 5 has the same, and the peers behind it. */
export const accountV4: Field<Account | null> = optional(
  record<Account>({
    month,
    otherMonth: optional(month),
    recent: record(usage),
    before: optional(record(usage)),
    toldIn: nullable(count),
  }),
);

export const slotsV4 = list(
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

/** Version 4 of the state had no peers. @throws TextError for what is no state in version 4 */
export function readStateV4(body: string): State {
  const inflated = inflate(body, STATE_V2_DICTIONARY, 'the state');
  const base = asTime(new VarintReader(inflated).number());
  const reader = new VarintReader(inflated, base);
  reader.number();
  const [rest] = stateHeadV2.read(1, reader);
  const [account = null] = accountV4.read(1, reader);
  const [targets] = slotsV4.read(1, reader);
  if (rest === undefined || targets === undefined || !reader.done)
    throw new TextError('the state is too long');
  return { ...rest, account, peers: [], targets };
}
