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
 * of what they stand for. `\r\n` is added where the line does not end in a line feed. Null for any other escape.
 */
export function lineBytes(query: string): Buffer | null {
  const parts = query.split(/(\\(?:x[0-9a-f]{2}|[^]|$))/i).map((part, index) => {
    if (index % 2 === 0) return Buffer.from(part);
    if (/^\\x[0-9a-f]{2}$/i.test(part)) return Buffer.from(part.slice(2), 'hex');
    const meant = ESCAPES.get(part.slice(1));
    return meant === undefined ? null : Buffer.from(meant);
  });
  if (parts.includes(null)) return null;
  const bytes = Buffer.concat(parts.filter((part) => part !== null));
  return bytes.at(-1) === 0x0a ? bytes : Buffer.concat([bytes, Buffer.from('\r\n')]);
}
