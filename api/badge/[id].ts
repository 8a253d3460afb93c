import { answerBadge } from '../../lib/http/badge.js';

export function GET(request: Request): Promise<Response> {
  return answerBadge(request);
}
