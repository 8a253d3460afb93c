import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { runChild } from '../support/child.js';
import { freePort, startRedis } from '../support/redis.js';
import { serveHttp } from '../support/servers.js';

const TICK = 10_000;

it.runIf(inject('long')).each([
  ['one shard', 2, 500],
  ['four shards', 12, 3],
])(
  'two processes that share %s: one is killed, and nothing is pinged twice',
  async (_, targets, size) => {
    const redis = await startRedis();
    const folder = await mkdtemp(join(tmpdir(), 'keepalive-machines-'));
    const pings = new Map<string, number[]>();
    const { port } = await serveHttp(({ url = '' }, response) => {
      pings.set(url, [...(pings.get(url) ?? []), Date.now()]);
      response.end('ok');
    });
    const urls = Array.from({ length: targets }, (_each, i) => [
      `TARGET_T${i}_URL`,
      `http://127.0.0.1:${port}/${i}`,
    ]);
    const env = {
      PATH: process.env.PATH,
      REDIS_URL: redis.url,
      KEEP_ALIVE_TICK: `${TICK}`,
      KEEP_ALIVE_INTERVAL: `${TICK}`,
      KEEP_ALIVE_SHARD_SIZE: String(size),
      ...(Object.fromEntries(urls) as Record<string, string>),
    };
    const lines = new Map<ChildProcess, string>();
    const launch = async (): Promise<ChildProcess> => {
      const child = runChild(new URL('../../bin/keepalive.ts', import.meta.url), ['start'], {
        cwd: folder,
        env: { ...env, PORT: String(await freePort()) },
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      });
      lines.set(child, '');
      child.stdout?.on('data', (text: Buffer) =>
        lines.set(child, (lines.get(child) ?? '') + text.toString()),
      );
      return child;
    };
    const counts = () => Array.from({ length: targets }, (_each, i) => pings.get(`/${i}`)?.length ?? 0);
    const more = async (ticks: number) => {
      const wanted = counts().map((count) => count + ticks);
      const enough = () => counts().every((count, i) => count >= (wanted[i] ?? 0));
      await expect.poll(enough, { timeout: (ticks + 6) * TICK, interval: 100 }).toBe(true);
    };
    const children = [await launch()];
    try {
      await more(1);
      children.push(await launch());
      await more(4);
      // Of the two, the one that pings is killed; where both do, either.
      const [killed = children[0]] = [...children].sort(
        (a, b) => (lines.get(b)?.lastIndexOf('ping #') ?? 0) - (lines.get(a)?.lastIndexOf('ping #') ?? 0),
      );
      const gone = killed && once(killed, 'exit');
      killed?.kill('SIGKILL');
      await gone;
      const at = Date.now();
      await more(3);
      for (const times of pings.values()) {
        const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
        // Half a tick at least, but for the first, which comes when the process starts.
        expect(Math.min(...gaps.slice(1))).toBeGreaterThan(TICK / 2);
        const [first = 0] = times.filter((time) => time > at);
        // Within two ticks, with room for a slow machine.
        expect(first - at).toBeLessThan(2.5 * TICK);
      }
    } finally {
      for (const child of children) child.kill('SIGKILL');
      await redis.stop();
      await rm(folder, { recursive: true });
    }
  },
  300_000,
);
