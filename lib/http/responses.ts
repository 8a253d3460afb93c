import { createHash, timingSafeEqual } from 'node:crypto';
import { ERROR_STATUS, type ErrorCode } from './error-codes.js';

/** At the edge a busy page costs one read every few seconds, and a stale answer is better than a slow one. */
const SHARED_CACHE = 'public, max-age=0, s-maxage=5, stale-while-revalidate=15';

/** Pages that show a badge have a cache of their own, which keeps to this. */
const BADGE_CACHE = 'public, max-age=30, s-maxage=30, stale-while-revalidate=60';

export type Caching = 'shared' | 'badge' | 'never';

const CACHE_CONTROL: Readonly<Record<Caching, string>> = {
  shared: SHARED_CACHE,
  badge: BADGE_CACHE,
  never: 'private, no-store',
};

/** To a peer that is this installation itself. */
export const ASKS_ITSELF =
  'This installation asks itself: set KEEP_ALIVE_PUBLIC_URL, or leave it out of KEEP_ALIVE_PEERS.';

/** On every response: browsers must not guess another content type. */
export const NO_SNIFFING = { 'x-content-type-options': 'nosniff' } as const;

export function answerJson(body: unknown, status = 200, caching: Caching = 'never'): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': cacheControl(status, caching),
      ...NO_SNIFFING,
    },
  });
}

/** No cache keeps a refusal or an error. */
export function cacheControl(status: number, caching: Caching): string {
  return CACHE_CONTROL[status === 200 || status === 304 ? caching : 'never'];
}

/** Private responses must not be kept in a shared cache. */
export function cachingOf({ statsToken }: { readonly statsToken: string | null }): Caching {
  return statsToken === null ? 'shared' : 'never';
}

/** `{ "error": { "code", "message" } }`; `details` stand beside them. */
export function answerError(code: ErrorCode, message: string, details: object = {}): Response {
  const answer = answerJson({ error: { code, message, ...details } }, ERROR_STATUS[code]);
  if (code === 'unauthorized') answer.headers.set('www-authenticate', 'Bearer');
  return answer;
}

/** Whether the request bears the secret. */
export function bears(request: Request, secret: string): boolean {
  const header = request.headers.get('authorization');
  const [, given] = (header !== null && /^Bearer (.+)$/i.exec(header)) || [];
  return given !== undefined && isSame(given, secret);
}

/** Takes the same time however much of the secret is right. */
export function isSame(given: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}
