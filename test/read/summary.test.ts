import { describe, expect, it } from 'vitest';
import { loadHistory, loadSummary } from '../../lib/read/load.js';
import { stats, summary, targetHistory } from '../../lib/read/stats.js';
import type { Store } from '../../lib/store/store.js';
import { Books } from '../support/books.js';
import { chanceOf, lived } from '../support/lives.js';
import { configOf } from '../support/runs.js';
import { aTarget, failedCheck, goodCheck } from '../support/targets.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 4, 20, 13, 37, 12);

const config = configOf({
  TARGET_A_URL: 'https://a.example.com',
  TARGET_B_URL: 'https://b.up.railway.app',
  TARGET_C_URL: 'https://c.example.com',
});
const lives = [
  { latency: 120, outages: [{ ago: 10 * DAY, length: 5 * HOUR }] },
  { latency: 40, age: 9 * DAY },
  { latency: 60, outages: [{ ago: 3 * HOUR, length: 2 * HOUR }], coldStarts: [6 * HOUR] },
];

/** A store with what the books hold, never asked before. */
const fresh = (books: Books): Store => ({ ...books.store });

describe('the days and hours of all targets', () => {
  const books = lived(config, lives, NOW, { step: 5 * HOUR, lately: 10 * MINUTE });

  it('are those of each target’s history, and the rest is what the API answers', async () => {
    const seen = summary(config, await loadSummary(fresh(books), NOW), NOW);
    const answered = stats(config, await books.overview(NOW), NOW);
    for (const [i, target] of config.targets.entries()) {
      const history = targetHistory(config, target, await books.history(target.info.id, NOW), NOW);
      const { days, latencies, ...rest } = seen.targets[i] ?? { days: [], latencies: [] };
      expect(rest).toEqual({ ...answered.targets[i], order: null });
      expect(days).toHaveLength(90);
      expect(days.slice(-history.days.length)).toEqual(
        history.days.map(({ from, uptimeRatio, coverage, downtimeMs }) => ({
          from,
          uptimeRatio,
          coverage,
          downtimeMs,
        })),
      );
      expect(latencies).toHaveLength(25);
      expect(latencies).toEqual(history.hours.slice(-25).map(({ latencyMs }) => latencyMs.p50));
    }
  });

  it('hold nothing of the days before a target was added', async () => {
    const seen = summary(config, await loadSummary(fresh(books), NOW), NOW);
    const before = seen.targets[1]?.days.slice(0, 80) ?? [];
    expect(before.map(({ uptimeRatio, coverage }) => [uptimeRatio, coverage])).toEqual(
      Array.from({ length: 80 }, () => [null, null]),
    );
  });
});

it('snapshots that were read before are not read again, and tell the same as fresh ones', async () => {
  const chance = chanceOf(5);
  const books = new Books(MINUTE, [aTarget('a'), aTarget('b')]);
  const watch = { enabled: true, tick: MINUTE, targets: books.targets };
  const [, other] = books.targets;
  if (other === undefined) throw new Error('no target');
  const asked: number[] = [];
  const askedOfOne: number[] = [];
  const { store } = books;
  const watched: Store = {
    ...store,
    read: (request) => {
      asked.push(request.fields.length);
      return store.read(request);
    },
  };
  for (let now = NOW; now < NOW + 3 * DAY; now += 7 * MINUTE) {
    // Now and then runs are missed for hours, and some targets fail.
    if (chance() > 0.99) now += Math.floor(chance() * 9) * HOUR;
    books.run(now, [
      ['a', goodCheck(now, { latency: Math.floor(chance() * 500) })],
      ['b', chance() > 0.9 ? failedCheck(now) : goodCheck(now)],
    ]);
    if (chance() > 0.7) {
      const seen = summary(watch, await loadSummary(watched, now), now);
      expect(seen).toEqual(summary(watch, await loadSummary(fresh(books), now), now));
    }
    if (chance() > 0.9) {
      const before = asked.length;
      const history = await loadHistory(watched, 'b', now);
      askedOfOne.push(Math.max(...asked.splice(before)));
      expect(targetHistory(watch, other, history, now)).toEqual(
        targetHistory(watch, other, await loadHistory(fresh(books), 'b', now), now),
      );
    }
  }
  // After a day all hours are known; midnights from before the first run are looked for each time.
  expect(asked[0]).toBeGreaterThan(100);
  expect(Math.min(...asked)).toBeLessThan(94);
  // Of one target, its incidents are read besides; of the hours, those from before the first run.
  expect(Math.max(...askedOfOne) - Math.min(...askedOfOne)).toBeGreaterThan(60);
});

it('snapshots of data that is gone are not taken for those of what is there now', async () => {
  const [before, after] = [3, 5].map((outages) => {
    const books = new Books(MINUTE, [aTarget('a')]);
    for (let now = NOW - DAY + outages; now < NOW; now += 10 * MINUTE) {
      books.run(now, [['a', now < NOW - outages * HOUR ? goodCheck(now) : failedCheck(now)]]);
    }
    return books;
  });
  if (before === undefined || after === undefined) throw new Error('no books');
  let books = before;
  const store: Store = { ...before.store, read: (request) => books.store.read(request) };
  const watch = { enabled: true, tick: MINUTE, targets: before.targets };
  await loadSummary(store, NOW);
  books = after;
  expect(summary(watch, await loadSummary(store, NOW), NOW)).toEqual(
    summary(watch, await loadSummary(fresh(after), NOW), NOW),
  );
  books = before;
  expect((await loadHistory(store, 'a', NOW)).snapshots).toEqual(
    (await loadHistory(fresh(before), 'a', NOW)).snapshots,
  );
});

it.each([
  ['in time', 0, false],
  ['two ticks late', 2 * MINUTE, false],
  ['three ticks late', 3 * MINUTE, false],
  ['later than that', 3 * MINUTE + 1, true],
])('a page is %s', async (_, late, isStale) => {
  const books = new Books(MINUTE, [aTarget('a')]);
  books.run(NOW, [['a', goodCheck(NOW)]]);
  const watch = { enabled: true, tick: MINUTE, targets: books.targets };
  const now = NOW + late;
  expect(summary(watch, await loadSummary(books.store, now), now).freshness).toEqual({
    updatedAt: new Date(now).toISOString(),
    enabled: true,
    lastRunAt: new Date(NOW).toISOString(),
    isStale,
    recordedSince: new Date(NOW).toISOString(),
    lost: null,
  });
});
