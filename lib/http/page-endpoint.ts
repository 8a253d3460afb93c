import type { App } from '../app.js';
import type { Config } from '../config/config.js';
import type { ShardedReader } from '../read/shards.js';
import type { Site } from '../view/site.js';
import { setUpPage } from '../view/notices.js';
import { fitted, tooLargeText } from './answer-size.js';
import { answerInTime, guarded, noStore, readerOf, withApp } from './endpoints.js';
import { answerHtml, answerProblem, prefersHtml } from './html.js';
import { wordsFor } from './language.js';

export async function siteFor(request: Request, { statsToken, page }: Config): Promise<Site> {
  return { isPrivate: statsToken !== null, page, words: await wordsFor(request, page) };
}

/** A page that needs the store and something to watch, and says what to do where one is missing. */
export function pageEndpoint(
  request: Request,
  answer: (app: App, reader: ShardedReader) => Promise<Response>,
): Promise<Response> {
  return withApp(
    request,
    (app) =>
      guarded(
        request,
        app,
        async ({ config }) => {
          const reader = readerOf(app);
          if (reader !== null && config.targets.length > 0) {
            const whole = await fitted(request, await answerInTime(app, reader, answer), config);
            if (whole instanceof Response) return whole;
            return answerProblem('answer_too_large', tooLargeText(whole, ''), {}, request, config.page);
          }
          if (reader === null && !prefersHtml(request)) return noStore();
          const setUp = {
            hasStore: reader !== null,
            hasTargets: config.targets.length > 0,
            hasCronSecret: config.cronSecret !== null,
          };
          const site = await siteFor(request, config);
          return answerHtml(setUpPage(setUp, site), site, { status: reader === null ? 503 : 200 });
        },
        answerProblem,
      ),
    answerProblem,
  );
}
