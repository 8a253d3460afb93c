import { openRemoteStore } from '../../test/support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { buildFunctions, type BuiltFunction } from '../../test/support/deployable.js';
import { startRedis, type RedisServer } from '../../test/support/redis.js';
import { startUpstashFront, type UpstashFront } from '../../test/support/upstash-front.js';
import { cpuTime } from '../process.js';

/** Functions as Vercel builds them, and a Redis behind Upstash's REST API. */
export interface Ground {
  readonly functions: ReadonlyMap<string, BuiltFunction>;
  /** With which a function finds the database. */
  readonly env: Readonly<Record<string, string>>;
  readonly redis: RedisServer;
  readonly front: UpstashFront;
  /** The same database, past the front. */
  readonly store: Store;
  close(): Promise<void>;
}

const PREFIX = 'bench';

export async function openGround(entrypoints: readonly string[]): Promise<Ground> {
  const redis = await startRedis();
  const front = await startUpstashFront({ redisPort: redis.port, token: 'bench-token' });
  const store = await openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: PREFIX });
  const deployable = await buildFunctions(entrypoints);
  return {
    functions: deployable.functions,
    env: {
      UPSTASH_REDIS_REST_URL: front.url,
      UPSTASH_REDIS_REST_TOKEN: front.token,
      KEEP_ALIVE_PREFIX: PREFIX,
    },
    redis,
    front,
    store,
    close: async () => {
      await store.close();
      await front.close();
      await redis.stop();
      await deployable.remove();
    },
  };
}

/** What one request cost: ms as its caller saw it, CPU ms of the process that answered, and what it did at the store. */
export interface Cost {
  readonly wall: number;
  readonly cpu: number;
  /** As Redis counts them. */
  readonly commands: number;
  /** Bodies of the store's answers, and of what it was sent. */
  readonly received: number;
  readonly sent: number;
  readonly body: string;
}

/** One request to a function's process, alone. @throws for any answer but 200 */
export async function costOf(
  { redis, front }: Ground,
  { pid, origin }: { readonly pid: number; readonly origin: string },
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Cost> {
  await redis.command('CONFIG', 'RESETSTAT');
  front.reset();
  const before = await cpuTime(pid);
  const startedAt = performance.now();
  const answer = await fetch(origin + path, { headers: { 'accept-encoding': 'identity', ...headers } });
  const body = await answer.text();
  const wall = performance.now() - startedAt;
  const cpu = (await cpuTime(pid)) - before;
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${body.slice(0, 200)}`);
  const commands = await redis.callsMade();
  return { wall, cpu, commands, received: front.bytesOut, sent: front.bytesIn, body };
}

/** The config of so many targets, checked every minute. */
export function targetsEnv(count: number, urlOf: (i: number) => string): Record<string, string> {
  return {
    KEEP_ALIVE_INTERVAL: '1m',
    ...Object.fromEntries(Array.from({ length: count }, (_, i) => [`TARGET_SERVICE_${i}_URL`, urlOf(i)])),
  };
}
