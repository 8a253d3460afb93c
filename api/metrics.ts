import { answerMetrics } from '../lib/http/metrics-endpoint.js';

export function GET(request: Request): Promise<Response> {
  return answerMetrics(request);
}

/** Link checkers and feed readers ask like this first. */
export { GET as HEAD };
