import { StoreError, type StoreErrorCode } from './store.js';

/** What Redis itself can say. */
type RefusalCode = Exclude<StoreErrorCode, 'store_mismatch'>;

/**
 * What the first word of a Redis error means (https://redis.io/docs/latest/develop/reference/protocol-spec/); before
 * Redis 7, an error inside a script has it in the middle.
 */
const WORDS: ReadonlyMap<string, RefusalCode> = new Map(
  Object.entries<RefusalCode>({
    NOAUTH: 'store_denied',
    WRONGPASS: 'store_denied',
    NOPERM: 'store_denied',
    READONLY: 'store_denied',
    OOM: 'store_limit',
    WRONGTYPE: 'store_corrupt',
    LOADING: 'store_unreachable',
    BUSY: 'store_unreachable',
    MASTERDOWN: 'store_unreachable',
    CLUSTERDOWN: 'store_unreachable',
    // Another node of a cluster has the keys, or is about to: asked again, the store looks where.
    MOVED: 'store_unreachable',
    ASK: 'store_unreachable',
    TRYAGAIN: 'store_unreachable',
  }),
);

/**
 * Refusals that have only `ERR` for a first word. The limits are those of
 * https://upstash.com/docs/redis/troubleshooting (2026-11); `invalid password` is what Redis 5 answers to AUTH, and
 * `unauthenticated` what Redis says before a login to a command with more than ten words.
 */
const PHRASES: readonly (readonly [RegExp, RefusalCode])[] = [
  [/^ERR (invalid password|Client sent AUTH|Protocol error: unauthenticated)|^Unauthorized/i, 'store_denied'],
  [/^ERR max (concurrent connections|number of clients)/, 'store_unreachable'],
  [/^ERR .*\b(limit|quota|size) exceeded/, 'store_limit'],
];

const MEANINGS: Readonly<Record<RefusalCode, string>> = {
  store_denied: 'the store refused access',
  store_limit: "the store's allowance is used up",
  store_corrupt: 'the store holds something else under these keys',
  store_unreachable: 'the store is not ready',
  store_timeout: 'the store did not answer in time',
  store_answer: 'the store answered with an error',
};

/** The keys of one command have to be in one slot of a cluster. They are where a part of their names is in braces. */
const CLUSTER = 'Redis runs in cluster mode: set KEEP_ALIVE_PREFIX to a name in braces, such as {keepalive}';

/** Turns the text of a Redis error into an error that holds nothing of it but its first word. */
export function refusal(text: string): StoreError {
  const word = /^[A-Z]+\b/.exec(text)?.[0] ?? '';
  const inScript =
    word === 'ERR' ? [...WORDS.keys()].find((known) => text.includes(`: ${known} `)) : undefined;
  const code =
    WORDS.get(inScript ?? word) ?? PHRASES.find(([pattern]) => pattern.test(text))?.[1] ?? 'store_answer';
  const detail = inScript ?? word;
  if (detail === 'CROSSSLOT') return new StoreError('store_answer', `${CLUSTER} (CROSSSLOT)`);
  return new StoreError(code, detail ? `${MEANINGS[code]} (${detail})` : MEANINGS[code]);
}
