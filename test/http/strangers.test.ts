import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GET as badge } from '../../api/badge/[id].js';
import { GET as cron } from '../../api/cron.js';
import { GET as feed } from '../../api/feed/[format].js';
import { GET as health } from '../../api/health.js';
import { GET as keepalive } from '../../api/keepalive/[id].js';
import { POST as maintenance } from '../../api/maintenance/[change].js';
import { GET as metrics } from '../../api/metrics.js';
import { GET as page, POST as signIn } from '../../api/page/[page].js';
import { setApp } from '../../lib/app.js';
import { serve } from '../../lib/local/server.js';
import { openRemoteStore } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { meddled } from '../support/meddle.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { configOf, FAILED, GOOD, Pinger } from '../support/runs.js';

const SECRET = 'a-secret-of-32-characters-length';
const TOKEN = 'token-of-readers';
const MINUTE = 60_000;
const ENV = {
  CRON_SECRET: SECRET,
  TARGET_A_URL: 'https://a.test/',
  TARGET_B_URL: 'https://b.test/',
  KEEP_ALIVE_INTERVAL: '1m',
  KEEP_ALIVE_RETRIES: '0',
  KEEP_ALIVE_FAILURE_THRESHOLD: '1',
  KEEP_ALIVE_SUCCESS_THRESHOLD: '1',
  KEEP_ALIVE_CONTROL_URLS: 'off',
};
const READS = [
  ['/api/keepalive', keepalive],
  ['/api/keepalive/a', keepalive],
  ['/api/keepalive/b', keepalive],
  ['/api/metrics', metrics],
  ['/api/feed', feed],
  ['/api/calendar.ics', feed],
  ['/api/badge/a', badge],
  ['/api/badge/b', badge],
  ['/api/health', health],
  ['/', page],
  ['/t/a', page],
  ['/t/b', page],
] as const;

let redis: RedisServer;
let store: Store;
let pinger: Pinger;

beforeAll(async () => {
  redis = await startRedis();
  store = await openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: 'k' });
});
afterAll(async () => {
  await store.close();
  await redis.stop();
});
beforeEach(async () => {
  await redis.flush();
  const config = configOf(ENV);
  pinger = new Pinger(config, store);
  pinger.now = Date.now() - 4 * MINUTE;
  for (const attempt of [GOOD, FAILED, GOOD, FAILED]) {
    pinger.attempt = () => attempt;
    await pinger.run();
    pinger.now += MINUTE;
  }
  setApp({ config, store });
});
afterEach(() => setApp(null));

const ask = (
  handler: (request: Request) => Promise<Response>,
  path: string,
  init: RequestInit = {},
): Promise<Response> => handler(new Request(`https://pinger.test${path}`, init));

async function commandsOf(work: () => Promise<unknown>): Promise<number> {
  const before = await redis.callsMade();
  await work();
  return (await redis.callsMade()) - before;
}

const pings = async (): Promise<number> =>
  ((await (await ask(keepalive, '/api/keepalive')).json()) as { pingCount: number }).pingCount;

describe('reads that follow one another within 5 s', () => {
  // A hundred reads take longer than 5 s where the machine is busy: the store's clock stands still.
  beforeEach(() => {
    const at = Date.now();
    const standing = Object.assign(
      meddled(store, (_call, work) => work()),
      { now: () => at },
    );
    setApp({ config: configOf(ENV), store: standing });
  });

  it.each(READS)('of %s cost nothing after the first, whatever the query', async (path, handler) => {
    const first = await commandsOf(() => ask(handler, path));
    expect(first).toBeGreaterThan(0);
    const commands = await commandsOf(async () => {
      for (let i = 0; i < 100; i += 1) {
        expect((await ask(handler, `${path}?${i}=${'x'.repeat(i)}&label=${i}`)).status).toBe(200);
      }
    });
    expect(commands).toBe(0);
  });

  it('share what they have in common: all addresses together cost hardly more than the dearest', async () => {
    const cost = () =>
      commandsOf(async () => {
        for (const [path, handler] of READS) expect((await ask(handler, path)).status).toBe(200);
      });
    // Three are of one target's excerpt, and one more sends its script for the first time.
    expect(await cost()).toBeLessThanOrEqual(10);
    expect(await cost()).toBe(0);
  });

  it('cost no more where they come at once', async () => {
    const commands = await commandsOf(() =>
      Promise.all(Array.from({ length: 100 }, (_, i) => ask(keepalive, `/api/keepalive?${i}`))),
    );
    expect(commands).toBe(1);
  });

  it('see at once what a run of the same process has recorded', async () => {
    expect(await pings()).toBe(8);
    await pinger.run();
    expect(await pings()).toBe(10);
  });

  it('see at once what maintenance the same process was told of', async () => {
    await ask(page, '/t/a');
    const headers = { authorization: `Bearer ${SECRET}` };
    const body = JSON.stringify({ target: 'a', minutes: 5, reason: 'deploy of today' });
    expect((await ask(maintenance, '/api/maintenance', { method: 'POST', headers, body })).status).toBe(200);
    expect(await (await ask(keepalive, '/api/keepalive/a')).text()).toContain('deploy of today');
    expect(await (await ask(page, '/t/a')).text()).toContain('deploy of today');
  });

  it('show nothing to whoever may not read, however warm the memory is', async () => {
    setApp({ config: configOf({ ...ENV, STATS_TOKEN: TOKEN }), store });
    for (const [path, handler] of READS) {
      const headers = { authorization: `Bearer ${TOKEN}` };
      expect([path, (await ask(handler, path, { headers })).status]).toEqual([path, 200]);
      const stranger = await ask(handler, path);
      expect([path, stranger.status]).toEqual([path, 401]);
      expect(await stranger.text()).not.toMatch(/a\.test|b\.test|pingCount/);
    }
  });
});

const ODD_NAMES = Object.getOwnPropertyNames(Object.prototype);

describe('what is not there costs the store nothing, and is refused as unknown:', () => {
  const unknown = ['nobody', ...ODD_NAMES, 'x'.repeat(5_000), '%ff', '%2e%2e%2fa'];

  it.each(unknown.map((name) => [name.slice(0, 40), name]))('%s', async (_, name) => {
    const commands = await commandsOf(async () => {
      for (const [path, handler] of [
        ['/api/badge/', badge],
        ['/api/keepalive/', keepalive],
        ['/t/', page],
      ] as const) {
        expect([path, (await ask(handler, path + name)).status]).toEqual([path, 404]);
      }
      for (const key of ['metric', 'window', 'format']) {
        const answer = await ask(badge, `/api/badge/a?${key}=${name}`);
        expect([key, answer.status]).toEqual([key, 400]);
      }
      const headers = { authorization: `Bearer ${SECRET}` };
      const named = await ask(maintenance, `/api/maintenance?target=${name}`, {
        method: 'POST',
        headers,
        body: '{"minutes":5}',
      });
      expect(named.status).toBe(404);
    });
    expect(commands).toBe(0);
  });

  it('and names of parameters that every object has change nothing', async () => {
    for (const name of ODD_NAMES) {
      for (const [path, handler] of READS) {
        expect([path, name, (await ask(handler, `${path}?${name}=1`)).status]).toEqual([path, name, 200]);
      }
      const headers = { authorization: `Bearer ${SECRET}` };
      const body = `{"minutes":5,${JSON.stringify(name)}:1}`;
      const answer = await ask(maintenance, '/api/maintenance', { method: 'POST', headers, body });
      expect([name, answer.status]).toEqual([name, 400]);
    }
  });
});

describe('every answer', () => {
  const refusals = async (): Promise<Record<string, Response>> => {
    const form = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
      ask(signIn, '/sign-in', { method: 'POST', headers, body: new URLSearchParams(fields) });
    const found: Record<string, Response> = {
      'unknown badge': await ask(badge, '/api/badge/nobody'),
      'badge of an unknown metric': await ask(badge, '/api/badge/a?metric=speed'),
      'unknown target': await ask(keepalive, '/api/keepalive/nobody'),
      'unknown page': await ask(page, '/t/nobody'),
      'run without a secret': await ask(cron, '/api/cron'),
      'maintenance without a secret': await ask(maintenance, '/api/maintenance', { method: 'POST' }),
      'nothing to sign in to': await ask(page, '/sign-in'),
    };
    setApp({ config: configOf({ ...ENV, STATS_TOKEN: TOKEN }), store });
    for (const [path, handler] of READS) found[`private ${path}`] = await ask(handler, path);
    found.form = await ask(page, '/sign-in');
    found['form from elsewhere'] = await form({}, { origin: 'https://evil.test' });
    found['form with a long origin'] = await form({}, { origin: `https://${'é'.repeat(8_000)}.test` });
    found['wrong token'] = await form({ token: 'x' });
    found['too large a form'] = await form({ token: 'x'.repeat(5_000) });
    found['signed in'] = await form({ token: TOKEN });
    found['signed out'] = await form({ action: 'sign-out' });
    for (let i = 0; i < 10; i += 1) found['too many tokens'] = await form({ token: 'x' });
    setApp({ config: configOf(ENV), store: null });
    for (const [path, handler] of READS) found[`without a store ${path}`] = await ask(handler, path);
    return found;
  };

  it('is taken for what it says, and none but a good one is kept by a shared cache', async () => {
    const answers = await refusals();
    const statuses = new Set<number>();
    for (const [name, answer] of Object.entries(answers)) {
      statuses.add(answer.status);
      expect([name, answer.headers.get('x-content-type-options')]).toEqual([name, 'nosniff']);
      expect([name, answer.headers.get('cache-control')]).toEqual([name, 'private, no-store']);
    }
    expect([...statuses].sort()).toEqual([200, 303, 400, 401, 403, 404, 413, 429, 503]);
    setApp({ config: configOf(ENV), store });
    for (const [path, handler] of READS) {
      const answer = await ask(handler, path);
      expect([path, answer.headers.get('x-content-type-options')]).toEqual([path, 'nosniff']);
    }
  });

  it('to HEAD has the headers of GET and no body, on one machine too, whatever is asked for', async () => {
    const { server, port } = await serve(0);
    try {
      const origin = `http://127.0.0.1:${port}`;
      const headersOf = ({ status, headers }: Response) => {
        // What is measured up to now, and so its length and its tag, differs from one moment to the next.
        const skipped = new Set([
          'date',
          'content-length',
          'etag',
          'transfer-encoding',
          'connection',
          'keep-alive',
        ]);
        return [status, ...[...headers].filter(([name]) => !skipped.has(name))];
      };
      const paths = [
        ...READS.map(([path]) => path),
        ...[
          '/sign-in',
          '/api/cron',
          '/style.css',
          '/nothing',
          '/api/keepalive/nobody',
          '/api/badge/nobody',
          '/t/x',
        ],
        '/api/maintenance',
      ];
      for (const path of paths) {
        const got = await fetch(origin + path, { redirect: 'manual' });
        const head = await fetch(origin + path, { method: 'HEAD', redirect: 'manual' });
        expect([path, headersOf(head)]).toEqual([path, headersOf(got)]);
        expect([path, await head.text()]).toEqual([path, '']);
        expect([path, head.headers.get('x-content-type-options')]).toEqual([path, 'nosniff']);
      }
      const put = await fetch(`${origin}/api/keepalive`, { method: 'PUT' });
      expect([put.status, put.headers.get('x-content-type-options')]).toEqual([405, 'nosniff']);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
