import { answerCalendar } from './calendar-endpoint.js';
import { answerFeed } from './feed-endpoint.js';
import { pathOf } from './path.js';

/**
 * `GET /api/feed` and `GET /api/calendar.ics`. One function serves both: vercel.json sends them to `/api/feed/atom` and
 * `/api/feed/calendar`, and the URL of a request may hold either path.
 */
export function answerSubscription(request: Request): Promise<Response> {
  return /\/calendar(?:\.ics)?$/.test(pathOf(request)) ? answerCalendar(request) : answerFeed(request);
}
