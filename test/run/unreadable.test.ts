import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { STATE_V2_DICTIONARY } from '../../lib/record/state-v2.js';
import { STATE_V1_DICTIONARY } from '../../lib/record/state-v1.js';
import type { Store } from '../../lib/store/store.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { manyTargets, Pinger } from '../support/runs.js';
import { openRemoteStore } from '../support/stores.js';

let redis: RedisServer;
let store: Store;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.flush();
  store = await openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: 'k' });
  return () => store.close();
});

const packed = (json: unknown, dictionary: Buffer) =>
  deflateRawSync(typeof json === 'string' ? json : JSON.stringify(json), { dictionary }).toString('base64');
const v1 = (head: unknown, columns: unknown = []) => packed([1, head, columns], STATE_V1_DICTIONARY);
const HEAD = {
  revision: 1,
  firstRunAt: 1,
  lastRun: null,
  gaps: [],
  log: { span: -1, offset: 0, lastUnit: 0, lastWidth: null, pending: '' },
  snapshotHour: 490_000,
};

it.each<[string, string, string]>([
  ['a state of no format', 'state', 'garbage'],
  ['a state of a newer version', 'state', ' 9abc'],
  ['a state without a head', 'state', v1(null)],
  ['a state with an empty run', 'state', v1({ lastRun: {} })],
  ['a state with a text for a list', 'state', v1({ ...HEAD, intervals: 'abc' })],
  ['a state without a log', 'state', v1({ ...HEAD, log: null })],
  ['a state without columns', 'state', v1(HEAD, null)],
  ['a state whose columns are no lists', 'state', v1(HEAD, [{ length: 3 }])],
  ['a state of impossible times', 'state', v1({ ...HEAD, firstRunAt: 8.7e15 })],
  ['a state of 480 MB', 'state', ` 2${packed('x'.repeat(40_000_000), STATE_V2_DICTIONARY)}`],
  ['an outbox of no format', 'outbox', 'garbage'],
  ['an outbox that is null', 'outbox', packed('1 1 null', Buffer.alloc(0))],
  ['an outbox of a newer version', 'outbox', ' 9abc'],
])(
  '%s: targets are pinged all the same, every time, and the store is left as it is',
  async (_, field, text) => {
    await redis.command('HSET', 'k:data', field, text);
    const pinger = new Pinger(manyTargets(2), store);
    for (let i = 0; i < 3; i++) {
      expect(await pinger.run()).toMatchObject({ checked: 2, stored: false, reason: 'store_corrupt' });
      pinger.now += 60_000;
    }
    expect(pinger.asked).toHaveLength(6);
    expect(String(await redis.command('HGET', 'k:data', field))).toBe(text);
  },
);
