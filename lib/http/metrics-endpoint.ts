import { nowOf } from '../app.js';
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
    const body = metricsText(stats(watchFor(request, config), overview, now));
    const type = 'text/plain; version=0.0.4; charset=utf-8';
    return answerDocument(request, { type, body }, cachingOf(config));
  });
}
