import type { App } from '../app.js';
import { getApp } from '../app.js';
import type { Config, Problem } from '../config/config.js';
import { readEnv } from '../config/env.js';
import type { Store } from '../store/store.js';
import { StoreError } from '../store/store.js';
import { answerError, bears } from './answer.js';

/** A read endpoint that needs the store. @param isPublic whether anybody may read even what is private otherwise */
export function readEndpoint(
  request: Request,
  answer: (app: App, store: Store) => Promise<Response>,
  isPublic: (config: Config) => boolean = () => false,
): Promise<Response> {
  return withApp(request, (app) => {
    const work = ({ store }: App): Promise<Response> =>
      store === null ? Promise.resolve(noStore()) : answer(app, store);
    return isPublic(app.config) ? work(app) : guarded(request, app, work);
  });
}

/** Anybody may read; with STATS_TOKEN set, whoever bears it. */
export async function guarded(
  request: Request,
  app: App,
  answer: (app: App) => Promise<Response>,
): Promise<Response> {
  const { statsToken } = app.config;
  if (statsToken !== null && !bears(request, statsToken)) {
    return answerError(401, 'unauthorized', 'This status is private: send STATS_TOKEN as a bearer.');
  }
  return answer(app);
}

/** Whatever goes wrong becomes an answer with a code. */
export async function withApp(request: Request, answer: (app: App) => Promise<Response>): Promise<Response> {
  try {
    const result = await getApp();
    return result.ok ? await answer(result.app) : configInvalid(request, result.problems);
  } catch (error) {
    if (error instanceof StoreError) return answerError(503, error.code, error.message);
    console.error(error);
    return answerError(500, 'internal', 'Keepalive failed; its log says how.');
  }
}

export function noStore(): Response {
  return answerError(
    503,
    'store_missing',
    'No database is configured: set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or REDIS_URL.',
  );
}

/** Who bears the secret sees the list; it names variables and never holds a value. */
function configInvalid(request: Request, problems: readonly Problem[]): Response {
  const secret = readEnv().CRON_SECRET?.trim() ?? '';
  const details = secret !== '' && bears(request, secret) ? { problems } : {};
  return answerError(500, 'config_invalid', 'The configuration is not valid.', details);
}
