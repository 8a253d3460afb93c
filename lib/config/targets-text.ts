import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Alias,
  type Document,
  type ErrorCode,
  type ParsedNode,
  type Scalar,
  type YAMLMap,
} from '#yaml';
import { TARGET_OPTIONS, type TargetOptionName } from './options.js';
import type { FilePlace, Problem } from './problems.js';
import { nearest } from './spelling.js';
import {
  fileName,
  inFileWords,
  type FileOption,
  type FileOptions,
  type FileTarget,
  type TargetsFile,
} from './targets-file.js';

/** How much may be read by way of aliases, in nodes of 64 characters: a small file must not stand for a huge one. */
const MOST_ALIASED = 100_000;

const ID = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;
const OPTION_NAMES = Object.keys(TARGET_OPTIONS) as TargetOptionName[];
const OPTIONS = new Map(OPTION_NAMES.map((name) => [fileName(name), name]));
const BY_FOLDED = new Map(['id', ...OPTIONS.keys()].map((name) => [folded(name), name]));
const TOP_LEVEL = ['targets', 'defaults', '$schema'];

/** `${NAME}`, forms of it that shells know and that are not understood here, and `$${`, which stands for `${`. */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_]\w*)(:?[-+?=][^{}$]*)?\}/g;

/** What the parser reports; its own messages may quote the file. */
const MESSAGES: ReadonlyMap<ErrorCode, string> = new Map<ErrorCode, string>([
  ['BAD_INDENT', 'the indentation does not fit the lines above'],
  ['TAB_AS_INDENT', 'a tab stands where spaces are needed'],
  ['MISSING_CHAR', 'a character is missing here: a closing quote or bracket, a comma, a colon, or a space'],
  [
    'BAD_DQ_ESCAPE',
    'a backslash in double quotes begins none of the known escapes: single quotes take it as it is',
  ],
  ['BAD_SCALAR_START', 'a text cannot begin with this character: put it in quotes'],
  ['BAD_ALIAS', 'an alias (*name) needs an anchor (&name) above it'],
  ['MULTIPLE_DOCS', 'expected one document, but --- begins another one'],
  ['MULTILINE_IMPLICIT_KEY', 'a name and its colon have to stand on one line'],
  [
    'BLOCK_AS_IMPLICIT_KEY',
    'a value cannot begin here: a name with a second colon needs quotes, or a line of its own',
  ],
  ['TAG_RESOLVE_FAILED', 'tags (!name) are not supported'],
  ['KEY_OVER_1024_CHARS', 'a name is too long'],
]);

/** What a targets file may take from outside. */
export interface Outside {
  /** The variables that are set. */
  readonly texts: ReadonlyMap<string, string>;
  /** Variables that are not set are no problem, and stand for their own names: for comparing files without their secrets. */
  readonly mayLackVariables?: boolean;
}

/**
 * Reads a targets file: YAML 1.2, of which JSON is a part. Never throws. Takes time in proportion to the length of the text.
 * @param name how messages name the file
 */
export function readTargets(name: string, text: string, outside: Outside): TargetsFile {
  return new Reader(name, outside).read(text);
}

type Node = ParsedNode | null;

/** Reads one file. Values are looked at only where they are used, so that what nobody uses costs nothing. */
class Reader {
  private readonly lines = new LineCounter();
  private readonly problems: Problem[] = [];
  private aliases: ReadonlyMap<Alias, ParsedNode> = new Map();
  private aliased = 0;

  constructor(
    private readonly name: string,
    private readonly outside: Outside,
  ) {}

  read(text: string): TargetsFile {
    const root = this.parse(text);
    let targets: readonly FileTarget[] = [];
    let defaults: FileOptions = new Map();
    if (isMap(root)) {
      const parts = this.entries(root, (key) =>
        TOP_LEVEL.includes(key) ? null : unknown('name', key, TOP_LEVEL, new Map()),
      );
      targets = this.targets(parts.get('targets')?.value ?? null, root);
      const node = parts.get('defaults')?.value ?? null;
      if (!isNothing(node)) defaults = this.options(node, false)?.options ?? defaults;
    } else if (this.problems.length === 0) {
      this.problems.push({
        ...this.placeOf(root),
        message: 'expected a map with targets, and defaults if there are any',
      });
    }
    return { name: this.name, targets, defaults, problems: this.problems };
  }

  private parse(text: string): Node {
    try {
      const document = parseDocument(text, {
        lineCounter: this.lines,
        // It compares each key with each other key of its map; `entries` takes linear time.
        uniqueKeys: false,
        prettyErrors: false,
        schema: 'core',
      });
      let lastLine = 0;
      for (const { code, pos } of document.errors) {
        const place = this.placeAt(pos[0]);
        // One mistake may be found many times on its line.
        if (place.line === lastLine) continue;
        lastLine = place.line;
        this.problems.push({ ...place, message: MESSAGES.get(code) ?? 'this is not valid YAML' });
      }
      if (document.errors.length > 0) return null;
      if (text.includes('*')) this.aliases = aliasesOf(document);
      return document.contents;
    } catch (error) {
      // The parser calls itself once a level.
      if (!(error instanceof RangeError)) throw error;
      this.problems.push({ ...this.placeAt(0), message: 'the file is nested too deeply' });
      return null;
    }
  }

  private targets(node: Node, root: ParsedNode): readonly FileTarget[] {
    if (!isSeq(node)) {
      const message = 'targets: expected a list of maps with id and url';
      this.problems.push({ ...this.placeOf(node ?? root), message });
      return [];
    }
    const found = new Map<string, FileTarget>();
    for (const item of node.items) {
      const target = this.target(item);
      if (target === null) continue;
      const other = found.get(target.id)?.place;
      if (other === undefined) found.set(target.id, target);
      else {
        const message = `id: the same id as the target at ${this.name}:${other.line}:${other.column}, rename one of them`;
        this.problems.push({ ...target.place, message });
      }
    }
    return [...found.values()];
  }

  private target(node: Node): FileTarget | null {
    const read = this.options(node, true);
    if (read === null) return null;
    const { id, options, hasAddress } = read;
    if (id === undefined) {
      this.problems.push({ ...this.placeOf(node), message: 'id: missing, every target needs one' });
      return null;
    }
    const text = isScalar(id.value) ? sourceOf(id.value) : '';
    if (ID.test(text)) return { id: text, place: id.place, options, hasAddress };
    const message = 'id: expected lower case letters, digits and - between them, 64 characters at most';
    this.problems.push({ ...id.place, message });
    return null;
  }

  /** The options of a target, or those of `defaults`; null: there is no map of them. */
  private options(
    given: Node,
    isTarget: boolean,
  ): {
    readonly options: FileOptions;
    readonly id: FileEntry | undefined;
    readonly hasAddress: boolean;
  } | null {
    const node = this.resolved(given);
    if (!isMap(node)) {
      const message = isTarget ? 'expected a map with id and url' : 'defaults: expected a map of options';
      this.problems.push({ ...this.placeOf(given), message });
      return null;
    }
    const entries = this.entries(node, (key) => {
      if (!isTarget && (key === 'id' || key === 'url')) return `${key}: belongs to a target, not to defaults`;
      if (key === '<<') return '<<: is not supported, put what targets share into defaults';
      return key === 'id' || OPTIONS.has(key) ? null : unknown('option', key, [...OPTIONS.keys()], BY_FOLDED);
    });
    const options = new Map<TargetOptionName, FileOption>();
    let isAddressFaulty = false;
    for (const [key, entry] of entries) {
      const name = OPTIONS.get(key);
      const problemsBefore = this.problems.length;
      const option = name === undefined ? null : this.option(name, entry);
      if (name !== undefined && option !== null) options.set(name, option);
      if (name === 'URL') isAddressFaulty = this.problems.length > problemsBefore;
    }
    return { options, id: entries.get('id'), hasAddress: options.has('URL') || isAddressFaulty };
  }

  /**
   * The entries of a map by their names; those with names that do not fit are reported.
   * @param check says what is wrong with a name; null: nothing is
   */
  private entries(node: YAMLMap, check: (key: string) => string | null): Map<string, FileEntry> {
    const found = new Map<string, FileEntry>();
    for (const item of node.items) {
      const [key, value] = [item.key as Node, item.value as Node];
      const text = isScalar(key) ? sourceOf(key) : '';
      const place = this.placeOf(key ?? (node as YAMLMap.Parsed));
      const before = found.get(text);
      const message =
        text === ''
          ? 'expected a name before the colon'
          : (check(text) ??
            (before === undefined ? null : `${text}: given twice, first on line ${before.keyLine}`));
      if (message === null) {
        found.set(text, { value, place: value === null ? place : this.placeOf(value), keyLine: place.line });
      } else this.problems.push({ ...place, message });
    }
    return found;
  }

  /** What an option is set to; null: it is not set, or what is wrong has been reported. */
  private option(option: TargetOptionName, { value, place }: FileEntry): FileOption | null {
    const problemsBefore = this.problems.length;
    const { form, expected } = TARGET_OPTIONS[option].value;
    const seen = { reference: false, unknown: false };
    const textOf = (given: Node): string | null => {
      const node = this.resolved(given);
      if (!isScalar(node) || node.value === null) return null;
      const source = sourceOf(node);
      const { text, isUnknown } = this.expanded(option, source, this.placeOf(node));
      seen.reference ||= text !== source;
      seen.unknown ||= isUnknown;
      return text;
    };
    const node = this.resolved(value);
    if (isNothing(node)) return null;
    let text: string | null;
    if (isSeq(node) && form.kind === 'list') {
      const items = node.items.map((item) => textOf(item as Node));
      text = items.includes(null) ? null : items.join(form.separator);
    } else if (isMap(node) && form.kind === 'map') {
      const entries = [...this.entries(node, () => null)].map(([key, entry]) => [key, textOf(entry.value)]);
      const isComplete = entries.every(([, content]) => content !== null);
      text = isComplete ? JSON.stringify(Object.fromEntries(entries)) : null;
    } else text = textOf(node)?.trim() ?? null;
    if (this.problems.length > problemsBefore) return null;
    if (text === null) {
      const what =
        form.kind === 'map'
          ? 'a map of names and texts'
          : form.kind === 'list'
            ? `${expected}, as a text or a list`
            : expected;
      this.problems.push({ ...place, message: `${fileName(option)}: expected ${inFileWords(what)}` });
      return null;
    }
    return text === '' ? null : { text, place, hasReference: seen.reference, isUnknown: seen.unknown };
  }

  /** A text with what variables hold in the places of their names. */
  private expanded(
    option: TargetOptionName,
    given: string,
    place: FilePlace,
  ): { readonly text: string; readonly isUnknown: boolean } {
    let isUnknown = false;
    if (!given.includes('${')) return { text: given, isUnknown };
    const text = given.replace(REFERENCE, (match, name: string | undefined, rest: string | undefined) => {
      if (name === undefined) return '${';
      const found = rest === undefined ? this.outside.texts.get(name) : undefined;
      if (found !== undefined) return found;
      if (this.outside.mayLackVariables === true) {
        isUnknown = true;
        return name;
      }
      const message =
        rest === undefined
          ? `the variable ${name} is not set ($\${ stands for \${)`
          : 'of ${…}, only ${NAME} is understood ($${ stands for ${)';
      this.problems.push({ ...place, message: `${fileName(option)}: ${message}` });
      return match;
    });
    return { text, isUnknown };
  }

  /** What an alias stands for. One that would make much of little is reported, and given back as it is. */
  private resolved(node: Node): Node {
    if (!isAlias(node)) return node;
    const target = this.aliases.get(node);
    this.aliased += target === undefined ? Infinity : sizeOf(target);
    if (target !== undefined && this.aliased <= MOST_ALIASED) return target;
    const message = 'this alias stands for too much: put what targets share into defaults';
    this.problems.push({ ...this.placeOf(node), message });
    return node;
  }

  private placeOf(node: Node): FilePlace {
    return this.placeAt(node === null ? 0 : node.range[0]);
  }

  private placeAt(offset: number): FilePlace {
    const { line, col } = this.lines.linePos(offset);
    return { file: this.name, line: Math.max(1, line), column: Math.max(1, col) };
  }
}

interface FileEntry {
  readonly value: Node;
  /** Of the value, or of the name where there is none. */
  readonly place: FilePlace;
  readonly keyLine: number;
}

/** What each alias stands for: the last anchor of its name above it. */
function aliasesOf(document: Document.Parsed): ReadonlyMap<Alias, ParsedNode> {
  const anchors = new Map<string, ParsedNode>();
  const aliases = new Map<Alias, ParsedNode>();
  visit(document, {
    Node: (_key, node) => {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) aliases.set(node, target);
      } else if (node.anchor !== undefined) anchors.set(node.anchor, node as ParsedNode);
    },
  });
  return aliases;
}

/** Nodes, of which a text counts as several by its length; no end where an alias is among them. */
function sizeOf(node: Node): number {
  if (isAlias(node)) return Infinity;
  if (isScalar(node)) return 1 + sourceOf(node).length / 64;
  if (isSeq(node)) return node.items.reduce((sum, item) => sum + sizeOf(item as Node), 1);
  if (isMap(node)) {
    return node.items.reduce((sum, { key, value }) => sum + sizeOf(key as Node) + sizeOf(value), 1);
  }
  return 1;
}

/** The text of a scalar: numbers and words such as `true` as they are written. */
function sourceOf({ value, source }: Scalar): string {
  if (typeof value === 'string') return value;
  return source ?? '';
}

function isNothing(node: Node): node is null {
  return node === null || (isScalar(node) && node.value === null);
}

/** Names longer than this, and names with other characters, are not repeated. */
const SHOWN = /^[\w$-]{1,40}$/;

/** `unknown option timout, did you mean timeout?` */
function unknown(
  what: 'name' | 'option',
  key: string,
  known: readonly string[],
  byFolded: ReadonlyMap<string, string>,
): string {
  if (!SHOWN.test(key)) return `unknown ${what}`;
  const meant = byFolded.get(folded(key)) ?? nearest(key, known, ({ length }) => Math.ceil(length / 3));
  return `unknown ${what} ${key}${meant === undefined ? '' : `, did you mean ${meant}?`}`;
}

function folded(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
