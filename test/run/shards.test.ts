import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { readDump, writeDump } from '../../lib/cli/dump.js';
import { collect, restore } from '../../lib/cli/transfer.js';
import { RecentReader } from '../../lib/read/recent.js';
import { loadOverview } from '../../lib/read/load.js';
import { historyOf, ofAllShards } from '../../lib/read/shards.js';
import { stats } from '../../lib/read/stats.js';
import { compareNaturally } from '../../lib/rules/natural-order.js';
import { DirectoryKeeper } from '../../lib/run/directory-keeper.js';
import {
  DIRECTORY_FIELD,
  MAINTENANCE_FIELD,
  NOTES_FIELD,
  SHARDS_FIELD,
  STATE_FIELD,
  SUBSCRIBERS_FIELD,
} from '../../lib/record/fields.js';
import { readState } from '../../lib/record/state.js';
import { nameInShard, type Meter, type Store } from '../../lib/store/store.js';
import { meddled } from '../support/meddle.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { FAILED, GOOD, manyTargets, Pinger } from '../support/runs.js';
import { ShardedPinger } from '../support/shards.js';
import { openRemoteStore, openSqlite } from '../support/stores.js';
import { startUpstashFront } from '../support/upstash-front.js';

const MINUTE = 60_000;

let redis: RedisServer;
let folder: string;
let stores = 0;
beforeAll(async () => {
  redis = await startRedis();
  folder = await mkdtemp(join(tmpdir(), 'keepalive-shards-'));
});
afterAll(async () => {
  await redis.stop();
  await rm(folder, { recursive: true });
});

const kinds: Readonly<Record<string, () => Promise<Store>>> = {
  Redis: () => openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: `k${stores++}` }),
  'the embedded database': () => Promise.resolve(openSqlite(join(folder, `${stores++}.db`))),
};

/** So many targets, three to a shard. */
const configOf = (count: number, size = 3) => manyTargets(count, { KEEP_ALIVE_SHARD_SIZE: String(size) });

const idsIn = async (store: Store, shard: number): Promise<string[]> => {
  const { fields } = await store.shard(shard).read({ fields: [STATE_FIELD], logs: [] });
  const text = fields.get(STATE_FIELD);
  return text === undefined ? [] : readState(text).targets.flatMap((target) => target?.id ?? []);
};

/** Shard and slot of each target, by id. */
const slotsIn = async (store: Store) => {
  const places = Array.from({ length: 20 }, async (_, shard) =>
    (await idsIn(store, shard)).map((id, slot) => [id, `${shard}/${slot}`] as const),
  );
  return new Map((await Promise.all(places)).flat());
};

const overview = (store: Store, pinger: ShardedPinger) =>
  ofAllShards(new RecentReader(store, () => pinger.clock.now), pinger.config, (each) =>
    loadOverview(each, pinger.clock.now),
  );
const statsOf = async (store: Store, pinger: ShardedPinger) =>
  stats(pinger.config, await overview(store, pinger), pinger.clock.now);

describe.each(Object.entries(kinds))('shards in %s', (_, open) => {
  let store: Store;
  beforeEach(async () => {
    store = await open();
    return () => store.close();
  });

  it('that are stored apart from the first ones have what all of them share', async () => {
    const shared = [MAINTENANCE_FIELD, NOTES_FIELD, SUBSCRIBERS_FIELD];
    for (const field of shared) await store.swap({ field, expected: null, value: `the ${field}` });
    const ids = Array.from({ length: 25 }, (_each, i) => `t-${i}`);
    const { shards } = await new DirectoryKeeper().place(store, ids, { size: 3, now: store.now() });
    expect(shards).toBe(9);
    const { fields } = await store.shard(8).read({ fields: shared, logs: [] });
    expect([...fields]).toEqual(shared.map((field) => [field, `the ${field}`]));
  });

  it('ping every target once a tick, and one answer tells of all', async () => {
    const pinger = new ShardedPinger(configOf(30), store);
    pinger.attempt = ({ info }) => (info.id === 'service-17' ? FAILED : GOOD);
    for (let tick = 1; tick <= 3; tick += 1) {
      const report = await pinger.tick();
      expect(report).toMatchObject({ status: 'completed', due: 30, checked: 30, failed: 1, stored: true });
      expect([...pinger.asked].sort(compareNaturally)).toEqual(
        pinger.config.targets.map(({ info }) => info.id),
      );
      pinger.clock.now += MINUTE;
    }
    const found = await statsOf(store, pinger);
    expect(found).toMatchObject({
      isRunning: true,
      pingCount: 90,
      failedPings: 3,
      lastRun: { checked: 30, failed: 1 },
      summary: { up: 29, down: 1 },
    });
    expect(found.targets.map(({ id }) => id)).toEqual(pinger.config.targets.map(({ info }) => info.id));
    expect(found.targets.every(({ pingCount }) => pingCount === 3)).toBe(true);
  });

  it('leaves one shard as it is: nothing but its own keys', async () => {
    const pinger = new ShardedPinger(configOf(3), store);
    await pinger.tick();
    expect(
      (await store.read({ fields: [DIRECTORY_FIELD, SHARDS_FIELD, 'state:1'], logs: [] })).fields.size,
    ).toBe(0);
  });

  it('an installation that grows keeps its history where it is', async () => {
    const small = new Pinger(configOf(5, 500), store);
    await small.run();
    const before = await store.read({ fields: [STATE_FIELD], logs: [] });
    const pinger = new ShardedPinger(configOf(9), store);
    pinger.clock.now = small.now + MINUTE;
    await pinger.tick();
    expect(await idsIn(store, 0)).toEqual(
      readState(before.fields.get(STATE_FIELD) ?? '').targets.map((t) => t?.id),
    );
    expect((await statsOf(store, pinger)).targets.map(({ pingCount }) => pingCount)).toEqual([
      ...Array.from({ length: 5 }, () => 2),
      ...Array.from({ length: 4 }, () => 1),
    ]);
  });

  it('one that shrinks below a shard still finds all of its targets', async () => {
    const pinger = new ShardedPinger(configOf(8), store);
    await pinger.tick();
    const smaller = new ShardedPinger(
      { ...pinger.config, targets: pinger.config.targets.slice(5) },
      store,
      pinger.clock,
    );
    pinger.clock.now += MINUTE;
    expect(await smaller.tick()).toMatchObject({ status: 'completed', checked: 3 });
    expect((await statsOf(store, smaller)).targets.map(({ pingCount }) => pingCount)).toEqual([2, 2, 2]);
    expect(await idsIn(store, 0)).toHaveLength(3);
  });

  it('adding and removing targets changes nothing for the others', async () => {
    const all = configOf(40);
    const pinger = new ShardedPinger({ ...all, targets: all.targets.slice(0, 20) }, store);
    await pinger.tick();
    const places = new Map(pinger.directory.known?.directory);
    const slots = await slotsIn(store);
    pinger.config = { ...all, targets: all.targets.slice(10, 30) };
    pinger.clock.now += MINUTE;
    await pinger.tick();
    expect(pinger.asked).toHaveLength(20);
    pinger.config = all;
    pinger.clock.now += MINUTE;
    await pinger.tick();
    for (const [id, { shard }] of places)
      expect(pinger.directory.known?.directory.get(id)?.shard).toBe(shard);
    expect(Object.fromEntries(await slotsIn(store))).toMatchObject(Object.fromEntries(slots));
    const found = await statsOf(store, pinger);
    expect(found.targets.map(({ pingCount }) => pingCount)).toEqual([
      ...Array.from({ length: 10 }, () => 2),
      ...Array.from({ length: 10 }, () => 3),
      ...Array.from({ length: 10 }, () => 2),
      ...Array.from({ length: 10 }, () => 1),
    ]);
    const all40 = (await Promise.all(Array.from({ length: 20 }, (_, shard) => idsIn(store, shard)))).flat();
    expect(all40.sort(compareNaturally)).toEqual(all.targets.map(({ info }) => info.id));
  });

  it('reads one target from its shard', async () => {
    const pinger = new ShardedPinger(configOf(30), store);
    for (let tick = 1; tick <= 2; tick += 1) {
      await pinger.tick();
      pinger.clock.now += MINUTE;
    }
    const asked: string[] = [];
    const watched = (its: Store, number: number): Store => ({
      ...meddled(its, (_call, work) => work()),
      shard: (other) => watched(store.shard(other), other),
      read: (request) => {
        asked.push(...request.fields.map((name) => nameInShard(name, number)));
        return its.read(request);
      },
    });
    const reader = new RecentReader(watched(store, 0), () => pinger.clock.now);
    const { now } = pinger.clock;
    for (const { info } of pinger.config.targets) {
      const history = await historyOf(reader, info.id, pinger.config, now);
      expect(history.checks).toHaveLength(2);
    }
    asked.length = 0;
    pinger.clock.now += MINUTE;
    await historyOf(reader, 'service-29', pinger.config, now);
    const shard = pinger.directory.known?.directory.get('service-29')?.shard ?? -1;
    expect(asked.filter((name) => name.startsWith('state'))).toContain(`state:${shard}`);
    expect(new Set(asked.filter((name) => name.startsWith('state')))).toEqual(new Set([`state:${shard}`]));
  });

  it('is exported and imported with all of its shards', async () => {
    const pinger = new ShardedPinger(configOf(28), store);
    await pinger.tick();
    const dump = readDump([...writeDump(await collect(store), 0)].join(''));
    const other = await open();
    expect(await restore(other, dump, { force: false })).toBe('written');
    expect(await restore(other, dump, { force: false })).toBe('same');
    expect(await statsOf(other, pinger)).toEqual(await statsOf(store, pinger));
    // An installation with fewer takes the place of all of it.
    const smaller = await open();
    await new ShardedPinger(configOf(2), smaller, pinger.clock).tick();
    expect(await restore(other, await collect(smaller), { force: true })).toBe('written');
    expect(await collect(other)).toEqual(await collect(smaller));
    pinger.clock.now += MINUTE;
    expect(await new ShardedPinger(configOf(2), other, pinger.clock).tick()).toMatchObject({ checked: 2 });
    for (const each of [other, smaller]) await each.close();
  });

  it('makes the directory anew of the states where it is lost or damaged', async () => {
    const pinger = new ShardedPinger(configOf(10), store);
    await pinger.tick();
    const known = pinger.directory.known?.directory;
    const { fields } = await store.read({ fields: [DIRECTORY_FIELD], logs: [] });
    await store.swap({
      field: DIRECTORY_FIELD,
      expected: fields.get(DIRECTORY_FIELD) ?? null,
      value: ' 2zzz',
    });
    const other = new ShardedPinger(pinger.config, store, pinger.clock);
    pinger.clock.now += MINUTE;
    expect(await other.tick()).toMatchObject({ status: 'completed', checked: 10 });
    expect(other.directory.known?.directory).toEqual(known);
  });

  it('two processes that change the directory at once lose no place', async () => {
    const ids = Array.from({ length: 24 }, (_, i) => `t${i}`);
    const placing = { size: 3, now: Date.UTC(2026, 0, 5) };
    const [first, second] = await Promise.all(
      [ids.slice(0, 16), ids.slice(8)].map((its) => new DirectoryKeeper().place(store, its, placing)),
    );
    const { directory } = await new DirectoryKeeper().place(store, ids, placing);
    for (const [id, { shard }] of directory) {
      for (const known of [first, second])
        expect([id, known?.directory.get(id)?.shard ?? shard]).toEqual([id, shard]);
    }
  });

  it('two processes that know different targets give each its place once', async () => {
    const all = configOf(24);
    const pingers = [0, 8].map(
      (from) => new ShardedPinger({ ...all, targets: all.targets.slice(from, from + 16) }, store),
    );
    await Promise.all(pingers.map((pinger) => pinger.tick()));
    const ids = (await Promise.all(Array.from({ length: 16 }, (_, shard) => idsIn(store, shard)))).flat();
    expect(ids.length).toBe(new Set(ids).size);
  });
});

it('a tick costs one command besides those of the runs, and a read one for eight shards', async () => {
  const store = await kinds.Redis?.();
  if (store === undefined) throw new Error('no store');
  const pinger = new ShardedPinger(configOf(30), store);
  for (let tick = 1; tick <= 2; tick += 1) {
    await pinger.tick();
    pinger.clock.now += MINUTE;
  }
  const { commands } = await pinger.tick();
  expect(commands).toBe(10 * 7 + 1);
  const meter: Meter = { commands: 0, bytesSent: 0, bytesReceived: 0 };
  const reader = new RecentReader(store.metered(meter), () => pinger.clock.now);
  await ofAllShards(reader, pinger.config, (each) => loadOverview(each, pinger.clock.now));
  expect(meter.commands).toBe(2);
  await store.close();
});

it('pings go on while nobody can say who lives where, and what was found is recorded later', async () => {
  const store = await kinds.Redis?.();
  if (store === undefined) throw new Error('no store');
  const first = new ShardedPinger(configOf(10), store);
  await first.tick();
  const pinger = new ShardedPinger(first.config, store, first.clock);
  pinger.store = await openRemoteStore({ kind: 'redis', url: 'redis://127.0.0.1:1' }, { prefix: 'k' });
  pinger.clock.now += MINUTE;
  expect(await pinger.tick()).toMatchObject({ stored: false, reason: 'store_unreachable', checked: 10 });
  pinger.store = store;
  pinger.clock.now += MINUTE;
  expect(await pinger.tick()).toMatchObject({ stored: true, checked: 10 });
  expect((await statsOf(store, pinger)).targets.map(({ pingCount }) => pingCount)).toEqual(
    Array.from({ length: 10 }, () => 3),
  );
  await store.close();
});

it.each([
  ['one shard', 2],
  ['several shards', 10],
])('pings go on while the store hangs, of %s, and what was found is recorded later', async (_, count) => {
  // An attempt would be waited for until the test is given up.
  const options = { prefix: `k${stores++}`, timeout: 600_000 };
  const store = await openRemoteStore({ kind: 'redis', url: redis.url }, options);
  const pinger = new ShardedPinger({ ...configOf(count), tick: 1_000 }, store);
  await pinger.tick();
  pinger.clock.now += MINUTE;
  redis.hang();
  try {
    expect(await pinger.tick()).toMatchObject({ stored: false, reason: 'store_timeout', checked: count });
  } finally {
    redis.wake();
  }
  pinger.clock.now += MINUTE;
  expect(await pinger.tick()).toMatchObject({ stored: true, checked: count });
  const { targets } = await statsOf(store, pinger);
  expect(targets.map(({ pingCount }) => pingCount)).toEqual(Array.from({ length: count }, () => 3));
  await store.close();
});

describe('a tick whose store goes away at any step', () => {
  /** A tick makes eleven requests. */
  const STEPS = 12;
  const KINDS = inject('long') ? (['refuse', 'lose-answer'] as const) : (['refuse'] as const);
  const ALL = configOf(9);

  /** A tick with three targets more, which the store does not live to see the end of; then it is back. */
  async function suffer(step: number, kind: 'refuse' | 'lose-answer', { dies }: { dies: boolean }) {
    const front = await startUpstashFront({ redisPort: redis.port, token: 'token' });
    const prefix = `sweep-${stores++}`;
    const open = () => openRemoteStore({ kind: 'upstash', url: front.url, token: front.token }, { prefix });
    const store = await open();
    const pinged = new Map<string, number>();
    const count = (pinger: ShardedPinger) => {
      expect(new Set(pinger.asked).size).toBe(pinger.asked.length);
      for (const id of pinger.asked) pinged.set(id, (pinged.get(id) ?? 0) + 1);
    };
    let pinger = new ShardedPinger({ ...ALL, targets: ALL.targets.slice(0, 6) }, store);
    await pinger.tick();
    count(pinger);
    pinger.config = ALL;
    pinger.clock.now += MINUTE;
    let requests = 0;
    front.fault = () => (++requests >= step ? { kind } : null);
    await pinger.tick();
    count(pinger);
    front.fault = () => null;
    if (dies) {
      pinger = new ShardedPinger(ALL, await open(), pinger.clock);
      // Its leases run out.
      for (const name of ['lease', 'lease:1', 'lease:2']) await redis.command('DEL', `${prefix}:${name}`);
    }
    for (let tick = 1; tick <= 2; tick += 1) {
      pinger.clock.now += MINUTE;
      expect(await pinger.tick()).toMatchObject({ status: 'completed', stored: true, checked: 9 });
      count(pinger);
    }
    const { targets } = await statsOf(store, pinger);
    const ids = (await Promise.all([0, 1, 2, 3].map((shard) => idsIn(store, shard)))).flat();
    expect(ids.sort(compareNaturally)).toEqual(ALL.targets.map(({ info }) => info.id));
    const recorded = new Map(targets.map(({ id, pingCount }) => [id, pingCount]));
    await front.close();
    return { recorded, pinged };
  }

  it.each(KINDS)('%s: nothing is lost or counted twice', async (kind) => {
    const found = await Promise.all(
      Array.from({ length: STEPS }, (_, i) => suffer(i + 1, kind, { dies: false })),
    );
    for (const { recorded, pinged } of found) expect(recorded).toEqual(pinged);
  });

  it.runIf(inject('long')).each(['refuse', 'lose-answer'] as const)(
    '%s, and the process dies: no more was recorded than was pinged',
    async (kind) => {
      const found = await Promise.all(
        Array.from({ length: STEPS }, (_, i) => suffer(i + 1, kind, { dies: true })),
      );
      for (const { recorded, pinged } of found) {
        for (const [id, count] of recorded) expect(count).toBeLessThanOrEqual(pinged.get(id) ?? 0);
      }
    },
  );
});
