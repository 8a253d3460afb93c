import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { GET as badge } from '../../api/badge/[id].js';
import { GET as cron } from '../../api/cron.js';
import { GET as health } from '../../api/health.js';
import { GET as keepalive } from '../../api/keepalive/[id].js';
import { DELETE as end, POST as begin } from '../../api/maintenance/[change].js';
import { setApp } from '../../lib/app.js';
import { ERROR_STATUS } from '../../lib/http/error-codes.js';
import { serve } from '../../lib/local/server.js';
import type { Store } from '../../lib/store/store.js';
import { expectDocument } from '../support/made-documents.js';
import type { Schema } from '../support/json-schema.js';
import { openApi } from '../support/openapi.js';
import { ROOT } from '../support/root.js';
import { configOf, FAILED, GOOD, Pinger } from '../support/runs.js';
import { openSqlite } from '../support/stores.js';

const SECRET = 'a-secret-of-32-characters-length';
const PLACE = 'public/openapi.json';
/** A program of TypeScript makes it, which takes seconds. */
const document =
  inject('long') || process.env.UPDATE_DOCS === '1'
    ? openApi()
    : (JSON.parse(readFileSync(join(ROOT, PLACE), 'utf8')) as Schema);
const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema({ $id: 'api', ...document });
let store: Store;

beforeAll(async () => {
  store = openSqlite('openapi.db');
  const config = configOf({
    CRON_SECRET: SECRET,
    TARGET_A_URL: 'https://a.test/',
    TARGET_B_URL: 'https://b.test/',
    TARGET_B_RECOVERY_URL: 'https://hook.test/',
    KEEP_ALIVE_ENABLED: 'true',
    KEEP_ALIVE_INTERVAL: '1m',
    KEEP_ALIVE_RETRIES: '0',
    KEEP_ALIVE_FAILURE_THRESHOLD: '1',
    KEEP_ALIVE_CONTROL_URLS: 'off',
  });
  const pinger = new Pinger(config, store);
  for (let i = 6; i >= 0; i -= 1) {
    pinger.now = Date.now() - i * 60_000;
    pinger.attempt = ({ info }) => (info.id === 'b' && i < 4 ? FAILED : GOOD);
    await pinger.run();
  }
  setApp({ config, store });
});
afterAll(async () => {
  setApp(null);
  await store.close();
});

it('the document is made of the types', async () => {
  await expectDocument(PLACE, () => JSON.stringify(document));
});

it('the document is served, and pages of any origin may read it', async () => {
  const { server, port } = await serve(0);
  try {
    for (const path of ['/api/openapi.json', '/api/openapi.json/']) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        200,
        'application/json; charset=utf-8',
      ]);
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(await answer.json()).toMatchObject({ openapi: '3.1.0' });
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

it('every error code and every endpoint for programs is in it', () => {
  const { paths } = document as { paths: Record<string, Record<string, unknown>> };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(operations.sort()).toEqual(
    [
      ...['GET /api/badge/{id}', 'GET /api/cron', 'POST /api/cron', 'GET /api/feed', 'GET /api/health'],
      ...['GET /api/keepalive', 'GET /api/keepalive/{id}', 'GET /api/metrics'],
      ...['POST /api/maintenance', 'DELETE /api/maintenance', 'GET /api/calendar.ics'],
      ...['POST /api/notes', 'DELETE /api/notes', 'POST /api/probe'],
    ].sort(),
  );
  const text = JSON.stringify(paths);
  // Those of pages alone.
  const pages = [
    ...['bad_link', 'cross_site', 'expired_link', 'mail_failed', 'method_not_allowed'],
    ...['subscribers_full'],
  ];
  const missing = Object.keys(ERROR_STATUS).filter((code) => !text.includes(`"${code}"`));
  expect(missing.sort()).toEqual(pages);
});

const bearer = { authorization: `Bearer ${SECRET}` };
it.each([
  ['Stats', keepalive, '/api/keepalive', {}, 200],
  ['TargetHistory', keepalive, '/api/keepalive/a', {}, 200],
  ['TargetHistory', keepalive, '/api/keepalive/b', {}, 200],
  ['Error', keepalive, '/api/keepalive/nobody', {}, 404],
  ['Health', health, '/api/health', {}, 200],
  ['ShieldsBadge', badge, '/api/badge/a?format=shields', {}, 200],
  ['ShieldsBadge', badge, '/api/badge/nobody?format=shields', {}, 404],
  ['Error', cron, '/api/cron', {}, 401],
  [
    'MaintenanceWindows',
    begin,
    '/api/maintenance',
    { method: 'POST', headers: bearer, body: '{"minutes":5}' },
    200,
  ],
  ['Stats', keepalive, '/api/keepalive', {}, 200],
  ['RunReport', cron, '/api/cron', { headers: bearer }, 200],
  ['MaintenanceWindows', end, '/api/maintenance', { method: 'DELETE', headers: bearer }, 200],
  ['Error', begin, '/api/maintenance', { method: 'POST', headers: bearer, body: '{}' }, 400],
  ['ChangedNotes', begin, '/api/notes', { method: 'POST', headers: bearer, body: '{"text":"hello"}' }, 200],
  ['Stats', keepalive, '/api/keepalive', {}, 200],
  ['ChangedNotes', end, '/api/notes', { method: 'DELETE', headers: bearer }, 200],
] as const)('%s is what %o answers at %s', async (name, handler, path, init, status) => {
  const answer = await handler(new Request(`https://pinger.test${path}`, init));
  expect(answer.status).toBe(status);
  const validate = ajv.getSchema(`api#/components/schemas/${name}`);
  void validate?.(await answer.json());
  expect(validate?.errors ?? null).toBeNull();
});
