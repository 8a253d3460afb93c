import { answerMetrics } from '../lib/http/metrics.js';

export function GET(request: Request): Promise<Response> {
  return answerMetrics(request);
}
