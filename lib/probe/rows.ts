import type { Body } from '../rules/assertions.js';

/** How the text of a value is written in JSON. */
export type ValueKind = 'number' | 'boolean' | 'json' | 'text';

export interface Column {
  readonly name: string;
  readonly kind: ValueKind;
}

/** A number as JSON writes it. Others (`NaN`, `00042`) become texts. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The rows of a query as JSON, `[{"count":1}]`, cut at MAX_BODY bytes. */
export class Rows {
  #columns: readonly { readonly key: string; readonly kind: ValueKind }[] = [];
  #rows: string[] = [];
  /** Bytes of the text so far, brackets included. */
  #bytes = 2;
  #isCut = false;

  /** @param limit in bytes; null: nobody looks at the rows, and none is kept */
  constructor(private readonly limit: number | null) {}

  get columnCount(): number {
    return this.#columns.length;
  }

  /** Begins a result. One before it is forgotten: of several statements, the last one counts. */
  begin(columns: readonly Column[]): void {
    this.#columns = columns.map(({ name, kind }) => ({ key: JSON.stringify(name), kind }));
    this.#rows = [];
    this.#bytes = 2;
  }

  /** Adds a row; null is NULL. Returns false where there is no place for more. */
  add(values: readonly (Buffer | null)[]): boolean {
    if (this.limit === null) return true;
    const fields = this.#columns.map(
      ({ key, kind }, index) => `${key}:${jsonOf(values[index] ?? null, kind)}`,
    );
    const row = `{${fields.join(',')}}`;
    this.#bytes += Buffer.byteLength(row) + (this.#rows.length > 0 ? 1 : 0);
    this.#rows.push(row);
    if (this.#bytes > this.limit) this.#isCut = true;
    return !this.#isCut;
  }

  /** What follows is not read. */
  cut(): void {
    this.#isCut = true;
  }

  get body(): Body | null {
    if (this.limit === null) return null;
    const text = `[${this.#rows.join(',')}]`;
    if (!this.#isCut) return { text, cut: false };
    // A character that the limit cuts in two is left out.
    const start = Buffer.from(text).subarray(0, Math.min(this.limit, this.#bytes - 1));
    return { text: new TextDecoder().decode(start, { stream: true }), cut: true };
  }
}

function jsonOf(value: Buffer | null, kind: ValueKind): string {
  if (value === null) return 'null';
  const text = value.toString();
  if (kind === 'number' && NUMBER.test(text)) return text;
  if (kind === 'boolean' && (text === 't' || text === 'f')) return String(text === 't');
  if (kind === 'json' && isJson(text)) return text;
  return JSON.stringify(text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
