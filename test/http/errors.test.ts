import type { Server } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { setApp } from '../../lib/app.js';
import { serve } from '../../lib/local/server.js';
import { Books } from '../support/books.js';
import { configOf } from '../support/runs.js';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8';
const TOKEN = 'token-of-readers-canary';

let server: Server;
let origin: string;

beforeAll(async () => {
  const started = await serve(0);
  server = started.server;
  origin = `http://127.0.0.1:${started.port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => begin());
afterEach(() => setApp(null));

function begin(env: Record<string, string> = {}, hasStore = true): void {
  const config = configOf({ TARGET_API_URL: 'https://a.example.com', ...env });
  setApp({ config, store: hasStore ? new Books(60_000, config.targets).store : null });
}

async function ask(path: string, accept: string | null, method = 'GET') {
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    ...(accept === null ? {} : { accept }),
  };
  const body = method === 'POST' ? 'token=wrong' : null;
  const answer = await fetch(origin + path, { method, headers, body, redirect: 'manual' });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

/** A path, the method, how the app is set up, the status, the code for programs, and a text of the page for people. */
const CASES: readonly (readonly [
  path: string,
  method: string,
  setUp: () => void,
  status: number,
  code: string,
  text: string,
])[] = [
  ['/nothing', 'GET', () => undefined, 404, 'not_found', 'Page not found'],
  ['/nothing/at/all.php', 'GET', () => undefined, 404, 'not_found', 'Page not found'],
  ['/api', 'GET', () => undefined, 404, 'not_found', 'Page not found'],
  ['/api/nothing', 'GET', () => undefined, 404, 'not_found', 'Page not found'],
  ['/api/page/nothing', 'GET', () => undefined, 404, 'not_found', 'Page not found'],
  ['/nothing', 'POST', () => undefined, 404, 'not_found', 'Page not found'],
  ['/nothing', 'DELETE', () => undefined, 404, 'not_found', 'Page not found'],
  ['/t/nobody', 'GET', () => undefined, 404, 'target_not_found', 'No such service'],
  ['/', 'POST', () => undefined, 405, 'method_not_allowed', 'Nothing can be sent here'],
  ['/', 'PUT', () => undefined, 405, 'method_not_allowed', 'Nothing can be sent here'],
  ['/', 'GET', () => begin({ STATS_TOKEN: TOKEN }), 401, 'unauthorized', 'This status is private'],
  ['/t/api', 'GET', () => begin({ STATS_TOKEN: TOKEN }), 401, 'unauthorized', 'This status is private'],
  ['/sign-in', 'POST', () => begin({ STATS_TOKEN: TOKEN }), 401, 'unauthorized', 'That is not the token'],
  ['/', 'GET', () => begin({}, false), 503, 'store_missing', 'There is no database yet'],
];

describe.each(CASES)('%2$s %1$s', (path, method, setUp, status, code, text) => {
  beforeEach(setUp);

  it.each([BROWSER, 'text/html', 'TEXT/HTML, application/json'])(
    'is a page for people (%s)',
    async (accept) => {
      const answer = await ask(path, accept, method);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        status,
        'text/html; charset=utf-8',
      ]);
      expect(answer.headers.get('cache-control')).toBe('private, no-store');
      expect(answer.text).toContain(text);
      expect(answer.text).toContain('<html lang');
      expect(answer.text).not.toContain('canary');
    },
  );

  it.each([null, '*/*', 'application/json', 'application/json, text/html', 'text/plain'])(
    'is JSON for programs (%s)',
    async (accept) => {
      const answer = await ask(path, accept, method);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        status,
        'application/json; charset=utf-8',
      ]);
      expect(answer.headers.get('cache-control')).toBe('private, no-store');
      expect(JSON.parse(answer.text)).toEqual({ error: { code, message: expect.any(String) as string } });
      if (status === 405) expect(answer.headers.get('allow')).toContain('GET');
    },
  );
});

it.each([
  ['text/html;q=0', 'json'],
  ['text/html;q=0.1, application/json', 'json'],
  ['application/json;q=0.5, text/html;q=0.9', 'html'],
  ['text/html; level=1 ; Q=0.9, application/json;q=.8', 'html'],
  ['text/html;q=nonsense', 'json'],
  ['application/json;q=0.9, text/html;q=0.9', 'json'],
  [`${'a/b,'.repeat(3_000)}text/html`, 'html'],
])('of what is accepted, the greater weight counts (%.60s)', async (accept, kind) => {
  expect((await ask('/nothing', accept)).headers.get('content-type')).toContain(kind);
});

it('endpoints for programs keep to JSON, whoever asks', async () => {
  const answer = await ask('/api/keepalive/nobody', BROWSER);
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([
    404,
    { error: { code: 'target_not_found' } },
  ]);
});
