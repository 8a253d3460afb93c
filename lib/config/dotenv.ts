/** What is wrong with a line. Holds no value, and no part of one. */
export interface LineProblem {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface Dotenv {
  readonly variables: ReadonlyMap<string, string>;
  /** Empty: the whole text was understood. */
  readonly problems: readonly LineProblem[];
}

const NAME = /[^\S\n]*(?:export[^\S\n]+)?([A-Za-z_][\w.-]*)[^\S\n]*=([^\S\n]*)/y;
/** What may stand on a line without a variable, and behind a closing quote. */
const BLANK = /[^\S\n]*(?:#[^\n]*)?(?:\n|$)/y;
const REST = /[^\n]*(?:\n|$)/y;
const QUOTED: ReadonlyMap<string, RegExp> = new Map([
  ['"', /"((?:\\[^]|[^"\\])*)"/y],
  ["'", /'([^']*)'/y],
  ['`', /`([^`]*)`/y],
]);
const REFERENCE = /\$\{[A-Za-z_]\w*(?::?[-+?=][^{}$]*)?\}/g;
const ESCAPE_OR_REFERENCE = new RegExp(`\\\\[nrt"\\\\$\`]|${REFERENCE.source}`, 'g');
const CONTROLS: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/**
 * Reads the text of a `.env` file: lines of `NAME=value`, also behind `export`, empty lines, and comments. A value may
 * stand in quotes, and then goes on over lines: in single quotes and backticks it is taken as it is, in double quotes
 * `\n`, `\r`, `\t`, `\"`, `\\`, `\$` are what a shell makes of them. Without quotes it ends before a `#` that follows a
 * blank. `${NAME}` takes a variable, save in single quotes and backticks. The last of several values for a name counts.
 *
 * Not Node's `util.parseEnv`: it drops what it does not understand without a word, cuts `a#b` at the `#`, ends a value at
 * `\"`, and its versions differ (20.18 keeps comments as part of the value).
 * @param set variables that are set outside the file, for `${NAME}`: they win over the file's
 */
export function parseDotenv(text: string, set: ReadonlyMap<string, string | undefined>): Dotenv {
  const source = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  const variables = new Map<string, string>();
  const problems: LineProblem[] = [];
  let at = 0;
  let line = 1;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found === null) return null;
    at += found[0].length;
    line += found[0].split('\n').length - 1;
    return found;
  };
  while (at < source.length) {
    if (take(BLANK) !== null) continue;
    const started = line;
    const report = (message: string): void => void problems.push({ line: started, message });
    const [, name = '', space = ''] = take(NAME) ?? [];
    if (name === '') {
      report('expected NAME=value');
      take(REST);
      continue;
    }
    const expanded = (value: string, pattern: RegExp): string =>
      value.replace(pattern, (match) => {
        if (match.startsWith('\\')) return CONTROLS.get(match.slice(1)) ?? match.slice(1);
        const referred = match.slice(2, -1);
        const found = set.get(referred) ?? variables.get(referred);
        if (found === undefined) {
          report(
            /\W/.test(referred)
              ? `${name}: of \${…}, only \${NAME} is understood; in single quotes a value is taken as it is`
              : `${name}: \${…} names a variable that is not set; in single quotes a value is taken as it is`,
          );
        }
        return found ?? '';
      });
    const quote = source.charAt(at);
    const pattern = QUOTED.get(quote);
    if (pattern === undefined) {
      const rest = space + (take(REST)?.[0] ?? '');
      const comment = rest.search(/\s#/);
      variables.set(name, expanded(rest.slice(0, comment < 0 ? undefined : comment).trim(), REFERENCE));
      continue;
    }
    const value = take(pattern)?.[1];
    if (value === undefined) {
      report(`${name}: its quote (${quote}) is never closed`);
      take(REST);
    } else if (take(BLANK) === null) {
      report(`${name}: more than a comment stands behind the closing quote (${quote})`);
      take(REST);
    } else variables.set(name, quote === '"' ? expanded(value, ESCAPE_OR_REFERENCE) : value);
  }
  return { variables, problems };
}
