import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis } from '../test/support/redis.js';
import { startUpstashFront } from '../test/support/upstash-front.js';
import { peakMemory } from './process.js';
import type { Start, Tick } from './shards/pinger-child.js';
import { delayOf, numberOf, startServers, targetsFile, type Ports } from './shards/targets.js';
import { quantile, type Table } from './table.js';

/** Those that SHARDS_OF names, or all. */
const COUNTS = process.env.SHARDS_OF?.split(',').map(Number) ?? [500, 1_000, 5_000, 10_000];
/** The first is that of a process and a store that know nothing yet. */
const TICKS = 3;

/** Ticks of many targets in one process, over Upstash's REST API on loopback. */
export async function* measure(): AsyncGenerator<Table> {
  const { child: servers, ports } = await startServers();
  const folder = await mkdtemp(join(tmpdir(), 'keepalive-bench-'));
  try {
    const rows: string[][] = [];
    const starts: string[][] = [];
    for (const count of COUNTS) {
      const found = await ticksOf(count, ports, folder);
      rows.push(found.row);
      starts.push(found.start);
    }
    yield {
      title: 'Ticks over shards',
      note: 'Half of the targets over HTTPS, 1 % failing, 0.1 % flapping; the first tick, then the lower of two. Commands and bytes as the front counts them. p99: of the checks as recorded, and of the delays of the targets.',
      columns: [
        ...['targets', 'first tick, s', 'later, s', 'CPU, s', 'CPU a target, ms', 'checked', 'commands'],
        ...['bytes a target', 'p99, ms', 'true p99', 'memory, MB'],
      ],
      rows,
    };
    yield {
      title: 'A targets file, and an answer about all targets',
      note: 'Ms to read a YAML file and to make a configuration of it; then GET /api/keepalive: the first one of a process, and one that finds history in memory.',
      columns: ['targets', 'read', 'configured', 'first answer', 'later', 'bytes'],
      rows: starts,
    };
  } finally {
    servers.disconnect();
    await rm(folder, { recursive: true });
  }
}

async function ticksOf(count: number, ports: Ports, folder: string) {
  const redis = await startRedis();
  const front = await startUpstashFront({ redisPort: redis.port, token: 'bench' });
  const path = join(folder, `targets-${count}.yaml`);
  await writeFile(path, targetsFile(count, ports));
  const pinger = fork(new URL('shards/pinger-child.js', import.meta.url), {
    env: {
      ...process.env,
      ...{ FRONT_URL: front.url, FRONT_TOKEN: front.token },
      ...{ KEEP_ALIVE_TARGETS: path, KEEP_ALIVE_CONTROL_URLS: 'off' },
    },
  });
  try {
    const [start] = (await once(pinger, 'message')) as [Start];
    const ticks: (Tick & { readonly commands: number; readonly bytes: number })[] = [];
    for (let i = 0; i < TICKS; i += 1) {
      const before = await redis.callsMade();
      front.reset();
      const found = await ask<Tick>(pinger, 'tick');
      const commands = (await redis.callsMade()) - before;
      ticks.push({ ...found, commands, bytes: front.bytesIn + front.bytesOut });
      console.error(`${count} targets: ${found.wall.toFixed(0)} ms, CPU ${found.cpu.toFixed(0)} ms`);
      if (!found.stored) throw new Error('a tick could not be recorded');
    }
    const [first, ...later] = ticks;
    const last = later.at(-1);
    if (first === undefined || last === undefined) throw new Error('no tick');
    const middle = (of: (tick: (typeof ticks)[number]) => number) => quantile(later.map(of), 0.5);
    const reported = last.latencies.map(([, ms]) => ms);
    const real = last.latencies.map(([id]) => delayOf(numberOf(id)));
    const [reading, again] = [await ask<Read>(pinger, 'read'), await ask<Read>(pinger, 'read')];
    return {
      row: [
        String(count),
        (first.wall / 1000).toFixed(1),
        (middle(({ wall }) => wall) / 1000).toFixed(1),
        (middle(({ cpu }) => cpu) / 1000).toFixed(1),
        (middle(({ cpu }) => cpu) / count).toFixed(2),
        String(middle(({ checked }) => checked)),
        String(middle(({ commands }) => commands)),
        (middle(({ bytes }) => bytes) / count).toFixed(0),
        String(quantile(reported, 0.99)),
        String(quantile(real, 0.99)),
        ((await peakMemory(pinger.pid ?? 0)) / 2 ** 20).toFixed(0),
      ],
      start: [
        String(count),
        ...[start.read, start.parsed, reading.wall, again.wall, reading.bytes].map((n) => n.toFixed(0)),
      ],
    };
  } finally {
    pinger.disconnect();
    await front.close();
    await redis.stop();
  }
}

interface Read {
  readonly wall: number;
  readonly bytes: number;
}

async function ask<T>(child: ChildProcess, what: string): Promise<T> {
  child.send(what);
  const [answer] = (await once(child, 'message')) as [T];
  return answer;
}
