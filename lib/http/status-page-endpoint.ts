import { nowOf } from '../app.js';
import { loadSummary } from '../read/load.js';
import { summary } from '../read/stats.js';
import { statusPage } from '../view/status-page.js';
import { cachingOf } from './responses.js';
import { answerHtml } from './html.js';
import { pageEndpoint } from './page-endpoint.js';

/** `GET /` */
export function answerStatusPage(request: Request): Promise<Response> {
  return pageEndpoint(request, async (app, reader) => {
    const { config } = app;
    const now = nowOf(app);
    const found = summary(config, await loadSummary(reader, now), now);
    return answerHtml(statusPage(found, { isPrivate: config.statsToken !== null }), 200, cachingOf(config));
  });
}
