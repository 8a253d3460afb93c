import { expect, it } from 'vitest';
import { noteEvents, notesOutside, noteViews } from '../../lib/read/notes.js';
import { incidentView } from '../../lib/read/incident-views.js';
import type { Note } from '../../lib/record/notes.js';
import { aTarget } from '../support/targets.js';

const NOW = Date.UTC(2026, 10, 20, 12);
const note = (id: string, target: string | null, at: number): Note => ({
  ...{ id, target, at: NOW + at, until: NOW + at + 10, text: id },
});
const incident = (startedAt: number, endedAt: number | null) => ({
  startedAt: NOW + startedAt,
  endedAt: endedAt === null ? null : NOW + endedAt,
  message: 'status 503',
  events: [],
  unobserved: 0,
});
const NOTES = [
  note('before', 'a', -1),
  note('first', 'a', 0),
  note('last', 'a', 100),
  note('after', 'a', 101),
  note('all', null, 50),
  note('other', 'b', 50),
];

it.each([
  ['one that is over', 100, ['first', 'last'], ['after', 'all', 'other', 'before']],
  ['an open one', null, ['first', 'last', 'after'], ['all', 'other', 'before']],
])('notes on a target during its incident belong to it: %s', (_, endedAt, within, outside) => {
  const found = incident(0, endedAt);
  const view = incidentView(found, NOW + 200, {
    clean: (text) => text,
    notes: noteEvents(NOTES, 'a', found),
  });
  expect(view.events.filter(({ kind }) => kind === 'note').map(({ text }) => text)).toEqual(within);
  const all = noteViews(NOTES, [aTarget('a'), aTarget('b')]);
  const left = notesOutside(all, [{ target: { id: 'a' }, incident: view }]).map(({ text }) => text);
  expect(left.sort()).toEqual([...outside].sort());
});

it('notes on targets that are not in the configuration are not shown', () => {
  expect(noteViews(NOTES, [aTarget('b')]).map(({ text }) => text)).toEqual(['all', 'other']);
});
