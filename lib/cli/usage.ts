import { parseArgs } from 'node:util';
import { nearest } from '../config/spelling.js';
import { OperatorError } from '../operator-error.js';

/** An argument of a command that is no option. */
export interface ArgumentUsage {
  readonly name: string;
  /** The words that it may be; without: any text. */
  readonly oneOf?: readonly string[];
  readonly isOptional?: boolean;
  /** Whether it may be given several times. Only the last argument may. */
  readonly isRepeated?: boolean;
}

export interface OptionUsage {
  readonly help: string;
  /** What stands behind the option, such as `file`; without: nothing does. */
  readonly value?: string;
}

/** How a command is used: what its help shows, and what its arguments are checked against. */
export interface CommandUsage {
  /** One line, for the list of commands. */
  readonly summary: string;
  /** Lines of 80 characters at most. */
  readonly details: string;
  readonly arguments: readonly ArgumentUsage[];
  readonly options: Readonly<Record<string, OptionUsage>>;
}

/** Arguments that a command cannot be called with. The exit code is 2. */
export class UsageError extends OperatorError {
  override readonly name = 'UsageError';
}

/** The arguments of one call. */
export interface Arguments<Name extends string> {
  readonly words: readonly string[];
  readonly has: (option: Name) => boolean;
  /** Undefined: the option was not given. */
  readonly value: (option: Name) => string | undefined;
}

/** Options of every command. */
export const COMMON_OPTIONS: Readonly<Record<'help' | 'version', OptionUsage & { readonly short: string }>> =
  {
    help: { short: 'h', help: 'show this help' },
    version: { short: 'v', help: 'show the version' },
  };

/** Words longer than this, and words with other characters, are not repeated in messages: they may hold a secret. */
const SHOWN = /^[a-z][a-z0-9_-]{0,39}$/i;

/**
 * Reads the arguments of a command.
 * @param name what stands before them, such as `check`
 * @throws UsageError that names the first argument that does not fit, and shows the usage
 */
export function readArguments<Usage extends CommandUsage>(
  name: string,
  usage: Usage,
  args: readonly string[],
): Arguments<Extract<keyof Usage['options'], string>> {
  const problem = (text: string): UsageError => {
    const how = `Usage: ${synopsis(name, usage)}\n\`keepalive ${name} --help\` explains it.`;
    return new UsageError(`keepalive ${name}: ${sentence(text)}\n${how}`);
  };
  const known = new Map(Object.entries(usage.options));
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      [...known].map(([option, { value }]) => [
        option,
        { type: value === undefined ? 'boolean' : 'string' } as const,
      ]),
    ),
  });
  const given = new Map<string, string | undefined>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const option = known.get(token.name);
    if (option === undefined) {
      const names = [...known.keys(), ...Object.keys(COMMON_OPTIONS)];
      throw problem(unknown('option', token.rawName, names));
    }
    if (option.value === undefined && token.inlineValue === true) {
      throw problem(`--${token.name} takes no value`);
    }
    const isMissing = token.value === undefined || (!token.inlineValue && /^-./.test(token.value));
    if (option.value !== undefined && isMissing) throw problem(`--${token.name} needs a <${option.value}>`);
    given.set(token.name, token.value);
  }
  for (const [index, argument] of usage.arguments.entries()) {
    if (argument.isOptional !== true && words[index] === undefined) {
      throw problem(`${shown(argument)} is missing`);
    }
  }
  const last = usage.arguments.at(-1);
  for (const [index, word] of words.entries()) {
    const expected = usage.arguments[index] ?? (last?.isRepeated === true ? last : undefined);
    if (expected === undefined) {
      const most = usage.arguments.length;
      throw problem(
        `takes ${most === 0 ? 'no argument' : most === 1 ? 'one argument' : `${most} arguments`}`,
      );
    }
    if (expected.oneOf !== undefined && !expected.oneOf.includes(word)) {
      throw problem(unknown('argument', word, expected.oneOf));
    }
  }
  return { words, has: (option) => given.has(option), value: (option) => given.get(option) };
}

/**
 * `unknown option --jsno, did you mean --json?`
 * @param likely the one that is meant, where more than the spelling tells it
 */
export function unknown(
  what: 'command' | 'option' | 'argument' | 'tool',
  word: string,
  known: readonly string[],
  likely?: string,
): string {
  const dashes = what === 'option' ? '--' : '';
  const plain = word.replace(/^-+/, '');
  if (!SHOWN.test(plain)) return `unknown ${what}`;
  const meant = likely ?? nearest(plain.toLowerCase(), known, ({ length }) => Math.ceil(length / 3));
  return `unknown ${what} ${word}${meant === undefined ? '' : `, did you mean ${dashes}${meant}?`}`;
}

/** With a full stop at its end, unless it is a question. */
export function sentence(text: string): string {
  return text.endsWith('?') ? text : `${text}.`;
}

/** `<id|url>`, `create|list|remove` */
function shown(word: ArgumentUsage): string {
  return choices(word) ?? `<${word.name}>`;
}

/** `create|list|remove`; undefined where any word will do, or there are too many for a line: the details list them. */
function choices({ oneOf }: ArgumentUsage): string | undefined {
  const all = oneOf?.join('|');
  return all === undefined || all.length > LONGEST_CHOICES ? undefined : all;
}

/** Characters. */
const LONGEST_CHOICES = 50;

/** `keepalive check <id|url> [--json]` */
export function synopsis(name: string, { arguments: words, options }: CommandUsage): string {
  const parts = words.map((word) => {
    const dots = word.isRepeated === true ? '…' : '';
    return word.isOptional === true ? `[${choices(word) ?? word.name}${dots}]` : `${shown(word)}${dots}`;
  });
  const switches = Object.entries(options).map(([option, { value }]) =>
    value === undefined ? `[--${option}]` : `[--${option} <${value}>]`,
  );
  return ['keepalive', name, ...parts, ...switches].join(' ');
}
