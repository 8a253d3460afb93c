import type { ComponentChildren, JSX } from 'preact';
import { renderToString } from 'preact-render-to-string';
import type { PageSettings } from '../types.js';
import type { MessageName, Words } from './language.js';
import { PageWords } from './phrase.js';
import { siteName, type Site } from './site.js';
import type { Mood } from './words.js';

export interface PageOptions extends Site {
  /** Of this page; the name of the site is put behind it. */
  readonly title: string;
  /** Colours the mark beside the name. */
  readonly mood?: Mood;
  /** Of scripts besides the page's own. */
  readonly scripts?: readonly string[];
  readonly styles?: readonly string[];
  /** The page is fetched again from time to time. */
  readonly refreshes?: boolean;
  readonly main: ComponentChildren;
}

/** A whole page as HTML. Everything that is put into it is escaped. */
export function renderPage(options: PageOptions): string {
  return `<!doctype html>${renderToString(<Layout {...options} />)}`;
}

/** What the script of every page says. */
const SCRIPT_WORDS = [
  ...(['dayNoData', 'dayUnseen', 'dayUnsure', 'dayFine', 'dayBad', 'observed'] as const),
  ...(['justNow', 'notUpdated', 'unit.d', 'unit.h', 'unit.m', 'unit.s'] as const),
] as const satisfies readonly MessageName[];

/** Messages for a script, as JSON; their places are filled by it. */
export function scriptWords(words: Words, names: readonly MessageName[]): string {
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, words.template(name)])));
}

function Layout({
  title,
  page,
  words,
  mood = 'up',
  isPrivate,
  scripts = [],
  styles = [],
  refreshes = false,
  main,
}: PageOptions): JSX.Element {
  const name = siteName(page);
  return (
    <html lang={words.language} data-zone={words.timeZone ?? undefined}>
      <head>
        <meta charSet="utf-8" />
        <title>{`${title} · ${name}`}</title>
        <Preview title={title} name={name} page={page} mood={mood} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content={isPrivate ? 'noindex' : 'index'} />
        {['/style.css', ...styles].map((href) => (
          <link rel="stylesheet" href={href} />
        ))}
        <meta name="theme-color" content="#fbfbfa" media="(prefers-color-scheme: light)" />
        <meta name="theme-color" content="#0d0e10" media="(prefers-color-scheme: dark)" />
        {/* Behind what it changes, and before anything is painted. */}
        <script src="/theme.js" />
        <link rel="manifest" href="/manifest.webmanifest" />
        <link rel="apple-touch-icon" href="/apple-touch-icon.png" />
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        <link
          rel="alternate"
          type="application/atom+xml"
          href="/api/feed"
          title={words.text('feedTitle', { name })}
        />
        <link
          rel="alternate"
          type="text/calendar"
          href="/api/calendar.ics"
          title={words.text('calendarName')}
        />
        {['/page.js', ...scripts].map((src) => (
          <script src={src} defer />
        ))}
      </head>
      <body data-words={scriptWords(words, SCRIPT_WORDS)}>
        <a class="skip" href="#main">
          {words.text('skip')}
        </a>
        <header class="top">
          <a class="brand" href="/">
            {page.logoUrl === null ? (
              <svg class={`pulse ${mood}`} width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">
                <path d="M1.5 11.5h4l2.5-7 5 13 2.7-6h4.8" />
              </svg>
            ) : (
              <img class="logo" src={page.logoUrl} alt="" height="28" referrerpolicy="no-referrer" />
            )}
            <bdi>{name}</bdi>
          </a>
          <nav aria-label={words.text('pages')}>
            <a href="/history">{words.text('historyShort')}</a>
            <a href="/subscribe">{words.text('subscribe')}</a>
            {page.homeUrl !== null && (
              <a href={page.homeUrl}>
                <bdi>{new URL(page.homeUrl).hostname.replace(/^www\./, '')}</bdi>
              </a>
            )}
            {page.links.map(({ label, url }) => (
              <a href={url}>
                <bdi>{label}</bdi>
              </a>
            ))}
            {page.contactUrl !== null && <a href={page.contactUrl}>{words.text('contact')}</a>}
          </nav>
          <span class="fill" />
          <span id="live" role="status" class="quiet" />
          <label class="theme">
            <span class="hidden">{words.text('theme')}</span>
            <select autocomplete="off">
              {(['system', 'light', 'dark'] as const).map((theme) => (
                <option value={theme}>{words.text(`theme.${theme}`)}</option>
              ))}
            </select>
          </label>
          {isPrivate && (
            <form method="post" action="/sign-in">
              <button class="plain" name="action" value="sign-out">
                {words.text('signOut')}
              </button>
            </form>
          )}
        </header>
        <main id="main" tabIndex={-1} data-refresh={refreshes ? '' : undefined}>
          <PageWords.Provider value={words}>{main}</PageWords.Provider>
        </main>
      </body>
    </html>
  );
}

/** The states that have a picture, `public/state-….png`, 1200 x 630 (scripts/pictures.js). */
const PICTURED: readonly Mood[] = ['up', 'degraded', 'down'];

/** What search engines and chats show of a link to the page. */
function Preview({
  title,
  name,
  page: { description, publicUrl },
  mood,
}: {
  title: string;
  name: string;
  page: PageSettings;
  mood: Mood;
}): JSX.Element {
  const picture = PICTURED.includes(mood) ? mood : 'unknown';
  return (
    <>
      {description !== null && <meta name="description" content={description} />}
      <meta property="og:type" content="website" />
      <meta property="og:site_name" content={name} />
      <meta property="og:title" content={title} />
      {description !== null && <meta property="og:description" content={description} />}
      {publicUrl !== null && (
        <>
          <meta property="og:image" content={`${publicUrl}/state-${picture}.png`} />
          <meta property="og:image:width" content="1200" />
          <meta property="og:image:height" content="630" />
          <meta property="og:image:alt" content={title} />
        </>
      )}
      <meta name="twitter:card" content={publicUrl === null ? 'summary' : 'summary_large_image'} />
    </>
  );
}
