import { nowOf } from '../app.js';
import { peerHosts } from '../config/peers.js';
import { peersCheck } from '../read/health.js';
import { loadOverview } from '../read/load.js';
import { ofAllShards } from '../read/shards.js';
import { stats } from '../read/stats.js';
import { metricsText } from '../view/metrics-text.js';
import { cachingOf } from './responses.js';
import { answerDocument } from './document.js';
import { readEndpoint, watchFor } from './endpoints.js';

/** `GET /api/metrics` */
export function answerMetrics(request: Request): Promise<Response> {
  return readEndpoint(request, async (app, reader) => {
    const { config } = app;
    const now = nowOf(app);
    const overview = await ofAllShards(reader, config, (each) => loadOverview(each, now));
    const { tick, peers } = config;
    const watched = peersCheck(overview.state, { tick, peers: peerHosts(peers) });
    const body = metricsText(stats(watchFor(request, config), overview, now), watched);
    const type = 'text/plain; version=0.0.4; charset=utf-8';
    return answerDocument(request, { type, body }, cachingOf(config));
  });
}
