import { describe, expect, it } from 'vitest';
import { formatProblems, parseConfig } from '../../lib/config/config.js';
import { warningsOf } from '../../lib/config/warnings.js';

type Env = Record<string, string>;

const choose = (env: Env) => {
  const result = parseConfig(env);
  return result.ok ? result.config.store : formatProblems(result.problems);
};
const pair = (stem: string, name = 'u'): Env => ({
  [`${stem}_URL`]: `https://${name}`,
  [`${stem}_TOKEN`]: name,
});
const rest = (name = 'u') => ({ kind: 'upstash', url: `https://${name}/`, token: name });
const REDIS = { REDIS_URL: 'redis://:p@r:6379' };
const DATABASE = { KEEP_ALIVE_DATABASE: '/data/k.db' };

describe('the store', () => {
  it.each<[string, Env, unknown]>([
    ['nothing', {}, { kind: 'none' }],
    ['the Upstash pair', pair('UPSTASH_REDIS_REST'), rest()],
    ['the KV pair', pair('KV_REST_API'), rest()],
    ['both pairs', { ...pair('KV_REST_API', 'kv'), ...pair('UPSTASH_REDIS_REST') }, rest()],
    [
      'the integration behind a prefix',
      {
        ...pair('UPSTASH_REDIS_REST_KV_REST_API'),
        UPSTASH_REDIS_REST_KV_REST_API_READ_ONLY_TOKEN: 'read',
        UPSTASH_REDIS_REST_KV_URL: 'rediss://x',
        UPSTASH_REDIS_REST_REDIS_URL: 'rediss://x',
      },
      rest(),
    ],
    ['another prefix', pair('STORAGE_KV_REST_API'), rest()],
    [
      'a prefix that our own variables have too',
      {
        ...pair('KEEP_ALIVE_KV_REST_API'),
        KEEP_ALIVE_KV_REST_API_READ_ONLY_TOKEN: 'read',
        KEEP_ALIVE_KV_URL: 'rediss://x',
        KEEP_ALIVE_REDIS_URL: 'rediss://x',
      },
      rest(),
    ],
    [
      'no product behind such a prefix',
      { KEEP_ALIVE_REDIS_URL: 'redis://x' },
      expect.stringContaining('KEEP_ALIVE_REDIS_URL: unknown option'),
    ],
    [
      'a prefixed pair beside the plain one',
      { ...pair('KV_REST_API'), ...pair('P_KV_REST_API', 'p') },
      rest(),
    ],
    [
      'the integration as it is',
      { ...pair('KV_REST_API'), KV_REST_API_READ_ONLY_TOKEN: 'read', ...REDIS },
      rest(),
    ],
    ['Redis', REDIS, { kind: 'redis', url: REDIS.REDIS_URL }],
    ['Redis over TLS', { REDIS_URL: 'rediss://r' }, { kind: 'redis', url: 'rediss://r' }],
    ['Redis and a file', { ...REDIS, ...DATABASE }, { kind: 'redis', url: REDIS.REDIS_URL }],
    ['a file', DATABASE, { kind: 'sqlite', path: '/data/k.db' }],
    [
      'redis insisted on',
      { KEEP_ALIVE_STORE: 'redis', ...pair('KV_REST_API'), ...REDIS },
      { kind: 'redis', url: REDIS.REDIS_URL },
    ],
    [
      'sqlite insisted on',
      { KEEP_ALIVE_STORE: 'SQLite', ...REDIS, ...DATABASE },
      { kind: 'sqlite', path: '/data/k.db' },
    ],
    [
      'sqlite without a path',
      { KEEP_ALIVE_STORE: 'sqlite', ...REDIS },
      { kind: 'sqlite', path: 'keepalive.db' },
    ],
    ['a useless REDIS_URL that is not chosen', { ...pair('KV_REST_API'), REDIS_URL: 'x' }, rest()],
    [
      'half a pair where redis is insisted on',
      { KEEP_ALIVE_STORE: 'redis', KV_REST_API_URL: 'x', ...REDIS },
      { kind: 'redis', url: REDIS.REDIS_URL },
    ],
  ])('%s', (_, env, expected) => {
    expect(choose(env)).toEqual(expected);
  });

  it.each<[Env, string]>([
    [
      { UPSTASH_REDIS_REST_URL: 'https://u' },
      'UPSTASH_REDIS_REST_TOKEN: missing, UPSTASH_REDIS_REST_URL needs it',
    ],
    [
      { UPSTASH_REDIS_REST_TOKEN: 'u', ...pair('KV_REST_API') },
      'UPSTASH_REDIS_REST_URL: missing, UPSTASH_REDIS_REST_TOKEN needs it',
    ],
    [
      { KV_REST_API_URL: 'https://u', KV_REST_API_READ_ONLY_TOKEN: 'read', ...REDIS },
      'KV_REST_API_TOKEN: missing, KV_REST_API_URL needs it',
    ],
    [{ P_KV_REST_API_URL: 'https://u' }, 'P_KV_REST_API_TOKEN: missing, P_KV_REST_API_URL needs it'],
    [
      { ...pair('P_KV_REST_API'), ...pair('Q_KV_REST_API') },
      'Q_KV_REST_API_URL: a second database beside P_KV_REST_API_URL: set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN to the one to use',
    ],
    [
      pair('KV_REST_API', ' not a host'),
      'KV_REST_API_URL: expected an http:// or https:// address with a host and without user info',
    ],
    [{ REDIS_URL: 'https://r' }, 'REDIS_URL: expected a redis:// or rediss:// address with a host'],
    [
      { VERCEL: '1', KEEP_ALIVE_STORE: 'sqlite' },
      'KEEP_ALIVE_STORE: a function keeps no files: set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN',
    ],
    [
      { VERCEL: '1', ...DATABASE },
      'KEEP_ALIVE_DATABASE: a function keeps no files: set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN',
    ],
    [{ KEEP_ALIVE_STORE: 'mongo' }, 'KEEP_ALIVE_STORE: expected one of upstash, redis, sqlite'],
    [{ KEEP_ALIVE_STORE: 'redis' }, 'KEEP_ALIVE_STORE: this store needs REDIS_URL'],
    [
      { KEEP_ALIVE_STORE: 'upstash', ...REDIS },
      'KEEP_ALIVE_STORE: this store needs UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN',
    ],
  ])('%j: %s', (env, expected) => {
    expect(choose(env)).toBe(expected);
  });
});

describe('further databases', () => {
  const all = (env: Env) => {
    const result = parseConfig(env);
    return result.ok
      ? result.config.stores.map(({ number, store, variables }) => [number, store.kind, variables[0]])
      : formatProblems(result.problems);
  };
  const UPSTASH = pair('UPSTASH_REDIS_REST');
  const numbered = (stem: string, number: number, name = `u${number}`): Env => ({
    [`${stem}_URL_${number}`]: `https://${name}`,
    [`${stem}_TOKEN_${number}`]: name,
  });

  it.each<[string, Env, unknown]>([
    ['none', REDIS, [[1, 'redis', 'REDIS_URL']]],
    ['none beside the embedded one', {}, []],
    [
      'of any kind, with gaps between their numbers',
      {
        ...numbered('KV_REST_API', 9),
        ...UPSTASH,
        ...numbered('UPSTASH_REDIS_REST', 3),
        REDIS_URL_2: 'redis://r2',
      },
      [
        [1, 'upstash', 'UPSTASH_REDIS_REST_URL'],
        [2, 'redis', 'REDIS_URL_2'],
        [3, 'upstash', 'UPSTASH_REDIS_REST_URL_3'],
        [9, 'upstash', 'KV_REST_API_URL_9'],
      ],
    ],
    [
      'beside a first one behind a prefix',
      { ...pair('P_KV_REST_API'), REDIS_URL_2: 'redis://r2' },
      [
        [1, 'upstash', 'P_KV_REST_API_URL'],
        [2, 'redis', 'REDIS_URL_2'],
      ],
    ],
    [
      'two databases of one server',
      { ...REDIS, REDIS_URL_2: 'redis://r/1', REDIS_URL_3: 'redis://r:6380' },
      [
        [1, 'redis', 'REDIS_URL'],
        [2, 'redis', 'REDIS_URL_2'],
        [3, 'redis', 'REDIS_URL_3'],
      ],
    ],
  ])('%s', (_, env, expected) => {
    expect(all(env)).toEqual(expected);
  });

  it.each<[Env, string]>([
    [
      { ...UPSTASH, UPSTASH_REDIS_REST_URL_2: 'https://u2' },
      'UPSTASH_REDIS_REST_TOKEN_2: missing, UPSTASH_REDIS_REST_URL_2 needs it',
    ],
    [
      { ...UPSTASH, UPSTASH_REDIS_REST_TOKEN_2: 'u2' },
      'UPSTASH_REDIS_REST_URL_2: missing, UPSTASH_REDIS_REST_TOKEN_2 needs it',
    ],
    [
      { ...REDIS, REDIS_URL_2: 'https://r' },
      'REDIS_URL_2: expected a redis:// or rediss:// address with a host',
    ],
    [
      { ...REDIS, REDIS_URL_3: 'rediss://:other@R/0' },
      'REDIS_URL_3: the same database as REDIS_URL: set another one, or leave this out',
    ],
    [
      { ...UPSTASH, ...numbered('KV_REST_API', 2, 'u') },
      'KV_REST_API_URL_2: the same database as UPSTASH_REDIS_REST_URL: set another one, or leave this out',
    ],
    [
      { ...pair('KV_REST_API', 'a-1.upstash.io'), REDIS_URL_2: 'rediss://:p@a-1.upstash.io:6379' },
      'REDIS_URL_2: the same database as KV_REST_API_URL: set another one, or leave this out',
    ],
    [
      { ...REDIS, ...numbered('UPSTASH_REDIS_REST', 2), REDIS_URL_2: 'redis://r2' },
      'REDIS_URL_2: another database of this number is set by UPSTASH_REDIS_REST_URL_2: give one of them another',
    ],
    [
      { REDIS_URL_2: 'redis://r2' },
      'REDIS_URL_2: a further database without a first one: set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or REDIS_URL',
    ],
    [
      { ...DATABASE, REDIS_URL_2: 'redis://r2' },
      'REDIS_URL_2: a further database without a first one: set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or REDIS_URL',
    ],
    [
      { REDIS_URL: 'https://r', REDIS_URL_2: 'redis://r2' },
      'REDIS_URL: expected a redis:// or rediss:// address with a host',
    ],
  ])('%j: %s', (env, expected) => {
    expect(all(env)).toBe(expected);
  });

  it.each(['REDIS_URL_1', 'REDIS_URL_10', 'REDIS_URL2', 'UPSTASH_REDIS_REST_TOKEN_0'])(
    '%s has no effect, and a warning says so',
    (variable) => {
      const env = { ...REDIS, [variable]: 'redis://r2' };
      expect(all(env)).toEqual([[1, 'redis', 'REDIS_URL']]);
      expect(warningsOf(new Map(Object.entries(env)))).toEqual([
        {
          variable,
          message:
            'has no effect: the first database has no number in its variables, further ones have _2 to _9',
        },
      ]);
    },
  );
});
