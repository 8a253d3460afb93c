import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { readDump, writeDump } from '../../lib/cli/dump.js';
import { collect, restore } from '../../lib/cli/transfer.js';
import { setApp } from '../../lib/app.js';
import { DeliveryError, type Channel } from '../../lib/deliver/channel.js';
import { answerBadge } from '../../lib/http/badge-endpoint.js';
import { answerFeed } from '../../lib/http/feed-endpoint.js';
import { answerHealth } from '../../lib/http/health-endpoint.js';
import { answerMetrics } from '../../lib/http/metrics-endpoint.js';
import { answerPages } from '../../lib/http/pages.js';
import { answerKeepalive } from '../../lib/http/stats-endpoint.js';
import { changeField } from '../../lib/http/operator-change.js';
import type { Health } from '../../lib/read/health.js';
import { loadOverview } from '../../lib/read/load.js';
import { RecentReader } from '../../lib/read/recent.js';
import { historyOf, ofAllShards } from '../../lib/read/shards.js';
import { stats } from '../../lib/read/stats.js';
import type { Stats } from '../../lib/read/views.js';
import { DELIVERIES_COPY_FIELD, MAINTENANCE_FIELD, STATE_FIELD } from '../../lib/record/fields.js';
import { readState } from '../../lib/record/state.js';
import { compareNaturally } from '../../lib/rules/natural-order.js';
import { DirectoryKeeper } from '../../lib/run/directory-keeper.js';
import { dispatch, type Engine } from '../../lib/run/dispatch.js';
import type { RemoteStoreConfig } from '../../lib/store/open.js';
import { nameInShard, type Meter, type Store } from '../../lib/store/store.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { FAILED, GOOD, manyTargets } from '../support/runs.js';
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

/** The shards that have a state on one server. */
async function shardsOn(server: number): Promise<number[]> {
  const store = await openRemoteStore(tcp(server), { prefix });
  const names = Array.from({ length: 32 }, (_, shard) => nameInShard(STATE_FIELD, shard));
  const { fields } = await store.read({ fields: names, logs: [] });
  await store.close();
  return names.flatMap((name, shard) => (fields.has(name) ? [shard] : []));
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
      expect([...pinger.asked].sort(compareNaturally)).toEqual(
        pinger.config.targets.map(({ info }) => info.id),
      );
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

it('two processes that begin an installation at the same time agree on it', async () => {
  const store = await open(1, 2);
  const [first, second] = [new DirectoryKeeper(), new DirectoryKeeper()];
  const ids = configOf(12).targets.map(({ info }) => info.id);
  const placing = { size: 3, now: store.now() };
  /** The first process begins it between two reads of the second one. */
  const interrupted = (database: Store): Store =>
    new Proxy(database, {
      get: (target, name) => {
        const read: Store['read'] = async (request) => {
          if (first.known === null) await first.place(await open(1, 2), ids, placing);
          return target.read(request);
        };
        const member: unknown = name === 'read' ? read : Reflect.get(target, name, target);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
  const { databases } = store;
  const racing = new Proxy(store, {
    get: (target, name) => {
      if (name === 'databases')
        return {
          ...databases,
          database: (number: number) => interrupted(databases?.database(number) as Store),
        };
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  const { hash } = await second.place(racing, ids, placing);
  expect(first.known?.hash).toBe(hash);
  await store.close();
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
    expect([...wrong.asked].sort(compareNaturally)).toEqual(before.config.targets.map(({ info }) => info.id));
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

describe('a database that goes away in the middle of ticks and comes back', () => {
  /** After two ticks, the second database is away for two more. */
  async function outlived({ dies }: { readonly dies: boolean }) {
    const pinger = new ShardedPinger(configOf(12), await open(1, [2, rest()]));
    const tick = async () => {
      const report = await pinger.tick();
      expect([...pinger.asked].sort(compareNaturally)).toEqual(
        pinger.config.targets.map(({ info }) => info.id),
      );
      pinger.clock.now += MINUTE;
      return report;
    };
    for (let i = 0; i < 2; i += 1) expect(await tick()).toMatchObject({ stored: true });
    await front.stop();
    for (let i = 0; i < 2; i += 1) expect(await tick()).toMatchObject({ stored: false });
    const meanwhile = await statsOf(await open(1, [2, rest()]), pinger);
    await front.start();
    const store = await open(1, [2, rest()]);
    const after = dies ? new ShardedPinger(pinger.config, store, pinger.clock) : pinger;
    expect(await after.tick()).toMatchObject({ checked: 12, stored: true });
    return { meanwhile, pinger: after, store };
  }
  const first = (id: string, { directory }: ShardedPinger) =>
    (directory.known?.directory.get(id)?.shard ?? 0) < 8;

  it('loses nothing where the process lives, and the others never notice', async () => {
    const { meanwhile, pinger, store } = await outlived({ dies: false });
    expect(meanwhile).toMatchObject({ unread: 6, pingCount: 24, summary: { up: 6, pending: 0 } });
    for (const { id, pingCount, unread } of meanwhile.targets)
      expect([pingCount, unread ?? false]).toEqual(first(id, pinger) ? [4, false] : [0, true]);
    pinger.clock.now += MINUTE;
    const after = await statsOf(store, pinger);
    expect(after).toMatchObject({ pingCount: 60, summary: { up: 12 } });
    expect(after.unread).toBeUndefined();
  });

  it('has the missed runs of its own shards on record where the process has died', async () => {
    const { pinger, store } = await outlived({ dies: true });
    for (const [id, pings] of await pingsOf(store, pinger)) expect(pings).toBe(first(id, pinger) ? 5 : 3);
    for (const [shard, gaps] of [
      [0, 0],
      [1, 0],
      [8, 1],
      [9, 1],
    ] as const) {
      const { fields } = await store.shard(shard).read({ fields: [STATE_FIELD], logs: [] });
      expect(readState(fields.get(STATE_FIELD) ?? '').gaps).toHaveLength(gaps);
    }
  });

  it('is named by health, and by the page and the metrics as far as they know', async () => {
    const pinger = new ShardedPinger({ ...configOf(12), tick: MINUTE }, await open(1, [2, rest()]));
    pinger.clock.now = Date.now();
    await pinger.tick();
    await front.stop();
    try {
      setApp({ config: pinger.config, store: await open(1, [2, rest()]) });
      const get = async (answer: (request: Request) => Promise<Response>, path: string) => {
        const response = await answer(new Request(`http://h${path}`));
        return { status: response.status, text: await response.text() };
      };
      const health = await get(answerHealth, '/api/health');
      expect(health.status).toBe(200);
      expect((JSON.parse(health.text) as Health).checks.redis).toMatchObject({
        status: 'degraded',
        message: 'REDIS_URL_2: the store cannot be reached',
      });
      const page = await get(answerPages, '/');
      expect(page.status).toBe(200);
      expect(page.text).toContain('6 services cannot be read now');
      expect(page.text.match(/Cannot be read now/g)).toHaveLength(6);
      expect(page.text).toContain('6 cannot be read<');
      expect(page.text).not.toContain('systems operational');
      const listed = async (query: string) =>
        [...(await get(answerPages, `/${query}`)).text.matchAll(/<a class="name" href="\/t\/(.*?)"/g)].length;
      const asked = async (query: string) =>
        JSON.parse((await get(answerKeepalive, `/api/keepalive${query}`)).text) as Stats;
      expect(await listed('?status=pending')).toBe(0);
      expect(await listed('?status=up')).toBe(6);
      const unread = await get(answerPages, '/?status=unread');
      expect(unread.text).toContain('<option value="unread" selected>Cannot be read now</option>');
      expect(unread.text.match(/data-status="unread"/g)).toHaveLength(6);
      // The API filters as the page does, and counts each target once.
      const all = await asked('');
      expect(all).toMatchObject({ unread: 6, summary: { up: 6, pending: 0 } });
      expect(all.targets).toHaveLength(12);
      for (const [status, count] of [...Object.entries(all.summary), ['unread', all.unread] as const]) {
        const found = await asked(`?status=${status}`);
        expect([status, found.targets.length]).toEqual([status, count]);
        expect(found.targets.every((target) => (target.unread === true) === (status === 'unread'))).toBe(
          true,
        );
        expect(found).toMatchObject({ unread: all.unread, summary: all.summary });
      }
      const feed = await get(answerFeed, '/api/feed');
      expect(feed.status).toBe(200);
      expect(feed.text).toContain(
        '<subtitle>6 services cannot be read now. One of the databases cannot be read. What it holds is missing here.</subtitle>',
      );
      const metrics = await get(answerMetrics, '/api/metrics');
      expect(metrics.text.match(/^probe_success\{.*\} 1$/gm)).toHaveLength(6);
      expect(metrics.text.match(/^keepalive_checks_total\{/gm)).toHaveLength(6);
    } finally {
      setApp(null);
      await front.start();
    }
  });
});

describe('the first database goes away', () => {
  const openBoth = () => open([1, rest()], 3);

  it('a process that begins then shows the shards of the others, and makes their runs', async () => {
    const pinger = new ShardedPinger(configOf(12), await openBoth());
    await pinger.tick();
    await front.stop();
    try {
      const meanwhile = await statsOf(await openBoth(), pinger);
      expect(meanwhile).toMatchObject({ unread: 6, pingCount: 6, summary: { up: 6, pending: 0 } });
      const next = new ShardedPinger(pinger.config, await openBoth(), pinger.clock);
      next.clock.now += MINUTE;
      expect(await next.tick()).toMatchObject({ checked: 12, stored: false });
      expect(await statsOf(await openBoth(), pinger)).toMatchObject({ unread: 6, pingCount: 12 });
    } finally {
      await front.start();
    }
  });

  it('targets that are new then are pinged, and recorded once it is back', async () => {
    const pinger = new ShardedPinger(configOf(12), await openBoth());
    await pinger.tick();
    await front.stop();
    const store = await openBoth();
    const next = new ShardedPinger(configOf(14), store, pinger.clock);
    const ids = next.config.targets.map(({ info }) => info.id);
    try {
      for (let i = 0; i < 2; i += 1) {
        next.clock.now += MINUTE;
        expect(await next.tick()).toMatchObject({ checked: 14, stored: false });
        expect([...next.asked].sort(compareNaturally)).toEqual(ids);
      }
    } finally {
      await front.start();
    }
    let ticks = 3;
    // For a second, a database that did not answer is not asked again.
    const isStored = async (): Promise<boolean> => {
      next.clock.now += MINUTE;
      ticks += 1;
      return (await next.tick()).stored;
    };
    await expect.poll(isStored, { interval: 400 }).toBe(true);
    const { targets } = await statsOf(await openBoth(), next);
    const isNew = (id: string) => !pinger.config.targets.some(({ info }) => info.id === id);
    for (const { id, pingCount } of targets)
      expect([id, pingCount]).toEqual([id, isNew(id) ? ticks - 1 : ticks]);
  });

  it('the process that would start the runs elsewhere makes them, those of new targets too', async () => {
    const pinger = new ShardedPinger(configOf(12), await openBoth());
    await pinger.tick();
    await front.stop();
    try {
      const next = new ShardedPinger(configOf(14), await openBoth(), pinger.clock);
      next.clock.now += MINUTE;
      const engine: Engine = { name: 'qstash', start: () => Promise.reject(new Error('nothing is started')) };
      const request = { trigger: 'test', limit: 60_000, nextRunIn: 0 };
      expect(await dispatch(next.installation, request, engine)).toMatchObject({ checked: 14 });
      expect([...next.asked].sort(compareNaturally)).toEqual(next.config.targets.map(({ info }) => info.id));
    } finally {
      await front.start();
    }
  });

  it.each(['begins then', 'has something to tell'])(
    'and hangs: a process that %s pings what lives in the others meanwhile',
    async (when) => {
      const patient = () => openRemoteStores({ 1: rest(), 3: tcp(3) }, { prefix, timeout: 1_000 });
      const config = { ...configOf(12), tick: 1_000 };
      const pinger = new ShardedPinger(config, await patient());
      const refusing: Channel = {
        name: 'slack',
        deliver: () => Promise.reject(new DeliveryError('permanent', 'no')),
      };
      pinger.channels = new Map([['slack', refusing]]);
      pinger.attempt = () => FAILED;
      for (let tick = 1; tick <= 3; tick += 1) {
        await pinger.tick();
        pinger.clock.now += MINUTE;
      }
      const next = when === 'begins then' ? new ShardedPinger(config, await patient(), pinger.clock) : pinger;
      const asked = () => front.requests.map(({ commands }) => JSON.stringify(commands));
      const askedBefore: string[][] = [];
      next.attempt = ({ info }) => {
        if ((pinger.directory.known?.directory.get(info.id)?.shard ?? 0) >= 8) askedBefore.push(asked());
        return FAILED;
      };
      front.reset();
      front.fault = () => ({ kind: 'hang' });
      try {
        expect(await next.tick()).toMatchObject({ checked: 12, stored: false });
        // What fails is asked again.
        expect(askedBefore).toHaveLength(6);
        for (const before of askedBefore) expect(new Set(before).size).toBe(before.length);
        // Nor do its own shards wait for what has just not answered.
        expect(asked().filter((commands) => commands.includes(':lease'))).toEqual([]);
      } finally {
        front.reset();
      }
    },
  );

  it.each(['began before', 'begins then'])(
    'and every endpoint of a process that %s tells what can be read',
    async (when) => {
      const pinger = new ShardedPinger({ ...configOf(12), tick: MINUTE }, await openBoth());
      pinger.clock.now = Date.now();
      await pinger.tick();
      const store = await openBoth();
      setApp({ config: pinger.config, store });
      const get = async (answer: (request: Request) => Promise<Response>, path: string) => {
        const response = await answer(new Request(`http://h${path}`));
        return { status: response.status, text: await response.text() };
      };
      const ids = pinger.config.targets.map(({ info }) => info.id);
      const shardOf = (id: string) => pinger.directory.known?.directory.get(id)?.shard ?? 0;
      // The last one is looked for in the first database, where it would be if there were no other.
      const there = ids.findLast((id) => shardOf(id) >= 8) ?? '';
      const away = ids.find((id) => shardOf(id) < 8) ?? '';
      if (when === 'began before') await get(answerKeepalive, '/api/keepalive');
      await front.stop();
      try {
        if (when === 'begins then') {
          const all = await get(answerKeepalive, '/api/keepalive');
          expect(JSON.parse(all.text)).toMatchObject({ unread: 6, pingCount: 6 });
        }
        for (const path of [`/api/keepalive/${there}`, `/api/badge/${there}`, `/t/${there}`]) {
          const answer = path.startsWith('/t/')
            ? answerPages
            : path.includes('badge')
              ? answerBadge
              : answerKeepalive;
          expect([path, (await get(answer, path)).status]).toEqual([path, 200]);
        }
        expect(JSON.parse((await get(answerKeepalive, `/api/keepalive/${there}`)).text)).toMatchObject({
          pingCount: 1,
          checks: [{ ok: true }],
        });
        const missing = await get(answerKeepalive, `/api/keepalive/${away}`);
        expect(missing).toMatchObject({ status: 503 });
        expect(missing.text).toContain('REDIS_URL: the store');
        const health = await get(answerHealth, '/api/health');
        expect(health.status).toBe(200);
      } finally {
        setApp(null);
        await front.start();
      }
    },
  );
});

describe('what was told for all shards', () => {
  const config = manyTargets(12, {
    ...{ KEEP_ALIVE_SHARD_SIZE: '3', KEEP_ALIVE_TICK: '1m' },
    ...{ KEEP_ALIVE_FAILURE_THRESHOLD: '1', KEEP_ALIVE_SUCCESS_THRESHOLD: '1' },
  });
  /** What people hear of the processes with these databases, in which all is well so far. */
  async function installed(openAll: () => Promise<Store>) {
    const heard: string[] = [];
    const slack: { refusal: DeliveryError | null; readonly channel: Channel } = {
      refusal: null,
      channel: {
        name: 'slack',
        deliver: ({ items }) => {
          if (slack.refusal !== null) return Promise.reject(slack.refusal);
          heard.push(...items.map(({ alert }) => `${alert.kind} ${'target' in alert ? alert.target : ''}`));
          return Promise.resolve();
        },
      },
    };
    const begin = async (clock?: ShardedPinger['clock']) => {
      const pinger = new ShardedPinger(config, await openAll(), clock);
      pinger.channels = new Map([['slack', slack.channel]]);
      return pinger;
    };
    const pinger = await begin();
    await pinger.tick();
    /** A tick with these down, and what it tells. */
    const tick = async (its: ShardedPinger, ...down: readonly string[]) => {
      its.clock.now += MINUTE;
      its.attempt = ({ info }) => (down.includes(info.id) ? FAILED : GOOD);
      await its.tick();
      return heard.splice(0).sort();
    };
    const idsIn = (shard: number) =>
      [...(pinger.directory.known?.directory ?? [])].flatMap(([id, place]) =>
        place.shard === shard ? [id] : [],
      );
    return { pinger, begin, tick, slack, idsIn };
  }
  const copyIn = async (store: Store | null) =>
    (await store?.shard(8).read({ fields: [DELIVERIES_COPY_FIELD], logs: [] }))?.fields.get(
      DELIVERIES_COPY_FIELD,
    );
  const copying = () =>
    front.requests.flatMap(({ commands }) =>
      commands.filter((command) => command.join().includes(DELIVERIES_COPY_FIELD)),
    );

  it('is not told again by a process that begins while the first database is away, and what is new is', async () => {
    const { pinger, begin, tick, idsIn } = await installed(() => open([1, rest()], 3));
    const [known = '', , other = ''] = idsIn(8);
    const [more = ''] = idsIn(9);
    expect(await tick(pinger, known)).toEqual([`down ${known}`]);
    await front.stop();
    try {
      const next = await begin(pinger.clock);
      expect(await tick(next, known, other, more)).toEqual([`down ${more}`, `down ${other}`].sort());
      expect(await tick(next, known, other, more)).toEqual([]);
    } finally {
      await front.start();
    }
    await serverOf(1).expireLeases();
    const last = await begin(pinger.clock);
    // Of the shards in the first database.
    expect(await tick(last, known, other, more)).toEqual(['missed ']);
    expect(await tick(last)).toEqual([known, other, more].map((id) => `up ${id}`).sort());
  });

  it('is not told again by another living process while the first database is away', async () => {
    const { pinger, begin, tick, idsIn } = await installed(() => open([1, rest()], 3));
    const other = await begin(pinger.clock);
    expect(await tick(other)).toEqual([]);
    const [down = '', later = ''] = idsIn(8);
    await front.stop();
    try {
      expect(await tick(pinger, down)).toEqual([`down ${down}`]);
      expect(await tick(other, down)).toEqual([]);
      expect(await tick(other, down, later)).toEqual([`down ${later}`]);
      expect(await tick(pinger, down, later)).toEqual([]);
      expect(await tick(pinger)).toEqual([`up ${down}`, `up ${later}`].sort());
    } finally {
      await front.start();
    }
    // Runs that the other process could not record are missed ones to this one.
    expect((await tick(other)).filter((told) => !told.startsWith('missed'))).toEqual([]);
  });

  it('is told where the copy of the record is from before', async () => {
    const { pinger, begin, tick, slack, idsIn } = await installed(() => open([1, rest()], 3));
    const [id = '', other = ''] = idsIn(8);
    expect(await tick(pinger, id)).toEqual([`down ${id}`]);
    const old = await copyIn(pinger.store);
    slack.refusal = new DeliveryError('temporary', 'answered 503');
    expect(await tick(pinger, other)).toEqual([]);
    const field = DELIVERIES_COPY_FIELD;
    const expected = await copyIn(pinger.store);
    expect(expected).not.toBe(old);
    await pinger.store?.shard(8).swap({ field, expected: expected ?? null, value: old ?? '' });
    slack.refusal = null;
    await front.stop();
    try {
      expect(await tick(await begin(pinger.clock), other)).toEqual([`down ${other}`, `up ${id}`]);
    } finally {
      await front.start();
    }
  });

  it('is copied with a read and a swap where something was told, and else nothing is', async () => {
    const { pinger, tick, idsIn } = await installed(() => open(1, [2, rest()]));
    const [id = ''] = idsIn(0);
    front.reset();
    expect(await tick(pinger, id)).toEqual([`down ${id}`]);
    expect(copying().map(([name]) => name)).toEqual(['HMGET', 'EVALSHA']);
    front.reset();
    expect(await tick(pinger, id)).toEqual([]);
    expect(copying()).toEqual([]);
    // With one database there is no copy.
    prefix = `k${installations++}`;
    const one = await installed(() => open([1, rest()]));
    front.reset();
    expect(await one.tick(one.pinger, id)).toEqual([`down ${id}`]);
    expect(copying()).toEqual([]);
  });

  it.each([{ kind: 'hang' }, { kind: 'refuse' }] as const)(
    'is on record although a database takes no copy: $kind',
    async (fault) => {
      const { pinger, begin, tick, idsIn } = await installed(() => open(1, [2, rest()]));
      const [id = ''] = idsIn(0);
      front.fault = ({ commands }) =>
        JSON.stringify(commands).includes(DELIVERIES_COPY_FIELD) ? fault : null;
      try {
        expect(await tick(pinger, id)).toEqual([`down ${id}`]);
      } finally {
        front.reset();
      }
      expect(pinger.lines.join()).not.toContain('"event"');
      expect(await tick(await begin(pinger.clock), id)).toEqual([]);
    },
  );
});

describe('an export', () => {
  it('leaves out what was told for all shards, and is not in the outboxes yet', async () => {
    const told: string[] = [];
    const channel: Channel = {
      name: 'slack',
      deliver: ({ items }) => {
        told.push(...items.map(({ alert }) => `${alert.kind} ${'target' in alert ? alert.target : ''}`));
        return Promise.resolve();
      },
    };
    const config = manyTargets(6, { KEEP_ALIVE_SHARD_SIZE: '3', KEEP_ALIVE_FAILURE_THRESHOLD: '1' });
    const pingerOn = (store: Store, clock?: ShardedPinger['clock']) => {
      const pinger = new ShardedPinger(config, store, clock);
      pinger.channels = new Map([['slack', channel]]);
      pinger.attempt = () => FAILED;
      return pinger;
    };
    const pinger = pingerOn(await open(1, 2));
    await pinger.tick();
    expect(told).toHaveLength(6);
    const dump = readDump([...writeDump(await collect(pinger.store as Store), 0)].join(''));
    prefix = `k${installations++}`;
    const store = await open(1, 2);
    await restore(store, dump, { force: false });
    expect(await restore(store, dump, { force: false })).toBe('same');
    const after = pingerOn(store, pinger.clock);
    after.clock.now += MINUTE;
    await after.tick();
    expect(told).toHaveLength(6);
  });

  const others: [string, () => Promise<Store>, number[][]][] = [
    ['one', () => open(1), [[0, 1, 2, 3, 4], [], []]],
    ['three', () => open(1, 2, 3), [[0, 1], [8, 9], [16]]],
    ['two others', () => open(1, 2), [[0, 1, 2], [8, 9], []]],
    ['two of which the third is one', () => open(1, 3), [[0, 1, 2], [], [8, 9]]],
  ];
  it.each(others.slice(0, inject('long') ? undefined : 2))(
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
      const back = await next.tick();
      console.log(next.lines.slice(-30).join('\n'));
      expect(back).toMatchObject({ checked: 14, stored: true });
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

  it.each<[string, () => Promise<Store>, number[][]]>([
    ['taken away', () => open(1), [[0, 1, 2, 3], [], []]],
    ['another one', () => open(1, [2, tcp(3)]), [[0, 1], [], [8, 9]]],
  ])(
    'without what was in a database that is gone: it is %s, and its targets begin anew',
    async (_, reopen, where) => {
      const pinger = new ShardedPinger(configOf(12), await open(1, 2));
      for (let tick = 1; tick <= 2; tick += 1) {
        await pinger.tick();
        pinger.clock.now += MINUTE;
      }
      const store = await reopen();
      await expect(collect(store)).rejects.toThrow('REDIS_URL_2');
      const { leftOut, ...dump } = await collect(store, { incomplete: true });
      expect(leftOut).toHaveLength(6);
      await serverOf(2).flush();
      expect(await restore(store, readDump([...writeDump(dump, 0)].join('')), { force: true })).toBe(
        'written',
      );
      const next = new ShardedPinger(pinger.config, await reopen(), pinger.clock);
      expect(await next.tick()).toMatchObject({ checked: 12, stored: true });
      for (const [id, pings] of await pingsOf(store, next)) expect(pings).toBe(leftOut.includes(id) ? 1 : 3);
      expect(await Promise.all([1, 2, 3].map(shardsOn))).toEqual(where);
    },
  );
});
