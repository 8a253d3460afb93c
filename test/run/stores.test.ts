import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readDump, writeDump } from '../../lib/cli/dump.js';
import { collect, restore } from '../../lib/cli/transfer.js';
import { changeField } from '../../lib/http/operator-change.js';
import { loadOverview } from '../../lib/read/load.js';
import { RecentReader } from '../../lib/read/recent.js';
import { historyOf, ofAllShards } from '../../lib/read/shards.js';
import { stats } from '../../lib/read/stats.js';
import { MAINTENANCE_FIELD, STATE_FIELD } from '../../lib/record/fields.js';
import { readState } from '../../lib/record/state.js';
import { DirectoryKeeper } from '../../lib/run/directory-keeper.js';
import type { RemoteStoreConfig } from '../../lib/store/open.js';
import type { Meter, Store } from '../../lib/store/store.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { manyTargets } from '../support/runs.js';
import { ShardedPinger } from '../support/shards.js';
import { openRemoteStore, openRemoteStores } from '../support/stores.js';
import { startUpstashFront, type UpstashFront } from '../support/upstash-front.js';

const MINUTE = 60_000;

let servers: RedisServer[];
let front: UpstashFront;
let installations = 0;
let prefix: string;
beforeAll(async () => {
  servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  front = await startUpstashFront({ redisPort: serverOf(2).port, token: 'token' });
});
afterAll(async () => {
  await front.close();
  for (const server of servers) await server.stop();
});
beforeEach(() => {
  prefix = `k${installations++}`;
});

/** By its number, from 1. */
function serverOf(number: number): RedisServer {
  const server = servers[number - 1];
  if (server === undefined) throw new Error('no such server');
  return server;
}
const tcp = (server: number): RemoteStoreConfig => ({ kind: 'redis', url: serverOf(server).url });
const rest = (): RemoteStoreConfig => ({ kind: 'upstash', url: front.url, token: front.token });

/** The store of these databases, each on the server of its number unless it says another. */
const open = (...configs: readonly (number | [number: number, RemoteStoreConfig])[]): Promise<Store> => {
  const all = configs.map((each) => (typeof each === 'number' ? ([each, tcp(each)] as const) : each));
  return openRemoteStores(Object.fromEntries(all), { prefix });
};

/** So many targets, three to a shard. */
const configOf = (count: number, size = 3) => manyTargets(count, { KEEP_ALIVE_SHARD_SIZE: String(size) });

/** The ids that the state of a shard holds on one server. */
async function idsOn(server: number, shard: number): Promise<string[]> {
  const store = await openRemoteStore(tcp(server), { prefix });
  const { fields } = await store.shard(shard).read({ fields: [STATE_FIELD], logs: [] });
  await store.close();
  const text = fields.get(STATE_FIELD);
  return text === undefined ? [] : readState(text).targets.flatMap((target) => target?.id ?? []);
}

/** The shards that have a state, by server. */
async function shardsOn(server: number): Promise<number[]> {
  const found = await Promise.all(Array.from({ length: 32 }, (_, shard) => idsOn(server, shard)));
  return found.flatMap((ids, shard) => (ids.length > 0 ? [shard] : []));
}

const overview = (store: Store, pinger: ShardedPinger) =>
  ofAllShards(new RecentReader(store, () => pinger.clock.now), pinger.config, (each) =>
    loadOverview(each, pinger.clock.now),
  );
const statsOf = async (store: Store, pinger: ShardedPinger) =>
  stats(pinger.config, await overview(store, pinger), pinger.clock.now);
const pingsOf = async (store: Store, pinger: ShardedPinger) =>
  new Map((await statsOf(store, pinger)).targets.map(({ id, pingCount }) => [id, pingCount]));

describe.each([
  ['over TCP', () => open(1, 2)],
  ['the second over REST', () => open(1, [2, rest()])],
])('two databases, %s', (_, openBoth) => {
  it('share the shards evenly, and one answer tells of all', async () => {
    const store = await openBoth();
    const pinger = new ShardedPinger(configOf(15), store);
    for (let tick = 1; tick <= 3; tick += 1) {
      const report = await pinger.tick();
      expect(report).toMatchObject({ status: 'completed', checked: 15, stored: true });
      expect([...pinger.asked].sort()).toEqual(pinger.config.targets.map(({ info }) => info.id));
      pinger.clock.now += MINUTE;
    }
    expect(await shardsOn(1)).toEqual([0, 1, 2]);
    expect(await shardsOn(2)).toEqual([8, 9]);
    expect(await statsOf(store, pinger)).toMatchObject({ pingCount: 45, summary: { up: 15 } });
    const meter: Meter = { commands: 0, bytesSent: 0, bytesReceived: 0 };
    const reader = new RecentReader(store.metered(meter), () => pinger.clock.now);
    const readAll = () => ofAllShards(reader, pinger.config, (each) => loadOverview(each, pinger.clock.now));
    await readAll();
    pinger.clock.now += MINUTE;
    meter.commands = 0;
    await readAll();
    expect(meter.commands).toBe(2);
    const { commands } = await pinger.tick();
    expect(commands).toBe(5 * 7 + 1);
    for (const { info } of pinger.config.targets) {
      const other = new RecentReader(store, () => pinger.clock.now);
      expect((await historyOf(other, info.id, pinger.config, pinger.clock.now)).checks).toHaveLength(4);
    }
    await store.close();
  });

  it('have what all shards share, and each change of it', async () => {
    const store = await openBoth();
    await store.swap({ field: MAINTENANCE_FIELD, expected: null, value: 'before' });
    await new ShardedPinger(configOf(6), store).tick();
    const there = async () =>
      (await store.shard(8).read({ fields: [MAINTENANCE_FIELD], logs: [] })).fields.get(MAINTENANCE_FIELD);
    expect(await there()).toBe('before');
    const change = { value: 'after', answer: () => new Response() };
    expect((await changeField(store, MAINTENANCE_FIELD, () => change)).status).toBe(200);
    expect(await there()).toBe('after');
    await store.close();
  });
});

describe('a database that is added', () => {
  it('moves nobody, and takes the next shards', async () => {
    const all = configOf(24);
    const before = new ShardedPinger({ ...all, targets: all.targets.slice(0, 9) }, await open(1));
    await before.tick();
    const places = new Map(before.directory.known?.directory);
    const pinger = new ShardedPinger(all, await open(1, 3), before.clock);
    pinger.clock.now += MINUTE;
    expect(await pinger.tick()).toMatchObject({ status: 'completed', checked: 24, stored: true });
    for (const [id, place] of places) expect(pinger.directory.known?.directory.get(id)).toEqual(place);
    expect(await shardsOn(1)).toEqual([0, 1, 2, 3]);
    expect(await shardsOn(3)).toEqual([8, 9, 10, 11]);
    const pings = await pingsOf(pinger.store as Store, pinger);
    for (const { info } of all.targets) expect(pings.get(info.id)).toBe(places.has(info.id) ? 2 : 1);
  });

  it('changes nothing where one shard is enough: no command, no key', async () => {
    const one = new ShardedPinger(configOf(3), await open(1));
    const first = await one.tick();
    const keys = await serverOf(1).command('KEYS', `${prefix}:*`);
    prefix = `k${installations++}`;
    const two = new ShardedPinger(configOf(3), await open(1, 2));
    expect((await two.tick()).commands).toBe(first.commands);
    expect(await serverOf(2).command('KEYS', `${prefix}:*`)).toEqual([]);
    expect(await serverOf(1).command('KEYS', `${prefix}:*`)).toHaveLength((keys as unknown[]).length);
  });
});

describe('a database that is not the right one', () => {
  /** Two databases with two shards each, and what each server holds. */
  async function installed(): Promise<ShardedPinger> {
    const pinger = new ShardedPinger(configOf(12), await open(1, 2));
    await pinger.tick();
    pinger.clock.now += MINUTE;
    return pinger;
  }
  const dumps = () =>
    Promise.all(
      servers.map(async (server) => {
        const keys = (await server.command('KEYS', `${prefix}:*data*`)) as string[];
        return Promise.all(keys.sort().map(async (key) => [key, await server.command('HGETALL', key)]));
      }),
    );

  it.each<[string, () => Promise<Store>, string, string, number[]]>([
    ['the second is not set', () => open(1), 'REDIS_URL_2', 'store_unreachable', [1]],
    ['the second is an empty one', () => open(1, [2, tcp(3)]), 'REDIS_URL_2', 'store_mismatch', [1]],
    ['both are exchanged', () => open([1, tcp(2)], [2, tcp(1)]), 'REDIS_URL', 'store_mismatch', []],
    ['the first is an empty one', () => open([1, tcp(3)], 2), 'REDIS_URL', 'store_mismatch', [2]],
    ['the first is the second, alone', () => open([1, tcp(2)]), 'REDIS_URL', 'store_mismatch', []],
  ])('%s: everybody is pinged, and no history is begun anew', async (_, openWrong, name, reason, others) => {
    const before = await installed();
    const stored = await dumps();
    const wrong = new ShardedPinger(before.config, await openWrong(), before.clock);
    const report = await wrong.tick();
    expect(report.checked).toBe(12);
    expect(report.stored).toBe(false);
    expect([...wrong.asked].sort()).toEqual(before.config.targets.map(({ info }) => info.id));
    const said = wrong.lines.filter((line) => line.includes('run_not_stored'));
    expect(said.length).toBeGreaterThan(0);
    for (const line of said) expect(JSON.parse(line)).toMatchObject({ reason });
    expect(said.join()).toContain(name);
    const now = await dumps();
    for (const [i, keys] of now.entries()) if (!others.includes(i + 1)) expect(keys).toEqual(stored[i]);
    // The shards of the others are on record.
    if (others.length > 0) expect(said).toHaveLength(2);
    // Set right again, everything goes on.
    const after = new ShardedPinger(before.config, await open(1, 2), before.clock);
    after.clock.now += MINUTE;
    await serverOf(1).expireLeases();
    expect(await after.tick()).toMatchObject({ checked: 12, stored: true });
    expect(after.directory.known?.directory).toEqual(before.directory.known?.directory);
    expect(await serverOf(3).command('KEYS', `${prefix}:*`)).toEqual([]);
  });

  it('as another installation has it: it is not used, and a line says so', async () => {
    const other = new ShardedPinger(configOf(3), await open([1, tcp(2)]));
    await other.tick();
    const pinger = new ShardedPinger(configOf(12), await open(1, 2), other.clock);
    const lines: string[] = [];
    const { targets, shardSize } = pinger.config;
    const ids = targets.map(({ info }) => info.id);
    const placing = { size: shardSize, now: pinger.clock.now };
    await new DirectoryKeeper((line) => lines.push(line)).place(pinger.store as Store, ids, placing);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        event: 'database_not_used',
        database: 'REDIS_URL_2',
        message: 'it holds data of another installation: set another KEEP_ALIVE_PREFIX, or another database',
      },
    ]);
    expect(await pinger.tick()).toMatchObject({ checked: 12, stored: true });
    expect(await shardsOn(1)).toEqual([0, 1, 2, 3]);
    expect(await shardsOn(2)).toEqual([0]);
  });
});

describe('an export', () => {
  it.each<[string, () => Promise<Store>, number[][]]>([
    ['two others', () => open(1, 2), [[0, 1, 2], [8, 9], []]],
    ['one', () => open(1), [[0, 1, 2, 3, 4], [], []]],
    ['three', () => open(1, 2, 3), [[0, 1], [8, 9], [16]]],
    ['two of which the third is one', () => open(1, 3), [[0, 1, 2], [], [8, 9]]],
  ])(
    'of two databases goes into %s, with all figures, and everything goes on',
    async (_, openOther, where) => {
      const pinger = new ShardedPinger(configOf(14), await open(1, 2));
      for (let tick = 1; tick <= 2; tick += 1) {
        await pinger.tick();
        pinger.clock.now += MINUTE;
      }
      const figures = await statsOf(pinger.store as Store, pinger);
      const dump = readDump([...writeDump(await collect(pinger.store as Store), 0)].join(''));
      prefix = `k${installations++}`;
      const other = await openOther();
      expect(await restore(other, dump, { force: false })).toBe('written');
      expect(await restore(other, dump, { force: false })).toBe('same');
      expect(await Promise.all([1, 2, 3].map(shardsOn))).toEqual(where);
      expect(await statsOf(other, pinger)).toEqual(figures);
      const next = new ShardedPinger(pinger.config, await openOther(), pinger.clock);
      expect(await next.tick()).toMatchObject({ checked: 14, stored: true });
      expect([...(await pingsOf(other, next)).values()]).toEqual(Array.from({ length: 14 }, () => 3));
      // Into a place with other data it goes by force alone, and takes the place of all of it.
      await expect(restore(other, dump, { force: false })).rejects.toThrow('holds data already');
      expect(await restore(other, dump, { force: true })).toBe('written');
      expect(await statsOf(other, pinger)).toEqual(figures);
    },
  );

  it('of one shard takes the place of several databases, which can be used again', async () => {
    const one = new ShardedPinger(configOf(3), await open(1));
    await one.tick();
    const dump = await collect(one.store as Store);
    prefix = `k${installations++}`;
    const store = await open(1, 2);
    const pinger = new ShardedPinger(configOf(9), store, one.clock);
    await pinger.tick();
    expect(await restore(store, dump, { force: true })).toBe('written');
    expect(await Promise.all([1, 2].map(shardsOn))).toEqual([[0], []]);
    const next = new ShardedPinger(configOf(9), await open(1, 2), one.clock);
    next.clock.now += MINUTE;
    expect(await next.tick()).toMatchObject({ checked: 9, stored: true });
    expect(await Promise.all([1, 2].map(shardsOn))).toEqual([[0, 1], [8]]);
  });
});
