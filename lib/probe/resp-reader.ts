import { ByteCollector } from './bytes.js';
import type { AnswerReader } from './dialogue.js';
import { ProbeFailure } from './failure.js';

/** Bytes of a line at most; longer texts come with their length. */
const LONGEST_LINE = 16_384;
/** No string and no list of Redis is longer (its default of proto-max-bulk-len is 512 MB). */
const LONGEST = 2 ** 29;
const DEEPEST = 32;

const LF = 0x0a;
const CRLF_LENGTH = 2;
const TYPES: ReadonlySet<number | undefined> = new Set(Buffer.from('+-:$*'));

interface OpenList {
  /** Elements that are still to come. */
  left: number;
  isFirst: boolean;
}

/**
 * Reads one answer of RESP 2 (https://redis.io/docs/latest/develop/reference/protocol-spec/) as text, in bounded memory: a
 * string as it is, a number, a list or nothing as JSON. Ends early where the text gets longer than is kept.
 */
export class RespReader implements AnswerReader {
  isOver = false;
  /** The answer was longer than what is kept: the rest was not read. */
  cut = false;
  /** The text of an error answer. Never logged: it may quote the question. */
  error: string | null = null;
  readonly #line = new ByteCollector(LONGEST_LINE);
  readonly #text: ByteCollector;
  readonly #lists: OpenList[] = [];
  #string: ByteCollector | null = null;
  /** Bytes of the string under way that are still to come, with its line end. */
  #left = 0;

  /** @param keep bytes of text at most; 0: none is needed, and the answer's first line is enough */
  constructor(private readonly keep: number) {
    this.#text = new ByteCollector(keep);
  }

  get text(): string {
    return this.#text.bytes.toString();
  }

  read(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && !this.isOver) {
      at = this.#left > 0 ? this.#readString(bytes, at) : this.#readLine(bytes, at);
    }
    return at;
  }

  #readLine(bytes: Buffer, at: number): number {
    if (this.#line.length === 0 && !TYPES.has(bytes[at])) throw noAnswer();
    const end = bytes.indexOf(LF, at);
    const to = end < 0 ? bytes.length : end;
    if (this.#line.length + to - at > LONGEST_LINE) throw noAnswer();
    this.#line.append(bytes, at, to);
    if (end < 0) return to;
    const line = this.#line.bytes.toString();
    this.#line.clear();
    if (!line.endsWith('\r')) throw noAnswer();
    this.#take(line.slice(0, 1), line.slice(1, -1));
    return end + 1;
  }

  #take(type: string, rest: string): void {
    const isWhole = this.#lists.length === 0;
    if (isWhole && type === '-') {
      this.error = rest;
      this.isOver = true;
    } else if (type === '+' || type === '-') {
      this.#value(isWhole ? rest : JSON.stringify(rest));
    } else if (type === ':') {
      if (!/^-?\d{1,19}$/.test(rest)) throw noAnswer();
      this.#value(rest);
    } else {
      const length = /^(?:-1|\d{1,10})$/.test(rest) ? Number(rest) : NaN;
      if (!(length <= LONGEST)) throw noAnswer();
      if (length < 0) this.#value('null');
      else if (type === '$') this.#beginString(length);
      else this.#beginList(length);
    }
    if (this.keep === 0) this.isOver = true;
  }

  #beginString(length: number): void {
    this.#left = length + CRLF_LENGTH;
    if (this.#lists.length > 0) this.#string = new ByteCollector(this.keep);
  }

  #readString(bytes: Buffer, at: number): number {
    const to = Math.min(bytes.length, at + this.#left);
    const content = Math.min(bytes.length, at + Math.max(0, this.#left - CRLF_LENGTH));
    const target = this.#string ?? this.#text;
    const kept = Math.min(content, at + this.keep - target.length);
    target.append(bytes, at, kept);
    this.#left -= to - at;
    if (kept < content) {
      // With its quote, what is kept of it fills the text.
      if (this.#string !== null) this.#value(JSON.stringify(this.#string.bytes.toString()));
      this.#end();
    } else if (this.#left === 0) {
      this.#value(this.#string === null ? '' : JSON.stringify(this.#string.bytes.toString()));
      this.#string = null;
    }
    return to;
  }

  #beginList(length: number): void {
    if (this.#lists.length >= DEEPEST) throw noAnswer();
    this.#separate();
    this.#write('[');
    this.#lists.push({ left: length, isFirst: true });
    this.#closeLists();
  }

  /** A value that is whole. */
  #value(text: string): void {
    this.#separate();
    this.#write(text);
    this.#countValue();
    this.#closeLists();
  }

  #separate(): void {
    const list = this.#lists.at(-1);
    if (list?.isFirst === false) this.#write(',');
    if (list !== undefined) list.isFirst = false;
  }

  #countValue(): void {
    const list = this.#lists.at(-1);
    if (list !== undefined) list.left--;
  }

  #closeLists(): void {
    while (this.#lists.at(-1)?.left === 0) {
      this.#lists.pop();
      this.#write(']');
      this.#countValue();
    }
    if (this.#lists.length === 0) this.isOver = true;
  }

  #write(text: string): void {
    if (this.isOver) return;
    const bytes = Buffer.from(text);
    const kept = Math.min(bytes.length, this.keep - this.#text.length);
    this.#text.append(bytes, 0, kept);
    if (kept < bytes.length && this.keep > 0) this.#end();
  }

  /** More came than is kept. */
  #end(): void {
    this.cut = this.keep > 0;
    this.isOver = true;
  }
}

function noAnswer(): ProbeFailure {
  return new ProbeFailure('protocol', 'it does not answer as Redis does: check host and port');
}
