/** A variable that is to be written. */
export type Variable = readonly [name: string, value: string];

/** Values that every reader of `.env` files takes as they are, without quotes. */
const PLAIN = /^[\w@%+=:,./?&~-]*$/;

/** The text of a `.env` file with variables added behind what it has, its line ends kept. */
export function withVariables(text: string, variables: readonly Variable[]): string {
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const before = text === '' || text.endsWith('\n') ? text : text + end;
  return before + variables.map(([name, value]) => `${name}=${quoted(value)}${end}`).join('');
}

function quoted(value: string): string {
  if (PLAIN.test(value)) return value;
  if (!/['\n\r]/.test(value)) return `'${value}'`;
  const escaped = value
    .replace(/["\\$`]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
  return `"${escaped}"`;
}
