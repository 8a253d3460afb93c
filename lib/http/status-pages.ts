import type { App } from '../app.js';
import { loadHistory, loadSummary, type Reader } from '../read/load.js';
import { freshness, summary, targetHistory } from '../read/stats.js';
import { setUpPage } from '../view/notices.js';
import { statusPage } from '../view/status-page.js';
import { targetPage } from '../view/target-page.js';
import { cachingOf } from './answer.js';
import { answerInTime, guarded, readerOf, withApp } from './endpoints.js';
import { answerHtml, answerProblem } from './html.js';

/** `GET /` */
export function answerStatusPage(request: Request): Promise<Response> {
  return pageEndpoint(request, async ({ config }, reader) => {
    const now = Date.now();
    const found = summary(config, await loadSummary(reader, now), now);
    return answerHtml(statusPage(found, config.statsToken !== null), 200, cachingOf(config));
  });
}

/** `GET /t/<id>` */
export function answerTargetPage(request: Request, id: string): Promise<Response> {
  return pageEndpoint(request, async ({ config }, reader) => {
    const target = config.targets.find(({ info }) => info.id === id);
    if (target === undefined) return answerProblem(404, 'target_not_found', 'No target has this id.');
    const now = Date.now();
    const history = await loadHistory(reader, id, now);
    const page = targetPage(
      targetHistory(config, target, history, now),
      freshness(config, history, now),
      config.statsToken !== null,
    );
    return answerHtml(page, 200, cachingOf(config));
  });
}

/** A page that needs the store and something to watch, and says what to do where one is missing. */
function pageEndpoint(
  request: Request,
  answer: (app: App, reader: Reader) => Promise<Response>,
): Promise<Response> {
  return withApp(
    request,
    (app) =>
      guarded(
        request,
        app,
        ({ config }) => {
          const reader = readerOf(app);
          if (reader !== null && config.targets.length > 0) return answerInTime(app, reader, answer);
          const setUp = {
            hasStore: reader !== null,
            hasTargets: config.targets.length > 0,
            hasCronSecret: config.cronSecret !== null,
          };
          const page = setUpPage(setUp, config.statsToken !== null);
          return Promise.resolve(answerHtml(page, reader === null ? 503 : 200));
        },
        answerProblem,
      ),
    answerProblem,
  );
}
