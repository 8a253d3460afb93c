import '../view/templates.js';
import { problemPage, signInPage } from '../view/notices.js';
import { formatProblems, type Problem } from '../config/problems.js';
import type { Caching } from './responses.js';
import { cacheControl, NO_SNIFFING } from './responses.js';
import { ERROR_STATUS, type ErrorCode } from './error-codes.js';
import { pagePath } from './page-path.js';

/** Nothing but our own files, no script or style in the page itself, no frame around it. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

export function answerHtml(html: string, status = 200, caching: Caching = 'never'): Response {
  return new Response(html, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': cacheControl(status, caching),
      'content-security-policy': POLICY,
      ...NO_SNIFFING,
      // Not stricter: a form's Origin would be `null`.
      'referrer-policy': 'same-origin',
      ...(caching === 'shared' ? {} : { vary: 'cookie, authorization' }),
    },
  });
}

/** What `answerError` says, for people. */
export function answerProblem(
  code: ErrorCode,
  message: string,
  details: { readonly problems?: readonly Problem[] } = {},
  request?: Request,
): Response {
  if (code === 'unauthorized') {
    return answerHtml(signInPage(request === undefined ? '/' : pagePath(request)), ERROR_STATUS[code]);
  }
  const lines = (details.problems ?? []).map((problem) => formatProblems([problem]));
  return answerHtml(problemPage({ code, message, lines }), ERROR_STATUS[code]);
}
