import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { parseConfig } from '../lib/config/config.js';
import { FRESH_FOR } from '../lib/read/recent.js';
import { startBrowser } from '../test/support/browser.js';
import { startFunction } from '../test/support/deployable.js';
import { costOf, openGround, targetsEnv, type Cost, type Ground } from './built/ground.js';
import { lived } from './built/history.js';
import { spread } from './built/spread.js';
import { median, type Table } from './table.js';

/** As many in each shard. */
const SHARD_SIZE = 500;
const COUNT = Number(process.env.MANY ?? 10_000);
const DAYS = 90;
const LATER = 5;

const READS = [
  { entrypoint: 'api/keepalive/[id].ts', path: '/api/keepalive' },
  { entrypoint: 'api/keepalive/[id].ts', path: '/api/keepalive/service-7000' },
  { entrypoint: 'api/metrics.ts', path: '/api/metrics' },
  { entrypoint: 'api/metrics.ts', path: '/api/metrics?group=group%203' },
  { entrypoint: 'api/health.ts', path: '/api/health' },
  { entrypoint: 'api/feed/[format].ts', path: '/api/feed' },
  { entrypoint: 'api/badge/[id].ts', path: '/api/badge/service-7000' },
  { entrypoint: 'api/badge/[id].ts', path: '/api/badge/service-7000?metric=latency&window=90d' },
  { entrypoint: 'api/page/[page].ts', path: '/' },
  { entrypoint: 'api/page/[page].ts', path: '/history' },
  { entrypoint: 'api/page/[page].ts', path: '/t/service-7000' },
];
type Read = (typeof READS)[number];

/** What readers ask of an installation with many shards, after 90 days. */
export async function* measure(): AsyncGenerator<Table> {
  const ground = await openGround([...new Set(READS.map(({ entrypoint }) => entrypoint))]);
  try {
    const ids = Array.from({ length: COUNT }, (_, i) => `service-${i}`).sort();
    const one = parseConfig(targetsEnv(SHARD_SIZE, (i) => `https://service-${i}.example.com/health`));
    if (!one.ok) throw new Error('nothing to measure');
    await spread(ground.store, lived(one.config, DAYS, Date.now()), ids);
    const list = ids.map((id, i) => ({
      id,
      url: `https://${id}.example.com/health`,
      group: `group ${i % 100}`,
    }));
    const file = JSON.stringify({ defaults: { interval: '1m' }, targets: list });
    for (const { directory } of ground.functions.values()) {
      await mkdir(join(directory, 'dist/targets'), { recursive: true });
      await writeFile(join(directory, 'dist/targets/targets.json'), file);
    }
    const rows: string[][] = [];
    for (const read of READS) {
      rows.push([read.path.replace('service-7000', '<id>'), ...(await cellsOf(ground, read))]);
      console.error(rows.at(-1)?.join(' | '));
    }
    yield {
      title: `Reads of ${COUNT} targets`,
      note: `${COUNT / SHARD_SIZE} shards of ${SHARD_SIZE}, a history of ${DAYS} days, one process a function, Upstash's REST API on loopback. First: the first request of a process, which reads the targets file too; later: ${FRESH_FOR / 1000} s after the one before; at once: when the same process has just read.`,
      columns: [
        ...['', 'first, ms', 'CPU, ms', 'later, ms', 'CPU, ms', 'at once, ms', 'commands, first', 'later'],
        ...['KB from the store, first', 'later', 'answer, KB', 'gzip, KB'],
      ],
      rows,
    };
    yield await paintTable(ground, file);
  } finally {
    await ground.close();
  }
}

async function cellsOf(ground: Ground, { entrypoint, path }: Read): Promise<string[]> {
  const built = ground.functions.get(entrypoint);
  if (built === undefined) throw new Error(`${entrypoint} was not built`);
  const running = await startFunction(built, { ...ground.env, KEEP_ALIVE_TICK: '1d' });
  try {
    const first = await costOf(ground, running, path);
    const later: Cost[] = [];
    while (later.length < LATER) {
      await sleep(FRESH_FOR + 100);
      later.push(await costOf(ground, running, path));
    }
    const atOnce: Cost[] = [];
    for (let i = 0; i < LATER; i += 1) atOnce.push(await costOf(ground, running, path));
    const middle = (costs: readonly Cost[], of: (cost: Cost) => number): number => median(costs.map(of));
    return [
      first.wall.toFixed(0),
      first.cpu.toFixed(0),
      middle(later, ({ wall }) => wall).toFixed(0),
      middle(later, ({ cpu }) => cpu).toFixed(0),
      middle(atOnce, ({ wall }) => wall).toFixed(0),
      String(first.commands),
      String(middle(later, ({ commands }) => commands)),
      (first.received / 1024).toFixed(1),
      middle(later, ({ received }) => received / 1024).toFixed(1),
      (Buffer.byteLength(first.body) / 1024).toFixed(1),
      (gzipSync(first.body).length / 1024).toFixed(1),
    ];
  } finally {
    await running.stop();
  }
}

/** Pages in Chromium, from the local server, which serves the files of the page as well. */
async function paintTable(ground: Ground, file: string): Promise<Table> {
  const path = join(ground.functions.get('api/page/[page].ts')?.directory ?? '', 'all.json');
  await writeFile(path, file);
  const rows: string[][] = [];
  const browser = await startBrowser();
  try {
    for (const page of ['/', '/history', '/t/service-7000']) {
      const child = fork(new URL('hour/worker-child.js', import.meta.url), {
        env: { ...process.env, ...ground.env, KEEP_ALIVE_TICK: '1d', KEEP_ALIVE_TARGETS: path },
      });
      try {
        const [port] = (await once(child, 'message')) as [number];
        const times: string[] = [];
        for (const isCold of [true, false]) {
          const context = await browser.context();
          const tab = await context.newPage();
          if (!isCold) await sleep(FRESH_FOR + 100);
          await tab.goto(`http://127.0.0.1:${port}${page}`, { waitUntil: 'load' });
          // A page that has little to load is painted after that.
          await tab.waitForFunction("performance.getEntriesByName('first-contentful-paint').length > 0");
          times.push(
            ...(await tab.evaluate(() => {
              const [navigation] = performance.getEntriesByType(
                'navigation',
              ) as PerformanceNavigationTiming[];
              const paint = performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
              return [navigation?.responseStart, paint, navigation?.loadEventEnd].map((ms) =>
                ms === undefined ? '–' : ms.toFixed(0),
              );
            })),
          );
          await context.close();
        }
        rows.push([page.replace('service-7000', '<id>'), ...times]);
      } finally {
        child.disconnect();
      }
    }
  } finally {
    await browser.close();
  }
  return {
    title: `Pages of ${COUNT} targets in Chromium`,
    note: 'Ms since the navigation began, over loopback: of the first visit to a process, then of one that comes 5 s later with an empty cache of its own.',
    columns: ['', 'first byte, first', 'first paint', 'loaded', 'first byte, later', 'first paint', 'loaded'],
    rows,
  };
}
