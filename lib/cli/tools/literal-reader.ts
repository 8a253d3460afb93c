import { ToolError } from './tool.js';

const WORD = /[A-Za-z_$][\w$]*/y;
const NUMBER = /-?\d[\d_]*(?:\.\d+)?/y;
/** What TypeScript says of the type of a value. */
const TYPE = /(?:as|satisfies)\s{1,9}[\w.$]{1,100}(?:<[\w\s.,|[\]]{0,100}>)?(?:\[\])*/y;
/** What stands behind a value that is whole, if it is no operator. */
const STATEMENT = /^(?!(?:in|instanceof|as|satisfies)\b)[A-Za-z_$]/;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
]);
const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['undefined', null],
]);
/** An expression that is no literal. */
export class Expression {
  constructor(private readonly source: string) {}

  /** It is a function with nothing but comments in it. */
  get doesNothing(): boolean {
    const body = this.source.slice(this.source.lastIndexOf('{') + 1).trimEnd();
    const lines = body.endsWith('}') ? body.slice(0, -1).split('\n') : [body];
    return lines.every((line) => /^\s*(?:\/\/|$)/.test(line));
  }
}

const DEEPEST = 100;

/**
 * The value that a constant of a TypeScript file is set to, without running anything: objects, lists, texts, numbers and
 * words. Everything else (calls, functions) is an `Expression`. Undefined: there is no such constant. Takes linear time.
 */
export function constantOf(source: string, name: string): unknown {
  const found = new RegExp(String.raw`^[ \t]*(?:export\s+)?const\s+${name}\b`, 'm').exec(source);
  if (found === null) return undefined;
  const start = source.indexOf('=', found.index + found[0].length);
  return start < 0 ? undefined : new LiteralReader(source, start + 1).value(0);
}

class LiteralReader {
  constructor(
    private readonly source: string,
    private at: number,
  ) {}

  value(depth: number): unknown {
    if (depth > DEEPEST) throw new ToolError('the file is nested too deeply');
    this.skip();
    const next = this.source.charAt(this.at);
    const started = this.at;
    let value: unknown;
    if (next === '{') value = this.object(depth);
    else if (next === '[') value = this.list(depth);
    else {
      const text = this.text();
      const number = text === null ? this.take(NUMBER) : null;
      const word = text === null && number === null ? (this.take(WORD)?.[0] ?? '') : '';
      if (text !== null) value = text;
      else if (number !== null) value = Number(number[0].replaceAll('_', ''));
      else value = WORDS.has(word) ? WORDS.get(word) : undefined;
    }
    this.skip();
    while (this.take(TYPE) !== null) this.skip();
    const behind = this.source.slice(this.at, this.at + 11);
    const isWhole = /^(?:[,}\];]|$)/.test(behind) || (depth === 0 && STATEMENT.test(behind));
    if (isWhole && value !== undefined) return value;
    this.at = started;
    return this.expression();
  }

  private object(depth: number): unknown {
    const entries: [string, unknown][] = [];
    this.at += 1;
    for (;;) {
      this.skip();
      const next = this.source.charAt(this.at);
      if (next === '}') break;
      this.refuseEnd(next, 'an object');
      if (next === ',') {
        this.at += 1;
        continue;
      }
      const text = this.text();
      const key = text === null ? this.take(WORD)?.[0] : textOfKey(text);
      this.skip();
      if (key !== undefined && this.source.charAt(this.at) === ':') {
        this.at += 1;
        entries.push([key, this.value(depth + 1)]);
      } else {
        // A method, a spread, a shorthand.
        entries.push([key ?? '', this.expression()]);
      }
    }
    this.at += 1;
    return Object.fromEntries(entries);
  }

  private list(depth: number): unknown {
    const items: unknown[] = [];
    this.at += 1;
    for (;;) {
      this.skip();
      const next = this.source.charAt(this.at);
      if (next === ']') break;
      this.refuseEnd(next, 'a list');
      if (next === ',') this.at += 1;
      else items.push(this.value(depth + 1));
    }
    this.at += 1;
    return items;
  }

  /** Where something else ends than what is being read, nothing more of it can be read. */
  private refuseEnd(next: string, what: string): void {
    if (next === '') throw new ToolError(`the file ends within ${what}`);
    if (/[}\]);]/.test(next)) throw new ToolError(`${next} stands within ${what} that has no end`);
  }

  /** Goes to the comma or bracket that ends an expression; brackets within it are passed. */
  private expression(): Expression {
    const started = this.at;
    let open = 0;
    while (this.at < this.source.length) {
      if (this.skip() || this.text() !== null) continue;
      const next = this.source.charAt(this.at);
      if (open === 0 && /[,}\];]/.test(next)) break;
      if (/[({[]/.test(next)) open += 1;
      if (/[)}\]]/.test(next)) open -= 1;
      this.at += 1;
    }
    return new Expression(this.source.slice(started, this.at));
  }

  /** Passes white space and comments. Returns whether there were any. */
  private skip(): boolean {
    const started = this.at;
    for (;;) {
      while (/\s/.test(this.source.charAt(this.at))) this.at += 1;
      const mark = this.source.slice(this.at, this.at + 2);
      if (mark !== '//' && mark !== '/*') return this.at > started;
      const end = this.source.indexOf(mark === '//' ? '\n' : '*/', this.at + 2);
      if (end < 0 && mark === '/*') throw new ToolError('a comment has no end');
      this.at = end < 0 ? this.source.length : end + (mark === '//' ? 1 : 2);
    }
  }

  /** A text in quotes, an Expression for a template; null where none begins here. */
  private text(): string | Expression | null {
    const quote = this.source.charAt(this.at);
    if (quote !== "'" && quote !== '"' && quote !== '`') return null;
    const started = this.at;
    const pieces: string[] = [];
    for (this.at += 1; ; this.at += 1) {
      const next = this.source.charAt(this.at);
      if (next === quote) break;
      if (next === '' || (next === '\n' && quote !== '`')) throw new ToolError('a text has no closing quote');
      if (next === '\\') {
        this.at += 1;
        const letter = this.source.charAt(this.at);
        pieces.push(ESCAPES.get(letter) ?? letter);
      } else pieces.push(next);
    }
    this.at += 1;
    const written = this.source.slice(started, this.at);
    return quote === '`' && written.includes('${') ? new Expression(written) : pieces.join('');
  }

  private take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source);
    if (found !== null) this.at += found[0].length;
    return found;
  }
}

function textOfKey(key: unknown): string | undefined {
  return typeof key === 'string' ? key : undefined;
}
