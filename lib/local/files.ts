import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { extname, join } from 'node:path';
import { hasTag } from '../http/document.js';
import { NO_SNIFFING } from '../http/responses.js';

const TYPES: ReadonlyMap<string, string> = new Map([
  ['.css', 'text/css; charset=utf-8'],
  ['.json', 'application/json; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.png', 'image/png'],
  ['.json', 'application/json; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.txt', 'text/plain; charset=utf-8'],
]);
/** Names that need no decoding, none of which begins with a dot: nothing above the folder can be named. */
const SAFE_PATH = /^(?:\/[\w-][\w.-]*)+$/;

/** Beside `dist` in what is built, beside `lib` in the sources. */
const PUBLIC =
  ['../../../public', '../../public'].map((path) => join(import.meta.dirname, path)).find(existsSync) ??
  'public';

/** What Vercel serves from public/; null: there is no such file. */
export async function staticFile(incoming: IncomingMessage, path: string): Promise<Response | null> {
  const type = TYPES.get(extname(path));
  const isRead = incoming.method === 'GET' || incoming.method === 'HEAD';
  if (type === undefined || !isRead || !SAFE_PATH.test(path)) return null;
  const content = await readFile(join(PUBLIC, path)).catch(() => null);
  if (content === null) return null;
  const etag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
  const headers = {
    'content-type': type,
    'cache-control': 'public, max-age=0, must-revalidate',
    etag,
    ...NO_SNIFFING,
  };
  return hasTag(incoming.headers['if-none-match'], etag)
    ? new Response(null, { status: 304, headers })
    : new Response(content, { headers });
}
