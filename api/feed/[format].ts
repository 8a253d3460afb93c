import { answerSubscription } from '../../lib/http/subscription-endpoint.js';

/** `/api/feed` and `/api/calendar.ics`. */
export function GET(request: Request): Promise<Response> {
  return answerSubscription(request);
}

/** Link checkers and feed readers ask like this first. */
export { GET as HEAD };
