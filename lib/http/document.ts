import { createHash } from 'node:crypto';
import { cacheControl, NO_SNIFFING, type Caching } from './responses.js';

/**
 * An answer that is not JSON and is asked for again and again: what the client has already is not sent again.
 * Whatever is in it, a browser runs none of it.
 */
export function answerDocument(
  request: Request,
  { type, body }: { readonly type: string; readonly body: string },
  caching: Caching,
  status = 200,
): Response {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const isKnown = status === 200 && hasTag(request.headers.get('if-none-match'), etag);
  const found = isKnown ? 304 : status;
  const headers = {
    'cache-control': cacheControl(found, caching),
    'content-security-policy': "default-src 'none'",
    'content-type': type,
    ...NO_SNIFFING,
    etag,
  };
  return new Response(isKnown ? null : body, { status: found, headers });
}

/** Whether `If-None-Match` names the tag: a list of quoted texts, none of which can hold a quote, or `*`. */
function hasTag(known: string | null, etag: string): boolean {
  return known !== null && (known.includes(etag) || known.trim() === '*');
}
