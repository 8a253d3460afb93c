import type { PageSettings, Language } from '../types.js';
import { LANGUAGES } from '../types.js';
import { wordsIn, type Words } from '../view/language.js';

/** Languages of `Accept-Language` that are looked at; a longer header is no browser's. */
const MOST = 30;

/** The words of a page for whoever asks for it: in the language of its operator, or else of the visitor. */
export function wordsFor(request: Pick<Request, 'headers'>, page: PageSettings): Promise<Words> {
  const language = page.language ?? preferredLanguage(request.headers.get('accept-language') ?? '');
  return wordsIn(language, page.timeZone);
}

/** The words of what has no visitor that it could ask: a feed, a calendar. */
export function wordsOf({ language, timeZone }: PageSettings): Promise<Words> {
  return wordsIn(language ?? 'en', timeZone);
}

/** The one of ours that a visitor likes best (RFC 9110, 12.5.4): `fr-CA, en;q=0.8` is French. English where none is named. */
export function preferredLanguage(accepted: string): Language {
  const named = accepted
    .split(',', MOST)
    .map((range) => {
      const [, tag = '', weight = '1'] =
        /^\s*([a-z]{1,8})(?:-[a-z0-9-]{1,40})?\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?$/i.exec(range) ?? [];
      return { language: LANGUAGES.find((each) => each === tag.toLowerCase()), weight: Number(weight) };
    })
    .filter(({ language, weight }) => language !== undefined && weight > 0);
  return named.reduce(
    (best, each) => (each.weight > best.weight ? each : best),
    named[0] ?? { language: 'en', weight: 0 },
  ).language as Language;
}
