import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { GET as badge } from '../../api/badge/[id].js';
import { GET as feed } from '../../api/feed/[format].js';
import { GET as health } from '../../api/health.js';
import { GET as keepalive } from '../../api/keepalive/[id].js';
import { GET as metrics } from '../../api/metrics.js';
import { GET as page } from '../../api/page/[page].js';
import { setApp } from '../../lib/app.js';
import { READ_LIMIT } from '../../lib/read/recent.js';
import { openRemoteStore } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { configOf, Pinger } from '../support/runs.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { startUpstashFront, type UpstashFront } from '../support/upstash-front.js';

const config = configOf({ TARGET_A_URL: 'https://a.test/' });
let redis: RedisServer;
let front: UpstashFront;
let proxy: TcpProxy;
let upstash: Store;
let tcp: Store;

beforeAll(async () => {
  redis = await startRedis();
  front = await startUpstashFront({ redisPort: redis.port, token: 'front-token' });
  proxy = await startTcpProxy(redis.port);
  upstash = await openRemoteStore({ kind: 'upstash', url: front.url, token: front.token }, { prefix: 'k' });
  tcp = await openRemoteStore({ kind: 'redis', url: `redis://127.0.0.1:${proxy.port}` }, { prefix: 'k' });
  const pinger = new Pinger(config, tcp);
  pinger.now = Date.now() - 10_000;
  await pinger.run();
});
afterAll(async () => {
  await upstash.close();
  await tcp.close();
  await proxy.close();
  await front.close();
  await redis.stop();
});
afterEach(() => {
  setApp(null);
  front.reset();
  proxy.answers = 'pass';
});

const READS = [
  ['/api/keepalive', keepalive],
  ['/api/keepalive/a', keepalive],
  ['/api/metrics', metrics],
  ['/api/feed', feed],
  ['/api/badge/a', badge],
  ['/', page],
  ['/t/a', page],
] as const;

const ask = (path: string, handler: (request: Request) => Promise<Response>) =>
  handler(new Request(`http://pinger.test${path}`));

it('three seconds are what a reader waits for', () => {
  expect(READ_LIMIT).toBe(3_000);
});

it.each([
  ['Upstash', () => upstash, () => (front.fault = () => ({ kind: 'hang' }))],
  ['Redis', () => tcp, () => (proxy.answers = 'swallow')],
])('%s that never answers makes reads answer 503, and health says so', async (_, store, hang) => {
  setApp({ config, store: store() });
  hang();
  const answers = READS.map(([path, handler]) => ask(path, handler));
  const said = await ask('/api/health', health);
  expect(await said.json()).toMatchObject({
    checks: { redis: { message: 'the store did not answer in time' } },
  });
  for (const [i, [path]] of READS.entries()) {
    const answer = await answers[i];
    expect([path, answer?.status, answer?.headers.get('cache-control')]).toEqual([
      path,
      503,
      'private, no-store',
    ]);
    expect(await answer?.text()).toContain('store_timeout');
  }
});

it('Upstash that breaks a connection is asked again within the time', async () => {
  setApp({ config, store: upstash });
  let asked = 0;
  front.fault = () => ((asked += 1) === 1 ? { kind: 'refuse' } : null);
  expect((await ask('/api/keepalive', keepalive)).status).toBe(200);
  expect(asked).toBe(2);
});
