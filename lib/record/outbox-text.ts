import type { ActiveAlert, IncidentEvent, AlertState } from '../rules/alert-evaluation.js';
import {
  EMPTY_OUTBOX,
  type ByChannel,
  type Moved,
  type Outbox,
  type PendingAlert,
  type PendingRestart,
  type DeliveryTrouble,
} from '../rules/outbox.js';
import type { Alert, ChannelName, OverAllowance, SlowTarget, SlowTargets } from '../types.js';
import {
  ACTIVE_ALERT_CODES,
  ALERT_CODES,
  CHANNEL_CODES,
  EVENT_CODES,
  PEER_END_CODES,
  PEER_TROUBLE_CODES,
  RESOURCE_CODES,
  STATUS_CODES,
  TARGET_ALERT_CODES,
  UNWATCHED_CODES,
} from './codes.js';
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
  variants,
  type Field,
} from './codec/field-codecs.js';
import { asObject, asTime } from './codec/json.js';
import { TextError } from './codec/text-error.js';
import { VarintReader, VarintWriter } from './codec/varint.js';
import { readOutboxV1 } from './outbox-v1.js';

/** Stands beside the state, so that what came of deliveries is committed without writing the state again. */

/** Of the format of the outbox. Version 1 is read in outbox-v1.ts. */
const VERSION = 2;

export const channel = code<ChannelName>(CHANNEL_CODES, 'channel');
const channels = list(channel);
const was = code(ACTIVE_ALERT_CODES, 'status of an alert');

/** What is kept for some of the channels, as pairs; version 1 had an object. */
function byChannel<T>(field: Field<T>): Field<ByChannel<T>> {
  const pairs = mapped(
    list(record<{ channel: ChannelName; value: T }>({ channel, value: field })),
    (values: ByChannel<T>) =>
      (Object.entries(values) as [ChannelName, T][]).map(([name, value]) => ({ channel: name, value })),
    (stored) => Object.fromEntries(stored.map(({ channel: name, value }) => [name, value])) as ByChannel<T>,
  );
  return {
    ...pairs,
    parse: (json, base) =>
      pairs.parse(
        [...asObject(json)].map(([name, value]) => ({ channel: name, value })),
        base,
      ),
  };
}

const slowFor = record<SlowTargets>({
  count,
  targets: list(
    record<SlowTarget>({ target: text, interval: count, checkedEvery: count, sleepsAfter: nullable(count) }),
  ),
});

/** Whole numbers are enough for people. */
const over = list(
  record<OverAllowance>({ resource: code(RESOURCE_CODES, 'resource'), projected: count, allowed: count }),
);

/** The members of a union that share their fields are one kind each, as their codes are. */
const down = { id: text, at: time, target: text, startedAt: time, failures: count, message: text };

const alert = variants<Alert>(code(ALERT_CODES, 'kind of alert'), {
  down,
  reminder: down,
  up: {
    ...{
      id: text,
      at: time,
      target: text,
      was,
      now: code({ up: STATUS_CODES.up, degraded: STATUS_CODES.degraded }, 'status'),
    },
    ...{ startedAt: time, endedAt: time, restarts: count, message: optional(text) },
  },
  unwatched: {
    ...{ id: text, at: time, target: text, was, because: code(UNWATCHED_CODES, 'cause') },
    ...{ startedAt: time, endedAt: nullable(time) },
  },
  degraded: { id: text, at: time, target: text, message: text },
  flapping: {
    ...{ id: text, at: time, target: text, transitions: count },
    status: code({ up: STATUS_CODES.up, degraded: STATUS_CODES.degraded, down: STATUS_CODES.down }, 'status'),
  },
  // A wake takes longer than 0 ms.
  slept: {
    ...{ id: text, at: time, target: text, gap: count },
    wakeMs: mapped(
      count,
      (ms: number | null) => ms ?? 0,
      (ms) => (ms === 0 ? null : ms),
    ),
  },
  contradicted: { id: text, at: time, target: text, message: text },
  certificate: { id: text, at: time, target: text, expiresAt: time },
  restart: { id: text, at: time, target: text, number: count, max: count, answer: text },
  person_needed: { id: text, at: time, target: text, restarts: count, startedAt: time, message: text },
  missed: { id: text, at: time, from: time, to: time },
  pace: { id: text, at: time, expected: count, actual: count, slowFor },
  unrecorded: { id: text, at: time, from: time, message: text },
  undelivered: { id: text, at: time, count },
  test: { id: text, at: time },
  allowances: { id: text, at: time, over },
  peer_down: {
    ...{ id: text, at: time, peer: text, how: code(PEER_TROUBLE_CODES, 'trouble of a peer') },
    ...{ startedAt: time, message: optional(text) },
  },
  peer_up: {
    ...{ id: text, at: time, peer: text, now: code(PEER_END_CODES, 'end of a trouble') },
    ...{ startedAt: time, endedAt: time },
  },
});

const pendingAlert: Field<PendingAlert> = mapped(
  record({ alert, to: byChannel(count), alreadyTold: channels }),
  ({ alreadyTold = [], ...pending }: PendingAlert) => ({ ...pending, alreadyTold }),
  ({ alreadyTold, ...pending }) => (alreadyTold.length === 0 ? pending : { ...pending, alreadyTold }),
);

const event = variants<IncidentEvent>(code(EVENT_CODES, 'kind of event'), {
  alert: { at: time, alert: code(TARGET_ALERT_CODES, 'kind of alert') },
  restart: { at: time, answer: optional(text) },
});

const alertState = record<AlertState>({
  active: optional(
    record<ActiveAlert>({
      status: was,
      startedAt: time,
      endedAt: nullable(time),
      saidAt: time,
      to: channels,
      remindedAt: time,
    }),
  ),
  transitions: list(time),
  certificate: nullable(time),
  sleptAt: nullable(time),
  lastRestartAt: nullable(time),
  restarts: count,
  failures: count,
  exhausted: flag,
  events: list(event),
});

export const trouble = record<DeliveryTrouble>({
  since: time,
  failures: count,
  nextAt: time,
  permanent: flag,
  message: text,
});
export const moved = record<Moved>({ from: text, to: text });

const outbox = record<Outbox>({
  alerts: list(pendingAlert),
  restarts: list(
    record<PendingRestart>({ id: text, target: text, at: time, number: count, max: count, to: channels }),
  ),
  troubles: byChannel(trouble),
  undelivered: byChannel(count),
  moved: byChannel(moved),
  alertStates: mapped(
    list(record<{ id: string; state: AlertState }>({ id: text, state: alertState })),
    (byId: ReadonlyMap<string, AlertState>) => [...byId].map(([id, known]) => ({ id, state: known })),
    (stored) => new Map(stored.map(({ id, state: known }) => [id, known])),
  ),
  missed: optional(record({ at: time, length: count })),
  slowPace: optional(record({ mendedAt: nullable(time) })),
});

/**
 * What many outboxes hold: deflate refers to it instead of repeating it. A text can be read only with the dictionary that
 * it was written with: change it with VERSION, never alone.
 */
export const OUTBOX_DICTIONARY = Buffer.from(
  'answered 404 answered 200 certificate has expired name not found connection reset connection refused' +
    ' request timed out status 404, expected 200-299 status 502, expected 200-299 status 500, expected 20' +
    '0-299 status 503, expected 200-299wt]jXkR&#!6mk0xjmrc-145-56gyo-1uw{&%webX]c)%>status 503, expected ' +
    '200-299##!!!!!!#%web##X]c)!uw{&##uw{&#uw{&!!!!!!#!uw{&!!!PTsjZkR&#!6mk0xjmrc-295-ajdeo-1uw{&%apiX]c)' +
    '%>status 503, expected 200-299##!!!!!!#%api##X]c)!uw{&##uw{&#uw{&!!!!!!#!uw{&!!!',
);

/**
 * Empty where there is nothing to remember. Otherwise it is the envelope with the version (codec/envelope.ts), then
 * deflated text in base64. That text is varints: the base (`now`, in ms since the epoch), then the fields of `outbox` as
 * codec/field-codecs.ts describes them, in the order in which they stand here.
 */
export function writeOutbox(value: Outbox, now: number): string {
  if (isEmpty(value)) return '';
  const out = new VarintWriter(now);
  out.number(now);
  outbox.write([value], out);
  return writeEnvelope(VERSION, deflate(out.text, OUTBOX_DICTIONARY, 9));
}

function isEmpty(value: Outbox): boolean {
  const { alerts, restarts, troubles, undelivered, moved, alertStates, missed, slowPace } = value;
  return (
    alerts.length + restarts.length + alertStates.size === 0 &&
    [troubles, undelivered, moved].every((channels) => Object.keys(channels).length === 0) &&
    missed === null &&
    slowPace === null
  );
}

/** @throws TextError for what `writeOutbox` did not write */
export function readOutbox(source: string | null): Outbox {
  if (source === null || source === '') return EMPTY_OUTBOX;
  const { version, body } = readEnvelope(source, 'the outbox', VERSION);
  if (version === 1) return readOutboxV1(body, outbox);
  const inflated = inflate(body, OUTBOX_DICTIONARY, 'the outbox');
  const base = asTime(new VarintReader(inflated).number());
  const reader = new VarintReader(inflated, base);
  reader.number();
  const [value] = outbox.read(1, reader);
  if (value === undefined || !reader.done) throw new TextError('the outbox is too long');
  return value;
}
