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
