import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { GET as getHealth } from '../../api/health.js';
import { setApp } from '../../lib/app.js';
import type { Health } from '../../lib/read/health.js';
import { loadOverview } from '../../lib/read/load.js';
import { stats } from '../../lib/read/stats.js';
import { openRemoteStore, openSqlite } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { runChild } from '../support/child.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import type { ChildStore, ChildTask, Crowd } from '../support/run-child.js';
import { configOf, FAILED, GOOD, manyTargets, Pinger } from '../support/runs.js';
import { startUpstashFront, type UpstashFront } from '../support/upstash-front.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TARGETS = 3;
const TRIGGERS = 100;

let redis: RedisServer;
let front: UpstashFront;
let directory: string;
let files = 0;

beforeAll(async () => {
  redis = await startRedis();
  front = await startUpstashFront({ redisPort: redis.port, token: 'token' });
  directory = await mkdtemp(join(tmpdir(), 'keepalive-overlap-'));
});
afterAll(async () => {
  await front.close();
  await redis.stop();
  await rm(directory, { recursive: true });
});
beforeEach(() => redis.flush());

const remotes = {
  'Upstash over REST': () => ({ kind: 'upstash', url: front.url, token: front.token, prefix: 'k' }) as const,
  'Redis over TCP': () => ({ kind: 'redis', url: redis.url, prefix: 'k' }) as const,
} satisfies Record<string, () => ChildStore>;

/** Two ways to the same data: two connections, or the one process that may have the file. */
const pairs: Record<string, () => Promise<readonly [Store, Store]>> = {
  'the embedded database': () => {
    const store = openSqlite(join(directory, `${files++}.db`));
    return Promise.resolve([store, store]);
  },
};
for (const [name, config] of Object.entries(remotes)) {
  pairs[name] = async () => [
    await openRemoteStore(config(), { prefix: 'k' }),
    await openRemoteStore(config(), { prefix: 'k' }),
  ];
}

const statsOf = async ({ config, now }: Pinger, store: Store) =>
  stats(config, await loadOverview(store, now), now);

/** Their triggers, those of each at once, by clocks that are so much ahead of the right one, in minutes. */
const CROWDS = {
  'a hundred triggers of two processes': { ahead: [0, 0], each: 50, times: 1 },
  'twenty triggers of four processes whose clocks are wrong': {
    ahead: [10, 0, -10, 0],
    each: 5,
    times: 100,
  },
};

describe.each(Object.entries(remotes))('%s', (_, config) => {
  it.each(Object.entries(CROWDS))('%s ping each target once', async (_name, { ahead, each, times }) => {
    const script = new URL('../support/run-child.ts', import.meta.url);
    const children = ahead.map((minutes) => {
      const own = { store: config(), runs: each, targets: TARGETS, ahead: minutes * MINUTE };
      return runChild(script, [JSON.stringify({ task: 'crowd', ...own } satisfies ChildTask)]);
    });
    await Promise.all(children.map((child) => once(child, 'message')));
    const store = await openRemoteStore(config(), { prefix: 'k' });
    for (let time = 0; time < times; time += 1) {
      await redis.flush();
      const crowds = children.map(async (child) => {
        const answer = once(child, 'message') as Promise<[Crowd]>;
        child.send('go');
        return (await answer)[0];
      });
      const all = await Promise.all(crowds);
      expect(all.flatMap(({ asked }) => asked).sort()).toEqual(['service-0', 'service-1', 'service-2']);
      const statuses = all.flatMap((crowd) => crowd.statuses);
      expect(statuses).toHaveLength(each * ahead.length);
      expect(new Set(statuses)).toEqual(new Set(['completed', 'skipped']));
      const { targets } = await statsOf(new Pinger(manyTargets(TARGETS), store), store);
      expect(targets.map(({ pingCount }) => pingCount)).toEqual([1, 1, 1]);
    }
    await store.close();
    for (const child of children) child.disconnect();
    await Promise.all(children.map((child) => once(child, 'exit')));
  });
});

describe.each(Object.entries(pairs))('overlapping runs, %s', (_, open) => {
  let own: Store;
  let other: Store;
  beforeEach(async () => {
    [own, other] = await open();
  });
  afterEach(async () => {
    await own.close();
    await other.close();
  });

  it('a hundred at once are one', async () => {
    const pingers = [own, other].map((store) => new Pinger(manyTargets(TARGETS), store));
    const runs = Array.from({ length: TRIGGERS / 2 }, () => pingers.map((pinger) => pinger.run()));
    const reports = await Promise.all(runs.flat());
    expect(pingers.flatMap(({ asked }) => asked).sort()).toEqual(['service-0', 'service-1', 'service-2']);
    const made = reports.filter((report) => report.checked === TARGETS);
    expect(made).toMatchObject([{ status: 'completed', stored: true }]);
    for (const report of reports) {
      if (report !== made[0]) expect(report).toMatchObject({ checked: 0, due: 0 });
    }
  });

  it('a trigger that is doubled a moment later pings nobody again', async () => {
    const [first, second] = [new Pinger(manyTargets(TARGETS), own), new Pinger(manyTargets(TARGETS), other)];
    await first.run();
    second.now = first.now + 1500;
    expect(await second.run()).toMatchObject({ status: 'completed', due: 0, checked: 0, stored: true });
    expect([...first.asked, ...second.asked]).toHaveLength(TARGETS);
  });

  it('a run that outlives its lease cannot overwrite the one after it', async () => {
    const [slow, quick] = [new Pinger(manyTargets(1), own), new Pinger(manyTargets(1), other)];
    let goOn = (): void => undefined;
    slow.attempt = () => new Promise((resolve) => (goOn = () => resolve(FAILED)));
    const outlived = slow.run();
    await expect.poll(() => slow.asked.length).toBe(1);
    quick.now += 10 * MINUTE;
    await redis.expireLeases();
    // The embedded database's lease goes by the clock of its process.
    const later = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 10 * MINUTE);
    expect(await quick.run()).toMatchObject({ status: 'completed', stored: true });
    later.mockRestore();
    goOn();
    expect(await outlived).toMatchObject({ stored: false, reason: 'lease_lost' });
    expect(slow.lines.filter((line) => line.includes('"check_not_stored"'))).toHaveLength(1);
    expect(await statsOf(quick, other)).toMatchObject({ pingCount: 1, failedPings: 0 });
  });
});

describe('late, missed and irregular triggers', () => {
  let store: Store;
  beforeEach(async () => {
    store = await openRemoteStore(remotes['Redis over TCP'](), { prefix: 'k' });
  });
  afterEach(async () => {
    setApp(null);
    await store.close();
  });

  it('a late run pings each target once, not once for each time it was missed', async () => {
    const pinger = new Pinger(manyTargets(3, { TARGET_SERVICE_2_INTERVAL: '5m' }), store);
    await pinger.run();
    pinger.asked.length = 0;
    pinger.now += 47 * MINUTE;
    expect(await pinger.run()).toMatchObject({ due: 3, checked: 3 });
    expect(pinger.asked).toEqual(['service-0', 'service-1', 'service-2']);
    for (const due of [2, 2, 2, 2, 3]) {
      pinger.now += MINUTE;
      expect(await pinger.run()).toMatchObject({ due });
    }
  });

  it('a late run makes no more rounds than any other', async () => {
    const pinger = new Pinger(manyTargets(1, { TARGET_SERVICE_0_INTERVAL: '10s' }), store);
    const counts: number[] = [];
    for (const wait of [MINUTE, 47 * MINUTE, MINUTE]) {
      const startedAt = pinger.now;
      counts.push((await pinger.run({ nextRunIn: MINUTE, limit: 5 * MINUTE })).checked);
      pinger.now = startedAt + wait;
    }
    expect(counts).toEqual([6, 6, 6]);
  });

  it('each target is checked in time for hours of irregular and doubled triggers, and none too often', async () => {
    const intervals = { quick: 1, usual: 5, odd: 12, failing: 7, slow: 720 } as const;
    const config = configOf({
      ...Object.fromEntries(
        Object.entries(intervals).flatMap(([id, minutes]) => [
          [`TARGET_${id.toUpperCase()}_URL`, `http://${id}.test/`],
          [`TARGET_${id.toUpperCase()}_INTERVAL`, `${minutes}m`],
        ]),
      ),
      KEEP_ALIVE_TICK: '5m',
      KEEP_ALIVE_RETRIES: '0',
      // A count that never ends: due at every run.
      TARGET_FAILING_FAILURE_THRESHOLD: '100',
      TARGET_FAILING_SUCCESS_THRESHOLD: '100',
    });
    const { tick } = config;
    // At most a tick apart, often doubled a moment or a few seconds later.
    const wait = fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: MINUTE, max: tick }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 5_000 }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(wait), fc.infiniteStream(fc.boolean()), async (waits, fails) => {
        await redis.flush();
        const pinger = new Pinger(config, store);
        const end = pinger.now + 24 * HOUR;
        const checkedAt = new Map<string, number[]>(Object.keys(intervals).map((id) => [id, []]));
        let failing = false;
        pinger.attempt = ({ info }) => {
          checkedAt.get(info.id)?.push(pinger.now);
          return info.id === 'failing' && failing ? FAILED : GOOD;
        };
        while (pinger.now < end) {
          failing = fails.next().value as boolean;
          expect(await pinger.run()).toMatchObject({ status: 'completed', stored: true });
          pinger.now += waits.next().value as number;
        }
        for (const [id, minutes] of Object.entries(intervals)) {
          const times = checkedAt.get(id) ?? [];
          const interval = minutes * MINUTE;
          const spacing = id === 'failing' ? Math.min(interval, tick) : interval;
          const gaps = times.map((at, i) => (times[i + 1] ?? end) - at);
          expect(Math.max(...gaps), `${id}: too late`).toBeLessThanOrEqual(interval + tick);
          expect(Math.min(...gaps.slice(0, -1)), `${id}: too often`).toBeGreaterThanOrEqual(spacing / 2);
        }
      }),
      { numRuns: 5 },
    );
  });

  it('a gap lowers coverage and invents nothing; it is recorded once and shown by /api/health', async () => {
    const pinger = new Pinger(manyTargets(2), store);
    pinger.attempt = ({ info }) =>
      info.id === 'service-1' && pinger.now % HOUR < 15 * MINUTE ? FAILED : GOOD;
    const runs = async (count: number) => {
      for (let i = 0; i < count; i += 1) {
        await pinger.run();
        pinger.now += MINUTE;
      }
    };
    const figures = async () =>
      (await statsOf(pinger, store)).targets.map((target) => ({
        pings: target.pingCount,
        uptime: target.uptimeRatio['24h'],
        coverage: target.coverage['24h'],
      }));
    expect(await figures()).toEqual([0, 1].map(() => ({ pings: 0, uptime: null, coverage: null })));
    await runs(60);
    const before = await figures();
    expect(before).toEqual([
      { pings: 60, uptime: 1, coverage: 1 },
      { pings: 60, uptime: 0.75, coverage: 1 },
    ]);
    const from = pinger.now - MINUTE;
    // The last check speaks for its interval and one tick.
    pinger.now += 2 * HOUR - MINUTE;
    const [steady, failing] = await figures();
    expect(steady).toEqual({ pings: 60, uptime: 1, coverage: expect.closeTo(61 / 179, 5) as number });
    expect(failing).toMatchObject({ pings: 60, uptime: expect.closeTo(46 / 61, 5) as number });

    const to = pinger.now;
    await runs(10);
    expect((await figures()).map(({ pings }) => pings)).toEqual([70, 70]);
    setApp({ config: pinger.config, store });
    const health = (await (await getHealth(new Request('http://localhost/api/health'))).json()) as Health;
    expect(health.checks.schedule.missedRuns).toEqual([
      { from: new Date(from).toISOString(), to: new Date(to).toISOString() },
    ]);

    // So long that nothing is left in the window.
    pinger.now += 30 * HOUR;
    expect(await figures()).toEqual([0, 1].map(() => ({ pings: 70, uptime: null, coverage: 0 })));
  });
});
