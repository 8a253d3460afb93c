import { answerHealth } from '../lib/http/health.js';

export function GET(request: Request): Promise<Response> {
  return answerHealth(request);
}
