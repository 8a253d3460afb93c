import { nowOf } from '../app.js';
import type { App } from '../app.js';
import { shownTarget } from '../read/audience.js';
import { daysEnded, WINDOWS, type Window } from '../read/load.js';
import { overviewOf, type ShardedReader } from '../read/shards.js';
import { latencyWithin, stats } from '../read/stats.js';
import {
  badgeOf,
  errorBadge,
  METRICS,
  renderShields,
  renderSvg,
  type Badge,
  type Metric,
} from '../view/badge-image.js';
import type { Caching } from './responses.js';
import { answerDocument } from './document.js';
import { audienceOf, readEndpoint } from './endpoints.js';
import { pathOf } from './path.js';

export const FORMATS = ['svg', 'shields'] as const;
const USUAL_WINDOW: Readonly<Record<Metric, Window>> = { status: '24h', uptime: '30d', latency: '24h' };

/** `GET /api/badge/<id>`. A mistake in the request is told on the badge: where it is shown, nothing else is seen. */
export function answerBadge(request: Request): Promise<Response> {
  return readEndpoint(
    request,
    async (app, reader) => {
      const { searchParams } = new URL(request.url);
      const { status, badge } = await find(request, app, reader);
      const { statsToken, publicBadges } = app.config;
      // What is only for callers with the token is in no cache that others share.
      const isShared = statsToken === null || (publicBadges && audienceOf(request, app.config) === 'public');
      const caching: Caching = isShared ? 'badge' : 'never';
      const document =
        searchParams.get('format') === 'shields'
          ? { type: 'application/json; charset=utf-8', body: renderShields(badge) }
          : { type: 'image/svg+xml; charset=utf-8', body: await renderSvg(badge) };
      return answerDocument(request, document, caching, status);
    },
    { isPublic: ({ publicBadges }) => publicBadges },
  );
}

async function find(
  request: Request,
  app: App,
  reader: ShardedReader,
): Promise<{ readonly status: number; readonly badge: Badge }> {
  const { config } = app;
  const { searchParams } = new URL(request.url);
  const pathname = pathOf(request);
  const label = searchParams.get('label');
  const wrong = (status: number, message: string) => ({ status, badge: errorBadge(message, label) });

  const id = pathname.slice(pathname.lastIndexOf('/') + 1);
  const audience = audienceOf(request, config);
  const target = shownTarget(config.targets, id, audience);
  if (target === undefined) return wrong(404, 'not found');
  const metric = chosen(METRICS, searchParams.get('metric') ?? 'status');
  if (metric === undefined) return wrong(400, 'unknown metric');
  const window = chosen(WINDOWS, searchParams.get('window') ?? USUAL_WINDOW[metric]);
  if (window === undefined) return wrong(400, 'unknown window');
  if (!chosen(FORMATS, searchParams.get('format') ?? 'svg')) return wrong(400, 'unknown format');

  const now = nowOf(app);
  const watch = { ...config, audience, targets: [target] };
  const days = metric === 'latency' ? daysEnded(window, now) : [];
  const overview = await overviewOf(reader, id, config, { now, days });
  const [found] = stats(watch, overview, now).targets;
  if (found === undefined) return wrong(404, 'not found');
  const latency = metric === 'latency' ? latencyWithin(watch, target, overview, window, now).p50 : null;
  return { status: 200, badge: badgeOf({ target: found, metric, window, latency, now, label }) };
}

function chosen<T extends string>(words: readonly T[], word: string): T | undefined {
  return words.find((each) => each === word);
}
