import type { News } from '../rules/mailing.js';
import { singleLine } from '../single-line.js';
import { MINUTE } from '../time.js';
import type { PageSettings } from '../types.js';
import { causeOf } from './causes.js';
import type { Words } from './language.js';
import { siteName } from './site.js';
import { causeInWords, namesInWords } from './words.js';

export interface MailText {
  readonly subject: string;
  readonly text: string;
}

/** What the news is about, as the public may know it. */
export interface NewsContext {
  /** The names of the targets, by id; without those that are not shown. */
  readonly names: ReadonlyMap<string, string>;
  /** The notes, by id; without those about targets that are not shown. */
  readonly notes: ReadonlyMap<string, { readonly target: string | null; readonly text: string }>;
  readonly page: PageSettings;
  readonly words: Words;
  /** An origin. */
  readonly publicUrl: string;
  /** Ms since the epoch. */
  readonly now: number;
}

/** News in one mail; what does not fit is counted. */
const MOST_ITEMS = 30;

/**
 * A mail with this news, without the link that unsubscribes; null: none of it can be told any more.
 * @param news oldest first
 */
export function newsMail(news: readonly News[], context: NewsContext): MailText | null {
  const ended = new Set(
    news.flatMap((each) => (each.kind === 'up' ? [`${each.target} ${each.startedAt}`] : [])),
  );
  const items = news
    // What is over is told in one piece.
    .filter((each) => each.kind !== 'down' || !ended.has(`${each.target} ${each.startedAt}`))
    .flatMap((each) => itemOf(each, context) ?? []);
  const [first] = items;
  if (first === undefined) return null;
  const more = (count: number): string => (count <= 0 ? '' : `+${count}`);
  const name = siteName(context.page);
  const others = more(items.length - 1);
  const left = more(items.length - MOST_ITEMS);
  return {
    subject: `[${singleLine(name, 60)}] ${singleLine(first.title, 120)}${others === '' ? '' : ` (${others})`}`,
    text: [
      ...items.slice(0, MOST_ITEMS).map(({ title, body }) => `${title}\n${body}`),
      ...(left === '' ? [] : [left]),
      `${context.publicUrl}/`,
    ].join('\n\n'),
  };
}

/** What stands below every mail to a subscriber. */
export function mailFoot(page: PageSettings, words: Words, unsubscribeUrl: string, now: number): string {
  const zone = words.zone(new Date(now).toISOString());
  return [
    // The mark with a space behind it begins a signature (RFC 3676, 4.3).
    '\n\n-- ',
    words.text('mailWhy', { name: singleLine(siteName(page)) }),
    // UTC is named beside each time.
    ...(zone === 'UTC' ? [] : [words.text('timesIn', { zone })]),
    `${words.text('mailLeave', { link: unsubscribeUrl })}\n`,
  ].join('\n');
}

/** The mail that asks whether somebody wants mails. @param link good for a day */
export function confirmationMail(page: PageSettings, words: Words, link: string): MailText {
  const name = singleLine(siteName(page));
  return {
    subject: words.text('mailConfirmSubject', { name }),
    text: [
      words.text('mailConfirmText', { name }),
      `${words.text('mailConfirmLink')}\n${link}`,
      `${words.text('mailConfirmElse')}\n`,
    ].join('\n\n'),
  };
}

/** A span shorter than this is told by its length: to the minute, both ends could be the same. */
const SHORT_SPAN = 10 * MINUTE;

function itemOf(news: News, context: NewsContext): { readonly title: string; readonly body: string } | null {
  const { names, notes, words } = context;
  const now = new Date(context.now).toISOString();
  const time = (at: number): string => {
    const iso = new Date(at).toISOString();
    return words.dateOf(iso) === words.dateOf(now) ? words.clock(iso) : words.moment(iso, now);
  };
  const end = (at: number, from: number): string => {
    const [iso, before] = [new Date(at).toISOString(), new Date(from).toISOString()];
    return words.dateOf(iso) === words.dateOf(before) ? words.clock(iso) : words.moment(iso, now);
  };
  switch (news.kind) {
    case 'down':
    case 'up': {
      const found = names.get(news.target);
      if (found === undefined) return null;
      const name = singleLine(found) || news.target;
      const from = time(news.startedAt);
      if (news.kind === 'down') {
        const cause = causeInWords(causeOf(news.message), words);
        return {
          title: words.text('oneDown', { name }),
          body: `${words.text('mailSince', { time: from })} ${cause}.`,
        };
      }
      const ms = news.endedAt - news.startedAt;
      const length = words.length(ms);
      const body =
        ms < SHORT_SPAN
          ? words.text('briefly', { from, length })
          : words.text('lasted', { from, to: end(news.endedAt, news.startedAt), length });
      return { title: words.text('mailUp', { name }), body };
    }
    case 'note': {
      const note = notes.get(news.note);
      if (note === undefined) return null;
      const name = note.target === null ? null : names.get(note.target);
      if (name === undefined) return null;
      const title =
        name === null ? words.text('noteOnAll') : words.text('noteOn', { name: singleLine(name) });
      const lines = note.text.split('\n').map((line) => singleLine(line));
      return { title, body: lines.join('\n') };
    }
    case 'maintenance': {
      const those = news.targets.flatMap((id) => singleLine(names.get(id) ?? '') || []);
      if (those.length === 0 || news.to <= context.now) return null;
      const shown = namesInWords(those, those.length === names.size, words);
      return {
        title: words.text('calendarEvent', { names: shown }),
        body: words.text('fromTo', { from: time(news.from), to: end(news.to, news.from) }),
      };
    }
  }
}
