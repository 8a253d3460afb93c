import { pathOf } from './path.js';

/** Where vercel.json sends the requests for pages, each with one name behind it: `status`, `history`, `sign-in`, `t-my-api`. */
const DESTINATION = '/api/page/';

/**
 * The public path of the page that a request asks for: `/`, `/history`, `/t/my-api`, `/sign-in`. Behind a rewrite, the URL of a
 * request may hold the public path or the destination; both name the page. The query is never looked at here, so that nobody
 * can name another page with it.
 */
export function pagePath(request: Request): string {
  const pathname = pathOf(request);
  if (!pathname.startsWith(DESTINATION)) return pathname;
  const name = pathname.slice(DESTINATION.length);
  if (name === 'status') return '/';
  return name.startsWith('t-') ? `/t/${name.slice(2)}` : `/${name}`;
}
