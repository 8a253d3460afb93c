import '../view/templates.js';
import { problemPage, signInPage } from '../view/notices.js';
import { formatProblems, type Problem } from '../config/problems.js';
import type { Caching } from './responses.js';
import { answerError, cacheControl, NO_SNIFFING } from './responses.js';
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

/** Browsers take HTML and name it first; programs take anything, or name JSON. */
export function prefersHtml({ headers }: Pick<Request, 'headers'>): boolean {
  const accepted = headers.get('accept') ?? '';
  const html = accepted.search(/\btext\/html\b/i);
  const json = accepted.search(/\bapplication\/json\b/i);
  return html >= 0 && (json < 0 || html < json);
}

/** What `answerError` says: a page for people, JSON for programs. */
export function answerProblem(
  code: ErrorCode,
  message: string,
  details: { readonly problems?: readonly Problem[] },
  request: Request,
): Response {
  const answer = prefersHtml(request)
    ? problemHtml(code, message, details.problems ?? [], request)
    : answerError(code, message, details);
  answer.headers.append('vary', 'accept');
  return answer;
}

function problemHtml(
  code: ErrorCode,
  message: string,
  problems: readonly Problem[],
  request: Request,
): Response {
  const lines = problems.map((problem) => formatProblems([problem]));
  const page =
    code === 'unauthorized' ? signInPage(pagePath(request)) : problemPage({ code, message, lines });
  return answerHtml(page, ERROR_STATUS[code]);
}
