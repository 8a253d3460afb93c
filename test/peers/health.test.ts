import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { setApp } from '../../lib/app.js';
import { send } from '../../lib/deliver/send.js';
import { serve } from '../../lib/local/server.js';
import { createPeers } from '../../lib/peers/ask.js';
import { readingOf } from '../../lib/peers/health.js';
import { installationId } from '../../lib/peers/installation.js';
import { readState, writeState } from '../../lib/record/state.js';
import { afterReading, type PeerReading } from '../../lib/rules/peer-watch.js';
import type { Store } from '../../lib/store/store.js';
import { receive } from '../support/receiver.js';
import { configOf, Pinger } from '../support/runs.js';
import { ROOT } from '../support/root.js';
import { openSqlite } from '../support/stores.js';

const secret = 'a-secret-of-32-characters-length';
const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const NOON = Date.UTC(2026, 10, 26, 12);
const never = new AbortController().signal;
const ENV = { KEEP_ALIVE_PEER_SECRET: secret, TARGET_B_URL: 'http://b.test', KEEP_ALIVE_TICK: '5m' };

/** What we read of an installation at an address. */
async function read(
  url: string,
  more: { secret?: string; now?: () => number; installation?: string | null } = {},
): Promise<PeerReading> {
  const { now = Date.now, installation = null, ...rest } = more;
  const settings = { urls: [url], secret, region: null, globalping: null, ...rest };
  const peers = createPeers(settings, { send, now, installation });
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

  it('is not read where it turns out to be ours', async () => {
    for (const env of [{}, { STATS_TOKEN: 'a-token-of-its-own' }]) {
      const url = await serveAfter(16 * MINUTE, env);
      const installation = installationId(configOf({ ...ENV, ...env }));
      expect(await read(url, { installation })).toEqual({ kind: 'ourselves' });
      expect(await read(url, { installation: 'another' })).toMatchObject({ kind: 'stopped' });
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

  const health = (schedule: object) =>
    JSON.stringify({ checks: { redis: { status: 'healthy' }, schedule: { lastRunAt: null, ...schedule } } });
  const lastRunAt = new Date(NOON).toISOString();

  it('is "stopped" only where three times the usual pace went by too', () => {
    const late = { status: 'critical', lastRunAt };
    const read = (text: string) => readingOf({ status: 503, text }, { now: NOON + DAY, ahead: 0 });
    expect(read(health({ ...late, actualIntervalMs: 20 * MINUTE }))).toEqual({ kind: 'running' });
    const stopped = { kind: 'stopped', lastRunAt: Date.parse(lastRunAt) };
    expect(read(health({ ...late, actualIntervalMs: null }))).toEqual(stopped);
    expect(read(health(late))).toEqual(stopped);
    const unclear = (message: string) => ({ kind: 'unclear', message });
    expect(read(health({ status: 'critical' }))).toEqual(unclear('it has made no run yet'));
    for (const time of ['never', '1970-01-01T00:00:00.000Z']) {
      const found = read(health({ status: 'critical', lastRunAt: time }));
      expect(found).toEqual(unclear('it does not say when its last run was'));
    }
    const ahead = health({ ...late, lastRunAt: '2036-11-26T12:00:00.000Z' });
    expect(read(ahead)).toEqual({ kind: 'stopped', lastRunAt: NOON + DAY });
    expect(read(health({ status: 'constructor', lastRunAt }))).toMatchObject({ kind: 'unclear' });
  });

  it('tells of one that never made a run, also where its functions are too young to know', () => {
    const read = (schedule: object) =>
      readingOf({ status: 200, text: health(schedule) }, { now: NOON + 16 * MINUTE, ahead: 0 });
    expect(read({ status: 'degraded' })).toEqual({ kind: 'unclear', message: 'it has made no run yet' });
    expect(read({ status: 'degraded', lastRunAt, tick: 6 * MINUTE })).toEqual({ kind: 'running' });
    // It was started again, and its first run is under way.
    expect(read({ status: 'degraded', lastRunAt, tick: 5 * MINUTE })).toEqual({
      kind: 'unclear',
      message: 'it was started again, and has made no run since',
    });
  });

  it('is a reading that can be stored, whatever a peer answers', () => {
    const { state } = JSON.parse(readFileSync(join(ROOT, 'test/record/golden/version-5.json'), 'utf8')) as {
      state: { text: string };
    };
    const stored = readState(state.text);
    const now = stored.lastRun?.at ?? 0;
    const like = fc.record({
      checks: fc.record({
        redis: fc.record({ status: fc.constantFrom('healthy', 'degraded', '') }),
        schedule: fc.record({
          status: fc.constantFrom('healthy', 'degraded', 'critical', '__proto__'),
          lastRunAt: fc.oneof(
            fc.constant(null),
            fc.string(),
            fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
          ),
          actualIntervalMs: fc.oneof(fc.constant(null), fc.double()),
        }),
      }),
    });
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      like.map((found) => JSON.stringify(found)),
    );
    fc.assert(
      fc.property(text, fc.integer({ min: -1e9, max: 1e9 }), (text, ahead) => {
        const reading = readingOf({ status: 200, text }, { now, ahead });
        if (reading.kind === 'ourselves') expect.unreachable();
        const known = afterReading('b.test', null, reading, now);
        expect(readState(writeState({ ...stored, peers: [known] })).peers).toEqual([known]);
      }),
    );
  });
});
