import { Readable, type Duplex } from 'node:stream';
import { TextDecoder } from 'node:util';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  type ZlibOptions,
} from 'node:zlib';
import type { Body } from '../rules/assertions.js';
import { ProbeFailure } from './failure.js';

export const ACCEPT_ENCODING = 'gzip, deflate, br';
/** Encodings upon each other at most; no honest server uses more than one. */
const MAX_LAYERS = 3;

/** Of the first byte of the data. A body without its end is read as far as it goes, as browsers do. */
type Decoder = (first: number) => Duplex;

const UNFINISHED: ZlibOptions = { finishFlush: constants.Z_SYNC_FLUSH };
const gunzip: Decoder = () => createGunzip(UNFINISHED);
const DECODERS: ReadonlyMap<string, Decoder> = new Map(
  Object.entries<Decoder>({
    gzip: gunzip,
    'x-gzip': gunzip,
    br: () => createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH }),
    // Some servers send deflate without the zlib wrapper, whose first byte would end in 8.
    deflate: (first) => (first % 16 === 8 ? createInflate(UNFINISHED) : createInflateRaw(UNFINISHED)),
  }),
);

/** Bytes of a page in which browsers look for its charset. */
const PRESCANNED = 1_024;
const utf8 = new TextDecoder();

interface Data {
  /** As it came, or as much of it as `maxBody` allows. */
  readonly body: Buffer;
  readonly cut: boolean;
}

/**
 * The text of a body, of at most `maxBody` bytes: what is longer counts as cut. An encoding that nobody knows is none, as
 * for browsers. Rejects with a ProbeFailure `protocol` when an encoding is broken.
 */
export async function decodeBody(
  { body, cut }: Data,
  contentEncoding: string,
  contentType: string,
  maxBody: number,
): Promise<Body> {
  const layers = contentEncoding
    .toLowerCase()
    .split(',')
    .map((layer) => DECODERS.get(layer.trim()))
    .filter((decoder) => decoder !== undefined);
  if (layers.length > MAX_LAYERS) throw new ProbeFailure('protocol', 'too many content encodings');
  let data: Data = { body, cut };
  for (const decoder of layers.reverse()) {
    const [first] = data.body;
    if (first === undefined) break;
    data = await decoded(data, decoder(first), maxBody);
  }
  return { text: decoderFor(data.body, contentType).decode(data.body), cut: data.cut };
}

async function decoded({ body, cut }: Data, decoder: Duplex, maxBody: number): Promise<Data> {
  const kept: Buffer[] = [];
  let length = 0;
  try {
    const source = Readable.from([body], { objectMode: false });
    source.on('error', () => undefined);
    for await (const piece of source.pipe(decoder) as AsyncIterable<Buffer>) {
      kept.push(piece);
      length += piece.length;
      if (length > maxBody) break;
    }
  } catch (error) {
    throw new ProbeFailure('protocol', 'broken content encoding', { cause: error });
  }
  return { body: Buffer.concat(kept).subarray(0, maxBody), cut: cut || length > maxBody };
}

/** As browsers find it: by byte order mark, by Content-Type, by what the page says of itself; UTF-8 otherwise. */
function decoderFor(body: Buffer, contentType: string): TextDecoder {
  if (body[0] === 0xfe && body[1] === 0xff) return new TextDecoder('utf-16be');
  if (body[0] === 0xff && body[1] === 0xfe) return new TextDecoder('utf-16le');
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) return utf8;
  const charset = /charset\s*=\s*"?([\w.:-]+)/i.exec(contentType)?.[1] ?? charsetOfPage(body);
  if (charset === undefined) return utf8;
  try {
    return new TextDecoder(charset);
  } catch {
    return utf8;
  }
}

/**
 * What a page says of itself within its first KB: by `<?xml encoding?>`, `<meta charset>`, or `<meta http-equiv="content-type"
 * content>`, as browsers look for it (https://html.spec.whatwg.org/#prescan-a-byte-stream-to-determine-its-encoding):
 * comments are skipped, and no other attribute counts. What can be read as a tag is not in UTF-16.
 */
function charsetOfPage(body: Buffer): string | undefined {
  const tag = body.indexOf('<');
  if (tag === -1 || tag >= PRESCANNED) return undefined;
  const start = body.toString('latin1', 0, PRESCANNED);
  const charset = /^\s*<\?xml\s[^>]*encoding\s*=\s*["']([\w.:-]+)/i.exec(start)?.[1] ?? charsetOfMeta(start);
  return charset === undefined || /^utf-16/i.test(charset) ? undefined : charset;
}

const META = /<!--|<meta[\s/]/gi;
const ATTRIBUTE = /[\s/]*([^\s/>=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']*)))?/y;

function charsetOfMeta(start: string): string | undefined {
  META.lastIndex = 0;
  for (let found = META.exec(start); found !== null; found = META.exec(start)) {
    if (found[0] === '<!--') {
      const end = start.indexOf('-->', found.index + 2);
      if (end === -1) return undefined;
      META.lastIndex = end + 3;
      continue;
    }
    const attributes = new Map<string, string>();
    ATTRIBUTE.lastIndex = META.lastIndex;
    for (let each = ATTRIBUTE.exec(start); each !== null; each = ATTRIBUTE.exec(start)) {
      const [, name = '', double, single, bare] = each;
      const key = name.toLowerCase();
      if (!attributes.has(key)) attributes.set(key, double ?? single ?? bare ?? '');
    }
    const isContentType = attributes.get('http-equiv')?.toLowerCase() === 'content-type';
    const content = isContentType
      ? /charset\s*=\s*["']?\s*([\w.:-]+)/i.exec(attributes.get('content') ?? '')
      : null;
    const charset = attributes.get('charset')?.trim() ?? content?.[1];
    if (charset !== undefined && charset !== '') return charset;
  }
  return undefined;
}
