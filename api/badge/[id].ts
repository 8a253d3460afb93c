import { answerPreflight } from '../../lib/http/cors.js';
import { answerBadge } from '../../lib/http/badge-endpoint.js';

export function GET(request: Request): Promise<Response> {
  return answerBadge(request);
}

/** Link checkers and feed readers ask like this first. */
export { GET as HEAD };

/** Browsers ask like this before a script of another origin may send a header of its own. */
export { answerPreflight as OPTIONS };
