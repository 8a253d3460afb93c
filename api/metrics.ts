import { answerPreflight } from '../lib/http/cors.js';
import { answerMetrics } from '../lib/http/metrics-endpoint.js';

export function GET(request: Request): Promise<Response> {
  return answerMetrics(request);
}

/** Link checkers and feed readers ask like this first. */
export { GET as HEAD };

/** Browsers ask like this before a script of another origin may send a header of its own. */
export { answerPreflight as OPTIONS };
