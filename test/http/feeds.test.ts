import { parseAtomFeed } from 'feedsmith';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GET as badge } from '../../api/badge/[id].js';
import { GET as feed } from '../../api/feed/[format].js';
import { GET as metrics } from '../../api/metrics.js';
import { setApp } from '../../lib/app.js';
import type { Config } from '../../lib/config/config.js';
import { serve } from '../../lib/local/server.js';
import { openRemoteStore } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { meddled } from '../support/meddle.js';
import { checkMetrics } from '../support/promtool.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { configOf, FAILED, GOOD, Pinger } from '../support/runs.js';
import { elementsOf } from '../support/xml.js';

const MINUTE = 60_000;
const DAY = 86_400_000;
const ORIGIN = 'https://pinger.test';

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

const ids = (count: number) => Array.from({ length: count }, (_, i) => `t-${i}`);

function configWith(targets: readonly string[], env: Record<string, string> = {}): Config {
  const urls = targets.map((id) => [
    `TARGET_${id.toUpperCase().replaceAll('-', '_')}_URL`,
    `https://user:pass-canary@${id}.test/health?key=query-canary`,
  ]);
  return configOf({
    ...(Object.fromEntries(urls) as Record<string, string>),
    KEEP_ALIVE_HEADERS: '{"x-key":"header-canary"}',
    KEEP_ALIVE_INTERVAL: '1m',
    KEEP_ALIVE_RETRIES: '0',
    KEEP_ALIVE_FAILURE_THRESHOLD: '1',
    KEEP_ALIVE_SUCCESS_THRESHOLD: '1',
    KEEP_ALIVE_CONTROL_URLS: 'off',
    KEEP_ALIVE_PUBLIC_URL: 'https://status.example.com',
    ...env,
  });
}

/** Runs a minute apart, the last one now; each target goes through its checks, `x` for a failed one. */
async function tell(config: Config, checks: Readonly<Record<string, string>>): Promise<void> {
  setApp({ config, store });
  const pinger = new Pinger(config, store);
  const length = Math.max(0, ...Object.values(checks).map((each) => each.length));
  for (let i = 0; i < length; i += 1) {
    pinger.now = Date.now() - (length - 1 - i) * MINUTE;
    pinger.attempt = ({ info }) => (checks[info.id]?.[i] === 'x' ? FAILED : GOOD);
    await pinger.run();
  }
}

async function ask(
  handler: (request: Request) => Promise<Response>,
  path: string,
  headers: Record<string, string> = {},
) {
  const before = await redis.callsMade();
  const response = await handler(new Request(ORIGIN + path, { headers }));
  const text = await response.text();
  expect(text).not.toContain('canary');
  return {
    status: response.status,
    text,
    commands: (await redis.callsMade()) - before,
    header: (name: string) => response.headers.get(name) ?? '',
  };
}

const shields = async (query: string, id = 't-0') => {
  const { text } = await ask(badge, `/api/badge/${id}?format=shields${query}`);
  return JSON.parse(text) as Record<string, unknown>;
};
const titles = (xml: string) => (parseAtomFeed(xml).entries ?? []).map(({ title }) => title?.value);

describe('GET /api/badge/<id>', () => {
  it('answers an SVG that caches may keep for half a minute, for one command', async () => {
    await tell(configWith(['t-0']), { 't-0': 'oo' });
    const answer = await ask(badge, '/api/badge/t-0');
    expect([answer.status, answer.commands]).toEqual([200, 1]);
    expect(answer.header('content-type')).toBe('image/svg+xml; charset=utf-8');
    expect(answer.header('cache-control')).toMatch(/^public, max-age=30, s-maxage=30/);
    expect(answer.header('content-security-policy')).toBe("default-src 'none'");
    expect(elementsOf(answer.text).find(({ name }) => name === 'title')?.text).toBe('t-0: up');
  });

  it('knows metrics, windows and labels', async () => {
    await tell(configWith(['t-0']), { 't-0': 'oooooxxo' });
    expect(await shields('')).toEqual({
      schemaVersion: 1,
      label: 't-0',
      message: 'up',
      color: 'brightgreen',
    });
    expect(await shields('&metric=uptime')).toMatchObject({
      label: 't-0 uptime 30d',
      message: expect.stringMatching(/^71\.[34]\d?%$/) as string,
    });
    expect(await shields('&metric=uptime&window=7d')).toMatchObject({ label: 't-0 uptime 7d' });
    for (const window of ['24h', '7d', '30d', '90d']) {
      const found = await shields(`&metric=latency&window=${window}`);
      expect(found.label).toBe(`t-0 latency ${window}`);
      expect(Math.abs(Number.parseInt(String(found.message)) - 45)).toBeLessThanOrEqual(3);
    }
    expect(await shields('&metric=latency&label=speed')).toMatchObject({ label: 'speed' });
    expect(await shields('&label=')).toMatchObject({ label: '' });
  });

  it('finds the latencies of days that are over, for two commands at most', async () => {
    const config = configWith(['t-0']);
    setApp({ config, store });
    const pinger = new Pinger(config, store);
    for (const [days, total] of [
      [40, 4_000],
      [5, 400],
      [1.2, 1_000],
      [1.2, 1_000],
      [0, 40],
    ] as const) {
      pinger.now = Math.max(pinger.now + MINUTE, Date.now() - days * DAY);
      pinger.attempt = () => ({ ...GOOD, timings: { ...GOOD.timings, total } });
      await pinger.run();
    }
    const about = async (window: string) => {
      const path = `/api/badge/t-0?format=shields&metric=latency&window=${window}`;
      const { text, commands } = await ask(badge, path);
      expect(commands).toBeLessThanOrEqual(2);
      return (JSON.parse(text) as { message: string }).message;
    };
    expect(await about('24h')).toMatch(/^(?:3[89]|4[0-2]) ms$/);
    expect(await about('7d')).toMatch(/^(?:3[89]\d|4[01]\d) ms$/);
    expect(await about('90d')).toMatch(/^(?:9[5-9]\d ms|1\.0 s)$/);
  });

  it.each([
    ['/api/badge/nobody', 404, 'not found'],
    ['/api/badge/t-0.svg', 404, 'not found'],
    ['/api/badge/%3Cscript%3E', 404, 'not found'],
    ['/api/badge/t-0?metric=speed', 400, 'unknown metric'],
    ['/api/badge/t-0?metric=__proto__', 400, 'unknown metric'],
    ['/api/badge/t-0?metric=uptime&window=1y', 400, 'unknown window'],
    ['/api/badge/t-0?format=png', 400, 'unknown format'],
  ])('%s answers %i, on a badge that says %s, for no command', async (path, status, message) => {
    await tell(configWith(['t-0']), { 't-0': 'o' });
    const answer = await ask(badge, path);
    expect([answer.status, answer.commands]).toEqual([status, 0]);
    expect(answer.header('content-type')).toBe('image/svg+xml; charset=utf-8');
    expect(elementsOf(answer.text).find(({ name }) => name === 'title')?.text).toBe(`keepalive: ${message}`);
  });

  it('says no data where no run was made yet', async () => {
    await tell(configWith(['t-0']), {});
    for (const metric of ['status', 'uptime', 'latency']) {
      expect(await shields(`&metric=${metric}`)).toMatchObject({ message: 'no data', color: 'lightgrey' });
    }
  });

  it('is not sent again to whoever has it', async () => {
    await tell(configWith(['t-0']), { 't-0': 'o' });
    const { header } = await ask(badge, '/api/badge/t-0');
    for (const known of [header('etag'), `W/${header('etag')}`, `"other", W/${header('etag')}`, '*']) {
      const again = await ask(badge, '/api/badge/t-0', { 'if-none-match': known });
      expect([known, again.status, again.text]).toEqual([known, 304, '']);
    }
    expect((await ask(badge, '/api/badge/t-0', { 'if-none-match': '"other"' })).status).toBe(200);
  });
});

describe('GET /api/metrics', () => {
  it.each([0, 1, 200])('of %i targets is what Prometheus reads, for one command', async (count) => {
    await tell(configWith(ids(count)), Object.fromEntries(ids(count).map((id) => [id, 'oxo'])));
    const answer = await ask(metrics, '/api/metrics');
    expect(answer.status).toBe(200);
    expect(answer.commands).toBe(1);
    expect(answer.header('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(checkMetrics(answer.text)).toBe('');
    expect(answer.text.match(/^keepalive_checks_total\{.*\} 3$/gm) ?? []).toHaveLength(count);
  });
});

describe('GET /api/metrics of some of the targets', () => {
  it.each([
    ['?group=shop', ['b', 'c']],
    ['?group=', ['a']],
    ['?status=down', ['b']],
    ['?group=shop&status=up', ['c']],
    ['?group=nobody', []],
  ])('%s has samples of %j', async (query, expected) => {
    const env = { TARGET_B_GROUP: 'shop', TARGET_C_GROUP: 'shop' };
    await tell(configWith(['a', 'b', 'c'], env), { a: 'oo', b: 'ox', c: 'oo' });
    const answer = await ask(metrics, `/api/metrics${query}`);
    expect([answer.status, checkMetrics(answer.text)]).toEqual([200, '']);
    const found = [...answer.text.matchAll(/^probe_success\{target="(\w+)"\}/gm)].map(([, id]) => id);
    expect(found).toEqual(expected);
    expect(answer.text).toContain('\nkeepalive_up 1\n');
  });

  it('names the statuses that there are', async () => {
    await tell(configWith(['a']), { a: 'o' });
    const answer = await ask(metrics, '/api/metrics?status=well');
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('one of pending, up,')]);
  });
});

describe('GET /api/feed', () => {
  it('tells of the incidents of all targets, open ones first, then those that ended last', async () => {
    await tell(configWith(['a', 'b', 'c']), { a: 'oxxoooxx', b: 'ooooxxxo', c: 'oxxxxxxx' });
    const answer = await ask(feed, '/api/feed');
    expect([answer.status, answer.commands]).toEqual([200, 2]);
    expect(answer.header('content-type')).toBe('application/atom+xml; charset=utf-8');
    expect(titles(answer.text)).toEqual([
      'a is down',
      'c is down',
      'b was down for 3 m',
      'a was down for 2 m',
    ]);
    expect(answer.text).toContain('href="https://status.example.com/t/b"');
    elementsOf(answer.text);
    const again = await ask(feed, '/api/feed', { 'if-none-match': answer.header('etag') });
    expect(again.status).toBe(304);
  });

  it('costs one command where nothing was resolved', async () => {
    await tell(configWith(['a', 'b']), { a: 'ox', b: 'oo' });
    const { commands, text } = await ask(feed, '/api/feed');
    expect([commands, titles(text)]).toEqual([1, ['a is down']]);
  });

  it('is empty before the first run, and without an incident', async () => {
    await tell(configWith(['a']), {});
    expect(titles((await ask(feed, '/api/feed')).text)).toEqual([]);
    await tell(configWith(['a']), { a: 'oo' });
    expect(titles((await ask(feed, '/api/feed')).text)).toEqual([]);
  });

  it('keeps to the last 50 of a target that flaps, also when its ring of incidents has turned', async () => {
    await tell(configWith(['a']), { a: 'xo'.repeat(120) });
    const { text, commands } = await ask(feed, '/api/feed');
    const entries = parseAtomFeed(text).entries ?? [];
    expect([entries.length, commands]).toEqual([50, 2]);
    const updated = entries.map((entry) => Date.parse(entry.updated ?? ''));
    expect(updated).toEqual(updated.toSorted((a, b) => b - a));
    expect(Date.now() - (updated.at(-1) ?? 0)).toBeLessThan(101 * MINUTE);
  });

  it('of 500 targets that all flap costs two commands too, and 1,000 incidents at most are read', async () => {
    await tell(configWith(ids(500)), Object.fromEntries(ids(500).map((id) => [id, 'xoxoxo'])));
    const asked: number[] = [];
    const counting: Store = {
      ...meddled(store, (_, work) => work()),
      read: (request) => {
        asked.push(request.fields.length);
        return store.read(request);
      },
    };
    setApp({ config: configWith(ids(500)), store: counting });
    const { text, commands } = await ask(feed, '/api/feed');
    expect([commands, asked, titles(text).length]).toEqual([2, [5, 3 + 1_000], 50]);
  });

  it('leaves out what is no longer in the configuration', async () => {
    await tell(configWith(['a', 'b']), { a: 'xo', b: 'xo' });
    setApp({ config: configWith(['b']), store });
    expect(titles((await ask(feed, '/api/feed')).text)).toEqual(['b was down for 1 m']);
  });

  it('is where it was asked for when no address is configured', async () => {
    await tell({ ...configWith(['a']), publicUrl: null }, { a: 'ox' });
    const { text } = await ask(feed, '/api/feed');
    expect(text).toContain(`<link rel="self" href="${ORIGIN}/api/feed"/>`);
    expect(text).toContain(`<link href="${ORIGIN}/t/a"/>`);
  });
});

describe('with STATS_TOKEN set', () => {
  const env = { STATS_TOKEN: 'token-of-readers' };
  const bearer = { authorization: 'Bearer token-of-readers' };

  it.each([
    ['badge', badge, '/api/badge/t-0'],
    ['unknown badge', badge, '/api/badge/nobody'],
    ['metrics', metrics, '/api/metrics'],
    ['feed', feed, '/api/feed'],
  ] as const)('the %s needs it, and no shared cache keeps it', async (_, handler, path) => {
    await tell(configWith(['t-0'], env), { 't-0': 'ox' });
    expect(await ask(handler, path)).toMatchObject({ status: 401, commands: 0 });
    const answer = await ask(handler, path, bearer);
    expect(answer.status).toBe(path.endsWith('nobody') ? 404 : 200);
    expect(answer.header('cache-control')).toBe('private, no-store');
  });

  it('badges are for everybody where KEEP_ALIVE_PUBLIC_BADGES says so, and nothing else is', async () => {
    await tell(configWith(['t-0'], { ...env, KEEP_ALIVE_PUBLIC_BADGES: 'true' }), { 't-0': 'ox' });
    const answer = await ask(badge, '/api/badge/t-0');
    expect([answer.status, answer.header('cache-control')]).toMatchObject([
      200,
      expect.stringMatching(/^public/) as string,
    ]);
    expect((await ask(metrics, '/api/metrics')).status).toBe(401);
    expect((await ask(feed, '/api/feed')).status).toBe(401);
  });
});

describe('on one machine', () => {
  it('they are served, also to HEAD, and under the name that was asked for', async () => {
    await tell({ ...configWith(['t-0']), publicUrl: null }, { 't-0': 'ox' });
    const { server, port } = await serve(0);
    try {
      const origin = `http://127.0.0.1:${port}`;
      for (const path of ['/api/badge/t-0', '/api/metrics', '/api/feed']) {
        const response = await fetch(origin + path, { headers: { 'accept-encoding': 'identity' } });
        const text = await response.text();
        expect([path, response.status]).toEqual([path, 200]);
        const head = await fetch(origin + path, {
          method: 'HEAD',
          headers: { 'accept-encoding': 'identity' },
        });
        expect([head.status, await head.text()]).toEqual([200, '']);
        expect((await fetch(origin + path, { method: 'POST' })).status).toBe(405);
        if (path === '/api/feed') expect(text).toContain(`href="${origin}/t/t-0"`);
        // What is measured up to now differs from one moment to the next.
        if (path === '/api/metrics') continue;
        expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(text)));
        const etag = response.headers.get('etag') ?? '';
        const again = await fetch(origin + path, { headers: { 'if-none-match': etag } });
        expect([again.status, again.headers.get('content-length')]).toEqual([304, null]);
      }
    } finally {
      server.close();
    }
  });

  it('behind a proxy, links lead to where the visitor is, and the feed stays the same one', async () => {
    await tell({ ...configWith(['t-0']), publicUrl: null }, { 't-0': 'ox' });
    const idOf = (xml: string) => parseAtomFeed(xml).id;
    const plain = await ask(feed, '/api/feed');
    expect(plain.header('vary')).toBe('x-forwarded-proto, x-forwarded-host');
    for (const [headers, origin] of [
      [
        { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'status.example.org' },
        'https://status.example.org',
      ],
      [
        { 'x-forwarded-proto': 'https, http', 'x-forwarded-host': 'a.example:8443, b' },
        'https://a.example:8443',
      ],
      [{ 'x-forwarded-proto': 'https' }, `https://${new URL(ORIGIN).host}`],
      [{ 'x-forwarded-proto': 'javascript', 'x-forwarded-host': 'evil"><x>' }, ORIGIN],
      [{ 'x-forwarded-host': 'user:pw@evil.example' }, ORIGIN],
    ] as const) {
      const { text } = await ask(feed, '/api/feed', headers);
      expect(text).toContain(`href="${origin}/t/t-0"`);
      expect(idOf(text)).toBe(idOf(plain.text));
    }
    await tell({ ...configWith(['t-0']), publicUrl: 'https://public.example' }, {});
    const known = await ask(feed, '/api/feed', { 'x-forwarded-host': 'evil.example' });
    expect([known.header('vary'), known.text.includes('evil')]).toEqual(['', false]);
    expect(idOf(known.text)).toBe(idOf(plain.text));
  });

  it('a path that looks like an address is a path', async () => {
    setApp({ config: configWith(['t-0']), store });
    const { server, port } = await serve(0);
    try {
      const response = await fetch(`http://127.0.0.1:${port}//user:pass@elsewhere.test/api/feed`);
      expect(response.status).toBe(404);
    } finally {
      server.close();
    }
  });
});
