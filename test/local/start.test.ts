import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { Stats } from '../../lib/read/views.js';
import { freePort } from '../support/redis.js';

const ROOT = resolve(import.meta.dirname, '../..');
const ENTRY = join(ROOT, 'dist/bin/keepalive.js');

let directory: string;
let good: Server;
let goodUrl: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['scripts/build.js'], { cwd: ROOT });
  good = createServer((_, response) => response.end('ok'));
  await new Promise<void>((done) => good.listen(0, '127.0.0.1', done));
  goodUrl = `http://127.0.0.1:${(good.address() as AddressInfo).port}/`;
});

afterAll(() => good.close());

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keepalive-local-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(directory, { recursive: true });
});

/** The runner in a directory of its own, as `npm start` starts it. */
function start(env: Record<string, string>, command = 'start', folder = '.') {
  const child = spawn(process.execPath, [ENTRY, command], {
    cwd: join(directory, folder),
    env: { PATH: process.env.PATH, PORT: '0', ...env },
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const ended = new Promise<number | null>((done) => child.once('close', done));
  return {
    says: (text: string) => expect.poll(() => output, { timeout: 120_000 }).toContain(text),
    get output() {
      return output;
    },
    get: async (path: string) => {
      const origin = /http:\/\/localhost:\d+/.exec(output)?.[0] ?? '';
      return fetch(origin + path);
    },
    stop: (signal: NodeJS.Signals) => {
      child.kill(signal);
      return ended;
    },
    ended,
  };
}

const json = async (response: Response) => (await response.json()) as Stats;

describe('npm start', () => {
  it('watches itself where no target is set, and says how to add one', async () => {
    const runner = start({});
    await runner.says('ping #1 self ok');
    expect(runner.output).toContain('TARGET_MY_API_URL=https://');
    expect(await json(await runner.get('/api/keepalive'))).toMatchObject({
      isRunning: true,
      pingCount: 1,
      failedPings: 0,
      successRate: '100.0',
      targets: [{ id: 'self', status: 'up', lastStatusCode: 200 }],
    });
    expect(await (await runner.get('/api/health')).json()).toMatchObject({ status: 'healthy' });
    expect(await runner.stop('SIGTERM')).toBe(0);
  });

  it('watches itself with STATS_TOKEN too', async () => {
    const runner = start({ STATS_TOKEN: 'token-of-a-reader' });
    await runner.says('ping #1 self ok');
    expect((await runner.get('/api/keepalive')).status).toBe(401);
  });

  it('goes on with the same counters after a stop, and after a kill', async () => {
    const env = {
      TARGET_GOOD_URL: goodUrl,
      TARGET_BAD_URL: `http://127.0.0.1:${await freePort()}/`,
      KEEP_ALIVE_RETRIES: '0',
      KEEP_ALIVE_INTERVAL: '10s',
    };
    const first = start(env);
    await first.says('ping #1 good ok');
    await first.says('ping #1 bad failed (connection refused)');
    expect(await first.stop('SIGTERM')).toBe(0);

    const second = start({ ...env, KEEP_ALIVE_TICK: '10s' });
    await second.says('keeps its data in');
    expect(await json(await second.get('/api/keepalive'))).toMatchObject({ pingCount: 2, failedPings: 1 });
    await second.says('ping #2 good ok');
    await second.stop('SIGKILL');

    const third = start(env);
    await third.says('keeps its data in');
    expect(await json(await third.get('/api/keepalive'))).toMatchObject({
      pingCount: 4,
      failedPings: 2,
      successRate: '50.0',
      targets: [
        { id: 'bad', status: 'pending', consecutiveFailures: 2 },
        { id: 'good', status: 'up', consecutiveSuccesses: 2 },
      ],
    });
  });

  it('finishes the run under way when it is told to stop, also where it is told twice in a moment', async () => {
    let asked = () => {};
    const wasAsked = new Promise<void>((done) => (asked = done));
    let answer = () => {};
    const slow = createServer((_, response) => {
      asked();
      answer = () => response.end('ok');
    });
    await new Promise<void>((done) => slow.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}/`;
    const runner = start({ TARGET_SLOW_URL: url });
    await wasAsked;
    const stopped = runner.stop('SIGTERM');
    await runner.says('finishing the run');
    // As Ctrl+C does under npm: the terminal signals all processes, and npm passes it on.
    void runner.stop('SIGTERM');
    answer();
    expect(await stopped).toBe(0);
    expect(runner.output).toContain('ping #1 slow ok');
    slow.close();
  });

  it('answers 404 and 405 for what it does not serve', async () => {
    const runner = start({ TARGET_GOOD_URL: goodUrl });
    await runner.says('ping #1 good ok');
    expect((await runner.get('/nothing')).status).toBe(404);
    expect((await runner.get('/api/keepalive/nobody')).status).toBe(404);
    expect((await runner.get('/api/cron')).status).toBe(503);
    const origin = /http:\/\/localhost:\d+/.exec(runner.output)?.[0] ?? '';
    expect((await fetch(`${origin}/api/health`, { method: 'POST' })).status).toBe(405);
    const head = await fetch(`${origin}/api/keepalive`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});

describe('npm start refuses with one readable message', () => {
  it.each([
    ['a malformed URL', { TARGET_A_URL: 'htp:/canary' }, 'TARGET_A_URL: expected an address'],
    [
      'an unknown option',
      { TARGET_API_URL: 'http://a.test', TARGET_API_TIMOUT: '5s' },
      'TARGET_API_TIMOUT: unknown option, did you mean TIMEOUT?',
    ],
    [
      'two targets with one id',
      { KEEP_ALIVE_URLS: 'http://a.test/x http://a.test/y' },
      'KEEP_ALIVE_URLS: two addresses have the same host name',
    ],
    ['a secret that is too short', { CRON_SECRET: 'short' }, 'CRON_SECRET: expected at least 16 characters'],
    [
      'a broken expression',
      { TARGET_A_URL: 'http://a.test', TARGET_A_EXPECT_JSON: 'status = (' },
      'TARGET_A_EXPECT_JSON: expected a JSONata expression',
    ],
  ])('%s', async (_, env, message) => {
    for (const command of ['start', 'config']) {
      const runner = start(env, command);
      expect(await runner.ended).toBe(1);
      expect(runner.output).toContain('1 problem in the configuration:');
      expect(runner.output).toContain(message);
      expect(runner.output).not.toMatch(/canary|short$|\n\s+at /);
    }
  });

  it('a port that is taken', async () => {
    const holder = createServer();
    await new Promise<void>((done) => holder.listen(0, done));
    const taken = (holder.address() as AddressInfo).port;
    const runner = start({ TARGET_A_URL: goodUrl, PORT: String(taken) });
    expect(await runner.ended).toBe(1);
    expect(runner.output.trim()).toBe(`Port ${taken} is in use: stop what uses it, or set PORT.`);
    holder.close();
  });

  it('a corrupt database, which stays as it is', async () => {
    const path = join(directory, 'keepalive.db');
    await writeFile(path, 'no database, but somebody’s notes');
    const runner = start({ TARGET_A_URL: goodUrl });
    expect(await runner.ended).toBe(1);
    expect(runner.output).toContain('KEEP_ALIVE_DATABASE');
    expect(runner.output).toContain('not a database');
    expect(await readFile(path, 'utf8')).toBe('no database, but somebody’s notes');
  });

  it('a database that another process uses', async () => {
    const first = start({ TARGET_A_URL: goodUrl });
    await first.says('ping #1 a ok');
    const second = start({ TARGET_A_URL: goodUrl });
    expect(await second.ended).toBe(1);
    expect(second.output).toContain('another process uses the database');
  });
});

it('hosts whose hours do not last for the month are named, by the check of the configuration and at the start', async () => {
  const env = {
    TARGET_A_URL: goodUrl,
    TARGET_B_URL: goodUrl,
    KEEP_ALIVE_HOST: 'render',
  };
  const check = start(env, 'config');
  expect(await check.ended).toBe(0);
  expect(check.output).toMatch(
    /^The configuration is valid: 2 targets\.\nrender: 2 targets use 1,\d{3} of 750 hours a month on the free plan: give them ACTIVE_HOURS, or keep fewer awake\n/,
  );
  const runner = start(env);
  await runner.says('render: 2 targets use 1,');
  const one = start({ TARGET_A_URL: goodUrl, KEEP_ALIVE_HOST: 'render' }, 'config');
  expect(await one.ended).toBe(0);
  expect(one.output).toMatch(/^The configuration is valid: 1 target\.\n\ntarget /);
});

describe('npm start with a Redis that is away', () => {
  it('pings all the same, and says that nothing is recorded', async () => {
    const runner = start({ TARGET_A_URL: goodUrl, REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    await runner.says('"event":"check_not_stored"');
    expect(runner.output).toContain('"reason":"store_unreachable"');
    const answer = await runner.get('/api/keepalive');
    expect([answer.status, await answer.json()]).toMatchObject([
      503,
      { error: { code: 'store_unreachable' } },
    ]);
  });
});

describe.skipIf(process.platform === 'win32')('npm start, of whose processes npm is the first', () => {
  const groups: number[] = [];
  let slow: Server;
  let asked: Promise<void>;
  let answer: () => void;
  beforeEach(async () => {
    answer = () => undefined;
    let tellAsked = () => {};
    asked = new Promise<void>((done) => (tellAsked = done));
    let isHeld = true;
    slow = createServer((_, response) => {
      answer = () => {
        isHeld = false;
        response.end('ok');
      };
      if (isHeld) tellAsked();
      else answer();
    });
    await new Promise<void>((done) => slow.listen(0, '127.0.0.1', done));
  });
  afterEach(() => {
    for (const group of groups.splice(0)) {
      // Not by the command: Debian's takes the group 1234 for -1, which is every process.
      try {
        process.kill(-group, 'SIGKILL');
      } catch {
        // Nothing is left, unless a test has failed.
      }
    }
    slow.closeAllConnections();
    slow.close();
  });

  const slowUrl = () => `http://127.0.0.1:${(slow.address() as AddressInfo).port}/`;

  /** In a copy of the project that is built already, as the leader of a process group of its own. */
  async function npmStart() {
    const copy = join(directory, 'project');
    await mkdir(copy, { recursive: true });
    const scripts = { start: (await packageJson()).scripts.start };
    await writeFile(join(copy, 'package.json'), JSON.stringify({ type: 'module', scripts }));
    for (const name of ['dist', 'node_modules']) {
      await symlink(join(ROOT, name), join(copy, name)).catch(() => undefined);
    }
    const npm = spawn('npm', ['start'], {
      cwd: copy,
      detached: true,
      env: {
        PATH: process.env.PATH,
        HOME: directory,
        npm_config_update_notifier: 'false',
        PORT: '0',
        TARGET_SLOW_URL: slowUrl(),
        TARGET_SLOW_TIMEOUT: '2m',
      },
    });
    let output = '';
    for (const stream of [npm.stdout, npm.stderr]) {
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    }
    const pid = npm.pid ?? expect.unreachable();
    groups.push(pid);
    return {
      pid,
      // Not when its output ends, which a child of it may hold.
      ended: new Promise<number | null>((done) => npm.once('exit', done)),
      says: (text: string) => expect.poll(() => output, { timeout: 120_000 }).toContain(text),
    };
  }

  const signals: [string, NodeJS.Signals, boolean][] = [
    ['SIGTERM to npm', 'SIGTERM', false],
    ['Ctrl+C, which reaches all of them', 'SIGINT', true],
    ['SIGKILL to npm', 'SIGKILL', false],
    ['SIGINT to npm', 'SIGINT', false],
    ['a terminal that closes', 'SIGHUP', true],
    ['SIGHUP to npm alone', 'SIGHUP', false],
  ];
  it.each(signals.slice(0, inject('long') ? undefined : 3))(
    '%s: the run under way is finished, then all end',
    async (_, signal, toGroup) => {
      const npm = await npmStart();
      await asked;
      const all = await treeOf(npm.pid);
      process.kill(toGroup ? -npm.pid : npm.pid, signal);
      await npm.says('finishing the run under way');
      answer();
      await npm.ended;
      await expect.poll(() => living(all), { timeout: 120_000 }).toEqual([]);
      await npm.says('ping #1 slow ok');

      const second = start({ TARGET_SLOW_URL: slowUrl() }, 'start', 'project');
      await second.says('http://localhost:');
      const { pingCount, failedPings } = await json(await second.get('/api/keepalive'));
      expect(pingCount).toBeGreaterThanOrEqual(1);
      expect(failedPings).toBe(0);
      expect(await second.stop('SIGTERM')).toBe(0);
    },
    180_000,
  );

  it('a second signal ends them at once', async () => {
    const npm = await npmStart();
    await asked;
    const all = await treeOf(npm.pid);
    process.kill(npm.pid, 'SIGTERM');
    await npm.says('finishing the run under way');
    const again = setInterval(() => process.kill(npm.pid, 'SIGTERM'), 1_000);
    await npm.ended.finally(() => clearInterval(again));
    await expect.poll(() => living(all), { timeout: 120_000 }).toEqual([]);
  }, 180_000);
});

async function packageJson(): Promise<{ readonly scripts: { readonly start: string } }> {
  return JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as never;
}

/** Pid and parent of each process that has not ended. */
async function processes(): Promise<(readonly [pid: number, parent: number])[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,stat=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/ +/))
    .filter(([, , state]) => !state?.startsWith('Z'))
    .map(([pid, parent]) => [Number(pid), Number(parent)] as const);
}

async function treeOf(root: number): Promise<number[]> {
  const all = await processes();
  const tree = [root];
  for (const pid of tree) tree.push(...all.filter(([, parent]) => parent === pid).map(([child]) => child));
  return tree;
}

async function living(pids: readonly number[]): Promise<number[]> {
  return (await processes()).map(([pid]) => pid).filter((pid) => pids.includes(pid));
}

it('an unknown command is named, with the nearest known one', async () => {
  const runner = start({}, 'strat');
  expect(await runner.ended).toBe(2);
  expect(runner.output).toContain('unknown command strat, did you mean start?');
});
