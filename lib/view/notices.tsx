import type { ComponentChildren, JSX } from 'preact';
import { renderPage, type Visibility } from './layout.js';
import { Glyph } from './components.js';
import type { Mood } from './words.js';

/** What there is to see instead of a state, and what to do about it. */
interface Notice {
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
export function problemPage({ code, message, lines: variables }: ProblemView): string {
  return noticePage(noticeOf(code, message, variables));
}

function noticeOf(code: string, message: string, variables: readonly string[]): Notice {
  switch (code) {
    case 'target_not_found':
      return {
        mood: 'unknown',
        title: 'No such service',
        body: (
          <p>
            Nothing with this id is watched here. <a href="/">All services</a>
          </p>
        ),
      };
    case 'config_invalid':
      return {
        mood: 'degraded',
        title: 'The configuration is not valid',
        body: (
          <>
            <p>Nothing is pinged until it is. The list of what is wrong is in the build's log, and here:</p>
            <pre tabIndex={0}>
              <code>npx keepalive config</code>
            </pre>
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
        title: 'The figures cannot be read',
        body: (
          <>
            <p>
              The database does not answer as it should (<code>{code}</code>: {message}). Services are pinged
              all the same; results are kept until it is back.
            </p>
            <p>
              <a href="/api/health">What Keepalive says of itself</a>
            </p>
          </>
        ),
      };
    default:
      return { mood: 'unknown', title: 'This page could not be made', body: <p>{message}</p> };
  }
}

export interface SetUp {
  readonly hasStore: boolean;
  readonly hasTargets: boolean;
  readonly hasCronSecret: boolean;
}

/** The first visit: what is set up, and what is still to be done. */
export function setUpPage({ hasStore, hasTargets, hasCronSecret }: SetUp, { isPrivate }: Visibility): string {
  return noticePage(
    {
      mood: 'pending',
      title: hasTargets ? 'A database is missing' : 'Nothing is watched yet',
      body: (
        <>
          <p>Set what is missing among the environment variables, and deploy again.</p>
          <ol class="steps">
            <Step done={hasTargets} title="Say what to watch">
              <pre tabIndex={0}>
                <code>TARGET_MY_API_URL=https://my-api.up.railway.app/health</code>
              </pre>
            </Step>
            <Step done={hasStore} title="Give it a database">
              <p>
                <code>UPSTASH_REDIS_REST_URL</code> and <code>UPSTASH_REDIS_REST_TOKEN</code> (the Upstash
                integration sets them), or <code>REDIS_URL</code>.
              </p>
            </Step>
            <Step done={hasCronSecret} title="Let a scheduler in">
              <p>
                <code>CRON_SECRET</code>, 16 characters at least: <code>openssl rand -hex 32</code>
              </p>
            </Step>
            <Step done={false} title="Call it every minute">
              <pre tabIndex={0}>
                <code>{'curl -H "Authorization: Bearer $CRON_SECRET" https://<this host>/api/cron'}</code>
              </pre>
            </Step>
          </ol>
        </>
      ),
    },
    { isPrivate },
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
        <span class="quiet">{done ? 'done' : 'to do'}</span>
      </h2>
      {!done && children}
    </li>
  );
}

/** @param next the local path to go on to @param problem why nobody was signed in */
export function signInPage(next: string, problem: string | null = null): string {
  return noticePage({
    mood: null,
    title: 'This status is private',
    body: (
      <form class="sign-in" method="post" action="/sign-in">
        <input hidden readOnly name="username" value="keepalive" autocomplete="username" />
        <label for="token">Token</label>
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
        <button>Sign in</button>
        <p class="quiet">
          It is what <code>STATS_TOKEN</code> is set to.
        </p>
      </form>
    ),
  });
}

function noticePage({ mood, title, body }: Notice, { isPrivate }: Visibility = { isPrivate: false }): string {
  return renderPage({
    title: `${title} · Keepalive`,
    mood: mood ?? 'unknown',
    isPrivate,
    main: (
      <section class="alone">
        {mood !== null && <Glyph mood={mood} size={36} />}
        <h1>{title}</h1>
        {body}
      </section>
    ),
  });
}
