import type { App } from '../app.js';
import { nowOf } from '../app.js';
import { loadSummary, type Reader } from '../read/load.js';
import { summary } from '../read/stats.js';
import type { Summary } from '../read/views.js';
import { readFilter } from '../view/filter.js';
import { historyPage } from '../view/history-page.js';
import type { Site } from '../view/site.js';
import { nothingShownPage } from '../view/notices.js';
import { statusPage } from '../view/status-page.js';
import { cachingOf } from './responses.js';
import { answerHtml } from './html.js';
import { watchFor } from './endpoints.js';
import { pageEndpoint, siteFor } from './page-endpoint.js';

/** `GET /`, with `?q=` and `?status=` for some of the services. */
export function answerStatusPage(request: Request): Promise<Response> {
  const filter = readFilter(new URL(request.url).searchParams);
  return answerSummary(request, (found, site) => statusPage(found, site, filter));
}

/** `GET /history` */
export function answerHistoryPage(request: Request): Promise<Response> {
  return answerSummary(request, historyPage);
}

function answerSummary(request: Request, render: (found: Summary, site: Site) => string): Promise<Response> {
  return pageEndpoint(request, async (app: App, reader: Reader) => {
    const { config } = app;
    const now = nowOf(app);
    const found = summary(watchFor(request, config), await loadSummary(reader, now), now);
    const site = await siteFor(request, config);
    const html = found.targets.length === 0 ? nothingShownPage(site) : render(found, site);
    return answerHtml(html, site, { caching: cachingOf(config) });
  });
}
