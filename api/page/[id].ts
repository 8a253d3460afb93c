import { answerTargetPage } from '../../lib/http/pages.js';

export function GET(request: Request): Promise<Response> {
  return answerTargetPage(request);
}

/** Link checkers and monitors ask like this first. */
export { GET as HEAD };
