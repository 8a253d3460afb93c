import { nowOf } from '../app.js';
import { loadHistory } from '../read/load.js';
import { freshness, hostWordOf, targetHistory } from '../read/stats.js';
import { targetPage } from '../view/target-page.js';
import { cachingOf } from './responses.js';
import { answerHtml, answerProblem } from './html.js';
import { pageEndpoint } from './page-endpoint.js';

/** `GET /t/<id>` */
export function answerTargetPage(request: Request, id: string): Promise<Response> {
  return pageEndpoint(request, async (app, reader) => {
    const { config } = app;
    const target = config.targets.find(({ info }) => info.id === id);
    if (target === undefined) return answerProblem('target_not_found', 'No target has this id.', {}, request);
    const now = nowOf(app);
    const history = await loadHistory(reader, id, now);
    const page = targetPage(targetHistory(config, target, history, now), freshness(config, history, now), {
      isPrivate: config.statsToken !== null,
      hostWord: target.hostToken && hostWordOf(target, history),
    });
    return answerHtml(page, 200, cachingOf(config));
  });
}
