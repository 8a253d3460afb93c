import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FUNCTION_LIMIT } from '../../lib/config/vercel.js';
import type { TargetStats } from '../../lib/read/views.js';
import type { RunReport } from '../../lib/run/report.js';
import { LANGUAGES } from '../../lib/types.js';
import { TEMPLATES } from '../../lib/view/templates.js';
import {
  buildFunctions,
  startFunction,
  type Deployable,
  type RunningFunction,
} from '../support/deployable.js';
import { runChild } from '../support/child.js';
import { checkMetrics } from '../support/promtool.js';
import { Qstash } from '../support/qstash.js';
import { startRedis } from '../support/redis.js';
import { ROOT } from '../support/root.js';
import { sign, type Signing } from '../support/signature.js';
import { startUpstashFront } from '../support/upstash-front.js';

const SECRET = 'a-secret-of-32-characters-length';
/** A process reads again what it has read 5 s ago. */
const LATER = { timeout: 120_000, interval: 500 };
/** Where the build of a deployment puts a targets file. */
const TARGETS = join(ROOT, 'dist/targets/test-of-functions/monitors.yaml');
const KEEPALIVE = 'api/keepalive/[id].ts';
const PAGE = 'api/page/[page].ts';
const ENTRYPOINTS = [
  ...[
    'api/cron.ts',
    'api/health.ts',
    KEEPALIVE,
    'api/badge/[id].ts',
    'api/feed/[format].ts',
    'api/metrics.ts',
    'api/probe.ts',
  ],
  ...['api/maintenance/[change].ts', PAGE],
];
/** Of the 12 that Vercel's free plan allows, so that there is room for what comes. */
const MOST_FUNCTIONS = 9;

let deployable: Deployable;
let redis: Awaited<ReturnType<typeof startRedis>>;
let front: Awaited<ReturnType<typeof startUpstashFront>>;
const running = new Map<string, RunningFunction>();
let status = 200;
const target = createServer((_, response) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end('{"status":"healthy"}');
});

beforeAll(async () => {
  redis = await startRedis();
  front = await startUpstashFront({ redisPort: redis.port, token: 'front-token' });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const { port } = target.address() as AddressInfo;
  await mkdir(dirname(TARGETS), { recursive: true });
  await writeFile(TARGETS, `targets: [{ id: listed, url: "http://127.0.0.1:${port}/\${PATH_OF_IT}" }]`);
  deployable = await buildFunctions(ENTRYPOINTS, ROOT);
  await startAll({
    CRON_SECRET: SECRET,
    UPSTASH_REDIS_REST_URL: front.url,
    UPSTASH_REDIS_REST_TOKEN: front.token,
    TARGET_MY_API_URL: `http://user:pass-canary@127.0.0.1:${port}/health?key=query-canary`,
    TARGET_MY_API_HEADERS: '{"x-key":"header-canary"}',
    TARGET_MY_API_EXPECT_JSON: 'status = "healthy"',
    TARGET_MY_API_FAILURE_THRESHOLD: '1',
    TARGET_MY_API_RETRIES: '0',
    TARGET_MY_API_INTERVAL: '10s',
    KEEP_ALIVE_TICK: '10s',
  });
}, 600_000);

afterAll(async () => {
  await rm(TARGETS);
  await stopAll();
  target.close();
  await deployable.remove();
  await front.close();
  await redis.stop();
});

async function startAll(env: Record<string, string>, entrypoints = ENTRYPOINTS): Promise<void> {
  await stopAll();
  await Promise.all(
    [...deployable.functions].map(async ([entrypoint, built]) => {
      if (entrypoints.includes(entrypoint)) running.set(entrypoint, await startFunction(built, env));
    }),
  );
}

async function stopAll(): Promise<void> {
  await Promise.all([...running.values()].map((each) => each.stop()));
  running.clear();
}

async function fetchText(entrypoint: string, path: string, init: RequestInit = {}) {
  const { origin } = running.get(entrypoint) ?? { origin: '' };
  const response = await fetch(origin + path, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function send(entrypoint: string, path: string, init: RequestInit) {
  const answer = await fetchText(entrypoint, path, init);
  return { ...answer, json: JSON.parse(answer.text) as unknown };
}

const get = (entrypoint: string, path: string, headers: Record<string, string> = {}) =>
  send(entrypoint, path, { headers });

const filesOf = (entrypoint: string) => deployable.functions.get(entrypoint)?.files ?? [];

const packagesOf = (entrypoint: string) =>
  [...new Set(filesOf(entrypoint).map((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]))]
    .filter((name) => name !== undefined)
    .sort();

/** The target is due again, and a little more. */
const halfATick = () => new Promise((resolve) => setTimeout(resolve, 6_000));

const cron = (secret?: string) =>
  get('api/cron.ts', '/api/cron', secret === undefined ? {} : { authorization: `Bearer ${secret}` });

describe('the functions as Vercel builds them', () => {
  it('run on the newest Node, and may run as long as the code thinks', async () => {
    expect(deployable.functions.get('api/cron.ts')?.runtime).toBe('nodejs24.x');
    const config = JSON.parse(await readFile(join(ROOT, 'vercel.json'), 'utf8')) as {
      functions: Record<string, { maxDuration: number }>;
    };
    expect(config.functions['api/cron.ts']?.maxDuration).toBe(FUNCTION_LIMIT / 1000);
  });

  const REDIS = ['@redis/client', '@upstash/redis', 'uncrypto'];
  const PREACT = ['preact', 'preact-render-to-string'];
  const BADGE = ['anafanafo', 'badge-maker', 'binary-search', 'char-width-table-consumer'];
  const COLOR = ['color-name', 'css-color-converter', 'css-unit-converter'];

  it.each([
    ['api/badge/[id].ts', [...BADGE, ...COLOR]],
    ['api/feed/[format].ts', ['feed', 'sax', 'xml-js']],
    // Peers show that they may read it.
    ['api/health.ts', ['jose']],
    [KEEPALIVE, []],
    ['api/maintenance/[change].ts', []],
    ['api/metrics.ts', []],
    // The form for subscribers sends a mail.
    [PAGE, [...PREACT, 'nodemailer']],
  ] as const)('%s ships what reading needs, and nothing that checks, delivers or runs', (entrypoint, own) => {
    expect(packagesOf(entrypoint)).toEqual([...REDIS, ...own].sort());
    const others =
      entrypoint === PAGE ? /^lib\/(?:cli|local|run\/run)\b/ : /^lib\/(?:cli|deliver|local|probe|run)\//;
    expect(filesOf(entrypoint).filter((file) => others.test(file))).toEqual([]);
  });

  it('are all files under api/, and few enough for the free plan', async () => {
    const files = (await readdir(join(ROOT, 'api'), { recursive: true })).filter((name) =>
      name.endsWith('.ts'),
    );
    expect(files.map((name) => `api/${name}`).sort()).toEqual([...ENTRYPOINTS].sort());
    expect(files.length).toBeLessThanOrEqual(MOST_FUNCTIONS);
  });

  it('have what they do not answer themselves taken for what it says', async () => {
    const { headers } = JSON.parse(await readFile(join(ROOT, 'vercel.json'), 'utf8')) as { headers: unknown };
    const nosniff = { key: 'X-Content-Type-Options', value: 'nosniff' };
    const anyOrigin = { key: 'Access-Control-Allow-Origin', value: '*' };
    expect(headers).toEqual([
      { source: '/(.*)', headers: [nosniff] },
      { source: '/api/openapi.json', headers: [anyOrigin] },
    ]);
  });

  it('ship zod as one file', () => {
    for (const entrypoint of ENTRYPOINTS) expect(filesOf(entrypoint)).toContain('dist/vendor/zod.js');
  });

  it('ship what a run needs, and nothing of the local runner or the tests', () => {
    expect(packagesOf('api/cron.ts')).toEqual(expect.arrayContaining(['jose', 'jsonata', 'undici']));
    expect(packagesOf('api/cron.ts').filter((name) => /libsql|vitest|typescript|zod/.test(name))).toEqual([]);
  });

  it('show the pages, which the rewrites lead to', async () => {
    const { rewrites } = JSON.parse(await readFile(join(ROOT, 'vercel.json'), 'utf8')) as {
      rewrites: { source: string; destination: string }[];
    };
    expect(rewrites.map(({ source, destination }) => [source, destination])).toEqual([
      ['/', '/api/page/status'],
      ['/history', '/api/page/history'],
      ['/t/:id', '/api/page/t-:id'],
      ['/sign-in', '/api/page/sign-in'],
      ['/:name(subscribe|confirm|unsubscribe)', '/api/page/:name'],
      ['/manifest.webmanifest', '/api/page/manifest.webmanifest'],
      ['/api/keepalive', '/api/keepalive/_all'],
      ['/api/openapi.json', '/openapi.json'],
      ['/api/feed', '/api/feed/atom'],
      ['/api/calendar.ics', '/api/feed/calendar'],
      ['/api/maintenance', '/api/maintenance/windows'],
      ['/api/notes', '/api/maintenance/notes'],
      ['/history/', '/api/page/history'],
      ['/t/:id/', '/api/page/t-:id'],
      ['/sign-in/', '/api/page/sign-in'],
      ['/:name(subscribe|confirm|unsubscribe)/', '/api/page/:name'],
      ['/api/keepalive/', '/api/keepalive/_all'],
      ['/api/feed/', '/api/feed/atom'],
      ['/api/calendar.ics/', '/api/feed/calendar'],
      ['/api/maintenance/', '/api/maintenance/windows'],
      ['/api/notes/', '/api/maintenance/notes'],
      ['/api/:folder(badge|keepalive)/:id/', '/api/:folder/:id'],
      ['/api/:name(cron|health|metrics|probe)/', '/api/:name'],
      // What has no other address. These rewrites come before the functions with a name in brackets.
      ['/((?!api/(?:badge|feed|keepalive|maintenance|page)/).*)', '/api/page/not-found'],
    ]);
    const templates = (await readdir(join(ROOT, 'lib/view'))).filter((name) => name.endsWith('.tsx')).sort();
    expect(TEMPLATES.map(({ pathname }) => basename(pathname)).sort()).toEqual(templates);
    expect(deployable.functions.get(PAGE)?.files).toEqual(
      expect.arrayContaining(templates.map((name) => `lib/view/${name.replace('.tsx', '.js')}`)),
    );
    const answer = await fetch(`${running.get(PAGE)?.origin ?? ''}/`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const text = await answer.text();
    expect(text).toContain('my-api');
    expect(text).not.toMatch(/canary|front-token|a-secret-of/);
    for (const language of LANGUAGES) {
      const headers = { 'accept-language': language };
      const page = await fetch(`${running.get(PAGE)?.origin ?? ''}/history`, { headers });
      expect([page.status, page.headers.get('content-language')]).toEqual([200, language]);
    }
    const manifest = await fetch(`${running.get(PAGE)?.origin ?? ''}/api/page/manifest.webmanifest`);
    expect(await manifest.json()).toMatchObject({ name: 'Keepalive', start_url: '/' });
  });

  it('ping nothing without the secret', async () => {
    for (const secret of [undefined, '', 'undefined', 'null', `${SECRET}x`, SECRET.slice(1)]) {
      const answer = await cron(secret);
      expect([answer.status, answer.json]).toMatchObject([401, { error: { code: 'unauthorized' } }]);
    }
    const { json } = await get(KEEPALIVE, '/api/keepalive');
    expect(json).toMatchObject({ isRunning: false, pingCount: 0, successRate: null, lastRun: null });
  });

  it('check, record and report', async () => {
    const answer = await cron(SECRET);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    const report = answer.json as RunReport;
    expect(report).toMatchObject({
      trigger: 'http',
      status: 'completed',
      due: 1,
      checked: 1,
      succeeded: 1,
      failed: 0,
      stored: true,
      transitions: [{ target: 'my-api', from: 'pending', to: 'up', at: report.startedAt, reason: null }],
      results: [{ id: 'my-api', ok: true, status: 'up', statusCode: 200, attempts: 1, coldStart: false }],
    });

    status = 503;
    await halfATick();
    expect((await cron(SECRET)).json).toMatchObject({
      status: 'completed',
      failed: 1,
      transitions: [{ target: 'my-api', from: 'up', to: 'down', reason: 'status 503, expected 200-299' }],
    });
  });

  it('show every field of the contract, and no secret', async () => {
    const answers = [
      await get(KEEPALIVE, '/api/keepalive'),
      await get(KEEPALIVE, '/api/keepalive/my-api'),
      await get('api/health.ts', '/api/health'),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
    expect(answers[0]?.headers.get('cache-control')).toContain('s-maxage');
    const [stats, history, health] = answers.map(({ json }) => json as Record<string, unknown>);
    expect(Object.keys(stats ?? {}).sort()).toEqual(
      [
        ...['isRunning', 'uptime', 'uptimeHours', 'pingCount', 'failedPings', 'successRate', 'pingInterval'],
        ...['healthUrl', 'updatedAt', 'lastRun', 'summary', 'hours', 'targets'],
        ...['stale', 'recordedSince', 'lost', 'notes'],
      ].sort(),
    );
    const [own] = stats?.targets as TargetStats[];
    const fields = [
      ...['id', 'name', 'group', 'status', 'healthUrl', 'host', 'since', 'lastCheckAt', 'lastSuccessAt'],
      ...['lastStatusCode', 'latency', 'message', 'pingCount', 'failedPings', 'successRate'],
      ...['consecutiveFailures', 'consecutiveSuccesses', 'pingInterval', 'uptimeRatio', 'coverage'],
      ...[
        'latencyMs',
        'awake',
        'tls',
        'incident',
        'recovery',
        'maintenance',
        'lastError',
        'lastKnownStatus',
        'waking',
      ],
    ];
    expect(Object.keys(own ?? {}).sort()).toEqual([...fields].sort());
    expect(own).toMatchObject({ pingCount: 2, failedPings: 1, successRate: '50.0', status: 'down' });
    expect(Object.keys(history ?? {}).sort()).toEqual(
      [
        ...fields,
        'stale',
        'recordedSince',
        'lost',
        'phases',
        'checks',
        'hours',
        'days',
        'incidents',
        'upcomingMaintenance',
        'notes',
      ].sort(),
    );
    expect(health).toMatchObject({ status: 'healthy', checks: { redis: { kind: 'upstash' } } });
    const logs = [...running.values()].map((each) => each.output()).join('');
    expect(logs).toContain('ping #1 my-api ok');
    for (const text of [...answers.map((answer) => answer.text), logs]) {
      expect(text).not.toMatch(/canary|front-token|a-secret-of/);
    }
  });

  it('begin and end maintenance', async () => {
    const headers = { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' };
    const path = '/api/maintenance';
    const change = (init: RequestInit) => send('api/maintenance/[change].ts', path, { headers, ...init });
    const begun = await change({ method: 'POST', body: '{"target":"my-api","minutes":5,"reason":"deploy"}' });
    expect([begun.status, begun.json]).toMatchObject([200, { maintenance: [{ target: 'my-api' }] }]);
    // Another process, which has read a moment ago.
    const shown = async () => (await get(KEEPALIVE, '/api/keepalive')).json;
    await expect.poll(shown, LATER).toMatchObject({ targets: [{ maintenance: { reason: 'deploy' } }] });
    const tooLong = await change({ method: 'POST', body: ' '.repeat(100_000) });
    expect([tooLong.status, tooLong.json]).toMatchObject([413, { error: { code: 'too_large' } }]);
    const wrong = await change({ method: 'POST', body: '{}' });
    expect([wrong.status, wrong.json]).toMatchObject([400, { error: { code: 'bad_request' } }]);
    const stranger = await send('api/maintenance/[change].ts', path, { method: 'DELETE' });
    expect([stranger.status, stranger.json]).toMatchObject([401, { error: { code: 'unauthorized' } }]);
    const ended = await change({ method: 'DELETE' });
    expect([ended.status, ended.json]).toEqual([200, { maintenance: [] }]);
    expect((await fetch(`${running.get('api/maintenance/[change].ts')?.origin ?? ''}${path}`)).status).toBe(
      405,
    );
  });

  it.each([
    ['api/badge/[id].ts', '/api/badge/my-api', 'image/svg+xml', /<title>my-api: down<\/title>/],
    ['api/badge/[id].ts', '/api/badge/my-api?format=shields', 'application/json', /"message":"down"/],
    ['api/metrics.ts', '/api/metrics', 'text/plain; version=0.0.4', /^probe_success\{target="my-api"\} 0$/m],
    ['api/feed/[format].ts', '/api/feed', 'application/atom+xml', /CDATA\[my-api is down\]/],
    ['api/feed/[format].ts', '/api/calendar.ics', 'text/calendar', /^BEGIN:VCALENDAR\r\n/],
  ] as const)('%s answers %s as %s, and HEAD too', async (entrypoint, path, type, content) => {
    const answer = await fetchText(entrypoint, path);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, `${type}; charset=utf-8`]);
    expect(answer.headers.get('cache-control')).toContain('s-maxage');
    expect(answer.text).toMatch(content);
    expect(answer.text).not.toMatch(/canary|front-token|a-secret-of/);
    const head = await fetchText(entrypoint, path, { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([200, '']);
  });

  it.each([
    ['api/health.ts', '/api/health'],
    ['api/metrics.ts', '/api/metrics'],
    ['api/feed/[format].ts', '/api/feed'],
    [KEEPALIVE, '/api/keepalive'],
    [KEEPALIVE, '/api/keepalive/my-api'],
    [KEEPALIVE, '/api/keepalive/nobody'],
    ['api/badge/[id].ts', '/api/badge/my-api'],
    ['api/badge/[id].ts', '/api/badge/__proto__'],
    [PAGE, '/'],
    [PAGE, '/t/my-api'],
    [PAGE, '/t/nobody'],
    [PAGE, '/sign-in'],
    [PAGE, '/api/page/nothing'],
    ['api/cron.ts', '/api/cron'],
  ] as const)('%s answers HEAD %s with the headers of GET', async (entrypoint, path) => {
    const ask = async (method: string) => {
      const { origin } = running.get(entrypoint) ?? { origin: '' };
      const { status, headers, body } = await fetch(origin + path, { method, redirect: 'manual' });
      await body?.cancel();
      const named = [
        'content-type',
        'cache-control',
        'content-security-policy',
        'location',
        'vary',
        'www-authenticate',
      ];
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      return [status, ...named.map((name) => headers.get(name))];
    };
    expect(await ask('HEAD')).toEqual(await ask('GET'));
  });

  it.each([
    ['api/badge/[id].ts', '/api/badge/my-api'],
    ['api/feed/[format].ts', '/api/feed'],
    ['api/feed/[format].ts', '/api/calendar.ics'],
    ['api/health.ts', '/api/health'],
    ['api/metrics.ts', '/api/metrics'],
    [KEEPALIVE, '/api/keepalive'],
  ] as const)('%s lets pages of any origin read %s', async (entrypoint, path) => {
    const headers = { origin: 'https://elsewhere.example', 'access-control-request-method': 'GET' };
    const preflight = await fetchText(entrypoint, path, { method: 'OPTIONS', headers });
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([
      204,
      'GET, HEAD',
    ]);
    const answer = await fetchText(entrypoint, path, { headers });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });

  it.each([
    [KEEPALIVE, '/api/keepalive', '/api/keepalive/_all'],
    [KEEPALIVE, '/api/keepalive/', '/api/keepalive/_all'],
    [KEEPALIVE, '/api/keepalive/my-api/', '/api/keepalive/my-api'],
    [PAGE, '/', '/api/page/status'],
    [PAGE, '/history/', '/api/page/history'],
    [PAGE, '/t/my-api', '/api/page/t-my-api'],
    [PAGE, '/t/my-api/', '/api/page/t-my-api'],
    [PAGE, '/t/nobody', '/api/page/t-nobody'],
    [PAGE, '/sign-in', '/api/page/sign-in'],
  ])(
    '%s answers %s as it is asked for and as it is rewritten, whatever the query says',
    async (entrypoint, path, rewritten) => {
      const forged = '?id=my-api&page=sign-in&page=status';
      const answers = await Promise.all(
        [path, rewritten, path + forged, rewritten + forged].map(async (each) => {
          const { origin } = running.get(entrypoint) ?? { origin: '' };
          const { status, headers, body } = await fetch(origin + each, { redirect: 'manual' });
          await body?.cancel();
          return [status, headers.get('content-type'), headers.get('location')];
        }),
      );
      for (const answer of answers.slice(1)) expect(answer).toEqual(answers[0]);
    },
  );

  it.each(['/', '/t/my-api', '/api/page/status'])(
    'take no POST at %s, where only the sign-in form is sent',
    async (path) => {
      const body = new URLSearchParams({ token: 'x', page: 'sign-in' });
      const answer = await fetchText(PAGE, `${path}?page=sign-in`, { method: 'POST', body });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
      expect((await fetchText(PAGE, path, { method: 'PUT' })).status).toBe(405);
    },
  );

  it('know no other target', async () => {
    const answer = await get(KEEPALIVE, '/api/keepalive/nobody');
    expect([answer.status, answer.json]).toMatchObject([404, { error: { code: 'target_not_found' } }]);
  });

  it('make no badge of another target', async () => {
    const badge = await fetchText('api/badge/[id].ts', '/api/badge/nobody');
    expect([badge.status, badge.text]).toEqual([404, expect.stringContaining('not found')]);
  });

  it('still ping while the store is away, and record what was found once, when it is back', async () => {
    status = 200;
    await halfATick();
    await front.stop();
    const answer = await cron(SECRET);
    expect([answer.status, answer.json]).toMatchObject([
      503,
      { status: 'completed', stored: false, reason: 'store_unreachable', results: [{ ok: true }] },
    ]);
    expect(running.get('api/cron.ts')?.output()).toContain('"event":"check_not_stored"');
    const read = async () => (await get(KEEPALIVE, '/api/keepalive')).json;
    await expect.poll(read, LATER).toMatchObject({ error: { code: 'store_unreachable' } });
    const health = async () => (await get('api/health.ts', '/api/health')).json;
    await expect.poll(health, LATER).toMatchObject({ status: 'degraded' });

    await front.start();
    const back = (await cron(SECRET)).json as RunReport;
    expect(back).toMatchObject({ status: 'completed', stored: true });
    await expect.poll(read, LATER).toMatchObject({ pingCount: 3 + back.checked });
  });
});

describe('the functions, called by QStash', () => {
  const PUBLIC = 'https://status.example.com';
  const ask = (signing: Partial<Signing> = {}, query = '') => {
    const at = Math.floor(Date.now() / 1000);
    const signature = sign({ key: 'sig_next_of_qstash', url: `${PUBLIC}/api/cron${query}`, at, ...signing });
    const headers = { 'upstash-signature': signature, 'content-type': 'application/json' };
    return send('api/cron.ts', `/api/cron${query}`, { method: 'POST', headers, body: signing.body ?? null });
  };
  const pingCount = async () =>
    ((await get(KEEPALIVE, '/api/keepalive')).json as { pingCount: number }).pingCount;

  beforeAll(async () => {
    await redis.flush();
    await startAll(
      {
        UPSTASH_REDIS_REST_URL: front.url,
        UPSTASH_REDIS_REST_TOKEN: front.token,
        QSTASH_CURRENT_SIGNING_KEY: 'sig_current_of_qstash',
        QSTASH_NEXT_SIGNING_KEY: 'sig_next_of_qstash',
        KEEP_ALIVE_PUBLIC_URL: PUBLIC,
        TARGET_A_URL: `http://127.0.0.1:${(target.address() as AddressInfo).port}/`,
      },
      ['api/cron.ts', KEEPALIVE],
    );
  });

  it('ping nothing for a forged signature', async () => {
    for (const forged of [{ key: 'sig_other' }, { url: `${PUBLIC}/api/health` }, { at: 1 }]) {
      const answer = await ask(forged);
      expect([answer.status, answer.json]).toMatchObject([401, { error: { code: 'unauthorized' } }]);
    }
    expect(await pingCount()).toBe(0);
  });

  it('answer at once where they are asked to, and the run is recorded', async () => {
    const answer = await ask({}, '?async=1');
    expect([answer.status, answer.json]).toEqual([202, { trigger: 'qstash', status: 'started' }]);
    await expect.poll(pingCount, LATER).toBe(1);
  });

  it('make a run for a signed request, and ping no sooner than it is due', async () => {
    const signing = { body: '{"raw": "bytes é"}', at: Math.floor(Date.now() / 1000) };
    const answer = await ask(signing);
    expect([answer.status, answer.json]).toMatchObject([200, { trigger: 'qstash', stored: true, due: 0 }]);
    const copy = await ask(signing);
    expect([copy.status, copy.json]).toMatchObject([200, { status: 'skipped', reason: 'replayed' }]);
    expect(await pingCount()).toBe(1);
  });
});

describe('what the button deploys', () => {
  const DOMAIN = 'keepalive.vercel.app';
  const TYPED = { CRON_SECRET: SECRET, KEEP_ALIVE_URLS: '' };
  /** What the products bring, behind the prefix that their user chose. */
  const BROUGHT = {
    STORE_KV_REST_API_READ_ONLY_TOKEN: 'read-only',
    STORE_QSTASH_TOKEN: 'token-of-qstash',
    STORE_QSTASH_CURRENT_SIGNING_KEY: 'sig_current_of_qstash',
    STORE_QSTASH_NEXT_SIGNING_KEY: 'sig_next_of_qstash',
  };
  const VERCEL = { VERCEL: '1', VERCEL_ENV: 'production', VERCEL_PROJECT_PRODUCTION_URL: DOMAIN };

  it('makes its schedule while it is built, and a call of that schedule is the first run', async () => {
    await redis.flush();
    const qstash = await Qstash.start();
    const env = {
      ...TYPED,
      KEEP_ALIVE_URLS: `http://127.0.0.1:${(target.address() as AddressInfo).port}/health`,
      ...BROUGHT,
      STORE_KV_REST_API_URL: front.url,
      STORE_KV_REST_API_TOKEN: front.token,
      STORE_QSTASH_URL: qstash.url,
      ...VERCEL,
    };
    const build = runChild(new URL('../../bin/keepalive.ts', import.meta.url), ['config'], {
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: 'ignore',
    });
    expect(await once(build, 'exit')).toEqual([0, null]);
    // Every two minutes: the first call comes at most so long after it was made.
    const destination = `https://${DOMAIN}/api/cron`;
    expect(qstash.schedules).toEqual([
      { scheduleId: 'keepalive-keepalive', cron: '*/2 * * * *', destination, method: 'POST' },
    ]);

    await startAll(env, ['api/cron.ts', KEEPALIVE, 'api/health.ts']);
    const signature = sign({
      key: 'sig_current_of_qstash',
      url: destination,
      at: Math.floor(Date.now() / 1000),
    });
    const headers = { 'upstash-signature': signature };
    const answer = await send('api/cron.ts', '/api/cron', { method: 'POST', headers });
    expect([answer.status, answer.json]).toMatchObject([
      200,
      { trigger: 'qstash', status: 'completed', checked: 1, succeeded: 1, stored: true },
    ]);
    expect((await get(KEEPALIVE, '/api/keepalive')).json).toMatchObject({ isRunning: true, pingCount: 1 });
    expect((await get('api/health.ts', '/api/health')).json).toMatchObject({ status: 'healthy' });
  });
});

describe('the functions, set up wrongly', () => {
  const CRON = ['api/cron.ts'];
  const READS = [KEEPALIVE, 'api/health.ts'];
  const PAGES = [PAGE];

  it('ping nothing where no secret is configured', async () => {
    await startAll({ UPSTASH_REDIS_REST_URL: front.url, UPSTASH_REDIS_REST_TOKEN: front.token }, CRON);
    const answer = await cron('undefined');
    expect([answer.status, answer.json]).toMatchObject([503, { error: { code: 'cron_secret_missing' } }]);
  });

  it('skip a run without targets', async () => {
    await startAll({ CRON_SECRET: SECRET }, [...CRON, KEEPALIVE]);
    expect((await cron(SECRET)).json).toMatchObject({ status: 'skipped', reason: 'no_targets', checked: 0 });
    expect((await get(KEEPALIVE, '/api/keepalive')).json).toMatchObject({
      error: { code: 'store_missing' },
    });
  });

  it('have the targets file, whatever it is called', async () => {
    for (const entrypoint of ENTRYPOINTS) {
      expect(filesOf(entrypoint)).toContain('dist/targets/test-of-functions/monitors.yaml');
      expect(filesOf(entrypoint)).toContain('dist/vendor/yaml.js');
    }
    const env = { CRON_SECRET: SECRET, KEEP_ALIVE_TARGETS: 'test-of-functions/monitors.yaml' };
    await startAll({ ...env, PATH_OF_IT: 'health' }, CRON);
    expect((await cron(SECRET)).json).toMatchObject({ results: [{ id: 'listed', ok: true }] });
    await startAll(env, CRON);
    expect((await cron(SECRET)).text).toContain('the variable PATH_OF_IT is not set');
  });

  it('compress themselves what Vercel would not pass on, and say what to do where that cannot be', async () => {
    const metrics = 'api/metrics.ts';
    const targets = Array.from({ length: 2_500 }, (_, i) => ({
      ...{ id: `t-${i}`, url: `https://example.com/${'long/'.repeat(400)}`, group: `g${i % 2}` },
    }));
    const path = join(deployable.functions.get(metrics)?.directory ?? '', 'dist/targets/many.json');
    await writeFile(path, JSON.stringify({ targets }));
    const store = { UPSTASH_REDIS_REST_URL: front.url, UPSTASH_REDIS_REST_TOKEN: front.token };
    const env = { ...store, KEEP_ALIVE_PREFIX: 'many', KEEP_ALIVE_TARGETS: 'many.json', VERCEL: '1' };
    await startAll(env, [metrics]);
    const compressed = await fetchText(metrics, '/api/metrics', { headers: { 'accept-encoding': 'gzip' } });
    expect([compressed.status, compressed.headers.get('content-encoding')]).toEqual([200, 'gzip']);
    expect(compressed.text.length).toBeGreaterThan(4_500_000);
    expect(checkMetrics(compressed.text)).toBe('');
    const headers = { 'accept-encoding': 'identity' };
    const whole = await fetchText(metrics, '/api/metrics', { headers });
    expect([whole.status, whole.text]).toEqual([400, expect.stringContaining('?group= and ?status=')]);
    const half = await fetchText(metrics, '/api/metrics?group=g1', { headers });
    expect([half.status, half.headers.get('content-encoding')]).toEqual([200, null]);
    expect(half.text.match(/^keepalive_target_info/gm)).toHaveLength(1_250);
  });

  it('show what is wrong to whoever bears the secret, and to nobody else', async () => {
    await startAll({ CRON_SECRET: SECRET, TARGET_A_URL: 'value-canary', TARGET_A_TIMOUT: '1s' }, CRON);
    const stranger = await cron('wrong');
    expect([stranger.status, stranger.json]).toMatchObject([500, { error: { code: 'config_invalid' } }]);
    expect(stranger.text).not.toContain('TARGET_A');
    const operator = await cron(SECRET);
    expect(operator.text).toContain('TARGET_A_URL');
    expect(operator.text).not.toContain('canary');
  });

  it('are private with STATS_TOKEN', async () => {
    await startAll(
      {
        STATS_TOKEN: 'token-of-readers',
        UPSTASH_REDIS_REST_URL: front.url,
        UPSTASH_REDIS_REST_TOKEN: front.token,
      },
      [...READS, ...PAGES],
    );
    expect((await get(KEEPALIVE, '/api/keepalive')).status).toBe(401);
    expect((await get('api/health.ts', '/api/health')).status).toBe(401);
    const answer = await get(KEEPALIVE, '/api/keepalive', {
      authorization: 'Bearer token-of-readers',
    });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'private, no-store']);

    const page = `${running.get(PAGE)?.origin ?? ''}/`;
    expect((await fetch(page)).status).toBe(401);
    for (const path of ['/t/a', '/api/page/t-a', '/t/a?page=sign-in']) {
      const form = await fetchText(PAGE, path, { headers: { accept: 'text/html' } });
      expect([path, form.status, form.text]).toEqual([path, 401, expect.stringContaining('value="/t/a"')]);
    }
    expect((await get(KEEPALIVE, '/api/keepalive/_all')).status).toBe(401);
    const signedIn = await fetch(`${running.get(PAGE)?.origin ?? ''}/sign-in`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ token: 'token-of-readers', next: '/' }),
    });
    expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, '/']);
    const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect(await (await fetch(page, { headers: { cookie } })).text()).toContain('Sign out');
  });
});
