/**
 * A text from outside as one line that only says what it says: without control characters, without those that XML
 * forbids, and without those that turn the direction of what stands around it. At most `max` characters.
 */
export function inertLine(text: string, max = Infinity): string {
  const line = text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/[\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu, '')
    .trim();
  const characters = Array.from(line);
  return characters.length <= max ? line : `${characters.slice(0, max - 1).join('')}…`;
}
