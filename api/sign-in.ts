import { answerSignIn, answerSignInForm } from '../lib/http/sign-in.js';

export function GET(request: Request): Promise<Response> {
  return answerSignInForm(request);
}

export function POST(request: Request): Promise<Response> {
  return answerSignIn(request);
}

/** Link checkers and monitors ask like this first. */
export { GET as HEAD };
