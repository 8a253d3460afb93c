import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeShards } from '../../lib/record/directory.js';
import type { Meter, Store } from '../../lib/store/store.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { openRemoteStores, texts } from '../support/stores.js';
import { startUpstashFront, type UpstashFront } from '../support/upstash-front.js';
import { newMeter, storeContract } from './contract.js';

let redis: RedisServer;
let other: RedisServer;
let front: UpstashFront;
beforeAll(async () => {
  [redis, other] = await Promise.all([startRedis(), startRedis()]);
  front = await startUpstashFront({ redisPort: other.port, token: 'secret-token' });
});
afterAll(async () => {
  await front.close();
  await redis.stop();
  await other.stop();
});
beforeEach(async () => {
  await redis.flush();
  await other.flush();
  front.reset();
});

const FIRST = () => ({ kind: 'redis', url: redis.url }) as const;
const SECOND = () => ({ kind: 'upstash', url: front.url, token: front.token }) as const;
const open = () => openRemoteStores({ 1: FIRST(), 2: SECOND() }, { prefix: 'k' });
/** Groups 0 and 2 are in the first database, group 1 in the second. */
const SHARDS = { count: 24, directory: 'x', layout: { origin: 'our', stores: [1, 2, 1] } };

async function layOut(): Promise<void> {
  await redis.command('HSET', 'k:data', 'shards', writeShards({ ...SHARDS, store: 1 }));
  await other.command('HSET', 'k:data', 'shards', writeShards({ ...SHARDS, store: 2 }));
}

describe('contract', () => {
  storeContract(async () => {
    await layOut();
    return open();
  });
});

describe('shards in two databases', () => {
  let store: Store;
  beforeEach(async () => {
    await layOut();
    store = await open();
  });
  afterEach(() => store.close());

  const write = async (shard: number, value: string) => {
    const its = store.shard(shard);
    expect(await its.claim({ token: 'a', ttl: 60_000, fields: ['x'] })).toMatchObject({ claimed: true });
    const append = { log: 'l', offset: 0, text: value };
    expect(await its.commit({ token: 'a', fields: { x: value }, append, release: true })).toBe('committed');
  };

  test('are written where they live, and read together', async () => {
    for (const shard of [0, 3, 8, 15, 16]) await write(shard, `shard ${shard}`);
    const names = ['x', 'x:3', 'x:8', 'x:15', 'x:16'];
    expect(await redis.command('HMGET', 'k:data', ...names)).toEqual([
      'shard 0',
      'shard 3',
      null,
      null,
      null,
    ]);
    expect(await other.command('HMGET', 'k:data:1', ...names)).toEqual([
      null,
      null,
      'shard 8',
      'shard 15',
      null,
    ]);
    expect(await redis.command('HGET', 'k:data:2', 'x:16')).toBe('shard 16');
    expect(await other.command('KEYS', 'k:log:*')).toHaveLength(2);
    const meter = newMeter();
    const answer = await store.metered(meter).read({ fields: names, logs: ['l', 'l:8'] });
    expect([...answer.fields.values()].sort()).toEqual([
      'shard 0',
      'shard 15',
      'shard 16',
      'shard 3',
      'shard 8',
    ]);
    expect(answer.logs).toEqual(texts({ l: 'shard 0', 'l:8': 'shard 8' }));
    // Three hashes, and the logs of each database.
    expect(meter.commands).toBe(5);
  });

  test('cost one look at each database in the life of a process, and nothing besides', async () => {
    const costOf = async (shard: number) => {
      const meter: Meter = newMeter();
      const its = store.shard(shard).metered(meter);
      await its.claim({ token: 'a', ttl: 60_000, fields: [] });
      await its.commit({ token: 'a', fields: {}, append: null, release: true });
      return meter.commands;
    };
    // The scripts and the clocks are known afterwards.
    for (const shard of [0, 8]) await costOf(shard);
    const again = await Promise.all([costOf(0), costOf(8), costOf(9), costOf(16)]);
    expect(again).toEqual([6, 6, 6, 6]);
  });

  test('of which one is away: a read that can do without it says what is missing, any other fails', async () => {
    for (const shard of [0, 8]) await write(shard, `shard ${shard}`);
    front.fault = () => ({ kind: 'refuse' });
    const request = { fields: ['x', 'x:8'], logs: [] };
    const { fields, unread } = await store.read({ ...request, partly: true });
    expect(fields).toEqual(texts({ x: 'shard 0' }));
    expect([...(unread ?? [])]).toMatchObject([
      ['x:8', { code: 'store_unreachable', message: 'REDIS_URL_2: the store cannot be reached' }],
    ]);
    await expect(store.read(request)).rejects.toMatchObject({ code: 'store_unreachable' });
    await write(3, 'goes on');
  });

  test('of which one hangs: whoever reads several times waits for it once', async () => {
    for (const shard of [0, 8]) await write(shard, `shard ${shard}`);
    front.fault = () => ({ kind: 'hang' });
    const answer = await store.read({ fields: ['x', 'x:8'], logs: [], partly: true });
    expect(answer.fields).toEqual(texts({ x: 'shard 0' }));
    const asked = front.requests.length;
    const again = store.shard(8).read({ fields: ['x'], logs: [], partly: true });
    await expect(again).rejects.toMatchObject({
      code: 'store_timeout',
      message: 'REDIS_URL_2: the store did not answer in time',
    });
    expect(front.requests).toHaveLength(asked);
    // A call that needs it asks it, and then readers ask it as well.
    front.fault = () => null;
    await write(8, 'later');
    expect((await store.read({ fields: ['x:8'], logs: [], partly: true })).fields).toEqual(
      texts({ 'x:8': 'later' }),
    );
  });

  test('of which the first is away: what all share comes from a copy', async () => {
    for (const shard of [0, 8]) await write(shard, `shard ${shard}`);
    await store.shard(8).swap({ field: 'maintenance', expected: null, value: 'a window' });
    await redis.kill();
    const fields = ['x', 'x:8', 'maintenance', 'shards', 'directory'];
    const answer = await (await open()).read({ fields, logs: [], partly: true });
    await redis.restart();
    expect(answer.fields).toEqual(
      texts({ 'x:8': 'shard 8', maintenance: 'a window', shards: writeShards({ ...SHARDS, store: 2 }) }),
    );
    expect([...(answer.unread?.keys() ?? [])].sort()).toEqual(['directory', 'x']);
  });

  test('of a database that was emptied are not begun anew, not even by a process that knew it', async () => {
    await write(8, 'before');
    await other.command('FLUSHALL');
    await expect(store.shard(8).claim({ token: 'b', ttl: 60_000, fields: ['x'] })).rejects.toMatchObject({
      code: 'store_mismatch',
    });
    await write(0, 'goes on');
  });

  test('of a group that nobody has told of are nowhere, and cannot be claimed', async () => {
    expect(await store.read({ fields: ['x:24'], logs: [] })).toEqual({ fields: texts({}), logs: texts({}) });
    await expect(store.shard(24).claim({ token: 'a', ttl: 1_000, fields: [] })).rejects.toMatchObject({
      code: 'store_corrupt',
    });
  });

  test('are found where they are now, when another process has moved them', async () => {
    await write(8, 'before');
    const moved = writeShards({ ...SHARDS, layout: { origin: 'our', stores: [1, 1, 1] } });
    await redis.command('HSET', 'k:data', 'shards', moved);
    await redis.command('HSET', 'k:data:1', 'x:8', 'after');
    const { fields } = await store.read({ fields: ['shards', 'x:8'], logs: [] });
    expect(fields.get('x:8')).toBe('after');
  });
});
