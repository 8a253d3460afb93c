import { nowOf, type App } from '../app.js';
import { peerHosts } from '../config/peers.js';
import { peersCheck } from '../read/health.js';
import { loadOverview } from '../read/load.js';
import { filtered } from '../read/paging.js';
import { ofAllShards, type ShardedReader } from '../read/shards.js';
import { stats } from '../read/stats.js';
import { metricsText } from '../view/metrics-text.js';
import { cachingOf } from './responses.js';
import { answerDocument } from './document.js';
import { readEndpoint, watchFor } from './endpoints.js';
import { FILTERS, targetsFilterOf } from './targets-filter.js';

/** `GET /api/metrics`, with `?group=` and `?status=` for some of the targets. */
export function answerMetrics(request: Request): Promise<Response> {
  const answer = async (app: App, reader: ShardedReader): Promise<Response> => {
    const { config } = app;
    const filter = targetsFilterOf(request);
    if (filter instanceof Response) return filter;
    const now = nowOf(app);
    const overview = await ofAllShards(reader, config, (each) => loadOverview(each, now));
    const { tick, peers } = config;
    const watched = peersCheck(overview.state, { tick, peers: peerHosts(peers) });
    const asked = stats(watchFor(request, config), overview, now, (targets) => ({
      targets: filtered(targets, filter),
    }));
    const type = 'text/plain; version=0.0.4; charset=utf-8';
    return answerDocument(request, { type, body: metricsText(asked, watched) }, cachingOf(config));
  };
  return readEndpoint(request, answer, { filters: FILTERS });
}
