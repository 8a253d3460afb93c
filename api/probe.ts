import { answerProbe } from '../lib/http/probe-endpoint.js';

/** As other installations ask for a second opinion. */
export function POST(request: Request): Promise<Response> {
  return answerProbe(request);
}
