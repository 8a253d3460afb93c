import type { ComponentChildren, JSX } from 'preact';
import { renderPage } from './layout.js';
import type { Site } from './site.js';
import { Glyph } from './components.js';
import type { Words } from './language.js';
import { Phrase, useWords } from './phrase.js';
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
export function problemPage(problem: ProblemView, site: Omit<Site, 'isPrivate'>): string {
  return noticePage(noticeOf(problem, site.words), { ...site, isPrivate: false });
}

function noticeOf({ code, message, lines: variables }: ProblemView, words: Words): Notice {
  switch (code) {
    case 'target_not_found':
      return {
        mood: 'unknown',
        title: words.text('noService'),
        body: <Elsewhere text={words.text('noServiceText')} />,
      };
    case 'not_found':
      return {
        mood: 'unknown',
        title: words.text('noPage'),
        body: <Elsewhere text={words.text('noPageText')} />,
      };
    case 'method_not_allowed':
      return {
        mood: 'unknown',
        title: words.text('notAllowed'),
        body: <Elsewhere text={words.text('notAllowedText')} />,
      };
    case 'config_invalid':
      return {
        mood: 'degraded',
        title: words.text('invalid'),
        body: (
          <>
            <p>{words.text('invalidText')}</p>
            {variables.length > 0 && (
              <ul lang="en">
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
    case 'store_mismatch':
      return {
        mood: 'unknown',
        title: words.text('unreadable'),
        body: (
          <>
            <p>{words.text('unreadableText')}</p>
            <p>
              <a href="?">{words.text('tryAgain')}</a>
            </p>
            <details>
              <summary>{words.text('details')}</summary>
              <code lang="en">
                {code}: {message}
              </code>
            </details>
          </>
        ),
      };
    case 'cross_site':
      return {
        mood: 'unknown',
        title: words.text('failed'),
        body: <Elsewhere text={words.text('crossSite')} />,
      };
    case 'too_large':
      return {
        mood: 'unknown',
        title: words.text('failed'),
        body: <Elsewhere text={words.text('tooLarge')} />,
      };
    default:
      return {
        mood: 'unknown',
        title: words.text('failed'),
        body: <Elsewhere text={words.text('failedText')} />,
      };
  }
}

function Elsewhere({ text }: { text: string }): JSX.Element {
  const words = useWords();
  return (
    <>
      <p>{text}</p>
      <p>
        <a href="/">{words.text('allServices')}</a> · <a href="/history">{words.text('history')}</a>
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
  const { words } = site;
  return noticePage(
    {
      mood: 'pending',
      title: hasTargets ? words.text('noDatabase') : words.text('nothingWatched'),
      body: (
        <>
          <p>{words.text('setUp')}</p>
          <ol class="steps">
            <Step done={hasTargets} title={words.text('stepTargets')}>
              <pre tabIndex={0}>
                <code>TARGET_MY_API_URL=https://my-api.up.railway.app/health</code>
              </pre>
            </Step>
            <Step done={hasStore} title={words.text('stepStore')}>
              <p>
                <Phrase
                  name="stepStoreText"
                  values={{
                    url: <code>UPSTASH_REDIS_REST_URL</code>,
                    token: <code>UPSTASH_REDIS_REST_TOKEN</code>,
                    redis: <code>REDIS_URL</code>,
                  }}
                />
              </p>
            </Step>
            <Step done={hasCronSecret} title={words.text('stepSecret')}>
              <p>
                <Phrase
                  name="stepSecretText"
                  values={{ secret: <code>CRON_SECRET</code>, command: <code>openssl rand -hex 32</code> }}
                />
              </p>
            </Step>
            <Step done={false} title={words.text('stepCheck')}>
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
  const { words } = site;
  return noticePage(
    { mood: 'unknown', title: words.text('nothingShown'), body: <p>{words.text('nothingShownText')}</p> },
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
  const words = useWords();
  return (
    <li class={done ? 'done' : ''}>
      <h2>
        <Glyph mood={done ? 'up' : 'pending'} />
        {title}
        <span class="quiet">{done ? words.text('done') : words.text('toDo')}</span>
      </h2>
      {!done && children}
    </li>
  );
}

/** @param next the local path to go on to @param problem why nobody was signed in */
export function signInPage(
  site: Omit<Site, 'isPrivate'>,
  next: string,
  problem: string | null = null,
): string {
  const { words } = site;
  const notice: Notice = {
    mood: null,
    title: words.text('isPrivate'),
    body: (
      <form class="sign-in" method="post" action="/sign-in">
        <input hidden readOnly name="username" value="keepalive" autocomplete="username" />
        <label for="token">{words.text('token')}</label>
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
        <button>{words.text('signIn')}</button>
        <p class="quiet">{words.text('tokenHint')}</p>
      </form>
    ),
  };
  return noticePage(notice, { ...site, isPrivate: false });
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
