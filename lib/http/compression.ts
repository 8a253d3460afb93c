import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** Bytes below which a text is sent as it is: it fits into one packet or two anyway. */
const SHORTEST = 1024;
/** Of 11: quick, and still smaller than gzip. */
const BROTLI_QUALITY = 4;
const TEXT = /^(?:text\/|image\/svg\+xml|application\/(?:json|atom\+xml|manifest\+json))/;

const brotli = promisify(brotliCompress);
const zip = promisify(gzip);

const ENCODERS = {
  br: (body: Uint8Array) =>
    brotli(body, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      },
    }),
  gzip: (body: Uint8Array) => zip(body),
} as const satisfies Readonly<Record<string, (body: Uint8Array) => Promise<Buffer>>>;

/**
 * The body as the client takes it, and the headers that say so. A text's tag is weak whether it is compressed or not, so that
 * it stays the same in every form, and in answers without a body.
 */
export async function compressed(
  { status, headers }: Response,
  body: Buffer,
  accepted: string | undefined,
): Promise<{ readonly headers: Headers; readonly body: Buffer }> {
  const found = new Headers(headers);
  if (!TEXT.test(found.get('content-type') ?? '') || found.has('content-encoding')) return { headers, body };
  found.append('vary', 'accept-encoding');
  const etag = found.get('etag');
  if (etag?.startsWith('"')) found.set('etag', `W/${etag}`);
  const encoding = body.length <= SHORTEST || status === 304 ? undefined : encodingOf(accepted);
  if (encoding === undefined) return { headers: found, body };
  found.set('content-encoding', encoding);
  return { headers: found, body: await ENCODERS[encoding](body) };
}

/** The best one of ours that `Accept-Encoding` names with a weight above 0. */
function encodingOf(accepted = ''): keyof typeof ENCODERS | undefined {
  const named = accepted
    .split(',')
    .map((each) => each.trim().split(/\s*;\s*q=/i))
    .filter(([, weight = '1']) => Number(weight) > 0)
    .map(([name = '']) => name.toLowerCase());
  return (['br', 'gzip'] as const).find((each) => named.includes(each));
}
