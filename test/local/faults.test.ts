import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { loadState } from '../../lib/read/load.js';
import { openSqlite } from '../support/stores.js';
import { runChild } from '../support/child.js';

const KEEPALIVE = new URL('../../bin/keepalive.ts', import.meta.url);
const MINUTE = 60_000;
const POLL = { timeout: 120_000, interval: 20 };

let directory: string;
const open: (() => unknown)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keepalive-faults-'));
});
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
  await rm(directory, { recursive: true });
});

/** A server of many targets, told apart by path. */
async function serve(answer: (id: string) => unknown): Promise<{ readonly url: string }> {
  const server = createServer((request, response) => {
    void Promise.resolve(answer((request.url ?? '').slice(1))).then(() => response.end('ok'));
  });
  return { url: await listen(server) };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A clock that is ahead of ours, or goes faster with all longer timers; and no end by the limit of a file's size. */
const clock = (ahead: number, speed: number) => `
  const { now } = Date, begin = now(), wait = setTimeout;
  Date.now = () => Math.round(begin + ${ahead} + (now() - begin) * ${speed});
  globalThis.setTimeout = (work, ms, ...rest) => wait(work, ms < 5000 ? ms : ms / ${speed}, ...rest);
  process.on('SIGXFSZ', () => undefined);
`;

interface Conditions {
  readonly cwd?: string;
  /** How far its clock is ahead of ours, in ms. */
  readonly ahead?: number;
  /** How many times faster than ours it goes. */
  readonly speed?: number;
}

function start(env: Record<string, string>, { cwd = directory, ahead = 0, speed = 1 }: Conditions = {}) {
  const child = runChild(KEEPALIVE, ['start'], {
    cwd,
    env: {
      PATH: process.env.PATH,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(clock(ahead, speed))}`,
      PORT: '0',
      KEEP_ALIVE_RETRIES: '0',
      KEEP_ALIVE_INTERVAL: '10s',
      KEEP_ALIVE_CONTROL_URLS: 'off',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const ended = new Promise<number | null>((done) => child.once('close', done));
  open.push(() => child.kill('SIGKILL') && ended);
  return {
    pid: child.pid ?? 0,
    get output() {
      return output;
    },
    says: (text: string) => expect.poll(() => output, POLL).toContain(text),
    get: async (path: string) => fetch((/http:\/\/localhost:\d+/.exec(output)?.[0] ?? '') + path),
    stop: (signal: NodeJS.Signals) => {
      child.kill(signal);
      return ended;
    },
  };
}

/** What the next start finds: pings by target. */
async function pingsOnRecord(home = directory): Promise<Map<string, number>> {
  const store = openSqlite(join(home, 'keepalive.db'));
  const state = await loadState(store);
  await store.close();
  return new Map((state?.targets ?? []).map((target) => [target?.id ?? '', target?.counters.pings ?? 0]));
}

describe('a runner killed again and again', () => {
  // test/local/start.test.ts kills it once.
  it.runIf(inject('long'))(
    'keeps every ping that it printed, and counts none that was not made',
    async () => {
      const ids = Array.from({ length: 30 }, (_, i) => `t-${i}`);
      const arrived = new Map<string, number>();
      let lastArrival = (): void => undefined;
      let isHolding = false;
      const { url } = await serve((id) => {
        const count = (arrived.get(id) ?? 0) + 1;
        arrived.set(id, count);
        if ([...arrived.values()].reduce((sum, each) => sum + each, 0) % ids.length === 0) lastArrival();
        return new Promise((done) => isHolding || setTimeout(done, Math.random() * 15));
      });
      const env = Object.fromEntries(
        ids.map((id) => [`TARGET_${id.toUpperCase().replace('-', '_')}_URL`, `${url}/${id}`]),
      );
      const printed = new Map<string, number>();
      const lost: number[] = [];
      for (let i = 0; i < 20; i += 1) {
        arrived.clear();
        isHolding = i === 0;
        const before = i === 0 ? new Map<string, number>() : await pingsOnRecord();
        const allArrived = new Promise<void>((done) => (lastArrival = done));
        // Each clock is a minute ahead of the one before, so that everything is due at once.
        const runner = start(env, { ahead: i * MINUTE });
        if (i === 1) await runner.says(`ping #`);
        else await allArrived;
        // The answers take up to 15 ms, and the commit comes right after them.
        if (i > 1) await new Promise((done) => setTimeout(done, Math.random() * 40));
        await runner.stop('SIGKILL');
        for (const [, count, id] of runner.output.matchAll(/^ping #(\d+) (\S+) ok/gm))
          printed.set(id ?? '', Number(count));
        const found = await pingsOnRecord();
        for (const id of ids) {
          const [was, is] = [before.get(id) ?? 0, found.get(id) ?? 0];
          expect(is, `${id}: printed and not on record, kill ${i}`).toBeGreaterThanOrEqual(
            printed.get(id) ?? 0,
          );
          expect(is, `${id}: lost from one start to the next, kill ${i}`).toBeGreaterThanOrEqual(was);
          expect(is - was, `${id}: counted and not made, kill ${i}`).toBeLessThanOrEqual(
            arrived.get(id) ?? 0,
          );
        }
        lost.push(
          ids.filter((id) => (arrived.get(id) ?? 0) > (found.get(id) ?? 0) - (before.get(id) ?? 0)).length,
        );
      }
      // The loop has met both a run that was not on record yet and one that was.
      expect(lost[0]).toBe(ids.length);
      expect(lost[1]).toBe(0);
    },
  );
});

/** A disk of its own, and how to take its room and give it back. */
interface Disk {
  readonly home: string;
  readonly take: (pid: number) => void;
  readonly give: (pid: number) => void;
}

function smallDisk(): Disk {
  const home = join(directory, 'disk');
  mkdirSync(home);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', home]);
  open.push(() => execFileSync('umount', ['--lazy', home]));
  const filler = join(home, 'filler');
  const take = (): void => {
    const file = openSync(filler, 'a');
    try {
      for (;;) writeSync(file, Buffer.alloc(4096));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    } finally {
      closeSync(file);
    }
  };
  return { home, take, give: () => rmSync(filler) };
}

function limitedFiles(): Disk {
  const limit = (pid: number, size: number | string): void => {
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${size}:unlimited`]);
  };
  const size = (): number => statSync(join(directory, 'keepalive.db-wal')).size;
  return { home: directory, take: (pid) => limit(pid, size()), give: (pid) => limit(pid, 'unlimited') };
}

function mayMount(): boolean {
  const found = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return process.getuid?.() === 0 && found.status === 0;
}

/** Ten seconds between two runs, in one. */
const QUICKLY = { speed: 10 };
const count = (text: string, part: string) => text.split(part).length - 1;

describe('a runner goes on, and records later what it could not store', () => {
  const meet = async (
    runner: ReturnType<typeof start>,
    home: string,
    message: string,
    end: () => unknown,
  ) => {
    await runner.says(message);
    await expect.poll(() => count(runner.output, '"check_not_stored"'), POLL).toBeGreaterThanOrEqual(2);
    expect((await runner.get('/api/health')).status).toBe(200);
    const missing = count(runner.output, '"check_not_stored"');
    await end();
    // Those that were missing, those before them, and at least one more.
    await runner.says(`ping #${missing + 2} a ok`);
    expect(await runner.stop('SIGTERM')).toBe(0);
    const printed = Number([...runner.output.matchAll(/^ping #(\d+) a ok/gm)].at(-1)?.[1]);
    expect((await pingsOnRecord(home)).get('a')).toBe(printed);
    return printed;
  };

  const loseRoom = async ({ home, take, give }: Disk, message: string) => {
    let arrived = 0;
    const { url } = await serve(() => {
      arrived += 1;
    });
    const runner = start({ TARGET_A_URL: url }, { cwd: home, ...QUICKLY });
    await runner.says('ping #1 a ok');
    take(runner.pid);
    expect(await meet(runner, home, message, () => give(runner.pid))).toBe(arrived);
  };

  // Needs root and the right to mount; without them the next one stands in for it.
  it.skipIf(!mayMount())('while its disk is full', () => loseRoom(smallDisk(), 'the disk is full'));

  it.skipIf(process.platform !== 'linux')('while its files may not grow', () =>
    loseRoom(limitedFiles(), 'the disk failed'),
  );

  it('while its database is moved away, rather than writing into a file that nobody finds again', async () => {
    let arrived = 0;
    const { url } = await serve(() => {
      arrived += 1;
    });
    const runner = start({ TARGET_A_URL: url }, QUICKLY);
    await runner.says('ping #1 a ok');
    const path = join(directory, 'keepalive.db');
    await rename(path, `${path}-away`);
    const message = 'the database file was moved or deleted';
    const end = async () => {
      expect(await (await runner.get('/api/health')).json()).toMatchObject({
        status: 'degraded',
        checks: { redis: { message } },
      });
      await rename(`${path}-away`, path);
    };
    expect(await meet(runner, directory, message, end)).toBe(arrived);
  });

  it('while a target goes away in the middle of its answer', async () => {
    const gone = createServer((_, response) => {
      response.write('half of');
      setTimeout(() => {
        gone.closeAllConnections();
        gone.close();
      }, 50);
    });
    const goneUrl = await listen(gone);
    const { url } = await serve(() => undefined);
    const env = { TARGET_A_URL: url, TARGET_GONE_URL: goneUrl, KEEP_ALIVE_FAILURE_THRESHOLD: '2' };
    const runner = start(env, QUICKLY);
    await runner.says('ping #1 gone failed');
    await runner.says('ping #2 gone failed (connection refused');
    await runner.says('gone: pending -> down (connection refused');
    await runner.says('ping #2 a ok');
    expect(await runner.stop('SIGTERM')).toBe(0);
  });
});
