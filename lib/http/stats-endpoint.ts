import { nowOf } from '../app.js';
import { shownTarget } from '../read/audience.js';
import { loadOverview } from '../read/load.js';
import { pageOf } from '../read/paging.js';
import { ofAllShards, historyOf } from '../read/shards.js';
import { stats, targetHistory } from '../read/stats.js';
import { answerError, answerJson, cachingOf } from './responses.js';
import { readEndpoint, watchFor } from './endpoints.js';
import { pathOf } from './path.js';
import { targetsFilterOf } from './targets-filter.js';

/**
 * `GET /api/keepalive` and `GET /api/keepalive/<id>`. One function serves both: vercel.json sends the first to `_all`,
 * which is no target's id, and the URL of a request may hold either path.
 */
export function answerKeepalive(request: Request): Promise<Response> {
  const [id = '_all'] = pathOf(request).split('/').slice(3);
  return id === '_all' ? answerStats(request) : answerTarget(request, id);
}

function answerStats(request: Request): Promise<Response> {
  return readEndpoint(request, async (app, reader) => {
    const { config } = app;
    const filter = targetsFilterOf(request);
    if (filter instanceof Response) return filter;
    const asked = { ...filter, after: new URL(request.url).searchParams.get('after') };
    const now = nowOf(app);
    const overview = await ofAllShards(reader, config, (each) => loadOverview(each, now));
    const found = stats(watchFor(request, config), overview, now, (targets) => pageOf(targets, asked));
    return answerJson(found, 200, cachingOf(config));
  });
}

function answerTarget(request: Request, id: string): Promise<Response> {
  return readEndpoint(request, async (app, reader) => {
    const { config } = app;
    const watch = watchFor(request, config);
    const target = shownTarget(config.targets, id, watch.audience);
    if (target === undefined) return answerError('target_not_found', 'No target has this id.');
    const now = nowOf(app);
    const history = await historyOf(reader, id, config, now);
    return answerJson(targetHistory(watch, target, history, now), 200, cachingOf(config));
  });
}
