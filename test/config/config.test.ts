import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_CONTROL_URLS,
  formatProblems,
  parseConfig,
  type Config,
  type Problem,
} from '../../lib/config/config.js';
import { GENERAL_VARIABLES } from '../../lib/config/variable-names.js';
import { TARGET_OPTIONS } from '../../lib/config/options.js';
import type { HttpTarget } from '../../lib/types.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Env = Record<string, string | undefined>;

const config = (env: Env): Config => {
  const result = parseConfig(env);
  if (!result.ok) throw new Error(formatProblems(result.problems));
  return result.config;
};
const problems = (env: Env): readonly Problem[] => {
  const result = parseConfig(env);
  return result.ok ? [] : result.problems;
};
const lines = (env: Env) => formatProblems(problems(env)).split('\n');
const variables = (env: Env) => problems(env).map(({ variable }) => variable);
const target = (env: Env) => {
  const [first] = config(env).targets;
  if (first === undefined) throw new Error('no target');
  return first;
};
/** A target whose requests can be looked at. */
const httpTarget = (env: Env): HttpTarget => target(env) as HttpTarget;
const api = (env: Env) => httpTarget({ TARGET_API_URL: 'https://api.acme.org/health', ...env });

describe('an empty environment', () => {
  it('is valid and has the defaults', () => {
    expect(config({ PATH: '/bin', TARGET: 'x', TARGETS_URL: 'x', target_a_url: 'x' })).toEqual({
      enabled: true,
      targets: [],
      cronSecret: null,
      statsToken: null,
      publicBadges: false,
      publicUrl: null,
      isOnVercel: false,
      port: 3000,
      tick: MINUTE,
      plan: null,
      concurrency: 100,
      shardSize: 500,
      readRegions: 0,
      peers: { urls: [], secret: null, region: null, globalping: null },
      selfUrl: null,
      protectionBypass: null,
      prefix: 'keepalive',
      controlUrls: [],
      heartbeatUrl: null,
      namedTick: null,
      store: { kind: 'none' },
      stores: [],
      qstash: {
        url: 'https://qstash.upstash.io',
        token: null,
        currentSigningKey: null,
        nextSigningKey: null,
        tick: 2 * MINUTE,
      },
      alerts: {
        reminder: null,
        webhook: null,
        slack: null,
        discord: null,
        telegram: null,
        ntfy: null,
        pagerduty: null,
        email: null,
        apprise: null,
        teams: null,
        google_chat: null,
      },
      page: {
        ...{ title: null, description: null, logoUrl: null, homeUrl: null, contactUrl: null, links: [] },
        ...{ language: null, timeZone: null, publicUrl: null },
        frameAncestors: ["'none'"],
      },
      subscriptions: null,
    });
  });
});

describe('the tick', () => {
  it.each<[string, Env, number]>([
    ['a minute on one machine', {}, MINUTE],
    ['a minute there with QStash too', { QSTASH_TOKEN: 'token' }, MINUTE],
    ['that of the crons on Vercel', { VERCEL: '1' }, 30 * MINUTE],
    ['that of QStash on Vercel', { VERCEL: '1', QSTASH_TOKEN: 'token' }, 2 * MINUTE],
    ['that of QStash behind a prefix', { VERCEL: '1', UP_QSTASH_TOKEN: 'token' }, 2 * MINUTE],
    ['that of QStash behind a prefix of ours', { VERCEL: '1', KEEP_ALIVE_QSTASH_TOKEN: 'token' }, 2 * MINUTE],
    ['what is set', { VERCEL: '1', QSTASH_TOKEN: 'token', KEEP_ALIVE_TICK: '5m' }, 5 * MINUTE],
  ])('is by default %s', (_, env, tick) => {
    expect(config(env).tick).toBe(tick);
  });
});

describe('a target', () => {
  it('has the defaults that are documented', () => {
    expect(api({})).toEqual({
      info: {
        id: 'api',
        name: 'api',
        description: null,
        group: null,
        order: null,
        show: 'all',
        host: 'none',
        healthUrl: 'https://api.acme.org/health',
        enabled: true,
        interval: 5 * MINUTE,
        sleepsAfter: null,
        maxRestarts: null,
      },
      url: 'https://api.acme.org/health',
      protocol: 'https:',
      request: { method: 'GET', headers: {}, body: null },
      assertions: {
        expectStatus: [{ from: 200, to: 299 }],
        expectBody: null,
        rejectBody: null,
        expectJson: null,
        degradedJson: null,
        degradedAfter: null,
        tlsExpiry: 14 * 24 * HOUR,
      },
      ipVersion: null,
      timeout: 10_000,
      retries: 2,
      retryDelay: 1000,
      wakeTimeout: 0,
      maxBody: 262_144,
      maxRedirects: 5,
      tlsVerify: true,
      clientCertificate: null,
      allowPrivate: false,
      confirm: true,
      failureThreshold: 3,
      successThreshold: 2,
      activeHours: null,
      maintenance: [],
      alerts: null,
      recovery: null,
      hostToken: null,
    });
  });

  it.each([
    ['TARGET_MY_API_URL', 'my-api'],
    ['TARGET_a1_URL', 'a1'],
    ['TARGET_RECOVERY_URL', 'recovery'],
    ['TARGET_MY_NAME_URL', 'my-name'],
    ['TARGET_CONSTRUCTOR_URL', 'constructor'],
  ])('%s is the target %s', (variable, id) => {
    expect(target({ [variable]: 'http://h' }).info.id).toBe(id);
  });

  it('falls back on KEEP_ALIVE_, then on the default', () => {
    expect(api({ KEEP_ALIVE_TIMEOUT: '3s', TARGET_API_TIMEOUT: '2s' }).timeout).toBe(2000);
    expect(api({ KEEP_ALIVE_TIMEOUT: '3s' }).timeout).toBe(3000);
    expect(api({}).timeout).toBe(10_000);
  });

  it('takes an empty value for none, and drops white space around others', () => {
    expect(api({ TARGET_API_TIMEOUT: '', KEEP_ALIVE_TIMEOUT: ' 3s\n' }).timeout).toBe(3000);
    expect(config({ TARGET_API_URL: ' ', TARGET_API_TIMOUT: '' }).targets).toEqual([]);
  });

  it.each([
    ['ENABLED', 'no', ({ info }: ReturnType<typeof api>) => info.enabled, false],
    ['ACTIVE_HOURS', 'always', ({ activeHours }: ReturnType<typeof api>) => activeHours, null],
    ['MAINTENANCE', 'off', ({ maintenance }: ReturnType<typeof api>) => maintenance, []],
    ['DEGRADED_AFTER', 'off', ({ assertions }: ReturnType<typeof api>) => assertions.degradedAfter, null],
    ['ALERTS', 'all', ({ alerts }: ReturnType<typeof api>) => alerts, null],
  ])('can undo an inherited %s', (option, own, of, expected) => {
    const inherited = {
      KEEP_ALIVE_ACTIVE_HOURS: '08:00-20:00',
      KEEP_ALIVE_MAINTENANCE: 'Sun 02:00-03:00',
      KEEP_ALIVE_DEGRADED_AFTER: '1s',
      KEEP_ALIVE_ALERTS: 'none',
    };
    expect(of(api(inherited))).not.toEqual(expected);
    expect(of(api({ ...inherited, [`TARGET_API_${option}`]: own }))).toEqual(expected);
  });

  it('is paused by its own ENABLED and, whatever that says, by the one for all', () => {
    const env = { TARGET_API_ENABLED: 'true', KEEP_ALIVE_ENABLED: 'false' };
    expect(api(env).info.enabled).toBe(false);
    expect(config(env_(env)).enabled).toBe(false);
    expect(config(env_({ TARGET_API_ENABLED: 'false' })).enabled).toBe(true);
  });
  const env_ = (env: Env): Env => ({ TARGET_API_URL: 'http://h', ...env });
});

describe('hosts', () => {
  it.each([
    ['my.up.railway.app', 'railway', 5 * MINUTE, 2.5 * MINUTE],
    ['my.onrender.com', 'render', 15 * MINUTE, 7.5 * MINUTE],
    ['my.koyeb.app', 'koyeb', HOUR, 30 * MINUTE],
    ['MY.herokuapp.com', 'heroku', 30 * MINUTE, 15 * MINUTE],
    ['my.fly.dev', 'fly', 5 * MINUTE, 2.5 * MINUTE],
    ['my.replit.app', 'replit', 15 * MINUTE, 7.5 * MINUTE],
    ['my.repl.co', 'replit', 15 * MINUTE, 7.5 * MINUTE],
    ['my.hf.space', 'huggingface', 48 * HOUR, 12 * HOUR, 180_000],
    ['my.supabase.co', 'supabase', 168 * HOUR, 12 * HOUR, 0],
    ['aws-0.pooler.supabase.com', 'supabase', 168 * HOUR, 12 * HOUR, 0],
    ['my.streamlit.app.', 'streamlit', 12 * HOUR, 6 * HOUR, 300_000],
    ['my.aivencloud.com', 'aiven', null, 12 * HOUR, 0],
    ['my.mongodb.net', 'atlas', 720 * HOUR, 12 * HOUR, 0],
    ['my.databases.neo4j.io', 'aura', 72 * HOUR, 12 * HOUR, 0],
    ['my.azurewebsites.net', 'azure', 20 * MINUTE, 10 * MINUTE],
    ['my.pythonanywhere.com', 'pythonanywhere', null, 5 * MINUTE, 0],
    ['my.eu-central-1.aws.neon.tech', 'neon', null, 6 * HOUR, 0],
  ])('%s is %s', (hostname, host, sleepsAfter, interval, wakes = 90_000) => {
    for (const url of [`https://${hostname}/x`, `tcp://${hostname}:443`]) {
      const { info, wakeTimeout } = target({ TARGET_A_URL: url });
      expect(info).toMatchObject({ host, sleepsAfter, interval });
      expect(wakeTimeout).toBe(wakes);
    }
  });

  it.each(['railway.app', 'notfly.dev', 'my.fly.dev.acme.org', '10.0.0.1'])(
    '%s is none of them',
    (hostname) => {
      const { info, wakeTimeout } = target({ TARGET_A_URL: `https://${hostname}` });
      expect(info).toMatchObject({ host: 'none', sleepsAfter: null, interval: 5 * MINUTE });
      expect(wakeTimeout).toBe(0);
    },
  );

  it.each([
    [{ TARGET_API_HOST: 'koyeb' }, HOUR, 90_000, 30 * MINUTE],
    [{ KEEP_ALIVE_HOST: 'koyeb' }, HOUR, 90_000, 30 * MINUTE],
    [{ TARGET_API_SLEEPS_AFTER: '20m' }, 20 * MINUTE, 90_000, 10 * MINUTE],
    [{ TARGET_API_SLEEPS_AFTER: '1m' }, MINUTE, 90_000, MINUTE],
    [{ TARGET_API_SLEEPS_AFTER: '30d' }, 720 * HOUR, 90_000, 12 * HOUR],
    [{ TARGET_API_HOST: 'koyeb', TARGET_API_SLEEPS_AFTER: 'off' }, null, 0, 5 * MINUTE],
    [{ TARGET_API_HOST: 'koyeb', TARGET_API_WAKE_TIMEOUT: 'off' }, HOUR, 0, 30 * MINUTE],
    [{ TARGET_API_HOST: 'koyeb', TARGET_API_INTERVAL: '10s' }, HOUR, 90_000, 10_000],
    [{ TARGET_API_HOST: 'neon', TARGET_API_SLEEPS_AFTER: '20m' }, 20 * MINUTE, 90_000, 10 * MINUTE],
    [{ TARGET_API_HOST: 'none', KEEP_ALIVE_SLEEPS_AFTER: '20m' }, 20 * MINUTE, 90_000, 10 * MINUTE],
  ])('%j', (env, sleepsAfter, wakeTimeout, interval) => {
    const { info, wakeTimeout: wake } = api(env);
    expect([info.sleepsAfter, wake, info.interval]).toEqual([sleepsAfter, wakeTimeout, interval]);
  });
});

describe('what belongs to which target', () => {
  it('a name may end in what looks like an option; the longest name with an option wins', () => {
    const { targets } = config({
      TARGET_A_URL: 'http://a',
      TARGET_A_MAX_URL: 'http://b',
      TARGET_A_SUCCESS_URL: 'http://c',
      TARGET_A_METHOD: 'POST',
      TARGET_A_MAX_METHOD: 'POST',
      TARGET_A_MAX_BODY: 'x',
      TARGET_A_SUCCESS_THRESHOLD: '7',
    });
    expect(
      (targets as readonly HttpTarget[]).map(({ info, request, successThreshold }) => [
        info.id,
        request.body,
        successThreshold,
      ]),
    ).toEqual([
      ['a', null, 7],
      ['a-max', 'x', 2],
      ['a-success', null, 2],
    ]);
  });

  it('RECOVERY_URL is never the URL of a target', () => {
    const recovering = config({ TARGET_A_URL: 'http://a', TARGET_A_RECOVERY_URL: 'http://hook' });
    expect(recovering.targets.map(({ recovery }) => recovery?.url)).toEqual(['http://hook/']);
    expect(lines({ TARGET_A_RECOVERY_URL: 'http://hook' })).toEqual([
      'TARGET_A_RECOVERY_URL: has no target, set TARGET_A_URL',
    ]);
    expect(lines({ TARGET_A_URL: 'http://a', TARGET_A_RECOVRY_URL: 'http://hook' })).toEqual([
      'TARGET_A_RECOVRY_URL: unknown option, did you mean RECOVERY_URL?',
    ]);
  });

  it.each([
    ['TARGET_API_TIMOUT', 'unknown option, did you mean TIMEOUT?'],
    ['TARGET_API_timeout', 'unknown option, did you mean TIMEOUT?'],
    ['TARGET_API_EXPECTED_STATUS', 'unknown option, did you mean EXPECT_STATUS?'],
    ['TARGET_API_RETRY', 'unknown option, did you mean RETRIES?'],
    ['TARGET_API_XYZZY', 'unknown option'],
    ['TARGET_API_V2_TIMEOUT', 'unknown option, did you mean TIMEOUT? Or is TARGET_API_V2_URL missing?'],
    ['TARGET_OTHER_TIMEOUT', 'has no target, set TARGET_OTHER_URL'],
    ['TARGET_OTHER_EXPECT_BODY', 'has no target, set TARGET_OTHER_URL'],
    ['TARGET_MY-API_URL', 'expected only letters, digits and _ in the name of the target'],
    ['TARGET_URL', 'expected a name for the target: TARGET_<ID>_…'],
    ['TARGET__URL', 'expected a name for the target: TARGET_<ID>_…'],
    ['TARGET_TIMEOUT', 'expected a name for the target: TARGET_<ID>_…'],
    ['KEEP_ALIVE_TIMOUT', 'unknown option, did you mean KEEP_ALIVE_TIMEOUT?'],
    ['KEEP_ALIVE_URL', 'unknown option, did you mean KEEP_ALIVE_URLS?'],
    ['KEEP_ALIVE_XYZZY', 'unknown option'],
    ['ALERT_SLAK_URL', 'unknown option, did you mean ALERT_SLACK_URL?'],
    ['ALERT_XYZZY', 'unknown option'],
    [`TARGET_${'X'.repeat(65)}_URL`, 'expected a name of at most 64 characters for the target'],
  ])('%s: %s', (variable, message) => {
    expect(problems({ TARGET_API_URL: 'http://a', [variable]: 'http://x' })).toEqual([{ variable, message }]);
  });

  it.each([
    'TARGET_',
    'TARGET_OS',
    'TARGET_OTHER_XYZZY',
    'TARGETS_A_URL',
    'KEEP_ALIVE',
    'ALERTS',
    'keep_alive_x',
  ])('%s is not ours', (variable) => {
    expect(problems({ TARGET_API_URL: 'http://a', [variable]: 'x' })).toEqual([]);
  });

  it('two targets with one id are an error', () => {
    expect(lines({ TARGET_API_URL: 'http://a', TARGET_api_URL: 'http://b' })).toEqual([
      'TARGET_api_URL: gives the same id as TARGET_API_URL, rename one of them',
    ]);
  });
});

describe('KEEP_ALIVE_URLS', () => {
  it('takes ids from host names, and options from KEEP_ALIVE_', () => {
    const { targets } = config({
      KEEP_ALIVE_URLS: 'https://my-api.up.railway.app/health,  http://[::1]:3000\ntcp://DB_1:5432',
      KEEP_ALIVE_TIMEOUT: '3s',
    });
    expect(targets.map(({ info, timeout }) => [info.id, info.healthUrl, timeout])).toEqual([
      ['1', 'http://[::1]:3000/', 3000],
      ['db-1', 'tcp://db_1:5432', 3000],
      ['my-api-up-railway-app', 'https://my-api.up.railway.app/health', 3000],
    ]);
  });

  it.each([
    [{ KEEP_ALIVE_URLS: 'http://a.org/x http://a.org/y' }],
    [{ KEEP_ALIVE_URLS: 'http://a.org', TARGET_A_ORG_URL: 'http://b' }],
  ])('%j: says how to give two targets two ids', (env) => {
    expect(lines(env)).toEqual([
      'KEEP_ALIVE_URLS: two addresses have the same host name, or one of a TARGET_<ID>_URL, so their ids would be the same: give each its own TARGET_<ID>_URL',
    ]);
  });

  it('is wrong as a whole where one entry is', () => {
    expect(variables({ KEEP_ALIVE_URLS: 'http://a.org, b.org' })).toEqual(['KEEP_ALIVE_URLS']);
  });
});

describe('a WebSocket target', () => {
  const socket = (env: Env) => target({ TARGET_A_URL: 'wss://u:p@A.test/x?k=1', ...env });
  it('is asked nothing because of what is set for all targets', () => {
    const all = { KEEP_ALIVE_EXPECT_BODY: 'ok', KEEP_ALIVE_QUERY: 'ping', KEEP_ALIVE_MAX_BODY: '1kb' };
    expect(socket(all)).toMatchObject({ query: null, assertions: { expectBody: null } });
    expect(socket({ ...all, TARGET_A_QUERY: 'own' })).toMatchObject({
      query: 'own',
      maxBody: 1_024,
      assertions: { expectBody: { text: 'ok' } },
    });
  });

  it('has headers, and its user info is one of them', () => {
    expect(socket({ KEEP_ALIVE_HEADERS: '{"Authorization":"other","X-A":"1"}' })).toMatchObject({
      url: 'wss://a.test/x?k=1',
      headers: { 'X-A': '1', Authorization: 'Basic dTpw' },
      info: { healthUrl: 'wss://a.test/x' },
    });
  });

  it.each(['METHOD', 'BODY', 'EXPECT_STATUS', 'MAX_REDIRECTS', 'ALLOW_PRIVATE'])('has no %s', (option) => {
    const value = new Map([
      ['EXPECT_STATUS', '200'],
      ['MAX_REDIRECTS', '1'],
      ['ALLOW_PRIVATE', 'true'],
    ]).get(option);
    expect(variables({ TARGET_A_URL: 'wss://a', [`TARGET_A_${option}`]: value ?? 'POST' })).toEqual([
      `TARGET_A_${option}`,
    ]);
  });

  it.each(['ws://a:443', 'wss://a:80', 'wss://user:a/b@host', 'ws://'])('is not at %s', (url) => {
    expect(variables({ TARGET_A_URL: url })).toContain('TARGET_A_URL');
  });
});

describe('a gRPC target', () => {
  it.each<[string, object]>([
    ['grpcs://A.test', { url: 'grpcs://a.test:443', headers: {} }],
    ['grpc://a.test:50051/my.Api', { url: 'grpc://a.test:50051/my.Api' }],
    ['grpc://u:p%40@a.test:1', { url: 'grpc://a.test:1', headers: { Authorization: 'Basic dTpwQA==' } }],
  ])('is at %s', (url, expected) => {
    expect(target({ TARGET_A_URL: url })).toMatchObject(expected);
  });

  it.each(['grpc://a', 'grpc://a:443', 'grpc://a:1?x=y', 'grpc://a:1/%zz', 'grpcs://a:80'])(
    'is not at %s',
    (url) => {
      expect(variables({ TARGET_A_URL: url })).toEqual(['TARGET_A_URL']);
    },
  );

  it('has no message to send', () => {
    expect(variables({ TARGET_A_URL: 'grpc://a:1', TARGET_A_QUERY: 'x' })).toEqual(['TARGET_A_QUERY']);
  });
});

describe('options without effect', () => {
  const db = { TARGET_DB_URL: 'tcp://db:5432' };
  it('are problems on the target itself', () => {
    expect(
      variables({
        ...db,
        TARGET_DB_METHOD: 'POST',
        TARGET_DB_EXPECT_STATUS: '200',
        TARGET_DB_TLS_EXPIRY: '1d',
      }),
    ).toEqual(['TARGET_DB_EXPECT_STATUS', 'TARGET_DB_METHOD', 'TARGET_DB_TLS_EXPIRY']);
    const tls = { TARGET_T_URL: 'tls://t:443', TARGET_T_TLS_EXPIRY: '1d', TARGET_T_METHOD: 'GET' };
    expect(variables(tls)).toEqual(['TARGET_T_METHOD']);
    expect(variables({ TARGET_A_URL: 'http://a', TARGET_A_BODY: 'x' })).toEqual(['TARGET_A_BODY']);
    expect(variables({ TARGET_A_URL: 'http://a', TARGET_A_RECOVERY_MAX: '1' })).toEqual([
      'TARGET_A_RECOVERY_MAX',
    ]);
    expect(
      variables({
        TARGET_A_URL: 'http://a',
        TARGET_A_RECOVERY_URL: 'http://r',
        TARGET_A_RECOVERY_METHOD: 'GET',
        TARGET_A_RECOVERY_BODY: 'x',
      }),
    ).toEqual(['TARGET_A_RECOVERY_BODY']);
  });

  it('are left out where they are inherited', () => {
    const inherited = { KEEP_ALIVE_METHOD: 'POST', KEEP_ALIVE_BODY: 'x', KEEP_ALIVE_EXPECT_BODY: 'y' };
    const tcp = target({ ...db, ...inherited });
    expect(tcp).toMatchObject({ protocol: 'tcp:', assertions: { expectBody: null } });
    expect(tcp).not.toHaveProperty('request');
    expect(api({ KEEP_ALIVE_BODY: 'x' }).request.body).toBeNull();
    expect(api(inherited).request).toEqual({ method: 'POST', headers: {}, body: 'x' });
  });
});

describe('user info in an address', () => {
  const basic = (text: string) => `Basic ${btoa(text)}`;
  it.each([
    [{}, basic('u:p')],
    [{ TARGET_A_HEADERS: '{"Authorization":"Bearer own"}' }, 'Bearer own'],
    [{ KEEP_ALIVE_HEADERS: '{"Authorization":"Bearer all"}' }, basic('u:p')],
  ])('becomes a header: %j', (env, authorization) => {
    const { url, info, request } = httpTarget({ TARGET_A_URL: 'https://u:p@h/x', ...env });
    expect([url, info.healthUrl, request.headers.Authorization]).toEqual([
      'https://h/x',
      'https://h/x',
      authorization,
    ]);
  });

  it('becomes a header of the recovery request too', () => {
    expect(api({ TARGET_API_RECOVERY_URL: 'https://u:p@h/hook?x' }).recovery).toEqual({
      url: 'https://h/hook?x',
      request: { method: 'POST', headers: { Authorization: basic('u:p') }, body: null },
      cooldown: 5 * MINUTE,
      max: 3,
      grace: 2 * MINUTE,
    });
  });
});

describe('alerts', () => {
  it('reads every channel', () => {
    const { alerts } = config({
      ALERT_REMINDER: '6h',
      ALERT_WEBHOOK_URL: 'https://u:p@w/x',
      ALERT_WEBHOOK_SECRET: `whsec_${btoa('x'.repeat(24))}`,
      ALERT_SLACK_URL: 'https://s/x',
      ALERT_DISCORD_URL: 'https://d/x',
      ALERT_TELEGRAM_TOKEN: '1:a',
      ALERT_TELEGRAM_CHAT: '-5',
      ALERT_NTFY_URL: 'https://n/t',
      ALERT_PAGERDUTY_KEY: 'key',
      ALERT_SMTP_URL: 'smtp://m',
      ALERT_EMAIL_FROM: 'a@b.org',
      ALERT_EMAIL_TO: 'c@d.org,e@f.org',
      ALERT_APPRISE_URL: 'https://a/notify/x',
      ALERT_TEAMS_URL: 'https://t/invoke?sig=x',
      ALERT_GOOGLE_CHAT_URL: 'https://g/messages?key=x',
    });
    expect(alerts).toEqual({
      reminder: 6 * HOUR,
      webhook: {
        url: 'https://w/x',
        authorization: `Basic ${btoa('u:p')}`,
        secret: `whsec_${btoa('x'.repeat(24))}`,
      },
      slack: { url: 'https://s/x', authorization: null },
      discord: { url: 'https://d/x', authorization: null },
      telegram: { token: '1:a', chat: '-5' },
      ntfy: { url: 'https://n/t', authorization: null },
      pagerduty: { key: 'key', url: null },
      email: { smtpUrl: 'smtp://m', from: 'a@b.org', to: ['c@d.org', 'e@f.org'] },
      apprise: { url: 'https://a/notify/x', authorization: null },
      teams: { url: 'https://t/invoke?sig=x', authorization: null },
      google_chat: { url: 'https://g/messages?key=x', authorization: null },
    });
  });

  it.each([
    [{ ALERT_TELEGRAM_TOKEN: '1:a' }, ['ALERT_TELEGRAM_CHAT']],
    [{ ALERT_EMAIL_TO: 'a@b.org' }, ['ALERT_EMAIL_FROM', 'ALERT_SMTP_URL']],
    [{ ALERT_WEBHOOK_SECRET: `whsec_${btoa('x'.repeat(24))}` }, ['ALERT_WEBHOOK_URL']],
    [{ KEEP_ALIVE_ALERTS: 'slack' }, ['KEEP_ALIVE_ALERTS']],
    [{ TARGET_A_URL: 'http://a', TARGET_A_ALERTS: 'slack' }, ['TARGET_A_ALERTS']],
    [{ TARGET_A_URL: 'http://a', TARGET_A_ALERTS: 'slack', ALERT_SLACK_URL: 'https://s' }, []],
  ])('%j lacks %j', (env, expected) => {
    expect(variables(env)).toEqual(expected);
  });
});

describe('the public address', () => {
  it.each([
    [{ VERCEL_PROJECT_PRODUCTION_URL: 'my.vercel.app' }, 'https://my.vercel.app'],
    [{ VERCEL_PROJECT_PRODUCTION_URL: 'my app' }, null],
    [
      { KEEP_ALIVE_PUBLIC_URL: 'https://status.acme.org/', VERCEL_PROJECT_PRODUCTION_URL: 'my.vercel.app' },
      'https://status.acme.org',
    ],
  ])('%j', (env, expected) => {
    expect(config(env).publicUrl).toBe(expected);
  });
});

describe('control addresses', () => {
  it.each([
    ['https://acme.org', DEFAULT_CONTROL_URLS],
    ['https://acme.org http://127.0.0.1', []],
    ['https://acme.org http://[::1]', []],
    ['http://localhost:3000', []],
    ['http://api', []],
    ['http://api.internal', []],
    ['http://nowhere.invalid', []],
    ['tcp://db.acme.org:5432', DEFAULT_CONTROL_URLS],
  ])('of %s are %j', (urls, expected) => {
    expect(config({ KEEP_ALIVE_URLS: urls }).controlUrls).toEqual(expected);
  });

  it('are those that are set', () => {
    const env = { KEEP_ALIVE_URLS: 'https://acme.org' };
    expect(config({ ...env, KEEP_ALIVE_CONTROL_URLS: 'off' }).controlUrls).toEqual([]);
    expect(config({ ...env, KEEP_ALIVE_CONTROL_URLS: 'http://c' }).controlUrls).toEqual(['http://c/']);
  });
});

it('reports all problems together, sorted, once each', () => {
  expect(
    lines({
      TARGET_B_URL: 'b',
      TARGET_B_TIMEOUT: 'soon',
      TARGET_A_URL: 'http://a',
      TARGET_A_TIMOUT: '1s',
      KEEP_ALIVE_INTERVAL: '1s',
      CRON_SECRET: 'short',
      UPSTASH_REDIS_REST_URL: 'https://u',
      ALERT_TELEGRAM_CHAT: '1',
    }),
  ).toEqual([
    'ALERT_TELEGRAM_TOKEN: missing, ALERT_TELEGRAM_CHAT needs it',
    'CRON_SECRET: expected at least 16 characters, printable ASCII only',
    'KEEP_ALIVE_INTERVAL: expected a duration such as 30s, 10m or 2h, from 10s to 7d',
    'TARGET_A_TIMOUT: unknown option, did you mean TIMEOUT?',
    'TARGET_B_TIMEOUT: expected a duration such as 30s, 10m or 2h, from 100ms to 2m',
    expect.stringMatching(/^TARGET_B_URL: expected an address: http:/) as string,
    'UPSTASH_REDIS_REST_TOKEN: missing, UPSTASH_REDIS_REST_URL needs it',
  ]);
});

it('sorts targets and problems as people look for them, numbers by their value', () => {
  const env = {
    TARGET_T10_URL: 'http://a',
    TARGET_T2_URL: 'http://b',
    TARGET_T1_URL: 'http://c',
    KEEP_ALIVE_URLS: 'http://t3/',
  };
  expect(config(env).targets.map(({ info }) => info.id)).toEqual(['t1', 't2', 't3', 't10']);
  const wrong = { ...env, TARGET_T10_TIMEOUT: 'x', TARGET_T2_TIMEOUT: 'x' };
  expect(lines(wrong).map((line) => line.replace(/:.*/s, ''))).toEqual([
    'TARGET_T2_TIMEOUT',
    'TARGET_T10_TIMEOUT',
  ]);
});

describe('laws', () => {
  const CANARY = 'xq7canary';
  const names = fc.constantFrom(
    ...GENERAL_VARIABLES,
    ...['A', 'A_MAX', 'b', 'A_RECOVERY'].flatMap((id) =>
      Object.keys(TARGET_OPTIONS).map((option) => `TARGET_${id}_${option}`),
    ),
    'TARGET_A_TIMOUT',
    'P_KV_REST_API_URL',
    'P_KV_REST_API_TOKEN',
    'Q_KV_REST_API_URL',
    'VERCEL_PROJECT_PRODUCTION_URL',
  );
  const texts = fc.oneof(
    fc.constantFrom(
      '',
      'true',
      '5m',
      '3',
      'POST',
      'off',
      '{}',
      `{"x":"${CANARY}"}`,
      `{"${CANARY}\\n":1}`,
      `{"a":${CANARY}}`,
      `https://${CANARY}:${CANARY}@${CANARY}.acme.org/${CANARY}?${CANARY}#${CANARY}`,
      `https://h https://${CANARY} https://${CANARY}/2`,
      `tcp://${CANARY}:1`,
      `tcp://${CANARY}`,
      `redis://:${CANARY}@h`,
      `/(${CANARY}/`,
      `/${CANARY}/i`,
      `Mon-Fri 08:00-20:00 Europe/${CANARY}`,
      `slack,${CANARY}`,
      CANARY,
      CANARY.repeat(3),
    ),
    fc.string({ unit: 'binary' }).map((noise) => `${CANARY}${noise}`),
    fc.string({ unit: 'binary' }),
  );
  const env = fc.dictionary(
    fc.oneof({ weight: 20, arbitrary: names }, { weight: 1, arbitrary: fc.string() }),
    texts,
  );

  it('never throws, never shows a value, and says the same twice whatever the order', () => {
    fc.assert(
      fc.property(env, (each) => {
        const result = parseConfig(each);
        const reversed = Object.fromEntries(Object.entries(each).reverse());
        expect(parseConfig(reversed)).toEqual(result);
        if (result.ok) return;
        expect(result.problems.length).toBeGreaterThan(0);
        expect(formatProblems(result.problems)).not.toContain(CANARY);
      }),
      { numRuns: 1500 },
    );
  });

  it('shows no canary in the public part of a target but its name, its host and its path', () => {
    const { info } = target({ TARGET_A_URL: `https://${CANARY}:${CANARY}@h/x?${CANARY}#${CANARY}` });
    expect(JSON.stringify(info)).not.toContain(CANARY);
  });

  it('gives what is frozen through and through', () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    const maintenance = { TARGET_A_MAINTENANCE: 'Sun 02:00-03:00', TARGET_A_HEADERS: '{"a":"b"}' };
    expect(frozen(parseConfig({ TARGET_A_URL: 'http://a.org', ...maintenance }))).toBe(true);
    fc.assert(
      fc.property(env, (each) => frozen(parseConfig(each))),
      { numRuns: 300 },
    );
  });
});
