/**
 * A text from outside as one line that can be shown anywhere: white space becomes a space; control and format characters
 * (those that turn the direction of the text around them among them) and what XML forbids are removed.
 * @param longest code points, the last an ellipsis where there were more
 */
export function singleLine(text: string, longest = Infinity): string {
  const line = text
    .replace(/[\s\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\ufffe\uffff]+/gu, '')
    .replace(/\p{Cs}/gu, '\ufffd')
    .trim();
  return shorten(line, longest);
}

/** Whether a text has neither line breaks, nor control characters, nor what turns the direction of the text behind it. */
export function isSingleLine(text: string): boolean {
  return !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text);
}

/** At most `longest` code points, the last an ellipsis where there were more. */
export function shorten(text: string, longest: number): string {
  const most = Math.max(1, Math.floor(longest));
  const points = Array.from(text.slice(0, 2 * most + 2));
  return points.length <= most ? text : `${points.slice(0, most - 1).join('')}…`;
}
