import { answerKeepalive } from '../../lib/http/stats-endpoint.js';

export function GET(request: Request): Promise<Response> {
  return answerKeepalive(request);
}

/** Link checkers and monitors ask like this first. */
export { GET as HEAD };
