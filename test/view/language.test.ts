import { IntlMessageFormat } from 'intl-messageformat';
import { describe, expect, it } from 'vitest';
import { wordsIn, type MessageName } from '../../lib/view/language.js';
import de from '../../lib/view/messages/de.js';
import en from '../../lib/view/messages/en.js';
import es from '../../lib/view/messages/es.js';
import fr from '../../lib/view/messages/fr.js';
import it_ from '../../lib/view/messages/it.js';
import pt from '../../lib/view/messages/pt.js';
import { LANGUAGES, type Language } from '../../lib/types.js';

const CATALOGUES = { en, fr, de, es, pt, it: it_ } satisfies Record<Language, Record<MessageName, string>>;
const NAMES = Object.keys(en) as MessageName[];

/** As the parser of the library gives it: 1 is a text, 2 a number, 6 a plural. */
interface Element {
  readonly type: number;
  readonly value?: string;
  readonly options?: Readonly<Record<string, { readonly value: readonly Element[] }>>;
}
const KINDS: ReadonlyMap<number, string> = new Map([
  [1, 'text'],
  [2, 'number'],
  [6, 'plural'],
]);

const parsed = (text: string, language: Language): readonly Element[] =>
  new IntlMessageFormat(text, language).getAst();

/** `count: plural`, `name: text`: the values that a message takes, and what it makes of them. */
function placesOf(elements: readonly Element[]): string[] {
  return elements.flatMap(({ type, value = '', options = {} }) => {
    const kind = KINDS.get(type);
    return [
      ...(kind === undefined ? [] : [`${value}: ${kind}`]),
      ...Object.values(options).flatMap((option) => placesOf(option.value)),
    ];
  });
}

const placesIn = (text: string, language: Language) => [...new Set(placesOf(parsed(text, language)))];

describe('the catalogues of messages', () => {
  it.each(LANGUAGES)('%s: every message takes the values of the English one', (language) => {
    for (const name of NAMES) {
      const text = CATALOGUES[language][name];
      expect([name, placesIn(text, language).sort()]).toEqual([name, placesIn(en[name], 'en').sort()]);
    }
  });

  it.each(LANGUAGES)('%s: every plural has the forms that the language has for whole numbers', (language) => {
    const rules = new Intl.PluralRules(language);
    const forms = new Set(Array.from({ length: 200 }, (_, count) => rules.select(count)));
    for (const name of NAMES) {
      const [first] = parsed(CATALOGUES[language][name], language);
      if (first?.options === undefined) continue;
      expect([name, Object.keys(first.options)]).toEqual([name, expect.arrayContaining([...forms])]);
    }
  });

  it.each(LANGUAGES.filter((language) => language !== 'en'))(
    '%s is no copy of the English one',
    (language) => {
      const same = NAMES.filter((name) => CATALOGUES[language][name] === en[name]);
      // Words that are the same in both, names and units.
      expect(same.length).toBeLessThan(NAMES.length / 10);
    },
  );

  it.each(LANGUAGES)('%s: no text has what typewriters had', (language) => {
    for (const name of NAMES) {
      expect(CATALOGUES[language][name]).not.toMatch(/\w'\w|"|\.\.\.|^\s|\s$| {2}/);
    }
  });

  it('French has an unbreakable space before a colon', () => {
    for (const name of NAMES) expect([name, fr[name]]).not.toEqual([name, expect.stringMatching(/ [:;?!%]/)]);
  });
});

describe('words in a language', () => {
  it.each([
    ['en', ['3 h 20 m', '1.24 s', '99.98%', '97%', '1,234', '20 Nov', '20 Nov 2026', '12:03 UTC']],
    ['fr', ['3 h 20 min', '1,24 s', '99,98 %', '97 %', '1 234', '20 nov.', '20 nov. 2026', '12:03 UTC']],
    [
      'de',
      ['3 Std. 20 Min.', '1,24 s', '99,98 %', '97 %', '1.234', '20. Nov.', '20. Nov. 2026', '12:03 UTC'],
    ],
    ['es', ['3 h 20 min', '1,24 s', '99,98 %', '97 %', '1234', '20 nov', '20 nov 2026', '12:03 UTC']],
    [
      'pt',
      ['3 h 20 min', '1,24 s', '99,98%', '97%', '1.234', '20 de nov.', '20 de nov. de 2026', '12:03 UTC'],
    ],
    ['it', ['3 h 20 min', '1,24 s', '99,98%', '97%', '1234', '20 nov', '20 nov 2026', '12:03 UTC']],
  ] as const)('%s: %j', async (language, texts) => {
    const words = await wordsIn(language, null);
    expect(
      [
        words.length(200 * 60_000),
        words.latency(1240),
        words.percent(0.99989),
        words.wholePercent(0.979),
        words.number(1234),
        words.day('2026-11-20', '2026-12-01T00:00:00.000Z'),
        words.day('2026-11-20', '2027-01-01T00:00:00.000Z'),
        words.clock('2026-11-20T12:03:00.000Z'),
      ].map((text) => text.replaceAll(/\s/g, ' ')),
    ).toEqual(texts);
  });

  it.each([
    ['en', 1, '1 more problem'],
    ['en', 0, '0 more problems'],
    ['en', 1_000, '1,000 more problems'],
    ['fr', 0, '0 autre problème'],
    ['fr', 2, '2 autres problèmes'],
    ['de', 1, '1 weiteres Problem'],
    ['pt', 5, 'mais 5 problemas'],
  ] as const)('%s counts %i: %s', async (language, count, text) => {
    expect((await wordsIn(language, null)).text('moreProblems', { count })).toBe(text);
  });

  it.each(LANGUAGES)('%s: a text is what its parts are, whatever the values look like', async (language) => {
    const words = await wordsIn(language, null);
    const value = '{name} {0} # <b> $&';
    for (const name of NAMES) {
      const places = placesIn(en[name], 'en').map((place) => place.split(': '));
      if (places.some(([, kind]) => kind !== 'text')) continue;
      const values = Object.fromEntries(places.map(([place = '']) => [place, value])) as never;
      const say = words.text.bind(words) as (name: MessageName, values: never) => string;
      expect(say(name, values)).toBe(words.phrase(name, values).join(''));
      expect(say(name, values).split(value)).toHaveLength(1 + placesOf(parsed(en[name], 'en')).length);
    }
  });

  it('names a day with its year where it is not that of now, whichever was named before', async () => {
    const words = await wordsIn('en', null);
    for (let i = 0; i < 2; i += 1) {
      expect(words.day('2026-03-05', '2026-11-20')).toBe('5 Mar');
      expect(words.day('2025-03-05', '2026-11-20')).toBe('5 Mar 2025');
      expect(words.day('2026-03-05', '2027-11-20')).toBe('5 Mar 2026');
    }
  });

  it('puts elements into their places, and leaves what looks like a place in a value alone', async () => {
    const words = await wordsIn('fr', null);
    const time = { element: true };
    expect(words.phrase('since', { time, length: '3 h' })).toEqual([
      'Début\u00a0: ',
      time,
      ' (durée\u00a0: 3 h)',
    ]);
    expect(words.text('oneDown', { name: '{count} <b>' })).toBe('{count} <b> est indisponible');
    expect(words.template('showing')).toBe('Services affichés\u00a0: {count} sur {total}');
  });

  it('gives times and days in the zone of the page, which it names', async () => {
    const words = await wordsIn('fr', 'Asia/Tokyo');
    const at = '2026-11-20T20:03:00.000Z';
    expect(words.dateOf(at)).toBe('2026-11-21');
    expect(words.clock(at)).toBe('05:03');
    expect(words.moment(at, at)).toBe('21 nov., 05:03');
    expect(words.zone(at)).toBe('Asia/Tokyo (UTC+9)');
    expect((await wordsIn('en', 'UTC')).clock(at)).toBe('20:03 UTC');
  });
});
