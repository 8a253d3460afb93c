import type { Note } from '../record/notes.js';
import type { WatchedTarget } from '../types.js';
import type { IncidentEventView, NoteView } from './views.js';

/** Latest first, without those about targets that are not in the configuration. */
export function noteViews(
  notes: readonly Note[],
  targets: readonly Pick<WatchedTarget, 'info'>[],
): NoteView[] {
  const names = new Map(targets.map(({ info: { id, name } }) => [id, name]));
  return notes
    .filter(({ target }) => target === null || names.has(target))
    .map(({ id, at, until, target, text }) => ({
      ...{ id, at: iso(at), until: iso(until), text },
      ...{ target, name: target === null ? null : (names.get(target) ?? target) },
    }))
    .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
}

/** The notes that were written about a target while an incident lasted, as events of it. */
export function noteEvents(
  notes: readonly Note[],
  target: string,
  { startedAt, endedAt }: { readonly startedAt: number; readonly endedAt: number | null },
): IncidentEventView[] {
  return notes
    .filter((note) => note.target === target)
    .filter(({ at }) => at >= startedAt && (endedAt === null || at <= endedAt))
    .map(({ at, text }) => ({ at: iso(at), kind: 'note', code: 'note', text }));
}

/** Those that are not told as events of one of these incidents. */
export function notesOutside(
  notes: readonly NoteView[],
  incidents: readonly {
    readonly target: { readonly id: string };
    readonly incident: { readonly startedAt: string; readonly endedAt: string | null };
  }[],
): NoteView[] {
  return notes.filter(
    ({ target, at }) =>
      !incidents.some(
        ({ target: { id }, incident: { startedAt, endedAt } }) =>
          id === target && at >= startedAt && (endedAt === null || at <= endedAt),
      ),
  );
}

export function currentNotes(notes: readonly NoteView[], now: number): NoteView[] {
  return notes.filter(({ until }) => Date.parse(until) > now);
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
