import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { loadHistory, loadOverview, loadState } from '../../lib/read/load.js';
import { stats, targetHistory } from '../../lib/read/stats.js';
import { openRemoteStore, openSqlite } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { FAILED, GOOD, manyTargets, Pinger } from '../support/runs.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ID = 'service-0';

/** Every number below zero in what a reader gets, by its path. */
function negatives(value: unknown, path = ''): string[] {
  if (typeof value === 'number') return value < 0 ? [`${path} = ${value}`] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => negatives(part, `${path}.${name}`));
}

let redis: RedisServer;
let directory: string;
let store: Store;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keepalive-clock-'));
  await redis.flush();
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

/** The rules are the same over each; `npm test` has the one, `npm run test:long` both. */
const stores = {
  'the embedded database': () => Promise.resolve(openSqlite(join(directory, 'keepalive.db'))),
  ...(inject('long') && {
    'Redis over TCP': () => openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: 'k' }),
  }),
};

const MORE: [string, number[]][] = [
  ['an hour back and forth', [-HOUR, HOUR]],
  ['a day forth and back', [DAY, -DAY]],
  ['an hour back', [-HOUR]],
  ['a day back', [-DAY]],
  ['three minutes back, again and again', [-3, -3, -3, -3].map((minutes) => minutes * MINUTE)],
];
/** Minutes for which all is well. */
const BEFORE = inject('long') ? 90 : 65;

describe.each(Object.entries(stores))('a clock that steps, over %s', (_, open) => {
  let pinger: Pinger;
  beforeEach(async () => {
    store = await open();
    pinger = new Pinger(
      manyTargets(2, {
        KEEP_ALIVE_FAILURE_THRESHOLD: '1',
        KEEP_ALIVE_SUCCESS_THRESHOLD: '1',
        TARGET_SERVICE_1_INTERVAL: '12h',
        TARGET_SERVICE_0_SLEEPS_AFTER: '15m',
        TARGET_SERVICE_0_WAKE_TIMEOUT: '0s',
      }),
      store,
    );
  });

  const read = async () => {
    const { config, now } = pinger;
    const target = config.targets[0] ?? expect.unreachable();
    return {
      all: stats(config, await loadOverview(store, now), now),
      one: targetHistory(config, target, await loadHistory(store, ID, now), now),
    };
  };
  /** So many runs a minute apart, each of which has to ping, record and count; and nothing read is below zero. */
  const runs = async (count: number) => {
    for (let i = 0; i < count; i += 1) {
      const before = (await loadState(store))?.targets[0]?.counters.pings ?? 0;
      const report = await pinger.run();
      expect(report.results.map(({ id }) => id)).toContain(ID);
      expect(report.stored).toBe(true);
      const state = await loadState(store);
      expect(state?.targets[0]).toMatchObject({ lastCheckAt: pinger.now, counters: { pings: before + 1 } });
      expect(negatives(state?.targets.map((target) => target?.awakeGaps))).toEqual([]);
      pinger.now += i % 2 === 0 ? 59_000 : 61_000;
      // Before the snapshot of an hour that has ended is written, and after.
      const hasHourEnded = pinger.now % HOUR < 3 * MINUTE;
      if (i % 10 === 0 || hasHourEnded || i === count - 1) expect(negatives(await read())).toEqual([]);
    }
  };

  it.each([
    // They are like those after them.
    ...(inject('long') ? MORE : []),
    ['a day back and forth', [-DAY, DAY]],
    ['an hour forth and back', [HOUR, -HOUR]],
  ])('%s: every run goes on to ping and to count', async (_, steps) => {
    await runs(BEFORE);
    const slowBefore = pinger.asked.filter((id) => id !== ID).length;
    for (const step of steps) {
      pinger.now += step;
      expect(negatives(await read())).toEqual([]);
      await runs(65);
    }
    const made = pinger.asked.filter((id) => id === ID).length;
    expect(made).toBe(BEFORE + 65 * steps.length);
    // One that is checked twice a day is not checked at every run until the clock has caught up.
    expect(pinger.asked.length - made - slowBefore).toBeLessThanOrEqual(steps.length);
    const { all, one } = await read();
    expect(all).toMatchObject({ targets: [{ pingCount: made, status: 'up' }, { status: 'up' }] });
    expect(all.targets[0]?.uptimeRatio['24h']).toBe(1);
    const times = one.checks.map(({ at }) => Date.parse(at));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.at(-1)).toBeLessThanOrEqual(pinger.now);
  });

  it.each([
    ['an hour', HOUR],
    ['a day', DAY],
  ])('%s back in an outage: one incident, which does not end before it began', async (_, step) => {
    await runs(70);
    pinger.attempt = () => FAILED;
    await runs(5);
    pinger.now -= step;
    await runs(5);
    expect((await read()).one.incident).toMatchObject({ durationMs: 0 });
    pinger.attempt = () => GOOD;
    await runs(5);
    const { one } = await read();
    expect(one).toMatchObject({ status: 'up', incident: null, failedPings: 10 });
    expect(one.incidents).toHaveLength(1);
    const [{ startedAt, endedAt } = expect.unreachable()] = one.incidents;
    expect(Date.parse(endedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(startedAt));
    expect((await loadState(store))?.targets[0]).toMatchObject({ incidents: 1 });
  });

  it('an hour back while results wait to be stored, which were: they are not counted again', async () => {
    await runs(70);
    const { backlog } = pinger;
    const at = pinger.now;
    await runs(1);
    const check = { at, outcome: 'good', latency: 45, statusCode: 200 } as const;
    const rest = {
      reason: null,
      message: null,
      attempts: 1,
      coldStart: false,
      reached: true,
      origin: 'container',
      word: null,
      wakeMs: null,
      wakeMsAtLeast: null,
      tlsExpiresAt: null,
    } as const;
    backlog.keep([{ at, checks: new Map([[ID, { ...check, ...rest, timings: GOOD.timings }]]) }]);
    pinger.now -= HOUR;
    await runs(10);
    expect((await read()).one.pingCount).toBe(81);
  });

  it.each([-HOUR, -1, HOUR])(
    'by %i ms while another run is under way: its lease holds all the same',
    async (ms) => {
      await runs(2);
      await store.claim({ token: 'other', ttl: 60_000, fields: [] });
      pinger.now += ms;
      expect(await pinger.run()).toMatchObject({ reason: 'locked' });
    },
  );

  it('back in the middle of a run: it lasts no time rather than less than none', async () => {
    pinger.attempt = () => {
      pinger.now -= HOUR;
      return GOOD;
    };
    expect(await pinger.run()).toMatchObject({ status: 'completed', durationMs: 0, stored: true });
    expect((await loadState(store))?.lastRun).toMatchObject({ durationMs: 0 });
  });
});
