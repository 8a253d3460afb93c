import { headline, LEVELS, wordingOf, type Level, type WordingContext } from '../rules/wording.js';
import type { Digest, DigestItem } from './channel.js';
import { shorten, singleLine } from '../single-line.js';

/** How a channel writes text, and how it counts it. */
export interface Markup {
  /** Escapes a text, so that it is shown as it is. It gets one line, and never half of a character. */
  readonly escape: (text: string) => string;
  /** Of what is escaped. */
  readonly bold: (text: string) => string;
  /** An http or https address. */
  readonly link: (url: string) => string;
  /** The length of a message in the unit of the channel's limit. */
  readonly size: (text: string) => number;
}

export interface ComposeOptions {
  readonly markup: Markup;
  /** In the unit of `markup.size`; 1,000 at least. */
  readonly limit: number;
  /** The digest's headline is shown elsewhere. */
  readonly titled: boolean;
}

export interface Composed {
  readonly text: string;
  /** Items that found no room; the text says how many. */
  readonly omitted: number;
}

export const utf16Length = (text: string): number => text.length;
export const byteLength = (text: string): number => Buffer.byteLength(text);

export const PLAIN: Markup = {
  escape: (text) => text,
  bold: (text) => text,
  link: (url) => url,
  size: utf16Length,
};

/** HTML as mails and Telegram take it. */
export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/**
 * For the chats whose `*`, `_`, `~` and backticks cannot be escaped: each is replaced by a character that looks like it and
 * means nothing. An underscore within a word is no markup, and stays.
 */
export const withoutEmphasis = (text: string): string =>
  text
    .replaceAll('*', '∗')
    .replaceAll('`', 'ˋ')
    .replaceAll('~', '∼')
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, 'ˍ');

const ICONS: Readonly<Record<Level, string>> = { critical: '🔴', warning: '🟠', info: '🔵', good: '🟢' };

/** Code points of a name or message that are shown at most; messages of checks have at most 120. */
const LONGEST_PIECE = 200;

/**
 * Puts a digest into lines, the most important first: an icon, the subject in bold, what is said of it. What does not
 * fit into `limit` is left out and counted; one item alone that does not fit is shortened.
 */
export function compose(digest: Digest, { markup, limit, titled }: ComposeOptions): Composed {
  const { items } = digest;
  const heading = titled || items.length === 1 ? [] : [markup.bold(markup.escape(titleOf(digest, 250)))];
  const page = pageOf(digest);
  const link = page === null ? [] : [markup.link(page)].filter((text) => markup.size(text) < limit / 4);
  const message = (lines: readonly string[]) => {
    const omitted = items.length - lines.length;
    const rest = omitted === 0 ? [] : [`and ${omitted} more`];
    return [...heading, ...lines, ...rest, ...link].join('\n');
  };

  let lines: readonly string[] = [];
  for (const item of items) {
    const longer = [...lines, lineOf(item, markup, LONGEST_PIECE)];
    if (markup.size(message(longer)) > limit) break;
    lines = longer;
  }
  const [first] = items;
  for (let longest = LONGEST_PIECE / 2; lines.length === 0 && first !== undefined; longest /= 2) {
    const shortened = [lineOf(first, markup, longest)];
    if (markup.size(message(shortened)) <= limit || longest <= 1) lines = shortened;
  }
  return { text: message(lines), omitted: items.length - lines.length };
}

/**
 * What a digest says in a few words, in one line and without markup.
 * @param longest in code points
 */
export function titleOf({ items }: Digest, longest: number): string {
  return shorten(
    singleLine(headline(items.map((item) => ({ alert: item.alert, ...contextOf(item) })))),
    longest,
  );
}

/** The highest level of a digest's alerts. */
export function levelOf({ items }: Digest): Level {
  const levels = new Set(items.map((item) => wordingOf(item.alert, contextOf(item)).level));
  return LEVELS.find((level) => levels.has(level)) ?? 'info';
}

/**
 * One alert in one line.
 * @param longest code points of a name or detail at most
 */
export function sentenceOf(item: DigestItem, markup: Markup, longest: number): string {
  const { subject, predicate, details } = wordingOf(item.alert, contextOf(item));
  const piece = (text: string) => markup.escape(singleLine(text, longest));
  const said = details.map(piece).filter((text) => text !== '');
  const end = said.length === 0 ? '' : ` – ${said.join('; ')}`;
  return `${markup.bold(piece(subject))} ${markup.escape(predicate)}${end}`;
}

function lineOf(item: DigestItem, markup: Markup, longest: number): string {
  return `${ICONS[wordingOf(item.alert, contextOf(item)).level]} ${sentenceOf(item, markup, longest)}`;
}

export function contextOf(item: DigestItem): WordingContext {
  return { name: nameOf(item), isLocal: item.isLocal ?? false, timeZone: item.timeZone ?? 'UTC' };
}

/** What people call the target or the peer of an alert; never empty. */
export function nameOf({ alert, target }: DigestItem): string {
  const id = 'target' in alert ? alert.target : 'peer' in alert ? alert.peer : 'Keepalive';
  const name = target === null ? '' : singleLine(target.name);
  return name === '' ? id : name;
}

/** The page's address as URLs are written, which leaves nothing in it to escape; null: none that can be followed. */
export function pageOf({ pageUrl }: Digest): string | null {
  if (pageUrl === null || !URL.canParse(pageUrl)) return null;
  const { protocol, href } = new URL(pageUrl);
  return protocol === 'http:' || protocol === 'https:' ? href : null;
}
