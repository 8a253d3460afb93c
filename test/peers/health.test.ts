import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { setApp } from '../../lib/app.js';
import { send } from '../../lib/deliver/send.js';
import { serve } from '../../lib/local/server.js';
import { createPeers } from '../../lib/peers/ask.js';
import type { PeerReading } from '../../lib/rules/peer-watch.js';
import type { Store } from '../../lib/store/store.js';
import { receive } from '../support/receiver.js';
import { configOf, Pinger } from '../support/runs.js';
import { openSqlite } from '../support/stores.js';

const secret = 'a-secret-of-32-characters-length';
const MINUTE = 60_000;
const never = new AbortController().signal;
const ENV = { KEEP_ALIVE_PEER_SECRET: secret, TARGET_B_URL: 'http://b.test', KEEP_ALIVE_TICK: '5m' };

/** What we read of an installation at an address. */
async function read(url: string, more: { secret?: string; now?: () => number } = {}): Promise<PeerReading> {
  const { now = Date.now, ...rest } = more;
  const peers = createPeers({ urls: [url], secret, region: null, globalping: null, ...rest }, { send, now });
  expect(peers.watched).toEqual([new URL(url).host]);
  return peers.readHealth(new URL(url).host, 10_000, never);
}

describe('the health of a peer', () => {
  let store: Store;
  let databases = 0;
  beforeEach(() => (store = openSqlite(`${++databases}.db`)));
  afterEach(() => store.close());

  /** Serves an installation whose last run was so long ago; null: it made none. */
  async function serveAfter(lastRun: number | null, env: Record<string, string> = {}): Promise<string> {
    const config = configOf({ ...ENV, ...env });
    if (lastRun !== null) {
      const pinger = new Pinger(config, store);
      pinger.now = Date.now() - lastRun;
      await pinger.run();
    }
    setApp({ config, store });
    const { server, port } = await serve(0);
    onTestFinished(() => {
      setApp(null);
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${port}`;
  }

  it('says that its runs come', async () => {
    expect(await read(await serveAfter(6 * MINUTE))).toEqual({ kind: 'running' });
  });

  it('says that they have stopped, and since when by our clock', async () => {
    const at = Date.now() - 16 * MINUTE;
    const url = await serveAfter(16 * MINUTE);
    const { lastRunAt } = (await read(url)) as { lastRunAt: number };
    expect(Math.abs(lastRunAt - at)).toBeLessThan(MINUTE);
    const ours = () => Date.now() + 10 * MINUTE;
    const corrected = (await read(url, { now: ours })) as { lastRunAt: number };
    expect(Math.abs(corrected.lastRunAt - at - 10 * MINUTE)).toBeLessThan(MINUTE);
  });

  it('is well where it only answers others', async () => {
    const url = await serveAfter(null, { TARGET_B_URL: '', KEEP_ALIVE_URLS: '' });
    expect(await read(url)).toEqual({ kind: 'running' });
  });

  it('is read by those who have the secret where STATS_TOKEN is set, whatever the clocks', async () => {
    const url = await serveAfter(16 * MINUTE, { STATS_TOKEN: 'a-token-of-its-own' });
    expect(await read(url)).toMatchObject({ kind: 'stopped' });
    expect(await read(url, { now: () => Date.now() + 10 * MINUTE })).toMatchObject({ kind: 'stopped' });
    expect(await read(url, { secret: 'x'.repeat(32) })).toEqual({
      kind: 'unclear',
      message: 'it answers 401: This status is private: send STATS_TOKEN as a bearer.',
    });
    for (const authorization of ['Bearer a..b.c.d', `Bearer ${'a'.repeat(100)}..b.c.d`, 'Bearer x']) {
      expect((await fetch(`${url}/api/health`, { headers: { authorization } })).status).toBe(401);
    }
  });

  it('is not known where its store does not answer', async () => {
    const url = await serveAfter(null);
    const config = configOf(ENV);
    setApp({ config, store: null });
    expect(await read(url)).toEqual({ kind: 'unclear', message: 'its store does not answer' });
  });

  it.each([
    ['a page', 200, '<html>', 'it answers 200'],
    ['another JSON', 200, '{"status":"healthy","checks":{}}', 'it answers 200'],
    ['nothing', 404, '', 'it answers 404'],
    [
      'an error',
      500,
      '{"error":{"code":"config_invalid","message":"The configuration is not valid."}}',
      'it answers 500: The configuration is not valid.',
    ],
    ['an error that no message may hold', 500, '{"error":{"message":"a\\nb"}}', 'it answers 500'],
    ['a megabyte', 200, 'x'.repeat(1_000_000), 'it answers 200'],
    ['a redirect', 307, '', 'it answers 307'],
  ])('is not known of what answers with %s', async (_what, status, text, message) => {
    const { url } = await receive((response) => {
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(text);
    });
    expect(await read(new URL(url).origin)).toEqual({ kind: 'unclear', message });
  });

  it('is nothing where nobody answers, or not in time', async () => {
    expect(await read('http://127.0.0.1:1')).toEqual({ kind: 'silent', message: 'connection refused' });
    const { url } = await receive(() => undefined);
    const { origin, host } = new URL(url);
    const peers = createPeers(
      { urls: [origin], secret, region: null, globalping: null },
      { send, now: Date.now },
    );
    expect(await peers.readHealth(host, 50, never)).toEqual({ kind: 'silent', message: 'no answer in time' });
  });

  it('is "stopped" only where three times the usual pace went by too', async () => {
    const { readingOf } = await import('../../lib/peers/health.js');
    const health = (actualIntervalMs: number | null) =>
      JSON.stringify({
        checks: {
          redis: { status: 'healthy' },
          schedule: { status: 'critical', lastRunAt: '2026-11-26T12:00:00.000Z', actualIntervalMs },
        },
      });
    expect(readingOf({ status: 503, text: health(20 * MINUTE) }, 0)).toEqual({ kind: 'running' });
    expect(readingOf({ status: 503, text: health(null) }, 0)).toEqual({
      kind: 'stopped',
      lastRunAt: Date.UTC(2026, 10, 26, 12),
    });
  });
});
