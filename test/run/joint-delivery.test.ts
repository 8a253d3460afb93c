import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../lib/config/config.js';
import { DeliveryError, type Channel, type Digest } from '../../lib/deliver/channel.js';
import { DELIVERIES_FIELD } from '../../lib/record/fields.js';
import { JointDelivery } from '../../lib/run/joint-delivery.js';
import { findShard, runShard } from '../../lib/run/tick.js';
import { Turns } from '../../lib/run/turns.js';
import {
  ALL_SHARDS,
  StoreError,
  type Commit,
  type Meter,
  type ReadRequest,
  type Store,
} from '../../lib/store/store.js';
import { VirtualClock } from '../support/clock.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { FAILED, GOOD, manyTargets } from '../support/runs.js';
import { ShardedPinger } from '../support/shards.js';
import { openRemoteStore, openRemoteStores } from '../support/stores.js';

const MINUTE = 60_000;
const SECOND = 1_000;

let redis: RedisServer;
let prefixes = 0;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** A channel that remembers its digests as `kind id, kind id`. */
class Heard {
  readonly digests: Digest[] = [];
  /** Resolves with the first one. */
  readonly first: Promise<unknown>;
  private onFirst = (): void => undefined;
  /** Not null: it takes nothing. */
  refusal: DeliveryError | null = null;
  readonly channel: Channel = {
    name: 'slack',
    deliver: (digest) => {
      if (this.refusal !== null) return Promise.reject(this.refusal);
      this.digests.push(digest);
      this.onFirst();
      return Promise.resolve();
    },
  };

  constructor() {
    this.first = new Promise<void>((resolve) => {
      this.onFirst = resolve;
    });
  }

  /** What was heard since this was last asked. */
  take(): string[] {
    return this.digests
      .splice(0)
      .map(({ items }) =>
        items.map(({ alert }) => `${alert.kind}${'target' in alert ? ` ${alert.target}` : ''}`).join(', '),
      );
  }
}

const SETTINGS = {
  KEEP_ALIVE_SHARD_SIZE: '3',
  KEEP_ALIVE_TICK: '1m',
  KEEP_ALIVE_FAILURE_THRESHOLD: '1',
  KEEP_ALIVE_SUCCESS_THRESHOLD: '1',
};

/** Processes with one Redis, on one clock, with three targets in each of four shards. */
class World {
  readonly prefix = `j${prefixes++}`;
  readonly clock = new VirtualClock(Date.UTC(2026, 0, 5, 12));
  readonly config: Config;
  readonly ids: readonly string[];
  readonly slack = new Heard();
  readonly ntfy = new Heard();
  readonly opened: Store[] = [];
  down: readonly string[] = [];

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.config = manyTargets(12, { ...SETTINGS, ...env });
    this.ids = this.config.targets.map(({ info }) => info.id);
  }

  async join(around: (store: Store) => Store = (store) => store): Promise<ShardedPinger> {
    const store = await openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: this.prefix });
    this.opened.push(store);
    const pinger = new ShardedPinger(this.config, around(store), this.clock);
    pinger.channels = new Map([
      ['slack', this.slack.channel],
      ['ntfy', this.ntfy.channel],
    ]);
    pinger.attempt = ({ info }) => (this.down.includes(info.id) ? FAILED : GOOD);
    return pinger;
  }

  heard(): { slack: string[]; ntfy: string[] } {
    return { slack: this.slack.take(), ntfy: this.ntfy.take() };
  }

  async close(): Promise<void> {
    for (const store of this.opened) await store.close();
  }
}

/** A run of one shard, as a function makes it. */
async function runOf(pinger: ShardedPinger, number: number, clock: Clock = pinger.clock) {
  const installation = {
    ...pinger.installation,
    now: () => clock.now,
    sleep: (ms: number, signal: AbortSignal) => clock.sleep(ms, signal),
  };
  const { shard, count } = await findShard(installation, { number, hash: '' });
  return runShard(installation, shard, { count }, { trigger: 'http', limit: 300_000, nextRunIn: MINUTE });
}

type Clock = Pick<VirtualClock, 'now' | 'sleep'>;

/** A clock that goes twenty times as fast, for what happens at the same time in several processes. */
class FastClock implements Clock {
  private readonly begun = performance.now();

  constructor(private readonly start: number) {}

  get now(): number {
    return this.start + Math.round(20 * (performance.now() - this.begun));
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await setTimeout(ms / 20, null, { signal }).catch(() => undefined);
  }
}

const all = (kind: string, ids: readonly string[]): string => ids.map((id) => `${kind} ${id}`).join(', ');
const sorted = (text: string | undefined): string[] => (text ?? '').split(', ').sort();

describe('the alerts of all shards', () => {
  let world: World;
  const setUp = async (...around: Parameters<World['join']>) => {
    world = new World();
    const pinger = await world.join(...around);
    await pinger.tick();
    world.clock.now += MINUTE;
    return pinger;
  };

  it('are one message a channel, said once; and so is their end', async () => {
    const pinger = await setUp();
    world.down = world.ids;
    await pinger.tick();
    const { slack, ntfy } = world.heard();
    expect([slack.length, ntfy.length]).toEqual([1, 1]);
    expect(sorted(slack[0])).toEqual(sorted(all('down', world.ids)));
    for (let tick = 0; tick < 3; tick += 1) {
      world.clock.now += MINUTE;
      await pinger.tick();
      expect(world.heard()).toEqual({ slack: [], ntfy: [] });
    }
    world.down = [];
    world.clock.now += MINUTE;
    await pinger.tick();
    const end = world.heard();
    expect([end.slack.length, end.ntfy.length]).toEqual([1, 1]);
    expect(sorted(end.slack[0])).toEqual(sorted(all('up', world.ids)));
    await world.close();
  });

  it('are one message where the shards end at different times, in functions of their own', async () => {
    const pinger = await setUp();
    world.down = world.ids;
    const functions = await Promise.all([0, 1, 2, 3].map(() => world.join()));
    const clock = new FastClock(world.clock.now);
    // The last shard begins three seconds after the others, and its targets take eight more to fail.
    const runs = functions.map(async (each, shard) => {
      const wait = [0, 2, 5, 8][shard] ?? 0;
      each.attempt = async () => {
        await clock.sleep(wait * SECOND);
        return FAILED;
      };
      if (shard === 3) await clock.sleep(3 * SECOND);
      return runOf(each, shard, clock);
    });
    await Promise.all(runs);
    const { slack } = world.heard();
    expect(slack).toHaveLength(1);
    expect(sorted(slack[0])).toEqual(sorted(all('down', world.ids)));
    world.clock.now = clock.now + MINUTE;
    await pinger.tick();
    expect(world.heard()).toEqual({ slack: [], ntfy: [] });
    await world.close();
  });

  it('are one message of a run that records what was quick first', async () => {
    await setUp();
    const pinger = await world.join();
    const clock = new FastClock(world.clock.now);
    let commits = 0;
    pinger.attempt = async ({ info }) => {
      if (info.id !== 'service-0') await clock.sleep(12 * SECOND);
      return FAILED;
    };
    pinger.store = withStore(world.opened[1] as Store, {
      commit: () => {
        commits += 1;
        return null;
      },
    });
    await runOf(pinger, 0, clock);
    // At least two of the run, and one of the record of deliveries.
    expect(commits).toBeGreaterThanOrEqual(3);
    expect(world.heard().slack.map(sorted)).toEqual([
      sorted(all('down', ['service-0', 'service-1', 'service-2'])),
    ]);
    await world.close();
  });

  it('are one message of two machines that share the work', async () => {
    world = new World();
    const machines = [await world.join(), await world.join()];
    for (const [i, machine] of machines.entries()) machine.turns = new Turns(`0000000${i}`);
    const tick = async () => {
      world.clock.now += MINUTE;
      await Promise.all(machines.map((machine) => machine.tick({ nextRunIn: MINUTE, limit: 300_000 })));
    };
    for (let i = 0; i < 10 && machines.some(({ asked }) => asked.length !== 6); i += 1) await tick();
    expect(machines.map(({ asked }) => asked.length)).toEqual([6, 6]);
    world.heard();
    world.down = world.ids;
    await tick();
    const { slack } = world.heard();
    expect(slack).toHaveLength(1);
    expect(sorted(slack[0])).toEqual(sorted(all('down', world.ids)));
    await tick();
    expect(world.heard()).toEqual({ slack: [], ntfy: [] });
    await world.close();
  });

  it('are told without a shard that takes too long, and this one tells its own', async () => {
    await setUp();
    world.down = world.ids;
    const [quick, slow] = await Promise.all([world.join(), world.join()]);
    slow.attempt = async () => {
      await world.slack.first;
      return FAILED;
    };
    await Promise.all([runOf(quick, 0), runOf(slow, 1)]);
    const { slack } = world.heard();
    expect(slack.map((digest) => digest.split(', ').length)).toEqual([3, 3]);
    await world.close();
  });

  it('of a shard that ends while others are told are told right after', async () => {
    let other: Promise<unknown> | null = null;
    const late = { run: (): Promise<unknown> => Promise.resolve() };
    const around = (store: Store): Store =>
      withStore(store, {
        commit: (commit, its) => {
          if (!(DELIVERIES_FIELD in commit.fields) || other !== null) return null;
          other = late.run();
          return other.then(() => its.commit(commit));
        },
      });
    await setUp(around);
    world.down = world.ids;
    const [first, second] = await Promise.all([world.join(around), world.join()]);
    late.run = () => runOf(second, 1);
    await runOf(first, 0);
    expect(world.heard().slack.map((digest) => digest.split(', ').length)).toEqual([3, 3]);
    await world.close();
  });

  it('are one message although the shards are in two databases', async () => {
    world = new World();
    const second = await startRedis();
    const store = await openRemoteStores(
      { 1: { kind: 'redis', url: redis.url }, 2: { kind: 'redis', url: second.url } },
      { prefix: world.prefix },
    );
    const pinger = await world.join(() => store);
    await pinger.tick();
    expect(store.databases?.layout?.stores).toContain(2);
    for (const kind of ['down', 'up']) {
      world.clock.now += MINUTE;
      world.down = kind === 'down' ? world.ids : [];
      await pinger.tick();
      expect(world.heard().slack.map(sorted)).toEqual([sorted(all(kind, world.ids))]);
    }
    // One of them is gone: its shards tell from memory, and the others as ever.
    await second.stop();
    world.clock.now += MINUTE;
    world.down = world.ids;
    await pinger.tick();
    expect(sorted(world.heard().slack.join(', '))).toEqual(sorted(all('down', world.ids)));
    await store.close();
    await world.close();
  });

  it('of a target that was removed are ended, also where its shard has no other', async () => {
    const pinger = await setUp();
    world.down = world.ids;
    await pinger.tick();
    world.heard();
    world.clock.now += MINUTE;
    pinger.config = manyTargets(9, SETTINGS);
    const removed = world.ids.filter((id) => !pinger.config.targets.some(({ info }) => info.id === id));
    await pinger.tick();
    expect(world.heard().slack.map(sorted)).toEqual([sorted(all('unwatched', removed))]);
    world.clock.now += MINUTE;
    pinger.config = manyTargets(1, SETTINGS);
    const left = pinger.config.targets.map(({ info }) => info.id);
    const gone = world.ids.filter((id) => !left.includes(id) && !removed.includes(id));
    await pinger.tick();
    expect(world.heard().slack.map(sorted)).toEqual([sorted(all('unwatched', gone))]);
    world.clock.now += MINUTE;
    await pinger.tick();
    expect(world.heard().slack).toEqual([]);
    await world.close();
  });

  it('are told at once in a tick in which nothing is due', async () => {
    world = new World({ KEEP_ALIVE_INTERVAL: '1h' });
    const pinger = await world.join();
    world.down = world.ids;
    world.slack.refusal = new DeliveryError('temporary', 'answered 503');
    await pinger.tick();
    world.slack.refusal = null;
    world.down = [];
    world.clock.now += MINUTE;
    const report = await pinger.tick();
    expect(report.due).toBe(0);
    expect(world.heard().slack.map(sorted)).toEqual([sorted(all('down', world.ids))]);
    await world.close();
  });

  it('that no channel took are tried again together, after one delay', async () => {
    const pinger = await setUp();
    world.down = world.ids;
    world.slack.refusal = new DeliveryError('temporary', 'answered 503');
    await pinger.tick();
    expect(world.heard()).toMatchObject({ slack: [], ntfy: [expect.anything()] });
    world.slack.refusal = null;
    world.clock.now += MINUTE;
    await pinger.tick();
    const { slack, ntfy } = world.heard();
    expect([slack.length, ntfy.length]).toEqual([1, 0]);
    expect(sorted(slack[0])).toEqual(sorted(all('down', world.ids)));
    world.clock.now += MINUTE;
    await pinger.tick();
    expect(world.heard()).toEqual({ slack: [], ntfy: [] });
    await world.close();
  });

  it('wait while another process delivers, and are told in the next tick where that one has died', async () => {
    const pinger = await setUp();
    const lease = world.opened[0]?.shard(ALL_SHARDS);
    await lease?.claim({ token: 'of a process that died', ttl: 60_000, fields: [] });
    world.down = world.ids;
    await pinger.tick();
    expect(world.heard()).toEqual({ slack: [], ntfy: [] });
    // Its time is over.
    await lease?.commit({ token: 'of a process that died', fields: {}, append: null, release: true });
    world.clock.now += MINUTE;
    await pinger.tick();
    const { slack } = world.heard();
    expect(slack).toHaveLength(1);
    expect(sorted(slack[0])).toEqual(sorted(all('down', world.ids)));
    await world.close();
  });

  it('are not told again where it could not be recorded that they were', async () => {
    let failed = '';
    let fails = false;
    const around = (store: Store): Store =>
      withStore(store, {
        commit: ({ token, fields }) => {
          if (!fails || !(DELIVERIES_FIELD in fields)) return null;
          failed = token;
          return Promise.reject(new StoreError('store_timeout', 'no answer'));
        },
      });
    const pinger = await setUp(around);
    world.down = world.ids;
    fails = true;
    await pinger.tick();
    expect(world.heard().slack).toHaveLength(1);
    fails = false;
    // Its lease is over.
    const release = { token: failed, fields: {}, append: null, release: true };
    expect(await world.opened[0]?.shard(ALL_SHARDS).commit(release)).toBe('committed');
    for (let i = 0; i < 2; i += 1) {
      world.clock.now += MINUTE;
      await pinger.tick();
      expect(world.heard()).toEqual({ slack: [], ntfy: [] });
    }
    // Another process learns of it from the store.
    world.clock.now += MINUTE;
    await (await world.join()).tick();
    expect(world.heard()).toEqual({ slack: [], ntfy: [] });
    await world.close();
  });

  it('are told together although the record of earlier ones cannot be read, which is written anew', async () => {
    const pinger = await setUp();
    const lease = world.opened[0]?.shard(ALL_SHARDS);
    await lease?.claim({ token: 'x', ttl: 60_000, fields: [] });
    await lease?.commit({
      token: 'x',
      fields: { [DELIVERIES_FIELD]: 'nonsense' },
      append: null,
      release: true,
    });
    world.down = world.ids;
    for (const expected of [1, 0, 0]) {
      await pinger.tick();
      expect(world.heard().slack).toHaveLength(expected);
      world.clock.now += MINUTE;
    }
    const store = world.opened[0] as Store;
    expect(await new JointDelivery().read(store, () => undefined)).toEqual(pinger.jointDelivery.record);
    await world.close();
  });

  it('are told once where the store fails right after they were delivered', async () => {
    let reads = 0;
    const around = (store: Store): Store =>
      withStore(store, {
        read: ({ fields }) => {
          // The first looks at what waits, the second whether more does since.
          if (!fields.includes('outbox:3')) return null;
          reads += 1;
          return reads === 2 ? Promise.reject(new StoreError('store_unreachable', 'no connection')) : null;
        },
      });
    const pinger = await setUp(around);
    world.down = world.ids;
    await pinger.tick();
    expect(reads).toBeGreaterThanOrEqual(2);
    expect(world.heard().slack.map(sorted)).toEqual([sorted(all('down', world.ids))]);
    await world.close();
  });

  it('remind of outages in the same tick, however their shards are checked within it', async () => {
    world = new World({ ALERT_REMINDER: '5m' });
    const pinger = await world.join();
    await pinger.tick();
    world.down = world.ids;
    world.clock.now += MINUTE;
    const begun = world.clock.now;
    for (const [shard, at] of [0, 4, 8, 12].entries()) {
      world.clock.now = Math.max(world.clock.now, begun + at * SECOND);
      await runOf(pinger, shard);
    }
    world.heard();
    world.clock.now = begun + 5 * MINUTE;
    await pinger.tick();
    const { slack } = world.heard();
    // The gap is told of as well.
    expect(slack.map((digest) => sorted(digest).filter((item) => item !== 'missed'))).toEqual([
      sorted(all('reminder', world.ids)),
    ]);
    await world.close();
  });

  it('are told together in the next tick where the store failed in between', async () => {
    let fails = false;
    const around = (store: Store): Store =>
      withStore(store, {
        underWay: () => (fails ? Promise.reject(new StoreError('store_unreachable', 'no connection')) : null),
      });
    const pinger = await setUp(around);
    world.down = world.ids.slice(0, 3);
    fails = true;
    await pinger.tick();
    expect(world.heard().slack).toEqual([all('down', world.ids.slice(0, 3))]);
    fails = false;
    world.down = world.ids;
    world.clock.now += MINUTE;
    await pinger.tick();
    // The lease was given back.
    expect(world.heard().slack.map(sorted)).toEqual([sorted(all('down', world.ids.slice(3)))]);
    await world.close();
  });

  it('are told by each shard where it cannot be asked what waits in the others', async () => {
    let fails = false;
    const around = (store: Store): Store =>
      withStore(store, {
        claim: ({ fields }) =>
          fails && fields.includes(DELIVERIES_FIELD)
            ? Promise.reject(new StoreError('store_unreachable', 'no connection'))
            : null,
      });
    const pinger = await setUp(around);
    world.down = world.ids;
    fails = true;
    await pinger.tick();
    const { slack } = world.heard();
    expect(slack.map((digest) => digest.split(', ').length)).toEqual([3, 3, 3, 3]);
    fails = false;
    for (let i = 0; i < 2; i += 1) {
      world.clock.now += MINUTE;
      await pinger.tick();
      expect(world.heard()).toEqual({ slack: [], ntfy: [] });
    }
    await world.close();
  });

  it('are told from memory while nothing can be recorded, and not again when it can', async () => {
    let fails = false;
    const around = (store: Store): Store =>
      withStore(store, {
        claim: () => (fails ? Promise.reject(new StoreError('store_unreachable', 'no connection')) : null),
      });
    const pinger = await setUp(around);
    world.down = world.ids.slice(0, 6);
    await pinger.tick();
    expect(world.heard().slack).toHaveLength(1);
    fails = true;
    world.clock.now += MINUTE;
    await pinger.tick();
    expect(world.heard().slack).toEqual([]);
    world.down = world.ids;
    world.clock.now += MINUTE;
    await pinger.tick();
    const { slack } = world.heard();
    expect(slack).toHaveLength(1);
    expect(sorted(slack[0])).toEqual(sorted(all('down', world.ids.slice(6))));
    world.clock.now += 20 * MINUTE;
    await pinger.tick();
    expect(world.heard().slack).toEqual(['unrecorded']);
    fails = false;
    world.clock.now += MINUTE;
    await pinger.tick();
    expect(world.heard().slack).toEqual([]);
    await world.close();
  });

  it('tell of missed runs once', async () => {
    const pinger = await setUp();
    for (let i = 0; i < 5; i += 1) {
      await pinger.tick();
      world.clock.now += MINUTE;
    }
    world.clock.now += 30 * MINUTE;
    await pinger.tick();
    expect(world.heard()).toEqual({ slack: ['missed'], ntfy: ['missed'] });
    await world.close();
  });

  it('cost nothing while there are none, and are counted where there are', async () => {
    const pinger = await setUp();
    const calm = (await pinger.tick()).commands;
    world.clock.now += MINUTE;
    world.down = world.ids;
    const outage = (await pinger.tick()).commands;
    world.heard();
    // A claim (3), two looks at the others at most (2 each), the outboxes before and after (1 each), the record (4); the
    // other three shards find the lease taken (2 each).
    expect(outage - calm).toBeLessThanOrEqual(3 + 4 + 2 + 4 + 3 * 2);
    world.clock.now += MINUTE;
    // Each shard reads what has become of its alerts.
    expect((await pinger.tick()).commands - calm).toBe(4);
    world.clock.now += MINUTE;
    expect((await pinger.tick()).commands).toBe(calm);
    await world.close();
  });
});

describe('a process', () => {
  it('knows what it has delivered', async () => {
    const world = new World();
    const pinger = await world.join();
    await pinger.tick();
    world.clock.now += MINUTE;
    world.down = world.ids.slice(0, 1);
    await pinger.tick();
    const { delivered } = pinger.jointDelivery.record.slack ?? {};
    expect(delivered?.map(({ shard, ids }) => [shard, ids.length])).toEqual([[0, 1]]);
    const store = world.opened[0] as Store;
    expect(await new JointDelivery().read(store, () => undefined)).toEqual(pinger.jointDelivery.record);
    await world.close();
  });
});

/** The same store, and its shards, where some calls end otherwise. */
function withStore(
  store: Store,
  around: {
    readonly claim?: (request: Parameters<Store['claim']>[0]) => ReturnType<Store['claim']> | null;
    readonly read?: (request: ReadRequest) => ReturnType<Store['read']> | null;
    readonly underWay?: () => ReturnType<Store['underWay']> | null;
    readonly commit?: (commit: Commit, store: Store) => ReturnType<Store['commit']> | null;
  },
): Store {
  return {
    kind: store.kind,
    get writes() {
      return store.writes;
    },
    metered: (meter: Meter) => withStore(store.metered(meter), around),
    shard: (number) => withStore(store.shard(number), around),
    claim: (request) => around.claim?.(request) ?? store.claim(request),
    commit: (commit) => around.commit?.(commit, store) ?? store.commit(commit),
    renew: (ttl) => store.renew(ttl),
    underWay: (shards) => around.underWay?.() ?? store.underWay(shards),
    read: (request) => around.read?.(request) ?? store.read(request),
    swap: (swap) => store.swap(swap),
    replace: (replacement) => store.replace(replacement),
    now: () => store.now(),
    ping: () => store.ping(),
    close: () => store.close(),
  };
}
