import type { App } from '../app.js';
import { nowOf } from '../app.js';
import { loadSummary } from '../read/load.js';
import { ofAllShards, type ShardedReader } from '../read/shards.js';
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

/** `GET /`, with `?q=` and `?status=` for some of the services, and `?page=` where there are many. */
export function answerStatusPage(request: Request): Promise<Response> {
  const { searchParams } = new URL(request.url);
  const filter = readFilter(searchParams);
  const page = /^[1-9]\d{0,5}$/.exec(searchParams.get('page') ?? '')?.[0] ?? '1';
  return answerSummary(request, (found, site) => statusPage(found, site, filter, Number(page)));
}

/** `GET /history` */
export function answerHistoryPage(request: Request): Promise<Response> {
  return answerSummary(request, historyPage);
}

function answerSummary(request: Request, render: (found: Summary, site: Site) => string): Promise<Response> {
  return pageEndpoint(request, async (app: App, reader: ShardedReader) => {
    const { config } = app;
    const now = nowOf(app);
    const loaded = await ofAllShards(reader, config, (each, shards) => loadSummary(each, now, shards));
    const found = summary(watchFor(request, config), loaded, now);
    const site = await siteFor(request, config);
    const html = found.targets.length === 0 ? nothingShownPage(site) : render(found, site);
    return answerHtml(html, site, { caching: cachingOf(config) });
  });
}
