import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  parseDocument,
  type ErrorCode,
  type ParsedNode,
  type Scalar,
} from '#yaml';
import type { YamlDocument, YamlEntry, YamlList, YamlMap, YamlNode } from './yaml-document.js';

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
  [
    'UNEXPECTED_TOKEN',
    'this does not belong here: a text with { } [ ] or a comma in it needs quotes, or a comma or a line is missing before it',
  ],
  ['MULTIPLE_DOCS', 'expected one document, but --- begins another one'],
  ['MULTILINE_IMPLICIT_KEY', 'a name and its colon have to stand on one line'],
  [
    'BLOCK_AS_IMPLICIT_KEY',
    'a value cannot begin here: a name with a second colon needs quotes, or a line of its own',
  ],
  ['TAG_RESOLVE_FAILED', 'tags (!name) are not supported'],
  ['KEY_OVER_1024_CHARS', 'a name is too long'],
]);

/** Reads any YAML 1.2, of which JSON is a part. Never throws. Takes time in proportion to the length of the text. */
export function exactYaml(text: string): YamlDocument {
  try {
    const document = parseDocument(text, {
      // It compares each key with each other key of its map.
      uniqueKeys: false,
      prettyErrors: false,
      schema: 'core',
    });
    const mistakes = document.errors.map(({ code, pos: [at] }) => ({
      at,
      message: MESSAGES.get(code) ?? 'this is not valid YAML',
    }));
    return { text, root: mistakes.length > 0 ? null : nodeOf(document.contents, new Map()), mistakes };
  } catch (error) {
    // The parser calls itself once a level.
    if (!(error instanceof RangeError)) throw error;
    return { text, root: null, mistakes: [{ at: 0, message: 'the file is nested too deeply' }] };
  }
}

/** @param anchors the last one of each name above the node */
function nodeOf(given: ParsedNode | null, anchors: Map<string, YamlNode>): YamlNode | null {
  if (given === null) return null;
  const at = given.range[0];
  if (isAlias(given)) return { kind: 'alias', target: anchors.get(given.source) ?? null, at };
  const anchored = <Node extends YamlNode>(node: Node): Node => {
    if (given.anchor !== undefined) anchors.set(given.anchor, node);
    return node;
  };
  if (isScalar(given)) {
    return anchored({ kind: 'text', text: sourceOf(given), isNull: given.value === null, at });
  }
  if (isMap(given)) {
    const entries: YamlEntry[] = [];
    const map = anchored({ kind: 'map', entries, at } satisfies YamlMap);
    for (const { key, value } of given.items) {
      entries.push({ key: nodeOf(key, anchors), value: nodeOf(value, anchors) });
    }
    return map;
  }
  const items: (YamlNode | null)[] = [];
  const list = anchored({ kind: 'list', items, at } satisfies YamlList);
  // The tag !!pairs makes pairs of what a list holds.
  for (const item of given.items) items.push(nodeOf(isPair(item) ? (item.key as ParsedNode) : item, anchors));
  return list;
}

/** The text of a scalar: numbers and words such as `true` as they are written. */
function sourceOf({ value, source }: Scalar): string {
  if (typeof value === 'string') return value;
  return source ?? '';
}
