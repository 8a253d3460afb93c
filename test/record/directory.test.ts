import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hashOf,
  placed,
  placedIn,
  readDirectory,
  readPlaces,
  readShards,
  shardCount,
  writeDirectory,
  writeShards,
  type Directory,
  type Places,
} from '../../lib/record/directory.js';

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 5, 12);
const EMPTY: Directory = new Map();

const ids = fc.uniqueArray(fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,8}$/), { maxLength: 40 });
const sizes = fc.integer({ min: 1, max: 7 });
/** Configurations that follow each other, and the days between them. */
const history = fc.array(fc.record({ ids, days: fc.integer({ min: 0, max: 60 }) }), { maxLength: 6 });

describe('the directory', () => {
  it('has a place for each target of the configuration, and moves nobody while the history lasts', () => {
    fc.assert(
      fc.property(history, sizes, (steps, size) => {
        let directory = EMPTY;
        let now = START;
        const seen = new Map<string, { shard: number; at: number }>();
        for (const step of steps) {
          now += step.days * DAY;
          directory = placed(directory, step.ids, { size, now });
          for (const id of step.ids) {
            const shard = directory.get(id)?.shard;
            expect(shard).toBeDefined();
            const before = seen.get(id);
            if (before !== undefined && now - before.at < 92 * DAY) expect(shard).toBe(before.shard);
            seen.set(id, { shard: shard ?? -1, at: now });
          }
          const counts = new Map<number, number>();
          for (const { shard } of directory.values()) counts.set(shard, (counts.get(shard) ?? 0) + 1);
          expect(Math.max(0, ...counts.values())).toBeLessThanOrEqual(size);
        }
      }),
    );
  });

  it('is the very same where nothing changes, and reads as it was written', () => {
    fc.assert(
      fc.property(ids, ids, sizes, (before, after, size) => {
        const directory = placed(placed(EMPTY, before, { size, now: START }), after, {
          size,
          now: START + DAY,
        });
        expect(placed(directory, after, { size, now: START + 2 * DAY })).toBe(directory);
        expect(readDirectory(writeDirectory(directory))).toEqual(directory);
        expect(shardCount(directory)).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it('forgets a target when its history is over, and fills the gap', () => {
    const full = placed(EMPTY, ['a', 'b', 'c'], { size: 2, now: START });
    const without = placed(full, ['b', 'c'], { size: 2, now: START + DAY });
    expect(placed(without, ['b', 'c', 'd'], { size: 2, now: START + 90 * DAY }).get('d')).toMatchObject({
      shard: 1,
    });
    const later = placed(without, ['b', 'c', 'd'], { size: 2, now: START + 96 * DAY });
    expect(later.get('d')).toEqual({ shard: 0, gone: null });
    expect(later.has('a')).toBe(false);
  });

  it('of ten thousand targets moves nobody else where a thousand go and a thousand come', () => {
    const many = Array.from({ length: 11_000 }, (_, i) => `service-${i}`);
    const before = placed(EMPTY, many.slice(0, 10_000), { size: 500, now: START });
    const after = placed(before, many.slice(1_000), { size: 500, now: START + DAY });
    for (const id of many.slice(1_000, 10_000)) expect(after.get(id)).toBe(before.get(id));
    for (const id of many.slice(0, 1_000)) expect(after.get(id)?.shard).toBe(before.get(id)?.shard);
    expect([shardCount(before), shardCount(after), after.size]).toEqual([20, 22, 11_000]);
  });

  it('is small: ten thousand targets take less than 8 bytes each', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `service-${(i * 7919) % 100_003}-eu`);
    const text = writeDirectory(placed(EMPTY, many, { size: 500, now: START }));
    expect(text.length).toBeLessThan(80_000);
  });

  it.each(['', 'a b', ' 2', ' 2AAAA', ' 9x', writeShards({ count: 2, directory: 'x' })])(
    'refuses what is none: %j',
    (text) => {
      expect(() => readDirectory(text)).toThrow();
    },
  );
});

describe('the number of shards', () => {
  it('reads as it was written; absent is one shard', () => {
    const shards = { count: 20, directory: hashOf('x') };
    expect(readShards(writeShards(shards))).toEqual(shards);
    expect(readShards(null)).toBeNull();
  });

  it.each(['', '20 x', ' 2', ' 2x y', ' 220', ' 320 x'])('refuses what is none: %j', (text) => {
    expect(() => readShards(text)).toThrow();
  });
});

describe('places in several databases', () => {
  const TOGETHER = 4;
  const databases = fc
    .uniqueArray(fc.constantFrom(2, 3, 4), { maxLength: 3 })
    .map((more) => [1, ...more.sort()]);
  const changes = fc.array(fc.record({ ids, days: fc.integer({ min: 0, max: 20 }), usable: databases }), {
    minLength: 1,
    maxLength: 6,
  });

  it('are for good, whatever targets and databases come and go', () => {
    fc.assert(
      fc.property(changes, sizes, (steps, size) => {
        let places: Places = { directory: EMPTY, stores: [1] };
        let now = START;
        const seen = new Map<string, { shard: number; store: number | undefined }>();
        for (const { ids: wanted, days, usable } of steps) {
          now += days * DAY;
          // Nobody is forgotten in the days of these steps together.
          if (now - START > 90 * DAY) return;
          const next = placedIn(places, wanted, { size, now, spread: { usable, together: TOGETHER } });
          const storeOf = (shard: number) => next.stores[Math.floor(shard / TOGETHER)];
          for (const [id, { shard }] of next.directory) {
            const before = seen.get(id);
            if (before === undefined) {
              expect(usable).toContain(storeOf(shard));
              seen.set(id, { shard, store: storeOf(shard) });
            } else expect({ shard, store: storeOf(shard) }).toEqual(before);
          }
          for (const id of wanted) expect(next.directory.has(id)).toBe(true);
          expect(next.stores.slice(0, places.stores.length)).toEqual(places.stores);
          const counts = new Map<number, number>();
          for (const { shard } of next.directory.values()) counts.set(shard, (counts.get(shard) ?? 0) + 1);
          expect(Math.max(0, ...counts.values())).toBeLessThanOrEqual(size);
          places = next;
        }
      }),
    );
  });

  it('spread evenly over databases that were there from the beginning', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), databases, (amount, usable) => {
        const all = Array.from({ length: amount }, (_, i) => `t${i}`);
        const spread = { usable, together: TOGETHER };
        const { directory, stores } = placedIn({ directory: EMPTY, stores: [1] }, all, {
          size: 1,
          now: START,
          spread,
        });
        const counts = usable.map(
          (number) =>
            [...directory.values()].filter(({ shard }) => stores[Math.floor(shard / TOGETHER)] === number)
              .length,
        );
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        expect(stores.length).toBeLessThanOrEqual(
          Math.ceil(amount / usable.length / TOGETHER) * usable.length,
        );
      }),
    );
  });

  const PLACES: Directory = new Map([
    ['api', { shard: 0, gone: null }],
    ['old', { shard: 0, gone: 20_000 }],
    ['web', { shard: 8, gone: null }],
  ]);
  const LAYOUT = { origin: '5xJq0bTfK2aW', stores: [1, 2] };

  it('read as they were written, and open as they were stored before', () => {
    const text = writeDirectory(PLACES, LAYOUT);
    expect(readPlaces(text)).toEqual({ directory: PLACES, layout: LAYOUT });
    expect(text.slice(0, 2)).toBe(' 3');
    expect(readPlaces(' 3M63wKjRICknzNkoMVzA04gKJ5eek1KWlZXNBQXlqEgA=').layout).toEqual(LAYOUT);
    // What tells of one database is as it ever was.
    const one: Directory = new Map([
      ['api', { shard: 0, gone: null }],
      ['web', { shard: 1, gone: 20_000 }],
    ]);
    expect(writeDirectory(one)).toBe(' 2SyzI5CpPTapLS8sGAA==');
    expect(readPlaces(' 2SyzI5CpPTapLS8sGAA==')).toEqual({
      directory: one,
      layout: { origin: null, stores: [] },
    });
  });

  it('are told of in each database', () => {
    const shards = { count: 9, directory: 'wkZ1Mx0hR9aQ', layout: LAYOUT };
    expect(writeShards(shards)).toBe(' 39 wkZ1Mx0hR9aQ 5xJq0bTfK2aW 12');
    expect(writeShards({ ...shards, store: 2 })).toBe(' 39 wkZ1Mx0hR9aQ 5xJq0bTfK2aW 12 =2');
    for (const each of [shards, { ...shards, store: 2 }]) expect(readShards(writeShards(each))).toEqual(each);
  });

  it.each([' 39 x', ' 39 x 5xJq0bTfK2aW', ' 29 x 5xJq 12', ' 39 x 5xJq 10', ' 39 x 5xJq 12 =1', ''])(
    'refuse what is none: %j',
    (text) => {
      expect(() => readShards(text)).toThrow();
    },
  );
});
