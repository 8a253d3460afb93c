import { answerPreflight } from '../../lib/http/cors.js';
import { answerKeepalive } from '../../lib/http/stats-endpoint.js';

export function GET(request: Request): Promise<Response> {
  return answerKeepalive(request);
}

/** Link checkers and monitors ask like this first. */
export { GET as HEAD };

/** Browsers ask like this before a script of another origin may send a header of its own. */
export { answerPreflight as OPTIONS };
