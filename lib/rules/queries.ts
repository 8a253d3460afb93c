import type { TextPattern } from '../types.js';

/** What the backslash escapes of a line stand for. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['r', '\r'],
  ['n', '\n'],
  ['t', '\t'],
  ['0', '\0'],
  ['\\', '\\'],
]);

/**
 * The bytes that a TCP target is sent for its QUERY: UTF-8, with `\r`, `\n`, `\t`, `\0`, `\\` and `\xHH` (one byte) in place
 * of what they stand for. `\r\n` is added where the line ends neither in a line feed nor in `\c`. Null for any other escape.
 */
export function lineBytes(query: string): Buffer | null {
  const isWhole = /(?:^|[^\\])(?:\\\\)*\\c$/.test(query);
  const parts = (isWhole ? query.slice(0, -2) : query)
    .split(/(\\(?:x[0-9a-f]{2}|[^]|$))/i)
    .map((part, index) => {
      if (index % 2 === 0) return Buffer.from(part);
      if (/^\\x[0-9a-f]{2}$/i.test(part)) return Buffer.from(part.slice(2), 'hex');
      const meant = ESCAPES.get(part.slice(1));
      return meant === undefined ? null : Buffer.from(meant);
    });
  if (parts.includes(null)) return null;
  const bytes = Buffer.concat(parts.filter((part) => part !== null));
  return isWhole || bytes.at(-1) === 0x0a ? bytes : Buffer.concat([bytes, Buffer.from('\r\n')]);
}

/** One step of a dialogue with a target. */
export type Step =
  | { readonly kind: 'send'; readonly text: string }
  | { readonly kind: 'expect'; readonly pattern: TextPattern }
  | { readonly kind: 'starttls' };

const STEP = /^(?:send|expect)(?: |$)|^starttls$/;

/**
 * The steps of a QUERY of several lines, each of which is `send` and a text, `expect` and a text or /regex/flags, or
 * `starttls`. Null: it is no dialogue. A problem: what is wrong with which line.
 */
export function dialogueOf(
  query: string,
): { readonly steps: readonly Step[]; readonly problem: string | null } | null {
  const lines = query.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length < 2 || !lines.every((line) => STEP.test(line))) return null;
  const steps: Step[] = [];
  const faulty = (problem: string) => ({ steps: [], problem });
  let groups = 0;
  for (const [index, line] of lines.entries()) {
    const [word = ''] = line.split(' ', 1);
    const text = line.slice(word.length + 1);
    const problem = `line ${index + 1}: expected`;
    if (word === 'starttls') steps.push({ kind: 'starttls' });
    else if (text === '') return faulty(`${problem} a text behind ${word}`);
    else if (word === 'send') {
      const highest = Math.max(0, ...[...text.matchAll(GROUP)].map(([, , digit]) => Number(digit ?? 0)));
      if (highest > groups)
        return faulty(`${problem} no \\${highest}: the expression before it has no such group`);
      if (lineBytes(withGroups(text, [])) === null) return faulty(`${problem} ${ESCAPED_LINE}`);
      steps.push({ kind: 'send', text });
    } else {
      const pattern = patternOf(text);
      if (pattern === null) return faulty(`${problem} a text, or /regex/ with flags of i, m, s, u, v`);
      groups = pattern.kind === 'text' ? 0 : groupsIn(pattern.source, pattern.flags);
      steps.push({ kind: 'expect', pattern });
    }
  }
  return { steps, problem: null };
}

export const ESCAPED_LINE = String.raw`a line in which a backslash begins one of \r, \n, \t, \0, \\, \xHH, and \c at its end`;

/** `\1` to `\9` with the backslashes before it. */
const GROUP = /((?:^|[^\\])(?:\\\\)*)\\([1-9])/g;

/** A text to send with what the groups of an expression have found: `\1` is the first. */
export function withGroups(text: string, groups: readonly string[]): string {
  return text.replace(
    GROUP,
    (_, before: string, digit: string) => before + (groups[Number(digit) - 1] ?? '').replaceAll('\\', '\\\\'),
  );
}

/** The text of a message to send: as a line, but for its end. */
export function messageText(text: string, groups: readonly string[]): string {
  const whole = withGroups(text, groups).replace(/\\c$/, '');
  return lineBytes(`${whole}\\c`)?.toString() ?? whole;
}

function groupsIn(source: string, flags: string): number {
  return (new RegExp(`${source}|`, flags).exec('')?.length ?? 1) - 1;
}

/** A text, or a regular expression between slashes; null where that is none. */
export function patternOf(text: string): TextPattern | null {
  const [, source, flags] = /^\/(.+)\/([a-z]*)$/s.exec(text) ?? [];
  if (source === undefined || flags === undefined) return { kind: 'text', text };
  // `g` is a habit and changes nothing here, save that a search would begin where the last one ended.
  const kept = flags.replace('g', '');
  if (!/^[imsuv]*$/.test(kept)) return null;
  try {
    new RegExp(source, kept);
    return { kind: 'regex', source, flags: kept };
  } catch {
    return null;
  }
}

/** The types of DNS records that can be asked for. */
export const RECORD_TYPES = [
  'A',
  'AAAA',
  'CAA',
  'CNAME',
  'MX',
  'NAPTR',
  'NS',
  'PTR',
  'SOA',
  'SRV',
  'TXT',
] as const;
export type RecordType = (typeof RECORD_TYPES)[number];

const NAME = /^(?=.{1,253}$)(?:[a-z0-9_*-]{1,63}\.)*[a-z0-9_*-]{1,63}$/;

/**
 * What a DNS target's QUERY asks for: a type and a name, `MX example.com`. The name is lower case and ASCII, without a dot
 * at its end; the root is a dot. Null for a text that is no such question.
 */
export function dnsQuestion(query: string): { readonly type: RecordType; readonly name: string } | null {
  const [word = '', written = '', ...more] = query.trim().split(/\s+/);
  const type = RECORD_TYPES.find((each) => each === word.toUpperCase());
  if (type === undefined || more.length > 0) return null;
  if (written === '.') return { type, name: written };
  const plain = written.replace(/\.$/, '').toLowerCase();
  const name = /^[\x21-\x7e]*$/.test(plain) ? plain : asciiName(plain);
  // No top-level domain is a number: this is an IP address.
  return NAME.test(name) && !/(?:^|\.)\d+$/.test(name) ? { type, name } : null;
}

function asciiName(name: string): string {
  if (/[\x21-\x2c/:-@[-^`{-\x7e]/.test(name)) return '';
  const url = `http://${name}`;
  return URL.canParse(url) ? new URL(url).hostname : '';
}
