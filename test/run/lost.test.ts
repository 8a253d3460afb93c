import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadState } from '../../lib/read/load.js';
import { openRemoteStore } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { manyTargets, Pinger } from '../support/runs.js';

let redis: RedisServer;
let store: Store;

beforeAll(async () => {
  redis = await startRedis();
  store = await openRemoteStore({ kind: 'redis', url: `redis://127.0.0.1:${redis.port}` }, { prefix: 'k' });
});

afterAll(async () => {
  await store.close();
  await redis.stop();
});

it('a run that finds the database emptied records what was lost, as far as its process knows', async () => {
  const pinger = new Pinger(manyTargets(1), store);
  const firstRunAt = pinger.now;
  await pinger.run();
  expect((await loadState(store))?.lost).toBeNull();
  pinger.now += 60_000;
  await pinger.run();
  const lastRunAt = pinger.now;
  await redis.flush();
  pinger.now += 60_000;
  await pinger.run();
  const lost = { firstRunAt, lastRunAt };
  expect(await loadState(store)).toMatchObject({ firstRunAt: pinger.now, lost });
  pinger.now += 60_000;
  await new Pinger(manyTargets(1), store).run();
  pinger.now += 60_000;
  await pinger.run();
  expect((await loadState(store))?.lost).toEqual(lost);

  await redis.flush();
  const stranger = new Pinger(manyTargets(1), store);
  stranger.now = pinger.now + 60_000;
  await stranger.run();
  expect((await loadState(store))?.lost).toBeNull();
});
