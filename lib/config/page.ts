import { LANGUAGES, type Language, type PageLink, type PageSettings } from '../types.js';
import { option, type OptionValues } from './option-table.js';
import { parseUrl } from './request.js';
import type { Problem } from './problems.js';
import { isTimeZone } from './time-windows.js';
import { flag, integer, isOff, label, line, value } from './values.js';

/** Characters of an address at most. */
const LONGEST_URL = 2_000;
/** Characters of an image that stands in the page itself, which is to stay small. */
const LONGEST_IMAGE = 32_000;
/** Sites that may be listed at most: they are part of a header of every page. */
const MOST_SITES = 20;

const DATA_IMAGE = /^data:image\/(?:png|jpeg|gif|webp|avif|svg\+xml);base64,[A-Za-z0-9+/]+={0,2}$/;

const logoUrl = value(
  `an https:// address without user info, of at most ${LONGEST_URL} characters, or a data:image/…;base64,… of at most ${LONGEST_IMAGE}`,
  (text) => (text.length <= LONGEST_IMAGE && DATA_IMAGE.test(text) ? text : httpsUrl(text)),
);

const homeUrl = value(
  `an https:// address without user info, of at most ${LONGEST_URL} characters`,
  httpsUrl,
);

/** One mail address, which opens an empty mail. */
const MAILTO = /^mailto:[^\s@?&<>,;:"]+@[^\s@?&<>,;:"]+$/i;

const contactUrl = value('an https:// address without user info, or mailto: and one mail address', (text) =>
  text.length <= 320 && MAILTO.test(text) ? text : httpsUrl(text),
);

/** Links that may be listed at most. */
const MOST_LINKS = 10;

/** What is shown stands before the address. */
const links = value(
  `off, or at most ${MOST_LINKS} links such as Docs https://docs.example.com with ; between, each with words and an https:// or mailto: address`,
  (text): readonly PageLink[] | undefined => {
    if (isOff(text)) return [];
    const found = text
      .split(';')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '')
      .map((entry): PageLink | undefined => {
        const end = entry.search(/\s\S+$/);
        const words = entry.slice(0, Math.max(0, end)).trim();
        const { data: url } = contactUrl.safeParse(entry.slice(end + 1));
        const isLabel = label.safeParse(words).success && !/:\/\/|mailto:/i.test(words);
        return url !== undefined && isLabel ? { label: words, url } : undefined;
      });
    const known = found.filter((link) => link !== undefined);
    return known.length === found.length && known.length <= MOST_LINKS ? known : undefined;
  },
);

const ANCESTOR = /^https?:\/\/(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/i;

/** As CSP has it: nothing of it can end the directive. */
const frameAncestors = value(
  `off, self, *, or at most ${MOST_SITES} origins such as https://example.com or https://*.example.com with commas or spaces between`,
  (text): readonly string[] | undefined => {
    if (isOff(text) || /^'?none'?$/i.test(text)) return ["'none'"];
    const words = text.split(/[\s,]+/).filter((word) => word !== '');
    const sources = words.map((word) => {
      if (/^'?self'?$/i.test(word)) return "'self'";
      return word === '*' || (word.length <= 300 && ANCESTOR.test(word)) ? word : null;
    });
    const known = sources.filter((source) => source !== null);
    return known.length === words.length && words.length > 0 && words.length <= MOST_SITES
      ? known
      : undefined;
  },
);

const language = value(`one of ${LANGUAGES.join(', ')}`, (text): Language | undefined =>
  LANGUAGES.find((each) => each === text.toLowerCase()),
);

const timeZone = value('the name of a time zone, such as Europe/Paris or UTC', (text) =>
  isTimeZone(text) ? new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone : undefined,
);

/** What the operator says of the page as a whole. */
export const PAGE_OPTIONS = {
  PAGE_TITLE: option(null, label),
  PAGE_DESCRIPTION: option(null, line(300)),
  PAGE_LOGO_URL: option(null, logoUrl),
  PAGE_HOME_URL: option(null, homeUrl),
  PAGE_CONTACT_URL: option(null, contactUrl),
  PAGE_LINKS: option(null, links),
  PAGE_LANGUAGE: option(null, language),
  PAGE_TIME_ZONE: option(null, timeZone),
  PAGE_FRAME_ANCESTORS: option('off', frameAncestors),
  PAGE_SUBSCRIPTIONS: option('off', flag),
  /** Below what the free plans of mail services allow a day, so that alerts still get through. */
  PAGE_MAILS_PER_DAY: option('250', integer(1, 1_000_000)),
};

/** Visitors may subscribe by e-mail. */
export interface Subscriptions {
  /** Mails to subscribers in one day (UTC) at most. */
  readonly mailsPerDay: number;
}

/** Null: they may not. */
export function toSubscriptions(options: OptionValues<typeof PAGE_OPTIONS>): Subscriptions | null {
  return options.PAGE_SUBSCRIPTIONS ? { mailsPerDay: options.PAGE_MAILS_PER_DAY } : null;
}

/** Reports what subscriptions need and is not set: a way to send mails, a key for their links, and where these lead. */
export function unfitSubscriptions(
  subscriptions: Subscriptions | null,
  has: { readonly email: boolean; readonly cronSecret: boolean; readonly publicUrl: boolean },
): Problem[] {
  if (subscriptions === null) return [];
  const needs = [
    ['ALERT_SMTP_URL', has.email],
    ['CRON_SECRET', has.cronSecret],
    ['KEEP_ALIVE_PUBLIC_URL', has.publicUrl],
  ] as const;
  return needs
    .filter(([, isThere]) => !isThere)
    .map(([variable]) => ({ variable, message: 'missing, PAGE_SUBSCRIPTIONS needs it' }));
}

/** @param publicUrl an origin; null: not known */
export function toPageSettings(
  options: OptionValues<typeof PAGE_OPTIONS>,
  publicUrl: string | null,
): PageSettings {
  return {
    title: options.PAGE_TITLE,
    description: options.PAGE_DESCRIPTION,
    logoUrl: options.PAGE_LOGO_URL,
    homeUrl: options.PAGE_HOME_URL,
    contactUrl: options.PAGE_CONTACT_URL,
    links: options.PAGE_LINKS ?? [],
    language: options.PAGE_LANGUAGE,
    timeZone: options.PAGE_TIME_ZONE,
    publicUrl,
    frameAncestors: options.PAGE_FRAME_ANCESTORS,
  };
}

function httpsUrl(text: string): string | undefined {
  const url = text.length <= LONGEST_URL ? parseUrl(text) : undefined;
  const isFit =
    url?.protocol === 'https:' && url.hostname !== '' && url.username === '' && url.password === '';
  return isFit ? url.href : undefined;
}
