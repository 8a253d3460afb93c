import type { ResponseHeaders } from './http-parser.js';
import { ProbeFailure } from './failure.js';

const FOLLOWED = new Set([301, 302, 303, 307, 308]);

/** A request as it goes from one redirect to the next. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly body: string | null;
  /** Only what was configured. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The place that an answer redirects to; null when it does not. */
export function redirectOf(statusCode: number, headers: ResponseHeaders): string | null {
  const location = FOLLOWED.has(statusCode) && headers.get('location');
  // Servers write it in UTF-8 where it is not ASCII.
  return location ? Buffer.from(location, 'latin1').toString() : null;
}

/** The next request, as fetch makes it: 303 (and 301, 302 after POST) becomes GET. Configured headers and the body are not
 * sent to another origin. */
export function nextHop(hop: Hop, location: string, statusCode: number): Hop {
  if (!URL.canParse(location, hop.url.href))
    throw new ProbeFailure('redirect', 'redirect to an invalid address');
  const url = new URL(location, hop.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new ProbeFailure('redirect', 'redirect to another protocol');
  const toGet = (statusCode === 303 && hop.method !== 'HEAD') || (statusCode <= 302 && hop.method === 'POST');
  const kept = url.origin === hop.url.origin ? Object.entries(hop.headers) : [];
  return {
    url,
    method: toGet ? 'GET' : hop.method,
    body: toGet || url.origin !== hop.url.origin ? null : hop.body,
    headers: Object.fromEntries(kept.filter(([name]) => !toGet || !name.startsWith('content-'))),
  };
}
