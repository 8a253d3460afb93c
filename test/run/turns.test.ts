import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../lib/store/store.js';
import { RecentReader } from '../../lib/read/recent.js';
import { loadOverview } from '../../lib/read/load.js';
import { ofAllShards } from '../../lib/read/shards.js';
import { stats } from '../../lib/read/stats.js';
import { machineId, machineOf, runIdOf, Turns } from '../../lib/run/turns.js';
import type { RunReport } from '../../lib/run/report.js';
import { untilFullPeriod } from '../../lib/local/scheduler.js';
import { VirtualClock } from '../support/clock.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { FAILED, GOOD, manyTargets } from '../support/runs.js';
import { ShardedPinger } from '../support/shards.js';
import { openRemoteStore } from '../support/stores.js';

const MINUTE = 60_000;

let redis: RedisServer;
let prefixes = 0;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** Machines that share a Redis, and call in the same moment. */
class Machines {
  readonly prefix = `m${prefixes++}`;
  readonly clock = new VirtualClock(Date.UTC(2026, 0, 5, 12));
  readonly all: ShardedPinger[] = [];
  readonly stores: Store[] = [];
  private readonly config;

  constructor(
    readonly targets: number,
    size = 3,
  ) {
    this.config = manyTargets(targets, { KEEP_ALIVE_SHARD_SIZE: String(size), KEEP_ALIVE_TICK: '1m' });
  }

  async join(name = String(this.all.length)): Promise<ShardedPinger> {
    const store = await openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: this.prefix });
    this.stores.push(store);
    const pinger = new ShardedPinger(this.config, store, this.clock);
    pinger.turns = new Turns(`0000000${name}`);
    this.all.push(pinger);
    return pinger;
  }

  /** A tick of all of these, a minute after the last. @returns how often each target was pinged */
  async tick(machines: readonly ShardedPinger[] = this.all): Promise<number[]> {
    this.clock.now += MINUTE;
    await Promise.all(machines.map((machine) => machine.tick({ nextRunIn: MINUTE })));
    const pinged = machines.flatMap(({ asked }) => asked);
    return this.config.targets.map(({ info }) => pinged.filter((id) => id === info.id).length);
  }

  each(count: number): number[] {
    return Array.from({ length: this.targets }, () => count);
  }

  /** Pings of each target, as they are recorded. */
  async recorded(): Promise<number[]> {
    const [store] = this.stores;
    if (store === undefined) throw new Error('no machine');
    const { now } = this.clock;
    const reader = new RecentReader(store, () => now);
    const overview = await ofAllShards(reader, this.config, (its) => loadOverview(its, now));
    return stats(this.config, overview, now).targets.map(({ pingCount }) => pingCount);
  }
}

describe.each([
  ['one shard', 3],
  ['several shards', 24],
])('machines that share %s', (_, targets) => {
  it('ping every target once a tick, share the work, and take over from one that dies', async () => {
    const machines = new Machines(targets);
    const first = await machines.join();
    expect(await machines.tick()).toEqual(machines.each(1));
    const second = await machines.join();
    // Who claims a shard first in a tick is left to chance: it takes some ticks until both have as many.
    const shared = targets === 3 ? '0,3' : '12,12';
    const counts = () => machines.all.map(({ asked }) => asked.length).sort((x, y) => x - y);
    let ticks = 1;
    while (ticks < 9 || (ticks < 100 && counts().join() !== shared)) {
      expect(await machines.tick()).toEqual(machines.each(1));
      ticks += 1;
    }
    expect(counts().join()).toBe(shared);
    // One of them is killed between two of its runs: within two ticks, all targets are pinged again.
    const survivor = first.asked.length > 0 ? second : first;
    await machines.tick([survivor]);
    expect(await machines.tick([survivor])).toEqual(machines.each(1));
    expect(await machines.tick([survivor])).toEqual(machines.each(1));
    const missed = targets === 3 ? targets : targets / 2;
    const total = (await machines.recorded()).reduce((sum, count) => sum + count, 0);
    expect(total).toBe((ticks + 3) * targets - missed);
  });

  it('do not wait for one that has left', async () => {
    const machines = new Machines(targets);
    const first = await machines.join();
    await machines.tick();
    const second = await machines.join();
    for (let tick = 1; tick <= 6; tick += 1) await machines.tick();
    const [leaving, staying] = second.asked.length > 0 ? [second, first] : [first, second];
    await leaving.turns?.leave(
      machines.stores[machines.all.indexOf(leaving)] ??
        (() => {
          throw new Error();
        })(),
    );
    expect(await machines.tick([staying])).toEqual(machines.each(1));
  });

  it('one that starts anew on the same machine and port goes on at once', async () => {
    const machines = new Machines(targets);
    await machines.join('7');
    await machines.tick();
    const again = await machines.join('7');
    expect(await machines.tick([again])).toEqual(machines.each(1));
  });

  it('one that dies in the middle of a run leaves its lease to end by itself', async () => {
    const machines = new Machines(targets);
    const first = await machines.join();
    await machines.tick();
    const second = await machines.join();
    await machines.tick();
    first.attempt = second.attempt = () => new Promise(() => undefined);
    const owner = first.asked.length > 0 ? first : second;
    const other = owner === first ? second : first;
    machines.clock.now += MINUTE;
    void owner.tick({ nextRunIn: MINUTE });
    await expect.poll(() => owner.asked.length, { timeout: 30_000 }).toBeGreaterThan(0);
    other.attempt = () => GOOD;
    // A minute later its leases are over; on a busy machine it may have claimed some of them only now.
    let pinged: number[] = [];
    for (let tick = 1; tick <= 20 && pinged.join() !== machines.each(1).join(); tick += 1) {
      for (const key of (await redis.command('KEYS', `${machines.prefix}:lease*`)) as string[])
        await redis.command('DEL', key);
      pinged = await machines.tick([other]);
    }
    expect(pinged).toEqual(machines.each(1));
  });
});

it('the first of one machine costs a command more than before, and those that follow none', async () => {
  const machines = new Machines(3);
  const pinger = await machines.join();
  const costs: number[] = [];
  for (let tick = 1; tick <= 4; tick += 1) {
    const before = await redis.callsMade();
    await machines.tick();
    costs.push((await redis.callsMade()) - before);
  }
  expect(costs.slice(1)).toEqual([7, 7, 7]);
  expect(pinger.asked).toHaveLength(3);
  // One that stands by looks once a tick.
  const other = await machines.join();
  for (let tick = 1; tick <= 3; tick += 1)
    await machines.tick([pinger]).then(() => other.tick({ nextRunIn: MINUTE }));
  expect(await other.tick({ nextRunIn: MINUTE })).toMatchObject({
    status: 'skipped',
    reason: 'standby',
    commands: 1,
  });
});

it('a run that lasts longer than its lease keeps it', async () => {
  const machines = new Machines(3);
  const pinger = await machines.join();
  const other = await machines.join();
  let end: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (end = resolve));
  pinger.attempt = async () => {
    await held;
    return GOOD;
  };
  const lease = 300;
  const running = pinger.tick({ nextRunIn: MINUTE, machine: { id: '00000000', lease } });
  await expect.poll(() => pinger.asked.length, { timeout: 30_000 }).toBe(3);
  await new Promise((resolve) => setTimeout(resolve, 3 * lease));
  machines.clock.now += 10 * MINUTE;
  await other.tick({ nextRunIn: MINUTE });
  expect(other.asked).toEqual([]);
  end();
  expect(await running).toMatchObject({ stored: true });
});

it('pings what it pinged before while the store is away, and nothing of another machine', async () => {
  const machines = new Machines(3);
  const first = await machines.join();
  await machines.tick();
  const second = await machines.join();
  await machines.tick([first]);
  await second.tick({ nextRunIn: MINUTE });
  const away = await openRemoteStore({ kind: 'redis', url: 'redis://127.0.0.1:1' }, { prefix: 'k' });
  first.store = second.store = away;
  expect(await machines.tick()).toEqual(machines.each(1));
  expect(first.asked).toHaveLength(3);
});

it.each(['taken', 'locked', 'lease_lost'])(
  'pings nothing that another machine was found to have (%s) while the store is away',
  async (reason) => {
    const turns = new Turns('00000000');
    const report = { stored: true, runId: runIdOf('00000000') } as RunReport;
    turns.onReport(0, report, 0);
    turns.onReport(1, report, 0);
    turns.onReport(0, { ...report, stored: false, reason }, MINUTE);
    const away = await openRemoteStore({ kind: 'redis', url: 'redis://127.0.0.1:1' }, { prefix: 'k' });
    const time = { now: 2 * MINUTE, period: MINUTE, within: MINUTE };
    expect(await turns.choose(away, [0, 1, 2], time)).toEqual([1, 2]);
  },
);

it('names machines in the ids of their runs, and nobody else', () => {
  const id = machineId(3000);
  expect(id).toMatch(/^[0-9a-f]{8}$/);
  expect([machineId(3000), machineId(3001) === id]).toEqual([id, false]);
  expect(machineOf(runIdOf(id))).toBe(id);
  expect(machineOf(runIdOf(undefined))).toBeNull();
});

it.each([
  [0, 60_000, 60_000],
  [1_000, 60_000, 59_000],
  [59_999, 60_000, 60_001],
  [55_000, 60_000, 65_000],
  [53_000, 60_000, 7_000],
])('from %i ms, a period of %i ms has its next call in %i ms', (now, period, expected) => {
  expect(untilFullPeriod(now, period)).toBe(expected);
});

it('a machine that takes a shard for its own leaves it to another one that has just made its run', async () => {
  const machines = new Machines(3);
  const first = await machines.join();
  first.attempt = () => FAILED;
  await machines.tick();
  const second = await machines.join();
  const turns = new Turns('00000009');
  turns.choose = (_store, shards) => Promise.resolve([...shards]);
  second.turns = turns;
  // They are due at every run, since they fail.
  machines.clock.now += 20_000;
  expect(await second.tick({ nextRunIn: MINUTE })).toMatchObject({ status: 'skipped', reason: 'taken' });
  expect(second.asked).toEqual([]);
  machines.clock.now -= 20_000;
  expect(await machines.tick([first])).toEqual(machines.each(1));
});
