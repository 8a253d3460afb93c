import { usageOf } from '../lib/cli/plan-command.js';
import { parseConfig, type Config } from '../lib/config/config.js';
import { STORE_FIELDS } from '../lib/record/fields.js';
import type { Usage } from '../lib/rules/account.js';
import { runShard } from '../lib/run/tick.js';
import { openRemoteStore } from '../lib/store/open.js';
import { startRedis, type RedisServer } from '../test/support/redis.js';
import { GOOD } from '../test/support/runs.js';
import { ShardedPinger } from '../test/support/shards.js';
import { targetsEnv } from './built/ground.js';
import type { Table } from './table.js';

const COUNTS = process.env.GROWTH_OF?.split(',').map(Number) ?? [
  500, 1_000, 5_000, 10_000, 100_000, 1_000_000,
];
const SHARD_SIZE = 500;
const MINUTE = 60_000;
const MEMORY_GB = 2;

/**
 * List prices in US dollars, without what plans include: Vercel in Washington (https://vercel.com/docs/functions/usage-and-pricing),
 * https://upstash.com/pricing/redis and https://upstash.com/pricing/qstash, each pay as you go.
 */
const PRICES = {
  cpuHour: 0.128,
  memoryGbHour: 0.0106,
  invocations: 0.6 / 1e6,
  commands: 0.2 / 1e5,
  messages: 1 / 1e5,
};

/** Ticks of shards one after the other in one process, on a real Redis, with targets that answer at once, and what a month costs. */
export async function* measure(): AsyncGenerator<Table> {
  const config = configOf();
  const rows: string[][] = [];
  for (const count of COUNTS) {
    rows.push(await tickOf(config, count));
    console.error(rows.at(-1)?.join(' | '));
  }
  yield {
    title: 'A tick of shards, one after the other',
    note: `Shards of ${SHARD_SIZE}, the second tick, no network but to Redis over TCP. CPU is that of claiming, judging, recording and committing; checks come on top (0.2 to 1.3 ms each, see above).`,
    columns: [
      'targets',
      'shards',
      'CPU, s',
      'CPU a target, µs',
      'commands',
      'bytes a target',
      'stored, bytes a target',
      'memory, MB',
    ],
    rows,
  };
  yield {
    title: 'What a month costs',
    note: 'US dollars at list prices, before what plans include, every target checked every minute and well, by the figures of `keepalive plan`. A message a check: a run of its own for each target.',
    columns: [
      'targets',
      'Vercel CPU',
      'memory',
      'invocations',
      'Upstash',
      'QStash',
      'together',
      'a target',
      'a message a check',
      '×',
    ],
    rows: COUNTS.map((count) => pricesOf(config, count)),
  };
}

function configOf(): Config {
  const result = parseConfig({
    ...targetsEnv(SHARD_SIZE, (i) => `https://service-${i}.example.com/health`),
    ...{ VERCEL: '1', KEEP_ALIVE_TICK: '1m', KEEP_ALIVE_PLAN: 'none', KEEP_ALIVE_CONTROL_URLS: 'off' },
    ...{ QSTASH_TOKEN: 'token', QSTASH_CURRENT_SIGNING_KEY: 'sig_of_the_bench_0123456789' },
    ...{ UPSTASH_REDIS_REST_URL: 'https://a.upstash.io', UPSTASH_REDIS_REST_TOKEN: 'token' },
  });
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join());
  return result.config;
}

/** The runs of a second tick; the first one, in which all targets are new, is left out. */
async function tickOf(config: Config, count: number): Promise<string[]> {
  const redis = await startRedis();
  const store = await openRemoteStore(
    { kind: 'redis', url: redis.url },
    { prefix: 'bench', ...STORE_FIELDS },
  );
  try {
    const shards = count / SHARD_SIZE;
    const pinger = new ShardedPinger(config, store);
    pinger.attempt = () => {
      const ttfb = 5 + Math.floor(Math.random() * 200);
      const connect = 1 + Math.floor(Math.random() * 20);
      return {
        ...GOOD,
        timings: { ...GOOD.timings, connect, tls: connect, ttfb, total: ttfb + 2 * connect },
      };
    };
    const empty = await dataIn(redis);
    let [cpu, calls, bytes] = [0, 0, 0];
    for (let tick = 0; tick < 2; tick += 1) {
      bytes = await trafficOf(redis);
      const [callsBefore, { user, system }] = [await redis.callsMade(), process.cpuUsage()];
      for (let number = 0; number < shards; number += 1) {
        const request = { trigger: 'bench', limit: 300_000, nextRunIn: MINUTE };
        const { stored } = await runShard(
          pinger.installation,
          { number, targets: config.targets },
          { count: shards },
          request,
        );
        if (!stored) throw new Error('a run could not be recorded');
      }
      const used = process.cpuUsage();
      cpu = (used.user + used.system - user - system) / 1_000;
      calls = (await redis.callsMade()) - callsBefore;
      bytes = (await trafficOf(redis)) - bytes;
      pinger.clock.now += MINUTE;
    }
    return [
      ...[count, shards].map(String),
      (cpu / 1_000).toFixed(1),
      ((cpu / count) * 1_000).toFixed(0),
      String(calls),
      (bytes / count).toFixed(0),
      (((await dataIn(redis)) - empty) / count).toFixed(0),
      (process.memoryUsage.rss() / 2 ** 20).toFixed(0),
    ];
  } finally {
    await store.close();
    await redis.stop();
  }
}

/** Bytes that went to and from Redis so far. */
async function trafficOf(redis: RedisServer): Promise<number> {
  const info = await redis.command('INFO', 'stats');
  return numberIn(info, 'total_net_input_bytes') + numberIn(info, 'total_net_output_bytes');
}

async function dataIn(redis: RedisServer): Promise<number> {
  return numberIn(await redis.command('INFO', 'memory'), 'used_memory_dataset');
}

function numberIn(info: unknown, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(String(info))?.[1]);
}

function pricesOf(config: Config, count: number): string[] {
  const [first] = config.targets;
  if (first === undefined) throw new Error('no target');
  const targets = Array.from({ length: count }, () => first);
  const own = partsOf(usageOf({ ...config, targets }));
  const naive = partsOf(usageOf({ ...config, targets, shardSize: 1 }));
  const sum = (parts: readonly number[]): number => parts.reduce((total, part) => total + part, 0);
  const dollars = (amount: number): string => amount.toFixed(amount < 10 ? 2 : 0);
  return [
    String(count),
    ...own.map(dollars),
    dollars(sum(own)),
    (sum(own) / count).toFixed(4),
    dollars(sum(naive)),
    (sum(naive) / sum(own)).toFixed(0),
  ];
}

/** In dollars: CPU, memory, invocations, commands, messages. */
function partsOf({ cpuMs, wallMs, invocations, commands, messages }: Usage): number[] {
  const hours = (ms: number): number => ms / (60 * MINUTE);
  return [
    hours(cpuMs) * PRICES.cpuHour,
    hours(wallMs) * MEMORY_GB * PRICES.memoryGbHour,
    invocations * PRICES.invocations,
    commands * PRICES.commands,
    messages * PRICES.messages,
  ];
}
