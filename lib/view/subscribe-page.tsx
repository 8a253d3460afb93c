import type { JSX } from 'preact';
import { renderPage } from './layout.js';
import { noticePage } from './notices.js';
import { Phrase, useWords } from './phrase.js';
import { siteName, type Site } from './site.js';

export interface SubscribeView {
  /** Where the page is, without a slash at its end. */
  readonly origin: string;
  /** Visitors may subscribe by e-mail. */
  readonly takesMail: boolean;
  /** Why the form was refused. */
  readonly problem: string | null;
}

/** `GET /subscribe` */
export function subscribePage(view: SubscribeView, site: Site): string {
  const { origin, takesMail, problem } = view;
  const { words } = site;
  const feed = `${origin}/api/feed`;
  return renderPage({
    ...site,
    title: words.text('subscribe'),
    mood: 'unknown',
    main: (
      <div class="ways">
        <nav class="crumbs" aria-label={words.text('breadcrumb')}>
          <a href="/">{words.text('backToStatus')}</a>
        </nav>
        <section class="head">
          <h1>{words.text('subscribe')}</h1>
          <p class="quiet">
            <Phrase name="subscribeIntro" values={{ name: <Name site={site} /> }} />
          </p>
        </section>
        {takesMail && (
          <section class="panel">
            <h2>{words.text('byMail')}</h2>
            <p>{words.text('byMailText')}</p>
            <MailForm problem={problem} />
          </section>
        )}
        {!site.isPrivate && (
          <>
            <Way title={words.text('byFeed')} text={words.text('byFeedText')} code={feed} href="/api/feed">
              <p>{words.text('slackText')}</p>
              <Copyable code={`/feed subscribe ${feed}`} />
            </Way>
            <Way
              title={words.text('byCalendar')}
              text={words.text('byCalendarText')}
              code={`${origin}/api/calendar.ics`}
              href={`${origin.replace(/^https?:/, 'webcal:')}/api/calendar.ics`}
            />
          </>
        )}
        <Way
          title={words.text('byWebhook')}
          text={words.text('byWebhookText')}
          code={webhookScript(feed, site.isPrivate)}
        />
      </div>
    ),
  });
}

function Name({ site }: { site: Site }): JSX.Element {
  return <bdi>{siteName(site.page)}</bdi>;
}

function MailForm({ problem }: { problem: string | null }): JSX.Element {
  const words = useWords();
  return (
    <form class="sign-in" method="post" action="/subscribe">
      <label for="address">{words.text('mailAddress')}</label>
      <input
        id="address"
        name="address"
        type="email"
        inputMode="email"
        autocomplete="email"
        required
        maxLength={254}
        aria-invalid={problem ? 'true' : undefined}
        aria-describedby={problem ? 'wrong' : undefined}
      />
      {problem && (
        <p id="wrong" class="wrong" role="alert">
          {problem}
        </p>
      )}
      <button>{words.text('subscribe')}</button>
    </form>
  );
}

function Way({
  title,
  text,
  code,
  href,
  children,
}: {
  title: string;
  text: string;
  code: string;
  href?: string;
  children?: JSX.Element | JSX.Element[];
}): JSX.Element {
  return (
    <section class="panel">
      <h2>{href === undefined ? title : <a href={href}>{title}</a>}</h2>
      <p>{text}</p>
      <Copyable code={code} />
      {children}
    </section>
  );
}

/** One click selects all of it (style.css), with scripts or without. */
function Copyable({ code }: { code: string }): JSX.Element {
  return (
    <pre class="copyable" tabIndex={0}>
      <code>{code}</code>
    </pre>
  );
}

/** In place of the visitor's own. */
const WEBHOOK = 'https://example.com/your-webhook';

/**
 * A shell script that posts the feed to a webhook when it has changed: the server answers 304 to the ETag of what it sent
 * before.
 * @param isPrivate the feed wants a token
 */
export function webhookScript(feed: string, isPrivate: boolean): string {
  return [
    '#!/bin/sh',
    'cd "$HOME" || exit',
    "code=$(curl -sS -o status.xml -w '%{http_code}' \\",
    '  --etag-compare status.etag --etag-save status.etag \\',
    ...(isPrivate ? ['  -H "Authorization: Bearer $STATS_TOKEN" \\'] : []),
    `  '${feed}')`,
    '[ "$code" = 200 ] || exit',
    "curl -sS -H 'Content-Type: application/atom+xml' \\",
    `  --data-binary @status.xml '${WEBHOOK}'`,
  ].join('\n');
}

/** What `POST /subscribe` answers, whatever has come of it. */
export function sentPage(address: string, site: Site): string {
  const { words } = site;
  return noticePage(
    {
      mood: null,
      title: words.text('linkSent'),
      body: (
        <>
          <p>
            <Phrase
              name="linkSentText"
              values={{ address: <bdi>{address}</bdi>, name: <Name site={site} /> }}
            />
          </p>
          <p class="quiet">{words.text('linkSentAgain')}</p>
          <Back />
        </>
      ),
    },
    site,
  );
}

/** `GET /confirm` */
export function confirmPage(
  { address, token }: { readonly address: string; readonly token: string },
  site: Site,
): string {
  const { words } = site;
  return noticePage(
    {
      mood: null,
      title: words.text('confirmSubscription'),
      body: (
        <form class="sign-in" method="post" action={`/confirm?t=${token}`}>
          <p>
            <Phrase
              name="confirmText"
              values={{ address: <bdi>{address}</bdi>, name: <Name site={site} /> }}
            />
          </p>
          <button>{words.text('confirm')}</button>
        </form>
      ),
    },
    site,
  );
}

export function doneConfirming(address: string, site: Site): string {
  const { words } = site;
  const values = { address: <bdi>{address}</bdi>, name: <Name site={site} /> };
  return donePage(words.text('subscribed'), <Phrase name="subscribedText" values={values} />, site);
}

/** `GET /unsubscribe` */
export function unsubscribePage(id: string, site: Site): string {
  const { words } = site;
  return noticePage(
    {
      mood: null,
      title: words.text('unsubscribe'),
      body: (
        <form class="sign-in" method="post" action={`/unsubscribe?t=${id}`}>
          <p>
            <Phrase name="unsubscribeText" values={{ name: <Name site={site} /> }} />
          </p>
          <button>{words.text('unsubscribe')}</button>
        </form>
      ),
    },
    site,
  );
}

export function doneUnsubscribing(site: Site): string {
  const { words } = site;
  const values = { name: <Name site={site} /> };
  return donePage(words.text('unsubscribed'), <Phrase name="unsubscribedText" values={values} />, site);
}

/** @param why it does not work */
export function badLinkPage(why: string, site: Site): string {
  const { words } = site;
  return noticePage(
    {
      mood: 'unknown',
      title: words.text('linkWrong'),
      body: (
        <>
          <p>{why}</p>
          <p>
            <a href="/subscribe">{words.text('subscribe')}</a> · <a href="/">{words.text('backToStatus')}</a>
          </p>
        </>
      ),
    },
    site,
  );
}

function donePage(title: string, text: JSX.Element, site: Site): string {
  return noticePage(
    {
      mood: 'up',
      title,
      body: (
        <>
          <p>{text}</p>
          <Back />
        </>
      ),
    },
    site,
  );
}

function Back(): JSX.Element {
  const words = useWords();
  return (
    <p>
      <a href="/">{words.text('backToStatus')}</a>
    </p>
  );
}
