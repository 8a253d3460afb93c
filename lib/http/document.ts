import { createHash } from 'node:crypto';
import { cacheControl, NO_SNIFFING, type Caching } from './responses.js';

/**
 * A response with an ETag for a document that clients fetch again and again: 304 where the client has it already. The
 * content security policy keeps browsers from running anything in it.
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
export function hasTag(known: string | null | undefined, etag: string): boolean {
  return known != null && (known.includes(etag) || known.trim() === '*');
}
