import type { ComponentChildren, JSX } from 'preact';
import type { PageSettings } from '../types.js';
import { renderPage } from './layout.js';
import type { Site } from './site.js';
import { Glyph } from './components.js';
import { Phrase } from './phrase.js';
import { NOTICES, TEXT } from './text.js';
import type { Mood } from './words.js';

/** What there is to see instead of a state, and what to do about it. */
export interface Notice {
  /** Null: there is nothing to say of any state. */
  readonly mood: Mood | null;
  readonly title: string;
  readonly body: ComponentChildren;
}

/** What went wrong; `lines` name the variables that are not valid. */
export interface ProblemView {
  readonly code: string;
  readonly message: string;
  readonly lines: readonly string[];
}

/** A page for what went wrong; `code` and `message` are those of the JSON answers. */
export function problemPage({ code, message, lines: variables }: ProblemView, page: PageSettings): string {
  return noticePage(noticeOf(code, message, variables), { isPrivate: false, page });
}

function noticeOf(code: string, message: string, variables: readonly string[]): Notice {
  switch (code) {
    case 'target_not_found':
      return { mood: 'unknown', title: NOTICES.noService, body: <Elsewhere text={NOTICES.noServiceText} /> };
    case 'not_found':
      return { mood: 'unknown', title: NOTICES.noPage, body: <Elsewhere text={NOTICES.noPageText} /> };
    case 'method_not_allowed':
      return {
        mood: 'unknown',
        title: NOTICES.notAllowed,
        body: <Elsewhere text={NOTICES.notAllowedText} />,
      };
    case 'config_invalid':
      return {
        mood: 'degraded',
        title: NOTICES.invalid,
        body: (
          <>
            <p>{NOTICES.invalidText}</p>
            {variables.length > 0 && (
              <ul>
                {variables.map((line) => (
                  <li>{line}</li>
                ))}
              </ul>
            )}
          </>
        ),
      };
    case 'store_unreachable':
    case 'store_timeout':
    case 'store_denied':
    case 'store_limit':
    case 'store_answer':
    case 'store_corrupt':
      return {
        mood: 'unknown',
        title: NOTICES.unreadable,
        body: (
          <>
            <p>{NOTICES.unreadableText}</p>
            <p>
              <a href="?">{NOTICES.tryAgain}</a>
            </p>
            <details>
              <summary>{TEXT.details}</summary>
              <code>
                {code}: {message}
              </code>
            </details>
          </>
        ),
      };
    default:
      return { mood: 'unknown', title: NOTICES.failed, body: <Elsewhere text={message} /> };
  }
}

function Elsewhere({ text }: { text: string }): JSX.Element {
  return (
    <>
      <p>{text}</p>
      <p>
        <a href="/">{NOTICES.allServices}</a> · <a href="/history">{TEXT.history}</a>
      </p>
    </>
  );
}

export interface SetUp {
  readonly hasStore: boolean;
  readonly hasTargets: boolean;
  readonly hasCronSecret: boolean;
}

/** The first visit: what is set up, and what is still to be done. */
export function setUpPage({ hasStore, hasTargets, hasCronSecret }: SetUp, site: Site): string {
  return noticePage(
    {
      mood: 'pending',
      title: hasTargets ? NOTICES.noDatabase : NOTICES.nothingWatched,
      body: (
        <>
          <p>{NOTICES.setUp}</p>
          <ol class="steps">
            <Step done={hasTargets} title={NOTICES.stepTargets}>
              <pre tabIndex={0}>
                <code>TARGET_MY_API_URL=https://my-api.up.railway.app/health</code>
              </pre>
            </Step>
            <Step done={hasStore} title={NOTICES.stepStore}>
              <p>
                <Phrase
                  text={NOTICES.stepStoreText}
                  values={{
                    url: <code>UPSTASH_REDIS_REST_URL</code>,
                    token: <code>UPSTASH_REDIS_REST_TOKEN</code>,
                    redis: <code>REDIS_URL</code>,
                  }}
                />
              </p>
            </Step>
            <Step done={hasCronSecret} title={NOTICES.stepSecret}>
              <p>
                <Phrase
                  text={NOTICES.stepSecretText}
                  values={{ secret: <code>CRON_SECRET</code>, command: <code>openssl rand -hex 32</code> }}
                />
              </p>
            </Step>
            <Step done={false} title={NOTICES.stepCheck}>
              <pre tabIndex={0}>
                <code>npx keepalive doctor</code>
              </pre>
            </Step>
          </ol>
        </>
      ),
    },
    site,
  );
}

/** No service is shown to whoever asks. */
export function nothingShownPage(site: Site): string {
  return noticePage(
    { mood: 'unknown', title: NOTICES.nothingShown, body: <p>{NOTICES.nothingShownText}</p> },
    site,
  );
}

function Step({
  done,
  title,
  children,
}: {
  done: boolean;
  title: string;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <li class={done ? 'done' : ''}>
      <h2>
        <Glyph mood={done ? 'up' : 'pending'} />
        {title}
        <span class="quiet">{done ? NOTICES.done : NOTICES.toDo}</span>
      </h2>
      {!done && children}
    </li>
  );
}

/** @param next the local path to go on to @param problem why nobody was signed in */
export function signInPage(page: PageSettings, next: string, problem: string | null = null): string {
  const notice: Notice = {
    mood: null,
    title: NOTICES.isPrivate,
    body: (
      <form class="sign-in" method="post" action="/sign-in">
        <input hidden readOnly name="username" value="keepalive" autocomplete="username" />
        <label for="token">{NOTICES.token}</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="current-password"
          required
          maxLength={1000}
          aria-invalid={problem ? 'true' : undefined}
          aria-describedby={problem ? 'wrong' : undefined}
        />
        <input type="hidden" name="next" value={next} />
        {problem && (
          <p id="wrong" class="wrong" role="alert">
            {problem}
          </p>
        )}
        <button>{NOTICES.signIn}</button>
        <p class="quiet">{NOTICES.tokenHint}</p>
      </form>
    ),
  };
  return noticePage(notice, { isPrivate: false, page });
}

export function noticePage({ mood, title, body }: Notice, site: Site): string {
  return renderPage({
    ...site,
    title,
    mood: mood ?? 'unknown',
    main: (
      <section class="alone">
        {mood !== null && <Glyph mood={mood} size={36} />}
        <h1>{title}</h1>
        {body}
      </section>
    ),
  });
}
