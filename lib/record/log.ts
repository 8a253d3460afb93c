import type { Cell } from './cell.js';
import { cellCode, cellOf } from './cell.js';
import { TextError, TextReader, unzigzag, writeNumber, writePair, zigzag } from './text.js';
import { DAY, HOUR, MINUTE } from '../time.js';

/** A log holds the rows of two hours; logs are reused in turn, so that no more than 26 hours are ever stored. */
const SPAN = 2 * HOUR;
const RING = 13;
/** Rows are timed to a quarter of a second. */
const UNIT = 250;
/** Most rows follow the one before by about a minute: what is written is the deviation from it. */
const USUAL = MINUTE / UNIT;

/** Where the next row goes, and what the last one looked like (rows like it are shorter). */
export interface LogHead {
  readonly span: number;
  readonly offset: number;
  /** In units of a quarter of a second. */
  readonly lastUnit: number;
  /** How many cells the last row had, if it had those of the first so many slots; else null. */
  readonly lastWidth: number | null;
  /** The end of what is written up to `offset`, as far as it is not in the log yet. */
  readonly pending: string;
}

export const NO_LOG: LogHead = { span: -1, offset: 0, lastUnit: 0, lastWidth: null, pending: '' };

export interface LogRow {
  readonly at: number;
  /** Ascending by slot. */
  readonly checks: readonly {
    readonly slot: number;
    readonly check: Parameters<typeof cellCode>[0];
  }[];
}

/**
 * The log that takes the rows of a run at `now`. It is the one at hand where rows are pending for that, and after a clock
 * stepped back a little.
 */
export function spanAt(head: LogHead, now: number): number {
  const span = Math.floor(now / SPAN);
  return head.pending !== '' || span === head.span - 1 ? head.span : span;
}

export function logName(span: number): string {
  return String(span % RING);
}

export function logNames(): string[] {
  return Array.from({ length: RING }, (_, span) => logName(span));
}

/**
 * One row: a number that says when it was made (0: the time follows in full; else one more than twice the folded
 * deviation from a minute after the row before, plus one if the row has the shape of the one before), then its shape
 * (twice the number of cells, plus one if slots are given), then its cells of two characters, each after the distance
 * from the slot before where slots are given.
 */
export function writeRow(head: LogHead, span: number, row: LogRow): LogHead {
  const fresh = span !== head.span;
  const unit = Math.round(row.at / UNIT);
  const width = row.checks.length;
  const complete = row.checks.every(({ slot }, index) => slot === index);
  const same = !fresh && complete && head.lastWidth === width;
  const deviation = zigzag(unit - head.lastUnit - USUAL);
  let text = fresh ? writeNumber(0) + writeNumber(unit) : writeNumber(1 + 2 * deviation + (same ? 1 : 0));
  if (!same) text += writeNumber(2 * width + (complete ? 0 : 1));
  let next = 0;
  for (const { slot, check } of row.checks) {
    if (!complete) text += writeNumber(slot - next);
    text += writePair(cellCode(check));
    next = slot + 1;
  }
  const offset = (fresh ? 0 : head.offset) + text.length;
  const pending = head.pending + text;
  return { span, offset, lastUnit: unit, lastWidth: complete ? width : null, pending };
}

export interface RecentCheck extends Cell {
  /** To a quarter of a second. */
  readonly at: number;
}

/** The logs that may hold checks of the 24 hours before `now`, oldest first. */
export function recentLogs(now: number): string[] {
  const first = Math.floor((now - DAY) / SPAN);
  const last = Math.floor(now / SPAN);
  return Array.from({ length: last - first + 1 }, (_, i) => logName(first + i));
}

/**
 * The checks of one slot in the 24 hours before `now`, oldest first. Rows of an earlier turn of the ring are left out, and
 * so are those of a time to come: the clock was set back.
 */
export function readChecks(logs: readonly (string | null)[], slot: number, now: number): RecentCheck[] {
  return logs
    .flatMap((log) => (log === null ? [] : readLog(log, slot)))
    .filter(({ at }) => at > now - DAY && at <= now + UNIT)
    .sort((a, b) => a.at - b.at);
}

function readLog(text: string, slot: number): RecentCheck[] {
  const reader = new TextReader(text);
  const checks: RecentCheck[] = [];
  let unit = 0;
  let width: number | null = null;
  while (!reader.done) {
    const time = reader.number();
    if (time === 0) unit = reader.number();
    else unit += USUAL + unzigzag(Math.floor((time - 1) / 2));
    const same = time !== 0 && (time - 1) % 2 === 1;
    if (same && width === null) throw new TextError('a row that is like no other');
    const shape: number = same ? 2 * (width ?? 0) : reader.number();
    const cells = Math.floor(shape / 2);
    const complete = shape % 2 === 0;
    if (complete) {
      const before = Math.min(slot, cells);
      reader.skipPairs(before);
      if (before < cells) checks.push({ at: unit * UNIT, ...cellOf(reader.pair()) });
      reader.skipPairs(Math.max(0, cells - before - 1));
    } else {
      let at = 0;
      for (let i = 0; i < cells; i += 1) {
        at += reader.number();
        const code = reader.pair();
        if (at === slot) checks.push({ at: unit * UNIT, ...cellOf(code) });
        at += 1;
      }
    }
    width = complete ? cells : null;
  }
  return checks;
}
