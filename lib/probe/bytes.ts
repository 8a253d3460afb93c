/** Smallest capacity that is allocated, in bytes. */
const SMALLEST = 64;

/**
 * Bytes that come in pieces, collected in one buffer. The pieces are copied and not kept, so that a body of a million
 * one-byte pieces takes a megabyte. The capacity doubles, so that the copying stays linear.
 */
export class ByteCollector {
  #buffer = Buffer.alloc(0);
  #length = 0;

  /** @param limit the most bytes that will ever be collected */
  constructor(private readonly limit: number) {}

  get length(): number {
    return this.#length;
  }

  /** What was collected. It is a view: it changes with the next `append` after `clear`. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Collects `piece[from, to)`. */
  append(piece: Buffer, from: number, to: number): void {
    const length = this.#length + to - from;
    if (length > this.#buffer.length) this.#grow(length);
    piece.copy(this.#buffer, this.#length, from, to);
    this.#length = length;
  }

  clear(): void {
    this.#length = 0;
  }

  #grow(length: number): void {
    const wanted = Math.max(SMALLEST, 2 * this.#buffer.length);
    const grown = Buffer.allocUnsafe(Math.max(length, Math.min(wanted, this.limit)));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
