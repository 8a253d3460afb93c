import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doctor } from '../../lib/cli/doctor.js';
import { DeliveryError } from '../../lib/deliver/channel.js';
import { writeShards } from '../../lib/record/directory.js';
import type { RunRequest } from '../../lib/run/run.js';
import { openRemoteStore, openSqlite } from '../support/stores.js';
import { receive, type Receiver } from '../support/receiver.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { configOf, FAILED, Pinger } from '../support/runs.js';
import { closedPort, serveHttp } from '../support/servers.js';
import { recordingTerminal } from '../support/terminal.js';
import { startUpstashFront, type UpstashFront } from '../support/upstash-front.js';

type Env = Readonly<Record<string, string>>;

const TOKEN = 'upstash-token-0123456789';
const SECRET = 'Kd8Zq3VtW0nYpL5xRb7M';
const OTHER_SECRET = 'b6Jw9Xc2HsTq4NfGz1Ku';
const MINUTE = 60_000;

let redis: RedisServer;
let front: UpstashFront;
let directory: string;
let taking: Receiver;
let refusing: Receiver;
let refused: number;
let goodUrl: string;
let badUrl: string;

beforeAll(async () => {
  redis = await startRedis();
  front = await startUpstashFront({ redisPort: redis.port, token: TOKEN });
  directory = await mkdtemp(join(tmpdir(), 'keepalive-doctor-'));
  taking = await receive();
  refusing = await receive((response) => response.writeHead(404).end('no such hook'));
  refused = await closedPort();
  const good = await serveHttp((_, response) => response.end('ok'));
  const bad = await serveHttp((_, response) => response.writeHead(500).end('ill'));
  goodUrl = `http://127.0.0.1:${good.port}/?key=query-secret`;
  badUrl = `http://user:user-secret@127.0.0.1:${bad.port}/`;
});
afterAll(async () => {
  await front.close();
  await redis.stop();
  await rm(directory, { recursive: true });
});

/** A set-up in which all is well. */
const base = (): Env => ({
  CRON_SECRET: SECRET,
  UPSTASH_REDIS_REST_URL: front.url,
  UPSTASH_REDIS_REST_TOKEN: TOKEN,
  ALERT_WEBHOOK_URL: `${taking.url}/hook-secret`,
  TARGET_API_URL: goodUrl,
  KEEP_ALIVE_CONTROL_URLS: 'off',
  KEEP_ALIVE_RETRIES: '0',
});

const without = (env: Env, ...names: string[]): Env =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));

/** Makes runs so many ms ago; `refused`: the target is down, and the channel refuses to hear of it. */
async function runsAgo(
  env: Env,
  times: readonly number[],
  { refused = false, ...request }: { readonly refused?: boolean } & Partial<RunRequest> = {},
): Promise<void> {
  const config = configOf(env);
  const store = await openRemoteStore({ kind: 'upstash', url: front.url, token: TOKEN }, config);
  const now = Date.now();
  for (const ago of times) {
    const pinger = new Pinger(config, store);
    if (refused) {
      pinger.attempt = () => FAILED;
      const deliver = () => Promise.reject(new DeliveryError('permanent', 'answered 404'));
      pinger.channels = new Map([['webhook', { name: 'webhook', deliver }]]);
    }
    pinger.now = now - ago;
    await pinger.run(request);
  }
  await store.close();
}

interface Case {
  readonly env: () => Env;
  readonly before?: (env: Env) => Promise<unknown>;
  readonly args?: readonly string[];
  readonly code: number;
}

const RECENT = [70_000, 10_000];
const withRuns = (change: () => Env, code: number, args: readonly string[] = []): Case => ({
  env: () => ({ ...base(), ...change() }),
  before: (env) => runsAgo(env, RECENT),
  args,
  code,
});
const lacking = (code: number, ...names: string[]): Case => ({
  env: () => without(base(), ...names),
  before: (env) => runsAgo(env, RECENT),
  code,
});
const database = () => ({ KEEP_ALIVE_DATABASE: join(directory, 'keepalive.db') });
const embedded = (): Env => ({
  ...without(base(), 'CRON_SECRET', 'UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'),
  ...database(),
});

const CASES: Readonly<Record<string, Case>> = {
  'all is well': withRuns(() => ({}), 0),
  'all is well, a test alert is sent': withRuns(() => ({ STATS_TOKEN: OTHER_SECRET }), 0, ['--send-test']),
  'variables behind a prefix': {
    env: () => ({
      ...without(base(), 'UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'),
      MYDB_KV_REST_API_URL: front.url,
      MYDB_KV_REST_API_TOKEN: TOKEN,
      MYDB_KV_REST_API_READ_ONLY_TOKEN: front.readOnlyToken,
    }),
    before: (env) => runsAgo(env, RECENT),
    code: 0,
  },
  'the embedded database': {
    env: embedded,
    before: async (env) => openSqlite(env.KEEP_ALIVE_DATABASE ?? '').close(),
    code: 0,
  },
  'an embedded database that is not there yet': {
    env: () => ({ ...embedded(), KEEP_ALIVE_DATABASE: join(directory, 'none.db') }),
    code: 0,
  },
  'no secret': lacking(1, 'CRON_SECRET'),
  'a short secret': { env: () => ({ ...base(), CRON_SECRET: 'abab' }), code: 1 },
  'a reused secret': withRuns(() => ({ STATS_TOKEN: SECRET }), 1),
  'secrets that are easy to guess': withRuns(
    () => ({ CRON_SECRET: 'changeme-changeme', STATS_TOKEN: 'abababababababab' }),
    0,
  ),
  'an unknown variable': {
    env: () => ({ ...base(), TARGET_API_TIMOUT: '5s', ALERT_SLAK_URL: 'x' }),
    code: 1,
  },
  'a name that nearly is ours': withRuns(() => ({ KEEPALIVE_URLS: 'https://hook-secret.example.com' }), 0),
  'no target': { env: () => without(base(), 'TARGET_API_URL'), code: 1 },
  'no store': {
    env: () => without(base(), 'UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'),
    code: 1,
  },
  'a store that cannot be reached': {
    env: () => ({ ...base(), UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${refused}` }),
    code: 1,
  },
  'a Redis over TCP that cannot be reached': {
    env: () => ({
      ...without(base(), 'UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'),
      REDIS_URL: `redis://:user-secret@127.0.0.1:${refused}`,
    }),
    code: 1,
  },
  'the first of two databases that cannot be reached': {
    env: () => ({
      ...without(base(), 'UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'),
      REDIS_URL: `redis://:user-secret@127.0.0.1:${refused}`,
      REDIS_URL_2: redis.url,
    }),
    code: 1,
  },
  'the first of two databases that is empty, beside one with data': {
    env: () => ({
      ...without(base(), 'UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'),
      REDIS_URL: `${redis.url}/1`,
      REDIS_URL_2: `${redis.url}/2`,
    }),
    before: async () => {
      const layout = { origin: 'our', stores: [1, 2] };
      await redis.command('SELECT', '2');
      const copy = writeShards({ count: 9, directory: 'x', layout, store: 2 });
      await redis.command('HSET', 'keepalive:data', 'shards', copy);
      await redis.command('SELECT', '0');
    },
    code: 1,
  },
  'a wrong token': {
    env: () => ({ ...base(), UPSTASH_REDIS_REST_TOKEN: 'another-token' }),
    code: 1,
  },
  'a read-only token': {
    env: () => ({ ...base(), UPSTASH_REDIS_REST_TOKEN: front.readOnlyToken }),
    before: () => runsAgo(base(), RECENT),
    code: 1,
  },
  'a store that holds something else': {
    env: base,
    before: () => redis.command('SET', 'keepalive:data', 'of another program'),
    code: 1,
  },
  'a tick that costs more than the plan has': withRuns(() => ({ KEEP_ALIVE_TICK: '10s' }), 0),
  'npm start on a Redis': {
    env: () => without(base(), 'CRON_SECRET'),
    before: (env) => runsAgo(env, RECENT, { trigger: 'local', machine: { id: '0a1b2c3d', lease: MINUTE } }),
    code: 0,
  },
  'no run yet': { env: base, code: 0 },
  'no run for long': { env: base, before: (env) => runsAgo(env, [11 * MINUTE, 10 * MINUTE]), code: 1 },
  'a trigger slower than the tick, and than a host sleeps': {
    env: () => ({ ...base(), TARGET_API_SLEEPS_AFTER: '4m' }),
    before: (env) =>
      runsAgo(
        env,
        [21, 16, 11, 6, 1].map((minutes) => minutes * MINUTE),
      ),
    code: 0,
  },
  'missed runs': {
    env: base,
    before: (env) => runsAgo(env, [90 * MINUTE, 50 * MINUTE, ...RECENT]),
    code: 0,
  },
  'an interval longer than the host sleeps after': withRuns(
    () => ({ TARGET_API_SLEEPS_AFTER: '10m', TARGET_API_INTERVAL: '15m' }),
    0,
  ),
  'targets that are down, slow, paused': withRuns(
    () => ({
      TARGET_BAD_URL: badUrl,
      TARGET_BAD_RECOVERY_URL: 'http://127.0.0.1:9/hook-secret',
      TARGET_AWAY_URL: `tcp://127.0.0.1:${refused}`,
      TARGET_SLOW_URL: goodUrl,
      TARGET_SLOW_DEGRADED_JSON: 'true',
      TARGET_RESTS_URL: badUrl,
      TARGET_RESTS_ENABLED: 'false',
    }),
    1,
  ),
  'a machine that is not online': withRuns(
    () => ({
      TARGET_API_URL: `http://127.0.0.1:${refused}/`,
      KEEP_ALIVE_CONTROL_URLS: `http://127.0.0.1:${refused}/`,
    }),
    1,
  ),
  'a target that is down while the network works': withRuns(
    () => ({ TARGET_API_URL: badUrl, KEEP_ALIVE_CONTROL_URLS: badUrl.replace('user:user-secret@', '') }),
    1,
  ),
  'a channel that refuses the test': withRuns(
    () => ({
      ALERT_SLACK_URL: `${refusing.url}/hook-secret`,
      ALERT_NTFY_URL: `http://127.0.0.1:${refused}/topic`,
    }),
    1,
    ['--send-test'],
  ),
  'a channel that refused alerts': {
    env: () => ({ ...base(), TARGET_API_FAILURE_THRESHOLD: '1' }),
    before: (env) => runsAgo(env, RECENT, { refused: true }),
    code: 1,
  },
  'everything is paused': withRuns(() => ({ KEEP_ALIVE_ENABLED: 'false' }), 0),
  'no channel': lacking(0, 'ALERT_WEBHOOK_URL'),
  'more hours than a host allows': withRuns(
    () => ({ KEEP_ALIVE_HOST: 'render', TARGET_SHOP_URL: goodUrl }),
    0,
  ),
  'one signing key of QStash': withRuns(
    () => ({ QSTASH_TOKEN: 'qstash-token', QSTASH_CURRENT_SIGNING_KEY: 'signing-key-01234567' }),
    1,
  ),
  'QStash and no secret': {
    env: () => ({
      ...without(base(), 'CRON_SECRET'),
      QSTASH_TOKEN: 'qstash-token',
      QSTASH_CURRENT_SIGNING_KEY: 'signing-key-01234567',
      QSTASH_NEXT_SIGNING_KEY: 'next-signing-key-0123',
    }),
    before: (env) => runsAgo(env, RECENT),
    code: 0,
  },
  'no signing key of QStash': withRuns(() => ({ QSTASH_TOKEN: 'qstash-token' }), 0),
};

async function run(env: Env, args: readonly string[] = []) {
  const terminal = recordingTerminal(env);
  const code = await doctor(args, terminal);
  return { code, text: terminal.lines.join('\n'), errors: terminal.errors };
}

const normal = (text: string) =>
  text
    .replace(/\b\d+ ms\b/g, '# ms')
    .replace(/came \d+ (\w) ago/g, 'came # $1 ago')
    .replace(/commands: \d+ used/g, 'commands: # used')
    .replace(/ [\d,.]+ by its end/g, ' # by its end')
    .replace(/(use|:) [\d,]+ of ([\d,]+) hours/g, '$1 # of $2 hours');

const SECRETS = [
  SECRET,
  OTHER_SECRET,
  TOKEN,
  'another-token',
  'secret/',
  'user-secret',
  'query-secret',
  'hook-secret',
  'qstash-token',
  'signing-key-01234567',
  'changeme',
  'abab',
];

describe('doctor', () => {
  it('says of every set-up what its file shows, and no secret', async () => {
    const parts: string[] = [];
    for (const [what, { env, before, args, code }] of Object.entries(CASES)) {
      await redis.flush();
      const given = env();
      await before?.(given);
      const found = await run(given, args);
      for (const secret of SECRETS) expect([what, found.text, found.errors].join()).not.toContain(secret);
      expect([what, found.code]).toEqual([what, code]);
      parts.push(`--- ${what} (exit code ${found.code})\n${normal(found.text)}\n`);
    }
    await expect(parts.join('\n')).toMatchFileSnapshot('__snapshots__/doctor.txt');
  });

  it('changes nothing in the store but the time of its last visit', async () => {
    await redis.flush();
    await runsAgo(base(), RECENT);
    const dump = async () => {
      const keys = (await redis.command('KEYS', '*')) as string[];
      const names = (await redis.command('HKEYS', 'keepalive:data')) as string[];
      const kept = names.filter((name) => name !== 'doctor').toSorted();
      const values = await redis.command('HMGET', 'keepalive:data', ...kept);
      return { keys: keys.toSorted(), data: kept.map((name, i) => [name, (values as string[])[i]]) };
    };
    const before = await dump();
    await run(base());
    await run(base());
    expect(await dump()).toEqual(before);
    expect(await redis.command('HEXISTS', 'keepalive:data', 'doctor')).toBe(1);
  });

  it('reads a database that a runner holds from a copy', async () => {
    const path = join(directory, 'held.db');
    const runner = openSqlite(path);
    const env = { ...embedded(), KEEP_ALIVE_DATABASE: path };
    for (const ago of RECENT) {
      const pinger = new Pinger(configOf(env), runner);
      pinger.now = Date.now() - ago;
      await pinger.run();
    }
    const { code, text } = await run(env);
    await runner.close();
    expect(code).toBe(0);
    expect(text).toContain('ok       a running npm start uses the database');
    expect(text).toMatch(/ok {7}the last run came \d+ s ago/);
  });

  it('sends one test alert, and only when asked to', async () => {
    await redis.flush();
    const had = taking.received.length;
    await run(base());
    expect(taking.received.length).toBe(had);
    await run(base(), ['--send-test']);
    const [sent, ...more] = taking.received.slice(had);
    expect(more).toEqual([]);
    expect(JSON.parse(sent?.body ?? '')).toMatchObject({
      headline: 'Keepalive sent a test message',
      alerts: [{ kind: 'test', level: 'info', target: null }],
    });
  });

  it('gives its findings as JSON, and its progress apart', async () => {
    const { code, text, errors } = await run(without(base(), 'CRON_SECRET'), ['--json']);
    expect(code).toBe(1);
    expect(errors).toEqual(['Looking at the store.', '1 of 1 targets looked at: api']);
    const { errors: count, findings } = JSON.parse(text) as { errors: number; findings: object[] };
    expect(count).toBe(1);
    expect(findings).toContainEqual({
      area: 'secrets',
      level: 'error',
      what: 'CRON_SECRET is not set',
      why: expect.any(String) as string,
      todo: expect.any(String) as string,
    });
  });
});
