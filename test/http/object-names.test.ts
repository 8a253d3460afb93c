import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GET as badge } from '../../api/badge/[id].js';
import { GET as cron } from '../../api/cron.js';
import { GET as feed } from '../../api/feed/[format].js';
import { GET as health } from '../../api/health.js';
import { GET as keepalive } from '../../api/keepalive/[id].js';
import { DELETE as endMaintenance, POST as maintenance } from '../../api/maintenance/[change].js';
import { GET as metrics } from '../../api/metrics.js';
import { GET as page, POST as signIn } from '../../api/page/[page].js';
import { setApp } from '../../lib/app.js';
import { parseConfig } from '../../lib/config/config.js';
import type { RunReport } from '../../lib/run/report.js';
import { openSqlite } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { runChild } from '../support/child.js';
import { configOf } from '../support/runs.js';
import { serveHttp } from '../support/servers.js';

/** What a plain object answers to without having been given it. */
const NAMES = Object.getOwnPropertyNames(Object.prototype);
const SECRET = 'a-secret-of-32-characters-length';
const headers = { authorization: `Bearer ${SECRET}` };

const idOf = (name: string) => name.toLowerCase().replaceAll('_', '-');
const ask = (handler: (request: Request) => Promise<Response>, path: string, init: RequestInit = {}) =>
  handler(new Request(`https://pinger.test${path}`, init));

let home: string;
let store: Store;
/** What the targets were asked for, by path, and what the channels were sent. */
const asked: string[] = [];
const sent: string[] = [];
let report: RunReport;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'keepalive-names-'));
  store = openSqlite(join(home, 'keepalive.db'));
  const { port } = await serveHttp((request, response) => {
    let body = '';
    request.on('data', (part) => (body += String(part)));
    request.on('end', () => {
      const path = request.url ?? '';
      if (path === '/slack' || path === '/hook') sent.push(body);
      else asked.push(path);
      const isDown = path === '/constructor';
      // What a JSON assertion asks for is there; a header with such a name too.
      response.writeHead(isDown ? 500 : 200, {
        constructor: 'x',
        tostring: 'y',
        'set-cookie': '__proto__=1',
      });
      response.end(JSON.stringify(Object.fromEntries(NAMES.map((name) => [name, 'there']))));
    });
  });
  const base = `http://127.0.0.1:${port}`;
  const env: Record<string, string> = {
    CRON_SECRET: SECRET,
    KEEP_ALIVE_RETRIES: '0',
    KEEP_ALIVE_FAILURE_THRESHOLD: '1',
    KEEP_ALIVE_CONTROL_URLS: 'off',
    ALERT_SLACK_URL: `${base}/slack`,
    ALERT_WEBHOOK_URL: `${base}/hook`,
  };
  for (const name of NAMES) {
    env[`TARGET_${name}_URL`] = `${base}/${name}`;
    env[`TARGET_${name}_NAME`] = name;
    env[`TARGET_${name}_GROUP`] = name;
    env[`TARGET_${name}_EXPECT_JSON`] = `$lookup($, "${name}") = "there"`;
    env[`TARGET_${name}_HEADERS`] = `{"${name}":"x"}`;
  }
  setApp({ config: configOf(env), store });
  report = (await (await ask(cron, '/api/cron', { headers })).json()) as RunReport;
});
afterAll(async () => {
  setApp(null);
  await store.close();
  await rm(home, { recursive: true });
});

describe('the names of Object.prototype', () => {
  it('as targets, with groups, headers and expressions of these names, are checked and recorded', () => {
    expect(report).toMatchObject({ status: 'completed', stored: true, checked: NAMES.length });
    expect(asked.sort()).toEqual(NAMES.map((name) => `/${name}`).sort());
    expect(report.results.filter(({ ok }) => !ok)).toMatchObject([
      { id: 'constructor', message: 'status 500, expected 200-299' },
    ]);
  });

  it('reach the channels', () => {
    expect(sent).toHaveLength(2);
    for (const body of sent) expect(body).toContain('constructor');
  });

  it('are in what all of them read', async () => {
    const json = (await (await ask(keepalive, '/api/keepalive')).json()) as {
      targets: { id: string; group: string; pingCount: number }[];
    };
    expect(json.targets.map(({ id, group, pingCount }) => [id, group, pingCount]).sort()).toEqual(
      NAMES.map((name) => [idOf(name), name, 1]).sort(),
    );
    for (const [handler, path] of [
      [page, '/'],
      [metrics, '/api/metrics'],
    ] as const) {
      const answer = await ask(handler, path);
      expect(answer.status).toBe(200);
      const text = await answer.text();
      for (const name of NAMES) expect(text).toContain(idOf(name));
    }
    expect(await (await ask(feed, '/api/feed')).text()).toContain('constructor');
    expect((await ask(health, '/api/health')).status).toBe(200);
  });

  it.each(NAMES)('%s is a target of its own, and none where it is written otherwise', async (name) => {
    for (const [handler, path] of [
      [keepalive, '/api/keepalive/'],
      [page, '/t/'],
      [badge, '/api/badge/'],
    ] as const) {
      expect((await ask(handler, path + idOf(name))).status).toBe(200);
      const isIt = name === idOf(name);
      expect((await ask(handler, path + name)).status).toBe(isIt ? 200 : 404);
    }
  });

  it.each(NAMES)('%s as a query parameter and its value', async (name) => {
    expect((await ask(keepalive, `/api/keepalive?${name}=${name}`)).status).toBe(200);
    expect((await ask(badge, `/api/badge/constructor?${name}=1`)).status).toBe(200);
    for (const parameter of ['metric', 'window', 'format']) {
      expect((await ask(badge, `/api/badge/constructor?${parameter}=${name}`)).status).toBe(400);
    }
  });

  it.each(NAMES)('%s as a key and a value of JSON and forms', async (name) => {
    const change = (handler: typeof maintenance, method: string, body: string) =>
      ask(handler, '/api/maintenance', { method, headers, body });
    expect((await change(maintenance, 'POST', `{"minutes":1,"${name}":1}`)).status).toBe(400);
    expect((await change(maintenance, 'POST', `{"minutes":1,"target":"${name}.x"}`)).status).toBe(404);
    const id = JSON.stringify(idOf(name));
    expect((await change(maintenance, 'POST', `{"minutes":1,"target":${id}}`)).status).toBe(200);
    expect((await change(endMaintenance, 'DELETE', `{"target":${id}}`)).status).toBe(200);
    expect((await ask(signIn, '/sign-in', { method: 'POST', body: `${name}=${name}` })).status).toBe(303);
  });

  it.each(NAMES)('%s as a channel or an option is a problem that is told', (name) => {
    const problems = (env: Record<string, string>) => {
      const result = parseConfig({ TARGET_A_URL: 'https://a.test', ...env });
      return result.ok ? [] : result.problems.map(({ variable }) => variable);
    };
    expect(problems({ KEEP_ALIVE_ALERTS: name })).toEqual(['KEEP_ALIVE_ALERTS']);
    expect(problems({ TARGET_A_ALERTS: name })).toEqual(['TARGET_A_ALERTS']);
    expect(problems({ KEEP_ALIVE_STORE: name })).toEqual(['KEEP_ALIVE_STORE']);
    for (const variable of [`TARGET_A_${name}`, `KEEP_ALIVE_${name}`, `ALERT_${name}`]) {
      expect(problems({ [variable]: 'x' })).toEqual([variable]);
    }
  });

  it.each(NAMES)('%s as a command is none', async (name) => {
    const child = runChild(new URL('../../bin/keepalive.ts', import.meta.url), [name], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let text = '';
    child.stderr?.on('data', (part) => (text += String(part)));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, text]).toEqual([2, expect.stringMatching(/^keepalive: unknown command/)]);
  });
});
