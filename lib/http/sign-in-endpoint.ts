import { perApp } from '../app.js';
import { readText } from './request-body.js';
import { ERROR_STATUS } from './error-codes.js';
import { answerError, isSame, NO_SNIFFING } from './responses.js';
import { withApp } from './endpoints.js';
import { answerProblem, answerSignIn, prefersHtml } from './html.js';
import { wordsFor } from './language.js';
import { isFromOurPage } from './origin.js';
import { endedCookie, sessionCookie } from './session.js';
import { networkOf, Throttle } from './sign-in-throttle.js';
import { wordsIn } from '../view/language.js';
import { signInPage } from '../view/notices.js';
import type { PageSettings } from '../types.js';

/** A form with a token and a path. */
const MAX_FORM = 4096;
/** The paths that signing in may redirect to. */
const LOCAL_PAGE = /^\/(?:history|t\/[a-z0-9-]+)?$/;

const throttleOf = perApp(() => new Throttle());

/** `GET /sign-in` */
export function answerSignInForm(request: Request): Promise<Response> {
  return withApp(
    request,
    async ({ config: { statsToken, page } }) => {
      if (statsToken === null) return goTo('/');
      const site = { page, words: await wordsFor(request, page) };
      return answerSignIn(signInPage(site, '/'), site);
    },
    answerProblem,
  );
}

/** `POST /sign-in`: a token for a session, or a session's end. Whoever sends wrong ones is slowed down. */
export function answerSignInAttempt(request: Request): Promise<Response> {
  return withApp(
    request,
    async (app) => {
      const { statsToken, page } = app.config;
      if (!isFromOurPage(request)) {
        return answerProblem(
          'cross_site',
          'Sign in from the page itself: the form came from another site.',
          {},
          request,
          page,
        );
      }
      const text = await readText(request, MAX_FORM);
      if (text === null) return answerProblem('too_large', 'The form is too large.', {}, request, page);
      const form = new URLSearchParams(text);
      const next = form.get('next') ?? '/';
      const path = LOCAL_PAGE.test(next) ? next : '/';
      if (statsToken === null) return goTo(path);
      const secure = isSecure(request);
      if (form.get('action') === 'sign-out') return goTo('/', endedCookie({ secure }));
      const throttle = throttleOf(app);
      const network = networkOf(request);
      const isRight = isSame((form.get('token') ?? '').trim(), statsToken);
      const wait = Math.ceil(throttle.wait(network, { now: Date.now(), isRight }) / 1000);
      if (wait > 0) {
        const answer = await refuse(request, 'too_many_attempts', { wait, next: path, page });
        answer.headers.set('retry-after', String(wait));
        return answer;
      }
      if (!isRight) {
        throttle.failed(network, Date.now());
        return refuse(request, 'unauthorized', { wait, next: path, page });
      }
      throttle.succeeded(network);
      return goTo(path, sessionCookie({ token: statsToken, now: Date.now(), secure }));
    },
    answerProblem,
  );
}

/** The form again, with what is wrong; programs get it as JSON. */
async function refuse(
  request: Request,
  code: 'unauthorized' | 'too_many_attempts',
  /** `wait`: seconds until the next attempt. */
  { wait, next, page }: { readonly wait: number; readonly next: string; readonly page: PageSettings },
): Promise<Response> {
  const isHtml = prefersHtml(request);
  const words = isHtml ? await wordsFor(request, page) : await wordsIn('en', null);
  const message =
    code === 'unauthorized'
      ? words.text('tokenWrong')
      : words.text('tokensTooMany', { length: words.interval(wait * 1000) });
  const site = { page, words };
  return isHtml
    ? answerSignIn(signInPage(site, next, message), site, ERROR_STATUS[code])
    : answerError(code, message);
}

function goTo(location: string, cookie?: string): Response {
  const headers = { location, 'cache-control': 'private, no-store', ...NO_SNIFFING };
  return new Response(null, {
    status: 303,
    headers: cookie ? { ...headers, 'set-cookie': cookie } : headers,
  });
}

function isSecure({ headers, url }: Request): boolean {
  return new URL(url).protocol === 'https:' || headers.get('x-forwarded-proto') === 'https';
}
