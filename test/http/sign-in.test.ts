import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { setApp } from '../../lib/app.js';
import { hasSession, sessionCookie } from '../../lib/http/session.js';
import { serve } from '../../lib/local/server.js';
import { Books } from '../support/books.js';
import { configOf } from '../support/runs.js';
import { goodCheck } from '../support/targets.js';

const TOKEN = 'token-of-readers-canary';
const DAY = 86_400_000;
let server: Server;
let origin: string;

beforeAll(async () => {
  ({ server } = await serve(0));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => withToken(TOKEN));
afterEach(() => setApp(null));

function withToken(token: string | null): void {
  const config = configOf({
    TARGET_MY_API_URL: 'https://a.example.com',
    ...(token === null ? {} : { STATS_TOKEN: token }),
  });
  const books = new Books(60_000, config.targets);
  books.run(Date.now() - 1000, [['my-api', goodCheck(Date.now() - 1000)]]);
  setApp({ config, store: books.store });
}

function post(form: Record<string, string>, headers: Record<string, string> = { origin }) {
  return fetch(`${origin}/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { accept: 'text/html', ...headers },
    body: new URLSearchParams(form),
  });
}

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(origin + path, { headers: { accept: 'text/html', ...headers } });

async function signedIn(): Promise<string> {
  const answer = await post({ token: TOKEN });
  return answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

describe('a private status', () => {
  it.each([['/'], ['/t/my-api'], ['/t/nobody']])(
    'asks at %s for the token, and shows nothing',
    async (path) => {
      const answer = await get(path);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([401, 'text/html; charset=utf-8']);
      expect(answer.headers.get('cache-control')).toBe('private, no-store');
      expect(answer.headers.get('vary')).toBe(
        'accept-language, cookie, authorization, accept, accept-encoding',
      );
      const text = await answer.text();
      expect(text).toContain('This status is private');
      expect(text).toContain(`name="next" value="${path}"`);
      expect(text).not.toMatch(/example\.com|canary/);
    },
  );

  it('lets in who bears the token or has signed in, on pages and on JSON, and never from a shared cache', async () => {
    const cookie = await signedIn();
    expect(cookie).not.toContain(TOKEN);
    for (const headers of [
      { cookie },
      { cookie: `other=1; ${cookie}` },
      { authorization: `Bearer ${TOKEN}` },
    ]) {
      for (const path of ['/', '/t/my-api', '/api/keepalive', '/api/keepalive/my-api', '/api/health']) {
        const answer = await get(path, headers);
        expect([path, answer.status]).toEqual([path, 200]);
        expect(answer.headers.get('cache-control')).toBe('private, no-store');
        expect(await answer.text()).not.toContain('canary');
      }
    }
  });

  it('keeps to JSON where JSON is asked for', async () => {
    const answer = await get('/api/keepalive');
    expect([answer.status, await answer.json()]).toMatchObject([401, { error: { code: 'unauthorized' } }]);
  });

  it('sets a cookie that scripts cannot read, for 30 days, for https only where it came over https', async () => {
    const [cookie] = (await post({ token: ` ${TOKEN} ` })).headers.getSetCookie();
    expect(cookie).toMatch(
      /^keepalive_session=\d+\.[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax$/,
    );
    const secure = await post({ token: TOKEN }, { origin, 'x-forwarded-proto': 'https' });
    expect(secure.headers.getSetCookie()[0]).toMatch(/; Secure$/);
  });

  it.each([['wrong'], [''], [`${TOKEN}x`], [TOKEN.slice(1)]])(
    'says that %j is not the token',
    async (token) => {
      const answer = await post({ token, next: '/t/my-api' });
      const text = await answer.text();
      expect(answer.status).toBe(401);
      expect(answer.headers.getSetCookie()).toEqual([]);
      expect(text).toContain('That is not the token.');
      expect(text).toContain('name="next" value="/t/my-api"');
    },
  );

  it.each([
    ['/t/my-api', '/t/my-api'],
    ['/', '/'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example/', '/'],
    ['/t/../api/cron', '/'],
    ['/t/a\r\nset-cookie: x=1', '/'],
    ['', '/'],
  ])('goes on from %j to %j', async (next, location) => {
    const answer = await post({ token: TOKEN, next });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, location]);
  });

  it.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['no origin that is told', { origin: 'null' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a sister site', { 'sec-fetch-site': 'same-site' }],
  ])('refuses a form from %s', async (_, headers) => {
    const answer = await post({ token: TOKEN }, headers);
    expect(answer.status).toBe(403);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it('refuses a form that is too large', async () => {
    expect((await post({ token: 'x'.repeat(5000) })).status).toBe(413);
    expect((await post({ token: 'x'.repeat(1_000_000) })).status).toBe(413);
  });

  it('slows down whoever sends wrong tokens, for no store command, and tells how long to wait', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    try {
      for (let i = 0; i < 5; i += 1) expect((await post({ token: 'wrong' })).status).toBe(401);
      for (const token of ['wrong', TOKEN]) {
        const answer = await post({ token });
        expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '1']);
        expect(answer.headers.getSetCookie()).toEqual([]);
        expect(answer.headers.get('cache-control')).toBe('private, no-store');
        expect(await answer.text()).toContain('Too many wrong tokens. Try again in 1 s.');
      }
      // What a client says of its own address changes nothing.
      expect((await post({ token: TOKEN }, { origin, 'x-real-ip': '198.51.100.1' })).status).toBe(429);
      // Who signs out, or bears the token, is not held up.
      expect((await post({ action: 'sign-out' })).status).toBe(303);
      expect((await get('/', { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
      // Another address behind the same proxy, which writes it behind what the client has sent.
      const forwarded = { origin, 'x-forwarded-for': '127.0.0.1, 203.0.113.7' };
      expect((await post({ token: TOKEN }, forwarded)).status).toBe(303);
      vi.setSystemTime(Date.now() + 1_000);
      expect((await post({ token: TOKEN })).status).toBe(303);
    } finally {
      vi.useRealTimers();
    }
  });

  it('ends at signing out', async () => {
    const answer = await post({ action: 'sign-out' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
    expect(answer.headers.getSetCookie()[0]).toContain('keepalive_session=; Path=/; Max-Age=0');
  });

  it('forgets everybody when the token changes', async () => {
    const cookie = await signedIn();
    withToken('another-token-of-readers');
    expect((await get('/', { cookie })).status).toBe(401);
  });
});

describe('a session', () => {
  const request = (cookie: string) => new Request('http://a.test/', { headers: { cookie } });
  const valueOf = (cookie: string) => cookie.split(';')[0] ?? '';

  it('is over after 30 days, whatever the browser keeps', () => {
    const cookie = valueOf(sessionCookie({ token: TOKEN, now: 0, secure: true }));
    expect(hasSession(request(cookie), TOKEN, 30 * DAY - 1000)).toBe(true);
    expect(hasSession(request(cookie), TOKEN, 30 * DAY)).toBe(false);
  });

  it.each([
    ['a later end', (cookie: string) => cookie.replace(/=\d+/, '=99999999999')],
    ['no seal', (cookie: string) => cookie.replace(/\..*/, '.')],
    ['the token itself', () => `keepalive_session=${TOKEN}`],
    ['nothing', () => 'keepalive_session='],
  ])('cannot be made up with %s', (_, forge) => {
    const cookie = forge(valueOf(sessionCookie({ token: TOKEN, now: 0, secure: true })));
    expect(hasSession(request(cookie), TOKEN, 1000)).toBe(false);
  });
});

describe('a public status', () => {
  it('has nothing to sign in to', async () => {
    withToken(null);
    const form = await fetch(`${origin}/sign-in`, { redirect: 'manual' });
    expect([form.status, form.headers.get('location')]).toEqual([303, '/']);
    expect((await get('/')).headers.get('cache-control')).toContain('s-maxage');
    expect(await (await get('/')).text()).not.toContain('Sign out');
  });
});
