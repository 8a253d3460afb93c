import type { News } from '../rules/mailing.js';
import { lengthInWords, spanInWords, timeInWords } from '../rules/durations.js';
import { singleLine } from '../single-line.js';
import type { PageSettings } from '../types.js';
import { causeOf } from './causes.js';
import { siteName } from './site.js';
import { counted, fill, SUBSCRIBE, TEXT } from './text.js';
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
  const more = (count: number): string => (count <= 0 ? '' : counted(SUBSCRIBE.moreNews, count));
  const name = siteName(context.page);
  const others = more(items.length - 1);
  const left = more(items.length - MOST_ITEMS);
  return {
    subject: `[${singleLine(name, 60)}] ${singleLine(first.title, 120)}${others === '' ? '' : `, ${others}`}`,
    text: [
      ...items.slice(0, MOST_ITEMS).map(({ title, body }) => `${title}\n${body}`),
      ...(left === '' ? [] : [left]),
      `${context.publicUrl}/`,
    ].join('\n\n'),
  };
}

/** What stands below every mail to a subscriber. */
export function mailFoot(page: PageSettings, unsubscribeUrl: string): string {
  const why = fill(SUBSCRIBE.why, { name: singleLine(siteName(page)) });
  // The mark with a space behind it begins a signature (RFC 3676, 4.3).
  return `\n\n-- \n${why}\n${fill(SUBSCRIBE.leave, { link: unsubscribeUrl })}\n`;
}

/** The mail that asks whether somebody wants mails. @param link good for a day */
export function confirmationMail(page: PageSettings, link: string): MailText {
  const name = singleLine(siteName(page));
  return {
    subject: fill(SUBSCRIBE.confirmSubject, { name }),
    text: `${fill(SUBSCRIBE.confirmMail, { name, link })}\n`,
  };
}

function itemOf(news: News, context: NewsContext): { readonly title: string; readonly body: string } | null {
  const { names, notes, now } = context;
  switch (news.kind) {
    case 'down':
    case 'up': {
      const found = names.get(news.target);
      if (found === undefined) return null;
      const name = singleLine(found) || news.target;
      const { startedAt } = news;
      if (news.kind === 'down') {
        const cause = causeInWords(causeOf(news.message));
        const time = timeInWords(startedAt, now);
        return { title: fill(SUBSCRIBE.down, { name }), body: fill(SUBSCRIBE.downText, { time, cause }) };
      }
      const span = spanInWords(startedAt, news.endedAt, now);
      const length = lengthInWords(news.endedAt - startedAt);
      return { title: fill(SUBSCRIBE.up, { name }), body: fill(SUBSCRIBE.upText, { span, length }) };
    }
    case 'note': {
      const note = notes.get(news.note);
      if (note === undefined) return null;
      const name = note.target === null ? null : names.get(note.target);
      if (name === undefined) return null;
      const title = name === null ? TEXT.noteOnAll : fill(TEXT.noteOn, { name: singleLine(name) });
      return {
        title,
        body: note.text
          .split('\n')
          .map((line) => singleLine(line))
          .join('\n'),
      };
    }
    case 'maintenance': {
      const those = news.targets.flatMap((id) => singleLine(names.get(id) ?? '') || []);
      // Windows that were moved or are over are no news.
      if (those.length === 0 || news.to <= now) return null;
      const shown = namesInWords(those, those.length === names.size);
      const time = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
      return {
        title: fill(SUBSCRIBE.planned, { names: shown }),
        body: fill(SUBSCRIBE.plannedText, { from: time(news.from), to: time(news.to) }),
      };
    }
  }
}
