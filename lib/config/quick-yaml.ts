import type { YamlDocument, YamlEntry, YamlNode, YamlText } from './yaml-document.js';

/** Thrown where a text is not as simple as it has to be. */
class Unsure extends Error {}

/** Tabs, other control characters and byte order marks have rules of their own. */
const OTHER_CHARACTERS = /[^\n -~\u00a0-\ufefe\uff00-\uffff]/;
/** A name with its colon. */
const KEY = /(?:([A-Za-z0-9_$][\w$./-]{0,99})|"([^"\\\n]{0,100})"|'([^'\n]{0,100})'):(?=[ \n])/y;
/** A name and its colon within braces: behind quotes no space is needed. */
const FLOW_KEY =
  /(?:([A-Za-z0-9_$][\w$./-]{0,99})|"([^"\\\n]{0,100})"|'([^'\n]{0,100})')(?:(?<=["']) *:|:(?=[ \n])) */y;
/** How a text without quotes begins here; YAML takes others too. */
const PLAIN_START = /[A-Za-z0-9_$/(+=~<;^\\\u00a1-\uffff]|[-.][A-Za-z0-9]/y;
/** What ends such a text: a comment, a colon with a space, and in braces what separates their values. */
const PLAIN_END = /\n| #|:(?=[ \n]|$)/g;
const FLOW_PLAIN_END = /\n| #|:(?=[ \n,[\]{}]|$)|[,[\]{}]/g;
const NULL = /^(?:~|null|Null|NULL)$/;
/** Escapes that JSON does not have. */
const OTHER_ESCAPES = /\\(?!["\\/bfnrt]|u[0-9a-f]{4})/i;
const LITERAL = /\|(-?)\n/y;
const MOST_LEVELS = 50;

/**
 * Reads the plain part of YAML in which nearly all files are written, JSON among them, ten times as fast as `exactYaml`
 * does: maps and lists by indentation, `{}` and `[]` on one line, texts of one line and those behind `|`, comments. Null for
 * everything else, and for most of what is not valid. What it reads is what `exactYaml` reads, with the same places.
 */
export function quickYaml(text: string): YamlDocument | null {
  if (OTHER_CHARACTERS.test(text)) return null;
  try {
    return { text, root: new QuickReader(text).read(), mistakes: [] };
  } catch (error) {
    if (error instanceof Unsure) return null;
    throw error;
  }
}

class QuickReader {
  private at = 0;
  /** Where the line begins on which `at` is. */
  private lineStart = 0;
  /** The column at which the node at `at` begins; -1: behind the last one. */
  private column = 0;
  private levels = 0;

  constructor(private readonly text: string) {}

  read(): YamlNode {
    this.toContent();
    if (this.column === 0 && this.text.startsWith('---\n', this.at)) {
      this.at += 3;
      this.toNextLine();
    }
    if (this.column !== 0) throw new Unsure();
    const root = this.isAt('{') || this.isAt('[') ? this.json() : this.block();
    if (this.at < this.text.length) throw new Unsure();
    return root;
  }

  private json(): YamlNode {
    const node = this.flow(true);
    this.toNextLine();
    return node;
  }

  /** A list or a map, from its first character to the beginning of what follows it. */
  private block(): YamlNode {
    this.enterLevel();
    const node = this.isAtDash() ? this.list() : this.map();
    this.levels -= 1;
    return node;
  }

  private list(): YamlNode {
    const { at, column } = this;
    const items: YamlNode[] = [];
    while (this.column === column && this.isAtDash()) {
      this.at += 1;
      this.skipSpaces();
      this.column = this.at - this.lineStart;
      if (this.isAtDash() || this.matches(KEY)) items.push(this.block());
      else if (this.isAtContent()) items.push(this.value(column));
      else {
        this.toNextLine();
        if (this.column <= column) throw new Unsure();
        items.push(this.block());
      }
    }
    if (this.column > column) throw new Unsure();
    return { kind: 'list', items, at };
  }

  private map(): YamlNode {
    const { at, column } = this;
    const entries: YamlEntry[] = [];
    while (this.column === column) {
      const key = this.key(KEY);
      this.skipSpaces();
      entries.push({ key, value: this.isAtContent() ? this.value(column) : this.valueBelow(column) });
    }
    if (this.column > column) throw new Unsure();
    return { kind: 'map', entries, at };
  }

  /** The value of a name behind which its line is empty. */
  private valueBelow(column: number): YamlNode {
    const nothing: YamlText = { kind: 'text', text: '', isNull: true, at: this.at };
    this.toNextLine();
    // A list may begin below its name.
    const isBelow = this.column > column || (this.column === column && this.isAtDash());
    return isBelow ? this.block() : nothing;
  }

  /** A value on the rest of the line, and what follows it is sought. @param column of the list or map it is in */
  private value(column: number): YamlNode {
    if (this.isAt('|')) return this.literal(column);
    const node = this.isAt('{') || this.isAt('[') ? this.flow(false) : this.scalar(PLAIN_END);
    this.toNextLine();
    return node;
  }

  private key(form: RegExp): YamlText {
    const { at } = this;
    const found = this.matches(form);
    if (found === null) throw new Unsure();
    const [match, plain, double, single] = found;
    this.at += match.length;
    const text = plain ?? double ?? single ?? '';
    return { kind: 'text', text, isNull: plain !== undefined && NULL.test(plain), at };
  }

  private scalar(plainEnd: RegExp): YamlText {
    const { text, at } = this;
    if (this.isAt('"')) {
      let end = at + 1;
      while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
      const source = text.slice(at, end + 1);
      if (end >= text.length || source.includes('\n') || OTHER_ESCAPES.test(source)) throw new Unsure();
      this.at = end + 1;
      const value = source.includes('\\') ? (JSON.parse(source) as string) : source.slice(1, -1);
      return { kind: 'text', text: value, isNull: false, at };
    }
    if (this.isAt("'")) {
      let end = at + 1;
      while (end < text.length && (text[end] !== "'" || text[end + 1] === "'"))
        end += text[end] === "'" ? 2 : 1;
      const source = text.slice(at + 1, end);
      if (end >= text.length || source.includes('\n')) throw new Unsure();
      this.at = end + 1;
      return { kind: 'text', text: source.replaceAll("''", "'"), isNull: false, at };
    }
    if (this.matches(PLAIN_START) === null) throw new Unsure();
    plainEnd.lastIndex = at;
    let end = plainEnd.exec(text)?.index ?? text.length;
    while (text[end - 1] === ' ') end -= 1;
    this.at = end;
    const value = text.slice(at, end);
    return { kind: 'text', text: value, isNull: NULL.test(value), at };
  }

  /** @param mayHaveLines whether it may be longer than a line, as JSON is */
  private flow(mayHaveLines: boolean): YamlNode {
    this.enterLevel();
    const { at } = this;
    const isMap = this.isAt('{');
    const close = isMap ? '}' : ']';
    const items: YamlNode[] = [];
    const entries: YamlEntry[] = [];
    this.at += 1;
    this.skipInFlow(mayHaveLines);
    while (!this.isAt(close)) {
      if (isMap) {
        const key = this.key(FLOW_KEY);
        entries.push({ key, value: this.flowValue(mayHaveLines) });
      } else items.push(this.flowValue(mayHaveLines));
      if (this.isAt(',')) this.at += 1;
      else if (!this.isAt(close)) throw new Unsure();
      this.skipInFlow(mayHaveLines);
    }
    this.at += 1;
    this.levels -= 1;
    return isMap ? { kind: 'map', entries, at } : { kind: 'list', items, at };
  }

  private flowValue(mayHaveLines: boolean): YamlNode {
    this.skipInFlow(mayHaveLines);
    const node = this.isAt('{') || this.isAt('[') ? this.flow(mayHaveLines) : this.scalar(FLOW_PLAIN_END);
    this.skipInFlow(mayHaveLines);
    return node;
  }

  /** A text of several lines behind `|` or `|-`. @param column of the list or map it is in */
  private literal(column: number): YamlText {
    const { text, at } = this;
    const found = this.matches(LITERAL);
    if (found === null) throw new Unsure();
    let start = at + found[0].length;
    const indentation = /[^ ]/g;
    const indentOf = (line: number): number => {
      indentation.lastIndex = line;
      return (indentation.exec(text)?.index ?? text.length) - line;
    };
    const indent = indentOf(start);
    if (indent <= column) throw new Unsure();
    const lines: string[] = [];
    for (;;) {
      const end = text.indexOf('\n', start);
      const own = indentOf(start);
      const isEmpty = end === start;
      // White space on a line of its own, and a last line without its end, have rules of their own.
      const isBlank = start + own === (end < 0 ? text.length : end);
      if (isBlank && !isEmpty) throw new Unsure();
      if (!isEmpty && own < indent) break;
      if (end < 0) throw new Unsure();
      lines.push(text.slice(start + indent, end));
      start = end + 1;
      if (start === text.length) break;
    }
    while (lines.at(-1) === '') lines.pop();
    this.at = start;
    this.lineStart = start;
    this.toContent();
    return { kind: 'text', text: lines.join('\n') + (found[1] === '-' ? '' : '\n'), isNull: false, at };
  }

  /** From behind a value to the next node; only a comment may be on the rest of the line. */
  private toNextLine(): void {
    this.skipSpaces();
    if (this.isAt('#') && this.text[this.at - 1] === ' ') this.toLineEnd();
    if (this.at >= this.text.length) this.column = -1;
    else if (this.isAt('\n')) {
      this.at += 1;
      this.lineStart = this.at;
      this.toContent();
    } else throw new Unsure();
  }

  /** From the beginning of a line to the next node. */
  private toContent(): void {
    for (;;) {
      this.skipSpaces();
      if (this.isAt('#')) this.toLineEnd();
      if (!this.isAt('\n')) break;
      this.at += 1;
      this.lineStart = this.at;
    }
    this.column = this.at < this.text.length ? this.at - this.lineStart : -1;
  }

  private toLineEnd(): void {
    const end = this.text.indexOf('\n', this.at);
    this.at = end < 0 ? this.text.length : end;
  }

  private skipInFlow(mayHaveLines: boolean): void {
    this.skipSpaces();
    while (mayHaveLines && this.isAt('\n')) {
      this.at += 1;
      this.skipSpaces();
    }
  }

  private enterLevel(): void {
    this.levels += 1;
    if (this.levels > MOST_LEVELS) throw new Unsure();
  }

  private skipSpaces(): void {
    while (this.text[this.at] === ' ') this.at += 1;
  }

  private isAt(character: string): boolean {
    return this.text[this.at] === character;
  }

  private isAtDash(): boolean {
    const next = this.text[this.at + 1];
    return this.isAt('-') && (next === ' ' || next === '\n' || next === undefined);
  }

  /** Whether the rest of the line has more than a comment. */
  private isAtContent(): boolean {
    return this.at < this.text.length && !this.isAt('\n') && !this.isAt('#');
  }

  private matches(form: RegExp): RegExpExecArray | null {
    form.lastIndex = this.at;
    return form.exec(this.text);
  }
}
