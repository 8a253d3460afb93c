import type { Figures } from '../rules/figures.js';
import { NOTHING } from '../rules/figures.js';
import type { Histogram } from '../rules/histogram.js';
import { EMPTY } from '../rules/histogram.js';
import { flattenHistogram, unflattenHistogram } from './state.js';
import { TextError, TextReader, writeNumber } from './text.js';
import { DAY, HOUR } from '../time.js';

/**
 * History is kept as marks: what the figures of every target were when an hour ended. What happened between two times
 * is the difference of two marks, so that any window costs two reads, however long it is. Marks at full hours are
 * kept for 7 days, those at midnight (UTC) for 90; they are fields that are reused in turn, so nothing needs to expire.
 */
export interface Mark {
  /** The full hour that it stands for. */
  readonly at: number;
  /** When the figures were taken: before `at` where runs were missed and nothing more was known at `at`. */
  readonly takenAt: number;
  /** By slot; null: the slot was free. */
  readonly targets: readonly (TargetMark | null)[];
}

export interface TargetMark {
  readonly figures: Figures;
  /** Latencies of the UTC day that ends at or holds `takenAt`, up to then. */
  readonly latencies: Histogram;
}

export const HOURS_KEPT = 7 * 24;
export const DAYS_KEPT = 90;

/** The UTC day that holds the moment before `time`, counted from the epoch. */
export function dayEndingAt(time: number): number {
  return Math.floor((time - 1) / DAY);
}

/** The field of the mark at a full hour. */
export function markField(at: number): string {
  const hour = Math.floor(at / HOUR);
  const day = Math.floor(at / DAY);
  return at % DAY === 0 ? `d${day % (DAYS_KEPT + 2)}` : `h${hour % (HOURS_KEPT + 2)}`;
}

/** The fields of all marks. */
export function markFields(): string[] {
  const hours = Array.from({ length: HOURS_KEPT + 2 }, (_, hour) => `h${hour}`);
  return [...hours, ...Array.from({ length: DAYS_KEPT + 2 }, (_, day) => `d${day}`)];
}

/** What `writeMark` or `writeMarkReference` wrote, for whatever hour. @throws TextError for anything else. */
export function checkMark(text: string): void {
  readMark(text, new TextReader(text).number() * HOUR, () => null);
}

/**
 * A mark as text: its hour, the number of slots, and for each slot (0: free) pings + 1, failures, the time in which
 * nothing was expected since it was added, missed time, bad time, cold starts and the latency histogram: all of them
 * zero or short for a healthy target.
 */
export function writeMark(
  at: number,
  targets: readonly ({ readonly addedAt: number; readonly mark: TargetMark } | null)[],
): string {
  const slots = targets.map((target) => {
    if (target === null) return writeNumber(0);
    const { pings, failures, expected, observed, good, coldStarts } = target.mark.figures;
    const latencies = flattenHistogram(target.mark.latencies);
    return [
      pings + 1,
      failures,
      at - target.addedAt - expected,
      expected - observed,
      observed - good,
      coldStarts,
      latencies.length / 2,
      ...latencies,
    ]
      .map(writeNumber)
      .join('');
  });
  return writeNumber(at / HOUR) + writeNumber(slots.length) + slots.join('');
}

/** A mark at which nothing was known that the mark at `takenAt` does not say. */
export function writeMarkReference(at: number, takenAt: number): string {
  return writeNumber(at / HOUR) + writeNumber(0) + writeNumber(takenAt / HOUR);
}

/** What a field holds for `at`: a mark, the time of the mark to read instead, or null (nothing, or an earlier turn's). */
export function readMark(
  text: string | null,
  at: number,
  addedAt: (slot: number) => number | null,
): Mark | { readonly see: number } | null {
  if (text === null) return null;
  const reader = new TextReader(text);
  if (reader.number() * HOUR !== at) return null;
  const slots = reader.number();
  if (slots === 0) return { see: reader.number() * HOUR };
  const targets = Array.from({ length: slots }, (_, slot) => readTargetMark(reader, at, addedAt(slot)));
  if (!reader.done) throw new TextError('a mark is longer than its targets');
  return { at, takenAt: at, targets };
}

function readTargetMark(reader: TextReader, at: number, addedAt: number | null): TargetMark | null {
  const pings = reader.number() - 1;
  if (pings < 0) return null;
  const failures = reader.number();
  const idle = reader.number();
  const missed = reader.number();
  const bad = reader.number();
  const coldStarts = reader.number();
  const packed = reader.numbers(2 * reader.number());
  if (addedAt === null || addedAt > at) return null;
  const expected = at - addedAt - idle;
  const observed = expected - missed;
  const figures = { pings, failures, expected, observed, good: observed - bad, coldStarts };
  return new PackedMark(figures, packed);
}

/** Unpacks its histogram where it is asked for: most readers of a mark want figures. */
class PackedMark implements TargetMark {
  constructor(
    readonly figures: Figures,
    private readonly packed: string,
  ) {}

  get latencies(): Histogram {
    const reader = new TextReader(this.packed);
    const flat: number[] = [];
    while (!reader.done) flat.push(reader.number());
    return unflattenHistogram(flat);
  }
}

/** What was known of a slot at a mark: nothing before there was one. */
export function markOf(mark: Mark | null, slot: number): TargetMark {
  return mark?.targets[slot] ?? { figures: NOTHING, latencies: EMPTY };
}
