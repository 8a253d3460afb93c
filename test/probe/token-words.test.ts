import { writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { afterAll, describe, expect, it } from 'vitest';
import { checkTarget } from '../../lib/probe/check-target.js';
import { createProber, type Prober } from '../../lib/probe/probe.js';
import type { HostName, HostWord } from '../../lib/types.js';
import { serveHttp } from '../support/servers.js';
import { someTarget } from '../support/targets.js';

const probers: Prober[] = [];
afterAll(() => Promise.all(probers.map((prober) => prober.close())));

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const TOKEN = 'rnd_S3cretOfTheOperator';
const never = new AbortController().signal;

interface AppAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a path of the API answers: JSON with status 200, or a status alone. */
type ApiAnswers = Readonly<Record<string, unknown>>;

let files = 0;

/** A target at a host whose app and API answer as they are told. Both are one server on loopback. */
async function hosted(host: HostName, name: string, app: AppAnswer, api: ApiAnswers) {
  const state = { app, api, now: Date.UTC(2026, 10, 1), whileItWaits: (): void => undefined };
  /** Addresses of the API that were asked, as they stand in the host's row. */
  const asked: URL[] = [];
  const requests: IncomingMessage[] = [];
  const { port } = await serveHttp((request, response) => {
    const path = request.url ?? '';
    if (!path.startsWith('/api.')) {
      response.writeHead(state.app.status, state.app.headers).end('{}');
      return;
    }
    requests.push(request);
    let body = '';
    request.on('data', (bytes: Buffer) => (body += bytes.toString()));
    request.on('end', () => {
      const key = Object.keys(state.api).find((each) => `${path} ${body}`.includes(each));
      const answer = key === undefined ? 404 : new Map(Object.entries(state.api)).get(key);
      if (typeof answer === 'number')
        response.writeHead(answer, { location: `http://127.0.0.1:${port}/stolen` }).end();
      else response.writeHead(200).end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
  });
  const hostsFile = `hosts-${(files += 1)}`;
  writeFileSync(hostsFile, `127.0.0.1 ${name}\n`);
  const prober = createProber({
    hostsFile,
    hostAddress: (address) => {
      asked.push(address);
      return new URL(`http://127.0.0.1:${port}/api.${address.pathname}${address.search}`);
    },
  });
  probers.push(prober);
  const target = someTarget(`http://${name}:${port}/`, {
    info: { host },
    hostToken: { value: TOKEN, variable: 'TARGET_SOME_HOST_TOKEN' },
    retries: 0,
    wakeTimeout: 60 * SECOND,
  });
  return {
    ...{ state, asked, requests },
    attempt: (word: HostWord | null = null) => prober.attempt(target, never, { word, now: () => state.now }),
    check: () =>
      checkTarget(target, {
        ...{ at: 0, prober, signal: never, now: () => state.now, random: () => 0.5 },
        sleep: (ms) => {
          state.now += ms;
          state.whileItWaits();
          return Promise.resolve();
        },
      }),
  };
}

const RENDER_NAME = 'shop-x1.onrender.com';
const render = (suspended: string, suspenders: readonly string[], url = `https://${RENDER_NAME}`) => ({
  '/services': [
    {
      cursor: 'a',
      service: { suspended: 'not_suspended', serviceDetails: { url: 'https://other.onrender.com' } },
    },
    { cursor: 'b', service: { suspended, suspenders, serviceDetails: { url } } },
  ],
});
const railway = (status: string | null, rest: object = {}) => ({
  projectToken: { data: { projectToken: { projectId: 'p', environmentId: 'e' } } },
  serviceInstances: {
    data: {
      environment: {
        serviceInstances: {
          edges: [
            { node: { domains: { serviceDomains: [{ domain: 'db.up.railway.app' }], customDomains: [] } } },
            {
              node: {
                latestDeployment: status && { status },
                domains: { serviceDomains: [], customDomains: [{ domain: 'API.up.railway.app' }] },
                ...rest,
              },
            },
          ],
        },
      },
    },
  },
});
const koyeb = (status: string, instances: readonly string[]) => ({
  '/instances?order=desc&limit=100&app_id=a-1': { instances: instances.map((each) => ({ status: each })) },
  '/apps': { apps: [{ id: 'a-0' }, { id: 'a-1', status, domains: [{ name: 'web.koyeb.app' }] }] },
});
const worker = { state: 'started', config: { services: [] } };
const machine = (state: string) => ({ state, config: { services: [{ internal_port: 8080 }] } });
const heroku = (used: number) => ({
  '/get-quota': { account_quota: 3_600_000, quota_used: used, apps: [] },
  '/account': { id: 'u-1', email: 'me@example.com' },
});

const SAID: readonly (readonly [HostName, string, ApiAnswers, Partial<HostWord>])[] = [
  ['render', RENDER_NAME, render('not_suspended', []), { says: 'silent' }],
  [
    'render',
    RENDER_NAME,
    render('suspended', ['user']),
    { says: 'unwakeable', message: 'suspended on Render by its owner: resume it there' },
  ],
  ['render', RENDER_NAME, render('suspended', ['billing']), { says: 'unwakeable' }],
  ['render', RENDER_NAME, render('suspended', [], 'shop-x1.onrender.com'), { says: 'unwakeable' }],
  [
    'render',
    RENDER_NAME,
    render('suspended', [], 'https://shop-x1.onrender.com.evil.example'),
    { says: 'not_found' },
  ],
  ['render', RENDER_NAME, { '/services': 401 }, { says: 'refused' }],
  ['render', RENDER_NAME, { '/services': 302 }, { says: 'silent', message: null }],
  ['render', RENDER_NAME, { '/services': '[{"service":' }, { says: 'silent', message: null }],
  ['render', RENDER_NAME, { '/services': '['.repeat(200_000) }, { says: 'silent', message: null }],
  // Nothing that is no list of apps tells that the app is not among them.
  ...[
    [RENDER_NAME, 'render'] as const,
    ['web.koyeb.app', 'koyeb'] as const,
    ['edge.fly.dev', 'fly'] as const,
  ].flatMap(([name, host]) =>
    ['<html>', 'null', '{}', '{"message":"maintenance"}', '"[]"'].map(
      (body) => [host, name, { '/': body }, { says: 'silent', message: null }] as const,
    ),
  ),
  [
    'railway',
    'api.up.railway.app',
    { ...railway('SUCCESS'), serviceInstances: '{"data":{"environment":null}}' },
    { says: 'silent', message: null },
  ],
  [
    'render',
    RENDER_NAME,
    { '/services': [{ service: { ['__proto__']: null } }, null, 3] },
    { says: 'not_found' },
  ],
  [
    'railway',
    'api.up.railway.app',
    railway('SLEEPING'),
    { says: 'asleep', message: 'Railway says that the app sleeps' },
  ],
  [
    'railway',
    'api.up.railway.app',
    railway('SUCCESS', { sleepApplication: true }),
    { says: 'running', message: 'Railway says that it runs' },
  ],
  [
    'railway',
    'api.up.railway.app',
    railway('SUCCESS', { sleepApplication: false }),
    { says: 'running', message: 'Railway says that it runs, and is not set to sleep' },
  ],
  ['railway', 'api.up.railway.app', railway('CRASHED'), { says: 'silent' }],
  ['railway', 'api.up.railway.app', railway('NEXT_YEARS_WORD'), { says: 'silent', message: null }],
  ['railway', 'api.up.railway.app', railway(null), { says: 'silent', message: null }],
  ['railway', 'web.up.railway.app', railway('SUCCESS'), { says: 'not_found' }],
  [
    'railway',
    'api.up.railway.app',
    { query: { errors: [{ message: 'Not Authorized' }], data: null } },
    { says: 'refused' },
  ],
  [
    'railway',
    'api.up.railway.app',
    { query: { errors: [{ message: 'Problem processing request' }] } },
    { says: 'silent' },
  ],
  ['koyeb', 'web.koyeb.app', koyeb('HEALTHY', ['STOPPED', 'SLEEPING']), { says: 'asleep' }],
  ['koyeb', 'web.koyeb.app', koyeb('HEALTHY', ['HEALTHY', 'STOPPED']), { says: 'running' }],
  ['koyeb', 'web.koyeb.app', koyeb('STARTING', ['STARTING']), { says: 'asleep' }],
  ['koyeb', 'web.koyeb.app', koyeb('PAUSED', []), { says: 'unwakeable' }],
  ['koyeb', 'web.koyeb.app', koyeb('HEALTHY', ['STOPPED']), { says: 'silent' }],
  ['koyeb', 'my.koyeb.app', koyeb('HEALTHY', []), { says: 'not_found' }],
  [
    'fly',
    'edge.fly.dev',
    { '/v1/apps/edge/machines': [machine('stopped'), machine('started')] },
    { says: 'running' },
  ],
  [
    'fly',
    'edge.fly.dev',
    { '/v1/apps/edge/machines': [machine('stopped'), machine('suspended')] },
    { says: 'asleep' },
  ],
  ['fly', 'edge.fly.dev', { '/v1/apps/edge/machines': [machine('stopped'), worker] }, { says: 'asleep' }],
  ['fly', 'edge.fly.dev', { '/v1/apps/edge/machines': [machine('starting')] }, { says: 'asleep' }],
  ['fly', 'edge.fly.dev', { '/v1/apps/edge/machines': [machine('new word')] }, { says: 'silent' }],
  ['fly', 'edge.fly.dev', { '/v1/apps/edge/machines': 404 }, { says: 'not_found' }],
  [
    'supabase',
    'abcdefgh.supabase.co',
    { '/v1/projects/abcdefgh': { status: 'INACTIVE' } },
    { says: 'unwakeable' },
  ],
  [
    'supabase',
    'abcdefgh.supabase.co',
    { '/v1/projects/abcdefgh': { status: 'ACTIVE_HEALTHY' } },
    { says: 'running' },
  ],
  [
    'supabase',
    'db.abcdefgh.supabase.co',
    { '/v1/projects/abcdefgh': { status: 'COMING_UP' } },
    { says: 'asleep' },
  ],
  ['supabase', 'abcdefgh.supabase.co', { '/v1/projects/abcdefgh': 403 }, { says: 'refused' }],
  [
    'heroku',
    'old.herokuapp.com',
    heroku(1_800_000),
    { says: 'silent', message: 'Heroku says that 500 of 1000 Eco hours are used' },
  ],
  ['heroku', 'old.herokuapp.com', heroku(3_600_000), { says: 'unwakeable' }],
  ['heroku', 'old.herokuapp.com', { '/account': 429 }, { says: 'silent' }],
];

/** Where the tokens of each host go, and nowhere else. */
const API_NAMES: Readonly<Record<string, string>> = {
  render: 'api.render.com',
  railway: 'backboard.railway.com',
  koyeb: 'app.koyeb.com',
  fly: 'api.machines.dev',
  supabase: 'api.supabase.com',
  heroku: 'api.heroku.com',
};

it.each(SAID)('%s: %s, where the API answers %j', async (host, name, api, expected) => {
  const app = await hosted(host, name, { status: 200 }, api);
  const attempt = await app.attempt();
  expect(attempt.word).toMatchObject({ at: app.state.now, ...expected });
  expect(attempt.word?.message?.length ?? 0).toBeLessThanOrEqual(120);
  expect(JSON.stringify(attempt)).not.toContain(TOKEN);
  for (const { protocol, hostname } of app.asked)
    expect([protocol, hostname]).toEqual(['https:', new Map(Object.entries(API_NAMES)).get(host)]);
  for (const { headers } of app.requests) expect(Object.values(headers).join()).toContain(TOKEN);
  // A redirect is not followed.
  expect(app.requests).toHaveLength(app.asked.length);
});

it('follows a list to its next page, and not for ever', async () => {
  const other = (i: number) => ({ cursor: `c${i}`, service: { serviceDetails: { url: 'x.onrender.com' } } });
  const page = Array.from({ length: 100 }, (_, i) => other(i));
  const app = await hosted(
    'render',
    RENDER_NAME,
    { status: 200 },
    { 'cursor=c99': render('suspended', [])['/services'], '/services': page },
  );
  expect((await app.attempt()).word).toMatchObject({ says: 'unwakeable' });
  const endless = await hosted('render', RENDER_NAME, { status: 200 }, { '/services': page });
  expect((await endless.attempt()).word).toMatchObject({ says: 'silent' });
  expect(endless.asked).toHaveLength(5);
});

describe('what the API says decides', () => {
  it('that nothing is waited for, where it says that nothing helps', async () => {
    const paused = await hosted('koyeb', 'web.koyeb.app', { status: 503 }, koyeb('PAUSED', []));
    expect(await paused.check()).toMatchObject({
      ...{ outcome: 'failed', reason: 'host', origin: 'unwakeable', attempts: 1 },
      message: 'the app is paused on Koyeb: resume it there',
    });
  });

  it('that a good answer which may be the edge’s is none while the app sleeps, and the wake is waited for', async () => {
    const app = await hosted('fly', 'edge.fly.dev', { status: 200 }, { machines: [machine('stopped')] });
    app.state.whileItWaits = () => {
      app.state.api = { machines: [machine('started')] };
    };
    expect(await app.check()).toMatchObject({ outcome: 'good', coldStart: true, origin: 'running' });
    expect(app.asked).toHaveLength(2);
  });

  it('nothing against an answer of the app itself', async () => {
    const answer = { status: 200, headers: { 'x-railway-edge': 'railway/us' } };
    const app = await hosted('railway', 'api.up.railway.app', answer, railway('SLEEPING'));
    expect(await app.check()).toMatchObject({
      ...{ outcome: 'good', origin: 'container', coldStart: false },
      word: { says: 'asleep' },
    });
  });

  it('nothing where it is not reached, or speaks of the account alone', async () => {
    const silent = await hosted('fly', 'edge.fly.dev', { status: 200 }, { machines: 500 });
    expect(await silent.check()).toMatchObject({ outcome: 'good', origin: 'unknown' });
    const spent = await hosted('heroku', 'old.herokuapp.com', { status: 200 }, heroku(3_600_000));
    expect(await spent.check()).toMatchObject({ outcome: 'good', origin: 'unknown' });
    spent.state.app = { status: 503 };
    expect(await spent.check()).toMatchObject({ outcome: 'failed', reason: 'host', attempts: 1 });
  });
});

describe('it is asked seldom', () => {
  const CONTAINER = { status: 200, headers: { 'x-railway-edge': 'railway/us' } };

  it('once an hour where the app itself answers', async () => {
    const app = await hosted('railway', 'api.up.railway.app', CONTAINER, railway('SUCCESS'));
    for (let minute = 0; minute < 60; minute += 2) {
      await app.attempt();
      app.state.now += 2 * MINUTE;
    }
    expect(app.asked).toHaveLength(2);
    await app.attempt();
    expect(app.asked).toHaveLength(4);
  });

  it('every ten minutes where the answers do not tell, and once an hour with a token that is refused', async () => {
    const app = await hosted('fly', 'edge.fly.dev', { status: 200 }, { machines: [machine('started')] });
    const refused = await hosted('fly', 'edge.fly.dev', { status: 503 }, { machines: 401 });
    for (let minute = 0; minute < 60; minute += 2) {
      await Promise.all([app.attempt(), refused.attempt()]);
      app.state.now += 2 * MINUTE;
      refused.state.now += 2 * MINUTE;
    }
    expect([app.asked.length, refused.asked.length]).toEqual([6, 1]);
  });

  it('by what another process was told', async () => {
    const app = await hosted('railway', 'api.up.railway.app', CONTAINER, railway('SUCCESS'));
    const told: HostWord = { at: app.state.now - 59 * MINUTE, says: 'running', message: null };
    expect((await app.attempt(told)).word).toEqual(told);
    expect(app.asked).toHaveLength(0);
    const older = { ...told, at: app.state.now - HOUR };
    expect((await app.attempt(older)).word).toMatchObject({ at: app.state.now });
    // A clock that was set back for long does not keep it from being asked.
    expect((await app.attempt({ ...told, at: app.state.now + 2 * HOUR })).word?.at).toBe(app.state.now);
  });
});

it('is not asked without a token, or where the address does not tell which app it is', async () => {
  const app = await hosted('fly', 'status.example.com', { status: 200 }, {});
  expect((await app.attempt()).word).toBeNull();
  expect(app.asked).toHaveLength(0);
});

it('is dated by the clock of the run, which need not be that of the process', async () => {
  const app = await hosted('railway', 'api.up.railway.app', { status: 200 }, railway('SUCCESS'));
  app.state.now = Date.UTC(2031, 0, 1);
  expect((await app.check())?.word?.at).toBeGreaterThanOrEqual(Date.UTC(2031, 0, 1));
});
