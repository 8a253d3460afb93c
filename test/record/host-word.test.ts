import { expect, it } from 'vitest';
import { stats } from '../../lib/read/stats.js';
import { OUTBOX_FIELD } from '../../lib/record/fields.js';
import { readOutbox } from '../../lib/record/outbox-text.js';
import type { HostWord } from '../../lib/types.js';
import { Books } from '../support/books.js';
import { aTarget, failedCheck, goodCheck, type CheckChanges } from '../support/targets.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 5, 12);
const EVERY = 2 * MINUTE;

const TARGET = aTarget('api', {
  info: { host: 'railway', sleepsAfter: 5 * MINUTE, interval: EVERY },
  hostToken: { value: 'S3cret', variable: 'TARGET_API_HOST_TOKEN' },
});
const MESSAGES = { running: 'Railway says that it runs', asleep: 'Railway says that the app sleeps' };

/** A check every two minutes. `r`, `a`: the host is asked, and says that the app runs, or sleeps. */
function play(letters: string, changes: Readonly<Record<number, CheckChanges>> = {}) {
  const books = new Books(EVERY, [TARGET], ['slack']);
  const told: string[] = [];
  const seen = new Set<string>();
  let word: HostWord | null = null;
  let at = START;
  for (const [i, letter] of Array.from(letters).entries()) {
    at = START + i * EVERY;
    const says = letter === 'r' ? 'running' : letter === 'a' || letter === 'F' ? 'asleep' : null;
    if (says !== null) word = { at: at + 1_000, says, message: MESSAGES[says] };
    const check = letter === 'f' || letter === 'F' ? failedCheck : goodCheck;
    const asleep = letter === 'F' ? ({ origin: 'asleep', reason: 'host' } as const) : {};
    books.run(at, [['api', check(at, { word, ...asleep, ...changes[i] })]]);
    for (const { alert } of readOutbox(books.fields.get(OUTBOX_FIELD) ?? null).alerts) {
      if (seen.has(alert.id)) continue;
      seen.add(alert.id);
      told.push(`${alert.kind}@${i}`);
    }
  }
  return { books, told, now: at };
}

async function awake({ books, now }: ReturnType<typeof play>) {
  const [found] = stats(
    { enabled: true, tick: EVERY, targets: [TARGET] },
    await books.overview(now),
    now,
  ).targets;
  return found?.awake;
}

it.each([
  // A dot: the host is not asked.
  ['it says that the app runs', 'r....r....', []],
  ['it says that it sleeps, for as long as that lasts', 'r....a....a....a....', ['contradicted@5']],
  ['it takes that back, and says it again within a day', 'r....a.r..a....', ['contradicted@5']],
  ['the first word of all', '..a....', ['contradicted@2']],
  ['the very first check, which may have woken it', 'a....r', []],
  // The host was asked while it slept, and is not asked again: that it sleeps is of before.
  ['it slept, and answers again', 'r...F.....', []],
])('a contradiction is told of once: %s', (_, letters, expected) => {
  expect(play(letters).told.filter((each) => each.startsWith('contra'))).toEqual(expected);
});

it('a cold start is no contradiction', () => {
  const { told } = play('r....a.', { 5: { coldStart: true, wakeMs: 9_000 } });
  expect(told).toEqual(['slept@5']);
});

it('while it lasts the host’s word is what the verdict rests on', async () => {
  expect(await awake(play('r....r...'))).toMatchObject({ keptAwake: true, proof: 'container' });
  const contradicted = play('r....a...');
  expect(await awake(contradicted)).toMatchObject({ keptAwake: false, proof: 'host' });
  expect(await awake(play('r....a....r...'))).toMatchObject({ keptAwake: false, proof: 'container' });
});

it('what it said is stored, for the runs of other processes', async () => {
  const { books, now } = play('r....');
  expect(books.open(now + EVERY).hostWordOf('api')).toEqual({
    at: START + 1_000,
    says: 'running',
    message: MESSAGES.running,
  });
  // Nothing is known of a word when the token is gone.
  books.targets = [{ ...TARGET, hostToken: null }];
  books.run(now + HOUR, [['api', goodCheck(now + HOUR)]]);
  expect(books.open(now + HOUR + EVERY).hostWordOf('api')).toBeNull();
  const texts = [...books.fields.values(), ...books.logs.values(), JSON.stringify(await books.overview(now))];
  for (const text of texts) expect(text).not.toContain('S3cret');
});
