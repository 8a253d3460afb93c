import { DAY } from '../time.js';
import { readEnvelope, writeEnvelope } from './codec/envelope.js';
import { asList, asText, asTime, orNull, parseJson } from './codec/json.js';
import { NewerTextError, TextError } from './codec/text-error.js';

/** Of the format of this field. It is the first: version 1 is a text without a mark, and no notes were stored as one. */
const VERSION = 2;

/** What the operator tells the readers of the page. Times are ms since the epoch. */
export interface Note {
  readonly id: string;
  readonly at: number;
  /** Until when it is shown as current (excluded); then it is part of the history. */
  readonly until: number;
  /** A target's id; null: it is about all. */
  readonly target: string | null;
  /** Lines with `\n` between them. */
  readonly text: string;
}

/** How many notes are kept at most; of one target or for all targets, current or not. */
export const NOTES_KEPT = 50;
/** How long a note is kept: as long as days are. */
const KEPT_FOR = 90 * DAY;

/** @throws TextError for what `writeNotes` did not write */
export function readNotes(text: string | null): readonly Note[] {
  if (text === null) return [];
  const { version, body } = readEnvelope(text, 'the notes', VERSION);
  if (version < VERSION) throw new TextError('the notes begin with no version');
  return asList(parseJson(body, 'the notes')).map(toNote);
}

/** The same for a reader: notes that cannot be read must not stop it, and count as none. */
export function readableNotes(text: string | null): readonly Note[] {
  try {
    return readNotes(text);
  } catch (error) {
    if (error instanceof TextError) return [];
    throw error;
  }
}

/**
 * The same for whoever changes them: damaged ones count as none.
 * @throws NewerTextError for those of a newer Keepalive, which must not be replaced
 */
export function changeableNotes(text: string | null): readonly Note[] {
  try {
    return readNotes(text);
  } catch (error) {
    if (error instanceof TextError && !(error instanceof NewerTextError)) return [];
    throw error;
  }
}

/**
 * The envelope with the version (codec/envelope.ts), then a JSON list with a list for each note, oldest first: its id,
 * when it was written, for how many ms it is current, its target, and its text.
 *
 * Worked value: ` 2[["mk1z5k00",1767614400000,259200000,"api","We are on it."]]`.
 */
export function writeNotes(notes: readonly Note[]): string {
  const body = JSON.stringify(
    notes.map(({ id, at, until, target, text }) => [id, at, until - at, target, text]),
  );
  return writeEnvelope(VERSION, body);
}

/**
 * The notes with a new one behind them. Where there are too many, the oldest that are no longer current go.
 * @returns null where so many are current that there is no room
 */
export function addNote(
  notes: readonly Note[],
  note: Omit<Note, 'id'>,
): { readonly notes: readonly Note[]; readonly id: string } | null {
  const kept = keptNotes(notes, note.at);
  const ids = new Set(kept.map(({ id }) => id));
  let number = note.at;
  while (ids.has(number.toString(36))) number += 1;
  const id = number.toString(36);
  const excess = new Set(
    kept
      .filter(({ until }) => until <= note.at)
      .slice(0, Math.max(0, kept.length + 1 - NOTES_KEPT))
      .map((each) => each.id),
  );
  const all = [...kept.filter((each) => !excess.has(each.id)), { ...note, id }];
  return all.length > NOTES_KEPT ? null : { notes: all, id };
}

/** Those that are still part of the history. */
export function keptNotes(notes: readonly Note[], now: number): readonly Note[] {
  return notes.filter(({ at, until }) => Math.max(at + KEPT_FOR, until) > now);
}

function toNote(item: unknown): Note {
  const [id, at, length, target, text] = asList(item);
  const written = asTime(at);
  const until = asTime(written + asTime(length));
  if (!Number.isInteger(written) || !Number.isInteger(until))
    throw new TextError('a note has no whole times');
  return { id: asText(id), at: written, until, target: orNull(target, asText), text: asText(text) };
}
