import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GET as badge } from '../../api/badge/[id].js';
import { GET as cron } from '../../api/cron.js';
import { GET as feed } from '../../api/feed/[format].js';
import { GET as health } from '../../api/health.js';
import { GET as keepalive } from '../../api/keepalive/[id].js';
import { DELETE as end, POST as change } from '../../api/maintenance/[change].js';
import { GET as metrics } from '../../api/metrics.js';
import { GET as page } from '../../api/page/[page].js';
import { POST as probe } from '../../api/probe.js';
import { setApp } from '../../lib/app.js';
import type { Stats } from '../../lib/read/views.js';
import type { Store } from '../../lib/store/store.js';
import { ROOT } from '../support/root.js';
import { openRemoteStore } from '../support/stores.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { configOf, FAILED, GOOD, Pinger } from '../support/runs.js';

const SECRET = 'a-secret-of-32-characters-length';
const TOKEN = 'token-of-the-readers';
const MINUTE = 60_000;
/** In everything that strangers must not see; and what the API, without knowing it, could say in its place. */
const CANARY = /canary/i;
/** The forms of the filter and of the sign-in repeat what was asked for. */
const ASKED = /value="(?:canary|\/t\/canary-id)"/;
const ENV = {
  CRON_SECRET: SECRET,
  TARGET_OPEN_URL: 'https://open.test/',
  TARGET_NAMED_URL: 'https://address.canary.test/canary-path',
  TARGET_NAMED_NAME: 'Named',
  TARGET_NAMED_SHOW: 'name',
  TARGET_CANARY_ID_URL: 'https://hidden-canary.up.railway.app/',
  TARGET_CANARY_ID_NAME: 'Canary name',
  TARGET_CANARY_ID_GROUP: 'Canary group',
  TARGET_CANARY_ID_SHOW: 'none',
  TARGET_CANARY_ID_RECOVERY_URL: 'https://restart-canary.test/',
  TARGET_CANARY_ID_MAINTENANCE: `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 16)}Z/1h`,
  KEEP_ALIVE_INTERVAL: '1m',
  KEEP_ALIVE_RETRIES: '0',
  KEEP_ALIVE_FAILURE_THRESHOLD: '1',
  KEEP_ALIVE_SUCCESS_THRESHOLD: '1',
  KEEP_ALIVE_CONTROL_URLS: 'off',
};

type Handler = (request: Request) => Promise<Response>;
/** Every address that strangers may ask, by the file that answers it. */
const PUBLIC: readonly (readonly [file: string, handler: Handler, paths: readonly string[]])[] = [
  [
    'page/[page].ts',
    page,
    [
      '/',
      '/?q=canary',
      '/?status=down',
      '/history',
      '/t/canary-id',
      '/t/named',
      '/t/open',
      '/sign-in',
      '/no',
    ],
  ],
  ['keepalive/[id].ts', keepalive, ['/api/keepalive', ...of('/api/keepalive/')]],
  ['health.ts', health, ['/api/health']],
  ['metrics.ts', metrics, ['/api/metrics']],
  ['feed/[format].ts', feed, ['/api/feed', '/api/calendar.ics']],
  [
    'badge/[id].ts',
    badge,
    ['status', 'uptime', 'latency'].flatMap((metric) =>
      ['svg', 'shields'].flatMap((format) =>
        of('/api/badge/').map((path) => `${path}?metric=${metric}&format=${format}`),
      ),
    ),
  ],
  ['cron.ts', cron, ['/api/cron']],
  ['probe.ts', probe, ['/api/probe']],
  ['maintenance/[change].ts', change, ['/api/maintenance', '/api/notes']],
  ['maintenance/[change].ts', end, ['/api/maintenance', '/api/notes']],
];

function of(path: string): string[] {
  return ['canary-id', 'named', 'open'].map((id) => path + id);
}

let redis: RedisServer;
let store: Store;

beforeAll(async () => {
  redis = await startRedis();
  store = await openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: 'k' });
});
afterAll(async () => {
  await store.close();
  await redis.stop();
});
beforeEach(() => redis.flush());
afterEach(() => setApp(null));

/** Incidents that ended and that are open, restarts, maintenance with a reason, messages that name a host. */
async function open(more: Record<string, string> = {}): Promise<void> {
  const config = configOf({ ...ENV, ...more });
  const pinger = new Pinger(config, store);
  const begun = Date.now() - 10 * MINUTE;
  pinger.now = begun;
  setApp({ config, store });
  const bad = {
    ...FAILED,
    message: 'status 503 from https://address.canary.test:443/x, ADDRESS.CANARY.TEST, 10.9.8.7 [fe80::c0de]',
  };
  const attempts = [GOOD, bad, GOOD, bad, bad];
  for (const attempt of attempts) {
    pinger.attempt = ({ info }) => (info.id === 'open' ? GOOD : attempt);
    await pinger.run();
    pinger.now += 2 * MINUTE;
  }
  const changes = {
    maintenance: { minutes: 5, reason: 'canary reason' },
    notes: { text: 'canary note' },
  };
  for (const [name, sent] of Object.entries(changes)) {
    const body = JSON.stringify({ target: 'canary-id', ...sent });
    const headers = { authorization: `Bearer ${SECRET}` };
    const url = `https://pinger.test/api/${name}`;
    expect((await change(new Request(url, { method: 'POST', body, headers }))).status).toBe(200);
  }
}

async function ask(handler: Handler, path: string, init: RequestInit = {}) {
  const answer = await handler(new Request(`https://pinger.test${path}`, init));
  const text = await answer.text();
  const headers = JSON.stringify([...answer.headers]);
  return {
    status: answer.status,
    text,
    all: `${headers}\n${text}`,
    caching: answer.headers.get('cache-control'),
  };
}

describe('what is not shown', () => {
  it('is in no answer that strangers get', async () => {
    await open();
    const files = readdirSync(join(ROOT, 'api'), { recursive: true, encoding: 'utf8' });
    expect(new Set(PUBLIC.map(([file]) => file))).toEqual(
      new Set(files.filter((file) => file.endsWith('.ts'))),
    );
    for (const [, handler, paths] of PUBLIC) {
      for (const path of paths) {
        const { all } = await ask(handler, path);
        expect(all.replace(ASKED, ''), path).not.toMatch(CANARY);
        expect(all, path).not.toMatch(/10\.9\.8\.7|c0de|railway/i);
      }
    }
  });

  it('is as if it were not there', async () => {
    await open();
    for (const [handler, path] of [
      [page, '/t/'],
      [keepalive, '/api/keepalive/'],
      [badge, '/api/badge/'],
    ] as const) {
      const hidden = await ask(handler, `${path}canary-id`);
      const none = await ask(handler, `${path}nobody`);
      expect([hidden.status, hidden.text], path).toEqual([404, none.text]);
    }
    const stats = JSON.parse((await ask(keepalive, '/api/keepalive')).text) as Stats;
    expect(stats.targets.map(({ id, healthUrl }) => [id, healthUrl])).toEqual([
      ['named', null],
      ['open', 'https://open.test/'],
    ]);
    expect(stats).toMatchObject({ pingCount: 10, failedPings: 3, summary: { up: 1, down: 1 } });
    expect(stats.lastRun).toMatchObject({ checked: 2, failed: 1 });
    expect(stats.targets[0]?.incident?.message).toBe('status 503 from … …, … …');
  });

  it('is shown to callers with the token', async () => {
    await open({ STATS_TOKEN: TOKEN });
    const headers = { authorization: `Bearer ${TOKEN}` };
    for (const [file, handler, paths] of PUBLIC) {
      if (/cron|maintenance/.test(file)) continue;
      for (const path of paths) {
        expect((await ask(handler, path)).all.replace(ASKED, ''), path).not.toMatch(CANARY);
        expect((await ask(handler, path, { headers })).status, path).not.toBe(401);
      }
    }
    const stats = JSON.parse((await ask(keepalive, '/api/keepalive', { headers })).text) as Stats;
    expect(stats.targets.map(({ id, healthUrl }) => [id, healthUrl])).toEqual([
      ['canary-id', 'https://hidden-canary.up.railway.app/'],
      ['named', 'https://address.canary.test/canary-path'],
      ['open', 'https://open.test/'],
    ]);
    for (const [handler, path] of [
      [page, '/'],
      [page, '/history'],
      [page, '/t/canary-id'],
      [metrics, '/api/metrics'],
      [feed, '/api/feed'],
      [badge, '/api/badge/canary-id'],
    ] as const) {
      expect((await ask(handler, path, { headers })).text, path).toMatch(/canary name/i);
    }
  });

  it('is on no badge that a cache shares, where badges are public', async () => {
    await open({ STATS_TOKEN: TOKEN, KEEP_ALIVE_PUBLIC_BADGES: 'true' });
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect(await ask(badge, '/api/badge/canary-id')).toMatchObject({ status: 404 });
    expect(await ask(badge, '/api/badge/open')).toMatchObject({
      caching: expect.stringContaining('public') as string,
    });
    expect(await ask(badge, '/api/badge/canary-id', { headers })).toMatchObject({
      status: 200,
      caching: 'private, no-store',
    });
  });

  it('may be everything', async () => {
    await open({ KEEP_ALIVE_SHOW: 'none', TARGET_NAMED_SHOW: 'none' });
    for (const path of ['/', '/history']) {
      const { status, text } = await ask(page, path);
      expect([status, text], path).toEqual([200, expect.stringContaining('No service is shown here')]);
      expect(text).not.toMatch(CANARY);
    }
    const { checks } = JSON.parse((await ask(health, '/api/health')).text) as {
      checks: Record<string, { status: string }>;
    };
    expect(checks.config).toEqual({ status: 'healthy', targets: 0 });
    expect(checks.schedule).not.toMatchObject({ message: 'nothing to ping' });
  });
});
