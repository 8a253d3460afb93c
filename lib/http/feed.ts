import { recentIncidents } from '../read/incidents.js';
import { loadLatestIncidents } from '../read/load.js';
import { atomFeed } from '../view/feed.js';
import { cachingOf } from './answer.js';
import { answerDocument } from './document.js';
import { readEndpoint } from './endpoints.js';

const ENTRIES = 50;

/** `GET /api/feed` */
export function answerFeed(request: Request): Promise<Response> {
  return readEndpoint(request, async ({ config }, store) => {
    const now = Date.now();
    const latest = await loadLatestIncidents(store, config, now);
    const incidents = recentIncidents(config.targets, latest, now, ENTRIES);
    const body = await atomFeed(incidents, config.publicUrl ?? new URL(request.url).origin);
    return answerDocument(request, { type: 'application/atom+xml; charset=utf-8', body }, cachingOf(config));
  });
}
