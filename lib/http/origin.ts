/** Headers of a proxy that the origin depends on: caches must keep the answers apart by them. */
export const ORIGIN_HEADERS = 'x-forwarded-proto, x-forwarded-host';

/** A host name or address with or without a port. */
const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/**
 * Where a visitor reaches us, without a slash at the end, as far as the request tells. Behind a proxy, what it forwards
 * counts. Anybody can write these headers: the origin is good for links in the answer to that very request only.
 */
export function visitedOrigin({ url, headers }: Request): string {
  const { protocol, host } = new URL(url);
  const forwardedProto = first(headers.get('x-forwarded-proto'));
  const forwardedHost = first(headers.get('x-forwarded-host'));
  const scheme =
    forwardedProto === 'https' || forwardedProto === 'http' ? forwardedProto : protocol.slice(0, -1);
  const origin = `${scheme}://${forwardedHost !== null && HOST.test(forwardedHost) ? forwardedHost : host}`;
  return URL.canParse(origin) ? new URL(origin).origin : new URL(url).origin;
}

/** An origin is a scheme, a host of 253 characters and a port. */
const MAX_ORIGIN = 300;

/**
 * Whether a page of another origin sends the request. Browsers name the origin in forms and in what scripts ask of other
 * origins, and nowhere else: a link or a script of ours has none.
 */
export function isFromOtherOrigin({ headers, url }: Request): boolean {
  const origin = headers.get('origin');
  if (origin === null) return false;
  if (origin.length > MAX_ORIGIN || !URL.canParse(origin)) return true;
  const { host } = new URL(origin);
  return ![new URL(url).host, headers.get('host'), headers.get('x-forwarded-host')].includes(host);
}

/** Browsers say where a form came from. A client that says nothing is no browser, and has no session to abuse. */
export function isFromOurPage(request: Request): boolean {
  const site = request.headers.get('sec-fetch-site');
  return site === null ? !isFromOtherOrigin(request) : site === 'same-origin' || site === 'none';
}

/** The first value of a list: each proxy appends its own. */
function first(value: string | null): string | null {
  return value === null ? null : value.replace(/,.*$/s, '').trim();
}
