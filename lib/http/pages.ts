import type { ErrorCode } from './error-codes.js';
import { pagePath } from './page-path.js';

type PageMethod = 'GET' | 'POST';
type PageHandler = (request: Request, match: RegExpExecArray) => Promise<Response>;

/** Each page with the methods it answers. A page loads only what it needs itself: one function serves them all. */
const PAGES: readonly {
  readonly path: RegExp;
  readonly handlers: Partial<Record<PageMethod, PageHandler>>;
}[] = [
  {
    path: /^\/$/,
    handlers: {
      GET: async (request) => (await import('./status-page-endpoint.js')).answerStatusPage(request),
    },
  },
  {
    path: /^\/history$/,
    handlers: {
      GET: async (request) => (await import('./status-page-endpoint.js')).answerHistoryPage(request),
    },
  },
  {
    path: /^\/t\/([^/]+)$/,
    handlers: {
      GET: async (request, [, id = '']) =>
        (await import('./target-page-endpoint.js')).answerTargetPage(request, id),
    },
  },
  {
    path: /^\/manifest\.webmanifest$/,
    handlers: {
      GET: async (request) => (await import('./manifest-endpoint.js')).answerManifest(request),
    },
  },
  {
    path: /^\/sign-in$/,
    handlers: {
      GET: async (request) => (await import('./sign-in-endpoint.js')).answerSignInForm(request),
      POST: async (request) => (await import('./sign-in-endpoint.js')).answerSignInAttempt(request),
    },
  },
  {
    path: /^\/subscribe$/,
    handlers: {
      GET: async (request) => (await import('./subscribe-endpoint.js')).answerSubscribePage(request),
      POST: async (request) => (await import('./subscribe-endpoint.js')).answerSubscribe(request),
    },
  },
  {
    path: /^\/confirm$/,
    handlers: {
      GET: async (request) => (await import('./subscribe-endpoint.js')).answerConfirmPage(request),
      POST: async (request) => (await import('./subscribe-endpoint.js')).answerConfirm(request),
    },
  },
  {
    path: /^\/unsubscribe$/,
    handlers: {
      GET: async (request) => (await import('./subscribe-endpoint.js')).answerUnsubscribePage(request),
      POST: async (request) => (await import('./subscribe-endpoint.js')).answerUnsubscribe(request),
    },
  },
];

/**
 * `GET /`, `GET /history`, `GET /t/<id>`, `GET /manifest.webmanifest`, `GET` and `POST` of `/sign-in`, `/subscribe`, `/confirm`
 * and `/unsubscribe`. HEAD is answered as GET.
 * vercel.json sends what has no other address here too, to be answered 404.
 */
export async function answerPages(request: Request): Promise<Response> {
  const path = pagePath(request);
  const method = request.method === 'POST' ? 'POST' : 'GET';
  for (const { path: pattern, handlers } of PAGES) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const handler = handlers[method];
    return handler === undefined ? methodNotAllowed(request, handlers) : handler(request, match);
  }
  return problem(request, 'not_found', 'There is nothing at this address.');
}

async function methodNotAllowed(
  request: Request,
  handlers: Partial<Record<PageMethod, PageHandler>>,
): Promise<Response> {
  const answer = await problem(request, 'method_not_allowed', 'Method not allowed.');
  answer.headers.set('allow', [...Object.keys(handlers), 'HEAD'].join(', '));
  return answer;
}

/** As the operator's page, where the configuration can be read. */
async function problem(request: Request, code: ErrorCode, message: string): Promise<Response> {
  const [{ answerProblem }, { withApp }] = await Promise.all([import('./html.js'), import('./endpoints.js')]);
  return withApp(
    request,
    ({ config }) => answerProblem(code, message, {}, request, config.page),
    () => answerProblem(code, message, {}, request),
  );
}
