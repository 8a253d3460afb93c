import { nowOf } from '../app.js';
import { shownTargets } from '../read/audience.js';
import { loadMaintenance } from '../read/load.js';
import { calendarMaintenance } from '../read/maintenance-spans.js';
import { calendar } from '../view/calendar.js';
import { answerDocument } from './document.js';
import { readEndpoint, watchFor } from './endpoints.js';
import { wordsOf } from './language.js';
import { ORIGIN_HEADERS, visitedOrigin } from './origin.js';
import { cachingOf } from './responses.js';

/** `GET /api/calendar.ics` */
export function answerCalendar(request: Request): Promise<Response> {
  return readEndpoint(request, async (app, reader) => {
    const { config } = app;
    const now = nowOf(app);
    const maintenance = await loadMaintenance(reader);
    const spans = calendarMaintenance(shownTargets(watchFor(request, config)), maintenance, now);
    const origin = config.publicUrl ?? visitedOrigin(request);
    const body = calendar(spans, { origin, now, words: await wordsOf(config.page) });
    const answer = answerDocument(request, { type: 'text/calendar; charset=utf-8', body }, cachingOf(config));
    if (config.publicUrl === null) answer.headers.append('vary', ORIGIN_HEADERS);
    return answer;
  });
}
