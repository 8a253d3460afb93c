import { TARGET_OPTION_NAMES, TARGET_OPTIONS, type TargetOptionName } from './options.js';
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
import { quickYaml } from './quick-yaml.js';
import type { YamlDocument, YamlEntry, YamlMap, YamlNode, YamlText } from './yaml-document.js';

/** How much may be read by way of aliases, in nodes of 64 characters: a small file must not stand for a huge one. */
const MOST_ALIASED = 100_000;

const ID = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;
const OPTIONS = new Map(TARGET_OPTION_NAMES.map((name) => [fileName(name), name]));
const BY_FOLDED = new Map(['id', ...OPTIONS.keys()].map((name) => [folded(name), name]));
const TOP_LEVEL = ['targets', 'defaults', '$schema'];

/** `${NAME}`, forms of it that shells know and that are not understood here, and `$${`, which stands for `${`. */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_]\w*)(:?[-+?=][^{}$]*)?\}/g;

/** What a targets file may take from outside. */
export interface Outside {
  /** The variables that are set. */
  readonly texts: ReadonlyMap<string, string>;
  /** Variables that are not set are no problem, and stand for their own names: for comparing files without their secrets. */
  readonly mayLackVariables?: boolean;
}

/** Any YAML, and a plain one without loading what reads any. */
export async function readYaml(text: string): Promise<YamlDocument> {
  return quickYaml(text) ?? (await import('./exact-yaml.js')).exactYaml(text);
}

/**
 * Reads a targets file. Never throws. Takes time in proportion to the length of the text.
 * @param name how messages name the file
 */
export function readTargets(name: string, document: YamlDocument, outside: Outside): TargetsFile {
  return new Reader(name, document, outside).read();
}

type Node = YamlNode | null;

/** Reads one file. Values are looked at only where they are used, so that what nobody uses costs little. */
class Reader {
  private readonly problems: Problem[] = [];
  private readonly lineStarts: readonly number[];
  private aliased = 0;

  constructor(
    private readonly name: string,
    private readonly document: YamlDocument,
    private readonly outside: Outside,
  ) {
    this.lineStarts = lineStartsOf(document.text);
  }

  read(): TargetsFile {
    const { root, mistakes } = this.document;
    let targets: readonly FileTarget[] = [];
    let defaults: FileOptions = new Map();
    let lastLine = 0;
    for (const { at, message } of mistakes) {
      const place = this.placeAt(at);
      // One mistake may be found many times on its line.
      if (place.line !== lastLine) this.problems.push({ ...place, message });
      lastLine = place.line;
    }
    if (root?.kind === 'map') {
      const parts = this.entries(root, (key) =>
        TOP_LEVEL.includes(key) ? null : unknown('name', key, TOP_LEVEL, new Map()),
      );
      targets = this.targets(parts.get('targets')?.value ?? null, root);
      const node = parts.get('defaults')?.value ?? null;
      if (!isNothing(node)) defaults = this.options(node, false)?.options ?? defaults;
    } else if (mistakes.length === 0) {
      this.problems.push({
        ...this.placeOf(root),
        message: 'expected a map with targets, and defaults if there are any',
      });
    }
    return { name: this.name, targets, defaults, problems: this.problems };
  }

  private targets(node: Node, root: YamlMap): readonly FileTarget[] {
    if (node?.kind !== 'list') {
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
    const text = textOf(id.value);
    const place = this.placeOfEntry(id);
    if (ID.test(text)) return { id: text, place, options, hasAddress };
    const message = 'id: expected lower case letters, digits and - between them, 64 characters at most';
    this.problems.push({ ...place, message });
    return null;
  }

  /** The options of a target, or those of `defaults`; null: there is no map of them. */
  private options(
    given: Node,
    isTarget: boolean,
  ): {
    readonly options: FileOptions;
    readonly id: YamlEntry | undefined;
    readonly hasAddress: boolean;
  } | null {
    const node = this.resolved(given);
    if (node?.kind !== 'map') {
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
  private entries(map: YamlMap, check: (key: string) => string | null): Map<string, YamlEntry> {
    const found = new Map<string, YamlEntry>();
    for (const entry of map.entries) {
      const text = textOf(entry.key);
      const before = found.get(text);
      const message =
        text === ''
          ? 'expected a name before the colon'
          : (check(text) ??
            (before === undefined
              ? null
              : `${text}: given twice, first on line ${this.placeOf(before.key).line}`));
      if (message === null) found.set(text, entry);
      else this.problems.push({ ...this.placeOf(entry.key ?? map), message });
    }
    return found;
  }

  /** What an option is set to; null: it is not set, or what is wrong has been reported. */
  private option(option: TargetOptionName, entry: YamlEntry): FileOption | null {
    const problemsBefore = this.problems.length;
    const { form, expected } = TARGET_OPTIONS[option].value;
    const seen = { reference: false, unknown: false };
    const expandedText = (given: Node): string | null => {
      const node = this.resolved(given);
      if (node?.kind !== 'text' || node.isNull) return null;
      const { text, isUnknown } = this.expanded(option, node);
      seen.reference ||= text !== node.text;
      seen.unknown ||= isUnknown;
      return text;
    };
    const node = this.resolved(entry.value);
    if (isNothing(node)) return null;
    const place = this.placeOfEntry(entry);
    let text: string | null;
    if (node.kind === 'list' && form.kind === 'list') {
      const items = node.items.map(expandedText);
      text = items.includes(null) ? null : items.join(form.separator);
    } else if (node.kind === 'map' && form.kind === 'map') {
      const entries = [...this.entries(node, () => null)].map(([key, { value }]) => [
        key,
        expandedText(value),
      ]);
      const isComplete = entries.every(([, content]) => content !== null);
      text = isComplete ? JSON.stringify(Object.fromEntries(entries)) : null;
    } else text = node.kind === 'text' ? (expandedText(node)?.trim() ?? null) : null;
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
    node: YamlText,
  ): { readonly text: string; readonly isUnknown: boolean } {
    let isUnknown = false;
    if (!node.text.includes('${')) return { text: node.text, isUnknown };
    const text = node.text.replace(REFERENCE, (match, name: string | undefined, rest: string | undefined) => {
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
      this.problems.push({ ...this.placeOf(node), message: `${fileName(option)}: ${message}` });
      return match;
    });
    return { text, isUnknown };
  }

  /** What an alias stands for. One that would make much of little is reported, and given back as it is. */
  private resolved(node: Node): Node {
    if (node?.kind !== 'alias') return node;
    this.aliased += node.target === null ? 0 : sizeOf(node.target);
    if (node.target !== null && this.aliased <= MOST_ALIASED) return node.target;
    const message =
      node.target === null
        ? 'a text that begins with * needs quotes; for an alias, there is no such anchor (&name) above it'
        : 'this alias stands for too much: put what targets share into defaults';
    this.problems.push({ ...this.placeOf(node), message });
    return node;
  }

  /** Of the value, or of the name where there is none. */
  private placeOfEntry({ key, value }: YamlEntry): FilePlace {
    return this.placeOf(value ?? key);
  }

  private placeOf(node: Node): FilePlace {
    return this.placeAt(node?.at ?? 0);
  }

  private placeAt(offset: number): FilePlace {
    const line = lineOf(this.lineStarts, offset);
    return { file: this.name, line, column: offset - (this.lineStarts[line - 1] ?? 0) + 1 };
  }
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
  return starts;
}

/** The number of the line, from 1, on which an offset is. */
function lineOf(starts: readonly number[], offset: number): number {
  let [first, behind] = [0, starts.length];
  while (behind - first > 1) {
    const middle = (first + behind) >> 1;
    if ((starts[middle] ?? 0) <= offset) first = middle;
    else behind = middle;
  }
  return first + 1;
}

/** Nodes, of which a text counts as several by its length; no end where an alias is among them. */
function sizeOf(node: Node): number {
  if (node === null) return 1;
  switch (node.kind) {
    case 'alias':
      return Infinity;
    case 'text':
      return 1 + node.text.length / 64;
    case 'list':
      return node.items.reduce((sum, item) => sum + sizeOf(item), 1);
    case 'map':
      return node.entries.reduce((sum, { key, value }) => sum + sizeOf(key) + sizeOf(value), 1);
  }
}

/** Empty where a node is no text. */
function textOf(node: Node): string {
  return node?.kind === 'text' ? node.text : '';
}

function isNothing(node: Node): node is null {
  return node === null || (node.kind === 'text' && node.isNull);
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
