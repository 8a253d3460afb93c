import { answerBadge } from '../../lib/http/badge-endpoint.js';

export function GET(request: Request): Promise<Response> {
  return answerBadge(request);
}

/** Link checkers and feed readers ask like this first. */
export { GET as HEAD };
