/** Reads a message of a binary protocol from front to back. Everything throws a RangeError where the message is too short. */
export class ByteReader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  get left(): number {
    return this.bytes.length - this.#at;
  }

  /** The next `length` bytes, not copied. */
  take(length: number): Buffer {
    if (length > this.left) throw new RangeError('the message is too short');
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  rest(): Buffer {
    return this.take(this.left);
  }

  /** The bytes before the next NUL, which is skipped. */
  untilNul(): Buffer {
    const end = this.bytes.indexOf(0, this.#at);
    if (end < 0) throw new RangeError('the message is too short');
    const bytes = this.take(end - this.#at);
    this.#at++;
    return bytes;
  }

  uint8(): number {
    return this.take(1).readUInt8();
  }

  uint16BE(): number {
    return this.take(2).readUInt16BE();
  }

  uint32BE(): number {
    return this.take(4).readUInt32BE();
  }

  int32BE(): number {
    return this.take(4).readInt32BE();
  }

  /** @param size in bytes, 1 to 6 */
  uintLE(size: number): number {
    return this.take(size).readUIntLE(0, size);
  }
}
