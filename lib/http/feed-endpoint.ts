import { nowOf } from '../app.js';
import { recentIncidents } from '../read/incident-views.js';
import { loadLatestIncidents } from '../read/load.js';
import { ofAllShards } from '../read/shards.js';
import { atomFeed } from '../view/atom-feed.js';
import { siteName } from '../view/site.js';
import { cachingOf } from './responses.js';
import { answerDocument } from './document.js';
import { readEndpoint, watchFor } from './endpoints.js';
import { wordsOf } from './language.js';
import { ORIGIN_HEADERS, visitedOrigin } from './origin.js';

const ENTRIES = 50;

/** `GET /api/feed` */
export function answerFeed(request: Request): Promise<Response> {
  return readEndpoint(request, async (app, reader) => {
    const { config } = app;
    const now = nowOf(app);
    const latest = await ofAllShards(reader, config, (each, shards) =>
      loadLatestIncidents(each, now, shards),
    );
    const incidents = recentIncidents(watchFor(request, config), latest, now, ENTRIES);
    const site = { name: siteName(config.page), words: await wordsOf(config.page) };
    const body = await atomFeed(incidents, config.publicUrl ?? visitedOrigin(request), site);
    const type = 'application/atom+xml; charset=utf-8';
    const answer = answerDocument(request, { type, body }, cachingOf(config));
    if (config.publicUrl === null) answer.headers.append('vary', ORIGIN_HEADERS);
    return answer;
  });
}
