import { answerPages } from '../../lib/http/pages.js';

export function GET(request: Request): Promise<Response> {
  return answerPages(request);
}

/** The sign-in form is sent like this. */
export { GET as POST };

/** Link checkers and monitors ask like this first. */
export { GET as HEAD };
