/** What stands behind a backslash within double quotes, as in redis-cli. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['b', '\b'],
  ['a', '\x07'],
]);

/** A word in double quotes, in single quotes, or bare; then the end or white space. */
const WORD = /\s*(?:"((?:\\[^]|[^"\\])*)"|'((?:\\'|[^'])*)'|([^\s"']+))(?=\s|$)/y;

/**
 * The words of a command as redis-cli reads them: in double quotes, `\n`, `\r`, `\t`, `\b`, `\a`, `\xHH` (a byte) and a
 * backslash before any other character; in single quotes only `\'`. Null for an empty line, quotes that do not end, and
 * text right behind a quote.
 */
export function wordsOf(line: string): readonly Buffer[] | null {
  const words: Buffer[] = [];
  WORD.lastIndex = 0;
  const end = line.trimEnd().length;
  while (WORD.lastIndex < end) {
    const [, double, single, bare] = WORD.exec(line) ?? [];
    if (double !== undefined) words.push(unescaped(double));
    else if (single !== undefined) words.push(Buffer.from(single.replaceAll("\\'", "'")));
    else if (bare !== undefined) words.push(Buffer.from(bare));
    else return null;
  }
  return words.length > 0 ? words : null;
}

function unescaped(text: string): Buffer {
  const pieces = text.split(/(\\x[0-9a-f]{2}|\\[^])/i).map((piece, index) => {
    if (index % 2 === 0) return Buffer.from(piece);
    const behind = piece.slice(1);
    return behind.length > 1
      ? Buffer.from(behind.slice(1), 'hex')
      : Buffer.from(ESCAPES.get(behind) ?? behind);
  });
  return Buffer.concat(pieces);
}

/** Commands with more than one answer, or none, or after which answers look different. */
const WITHOUT_ONE_ANSWER: ReadonlySet<string> = new Set([
  'SUBSCRIBE',
  'PSUBSCRIBE',
  'SSUBSCRIBE',
  'UNSUBSCRIBE',
  'PUNSUBSCRIBE',
  'SUNSUBSCRIBE',
  'MONITOR',
  'SYNC',
  'PSYNC',
  'HELLO',
]);

/** What is wrong with a QUERY of Redis; null: nothing. */
export function redisQueryProblem(query: string): string | null {
  const words = wordsOf(query);
  if (words === null) return 'expected one Redis command in the words of redis-cli, such as GET "my key"';
  return WITHOUT_ONE_ANSWER.has(words[0]?.toString().toUpperCase() ?? '')
    ? 'expected a command with one answer, such as PING, GET or LLEN'
    : null;
}
