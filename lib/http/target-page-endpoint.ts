import { nowOf } from '../app.js';
import { shownTarget } from '../read/audience.js';
import { historyOf } from '../read/shards.js';
import { freshness, hostWordOf, targetHistory } from '../read/stats.js';
import { targetPage } from '../view/target-page.js';
import { cachingOf } from './responses.js';
import { watchFor } from './endpoints.js';
import { answerHtml, answerProblem } from './html.js';
import { pageEndpoint, siteFor } from './page-endpoint.js';

/** `GET /t/<id>` */
export function answerTargetPage(request: Request, id: string): Promise<Response> {
  return pageEndpoint(request, async (app, reader) => {
    const { config } = app;
    const watch = watchFor(request, config);
    const target = shownTarget(config.targets, id, watch.audience);
    if (target === undefined) {
      return answerProblem('target_not_found', 'No target has this id.', {}, request, config.page);
    }
    const now = nowOf(app);
    const history = await historyOf(reader, id, config, now);
    const site = await siteFor(request, config);
    const html = targetPage(
      targetHistory(watch, target, history, now),
      freshness(watch, history, now),
      site,
      target.hostToken && hostWordOf(target, history),
    );
    return answerHtml(html, site, { caching: cachingOf(config) });
  });
}
