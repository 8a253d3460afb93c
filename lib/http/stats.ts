import { loadHistory, loadOverview } from '../read/load.js';
import { stats, targetHistory } from '../read/stats.js';
import { answerError, answerJson, cachingOf } from './answer.js';
import { readEndpoint } from './endpoints.js';

/** `GET /api/keepalive` */
export function answerStats(request: Request): Promise<Response> {
  return readEndpoint(request, async ({ config }, reader) => {
    const now = Date.now();
    return answerJson(stats(config, await loadOverview(reader, now), now), 200, cachingOf(config));
  });
}

/** `GET /api/keepalive/<id>` */
export function answerTarget(request: Request): Promise<Response> {
  return readEndpoint(request, async ({ config }, reader) => {
    const id = new URL(request.url).pathname.split('/').at(-1) ?? '';
    const target = config.targets.find(({ info }) => info.id === id);
    if (target === undefined) return answerError(404, 'target_not_found', 'No target has this id.');
    const now = Date.now();
    const history = await loadHistory(reader, id, now);
    return answerJson(targetHistory(config, target, history, now), 200, cachingOf(config));
  });
}
