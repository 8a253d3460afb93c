import { describe, expect, it } from 'vitest';
import { parseConfig, textsOf } from '../../lib/config/config.js';
import { SYSTEM_OPTIONS, TARGET_OPTIONS } from '../../lib/config/options.js';
import { validConfig, type ConfigError } from '../../lib/config/valid.js';
import { nearMisses, warningsOf } from '../../lib/config/warnings.js';

type Env = Readonly<Record<string, string>>;

const suggestions = (env: Env) =>
  warningsOf(textsOf(env)).map(({ variable, message }) => [
    variable,
    /^has no effect, did you mean (.*)\?$/.exec(message)?.[1],
  ]);
const ADDRESS = 'https://a.org/x';

describe('a name that nearly is one of ours', () => {
  it.each([
    ['KEEPALIVE_URLS', 'KEEP_ALIVE_URLS', true],
    ['KEEPALIVE_URL', 'KEEP_ALIVE_URLS', true],
    ['keep_alive_urls', 'KEEP_ALIVE_URLS', true],
    ['KEEP-ALIVE-URLS', 'KEEP_ALIVE_URLS', true],
    ['KeepAlive_PublicUrl', 'KEEP_ALIVE_PUBLIC_URL', true],
    ['KEEPALIVE_HEARTBEAT_URL', 'KEEP_ALIVE_HEARTBEAT_URL', true],
    ['KEEPALIVE_TIMEOUT', 'KEEP_ALIVE_TIMEOUT', false],
    ['TARGETS_A_URL', 'TARGET_A_URL', true],
    ['target_a_url', 'TARGET_A_URL', true],
    ['Target_My_Api_Url', 'TARGET_MY_API_URL', true],
    ['TARGET-MY-API-URL', 'TARGET_MY_API_URL', true],
    ['TARGET_A_URLS', 'TARGET_A_URL', true],
    ['TARGET_A_ULR', 'TARGET_A_URL', false],
    ['TARGET_A_URI', 'TARGET_A_URL', false],
    ['CRON_SECERT', 'CRON_SECRET', false],
    ['CRONSECRET', 'CRON_SECRET', false],
    ['STAT_TOKEN', 'STATS_TOKEN', false],
    ['UPSTASH_REDIS_URL', 'UPSTASH_REDIS_REST_URL', false],
    ['UPSTASH_REDIS_REST_TOKN', 'UPSTASH_REDIS_REST_TOKEN', false],
    ['QSTASH_SIGNING_KEY', 'QSTASH_CURRENT_SIGNING_KEY', false],
    ['QSTASH_TOKEN_', 'QSTASH_TOKEN', false],
    ['alert_slack_url', 'ALERT_SLACK_URL', false],
    ['ALERTS_SLACK_URL', 'ALERT_SLACK_URL', false],
  ])('%s: did you mean %s?', (variable, name, isCertain) => {
    expect(suggestions({ [variable]: ADDRESS })).toEqual([[variable, name]]);
    expect(nearMisses(textsOf({ [variable]: ADDRESS }))[0]?.isCertain).toBe(isCertain);
    // A warning never keeps anything from working, and is none where the right name is set too.
    expect(parseConfig({ [variable]: ADDRESS }).ok).toBe(true);
    expect(suggestions({ [variable]: ADDRESS, [name]: ADDRESS })).toEqual([]);
  });

  it.each([
    ['TARGETS_FILE', 'conf/targets.yaml', true],
    ['KEEPALIVE_TARGETS_FILE', 'targets.yml', true],
    ['KEEPALIVE_TARGETS', 'targets.yaml', true],
    ['TARGETS_FILE', '/etc/targets.ini', false],
  ])('of a targets file: %s=%s', (variable, text, isMeant) => {
    expect(suggestions({ [variable]: text })).toEqual(isMeant ? [[variable, 'KEEP_ALIVE_TARGETS']] : []);
    expect(suggestions({ [variable]: text, KEEP_ALIVE_TARGETS: 'a.yaml' })).toEqual([]);
  });

  it.each([
    ...[
      'PATH',
      'HOME',
      'PORT',
      'TARGET',
      'TARGETS',
      'TARGETS_URL',
      'TARGET_OS',
      'TARGET_A',
      'KEEP_ALIVE',
      'ALERTS',
    ],
    ...[
      'VERCEL_URL',
      'VERCEL_BRANCH_URL',
      'VERCEL_PROJECT_PRODUCTION_URL',
      'VERCEL_TARGET_ENV',
      'VERCEL_ENV',
    ],
    ...['KV_URL', 'KV_REST_API_READ_ONLY_TOKEN', 'DATABASE_URL', 'REST_API_URL', 'API_TOKEN', 'SECRET_KEY'],
    ...[
      'NODE_OPTIONS',
      'npm_config_target',
      'INVOCATION_ID',
      'JOURNAL_STREAM',
      'STATE_DIRECTORY',
      'NEXT_PUBLIC_URL',
    ],
    ...['DEPLOY_TARGET_URL', 'TARGET_ARCH', 'target_os', 'constructor', '__proto__', 'hasOwnProperty'],
    ...Object.keys(SYSTEM_OPTIONS),
    ...Object.keys(TARGET_OPTIONS).map((option) => `TARGET_A_${option}`),
    ...Object.keys(TARGET_OPTIONS).map((option) => `KEEP_ALIVE_${option}`),
    ...['P_KV_REST_API_URL', 'P_KV_REST_API_TOKEN', 'P_QSTASH_TOKEN', 'P_QSTASH_CURRENT_SIGNING_KEY'],
  ])('%s is none', (variable) => {
    expect(suggestions({ [variable]: ADDRESS })).toEqual([]);
  });

  it('is one of a target only with the address of one', () => {
    expect(suggestions({ target_a_url: 'postgres://a.org', TARGET_DB_URI: 'x' })).toEqual([]);
  });

  it('is none of the store where one is set', () => {
    expect(suggestions({ UPSTASH_REDIS_URL: 'x', REDIS_URL: 'redis://h' })).toEqual([]);
  });

  it.each([
    ['ALERT_SLACK_WEBHOOK_URL', 'ALERT_SLACK_URL'],
    ['ALERT_DISCORD_WEBHOOK_URL', 'ALERT_DISCORD_URL'],
    ['KEEP_ALIVE_ULRS', 'KEEP_ALIVE_URLS'],
    ['KEEP_ALIVE_EXPECT_HTTP_STATUS', 'KEEP_ALIVE_EXPECT_STATUS'],
    ['TARGET_B_ULR', 'URL'],
    ['TARGET_B_EXPECT_HTTP_STATUS', 'EXPECT_STATUS'],
  ])('%s is a problem, where everything with its beginning is ours: did you mean %s?', (variable, name) => {
    const result = parseConfig({ TARGET_B_URL: ADDRESS, [variable]: 'x' });
    expect(result.ok ? [] : result.problems).toEqual([
      { variable, message: `unknown option, did you mean ${name}?` },
    ]);
  });
});

describe('a production build', () => {
  const GOOD = { CRON_SECRET: 'x'.repeat(16), REDIS_URL: 'redis://h', TARGET_A_URL: 'https://a.org' };
  const problems = async (env: Env, isProductionBuild = true) => {
    const failed = await validConfig(env, { isProductionBuild }).then(
      () => null,
      (error: unknown) => error as ConfigError,
    );
    return failed?.problems.map(({ variable }) => variable) ?? [];
  };
  const without = (name: keyof typeof GOOD) =>
    Object.fromEntries(Object.entries(GOOD).filter(([variable]) => variable !== name));

  it('needs a secret, a store and a target', async () => {
    expect(await problems(GOOD)).toEqual([]);
    expect(await problems({ ...without('TARGET_A_URL'), KEEP_ALIVE_URLS: 'https://a.org' })).toEqual([]);
    const pair = { P_KV_REST_API_URL: 'https://u', P_KV_REST_API_TOKEN: 't' };
    expect(await problems({ ...without('REDIS_URL'), ...pair })).toEqual([]);
    expect(await problems(without('CRON_SECRET'))).toEqual(['CRON_SECRET']);
    expect(await problems(without('REDIS_URL'))).toEqual(['UPSTASH_REDIS_REST_URL']);
    expect(await problems(without('TARGET_A_URL'))).toEqual(['TARGET_<ID>_URL']);
    expect(await problems({})).toEqual(['CRON_SECRET', 'TARGET_<ID>_URL', 'UPSTASH_REDIS_REST_URL']);
    expect(await problems({}, false)).toEqual([]);
  });

  it('says of each variable one thing', async () => {
    const env = { CRON_SECRET: 'short', REDIS_URL: 'x', TARGET_A_URL: 'y', TARGET_A_EXPECT_JSON: '(' };
    expect(await problems(env)).toEqual(['CRON_SECRET', 'REDIS_URL', 'TARGET_A_EXPECT_JSON', 'TARGET_A_URL']);
    expect(await problems({ ...GOOD, TARGET_A_URLS: 'https://b.org' })).toEqual(['TARGET_A_URLS']);
  });

  it('fails for a name that was certainly meant for us, and for no other', async () => {
    const meant = { target_b_url: 'https://b.org', KEEPALIVE_URLS: 'https://c.org' };
    expect(await problems({ ...GOOD, ...meant })).toEqual(['KEEPALIVE_URLS', 'target_b_url']);
    expect(await problems({ ...GOOD, ...meant }, false)).toEqual([]);
    const foreign = {
      KEEPALIVE_TIMEOUT: '5',
      TARGET_B_URI: 'https://b.org',
      target_c_url: 'jdbc:x',
      CRON_SECERT: 'x',
    };
    expect(await problems({ ...GOOD, ...foreign })).toEqual([]);
  });
});

describe('QStash variables', () => {
  const KEYS = {
    QSTASH_TOKEN: 'token',
    QSTASH_CURRENT_SIGNING_KEY: 'c'.repeat(16),
    QSTASH_NEXT_SIGNING_KEY: 'n'.repeat(16),
    QSTASH_URL: 'https://qstash-us-east-1.upstash.io',
  };
  const prefixed = (prefix: string, env: Env = KEYS) =>
    Object.fromEntries(Object.entries(env).map(([name, text]) => [prefix + name, text]));
  const read = (env: Env) => {
    const result = parseConfig(env);
    return result.ok ? result.config.qstash : result.problems.map(({ variable }) => variable);
  };
  const found = read(KEYS);

  it('may stand behind a prefix', () => {
    expect(found).toMatchObject({ token: 'token', url: 'https://qstash-us-east-1.upstash.io' });
    expect(read(prefixed('MY_'))).toEqual(found);
    expect(read({ ...KEYS, ...prefixed('MY_', { QSTASH_TOKEN: 'other' }) })).toEqual(found);
  });

  it('are named with their prefix where they are wrong, and all of one account', () => {
    expect(read(prefixed('MY_', { ...KEYS, QSTASH_NEXT_SIGNING_KEY: 'short' }))).toEqual([
      'MY_QSTASH_NEXT_SIGNING_KEY',
    ]);
    expect(read({ ...prefixed('A_'), ...prefixed('B_') })).toEqual(['B_QSTASH_CURRENT_SIGNING_KEY']);
    expect(read({ X_QSTASH_URL: 'of somebody else' })).toMatchObject({ token: null });
  });
});

describe('time', () => {
  /** The least of several, in ms of CPU time: other programs on the machine do not count. */
  const cost = (work: () => unknown) => {
    const times = Array.from({ length: 5 }, () => {
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    });
    return Math.min(...times);
  };
  /** Everything that looks at variables, on `n` and on 8 times as much. */
  const growth = (envOf: (n: number) => Env, n: number) => {
    const [small, large] = [n, 8 * n].map((size) => {
      const env = envOf(size);
      return cost(() => [parseConfig(env), warningsOf(textsOf(env))]);
    });
    return (large ?? 0) / Math.max(small ?? 0, 2);
  };
  const many = (length: number, of: (i: number) => [string, string]) =>
    Object.fromEntries(Array.from({ length }, (_, i) => of(i)));

  it.each<[string, number, (n: number) => Env]>([
    [
      'one name of many parts',
      4_000,
      (n) => ({ [`TARGET_${'A_'.repeat(n)}TIMOUT`]: 'x', TARGET_A_URL: ADDRESS }),
    ],
    [
      'one URL of many parts',
      4_000,
      (n) => ({ [`TARGET_${'A_'.repeat(n)}URL`]: ADDRESS, TARGET_A_URL: ADDRESS }),
    ],
    ['one long KEEP_ALIVE_ name', 8_000, (n) => ({ [`KEEP_ALIVE_${'A_'.repeat(n)}`]: 'x' })],
    ['one long name of another', 8_000, (n) => ({ [`${'KV_'.repeat(n)}KV_REST_API_URLX`]: 'x' })],
    ['one lower-case name of many parts', 8_000, (n) => ({ [`target_${'a_'.repeat(n)}url`]: ADDRESS })],
    ['many foreign variables', 400, (n) => many(n, (i) => [`FOREIGN_VARIABLE_${i}`, 'x'])],
    ['many that resemble', 100, (n) => many(n, (i) => [`CRON_SECRE${i}`, 'x'])],
    ['many unknown options', 100, (n) => many(n, (i) => [`KEEP_ALIVE_TIMEOUT${i}`, 'x'])],
    ['many targets', 50, (n) => many(n, (i) => [`TARGET_A_${i}_URL`, ADDRESS])],
    ['many QStash prefixes', 100, (n) => many(n, (i) => [`P${i}_QSTASH_TOKEN`, 'x'])],
    ['white space in status codes', 4_000, (n) => ({ KEEP_ALIVE_EXPECT_STATUS: `200${' '.repeat(n)}x` })],
    ['white space in active hours', 4_000, (n) => ({ KEEP_ALIVE_ACTIVE_HOURS: `Mon${' '.repeat(n)}x` })],
    ['white space in maintenance', 4_000, (n) => ({ KEEP_ALIVE_MAINTENANCE: `Mon${' '.repeat(n)}x` })],
    [
      'a cut address with many question marks',
      4_000,
      (n) => ({ REDIS_URL: `redis://u:p${'?'.repeat(n)}@h` }),
    ],
    ['user info of many percent signs', 4_000, (n) => ({ KEEP_ALIVE_URLS: `https://u:${'%'.repeat(n)}@h` })],
    ['dots behind an @', 4_000, (n) => ({ TARGET_A_URL: `https://u:1/@${'a.'.repeat(n)}` })],
    [
      'many addresses',
      100,
      (n) => ({ KEEP_ALIVE_URLS: Array.from({ length: n }, (_each, i) => `https://h${i}.org`).join() }),
    ],
  ])('grows no faster than the length of %s', (_, n, envOf) => {
    // 8 where it grows with the length, 64 where with its square.
    expect(growth(envOf, n)).toBeLessThan(28);
  });
});
