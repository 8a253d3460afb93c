import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { DELETE, POST } from '../../api/maintenance/[change].js';
import { setApp } from '../../lib/app.js';
import { loadHistory, loadOverview } from '../../lib/read/load.js';
import { stats, targetHistory } from '../../lib/read/stats.js';
import { MAINTENANCE_FIELD } from '../../lib/record/fields.js';
import { openRemoteStore } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { meddled } from '../support/meddle.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { configOf, FAILED, GOOD, Pinger } from '../support/runs.js';
import { startUpstashFront, type UpstashFront } from '../support/upstash-front.js';

const MINUTE = 60_000;
const SECRET = 'a-secret-of-32-characters-length';
const config = configOf({
  CRON_SECRET: SECRET,
  TARGET_API_URL: 'http://api.test/',
  TARGET_OTHER_URL: 'http://other.test/',
  KEEP_ALIVE_INTERVAL: '1m',
  KEEP_ALIVE_RETRIES: '0',
  KEEP_ALIVE_FAILURE_THRESHOLD: '1',
  KEEP_ALIVE_CONTROL_URLS: 'off',
});

let redis: RedisServer;
let front: UpstashFront;
let store: Store;
beforeAll(async () => {
  redis = await startRedis();
  front = await startUpstashFront({ redisPort: redis.port, token: 'token' });
  store = await openRemoteStore({ kind: 'upstash', url: front.url, token: front.token }, { prefix: 'k' });
});
afterAll(async () => {
  await store.close();
  await front.close();
  await redis.stop();
});
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  await redis.flush();
  setApp({ config, store });
});
afterEach(() => {
  setApp(null);
  vi.useRealTimers();
});

/** A run every minute, and requests at the time of the pinger's clock. */
function setUp() {
  const pinger = new Pinger(config, store);
  let failing = false;
  pinger.attempt = ({ info }) => (failing && info.id === 'api' ? FAILED : GOOD);
  return {
    pinger,
    runs: async (count: number, outcome: 'good' | 'failing') => {
      failing = outcome === 'failing';
      for (let i = 0; i < count; i += 1) {
        expect(await pinger.run()).toMatchObject({ status: 'completed', stored: true });
        pinger.now += MINUTE;
      }
    },
    send: async (method: 'POST' | 'DELETE', body: object) => {
      vi.setSystemTime(pinger.now);
      const request = new Request('http://localhost/api/maintenance', {
        method,
        headers: { authorization: `Bearer ${SECRET}` },
        body: JSON.stringify(body),
      });
      expect((await (method === 'POST' ? POST : DELETE)(request)).status).toBe(200);
    },
    own: async (id: string) => {
      const { targets } = stats(config, await loadOverview(store, pinger.now), pinger.now);
      return targets.find((target) => target.id === id);
    },
    historyOf: async (id: string) => {
      const target = config.targets.find(({ info }) => info.id === id) ?? expect.unreachable();
      return targetHistory(config, target, await loadHistory(store, id, pinger.now), pinger.now);
    },
  };
}

describe('a deploy that takes a target down', () => {
  it('counts for nothing between its begin and its end, and what comes before and after does', async () => {
    const { pinger, runs, send, own, historyOf } = setUp();
    await runs(30, 'good');
    pinger.now -= MINUTE / 2;
    await send('POST', { target: 'api', minutes: 60, reason: 'deploy' });
    pinger.now += MINUTE / 2;
    await runs(20, 'failing');

    // 29.5 minutes before it began; 20 failed checks within it.
    expect(await own('api')).toMatchObject({
      status: 'down',
      lastStatusCode: 503,
      pingCount: 30,
      failedPings: 0,
      successRate: '100.0',
      uptimeRatio: { '24h': 1 },
      coverage: { '24h': 1 },
      maintenance: {
        until: new Date(pinger.now - 20.5 * MINUTE + 60 * MINUTE).toISOString(),
        reason: 'deploy',
      },
    });
    expect(await own('other')).toMatchObject({ pingCount: 50, maintenance: null, coverage: { '24h': 1 } });

    pinger.now -= MINUTE / 2;
    await send('DELETE', { target: 'api' });
    pinger.now += MINUTE / 2;
    // From the end of the maintenance on, its last check speaks: half a minute until the next.
    expect(await own('api')).toMatchObject({
      pingCount: 30,
      uptimeRatio: { '24h': Math.round((29.5 / 30) * 1e6) / 1e6 },
      maintenance: null,
    });
    await runs(10, 'failing');
    expect(await own('api')).toMatchObject({
      pingCount: 40,
      failedPings: 10,
      successRate: '75.0',
      uptimeRatio: { '24h': 29.5 / 40 },
      coverage: { '24h': 1 },
    });
    const { days } = await historyOf('api');
    expect(days).toMatchObject([{ pings: 40, failures: 10, downtimeMs: 10.5 * MINUTE }]);
  });

  it('is over by itself after its minutes', async () => {
    const { runs, send, own } = setUp();
    await runs(10, 'good');
    await send('POST', { minutes: 5 });
    await runs(5, 'failing');
    expect(await own('api')).toMatchObject({ pingCount: 10, failedPings: 0, maintenance: null });
    await runs(5, 'failing');
    expect(await own('api')).toMatchObject({
      pingCount: 15,
      failedPings: 5,
      uptimeRatio: { '24h': 0.666667 },
    });
    expect(await own('other')).toMatchObject({ pingCount: 15, coverage: { '24h': 1 } });
  });

  it('stays out of the figures of the past when it is ended, prolonged and begun again', async () => {
    const { runs, send, own } = setUp();
    await runs(10, 'good');
    await send('POST', { minutes: 60 });
    await runs(5, 'failing');
    await send('POST', { minutes: 10 });
    await runs(5, 'failing');
    await send('DELETE', {});
    await send('DELETE', {});
    await runs(10, 'good');
    expect(await own('api')).toMatchObject({
      status: 'up',
      pingCount: 20,
      failedPings: 0,
      uptimeRatio: { '24h': 1 },
      coverage: { '24h': 1 },
    });
  });

  it.each([['failing checks', 60, 0] as const, ...(inject('long') ? [['missed runs', 0, 60] as const] : [])])(
    'is right in every hour and day across midnight, with %s',
    async (_, checks, missed) => {
      const { pinger, runs, send, own, historyOf } = setUp();
      pinger.now = Date.UTC(2026, 0, 5, 23);
      await runs(30, 'good');
      await send('POST', { target: 'api', minutes: 60 });
      await runs(checks, 'failing');
      pinger.now += missed * MINUTE - 1;
      expect(await historyOf('api')).toMatchObject({
        coverage: { '24h': 1 },
        maintenance: { until: '2026-01-06T00:30:00.000Z' },
        days: [
          { pings: 30, coverage: 1 },
          { pings: 0, coverage: null },
        ],
      });
      pinger.now += 1;
      await runs(30, 'good');
      expect(await own('api')).toMatchObject({
        pingCount: 60,
        uptimeRatio: { '24h': 1 },
        coverage: { '24h': 1 },
      });
      const history = await historyOf('api');
      const half = { pings: 30, failures: 0, downtimeMs: 0, uptimeRatio: 1, coverage: 1 };
      expect(history.hours).toMatchObject([half, half]);
      expect(history.days).toMatchObject([half, half]);
    },
  );

  it('is heard while a run goes on, from the next run on', async () => {
    const { pinger, runs, send, own } = setUp();
    await runs(1, 'good');
    pinger.store = meddled(store, async ({ name }, work) => {
      const answer = await work();
      if (name === 'claim') await send('POST', { minutes: 10 });
      return answer;
    });
    await runs(1, 'good');
    pinger.store = store;
    await runs(3, 'failing');
    expect(await own('api')).toMatchObject({ pingCount: 2, failedPings: 0, uptimeRatio: { '24h': 1 } });
  });

  it('costs no further command', async () => {
    const { pinger, runs, send } = setUp();
    await runs(2, 'good');
    // The first claim of a process asks for the store's time, and one after the process's clock was set.
    const costOfSecondRun = async () => {
      await pinger.run();
      pinger.now += MINUTE;
      return (await pinger.run()).commands;
    };
    const before = await costOfSecondRun();
    await send('POST', { minutes: 10 });
    expect(await costOfSecondRun()).toBe(before);
    await redis.command('CONFIG', 'RESETSTAT');
    await loadOverview(store, pinger.now);
    expect(await redis.callsMade()).toBe(1);
  });
});

it('a text that cannot be read is logged, and the run goes on without', async () => {
  const { pinger, runs, own } = setUp();
  await store.swap({ field: MAINTENANCE_FIELD, expected: null, value: '[[1]]' });
  await runs(2, 'good');
  expect(pinger.lines.filter((line) => line.includes('maintenance_unreadable'))).toHaveLength(2);
  expect(await own('api')).toMatchObject({ pingCount: 2, maintenance: null });
});
