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

/** The first value of a list: each proxy appends its own. */
function first(value: string | null): string | null {
  return value === null ? null : value.replace(/,.*$/s, '').trim();
}
