import { MAX_TARGETS_FILE, TargetsError, textOfBytes, tooLarge } from './targets-bytes.js';

/** A targets file as an address gave it. */
export interface TargetsCopy {
  readonly text: string;
  /** Null: the server names no version. */
  readonly etag: string | null;
}

/** Ms for the answer and all of its body. */
const LIMIT = 8_000;

/**
 * Asks an address for a targets file; the copy itself where the server says that it is still the newest.
 * @throws TargetsError that says why it cannot be had
 */
export async function fetchTargets(
  { url, authorization }: { readonly url: string; readonly authorization: string | null },
  copy: TargetsCopy | null,
  fetcher: typeof fetch,
): Promise<TargetsCopy> {
  const headers = new Headers({ accept: 'application/yaml, application/json, text/plain, */*' });
  if (authorization !== null) headers.set('authorization', authorization);
  if (copy?.etag != null) headers.set('if-none-match', copy.etag);
  try {
    const response = await fetcher(url, { headers, signal: AbortSignal.timeout(LIMIT) });
    if (copy !== null && response.status === 304) return copy;
    if (response.url !== '' && !response.url.startsWith('https:'))
      throw new TargetsError('it leads to http://');
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new TargetsError(`the answer was ${response.status}`);
    }
    const text = textOfBytes(await readBody(response));
    return { text, etag: response.headers.get('etag') };
  } catch (error) {
    if (error instanceof TargetsError) throw error;
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    throw new TargetsError(isLate ? `no answer within ${LIMIT / 1000} s` : 'no connection', { cause: error });
  }
}

async function readBody(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body = response.body as AsyncIterable<Uint8Array> | null;
  if (body === null) return Buffer.alloc(0);
  for await (const bytes of body) {
    size += bytes.length;
    if (size > MAX_TARGETS_FILE) throw tooLarge();
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
