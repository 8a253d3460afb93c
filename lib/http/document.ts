import { createHash } from 'node:crypto';
import { CACHE_CONTROL, type Caching } from './answer.js';

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
  const headers = {
    'cache-control': CACHE_CONTROL[caching],
    'content-security-policy': "default-src 'none'",
    'content-type': type,
    'x-content-type-options': 'nosniff',
    etag,
  };
  const known = request.headers.get('if-none-match')?.split(/\s*,\s*(?:W\/)?|^W\//) ?? [];
  if (status === 200 && (known.includes(etag) || known.includes('*'))) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(body, { status, headers });
}
