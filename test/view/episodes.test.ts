import { describe, expect, it } from 'vitest';
import { episodes, type Trouble } from '../../lib/view/episodes.js';

const START = Date.UTC(2026, 10, 20, 12);
const MINUTE = 60_000;
const iso = (minutes: number) => new Date(START + minutes * MINUTE).toISOString();

function trouble(id: string, from: number, to: number | null, more: Partial<Trouble> = {}): Trouble {
  return {
    target: { id, name: id },
    mood: 'down',
    message: 'status 503, expected 200-299',
    startedAt: iso(from),
    endedAt: to === null ? null : iso(to),
    incident: null,
    ...more,
  };
}

const folded = (...troubles: Trouble[]) =>
  episodes(troubles).map((each) => each.troubles.map(({ target }) => target.id).join('+'));

describe('troubles that are told as one', () => {
  it('are those of one cause and time', () => {
    expect(folded(trouble('a', 0, null), trouble('b', 3, null), trouble('c', 5, null))).toEqual(['a+b+c']);
    expect(folded(trouble('a', 0, 20), trouble('b', 3, 24))).toEqual(['a+b']);
  });

  it.each([
    ['began later', trouble('b', 6, null)],
    ['is over', trouble('b', 0, 3)],
    ['has another cause', trouble('b', 0, null, { message: 'connection refused' })],
    ['returned another status', trouble('b', 0, null, { message: 'status 500, expected 200-299' })],
    ['is only degraded', trouble('b', 0, null, { mood: 'degraded' })],
  ])('are not where one %s', (_, other) => {
    expect(folded(trouble('a', 0, null), other)).toEqual(['a', 'b']);
  });

  it('last from the first beginning to the last end, and keep their order', () => {
    const [first, second] = episodes([trouble('b', 2, 10), trouble('x', 40, 50), trouble('a', 0, 12)]);
    expect([first?.startedAt, first?.endedAt]).toEqual([iso(0), iso(12)]);
    expect(second?.troubles[0].target.id).toBe('x');
  });

  it('differ in their messages where the cause is the same', () => {
    const other = trouble('b', 0, null, { message: 'status 503, expected 200' });
    expect(folded(trouble('a', 0, null), other)).toEqual(['a+b']);
  });
});
