import type { JSX } from 'preact';
import { renderPage } from './layout.js';
import { noticePage } from './notices.js';
import { Phrase } from './phrase.js';
import { siteName, type Site } from './site.js';
import { SUBSCRIBE, TEXT } from './text.js';

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
  const feed = `${origin}/api/feed`;
  return renderPage({
    ...site,
    title: SUBSCRIBE.title,
    mood: 'unknown',
    main: (
      <div class="ways">
        <nav class="crumbs" aria-label="Breadcrumb">
          <a href="/">{TEXT.backToStatus}</a>
        </nav>
        <section class="head">
          <h1>{SUBSCRIBE.title}</h1>
          <p class="quiet">
            <Phrase text={SUBSCRIBE.intro} values={{ name: <Name site={site} /> }} />
          </p>
        </section>
        {takesMail && (
          <section class="panel">
            <h2>{SUBSCRIBE.mail}</h2>
            <p>{SUBSCRIBE.mailText}</p>
            <MailForm problem={problem} />
          </section>
        )}
        {!site.isPrivate && (
          <>
            <Way title={SUBSCRIBE.feed} text={SUBSCRIBE.feedText} code={feed} href="/api/feed">
              <p>{SUBSCRIBE.chatText}</p>
              <Copyable code={`/feed subscribe ${feed}`} />
            </Way>
            <Way
              title={SUBSCRIBE.calendar}
              text={SUBSCRIBE.calendarText}
              code={`${origin}/api/calendar.ics`}
              href={`${origin.replace(/^https?:/, 'webcal:')}/api/calendar.ics`}
            />
          </>
        )}
        <Way
          title={SUBSCRIBE.webhook}
          text={SUBSCRIBE.webhookText}
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
  return (
    <form class="sign-in" method="post" action="/subscribe">
      <label for="address">{SUBSCRIBE.address}</label>
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
      <button>{SUBSCRIBE.send}</button>
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
    `  --data-binary @status.xml '${SUBSCRIBE.webhookAddress}'`,
  ].join('\n');
}

/** What `POST /subscribe` answers, whatever has come of it. */
export function sentPage(address: string, site: Site): string {
  return noticePage(
    {
      mood: null,
      title: SUBSCRIBE.sentTitle,
      body: (
        <>
          <p>
            <Phrase
              text={SUBSCRIBE.sentText}
              values={{ address: <bdi>{address}</bdi>, name: <Name site={site} /> }}
            />
          </p>
          <p class="quiet">{SUBSCRIBE.sentAgain}</p>
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
  return noticePage(
    {
      mood: null,
      title: SUBSCRIBE.confirmTitle,
      body: (
        <form class="sign-in" method="post" action={`/confirm?t=${token}`}>
          <p>
            <Phrase
              text={SUBSCRIBE.confirmText}
              values={{ address: <bdi>{address}</bdi>, name: <Name site={site} /> }}
            />
          </p>
          <button>{SUBSCRIBE.confirm}</button>
        </form>
      ),
    },
    site,
  );
}

export function doneConfirming(address: string, site: Site): string {
  const values = { address: <bdi>{address}</bdi>, name: <Name site={site} /> };
  return donePage(SUBSCRIBE.confirmedTitle, <Phrase text={SUBSCRIBE.confirmedText} values={values} />, site);
}

/** `GET /unsubscribe` */
export function unsubscribePage(id: string, site: Site): string {
  return noticePage(
    {
      mood: null,
      title: SUBSCRIBE.unsubscribeTitle,
      body: (
        <form class="sign-in" method="post" action={`/unsubscribe?t=${id}`}>
          <p>
            <Phrase text={SUBSCRIBE.unsubscribeText} values={{ name: <Name site={site} /> }} />
          </p>
          <button>{SUBSCRIBE.unsubscribe}</button>
        </form>
      ),
    },
    site,
  );
}

export function doneUnsubscribing(site: Site): string {
  const values = { name: <Name site={site} /> };
  return donePage(
    SUBSCRIBE.unsubscribedTitle,
    <Phrase text={SUBSCRIBE.unsubscribedText} values={values} />,
    site,
  );
}

/** @param why it does not work */
export function badLinkPage(why: string, site: Site): string {
  return noticePage(
    {
      mood: 'unknown',
      title: SUBSCRIBE.badLinkTitle,
      body: (
        <>
          <p>{why}</p>
          <p>
            <a href="/subscribe">{SUBSCRIBE.title}</a> · <a href="/">{TEXT.backToStatus}</a>
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
  return (
    <p>
      <a href="/">{TEXT.backToStatus}</a>
    </p>
  );
}
