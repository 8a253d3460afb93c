/**
 * How many characters to insert, remove, replace, or swap with their neighbour to make one text the other (optimal
 * string alignment). Takes time in proportion to the product of the lengths: compare lengths before.
 */
export function distance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const isSame = from[i - 1] === to[j - 1];
      const isSwapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      next.push(
        Math.min(
          (row[j - 1] ?? 0) + (isSame ? 0 : 1),
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          isSwapped ? (before[j - 2] ?? 0) + 1 : Infinity,
        ),
      );
    }
    [before, row] = [row, next];
  }
  return row[to.length] ?? 0;
}

/**
 * The known name that is nearest to `wanted`: the one with the fewest edits, of those that need no more than `limit`
 * says; undefined where there is none. Time grows with the number of known names, not with the length of `wanted`.
 */
export function nearest(
  wanted: string,
  known: readonly string[],
  limit: (candidate: string) => number,
): string | undefined {
  const [first] = known
    .filter((candidate) => Math.abs(candidate.length - wanted.length) <= limit(candidate))
    .map((candidate) => ({ candidate, edits: distance(wanted, candidate) }))
    .filter(({ candidate, edits }) => edits <= limit(candidate))
    .sort((a, b) => a.edits - b.edits);
  return first?.candidate;
}

/** Names have fewer characters than this; a longer text resembles none. */
const LONGEST = 100;

/**
 * The known name all of whose words are words of `wanted` too (`SLACK_URL` in `SLACK_WEBHOOK_URL`): of several, the one
 * that begins most alike. A name of one word does not count.
 */
export function containedIn(wanted: string, known: readonly string[]): string | undefined {
  if (wanted.length > LONGEST) return undefined;
  const words = new Set(wanted.split('_'));
  const [first] = known
    .filter((candidate) => candidate.includes('_') && candidate.split('_').every((word) => words.has(word)))
    .sort((a, b) => commonStart(wanted, b) - commonStart(wanted, a) || b.length - a.length);
  return first;
}

function commonStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
