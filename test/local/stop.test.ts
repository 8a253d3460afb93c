import { mkdtemp, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { setApp } from '../../lib/app.js';
import { start } from '../../lib/local/start.js';
import { loadState } from '../../lib/read/load.js';
import type { RunReport } from '../../lib/run/report.js';
import { openSqlite } from '../support/stores.js';
import { serveHttp } from '../support/servers.js';

const SECRET = 'a-secret-of-32-characters-length';
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keepalive-stop-'));
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(async () => {
  setApp(null);
  vi.useRealTimers();
  await rm(directory, { recursive: true });
});

describe('the local runner that is told to stop', () => {
  it.each([
    ['waits for a run that was started over HTTP, and answers it', '', 200],
    ['waits for one whose caller was answered already', '?async=1', 202],
  ])(
    '%s',
    async (_, query, status) => {
      const held: ServerResponse[] = [];
      let holds = false;
      const { port: targetPort } = await serveHttp((_request, response) => {
        if (holds) held.push(response);
        else response.end('ok');
      });
      const path = join(directory, 'keepalive.db');
      const lines: string[] = [];
      const running = await start(
        {
          PORT: '0',
          CRON_SECRET: SECRET,
          KEEP_ALIVE_DATABASE: path,
          TARGET_A_URL: `http://127.0.0.1:${targetPort}/`,
          TARGET_A_INTERVAL: '1m',
          TARGET_A_TIMEOUT: '2m',
        },
        (text) => lines.push(text),
      );
      await expect.poll(() => lines.join('\n'), { timeout: 30_000 }).toContain('ping #1 a ok');
      // The scheduler's run is over; the next one is asked for before the scheduler makes it.
      await expect
        .poll(async () => (await cron(running.port, '')).status, { timeout: 30_000 })
        .toBe('completed');
      holds = true;
      vi.setSystemTime(Date.now() + 59_000);
      const answer = fetch(`http://127.0.0.1:${running.port}/api/cron${query}`, { headers: bearer });
      await expect.poll(() => held.length, { timeout: 30_000 }).toBe(1);

      let isStopped = false;
      const stopped = running.stop().then(() => (isStopped = true));
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(isStopped).toBe(false);
      held[0]?.end('ok');
      expect((await answer).status).toBe(status);
      await stopped;
      const store = openSqlite(path);
      expect((await loadState(store))?.targets[0]).toMatchObject({ counters: { pings: 2 } });
      await store.close();
    },
    120_000,
  );
});

const bearer = { authorization: `Bearer ${SECRET}` };

async function cron(port: number, query: string): Promise<RunReport> {
  const response = await fetch(`http://127.0.0.1:${port}/api/cron${query}`, { headers: bearer });
  return (await response.json()) as RunReport;
}
