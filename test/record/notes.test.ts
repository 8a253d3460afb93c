import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NewerTextError, TextError } from '../../lib/record/codec/text-error.js';
import {
  addNote,
  changeableNotes,
  keptNotes,
  NOTES_KEPT,
  readableNotes,
  readNotes,
  writeNotes,
  type Note,
} from '../../lib/record/notes.js';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 20, 12);
const WORKED = ' 2[["mk1z5k00",1767614400000,259200000,"api","We are on it."]]';

const some = (changes: Partial<Note> = {}): Note => ({
  ...{ id: 'a', at: NOW, until: NOW + DAY, target: null, text: 'Hello.' },
  ...changes,
});
/** So many, written a second apart, the last one now. */
const many = (count: number, until: number): Note[] =>
  Array.from({ length: count }, (_, i) => some({ id: `n${i}`, at: NOW - (count - i) * 1_000, until }));

describe('the text form', () => {
  it('is none where nothing was ever written', () => expect(readNotes(null)).toEqual([]));

  it('is the worked value, to the character', () => {
    expect(readNotes(WORKED)).toEqual([
      {
        ...{ id: 'mk1z5k00', at: 1_767_614_400_000, until: 1_767_873_600_000 },
        ...{ target: 'api', text: 'We are on it.' },
      },
    ]);
    expect(writeNotes(readNotes(WORKED))).toBe(WORKED);
  });

  it('gives back what was written', () => {
    const text = fc.string({ unit: 'binary' });
    const time = fc.integer({ min: 0, max: 8e12 });
    const note = fc.record({ id: text, at: time, until: time, target: fc.option(text), text });
    fc.assert(
      fc.property(fc.array(note), (all) => {
        expect(readNotes(writeNotes(all))).toEqual(all);
      }),
    );
  });

  it.each(['', '[]', ' ', ' 1[]', ' 2', ' 2{}', ' 2[[]]', ' 2[["a",1.5,1,null,"x"]]', ' 2[["a",1,1,null]]'])(
    '%j is none: readers and changes go on without',
    (text) => {
      expect(() => readNotes(text)).toThrow(TextError);
      expect(readableNotes(text)).toEqual([]);
      expect(changeableNotes(text)).toEqual([]);
    },
  );

  it('of a newer version is not shown, and never replaced', () => {
    expect(readableNotes(' 3[]')).toEqual([]);
    expect(() => changeableNotes(' 3[]')).toThrow(NewerTextError);
  });
});

describe('adding', () => {
  it('gives each its own id, also in the same millisecond', () => {
    const first = addNote([], some());
    const second = addNote(first?.notes ?? [], some());
    expect(new Set(second?.notes.map(({ id }) => id)).size).toBe(2);
    expect(second?.notes.at(-1)?.id).toBe(second?.id);
  });

  it('drops the oldest that are no longer current, and none that is', () => {
    const current = some({ id: 'current', at: NOW - 30 * DAY });
    const before = [current, ...many(NOTES_KEPT - 1, NOW)];
    const ids = addNote(before, some())?.notes.map(({ id }) => id);
    expect(ids).toHaveLength(NOTES_KEPT);
    expect(ids?.slice(0, 2)).toEqual(['current', 'n1']);
  });

  it('is refused where all are current', () => {
    expect(addNote(many(NOTES_KEPT, NOW + 1), some())).toBeNull();
    expect(addNote(many(NOTES_KEPT - 1, NOW + 1), some())?.notes).toHaveLength(NOTES_KEPT);
  });
});

it.each([
  ['for 90 days', { at: NOW - 90 * DAY + 1, until: NOW - 80 * DAY }, true],
  ['no longer', { at: NOW - 90 * DAY, until: NOW - 80 * DAY }, false],
  ['while it is current', { at: NOW - 100 * DAY, until: NOW + 1 }, true],
])('a note is kept %s', (_, changes, isKept) => {
  expect(keptNotes([some(changes)], NOW)).toHaveLength(isKept ? 1 : 0);
});
