import type { Problem } from './problems.js';
import { plainUrl, redisUrl } from './request.js';
import { expectationOf, oneOf, secret, type Value } from './values.js';

export type StoreConfig =
  | { readonly kind: 'upstash'; readonly url: string; readonly token: string }
  | { readonly kind: 'redis'; readonly url: string }
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'none' };

/** The file of the embedded database where none is named, in the working directory. */
export const DEFAULT_DATABASE = 'keepalive.db';

export const STORE_VARIABLES = [
  'KEEP_ALIVE_STORE',
  'KEEP_ALIVE_DATABASE',
  'UPSTASH_REDIS_REST_URL',
  'UPSTASH_REDIS_REST_TOKEN',
  'KV_REST_API_URL',
  'KV_REST_API_TOKEN',
  'REDIS_URL',
] as const;

const KINDS = oneOf(['upstash', 'redis', 'sqlite']);

/** An address and its token are set together. */
type Pair = readonly [url: string, token: string];

const PLAIN_PAIRS: readonly Pair[] = [
  ['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'],
  ['KV_REST_API_URL', 'KV_REST_API_TOKEN'],
];

/**
 * Chooses the store, from what is set and never from what answers: the first of the Upstash pair, the KV pair, a pair
 * behind a prefix (the Upstash integration lets its user choose one), `REDIS_URL`, `KEEP_ALIVE_DATABASE`; else none.
 * `KEEP_ALIVE_STORE` narrows the choice to one kind. Only what is chosen has to be valid, but half a pair is a problem
 * wherever it stands before the choice. `…_READ_ONLY_TOKEN` is never used.
 */
export function chooseStore(texts: ReadonlyMap<string, string>, problems: Problem[]): StoreConfig {
  const problem = (variable: string, message: string): StoreConfig => {
    problems.push({ variable, message });
    return { kind: 'none' };
  };
  const valid = <T>(variable: string, schema: Value<T>): T | undefined => {
    const result = schema.safeParse(texts.get(variable));
    if (!result.success) problem(variable, expectationOf(result.error));
    return result.data;
  };
  const kind = texts.has('KEEP_ALIVE_STORE') ? valid('KEEP_ALIVE_STORE', KINDS) : 'first';
  if (kind === undefined) return { kind: 'none' };

  if (kind === 'first' || kind === 'upstash') {
    const [pair, second] = restPairs(texts);
    if (pair !== undefined && second !== undefined) {
      return problem(
        second[0],
        `a second database beside ${pair[0]}: set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN to the one to use`,
      );
    }
    if (pair !== undefined) {
      if (!texts.has(pair[0])) return problem(pair[0], `missing, ${pair[1]} needs it`);
      if (!texts.has(pair[1])) return problem(pair[1], `missing, ${pair[0]} needs it`);
      const url = valid(pair[0], plainUrl);
      const token = valid(pair[1], secret(1));
      return url === undefined || token === undefined ? { kind: 'none' } : { kind: 'upstash', url, token };
    }
    if (kind === 'upstash') {
      return problem(
        'KEEP_ALIVE_STORE',
        'this store needs UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN',
      );
    }
  }
  if (kind === 'redis' && !texts.has('REDIS_URL'))
    return problem('KEEP_ALIVE_STORE', 'this store needs REDIS_URL');
  if (kind === 'redis' || (kind === 'first' && texts.has('REDIS_URL'))) {
    const url = valid('REDIS_URL', redisUrl);
    return url === undefined ? { kind: 'none' } : { kind: 'redis', url };
  }
  const path = texts.get('KEEP_ALIVE_DATABASE');
  if (kind === 'first' && path === undefined) return { kind: 'none' };
  // Vercel sets it wherever it builds or runs something.
  if (texts.has('VERCEL')) {
    const variable = kind === 'sqlite' ? 'KEEP_ALIVE_STORE' : 'KEEP_ALIVE_DATABASE';
    return problem(
      variable,
      'a function keeps no files: set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN',
    );
  }
  return { kind: 'sqlite', path: path ?? DEFAULT_DATABASE };
}

/** The names of the variables that a store was chosen by; none where it is the default. */
export function variablesOf(
  store: StoreConfig,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  switch (store.kind) {
    case 'upstash': {
      const set = Object.entries(env).filter(([, text = '']) => text.trim() !== '');
      return restPairs(new Map(set.map(([variable]) => [variable, '']))).flat();
    }
    case 'redis':
      return ['REDIS_URL'];
    case 'sqlite':
      return ['KEEP_ALIVE_DATABASE'];
    case 'none':
      return [];
  }
}

/** The first plain pair of which anything is set; else all prefixed ones. */
function restPairs(texts: ReadonlyMap<string, string>): readonly Pair[] {
  const plain = PLAIN_PAIRS.find((pair) => pair.some((variable) => texts.has(variable)));
  if (plain !== undefined) return [plain];
  const stems = [...texts.keys()]
    .filter((variable) => !variable.startsWith('TARGET_'))
    .map((variable) => /^(.+_(?:KV_REST_API|UPSTASH_REDIS_REST))_(?:URL|TOKEN)$/.exec(variable)?.[1])
    .filter((stem) => stem !== undefined);
  return [...new Set(stems)].sort().map((stem) => [`${stem}_URL`, `${stem}_TOKEN`]);
}
