import { answerHealth } from '../lib/http/health-endpoint.js';

export function GET(request: Request): Promise<Response> {
  return answerHealth(request);
}

/** Link checkers and monitors ask like this first. */
export { GET as HEAD };
