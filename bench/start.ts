import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildFunctions, type BuiltFunction } from '../test/support/deployable.js';
import { startRedis } from '../test/support/redis.js';
import { startUpstashFront } from '../test/support/upstash-front.js';
import { median, type Table } from './table.js';

/** What a child tells of its start; ms since it began. */
export interface Start {
  readonly imported: Taken;
  /** When the first answer was there; the same as imported where nothing was asked. */
  readonly answered: Taken;
  readonly status: number | null;
  /** How many of `files` were loaded before anything was asked. */
  readonly filesImported: number;
  /** Told only to whoever asks for the list, because watching takes time. */
  readonly files: readonly string[];
}

interface Taken {
  readonly wall: number;
  readonly cpu: number;
}

/** Processes of each kind; one more is started before, which fills the caches of the file system. */
const ROUNDS = 21;
const CHILD = fileURLToPath(new URL('./built/start-child.js', import.meta.url));
const SECRET = 'a-secret-of-32-characters-length';
/** What is asked of a function that serves other paths than its file's own. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  'api/keepalive/[id].ts': ['/api/keepalive', '/api/keepalive/a'],
  'api/feed/[format].ts': ['/api/feed', '/api/calendar.ics'],
  'api/maintenance/[change].ts': ['/api/maintenance', '/api/notes'],
  'api/page/[page].ts': ['/', '/t/a', '/sign-in'],
};
const METHODS: Readonly<Record<string, string>> = { 'api/maintenance/[change].ts': 'DELETE' };
/** It answers peers alone. */
const NOT_ASKED = 'probe.ts';

/** Starts every function, as Vercel's builder makes it, in new processes, in turn with one that loads nothing. */
export async function* measure(): AsyncIterable<Table> {
  const api = await readdir('api', { recursive: true });
  const entrypoints = api
    .filter((name) => name.endsWith('.ts') && name !== NOT_ASKED)
    .map((name) => `api/${name}`);
  const deployable = await buildFunctions(entrypoints.sort());
  const redis = await startRedis();
  const front = await startUpstashFront({ redisPort: redis.port, token: SECRET });
  const target = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(target, 'listening');
  const env = {
    CRON_SECRET: SECRET,
    STATS_TOKEN: SECRET,
    UPSTASH_REDIS_REST_URL: front.url,
    UPSTASH_REDIS_REST_TOKEN: front.token,
    TARGET_A_URL: `http://127.0.0.1:${(target.address() as AddressInfo).port}/`,
  };
  try {
    yield await table([...deployable.functions], front.url, env);
  } finally {
    target.close();
    await front.close();
    await redis.stop();
    await deployable.remove();
  }
}

async function table(
  functions: readonly (readonly [string, BuiltFunction])[],
  storeUrl: string,
  env: Readonly<Record<string, string>>,
): Promise<Table> {
  const asked = functions.flatMap(([name, built]) =>
    (PATHS[name] ?? [`/${name.replace(/\.ts$/, '').replace('[id]', 'a')}`]).map((path) => ({
      name,
      built,
      path,
    })),
  );
  const ask = ({ name, built, path }: (typeof asked)[number], list = false): Promise<Start> => {
    const args = [METHODS[name] ?? 'GET', `https://status.example.com${path}`, SECRET];
    return startChild([join(built.directory, built.entrypoint), ...args], env, list);
  };
  const empty: Start[] = [];
  const fetching: Start[] = [];
  const started = asked.map((): Start[] => []);
  for (let round = 0; round <= ROUNDS; round += 1) {
    const nothing = await startChild([], env);
    const fetched = await startChild(['', 'GET', storeUrl], env);
    const starts = [];
    for (const each of asked) starts.push(await ask(each));
    if (round === 0) continue;
    empty.push(nothing);
    fetching.push(fetched);
    starts.forEach((start, i) => started[i]?.push(start));
  }
  const base = figures(empty);
  const over = (starts: readonly Start[]) => figures(starts).map((ms, i) => ms - (base[i] ?? 0));
  const rows = asked.map(async (each, i) => {
    const { files, filesImported } = await ask(each, true);
    return [
      each.path,
      ...over(started[i] ?? []).map(ms),
      `${filesImported}, ${files.length}`,
      ((await shippedBytes(each.built)) / 1e6).toFixed(1),
      [...new Set(files.map(packageOf).filter((name) => name !== undefined))].sort().join(' '),
    ];
  });
  return {
    title: 'Cold start of the functions as Vercel builds them',
    note:
      `Medians of ${ROUNDS} processes each, in turn, in ms over a process that loads nothing (which itself takes ` +
      `${base.map(ms).slice(0, 2).join(' ms, ')} ms of CPU); the first answer includes the import, and asks a store on loopback.`,
    columns: [
      ...['path', 'import', 'its CPU', 'first answer', 'its CPU', 'files loaded by then'],
      ...['MB shipped', 'packages loaded'],
    ],
    rows: [
      ['one `fetch` alone', '', '', ...over(fetching).slice(2).map(ms), '', '', ''],
      ...(await Promise.all(rows)),
    ],
  };
}

function figures(starts: readonly Start[]): number[] {
  return [
    median(starts.map(({ imported }) => imported.wall)),
    median(starts.map(({ imported }) => imported.cpu)),
    median(starts.map(({ answered }) => answered.wall)),
    median(starts.map(({ answered }) => answered.cpu)),
  ];
}

async function startChild(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  list = false,
): Promise<Start> {
  const child = spawn(process.execPath, [CHILD, ...args], {
    env: list ? { ...env, LIST_FILES: '1' } : env,
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  let told = '';
  child.stdio[3]?.on('data', (chunk: Buffer) => (told += chunk.toString()));
  await once(child, 'close');
  const start = JSON.parse(told) as Start;
  const isAsked = (args[0] ?? '') !== '';
  if (isAsked && start.status !== 200) throw new Error(`${args.join(' ')} answered ${start.status}`);
  return start;
}

function packageOf(file: string): string | undefined {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
}

async function shippedBytes({ directory, files }: BuiltFunction): Promise<number> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(directory, file))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function ms(value: number): string {
  return value.toFixed(1);
}
