import type { ChannelRecord, DeliveredPart, JointRecord } from '../rules/joint-delivery.js';
import type { ChannelName } from '../types.js';
import { deflate, inflate, readEnvelope, writeEnvelope } from './codec/envelope.js';
import { count, list, mapped, optional, record, text, time } from './codec/field-codecs.js';
import { asTime } from './codec/json.js';
import { TextError } from './codec/text-error.js';
import { VarintReader, VarintWriter } from './codec/varint.js';
import { channel, moved, trouble } from './outbox-text.js';

/** Of the format of the record. */
const VERSION = 2;
const WHAT = 'the record of deliveries';
const DICTIONARY = Buffer.alloc(0);

/** Ids of alerts of one run end with their numbers in it, and stand together: thousands of them take little room. */
interface RunIds {
  /** What stands before the number and its hyphen; a whole id where there are no numbers. */
  readonly run: string;
  readonly numbers: readonly number[];
}

const ids = mapped(
  list(record<RunIds>({ run: text, numbers: list(count) })),
  (all: readonly string[]) => {
    const byRun = new Map<string, number[]>();
    const others: RunIds[] = [];
    for (const id of all) {
      const [, run, number] = /^(.*)-(0|[1-9]\d{0,8})$/s.exec(id) ?? [];
      if (run === undefined) {
        others.push({ run: id, numbers: [] });
        continue;
      }
      const numbers = byRun.get(run) ?? [];
      byRun.set(run, numbers);
      numbers.push(Number(number));
    }
    return [...[...byRun].map(([run, numbers]) => ({ run, numbers })), ...others];
  },
  (runs) =>
    runs.flatMap(({ run, numbers }) =>
      numbers.length === 0 ? run : numbers.map((number) => `${run}-${number}`),
    ),
);

const rows = list(
  record<ChannelRecord & { readonly channel: ChannelName }>({
    channel,
    attemptedAt: time,
    trouble: optional(trouble),
    moved: optional(moved),
    delivered: list(record<DeliveredPart>({ shard: count, ids, undelivered: count })),
  }),
);

/**
 * The envelope with the version (codec/envelope.ts), then deflated text in base64. That text is varints: the base (`now`,
 * in ms since the epoch), then a row for each channel, as codec/field-codecs.ts describes it.
 */
export function writeJointRecord(value: JointRecord, now: number): string {
  const out = new VarintWriter(now);
  out.number(now);
  const entries = Object.entries(value) as [ChannelName, ChannelRecord][];
  rows.write([entries.map(([name, known]) => ({ ...known, channel: name }))], out);
  return writeEnvelope(VERSION, deflate(out.text, DICTIONARY));
}

/** @throws TextError for what `writeJointRecord` did not write */
export function readJointRecord(source: string | null): JointRecord {
  if (source === null) return {};
  const { version, body } = readEnvelope(source, WHAT, VERSION);
  if (version === 1) throw new TextError(`${WHAT} begins with no version`);
  const inflated = inflate(body, DICTIONARY, WHAT);
  const base = asTime(new VarintReader(inflated).number());
  const reader = new VarintReader(inflated, base);
  reader.number();
  const [value] = rows.read(1, reader);
  if (value === undefined || !reader.done) throw new TextError(`${WHAT} is too long`);
  return Object.fromEntries(value.map(({ channel: name, ...known }) => [name, known]));
}
