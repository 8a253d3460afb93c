import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { examineDatabases } from '../../lib/cli/database-findings.js';
import type { NumberedStore } from '../../lib/config/store-choice.js';
import { writeShards } from '../../lib/record/directory.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { openRemoteStores } from '../support/stores.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(() => redis.flush());

/** The first database of one server is the first, the second one the second. */
const url = (number: number) => `${redis.url}/${number}`;
const LAYOUT = { origin: 'our', stores: [1, 2] };
const put = async (number: number, field: string, text: string) => {
  await redis.command('SELECT', String(number));
  await redis.command('HSET', 'k:data', field, text);
  await redis.command('SELECT', '0');
};
const copyOf = (store: number, origin = 'our') =>
  writeShards({ count: 9, directory: 'x', layout: { ...LAYOUT, origin }, store });

it.each<[string, readonly number[], () => Promise<void>, readonly string[]]>([
  [
    'in use',
    [1, 2],
    async () => {
      await put(1, 'shards', copyOf(1));
      await put(2, 'shards', copyOf(2));
    },
    ['ok: redis answers in 1 ms, reads and writes, from REDIS_URL_2; targets live there'],
  ],
  [
    'not used yet',
    [1, 2],
    () => Promise.resolve(),
    ['ok: redis answers in 1 ms, reads and writes, from REDIS_URL_2; it takes the next shard'],
  ],
  [
    'empty although targets live there',
    [1, 2],
    () => put(1, 'shards', copyOf(1)),
    ['error: REDIS_URL_2: the database is empty, and targets live in another one'],
  ],
  [
    "another installation's",
    [1, 2],
    async () => {
      await put(1, 'shards', copyOf(1));
      await put(2, 'shards', copyOf(2, 'their'));
    },
    ['error: REDIS_URL_2: the database holds data of another installation'],
  ],
  [
    'that of an installation with one database',
    [1, 2],
    () => put(2, 'state', ' 5x'),
    ['error: REDIS_URL_2: the database holds data of another installation'],
  ],
  [
    'in use although the first one is empty',
    [1, 2],
    () => put(2, 'shards', copyOf(2)),
    [
      'error: REDIS_URL: the database is empty, and the one of REDIS_URL_2 belongs to an installation whose first database holds data',
      'ok: redis answers in 1 ms, reads and writes, from REDIS_URL_2; targets live there',
    ],
  ],
  [
    'exchanged with another one',
    [1, 2, 3],
    async () => {
      await put(1, 'shards', copyOf(1));
      await put(2, 'shards', copyOf(3));
      await put(3, 'shards', copyOf(2));
    },
    [
      'error: REDIS_URL_2: the database is that of REDIS_URL_3',
      'error: REDIS_URL_3: the database is that of REDIS_URL_2',
    ],
  ],
  [
    'not set any more',
    [1],
    () => put(1, 'shards', copyOf(1)),
    [
      'error: REDIS_URL_2 (or UPSTASH_REDIS_REST_URL_2) is not set, and targets live in the database that it named',
    ],
  ],
])('a further database that is %s', async (_, numbers, prepare, expected) => {
  await prepare();
  const configs = numbers.map((number): NumberedStore => ({
    number,
    store: { kind: 'redis', url: url(number) },
    variables: [number === 1 ? 'REDIS_URL' : `REDIS_URL_${number}`],
  }));
  const store = await openRemoteStores(Object.fromEntries(configs.map((each) => [each.number, each.store])), {
    prefix: 'k',
  });
  await store.read({ fields: ['shards'], logs: [] });
  if (store.databases === undefined) throw new Error('not several');
  const written: unknown[] = [];
  const { findings } = await examineDatabases(store.databases, configs, {
    latency: () => Promise.resolve(1),
    write: (each) => Promise.resolve(void written.push(each)),
  });
  await store.close();
  expect(findings.map(({ level, what }) => `${level}: ${what}`)).toEqual(expected);
  expect(written).toHaveLength(expected.filter((each) => each.startsWith('ok')).length);
});
