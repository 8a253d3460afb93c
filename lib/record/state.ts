import type { PeerState, PeerTrouble } from '../rules/peer-watch.js';
import type { State } from './state-model.js';
import { PEER_TROUBLE_CODES } from './codes.js';
import { deflate, inflate, readEnvelope, writeEnvelope } from './codec/envelope.js';
import { code, count, list, optional, record, text, time } from './codec/field-codecs.js';
import { asTime } from './codec/json.js';
import { TextError } from './codec/text-error.js';
import { VarintReader, VarintWriter } from './codec/varint.js';
import { migrateState, readStateV1 } from './state-v1.js';
import { readStateV2, stateHeadV2, STATE_V2_DICTIONARY } from './state-v2.js';
import { readStateV3 } from './state-v3.js';
import { accountV4, readStateV4, slotsV4 } from './state-v4.js';

/** Of the format of the state. Versions 1 to 4 are read in state-v1.ts to state-v4.ts. */
const VERSION = 5;

const peers = list(
  record<PeerState>({
    peer: text,
    askedAt: time,
    trouble: optional(
      record<PeerTrouble>({
        kind: code(PEER_TROUBLE_CODES, 'trouble of a peer'),
        since: time,
        readings: count,
        message: optional(text),
      }),
    ),
  }),
);

/**
 * The state is the envelope with the version (codec/envelope.ts), then deflated text in base64. That text is varints: the
 * base (when the last run began, before it the first; in ms since the epoch), then the fields of `stateHeadV2`, `accountV4`,
 * `slotsV4` and `peers` as codec/field-codecs.ts describes them, in the order in which they stand.
 */
export function writeState({ targets, account, peers: watched, ...rest }: State): string {
  const out = new VarintWriter(rest.lastRun?.at ?? rest.firstRunAt);
  out.number(out.base);
  stateHeadV2.write([rest], out);
  accountV4.write([account], out);
  slotsV4.write([targets], out);
  peers.write([watched], out);
  return writeEnvelope(VERSION, deflate(out.text, STATE_V2_DICTIONARY));
}

/** @throws TextError for what `writeState` did not write */
export function readState(source: string): State {
  const { version, body } = readEnvelope(source, 'the state', VERSION);
  if (version === 1) return migrateState(readStateV1(body));
  if (version === 2) return readStateV2(body);
  if (version === 3) return readStateV3(body);
  if (version === 4) return readStateV4(body);
  const inflated = inflate(body, STATE_V2_DICTIONARY, 'the state');
  const base = asTime(new VarintReader(inflated).number());
  const reader = new VarintReader(inflated, base);
  reader.number();
  const [rest] = stateHeadV2.read(1, reader);
  const [account = null] = accountV4.read(1, reader);
  const [targets] = slotsV4.read(1, reader);
  const [watched] = peers.read(1, reader);
  if (rest === undefined || targets === undefined || watched === undefined || !reader.done)
    throw new TextError('the state is too long');
  return { ...rest, account, peers: watched, targets };
}
