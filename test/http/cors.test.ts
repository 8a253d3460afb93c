import type { Server } from 'node:http';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setApp } from '../../lib/app.js';
import { serve } from '../../lib/local/server.js';
import { Books } from '../support/books.js';
import { startBrowser, type Browser } from '../support/browser.js';
import { configOf } from '../support/runs.js';
import { serveHttp, type Listening } from '../support/servers.js';
import { goodCheck } from '../support/targets.js';

const TOKEN = 'token-of-readers-canary';
const PUBLIC_READS = [
  ...['/api/keepalive', '/api/keepalive/api', '/api/health', '/api/badge/api', '/api/metrics', '/api/feed'],
];
/** What changes something, and pages. */
const OTHERS = ['/api/cron', '/api/maintenance', '/sign-in', '/', '/t/api', '/history'];

let server: Server;
let origin: string;

beforeAll(async () => {
  const { server: started, port } = await serve(0);
  server = started;
  origin = `http://127.0.0.1:${port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => begin());
afterEach(() => setApp(null));

function begin(env: Record<string, string> = {}): void {
  const config = configOf({ TARGET_API_URL: 'https://a.example.com', CRON_SECRET: 'x'.repeat(32), ...env });
  const books = new Books(60_000, config.targets);
  books.run(Date.now() - 1000, [['api', goodCheck(Date.now() - 1000)]]);
  setApp({ config, store: books.store });
}

const ask = (path: string, init: RequestInit = {}) => fetch(origin + path, { redirect: 'manual', ...init });
const corsOf = (answer: Response) =>
  Object.fromEntries([...answer.headers].filter(([name]) => name.startsWith('access-control-')));
const ELSEWHERE = { origin: 'https://elsewhere.example' };

describe('a public read', () => {
  it.each([...PUBLIC_READS, '/api/keepalive/nobody', '/api/badge/nobody'])(
    '%s may be read by pages of any origin, without credentials, errors too',
    async (path) => {
      for (const method of ['GET', 'HEAD']) {
        for (const headers of [ELSEWHERE, {}]) {
          const answer = await ask(path, { method, headers });
          expect(corsOf(answer)).toEqual({ 'access-control-allow-origin': '*' });
        }
      }
      begin({ STATS_TOKEN: TOKEN });
      const refused = await ask(path, { headers: ELSEWHERE });
      expect([refused.status, corsOf(refused)]).toEqual([401, { 'access-control-allow-origin': '*' }]);
    },
  );

  it.each(PUBLIC_READS)('%s answers a preflight', async (path) => {
    const headers = {
      ...ELSEWHERE,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization',
    };
    for (const env of [{}, { STATS_TOKEN: TOKEN }]) {
      begin(env);
      const answer = await ask(path, { method: 'OPTIONS', headers });
      expect([answer.status, await answer.text()]).toEqual([204, '']);
      expect(corsOf(answer)).toEqual({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET, HEAD',
        'access-control-allow-headers': 'authorization, *',
        'access-control-max-age': '86400',
      });
    }
  });
});

it.each(OTHERS)('%s is not for pages of other origins', async (path) => {
  for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS']) {
    expect(corsOf(await ask(path, { method, headers: ELSEWHERE }))).toEqual({});
  }
  expect((await ask(path, { method: 'OPTIONS', headers: ELSEWHERE })).status).toBe(405);
});

describe('with STATS_TOKEN, a session', () => {
  beforeEach(() => begin({ STATS_TOKEN: TOKEN }));

  async function signedIn(): Promise<string> {
    const body = new URLSearchParams({ token: TOKEN });
    const answer = await ask('/sign-in', { method: 'POST', body });
    return answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  }

  it.each([
    ['our own page, which names no origin', () => ({}), 200],
    ['our own page, which names its origin', () => ({ origin }), 200],
    ['a link of another site', () => ({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }), 200],
    ['another origin', () => ELSEWHERE, 401],
    ['another port of the same host', () => ({ origin: 'http://127.0.0.1:1' }), 401],
    ['a page that hides its origin', () => ({ origin: 'null' }), 401],
  ])('counts or not for %s', async (_, headersOf, status) => {
    const cookie = await signedIn();
    for (const path of [...PUBLIC_READS, '/', '/t/api']) {
      expect([path, (await ask(path, { headers: { cookie, ...headersOf() } })).status]).toEqual([
        path,
        status,
      ]);
    }
  });

  it('leaves a bearer as good as ever', async () => {
    const headers = { ...ELSEWHERE, authorization: `Bearer ${TOKEN}` };
    for (const path of PUBLIC_READS) expect((await ask(path, { headers })).status).toBe(200);
  });
});

describe('in Chromium, a page of another port, to which browsers send the cookies too', () => {
  let browser: Browser;
  let elsewhere: Listening;
  let page: Page;

  beforeAll(async () => {
    browser = await startBrowser();
    elsewhere = await serveHttp((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>elsewhere</title>');
    });
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    page = await (await browser.context()).newPage();
  });

  /** The status that the script sees, or why it sees none. */
  const seen = (path: string, init: RequestInit = {}) =>
    page.evaluate(
      ([url, options]) =>
        fetch(url, options).then(
          async (answer) => [answer.status, (await answer.text()).length > 0],
          (error: unknown) => [(error as Error).name],
        ),
      [origin + path, init] as const,
    );

  it('reads what is public', async () => {
    await page.goto(`http://127.0.0.1:${elsewhere.port}/`);
    for (const path of PUBLIC_READS) expect(await seen(path)).toEqual([200, true]);
    expect(await seen('/api/keepalive', { headers: { 'x-of-its-own': '1' } })).toEqual([200, true]);
    for (const path of ['/', '/t/api']) expect(await seen(path)).toEqual(['TypeError']);
  });

  it('reads what is private with the token, and nothing with the session of its visitor', async () => {
    begin({ STATS_TOKEN: TOKEN });
    await page.goto(`${origin}/`);
    await page.fill('#token', TOKEN);
    await page.click('main button');
    await page.getByText('Sign out').waitFor();
    await page.goto(`http://127.0.0.1:${elsewhere.port}/`);
    for (const path of PUBLIC_READS) {
      expect(await seen(path, { headers: { authorization: `Bearer ${TOKEN}` } })).toEqual([200, true]);
      expect(await seen(path)).toEqual([401, true]);
      expect(await seen(path, { credentials: 'include' })).toEqual(['TypeError']);
    }
    for (const path of OTHERS) {
      expect(await seen(path, { method: 'POST', credentials: 'include' })).toEqual(['TypeError']);
    }
  });
});
