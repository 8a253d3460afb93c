import type { Problem } from './problems.js';
import { plainUrl, redisUrl } from './request.js';
import { expectationOf, oneOf, secret, type Value } from './values.js';

export type StoreConfig =
  | { readonly kind: 'upstash'; readonly url: string; readonly token: string }
  | { readonly kind: 'redis'; readonly url: string }
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'none' };

/** A database on another machine. */
type RemoteChoice = Extract<StoreConfig, { readonly kind: 'upstash' | 'redis' }>;

/** One of the databases over which shards are spread. */
export interface NumberedStore {
  /** That of its variables; the first is 1, and its variables have none. */
  readonly number: number;
  readonly store: RemoteChoice;
  /** Those that it was chosen by. */
  readonly variables: readonly string[];
}

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

/** What the names of further databases end with, behind `_`. */
const NUMBERS = [2, 3, 4, 5, 6, 7, 8, 9] as const;
const OF_DATABASE = [...PLAIN_PAIRS.flat(), 'REDIS_URL'];

/** `REDIS_URL_2`: of a further database. */
export function isNumbered(variable: string): boolean {
  const [, name = '', number] = /^(\w+)_(\d)$/.exec(variable) ?? [];
  return OF_DATABASE.includes(name) && NUMBERS.some((each) => each === Number(number));
}

/** `REDIS_URL_1`, `REDIS_URL2`: it looks like a variable of a further database, and is none. */
export function isWronglyNumbered(variable: string): boolean {
  const [, name = ''] = /^(\w*[A-Z])_?\d{1,4}$/.exec(variable) ?? [];
  return OF_DATABASE.includes(name) && !isNumbered(variable);
}

/** What a numbered variable has to be called. */
export const NUMBERED_NAMES = 'the first database has no number in its variables, further ones have _2 to _9';

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

/**
 * All databases over which shards are spread, the first one included; none where that is the embedded one. The others have
 * the names of its variables with a number behind them. Whatever is set of them has to be valid.
 */
export function chooseStores(
  first: StoreConfig,
  texts: ReadonlyMap<string, string>,
  problems: Problem[],
): readonly NumberedStore[] {
  const isFirstInvalid = first.kind === 'none' && problems.length > 0;
  const found = NUMBERS.flatMap((number) => chooseNumbered(number, texts, problems) ?? []);
  if (first.kind === 'none' || first.kind === 'sqlite') {
    for (const { variables } of isFirstInvalid ? [] : found) {
      const [variable = ''] = variables;
      const message =
        'a further database without a first one: set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or REDIS_URL';
      problems.push({ variable, message });
    }
    return [];
  }
  const variables = variablesOf(first, Object.fromEntries(texts));
  const all: readonly NumberedStore[] = [{ number: 1, store: first, variables }, ...found];
  for (const [i, { store, variables }] of all.entries()) {
    const twin = all.slice(0, i).find((other) => isSameDatabase(other.store, store));
    if (twin === undefined) continue;
    const message = `the same database as ${twin.variables[0]}: set another one, or leave this out`;
    problems.push({ variable: variables[0] ?? '', message });
  }
  return all;
}

/** Null: there is no database of this number, or it is not valid. */
function chooseNumbered(
  number: number,
  texts: ReadonlyMap<string, string>,
  problems: Problem[],
): NumberedStore | null {
  const problem = (variable: string, message: string): null => {
    problems.push({ variable, message });
    return null;
  };
  const valid = (variable: string, schema: Value<string>): string | null => {
    const result = schema.safeParse(texts.get(variable));
    return result.success ? result.data : problem(variable, expectationOf(result.error));
  };
  const names = [...PLAIN_PAIRS, ['REDIS_URL'] as const].map((all) => all.map((name) => `${name}_${number}`));
  const [variables, second] = names.filter((all) => all.some((name) => texts.has(name)));
  const [address = '', tokenVariable] = variables ?? [];
  if (variables === undefined) return null;
  if (second !== undefined) {
    const [other = ''] = second.filter((name) => texts.has(name));
    return problem(other, `another database of this number is set by ${address}: give one of them another`);
  }
  const missing = variables.find((name) => !texts.has(name));
  if (missing !== undefined)
    return problem(missing, `missing, ${variables.find((name) => texts.has(name))} needs it`);
  if (tokenVariable === undefined) {
    const url = valid(address, redisUrl);
    return url === null ? null : { number, store: { kind: 'redis', url }, variables };
  }
  const url = valid(address, plainUrl);
  const token = valid(tokenVariable, secret(1));
  return url === null || token === null
    ? null
    : { number, store: { kind: 'upstash', url, token }, variables };
}

/** An Upstash database has one host for its REST API and for Redis itself. */
function isSameDatabase(one: RemoteChoice, other: RemoteChoice): boolean {
  const [a, b] = [new URL(one.url), new URL(other.url)];
  if (a.hostname.toLowerCase() !== b.hostname.toLowerCase()) return false;
  if (one.kind !== other.kind || a.hostname.endsWith('.upstash.io'))
    return a.hostname.endsWith('.upstash.io');
  const place = ({ port, pathname }: URL): string =>
    one.kind === 'upstash' ? port : `${port || '6379'}/${Number(pathname.slice(1))}`;
  return place(a) === place(b);
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
