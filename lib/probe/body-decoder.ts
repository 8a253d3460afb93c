import { promisify, TextDecoder } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import type { Body } from '../rules/assertions.js';
import { codeOf, ProbeFailure } from './failure.js';

export const ACCEPT_ENCODING = 'gzip, deflate, br';
/** Encodings upon each other at most; no honest server uses more than one. */
const MAX_LAYERS = 3;

type Decoder = (data: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const ungzip: Decoder = promisify(gunzip);
const unwrap: Decoder = promisify(inflate);
const unraw: Decoder = promisify(inflateRaw);
const DECODERS: ReadonlyMap<string, Decoder> = new Map(
  Object.entries<Decoder>({
    gzip: ungzip,
    'x-gzip': ungzip,
    br: promisify(brotliDecompress),
    // Some servers send deflate without the zlib wrapper, whose first byte would end in 8.
    deflate: (data, options) => ((data[0] ?? 0) % 16 === 8 ? unwrap : unraw)(data, options),
  }),
);

const utf8 = new TextDecoder();

/**
 * The text of a body that came whole. Decompression stops at `maxBody` bytes: then the body counts as cut.
 * Rejects with a ProbeFailure `protocol` when the encoding is unknown or broken.
 */
export async function decodeBody(
  body: Buffer,
  contentEncoding: string,
  contentType: string,
  maxBody: number,
): Promise<Body> {
  const layers = contentEncoding
    .toLowerCase()
    .split(',')
    .map((layer) => layer.trim())
    .filter((layer) => layer !== '' && layer !== 'identity');
  if (layers.length > MAX_LAYERS) throw new ProbeFailure('protocol', 'too many content encodings');
  let data = body;
  for (const layer of layers.reverse()) {
    if (data.length === 0) break;
    const decode = DECODERS.get(layer);
    if (!decode) throw new ProbeFailure('protocol', 'unknown content encoding');
    try {
      data = await decode(data, { maxOutputLength: Math.max(1, maxBody) });
    } catch (error) {
      if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') return { text: '', cut: true };
      throw new ProbeFailure('protocol', 'broken content encoding', { cause: error });
    }
  }
  if (data.length > maxBody) return { text: '', cut: true };
  return { text: decoderFor(contentType).decode(data), cut: false };
}

function decoderFor(contentType: string): TextDecoder {
  const charset = /charset\s*=\s*"?([\w.:-]+)/i.exec(contentType)?.[1];
  if (charset === undefined) return utf8;
  try {
    return new TextDecoder(charset);
  } catch {
    return utf8;
  }
}
