import { ByteCollector } from './bytes.js';
import { closedEarly, ProbeFailure } from './failure.js';

/** Bytes of a head at most, as Chrome has it. */
const MAX_HEAD = 256 * 1024;
/** Bytes of trailers, and of a chunk's size line, at most. */
const MAX_LINE = 16_384;
/** 1xx answers before the real one at most. */
const MAX_INTERIM = 16;

const VERSION = Buffer.from('HTTP/1.');
const STATUS_LINE = /^HTTP\/1\.[01] ([1-9]\d\d)(?: |$)/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Digits of a chunk size that is read byte by byte. */
const PLAIN_DIGITS = 6;
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,12})[\t ]*(?:;|$)/;
/** Characters that no header may hold: some parsers would end the header there. */
const TORN = /[\0\r]/;
const NO_BODY = [204, 304];

/** Headers whose values may hold commas and cannot be joined by them. */
const ONE_BY_ONE: ReadonlySet<string> = new Set(['location', 'set-cookie']);

/**
 * Values by name in lower case, as Latin-1. Several of one name are joined by commas, but those of `location` and
 * `set-cookie` by line feeds, which no value can hold.
 */
export type ResponseHeaders = ReadonlyMap<string, string>;

export interface ParserOptions {
  /** Of the request. */
  readonly method: string;
  /** Bytes of the body that are read at most, as they come. */
  readonly maxBody: number;
  /** Whether the body is kept. One that is not kept is still read, up to `maxBody`. */
  readonly keepBody: boolean;
  /** Called with the head of the final response; returns whether the body is needed. */
  readonly onHead: (statusCode: number, headers: ResponseHeaders) => boolean;
}

/** The part of the response that the next byte belongs to. */
type ParserState = 'head' | 'sized' | 'unsized' | 'chunk size' | 'chunk' | 'chunk end' | 'trailers' | 'over';

/**
 * Parses one HTTP/1.x response (RFC 9112) from the bytes of a connection, in pieces of any size. Lines may end without CR.
 * Its methods throw a ProbeFailure: `protocol` for bytes that are no such response, `reset` where it ends early.
 */
export class HttpParser {
  statusCode = 0;
  headers: ResponseHeaders = new Map();
  /** The body was longer than `maxBody`: the rest was not read. */
  cut = false;
  #part: ParserState = 'head';
  /** The beginning of a head or line whose end has not arrived. */
  readonly #started = new ByteCollector(MAX_HEAD + 1);
  readonly #body: ByteCollector;
  #interim = 0;
  #size = 0;
  /** Bytes of the body or chunk that are still missing; in the trailers, bytes read so far. */
  #count = 0;

  constructor(private readonly options: ParserOptions) {
    this.#body = new ByteCollector(options.maxBody);
  }

  /** The body without any decoding. Empty where it is not kept. */
  get body(): Buffer {
    return this.#body.bytes;
  }

  /** Everything that is needed has been read. */
  get isOver(): boolean {
    return this.#part === 'over';
  }

  /** Reads the next bytes. Bytes after the end of the response are ignored. */
  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.#part !== 'over') at = this.#step(bytes, at);
  }

  /** Tells the parser that the server has closed the connection. */
  end(): void {
    if (this.#part === 'unsized') this.#part = 'over';
    if (this.#part !== 'over') throw closedEarly();
  }

  /** Returns where it stopped reading. */
  #step(bytes: Buffer, at: number): number {
    switch (this.#part) {
      case 'head':
        return this.#readHead(bytes, at);
      case 'sized':
      case 'chunk': {
        const end = Math.min(bytes.length, at + this.#count);
        this.#count -= end - at;
        this.#keep(bytes, at, end);
        if (this.#count === 0 && !this.cut) this.#part = this.#part === 'sized' ? 'over' : 'chunk end';
        return end;
      }
      case 'unsized':
        this.#keep(bytes, at, bytes.length);
        return bytes.length;
      case 'chunk size': {
        const end = this.#readPlainSize(bytes, at);
        if (end !== -1) return end;
        return this.#readLine(bytes, at, (line) => {
          const size = CHUNK_SIZE.exec(line)?.[1];
          if (size === undefined) throw noAnswer();
          this.#beginChunk(Number.parseInt(size, 16));
        });
      }
      case 'chunk end':
        if (this.#started.length === 0 && bytes[at] === 13 && bytes[at + 1] === 10) {
          this.#part = 'chunk size';
          return at + 2;
        }
        return this.#readLine(bytes, at, (line) => {
          if (line !== '') throw noAnswer();
          this.#part = 'chunk size';
        });
      case 'trailers':
        return this.#readLine(bytes, at, (line) => {
          this.#count += line.length + 1;
          if (this.#count > MAX_LINE) throw tooLarge();
          if (line === '') this.#part = 'over';
        });
      case 'over':
        return bytes.length;
    }
  }

  /**
   * Reads a line of few digits without making a text of it: chunks of one byte take no more time than that.
   * @returns where the line ends; -1 where it is not plain, or not there as a whole
   */
  #readPlainSize(bytes: Buffer, at: number): number {
    if (this.#started.length > 0) return -1;
    let size = 0;
    let end = at;
    for (; end < bytes.length && end - at < PLAIN_DIGITS; end++) {
      const digit = hexDigit(bytes[end]);
      if (digit === -1) break;
      size = size * 16 + digit;
    }
    if (end === at || bytes[end] !== 13 || bytes[end + 1] !== 10) return -1;
    this.#beginChunk(size);
    return end + 2;
  }

  #beginChunk(size: number): void {
    this.#count = size;
    this.#part = size === 0 ? 'trailers' : 'chunk';
  }

  #readHead(bytes: Buffer, at: number): number {
    const started = this.#started;
    const before = started.length;
    // Empty lines before an answer are no part of it.
    if (before === 0 && (bytes[at] === 13 || bytes[at] === 10)) return at + 1;
    for (let i = before; i < VERSION.length && at + i - before < bytes.length; i++) {
      if (bytes[at + i - before] !== VERSION[i]) throw noAnswer();
    }
    const stop = Math.min(bytes.length, at + MAX_HEAD + 1 - before);
    let head = bytes;
    let from = at;
    if (before > 0) {
      started.append(bytes, at, stop);
      head = started.bytes;
      from = 0;
    }
    // The empty line may have begun in the last two bytes of the piece before.
    const end = endOfHead(head, from + Math.max(0, before - 2), from + before + stop - at);
    if (end === -1) {
      if (before + stop - at > MAX_HEAD) throw tooLarge();
      if (before === 0) started.append(bytes, at, stop);
      return bytes.length;
    }
    const text = head.toString('latin1', from, end);
    started.clear();
    this.#takeHead(text);
    return at + end - from - before;
  }

  #takeHead(head: string): void {
    const lines = head.split('\n').map(withoutEnd);
    const [first = '', ...fields] = lines;
    const statusCode = Number(STATUS_LINE.exec(first)?.[1]);
    if (Number.isNaN(statusCode)) throw noAnswer();
    const headers = fieldsOf(fields);
    if (statusCode === 101) throw new ProbeFailure('protocol', 'unexpected answer');
    if (statusCode < 200) {
      if (++this.#interim > MAX_INTERIM) throw new ProbeFailure('protocol', 'too many interim answers');
      return;
    }
    this.statusCode = statusCode;
    this.headers = headers;
    const isWanted = this.options.onHead(statusCode, headers);
    const hasBody = this.options.method !== 'HEAD' && !NO_BODY.includes(statusCode);
    this.#part = isWanted && hasBody ? this.#bodyOf(headers) : 'over';
  }

  /** How the end of the body is found. Where both a length and chunks are announced, the chunks decide. */
  #bodyOf(headers: ResponseHeaders): ParserState {
    const coding = headers.get('transfer-encoding')?.toLowerCase();
    if (coding !== undefined && coding !== 'identity') {
      return /(?:^|,)[\t ]*chunked$/.test(coding) ? 'chunk size' : 'unsized';
    }
    const length = headers.get('content-length');
    if (length === undefined) return 'unsized';
    const [first = '', ...others] = length.split(',').map((value) => value.trim());
    if (!/^\d{1,15}$/.test(first) || others.some((other) => other !== first)) {
      throw new ProbeFailure('protocol', 'wrong content length');
    }
    this.#count = Number(first);
    return this.#count === 0 ? 'over' : 'sized';
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    const { maxBody, keepBody } = this.options;
    const room = maxBody - this.#size;
    this.#size += to - from;
    if (keepBody) this.#body.append(bytes, from, Math.min(to, from + room));
    if (this.#size > maxBody) {
      this.cut = true;
      this.#part = 'over';
    }
  }

  #readLine(bytes: Buffer, at: number, take: (line: string) => void): number {
    const started = this.#started;
    const end = bytes.indexOf(10, at);
    const stop = end === -1 ? bytes.length : end;
    if (started.length + stop - at > MAX_LINE) throw tooLarge();
    if (end === -1 || started.length > 0) started.append(bytes, at, stop);
    if (end === -1) return stop;
    const line = started.length > 0 ? started.bytes.toString('latin1') : bytes.toString('latin1', at, stop);
    started.clear();
    take(withoutEnd(line));
    return end + 1;
  }
}

/** -1: it is none. */
function hexDigit(char: number | undefined): number {
  if (char === undefined) return -1;
  if (char >= 48 && char <= 57) return char - 48;
  const letter = char | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Where the empty line that ends a head ends in `bytes[from, to)`; -1: it has not come. */
function endOfHead(bytes: Buffer, from: number, to: number): number {
  for (let at = bytes.indexOf(10, from); at !== -1 && at + 1 < to; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at + 1] === 10) return at + 2;
    if (bytes[at + 1] === 13 && at + 2 < to && bytes[at + 2] === 10) return at + 3;
  }
  return -1;
}

/** A line that is no header is left out, as browsers do, with the lines that continue it. */
function fieldsOf(lines: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  let name = '';
  for (const line of lines) {
    if (line === '') continue;
    if (TORN.test(line)) throw noAnswer();
    const isFolded = line.startsWith(' ') || line.startsWith('\t');
    const colon = isFolded ? -1 : line.indexOf(':');
    if (!isFolded) name = trimmed(line.slice(0, Math.max(0, colon))).toLowerCase();
    if (!NAME.test(name)) continue;
    const value = trimmed(line.slice(colon + 1));
    const before = fields.get(name);
    const joint = isFolded ? ' ' : ONE_BY_ONE.has(name) ? '\n' : ', ';
    fields.set(name, before === undefined ? value : before + joint + value);
  }
  return fields;
}

/** Without the spaces and tabs around it. A no-break space is part of a value. */
function trimmed(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && isBlank(value.charCodeAt(from))) from += 1;
  while (to > from && isBlank(value.charCodeAt(to - 1))) to -= 1;
  return value.slice(from, to);
}

function isBlank(char: number): boolean {
  return char === 32 || char === 9;
}

function withoutEnd(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

const noAnswer = () => new ProbeFailure('protocol', 'no valid HTTP answer');
const tooLarge = () => new ProbeFailure('protocol', 'headers too large');
