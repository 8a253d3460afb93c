import { formatToParts } from '#message-format';
import type english from '#messages/en';
import { intervalParts, latencyPart, lengthParts, type Quantity } from '../rules/durations.js';
import type { Language } from '../types.js';

export type MessageName = keyof typeof english;

/** What stands in the first braces of a text: `count` of `{count, plural, one {# day} …`, `name` of `{name}: …`. */
type First<Text extends string> = Text extends `${infer Inner}}${string}`
  ? Inner extends `${infer Name},${string}`
    ? Name
    : Inner
  : never;
/** All of them; what has a space in it is the text of a plural. */
type Placed<Text extends string> = Text extends `${string}{${infer Rest}`
  ? (First<Rest> extends `${string} ${string}` ? never : First<Rest>) | Placed<Rest>
  : never;

/** The values that a message takes. */
export type Values<Name extends MessageName, Value> = Readonly<Record<Placed<(typeof english)[Name]>, Value>>;
type Given<Name extends MessageName> = [Placed<(typeof english)[Name]>] extends [never]
  ? []
  : [values: Values<Name, string | number>];

/** A message as `scripts/vendor.js` compiles it: a text, or its syntax tree. */
type Compiled = string | Parameters<typeof formatToParts>[0];
type Catalogue = Readonly<Record<MessageName, Compiled>>;

/** Making the first of a process takes 5 to 20 ms, so none is made before it is needed. */
type Format = Intl.NumberFormat | Intl.DateTimeFormat | Intl.PluralRules;

/** Each is loaded where it is needed. */
const CATALOGUES: Readonly<Record<Language, () => Promise<{ default: unknown }>>> = {
  en: () => import('#messages/en'),
  fr: () => import('#messages/fr'),
  de: () => import('#messages/de'),
  es: () => import('#messages/es'),
  pt: () => import('#messages/pt'),
  it: () => import('#messages/it'),
};

/** For dates and numbers. The English of most of the world writes the day before the month, and has 24 hours. */
const LOCALES: Readonly<Record<Language, string>> = {
  ...{ en: 'en-GB', fr: 'fr', de: 'de', es: 'es', pt: 'pt', it: 'it' },
};

const known = new Map<string, Words>();

/**
 * What pages say in one language, kept by the process.
 * @param timeZone an IANA name; null: UTC, until the script puts times into the visitor's
 */
export async function wordsIn(language: Language, timeZone: string | null): Promise<Words> {
  const key = `${language} ${timeZone ?? ''}`;
  const found = known.get(key) ?? new Words(language, timeZone, await catalogueOf(language));
  known.set(key, found);
  return found;
}

async function catalogueOf(language: Language): Promise<Catalogue> {
  return (await CATALOGUES[language]()).default as Catalogue;
}

/** The messages of a language, and numbers, durations and dates as it writes them. */
export class Words {
  private readonly locale: string;
  private readonly formatters: Parameters<typeof formatToParts>[2];
  private readonly formats = new Map<string, Format>();
  /** By date, with and without the year: a page names the same ones again and again. */
  private readonly dayTexts = new Map<string, string>();
  /** By hundredths of a percent: at most 10,001. */
  private readonly percentTexts = new Map<number, string>();

  constructor(
    readonly language: Language,
    readonly timeZone: string | null,
    private readonly catalogue: Catalogue,
  ) {
    this.locale = LOCALES[language];
    this.formatters = {
      getNumberFormat: () => this.numbers(0, 3),
      getPluralRules: () => this.kept('plurals', () => new Intl.PluralRules(this.locale)),
      getDateTimeFormat: () => {
        throw new TypeError('dates are put into messages as texts');
      },
    };
  }

  text<Name extends MessageName>(name: Name, ...[values]: Given<Name>): string {
    const message = this.catalogue[name];
    if (typeof message === 'string') return message;
    return filled(message, values) ?? this.parts<string>(message, values).join('');
  }

  /** The same with elements as values. */
  phrase<Name extends MessageName, Element>(name: Name, values: Values<Name, Element>): (Element | string)[] {
    const message = this.catalogue[name];
    return typeof message === 'string' ? [message] : this.parts<Element>(message, values);
  }

  /** A message with its places still in it, for scripts: they know nothing but `{name}`. */
  template(name: MessageName): string {
    const message = this.catalogue[name];
    if (typeof message === 'string') return message;
    return message.map(templateOf).join('');
  }

  private parts<Element>(
    message: Exclude<Compiled, string>,
    values: Readonly<Record<string, Element | string | number>> = {},
  ): (Element | string)[] {
    const parts = formatToParts<Element>(message, this.locale, this.formatters, NO_STYLES, values);
    return parts.map(({ value }) => value);
  }

  number(value: number): string {
    return isPlain(value) ? String(value) : this.numbers(0, 3).format(value);
  }

  /** `99.98%`: rounded down, so that 100 means all of it; `–` for null. */
  percent(ratio: number | null): string {
    if (ratio === null) return '–';
    const hundredths = Math.floor(ratio * 10_000 + 1e-6);
    const found =
      this.percentTexts.get(hundredths) ??
      this.percents(hundredths % 100 === 0 ? 0 : 2).format(hundredths / 10_000);
    this.percentTexts.set(hundredths, found);
    return found;
  }

  /** `97%` of 0.979 */
  wholePercent(ratio: number): string {
    return this.percent(Math.floor(ratio * 100 + 1e-6) / 100);
  }

  /** `3 h 20 m`: a length in ms. */
  length(ms: number): string {
    return this.quantities(lengthParts(ms));
  }

  /** `7 m 30 s`: an interval in ms, exactly. */
  interval(ms: number): string {
    return this.quantities(intervalParts(ms));
  }

  /** `45 ms`, `1.24 s`; `–` for null. */
  latency(ms: number | null): string {
    return ms === null ? '–' : this.quantities([latencyPart(ms)]);
  }

  private quantities(parts: readonly Quantity[]): string {
    return parts
      .map(
        ({ count, unit, digits = 0 }) =>
          `${isPlain(count) && digits === 0 ? count : this.numbers(digits, Math.max(digits, 3)).format(count)} ${this.text(`unit.${unit}`)}`,
      )
      .join(' ');
  }

  /** The date of a moment in the zone of the page, `2026-11-20`. */
  dateOf(iso: string): string {
    if (this.timeZone === null) return iso.slice(0, 10);
    return this.dates('date', 'sv', { year: 'numeric', month: '2-digit', day: '2-digit' }).format(
      new Date(iso),
    );
  }

  /** `20 Nov 2026` of `2026-11-20`, and of a moment in UTC. */
  fullDay(date: string): string {
    return this.days('full', { day: 'numeric', month: 'short', year: 'numeric' }).format(dayOf(date));
  }

  /** `20 Nov`, with the year where it is not that of `now`. */
  day(date: string, now: string): string {
    const isThisYear = date.slice(0, 4) === now.slice(0, 4);
    const key = isThisYear ? date.slice(5, 10) : date.slice(0, 10);
    const known = this.dayTexts.get(key);
    if (known !== undefined) return known;
    const text = isThisYear
      ? this.days('day', { day: 'numeric', month: 'short' }).format(dayOf(date))
      : this.fullDay(date);
    if (this.dayTexts.size >= MOST_DAYS) this.dayTexts.clear();
    this.dayTexts.set(key, text);
    return text;
  }

  /** `12:03 UTC`; in the zone of the page, `13:03`, because the page names it. */
  clock(iso: string): string {
    // What Intl makes of it in each of our languages, as the tests say, in a tenth of the time.
    if (this.timeZone === null) return `${iso.slice(11, 16)} UTC`;
    const time = this.dates('clock', this.locale, { hour: '2-digit', minute: '2-digit' });
    return withZone(time.format(new Date(iso)), this.timeZone);
  }

  /** `20 Nov, 12:03 UTC`, with the year where it is not that of `now`. */
  moment(iso: string, now: string): string {
    const isSameYear = iso.slice(0, 4) === now.slice(0, 4);
    const time = this.dates(isSameYear ? 'moment' : 'far moment', this.locale, {
      ...{ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' },
      ...(isSameYear ? {} : { year: 'numeric' }),
    });
    return withZone(time.format(new Date(iso)), this.timeZone);
  }

  /** `Europe/Paris (GMT+1)`, with the offset that is in force at a moment; `UTC` */
  zone(iso: string): string {
    if (this.timeZone === null || this.timeZone === 'UTC') return 'UTC';
    const parts = this.dates('zone', this.locale, { timeZoneName: 'shortOffset' }).formatToParts(
      new Date(iso),
    );
    const offset = parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'UTC';
    return `${this.timeZone} (${offset})`;
  }

  private numbers(least: number, most: number): Intl.NumberFormat {
    return this.kept(
      `${least} ${most}`,
      () =>
        new Intl.NumberFormat(this.locale, {
          minimumFractionDigits: least,
          maximumFractionDigits: least > 0 ? least : most,
        }),
    );
  }

  private percents(digits: number): Intl.NumberFormat {
    const options = {
      style: 'percent',
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    } as const;
    return this.kept(`percent ${digits}`, () => new Intl.NumberFormat(this.locale, options));
  }

  private dates(name: string, locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    const timeZone = this.timeZone ?? 'UTC';
    return this.kept(name, () => new Intl.DateTimeFormat(locale, { ...options, timeZone }));
  }

  /** Of dates without a time, which are the same in every zone. */
  private days(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    return this.kept(
      `${name} day`,
      () => new Intl.DateTimeFormat(this.locale, { ...options, timeZone: 'UTC' }),
    );
  }

  /** Making one takes much longer than using it. */
  private kept<T extends Format>(name: string, make: () => T): T {
    const found = (this.formats.get(name) as T | undefined) ?? make();
    this.formats.set(name, found);
    return found;
  }
}

/** Days whose texts are kept: more than two years of them. */
const MOST_DAYS = 1_000;

/**
 * A message that has nothing but texts and places, with its values; null: it has plurals or numbers. The library takes three
 * times as long, and pages are made of hundreds of such messages.
 */
function filled(
  message: Exclude<Compiled, string>,
  values: Readonly<Record<string, string | number>> = {},
): string | null {
  const given = new Map(Object.entries(values));
  let text = '';
  for (const part of message) {
    const kind: number = part.type;
    if (!('value' in part) || kind > 1) return null;
    const value = kind === 0 ? part.value : given.get(part.value);
    // What is missing, or a number, is the library's to judge.
    if (typeof value !== 'string') return null;
    text += value;
  }
  return text;
}

/** Messages name no styles of dates and numbers. */
const NO_STYLES = { number: {}, date: {}, time: {} };

function templateOf(part: Exclude<Compiled, string>[number]): string {
  const kind: number = part.type;
  if (!('value' in part) || kind > 1) throw new TypeError('a script has no plurals');
  return kind === 1 ? `{${part.value}}` : part.value;
}

/** Whole numbers below 1,000 are written alike in all our languages. */
function isPlain(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 1_000;
}

function dayOf(date: string): Date {
  return new Date(`${date.slice(0, 10)}T00:00:00Z`);
}

function withZone(text: string, timeZone: string | null): string {
  return timeZone === null || timeZone === 'UTC' ? `${text} UTC` : text;
}
