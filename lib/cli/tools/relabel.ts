import { listOf, textOf, type ToolFields } from './tool.js';

export type Labels = ReadonlyMap<string, string>;

/** With repeats inside of what is repeated, or many in a row, a regular expression may take very long. */
const SLOW = /[*+}|][^()]*\)[*+{]|(?:[*+}].*){4}/s;
const LONGEST_PATTERN = 200;

/**
 * Makes a function that does to a target's labels what `relabel_configs` do; it gives null where they drop the target.
 * @returns null where a rule cannot be read
 */
export function relabelling(rules: readonly ToolFields[]): ((labels: Labels) => Labels | null) | null {
  const steps = rules.map(stepOf);
  const known = steps.filter((step) => step !== null);
  if (known.length < steps.length) return null;
  return (labels) => known.reduce<Labels | null>((all, step) => all && step(all), labels);
}

function stepOf(rule: ToolFields): ((labels: Labels) => Labels | null) | null {
  const action = textOf(rule.get('action')).toLowerCase() || 'replace';
  const target = textOf(rule.get('target_label'));
  const pattern = rule.has('regex') ? textOf(rule.get('regex')) : '(.*)';
  const { source, flags } = regexParts(pattern);
  if (pattern.length > LONGEST_PATTERN || SLOW.test(pattern)) return null;
  let regex: RegExp;
  try {
    regex = new RegExp(`^(?:${source})$`, `${flags.replace(/[^im]/g, '')}s`);
  } catch {
    return null;
  }
  const names = listOf(rule.get('source_labels')).map(textOf);
  const separator = rule.has('separator') ? textOf(rule.get('separator')) : ';';
  const textIn = (labels: Labels): string => names.map((name) => labels.get(name) ?? '').join(separator);
  if (action === 'keep' || action === 'drop')
    return (labels) => (regex.test(textIn(labels)) === (action === 'keep') ? labels : null);
  if (action === 'labeldrop') return (labels) => new Map([...labels].filter(([name]) => !regex.test(name)));
  if (!/^\w+$/.test(target)) return null;
  if (action === 'lowercase') return (labels) => withLabel(labels, target, textIn(labels).toLowerCase());
  if (action === 'uppercase') return (labels) => withLabel(labels, target, textIn(labels).toUpperCase());
  if (action !== 'replace') return null;
  const replacement = rule.has('replacement') ? textOf(rule.get('replacement')) : '$1';
  return (labels) => {
    const found = regex.exec(textIn(labels));
    return found === null ? labels : withLabel(labels, target, expanded(replacement, found));
  };
}

function withLabel(labels: Labels, name: string, value: string): Labels {
  const others = [...labels].filter(([each]) => each !== name);
  return new Map(value === '' ? others : [...others, [name, value]]);
}

/** `$1`, `${1}` and `${name}` stand for what a group has found. */
function expanded(text: string, found: RegExpExecArray): string {
  const groups = new Map(Object.entries(found.groups ?? {}));
  return text.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => {
    const name = braced ?? bare;
    if (name === undefined) return '$';
    return (/^\d{1,3}$/.test(name) ? found[Number(name)] : groups.get(name)) ?? '';
  });
}

/** Go's regular expressions in the words of JavaScript, as far as they differ. */
export function regexParts(go: string): { readonly source: string; readonly flags: string } {
  const [, flags = ''] = /^\(\?([ims]+)\)/.exec(go) ?? [];
  const source = go
    .slice(flags === '' ? 0 : flags.length + 3)
    .replaceAll('(?P<', '(?<')
    // Go repeats the beginning of a text, which JavaScript does not allow.
    .replace(/^\^[+*]/, '(?:^)')
    .replace(/^\\A/, '^')
    .replace(/\\z$/, '$');
  return { source, flags };
}
