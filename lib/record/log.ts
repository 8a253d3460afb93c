import { type LogHead } from './state-model.js';
import { readCheckCode, writeCheckCode, type CodedCheck, type LoggedCheck } from './check-code.js';
import { readEnvelope, writeEnvelope } from './codec/envelope.js';
import { asTime } from './codec/json.js';
import { TextError } from './codec/text-error.js';
import { unzigzag, VarintReader, writePair, writeVarint, zigzag } from './codec/varint.js';
import { DAY, HOUR, MINUTE } from '../time.js';

/** A log holds the rows of two hours; logs are reused in turn, so that no more than 26 hours are ever stored. */
const SPAN = 2 * HOUR;
const RING = 13;
/** Rows are timed to a quarter of a second. */
const UNIT = 250;
/** Most rows follow the one before by about a minute: what is written is the deviation from it. */
const USUAL = MINUTE / UNIT;

/** Of the format of a log. Version 1 has the same rows and no version before them. */
const VERSION = 2;

export const NO_LOG: LogHead = {
  version: VERSION,
  span: -1,
  offset: 0,
  lastUnit: 0,
  lastWidth: null,
  pending: '',
};

export interface LogRow {
  readonly at: number;
  /** Ascending by slot. */
  readonly checks: readonly {
    readonly slot: number;
    readonly check: CodedCheck;
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
 * Appends a row to the log of a span. A log is the envelope with the version (codec/envelope.ts), then its rows. A row is:
 * - when it was made, one number: 0, and the time in quarters of a second follows; otherwise one more than twice the
 *   zigzag of the deviation from a minute after the row before, plus 1 if this row has the shape of the one before;
 * - unless it has, its shape: twice the number of checks, plus 1 if slots are given;
 * - its checks: each a check code (check-code.ts) as a pair, after the distance from the slot before where slots are given.
 *
 * Worked value: ` 2!PTqU`D$*B$*B` is a log in version 2. Its first row is of 2026-01-05 12:00 (0, then 7,070,457,600
 * quarters of a second), has one check (2), of slot 0, good in 45 ms (`*B`). Its second row came a minute later, in the
 * same shape (1 + 2 × 0 + 1).
 *
 * A log of a version that is not known here cannot be continued: it is begun again.
 */
export function writeRow(head: LogHead, span: number, row: LogRow): LogHead {
  const fresh = span !== head.span || head.version > VERSION;
  const unit = Math.round(row.at / UNIT);
  const width = row.checks.length;
  const complete = row.checks.every(({ slot }, index) => slot === index);
  const same = !fresh && complete && head.lastWidth === width;
  const deviation = zigzag(unit - head.lastUnit - USUAL);
  let text = fresh
    ? writeEnvelope(VERSION, writeVarint(0) + writeVarint(unit))
    : writeVarint(1 + 2 * deviation + (same ? 1 : 0));
  if (!same) text += writeVarint(2 * width + (complete ? 0 : 1));
  let next = 0;
  for (const { slot, check } of row.checks) {
    if (!complete) text += writeVarint(slot - next);
    text += writePair(writeCheckCode(check));
    next = slot + 1;
  }
  const offset = (fresh ? 0 : head.offset) + text.length;
  const pending = (head.version > VERSION ? '' : head.pending) + text;
  const version = fresh ? VERSION : head.version;
  return { version, span, offset, lastUnit: unit, lastWidth: complete ? width : null, pending };
}

export interface RecentCheck extends LoggedCheck {
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
 * @throws TextError for what is no log
 */
export function readChecks(logs: readonly (string | null)[], slot: number, now: number): RecentCheck[] {
  return inLastDay(
    logs.flatMap((log) => (log === null ? [] : checksOf(log, slot))),
    now,
  );
}

/**
 * The same of one log, whose latest rows are pending in the state, and of which only an excerpt was read (excerpt.ts).
 * @param excerpt of the rows before
 * @param width what the last of these has for `Place.width`
 */
export function readContinued(
  { excerpt, width, pending }: Record<'excerpt' | 'pending', string> & Pick<Place, 'width'>,
  slot: number,
  now: number,
): RecentCheck[] {
  const checks: RecentCheck[] = [];
  const visit = (at: number, _: number, code: number) => checks.push({ at, ...readCheckCode(code) });
  const { unit } = visitChecks(excerpt, 0, visit);
  visitRows(new VarintReader(pending), slot, visit, { unit, width });
  return inLastDay(checks, now);
}

function inLastDay(checks: readonly RecentCheck[], now: number): RecentCheck[] {
  return checks.filter(({ at }) => at > now - DAY && at <= now + UNIT).sort((a, b) => a.at - b.at);
}

function checksOf(log: string, slot: number): RecentCheck[] {
  const checks: RecentCheck[] = [];
  visitChecks(log, slot, (at, _, code) => checks.push({ at, ...readCheckCode(code) }));
  return checks;
}

/** The checks of all slots, in the order in which they are logged. @throws TextError for what is no log */
export function readLog(log: string): (RecentCheck & { readonly slot: number })[] {
  const checks: (RecentCheck & { readonly slot: number })[] = [];
  visitChecks(log, null, (at, slot, code) => checks.push({ at, slot, ...readCheckCode(code) }));
  return checks;
}

/** What a row refers to: when the row before it was made, and how many checks that has; null: it has gaps. */
interface Place {
  readonly unit: number;
  readonly width: number | null;
}

/** @param slot null: all of them */
function visitChecks(
  log: string,
  slot: number | null,
  visit: (at: number, slot: number, code: number) => void,
): Place {
  const reader = new VarintReader(readEnvelope(log, 'a log', VERSION).body);
  return visitRows(reader, slot, visit, { unit: 0, width: null });
}

/** @param before what comes before the first row */
function visitRows(
  reader: VarintReader,
  slot: number | null,
  visit: (at: number, slot: number, code: number) => void,
  before: Place,
): Place {
  let { unit, width } = before;
  while (!reader.done) {
    const time = reader.number();
    if (time === 0) unit = reader.number();
    else unit += USUAL + unzigzag(Math.floor((time - 1) / 2));
    const at = asTime(unit * UNIT);
    const same = time !== 0 && (time - 1) % 2 === 1;
    const shape: number = same ? shapeOf(width) : reader.number();
    const checks = Math.floor(shape / 2);
    const complete = shape % 2 === 0;
    if (!complete) {
      let next = 0;
      for (let i = 0; i < checks; i += 1) {
        const found = next + reader.number();
        const code = reader.pair();
        if (slot === null || found === slot) visit(at, found, code);
        next = found + 1;
      }
    } else if (slot === null) {
      for (let i = 0; i < checks; i += 1) visit(at, i, reader.pair());
    } else {
      const before = Math.min(slot, checks);
      reader.skipPairs(before);
      if (before < checks) visit(at, slot, reader.pair());
      reader.skipPairs(Math.max(0, checks - before - 1));
    }
    width = complete ? checks : null;
  }
  return { unit, width };
}

/**
 * The shape of a row that has as many checks as the row before.
 * @throws TextError where that one had gaps, or there is none
 */
function shapeOf(width: number | null): number {
  if (width === null) throw new TextError('a row is to have the shape of a row that has none');
  return 2 * width;
}
