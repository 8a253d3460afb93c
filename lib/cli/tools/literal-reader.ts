import { ToolError } from './tool.js';

const SKIPPED = /(?:\s+|\/\/[^\n]*|\/\*[^]*?\*\/)+/y;
const WORD = /[A-Za-z_$][\w$]*/y;
const NUMBER = /-?\d[\d_]*(?:\.\d+)?/y;
const TEXT = /'((?:\\[^]|[^'\\\n])*)'|"((?:\\[^]|[^"\\\n])*)"|`((?:\\[^]|[^`\\])*)`/y;
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
/** What stands where there is an expression that is no literal. */
export const NOT_LITERAL = Symbol('an expression');
const DEEPEST = 100;

/**
 * The value that a constant of a TypeScript file is set to, without running anything: objects, lists, texts, numbers and
 * words. Everything else (calls, functions) is `NOT_LITERAL`. Undefined: there is no such constant.
 */
export function constantOf(source: string, name: string): unknown {
  const found = new RegExp(String.raw`\bconst\s+${name}\b[^=\n]*=`).exec(source);
  return found === null ? undefined : new LiteralReader(source, found.index + found[0].length).value(0);
}

class LiteralReader {
  constructor(
    private readonly source: string,
    private at: number,
  ) {}

  value(depth: number): unknown {
    if (depth > DEEPEST) throw new ToolError('the file is nested too deeply');
    this.take(SKIPPED);
    const next = this.source.charAt(this.at);
    const started = this.at;
    let value: unknown;
    if (next === '{') value = this.object(depth);
    else if (next === '[') value = this.list(depth);
    else {
      const text = this.take(TEXT);
      const number = text === null ? this.take(NUMBER) : null;
      const word = text === null && number === null ? (this.take(WORD)?.[0] ?? '') : '';
      if (text !== null) value = textIn(text);
      else if (number !== null) value = Number(number[0].replaceAll('_', ''));
      else value = WORDS.has(word) ? WORDS.get(word) : NOT_LITERAL;
    }
    this.take(SKIPPED);
    if (/^(?:[,}\];]|$|export\b|const\b)/.test(this.source.slice(this.at, this.at + 7))) return value;
    this.at = started;
    this.skipExpression();
    return NOT_LITERAL;
  }

  private object(depth: number): unknown {
    const entries: [string, unknown][] = [];
    this.at += 1;
    for (;;) {
      this.take(SKIPPED);
      const next = this.source.charAt(this.at);
      if (next === '}') break;
      this.refuseEnd(next, 'an object');
      if (next === ',') {
        this.at += 1;
        continue;
      }
      const text = this.take(TEXT);
      const key = text === null ? this.take(WORD)?.[0] : textOfKey(textIn(text));
      this.take(SKIPPED);
      if (key !== undefined && this.source.charAt(this.at) === ':') {
        this.at += 1;
        entries.push([key, this.value(depth + 1)]);
      } else {
        // A method, a spread, a shorthand.
        entries.push([key ?? '', NOT_LITERAL]);
        this.skipExpression();
      }
    }
    this.at += 1;
    return Object.fromEntries(entries);
  }

  private list(depth: number): unknown {
    const items: unknown[] = [];
    this.at += 1;
    for (;;) {
      this.take(SKIPPED);
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
  private skipExpression(): void {
    let open = 0;
    while (this.at < this.source.length) {
      if (this.take(SKIPPED) !== null || this.take(TEXT) !== null) continue;
      const next = this.source.charAt(this.at);
      if (open === 0 && /[,}\];]/.test(next)) return;
      if (/[({[]/.test(next)) open += 1;
      if (/[)}\]]/.test(next)) open -= 1;
      this.at += 1;
    }
  }

  private take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source);
    if (found !== null) this.at += found[0].length;
    return found;
  }
}

function textIn([, single, double, template]: RegExpExecArray): unknown {
  if (template?.includes('${')) return NOT_LITERAL;
  return (single ?? double ?? template ?? '').replace(
    /\\([^])/g,
    (_, letter: string) => ESCAPES.get(letter) ?? letter,
  );
}

function textOfKey(key: unknown): string | undefined {
  return typeof key === 'string' ? key : undefined;
}
