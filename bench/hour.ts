import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '../test/support/redis.js';
import { openRemoteStore } from '../test/support/stores.js';
import { startUpstashFront } from '../test/support/upstash-front.js';
import { runOf, type Tick } from './hour/tick.js';
import { alertTable, checkTable, messageTable, recordTable, tickTable, type Known } from './hour/tables.js';
import { Messages, type Message } from './hour/messages.js';
import { Receiver } from './hour/receiver.js';
import { readRecorded, Seen } from './hour/truth.js';
import { Workers } from './hour/workers.js';
import { cpuTime } from './process.js';
import type { Answers } from './shards/servers-child.js';
import { startServers, targetsFile } from './shards/targets.js';
import { quantile, type Table } from './table.js';

const { env } = process;
const number = (name: string, usual: number): number => Number(env[name] ?? usual);
const MINUTES = number('HOUR_MINUTES', 60);
const TARGETS = number('HOUR_TARGETS', 10_000);
const WORKERS = number('HOUR_WORKERS', 2);
/** Seconds between two kills on average. */
const KILL_EVERY = number('HOUR_KILL_EVERY', 45);
const KILLS = env.HOUR_KILLS === '1';
const TROUBLES = {
  lost: number('HOUR_LOST', 0.01),
  doubled: number('HOUR_DOUBLED', 0.02),
  delayed: number('HOUR_DELAYED', 0.02),
  longestDelay: 30_000,
};

const SHARD_SIZE = number('KEEP_ALIVE_SHARD_SIZE', 500);

const MINUTE = 60_000;
/** Ms before the next tick at which one is looked at. */
const BEFORE_NEXT = 3_000;
/** Ms for what is still under way after the last tick. */
const DRAINING = 90_000;
const PREFIX = 'bench';
const PUBLIC_URL = 'https://keepalive.example';
const SIGNING_KEY = 'sig_of_the_bench_0123456789';

/**
 * Targets that are checked every minute by functions of their own processes, which QStash calls: with messages that are lost,
 * doubled and late, and where it is asked for, processes that are killed. Prints a line a minute; Ctrl-C ends it early, with
 * its tables.
 */
export async function* measure(): AsyncGenerator<Table> {
  const stopped = new AbortController();
  process.removeAllListeners('SIGINT');
  process.on('SIGINT', () => {
    if (stopped.signal.aborted) process.exit(130);
    console.error('ends after what is under way; once more: at once');
    stopped.abort();
  });
  const redis = await startRedis({ detached: true });
  const front = await startUpstashFront({ redisPort: redis.port, token: 'bench' });
  const folder = await mkdtemp(join(tmpdir(), 'keepalive-hour-'));
  // A little after the minute of the clock, with which some targets change.
  const begin = (Math.floor(Date.now() / MINUTE) + 1) * MINUTE + 5_000;
  const wellFrom = begin + 0.4 * MINUTES * MINUTE;
  const { child: servers, ports } = await startServers({
    WELL_FROM: String(wellFrom),
    WELL_UNTIL: String(wellFrom + 0.2 * MINUTES * MINUTE),
  });
  await writeFile(join(folder, 'targets.yaml'), targetsFile(TARGETS, ports));
  const receiver = new Receiver();
  const messages = new Messages({
    call: (path, init) => workers.call(path, init),
    ...{ signingKey: SIGNING_KEY, publicUrl: PUBLIC_URL, troubles: TROUBLES },
  });
  const functionEnv = {
    ...env,
    ...{ VERCEL: '1', KEEP_ALIVE_PUBLIC_URL: PUBLIC_URL, CRON_SECRET: 'secret-of-the-bench-0123' },
    ...{ QSTASH_TOKEN: 'token', QSTASH_CURRENT_SIGNING_KEY: SIGNING_KEY },
    ...{
      UPSTASH_REDIS_REST_URL: front.url,
      UPSTASH_REDIS_REST_TOKEN: front.token,
      KEEP_ALIVE_PREFIX: PREFIX,
    },
    ...{ KEEP_ALIVE_TICK: '1m', KEEP_ALIVE_PLAN: 'none', KEEP_ALIVE_CONTROL_URLS: 'off' },
    ...{ ALERT_WEBHOOK_URL: await receiver.listen(), QSTASH_URL: await messages.listen() },
  };
  const store = await openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: PREFIX });
  const workers = await Workers.start(WORKERS, folder, functionEnv);
  const seen = new Seen();
  const kills: { readonly at: number; readonly underWay: number }[] = [];
  try {
    const used = async (): Promise<Used> => ({
      functions: await workers.cpu(),
      redis: redisCpu(String(await redis.command('INFO', 'cpu'))),
      servers: await cpuTime(servers.pid ?? 0),
      bench: ownCpu(),
      commands: await redis.callsMade(),
      bytes: front.bytesIn + front.bytesOut,
    });
    const answers = async (): Promise<Answers> => {
      servers.send('take');
      const [found] = (await once(servers, 'message')) as [Answers];
      seen.add(found);
      return found;
    };
    const killing = KILLS ? killAtRandom(workers, kills, stopped.signal) : null;
    const ticks: Tick[] = [];
    for (let n = 0; n < MINUTES && !stopped.signal.aborted; n += 1) {
      const at = begin + n * MINUTE;
      if (await until(at, stopped.signal)) break;
      const before = await used();
      const first = messages.all.length;
      messages.trigger();
      await until(at + MINUTE - BEFORE_NEXT, stopped.signal);
      const found = await answers();
      const tick = tickOf(at, { before, after: await used() }, messages.all.slice(first), found);
      // What came and went would be the most of this process.
      front.reset();
      ticks.push(tick);
      console.error(
        progress(
          n,
          tick,
          receiver.digests.filter(({ receivedAt }) => receivedAt >= at),
        ),
      );
    }
    const isWhole = ticks.length === MINUTES;
    stopped.abort();
    await killing;
    const end = Date.now() + DRAINING;
    while (messages.underWay > 0 && Date.now() < end) await sleep(200);
    await answers();
    const recorded = await readRecorded(store, Math.ceil(TARGETS / SHARD_SIZE) + 1);
    const { digests } = receiver;
    const known: Known = { ticks, messages: messages.all, recorded, seen, kills, digests, targets: TARGETS };
    const title = `${TARGETS} targets, ${ticks.length} ticks${isWhole ? '' : ' (ended early)'}`;
    yield tickTable(known, { title, workers: WORKERS, memory: await workers.memory() });
    yield checkTable(known);
    yield messageTable(known);
    yield recordTable(known);
    yield alertTable(known);
  } finally {
    stopped.abort();
    workers.close();
    messages.close();
    receiver.close();
    servers.disconnect();
    await store.close();
    await front.close();
    await redis.stop();
    await rm(folder, { recursive: true });
  }
}

type Used = Tick['cpu'] & Pick<Tick, 'commands' | 'bytes'>;

/** @returns whether the signal came first */
async function until(at: number, signal: AbortSignal): Promise<boolean> {
  await sleep(Math.max(0, at - Date.now()), undefined, { signal }).catch(() => undefined);
  return signal.aborted;
}

async function killAtRandom(
  workers: Workers,
  kills: { at: number; underWay: number }[],
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    if (await until(Date.now() - Math.log(1 - Math.random()) * KILL_EVERY * 1_000, signal)) return;
    const at = Date.now();
    kills.push({ at, underWay: await workers.killOne() });
  }
}

/** CPU ms of a Redis, by `INFO cpu`. */
function redisCpu(info: string): number {
  const used = [...info.matchAll(/^used_cpu_(?:user|sys):([\d.]+)/gm)];
  return used.reduce((sum, [, seconds]) => sum + Number(seconds) * 1_000, 0);
}

function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function tickOf(
  at: number,
  { before, after }: Readonly<Record<'before' | 'after', Used>>,
  messages: readonly Message[],
  answers: Answers,
): Tick {
  const runs = messages.flatMap((message) => runOf(message) ?? []);
  const wallOf = (those: readonly Message[]): number | null => {
    const ends = those.flatMap((message) =>
      runOf(message) === null ? [] : message.deliveries.slice(0, 1).flatMap(({ endedAt }) => endedAt ?? []),
    );
    return ends.length === 0 ? null : Math.max(...ends) - at;
  };
  const isPrompt = messages.some(({ shard, fate }) => shard === null && fate === 'prompt');
  const good = runs.flatMap(({ results }) => results.flatMap(({ latency }) => latency ?? []));
  const real: number[] = [];
  for (let i = 0; i < answers.length; i += 4) if (answers[i + 3] === 1) real.push(answers[i + 2] ?? 0);
  return {
    at,
    wall: isPrompt ? wallOf(messages.filter(({ fate }) => fate === 'prompt')) : null,
    wallOfAll: wallOf(messages),
    cpu: {
      functions: after.functions - before.functions,
      redis: after.redis - before.redis,
      servers: after.servers - before.servers,
      bench: after.bench - before.bench,
    },
    commands: after.commands - before.commands,
    bytes: after.bytes - before.bytes,
    checked: runs.reduce((sum, { checked }) => sum + checked, 0),
    commandsOfRun: Math.max(0, ...runs.map(({ commands }) => commands)),
    reported: quantile(good, 0.99),
    real: quantile(real, 0.99),
  };
}

function progress(
  n: number,
  tick: Tick,
  digests: readonly { readonly alerts: readonly unknown[] }[],
): string {
  const seconds = (ms: number | null): string => (ms === null ? '–' : `${(ms / 1000).toFixed(1)} s`);
  const alerts = digests.reduce((sum, each) => sum + each.alerts.length, 0);
  return [
    `${n + 1}/${MINUTES}`,
    `wall ${seconds(tick.wall)} (${seconds(tick.wallOfAll)} with late messages)`,
    `CPU ${seconds(tick.cpu.functions)}`,
    `${tick.checked} of ${TARGETS} checked`,
    `${tick.commands} commands, ${(tick.bytes / TARGETS).toFixed(0)} bytes a target`,
    `p99 ${tick.reported.toFixed(0)} ms (true ${tick.real.toFixed(0)})`,
    `${digests.length} digests of ${alerts} alerts`,
  ].join('; ');
}
