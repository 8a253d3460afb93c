import { answerFeed } from '../lib/http/feed.js';

export function GET(request: Request): Promise<Response> {
  return answerFeed(request);
}
