import { answerCron } from '../lib/http/cron-endpoint.js';

export function GET(request: Request): Promise<Response> {
  return answerCron(request);
}

/** As QStash calls it. */
export function POST(request: Request): Promise<Response> {
  return answerCron(request);
}

/** Some triggers can ask like this only. */
export { GET as HEAD };
