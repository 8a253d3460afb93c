import type { Counters } from '../rules/counters.js';
import { NOTHING } from '../rules/counters.js';
import type { Histogram } from '../rules/histogram.js';
import { EMPTY } from '../rules/histogram.js';
import { readEnvelope, writeEnvelope } from './codec/envelope.js';
import { flattenHistogram, unflattenHistogram } from './codec/histogram-codec.js';
import { asTime } from './codec/json.js';
import { TextError } from './codec/text-error.js';
import { VarintReader, writeVarint } from './codec/varint.js';
import { DAY, HOUR, MINUTE } from '../time.js';

/**
 * History is kept as snapshots: what the counters of every target were when an hour ended. What happened between two times
 * is the difference of two snapshots, so that any window costs two reads, however long it is. Snapshots at full hours are
 * kept for 7 days, those at midnight (UTC) for 90; they are fields that are reused in turn, so nothing needs to expire.
 */
export interface Snapshot {
  /** The full hour that it stands for. */
  readonly at: number;
  /** When the counters were taken: before `at` where runs were missed and nothing more was known at `at`. */
  readonly takenAt: number;
  /** By slot; null: the slot was free. */
  readonly targets: readonly (TargetSnapshot | null)[];
}

export interface TargetSnapshot {
  readonly counters: Counters;
  /** Latencies of the UTC day that ends at or holds `takenAt`, up to then. */
  readonly latencies: Histogram;
}

export const HOURS_KEPT = 7 * 24;
export const DAYS_KEPT = 90;

/** The UTC day that holds the moment before `time`, counted from the epoch. */
export function dayEndingAt(time: number): number {
  return Math.floor((time - 1) / DAY);
}

const HOUR_FIELDS = HOURS_KEPT + 2;
const DAY_FIELDS = DAYS_KEPT + 2;

/** The field of the snapshot at a full hour. */
export function snapshotField(at: number): string {
  const hour = Math.floor(at / HOUR);
  const day = Math.floor(at / DAY);
  return at % DAY === 0 ? `d${day % DAY_FIELDS}` : `h${hour % HOUR_FIELDS}`;
}

/** The fields of all snapshots. */
export function snapshotFields(): string[] {
  const hours = Array.from({ length: HOUR_FIELDS }, (_, hour) => `h${hour}`);
  return [...hours, ...Array.from({ length: DAY_FIELDS }, (_, day) => `d${day}`)];
}

/** Which turn of its ring a snapshot belongs to: the fields of a ring are used in turn. */
function turnOf(at: number): number {
  return at % DAY === 0 ? Math.floor(at / DAY / DAY_FIELDS) : Math.floor(at / HOUR / HOUR_FIELDS);
}

/**
 * Of the format of a snapshot. Version 3 had no blocks. Version 2 had neither the time awake nor the time asleep. Version 1 had
 * the full hour instead of the turn, then the number of slots, or 0 and the other hour.
 */
const VERSION = 4;

/** Slots in a block: a reader of one target passes over the blocks before its own. */
export const BLOCK = 16;

/**
 * A snapshot is the envelope with the version (codec/envelope.ts), then varints: twice the turn of its ring, then blocks of 16
 * slots to the end of the text, each with its length in characters before it. A slot is 0 (free), or one more than its pings, its failures, the time in which nothing was expected
 * since it was added, the time that was missed, the bad time, cold starts, whole minutes awake and asleep, the number of
 * buckets of the latency histogram, and those (codec/histogram.ts). Most of it is 0 or short for a healthy target.
 *
 * Worked value: `` 4kr$0`#!!!!!R/!#I_# `` is a snapshot of 2026-01-05 12:00 (turn 2,888 of the ring of 170 hours) with one target
 * (a block of 14 characters) that was pinged 60 times in 10 hours, all of them awake and good and in bucket 39 of the histogram.
 */
export function writeSnapshot(
  at: number,
  targets: readonly ({ readonly addedAt: number; readonly snapshot: TargetSnapshot } | null)[],
): string {
  const slots = targets.map((target) => {
    if (target === null) return writeVarint(0);
    const { pings, failures, expected, observed, good, coldStarts, awake, slept } = target.snapshot.counters;
    const latencies = flattenHistogram(target.snapshot.latencies);
    return [
      pings + 1,
      failures,
      at - target.addedAt - expected,
      expected - observed,
      observed - good,
      coldStarts,
      Math.round(awake / MINUTE),
      Math.round(slept / MINUTE),
      latencies.length / 2,
      ...latencies,
    ]
      .map(writeVarint)
      .join('');
  });
  const blocks = Array.from({ length: Math.ceil(slots.length / BLOCK) }, (_, i) => {
    const block = slots.slice(i * BLOCK, (i + 1) * BLOCK).join('');
    return writeVarint(block.length) + block;
  });
  return writeEnvelope(VERSION, writeVarint(2 * turnOf(at)) + blocks.join(''));
}

/**
 * A snapshot at which nothing was known that the snapshot at `takenAt` does not say: twice the turn and 1, then how many hours
 * before it the other one is.
 */
export function writeSnapshotReference(at: number, takenAt: number): string {
  return writeEnvelope(VERSION, writeVarint(2 * turnOf(at) + 1) + writeVarint((at - takenAt) / HOUR));
}

/**
 * What a field holds for `at`: a snapshot, the time of the snapshot to read instead, or null (nothing, or an earlier
 * turn's).
 */
export function readSnapshot(
  text: string | null,
  at: number,
  addedAt: (slot: number) => number | null,
): Snapshot | { readonly see: number } | null {
  if (text === null) return null;
  const { version, body } = readEnvelope(text, 'a snapshot', VERSION);
  const reader = new VarintReader(body);
  const head = version === 1 ? readHeadV1(reader, at) : readHead(reader, at);
  if (head === null || 'see' in head) return head;
  const targets: (TargetSnapshot | null)[] = [];
  while (!reader.done) {
    if (version > 3 && targets.length % BLOCK === 0) reader.number();
    targets.push(readTargetSnapshot(reader, { version, at, addedAt: addedAt(targets.length) }));
  }
  if (head.slots !== null && head.slots !== targets.length) {
    throw new TextError('a snapshot does not have as many targets as it says');
  }
  return { at, takenAt: at, targets };
}

/** What stands before the targets. `slots`: how many follow; null: those to the end of the text. */
type SnapshotHead = { readonly slots: number | null } | { readonly see: number } | null;

function readHead(reader: VarintReader, at: number): SnapshotHead {
  const head = reader.number();
  if (Math.floor(head / 2) !== turnOf(at)) return null;
  return head % 2 === 0 ? { slots: null } : { see: asTime(at - reader.number() * HOUR) };
}

function readHeadV1(reader: VarintReader, at: number): SnapshotHead {
  if (reader.number() * HOUR !== at) return null;
  const slots = reader.number();
  return slots === 0 ? { see: asTime(reader.number() * HOUR) } : { slots };
}

/** When the snapshot that a field holds was made. @throws TextError for what is no snapshot */
export function snapshotTime(field: string, text: string): number {
  const { version, body } = readEnvelope(text, 'a snapshot', VERSION);
  const number = new VarintReader(body).number();
  if (version === 1) return asTime(number * HOUR);
  const place = Number(field.slice(1));
  const turn = Math.floor(number / 2);
  return asTime(
    field.startsWith('d') ? (turn * DAY_FIELDS + place) * DAY : (turn * HOUR_FIELDS + place) * HOUR,
  );
}

/** @throws TextError unless the text is a snapshot that the field may hold */
export function checkSnapshot(field: string, text: string): void {
  readSnapshot(text, snapshotTime(field, text), () => null);
}

function readTargetSnapshot(
  reader: VarintReader,
  {
    version,
    at,
    addedAt,
  }: { readonly version: number; readonly at: number; readonly addedAt: number | null },
): TargetSnapshot | null {
  const pings = reader.number() - 1;
  if (pings < 0) return null;
  const failures = reader.number();
  const idle = reader.number();
  const missed = reader.number();
  const bad = reader.number();
  const coldStarts = reader.number();
  const awake = version < 3 ? 0 : reader.number() * MINUTE;
  const slept = version < 3 ? 0 : reader.number() * MINUTE;
  const packed = reader.numbers(2 * reader.number());
  if (addedAt === null || addedAt > at) return null;
  const expected = at - addedAt - idle;
  const observed = expected - missed;
  const counters = { pings, failures, expected, observed, good: observed - bad, coldStarts, awake, slept };
  return new PackedSnapshot(counters, packed);
}

/** Unpacks its histogram where it is asked for: most readers of a snapshot want counters. */
class PackedSnapshot implements TargetSnapshot {
  constructor(
    readonly counters: Counters,
    private readonly packed: string,
  ) {}

  get latencies(): Histogram {
    const reader = new VarintReader(this.packed);
    const flat: number[] = [];
    while (!reader.done) flat.push(reader.number());
    return unflattenHistogram(flat);
  }
}

/** What was known of a slot at a snapshot: nothing before there was one. */
export function targetSnapshotOf(snapshot: Snapshot | null, slot: number): TargetSnapshot {
  return snapshot?.targets[slot] ?? { counters: NOTHING, latencies: EMPTY };
}
