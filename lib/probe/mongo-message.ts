import { deserialize, onDemand, serialize, type Document } from 'bson';
import { ByteCollector } from './bytes.js';
import type { AnswerReader } from './dialogue.js';
import { ProbeFailure } from './failure.js';

/** https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ */
const OP_MSG = 2013;
const HEADER_LENGTH = 16;
/** Header, flags, kind of the section, an empty document. */
const SHORTEST = HEADER_LENGTH + 4 + 1 + 5;
/** No server sends more. */
const LONGEST = 48_000_000;
const DOCUMENT_AT = HEADER_LENGTH + 5;
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;

/** A command as one message. */
export function messageOf(command: Document, id: number): Buffer {
  const document = serialize(command, { ignoreUndefined: true });
  const message = Buffer.alloc(DOCUMENT_AT + document.length);
  message.writeInt32LE(message.length, 0);
  message.writeInt32LE(id, 4);
  message.writeInt32LE(OP_MSG, 12);
  message.set(document, DOCUMENT_AT);
  return message;
}

/** Reads one message with one document. A message longer than the limit is given up before it is read. */
export class MongoReader implements AnswerReader {
  isOver = false;
  /** The document as BSON; empty until it is over. */
  document: Buffer = Buffer.alloc(0);
  readonly #bytes: ByteCollector;
  /** Bytes of the message; 0: not known yet. */
  #length = 0;

  /**
   * @param id of the message that it answers
   * @param limit bytes of a message at most
   */
  constructor(
    private readonly id: number,
    private readonly limit: number,
  ) {
    this.#bytes = new ByteCollector(limit);
  }

  read(bytes: Buffer): number {
    let at = 0;
    if (this.#length === 0) {
      at = Math.min(bytes.length, HEADER_LENGTH - this.#bytes.length);
      this.#bytes.append(bytes, 0, at);
      if (this.#bytes.length < HEADER_LENGTH) return at;
      this.#length = this.#lengthOf(this.#bytes.bytes);
    }
    const to = Math.min(bytes.length, at + this.#length - this.#bytes.length);
    this.#bytes.append(bytes, at, to);
    if (this.#bytes.length < this.#length) return to;
    this.document = documentOf(this.#bytes.bytes);
    this.isOver = true;
    return to;
  }

  #lengthOf(header: Buffer): number {
    const length = header.readInt32LE(0);
    const isAnswer = header.readInt32LE(8) === this.id && header.readInt32LE(12) === OP_MSG;
    if (!isAnswer || length < SHORTEST || length > LONGEST) throw noAnswer();
    if (length > this.limit) {
      throw new ProbeFailure('too_large', 'answer too large: give QUERY a limit or a projection');
    }
    return length;
  }
}

function documentOf(message: Buffer): Buffer {
  const flags = message.readUInt32LE(HEADER_LENGTH);
  const end = message.length - ((flags & CHECKSUM_PRESENT) === 0 ? 0 : 4);
  if ((flags & MORE_TO_COME) !== 0 || message[DOCUMENT_AT - 1] !== 0) throw noAnswer();
  return message.subarray(DOCUMENT_AT, end);
}

/**
 * A document of BSON. Regular expressions stay as they are, since JavaScript does not know all of them; what is no UTF-8 in a
 * text is replaced.
 * @param rawList the name of lists whose documents are left as BSON
 */
export function parse(bson: Uint8Array, rawList?: string): Document {
  const raw = rawList !== undefined && { fieldsAsRaw: { [rawList]: true } };
  try {
    return deserialize(bson, { bsonRegExp: true, validation: { utf8: false }, ...raw });
  } catch {
    throw noAnswer();
  }
}

/** A document of BSON with only those of its fields: the others are not parsed. */
export function pick(bson: Buffer, names: ReadonlySet<string>): Buffer {
  try {
    const fields = [...onDemand.parseToElements(bson)]
      .filter(([, at, length]) => names.has(bson.toString('utf8', at, at + length)))
      .map(([, nameAt, , at, length]) => bson.subarray(nameAt - 1, at + length));
    const length = Buffer.alloc(4);
    const picked = Buffer.concat([length, ...fields, Buffer.alloc(1)]);
    picked.writeInt32LE(picked.length);
    return picked;
  } catch {
    throw noAnswer();
  }
}

export function noAnswer(): ProbeFailure {
  return new ProbeFailure('protocol', 'it does not answer as MongoDB does: check host and port');
}
