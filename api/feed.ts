import { answerFeed } from '../lib/http/feed-endpoint.js';

export function GET(request: Request): Promise<Response> {
  return answerFeed(request);
}

/** Link checkers and feed readers ask like this first. */
export { GET as HEAD };
