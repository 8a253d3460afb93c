import '../view/templates.js';
import type { PageSettings } from '../types.js';
import { PLAIN_PAGE, type Site } from '../view/site.js';
import { wordsFor } from './language.js';
import { problemPage, signInPage } from '../view/notices.js';
import { formatProblems, type Problem } from '../config/problems.js';
import type { Caching } from './responses.js';
import { answerError, cacheControl, NO_SNIFFING } from './responses.js';
import { ERROR_STATUS, type ErrorCode } from './error-codes.js';
import { pagePath } from './page-path.js';

/**
 * Nothing but our own files and the operator's logo, no script or style in the page itself, no frame around it but those
 * that the operator permits.
 */
function policyOf({ logoUrl, frameAncestors }: PageSettings): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    `img-src 'self'${logoUrl === null ? '' : ` ${imageSource(logoUrl)}`}`,
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    `frame-ancestors ${frameAncestors.join(' ')}`,
    "base-uri 'none'",
  ].join('; ');
}

/** The address without its query, which sources do not have. What would end the directive is encoded. */
function imageSource(logoUrl: string): string {
  const { protocol, origin, pathname } = new URL(logoUrl);
  return protocol === 'data:'
    ? 'data:'
    : origin + pathname.replace(/[;,]/g, (found) => (found === ';' ? '%3B' : '%2C'));
}

/** For browsers that do not know `frame-ancestors`; it has no word for other sites. */
function frameOptions({ frameAncestors: [first, ...others] }: PageSettings): Record<string, string> {
  if (first === "'none'") return { 'x-frame-options': 'DENY' };
  return first === "'self'" && others.length === 0 ? { 'x-frame-options': 'SAMEORIGIN' } : {};
}

export interface HtmlOptions {
  readonly status?: number;
  readonly caching?: Caching;
}

/** @param site whose page it is, and the language that it is written in */
export function answerHtml(
  html: string,
  { page, words }: Pick<Site, 'page' | 'words'>,
  { status = 200, caching = 'never' }: HtmlOptions = {},
): Response {
  const varying = [
    // One copy for each value of the header, unless the language is set.
    ...(page.language === null ? ['accept-language'] : []),
    ...(caching === 'shared' ? [] : ['cookie', 'authorization']),
  ];
  return new Response(html, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-language': words.language,
      'cache-control': cacheControl(status, caching),
      'content-security-policy': policyOf(page),
      ...frameOptions(page),
      ...NO_SNIFFING,
      // Not stricter: a form's Origin would be `null`.
      'referrer-policy': 'same-origin',
      ...(varying.length === 0 ? {} : { vary: varying.join(', ') }),
    },
  });
}

/** Browsers name HTML, and name it first or give it the greater weight; programs take anything, or name JSON. */
export function prefersHtml({ headers }: Pick<Request, 'headers'>): boolean {
  const weights = new Map<string, number>();
  for (const part of (headers.get('accept') ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = part.split(';').map((each) => each.trim());
    const weight = parameters.find((each) => each.startsWith('q='))?.slice(2) ?? '1';
    if (!weights.has(type)) weights.set(type, Number(weight) || 0);
  }
  const html = weights.get('text/html') ?? 0;
  const json = weights.get('application/json') ?? 0;
  if (html !== json) return html > json;
  const names = [...weights.keys()];
  return html > 0 && names.indexOf('text/html') < names.indexOf('application/json');
}

/** What `answerError` says: a page for people, JSON for programs. */
export async function answerProblem(
  code: ErrorCode,
  message: string,
  details: { readonly problems?: readonly Problem[] },
  request: Request,
  page: PageSettings = PLAIN_PAGE,
): Promise<Response> {
  const answer = prefersHtml(request)
    ? await problemHtml({ code, message, problems: details.problems ?? [] }, request, page)
    : answerError(code, message, details);
  answer.headers.append('vary', 'accept');
  return answer;
}

async function problemHtml(
  {
    code,
    message,
    problems,
  }: { readonly code: ErrorCode; readonly message: string; readonly problems: readonly Problem[] },
  request: Request,
  page: PageSettings,
): Promise<Response> {
  const status = ERROR_STATUS[code];
  const site = { page, words: await wordsFor(request, page) };
  if (code === 'unauthorized') return answerSignIn(signInPage(site, pagePath(request)), site, status);
  const lines = problems.map((problem) => formatProblems([problem]));
  return answerHtml(problemPage({ code, message, lines }, site), site, { status });
}

/** Nobody may frame the form that takes a secret. */
export function answerSignIn(
  html: string,
  { page, words }: Pick<Site, 'page' | 'words'>,
  status = 200,
): Response {
  const unframed = { ...page, frameAncestors: PLAIN_PAGE.frameAncestors };
  return answerHtml(html, { page: unframed, words }, { status });
}
