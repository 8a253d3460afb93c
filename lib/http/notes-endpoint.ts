import * as z from '#zod';
import { noteViews } from '../read/notes.js';
import type { NoteView } from '../read/views.js';
import { NewerTextError } from '../record/codec/text-error.js';
import { NOTE_MARK_FIELD, NOTES_FIELD } from '../record/fields.js';
import { addNote, changeableNotes, keptNotes, NOTES_KEPT, writeNotes, type Note } from '../record/notes.js';
import { isSingleLine } from '../single-line.js';
import type { Store } from '../store/store.js';
import { StoreError } from '../store/store.js';
import { DAY } from '../time.js';
import type { WatchedTarget } from '../types.js';
import {
  answerChange,
  badRequest,
  changeField,
  formOf,
  targetField,
  type Change,
} from './operator-change.js';
import { answerError, answerJson } from './responses.js';

/** Of a note, in characters (code points) and lines. */
const LONGEST = 1_000;
const MOST_LINES = 20;
/** How long a note is current where `until` does not say. */
const CURRENT_FOR = 3 * DAY;
const LATEST = 90 * DAY;

const TEXT = `text: expected 1 to ${LONGEST} characters in at most ${MOST_LINES} lines`;
const UNTIL = 'until: expected a time to come within 90 days, such as 2026-12-01T02:00Z';
const ID = 'id: expected the id of a note';

const ADD = formOf({
  text: z.string(TEXT).check(z.refine((text) => isNote(linesOf(text)), TEXT)),
  target: targetField,
  until: z.optional(z.nullable(z.string(UNTIL).check(z.refine((text) => timeIn(text) !== null, UNTIL)))),
});
const REMOVE = formOf({ id: z.optional(z.string(ID)), target: targetField });
/** The text as JSON may take 6 bytes for each UTF-16 unit. */
const COMMON = { limit: 16 * 1024, danger: 'write on the page' } as const;

/** What a change of the notes answers. */
export interface ChangedNotes {
  /** Of the note that was added; absent where some were taken away. */
  readonly id?: string;
  /** All that there are now. */
  readonly notes: readonly NoteView[];
}

/** `POST /api/notes` */
export function answerNote(request: Request): Promise<Response> {
  return answerChange(
    request,
    { ...COMMON, form: ADD, query: ['target'] },
    async ({ text, target = null, until = null }, store, { targets, subscriptions }) => {
      const unmarked = subscriptions === null ? null : await markNotes(store);
      if (unmarked !== null) return unmarked;
      return changeNotes(store, (notes, now) => {
        const to = until === null ? now + CURRENT_FOR : (timeIn(until) ?? now);
        if (to <= now || to > now + LATEST) return badRequest(UNTIL);
        const added = addNote(notes, { at: now, until: to, target, text: linesOf(text).join('\n') });
        if (added === null) {
          return answerError('notes_full', `${NOTES_KEPT} are current already: take one away.`);
        }
        return changed(added.notes, targets, { id: added.id });
      });
    },
  );
}

/** `DELETE /api/notes`: the one with this id, those of a target, or all. */
export function answerNotesAway(request: Request): Promise<Response> {
  return answerChange(
    request,
    { ...COMMON, form: REMOVE, query: ['id', 'target'] },
    ({ id = null, target = null }, store, { targets }) =>
      changeNotes(store, (notes, now) => {
        if (id !== null && !notes.some((note) => note.id === id)) {
          return answerError('note_not_found', 'No note has this id.');
        }
        const goes = (note: Note): boolean =>
          (id === null || note.id === id) && (target === null || note.target === target);
        return changed(
          keptNotes(notes, now).filter((note) => !goes(note)),
          targets,
        );
      }),
  );
}

/** Says to the next run that there is a note to tell subscribers of; not null: it cannot be said. */
async function markNotes(store: Store): Promise<Response | null> {
  const answer = await changeField(store, NOTE_MARK_FIELD, (_text, now) => ({
    value: now.toString(36),
    answer: () => new Response(),
  }));
  return answer.ok ? null : answer;
}

function changeNotes(
  store: Store,
  apply: (notes: readonly Note[], now: number) => Change | Response,
): Promise<Response> {
  return changeField(store, NOTES_FIELD, (text, now) => {
    try {
      return apply(changeableNotes(text), now);
    } catch (cause) {
      if (!(cause instanceof NewerTextError)) throw cause;
      throw new StoreError('store_corrupt', `What is stored cannot be read: ${cause.message}.`, { cause });
    }
  });
}

function changed(
  notes: readonly Note[],
  targets: readonly WatchedTarget[],
  added: Pick<ChangedNotes, 'id'> = {},
): Change {
  return {
    value: writeNotes(notes),
    answer: () => {
      const answer: ChangedNotes = { ...added, notes: noteViews(notes, targets) };
      return answerJson(answer);
    },
  };
}

/** Without the white space around them, and without empty ones. */
function linesOf(text: string): string[] {
  return text
    .split(/\r\n|[\n\r]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function isNote(lines: readonly string[]): boolean {
  const length = Array.from(lines.join('\n')).length;
  return length > 0 && length <= LONGEST && lines.length <= MOST_LINES && lines.every(isSingleLine);
}

/** ISO 8601 with a zone, in ms since the epoch; null: it is none. */
function timeIn(text: string): number | null {
  const [, date] =
    /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  const time = Date.parse(text);
  if (date === undefined || Number.isNaN(time)) return null;
  // Date.parse takes 30 February for 2 March.
  return new Date(`${date}T00:00Z`).toISOString().startsWith(date) ? time : null;
}
