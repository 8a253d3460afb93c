import { answerPreflight } from '../../lib/http/cors.js';
import { answerSubscription } from '../../lib/http/subscription-endpoint.js';

/** `/api/feed` and `/api/calendar.ics`. */
export function GET(request: Request): Promise<Response> {
  return answerSubscription(request);
}

/** Link checkers and feed readers ask like this first. */
export { GET as HEAD };

/** Browsers ask like this before a script of another origin may send a header of its own. */
export { answerPreflight as OPTIONS };
