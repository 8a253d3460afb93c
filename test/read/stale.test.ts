import { expect, it } from 'vitest';
import { recentIncidents } from '../../lib/read/incident-views.js';
import { loadHistory, loadLatestIncidents, loadOverview } from '../../lib/read/load.js';
import { freshness, stats, targetHistory } from '../../lib/read/stats.js';
import { STATE_FIELD } from '../../lib/record/fields.js';
import type { Status } from '../../lib/types.js';
import { Books } from '../support/books.js';
import { aTarget, failedCheck, goodCheck } from '../support/targets.js';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 5, 12);
const iso = (time: number) => new Date(time).toISOString();

const targets = [
  aTarget('good'),
  aTarget('bad', { failureThreshold: 1 }),
  aTarget('paused', { info: { enabled: false } }),
];
const watch = { enabled: true, tick: MINUTE, targets };

function afterRuns() {
  const books = new Books(MINUTE, targets);
  for (let at = START; at <= START + 5 * MINUTE; at += MINUTE) {
    books.run(at, [
      ['good', goodCheck(at)],
      ['bad', failedCheck(at)],
    ]);
  }
  const at = async (late: number) => {
    const now = START + 5 * MINUTE + late;
    const found = stats(watch, await books.overview(now), now);
    return { found, status: found.targets.map(({ status }): Status => status) };
  };
  return { books, at };
}

it('no target is up or down any more when no run came for three ticks', async () => {
  const { books, at } = afterRuns();
  const before = await at(3 * MINUTE);
  expect(before.found).toMatchObject({ stale: false, summary: { up: 1, down: 1, paused: 1, pending: 0 } });
  expect(before.status).toEqual(['up', 'down', 'paused']);
  const after = await at(3 * MINUTE + 1);
  const since = START + 5 * MINUTE;
  expect(after.found).toMatchObject({
    isRunning: false,
    stale: true,
    summary: { up: 0, down: 0, degraded: 0, paused: 1, pending: 2 },
    targets: [
      { status: 'pending', lastKnownStatus: 'up', since: iso(since) },
      { status: 'pending', lastKnownStatus: 'down', incident: { endedAt: null } },
      { status: 'paused', lastKnownStatus: null },
    ],
  });
  const now = since + 10 * MINUTE;
  const history = await books.history('good', now);
  expect(targetHistory(watch, targets[0] ?? aTarget('good'), history, now)).toMatchObject({
    stale: true,
    status: 'pending',
    recordedSince: iso(START),
  });
  const latest = await loadLatestIncidents(books.store, since);
  expect(recentIncidents(watch, latest, since, 10).staleSince).toBeNull();
  expect(recentIncidents(watch, latest, now, 10).staleSince).toBe(iso(since));
});

it('nothing is stale that is not to be pinged', async () => {
  const { books } = afterRuns();
  const now = START + 60 * MINUTE;
  const off = { ...watch, enabled: false };
  expect(stats(off, await books.overview(now), now).stale).toBe(false);
  expect(stats({ ...watch, targets: [] }, await books.overview(now), now).stale).toBe(false);
  expect(stats(watch, await new Books().overview(now), now).stale).toBe(false);
});

it('data that are gone are told of by a process that has read them, and by all once a run has recorded it', async () => {
  const { books } = afterRuns();
  const { store } = books;
  const now = START + 6 * MINUTE;
  const lost = { from: iso(START), to: iso(START + 5 * MINUTE) };
  expect(freshness(watch, await loadOverview(store, now), now).lost).toBeNull();
  books.fields.clear();
  books.logs.clear();
  expect(freshness(watch, await loadOverview(store, now), now)).toMatchObject({ recordedSince: null, lost });
  const elsewhere = { ...books.store };
  expect(freshness(watch, await loadOverview(elsewhere, now), now)).toMatchObject({ lost: null });

  books.remembered = { firstRunAt: START, lastRunAt: START + 5 * MINUTE };
  books.run(now, [['good', goodCheck(now)]]);
  books.remembered = null;
  books.run(now + MINUTE, [['good', goodCheck(now + MINUTE)]]);
  for (const reader of [store, { ...books.store }]) {
    const found = freshness(watch, await loadOverview(reader, now), now + MINUTE);
    expect(found).toMatchObject({ recordedSince: iso(now), lost });
  }
  expect(books.fields.get(STATE_FIELD)).toBeDefined();
  expect((await loadHistory(store, 'good', now + MINUTE)).lost).not.toBeNull();
});
