import { describe, expect, it } from 'vitest';
import { adviceByText, adviceOn } from '../../lib/rules/host-advice.js';
import { hostOf, HOSTS, looksAtBody, verdictOf } from '../../lib/rules/hosts.js';
import { HOST_NAMES, type HostName } from '../../lib/types.js';

const answer = (statusCode: number, headers: Record<string, string> = {}, path = '/', body = '') => ({
  protocol: 'https:',
  path,
  statusCode,
  headers: new Map(Object.entries(headers)),
  body,
});

describe('every host', () => {
  it.each(HOST_NAMES)('%s: says what to do, briefly, wherever it takes an answer for the host’s', (host) => {
    for (const { origin, message = '' } of HOSTS[host].answers) {
      expect(message !== '').toBe(!['container', 'unknown'].includes(origin));
      expect(message.length).toBeLessThanOrEqual(120);
    }
    expect((HOSTS[host].nameGone ?? '').length).toBeLessThanOrEqual(120);
  });

  it.each(HOST_NAMES)(
    '%s: a status alone, whatever it is, is never taken for the app’s own answer',
    (host) => {
      for (let status = 100; status <= 599; status += 1) {
        const { origin } = verdictOf(host, answer(status));
        expect([status, origin]).not.toEqual([status, 'container']);
      }
      expect(verdictOf(host, answer(200))).toEqual({ origin: 'unknown', message: null, askFor: 0 });
    },
  );

  it('has domains of its own', () => {
    const all = HOST_NAMES.flatMap((host) => HOSTS[host].domains.map((domain) => [domain, host] as const));
    for (const [domain, host] of all) {
      expect(domain).toMatch(/^\.[a-z0-9-]+(?:\.[a-z0-9-]+)+$/);
      expect(hostOf(`app${domain}`)).toBe(host);
      expect(hostOf(`APP${domain}.`.toUpperCase())).toBe(host);
      expect(hostOf(`app${domain}.example.org`)).toBe('none');
      expect(hostOf(domain.slice(1))).not.toBe(host === 'railway' ? 'render' : host);
    }
    expect(new Set(all.map(([domain]) => domain)).size).toBe(all.length);
  });

  it.each<[string, RegExp | null]>([
    ['https://my.glitch.me/', /ended/],
    ['https://x.b4a.run/', /every hour/],
    ['https://my.example.org/', null],
    ['https://my.up.railway.app/', /\$1 of credit/],
    ['https://my.onrender.com/health', null],
    ['https://my.onrender.com/robots.txt', /robots/],
    ['https://my.streamlit.app/', /proxy/],
    ['https://my.streamlit.app/~/+/_stcore/health', null],
    ['https://x.supabase.co/rest/v1/t', /reduce the risk/],
    ['https://me.pythonanywhere.com/', /each month/],
    ['https://x.neon.tech/', /need not be kept awake/],
  ])('is advised on honestly: %s', (healthUrl, expected) => {
    const host = hostOf(new URL(healthUrl).hostname);
    const texts = adviceOn({ host, enabled: true, healthUrl }).map(({ what }) => what);
    expect(texts).toEqual(expected === null ? [] : [expect.stringMatching(expected)]);
    expect(adviceOn({ host, enabled: false, healthUrl })).toEqual([]);
  });

  it('is told of once for all of its targets', () => {
    const info = { host: 'neon', enabled: true, healthUrl: 'https://x.neon.tech/' } as const;
    const targets = ['a', 'b'].map((id) => ({ info: { ...info, id } }));
    expect(adviceByText(targets)).toEqual([
      { what: expect.stringMatching(/^a, b: Neon need not/) as string, todo: expect.any(String) as string },
    ]);
  });
});

/** What Railway's edge says. */
const NO_APP = '{"status":"error","code":404,"message":"Application not found","request_id":"x"}';
const NO_ANSWER = '{"status":"error","code":502,"message":"Application failed to respond"}';

describe('who answered', () => {
  it.each<[HostName, ReturnType<typeof answer>, string]>([
    ['render', answer(200, { 'x-render-origin-server': 'uvicorn' }), 'container'],
    ['render', answer(500, { 'x-render-origin-server': 'Render' }), 'container'],
    ['render', answer(200, { 'x-render-origin-server': 'Render' }, '/robots.txt'), 'container'],
    ['render', answer(200, {}, '/robots.txt'), 'edge'],
    ['render', answer(200, { 'x-render-routing': 'something-new' }), 'unknown'],
    ['render', answer(503, { 'x-render-routing': 'suspend' }), 'unwakeable'],
    ['render', answer(503, { 'x-render-routing': 'suspend-by-user' }), 'unwakeable'],
    ['render', answer(503, { 'x-render-routing': 'edge, Suspend-By-User' }), 'unwakeable'],
    ['render', answer(404, { 'x-render-routing': 'no-server' }), 'unwakeable'],
    ['render', answer(429, { 'x-render-routing': 'rate-limited' }), 'edge'],
    ['render', answer(503, { 'x-render-routing': 'hibernate-wake-error' }), 'asleep'],
    ['render', answer(503, { 'x-render-routing': 'dynamic-hibernate-error-503' }), 'asleep'],
    ['render', answer(502, { 'x-render-routing': 'dynamic-free-error' }), 'asleep'],
    ['railway', answer(200, { 'x-railway-edge': 'railway/us-west2' }), 'container'],
    ['railway', answer(404, { 'x-railway-request-id': 'x' }), 'container'],
    ['railway', answer(502, { 'x-railway-fallback': 'true', 'x-railway-edge': 'x' }), 'asleep'],
    ['railway', answer(404, { 'x-railway-fallback': 'true', 'x-railway-edge': 'x' }), 'unwakeable'],
    ['railway', answer(200, { 'x-railway-fallback': 'true', 'x-railway-edge': 'x' }), 'edge'],
    ['railway', answer(200, { 'x-railway-fallback': 'perhaps', 'x-railway-edge': 'x' }), 'unknown'],
    ['railway', answer(404, { 'x-railway-edge': 'x' }, '/', NO_APP), 'unwakeable'],
    ['railway', answer(404, { 'x-railway-edge': 'x' }, '/', '{"detail":"Not Found"}'), 'container'],
    ['railway', answer(502, { 'x-railway-edge': 'x' }, '/', NO_ANSWER), 'asleep'],
    ['railway', answer(502, { 'x-railway-request-id': 'x' }, '/', '<h1>Bad gateway</h1>'), 'unknown'],
    ['koyeb', answer(200, { 'x-envoy-upstream-service-time': '4' }), 'container'],
    ['huggingface', answer(200, { 'x-proxied-host': 'http://10.0.0.1' }), 'container'],
    ['streamlit', answer(200, {}, '/~/+/_stcore/health', 'ok'), 'container'],
    ['streamlit', answer(200, {}, '/_stcore/health', 'ok'), 'unknown'],
    ['streamlit', answer(200, {}, '/~/+/_stcore/health', '<html>ok</html>'), 'unknown'],
    ['streamlit', answer(400, {}, '/~/+/_stcore/health'), 'asleep'],
    ['streamlit', answer(400, {}, '/'), 'unknown'],
    ['supabase', answer(200, {}, '/rest/v1/todos', '[{"id":1}]'), 'container'],
    ['supabase', answer(200, {}, '/rest/v1/todos', '{"message":"ok"}'), 'unknown'],
    ['supabase', answer(200, {}, '/rest/v1/', '[]'), 'unknown'],
    ['supabase', answer(200, {}, '/auth/v1/health', '[]'), 'unknown'],
    ['supabase', answer(401, {}, '/rest/v1/todos', '[]'), 'edge'],
    ['supabase', answer(540, {}, '/rest/v1/todos'), 'unwakeable'],
    ['supabase', answer(402, {}, '/rest/v1/todos'), 'unwakeable'],
    ['azure', answer(403, {}, '/', '<h1>Error 403 - This web app is stopped.</h1>'), 'unwakeable'],
    ['azure', answer(403, {}, '/', 'forbidden'), 'unknown'],
    ['supabase', { ...answer(0), protocol: 'postgres:', statusCode: null as never }, 'container'],
    ['atlas', { ...answer(0), protocol: 'mongodb:', statusCode: null as never }, 'container'],
    ['atlas', { ...answer(0), protocol: 'tcp:', statusCode: null as never }, 'unknown'],
  ])('%s: %j is %s', (host, given, origin) => {
    expect(verdictOf(host, given).origin).toBe(origin);
  });

  const ANSWERS_OF_APPS: readonly (readonly [HostName, string])[] = [
    ['render', 'x-render-origin-server'],
    ['railway', 'x-railway-edge'],
    ['koyeb', 'x-envoy-upstream-service-time'],
    ['huggingface', 'x-proxied-host'],
  ];
  it.each<[string, Record<string, string>, string]>([
    ['in a cache for 5 minutes', { age: '300' }, 'unknown'],
    ['that came through an empty cache', { age: '0', 'x-cache': 'MISS' }, 'container'],
    ['of Cloudflare’s cache', { 'cf-cache-status': 'HIT' }, 'unknown'],
    ['of Cloudflare’s cache, while the app does not answer', { 'cf-cache-status': 'STALE' }, 'unknown'],
    ['that Cloudflare does not cache', { 'cf-cache-status': 'DYNAMIC' }, 'container'],
    ['that Cloudflare has asked the app about', { 'cf-cache-status': 'REVALIDATED' }, 'container'],
    ['of CloudFront’s cache', { 'x-cache': 'Hit from cloudfront' }, 'unknown'],
    ['of one of two caches', { 'x-cache': 'MISS, HIT' }, 'unknown'],
    ['of a cache of RFC 9211', { 'cache-status': 'Edge; hit; ttl=30' }, 'unknown'],
    ['that such a cache had to fetch', { 'cache-status': 'Edge; fwd=stale' }, 'container'],
  ])('an answer of the app %s', (_, headers, origin) => {
    for (const [host, proof] of ANSWERS_OF_APPS) {
      expect(verdictOf(host, answer(200, { [proof]: 'x', ...headers })).origin).toBe(origin);
    }
  });

  it('is asked of the body only where it can tell', () => {
    expect(looksAtBody('streamlit', answer(200, {}, '/~/+/_stcore/health'))).toBe(true);
    expect(looksAtBody('streamlit', answer(200, {}, '/'))).toBe(false);
    expect(looksAtBody('azure', answer(200))).toBe(false);
    expect(looksAtBody('railway', answer(200))).toBe(false);
    expect(HOST_NAMES.filter((host) => looksAtBody(host, null))).toEqual([
      ...['railway', 'supabase', 'streamlit', 'azure'],
    ]);
  });
});
