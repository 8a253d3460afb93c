import type { App } from '../app.js';
import { getApp, perApp } from '../app.js';
import type { Config, Problem } from '../config/config.js';
import { readEnv } from '../config/env.js';
import type { Audience } from '../read/audience.js';
import type { ShardedReader } from '../read/shards.js';
import { READ_LIMIT, RecentReader } from '../read/recent.js';
import { withinLimit } from '../store/retry.js';
import { StoreError } from '../store/store.js';
import type { PageSettings } from '../types.js';
import { fitted, tooLargeText } from './answer-size.js';
import { readableAnywhere } from './cors.js';
import { answerError, bears } from './responses.js';
import type { ErrorCode } from './error-codes.js';
import { isFromOtherOrigin } from './origin.js';
import { hasSession } from './session.js';

/** The reader that all requests of an app share; null where there is no store. */
export const readerOf = perApp(({ store }) => (store === null ? null : new RecentReader(store)));

/** The answer of an endpoint that reads the store, or `store_timeout` after READ_LIMIT. */
export function answerInTime(
  app: App,
  reader: ShardedReader,
  answer: (app: App, reader: ShardedReader) => Promise<Response>,
): Promise<Response> {
  return withinLimit(READ_LIMIT, answer(app, reader));
}

interface ReadOptions {
  /** Whether anybody may read even what is private otherwise. */
  readonly isPublic?: (config: Config) => boolean;
  /** Parameters of the address that ask for less, in words. */
  readonly filters?: string;
}

/** A read endpoint for programs that needs the store. */
export function readEndpoint(
  request: Request,
  answer: (app: App, reader: ShardedReader) => Promise<Response>,
  { isPublic = () => false, filters = '' }: ReadOptions = {},
): Promise<Response> {
  const found = withApp(request, (app) => {
    const reader = readerOf(app);
    const work = async (): Promise<Response> => {
      if (reader === null) return noStore();
      const whole = await fitted(request, await answerInTime(app, reader, answer), app.config);
      if (whole instanceof Response) return whole;
      return answerError('answer_too_large', tooLargeText(whole, filters));
    };
    return isPublic(app.config) ? work() : guarded(request, app, work);
  });
  return readableAnywhere(found);
}

/** Makes the response to an error: JSON or a page. */
export type ErrorResponder = (
  code: ErrorCode,
  message: string,
  details: { readonly problems?: readonly Problem[] },
  request: Request,
  /** Of the configuration; undefined where that is not valid. */
  page?: PageSettings,
) => Response | Promise<Response>;

/**
 * Who asks: nobody is trusted where there is no STATS_TOKEN to show. A session counts on our own pages only, not for
 * scripts of other origins.
 */
export function audienceOf(request: Request, { statsToken }: Pick<Config, 'statsToken'>): Audience {
  if (statsToken === null) return 'public';
  const isTrusted =
    bears(request, statsToken) ||
    (!isFromOtherOrigin(request) && hasSession(request, statsToken, Date.now()));
  return isTrusted ? 'trusted' : 'public';
}

/** What is watched, for views that whoever asks may see. */
export function watchFor(request: Request, config: Config): Config & { readonly audience: Audience } {
  return { ...config, audience: audienceOf(request, config) };
}

/** Anybody may read. Where STATS_TOKEN is set, only those who are trusted may. */
export async function guarded(
  request: Request,
  app: App,
  answer: (app: App) => Promise<Response>,
  respond: ErrorResponder = answerError,
): Promise<Response> {
  const { statsToken, page } = app.config;
  if (statsToken !== null && audienceOf(request, app.config) !== 'trusted') {
    return respond(
      'unauthorized',
      'This status is private: send STATS_TOKEN as a bearer.',
      {},
      request,
      page,
    );
  }
  return answer(app);
}

/**
 * Answers with the app of this process; any error becomes a response with an error code.
 * @param mayBeOld as of `getApp`
 */
export async function withApp(
  request: Request,
  answer: (app: App) => Promise<Response>,
  respond: ErrorResponder = answerError,
  mayBeOld?: number,
): Promise<Response> {
  let page: PageSettings | undefined;
  try {
    const result = await getApp(mayBeOld);
    if (result.ok) page = result.app.config.page;
    return result.ok ? await answer(result.app) : await configInvalid(request, result.problems, respond);
  } catch (error) {
    if (error instanceof StoreError) return await respond(error.code, error.message, {}, request, page);
    console.error(error);
    return await respond(
      'internal',
      'Something went wrong in Keepalive. The log has the details.',
      {},
      request,
      page,
    );
  }
}

export function noStore(): Response {
  return answerError(
    'store_missing',
    'No database is configured: set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or REDIS_URL.',
  );
}

/** Requests that send CRON_SECRET get the list of problems. It names variables and holds no value. */
function configInvalid(
  request: Request,
  problems: readonly Problem[],
  respond: ErrorResponder,
): Response | Promise<Response> {
  const secret = readEnv().CRON_SECRET?.trim();
  const details = secret && bears(request, secret) ? { problems } : {};
  return respond('config_invalid', 'The configuration is not valid.', details, request);
}
