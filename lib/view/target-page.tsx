import { notesOutside } from '../read/notes.js';
import type { Freshness, IncidentView, NoteView, TargetHistory } from '../read/views.js';
import { adviceOn, wordInWords } from '../rules/host-advice.js';
import { HOSTS } from '../rules/hosts.js';
import type { HostWord } from '../types.js';
import { AwakeCard } from './awake-card.js';
import { causeOf } from './causes.js';
import { EpisodeCard } from './episode-card.js';
import { troubleOf } from './episodes.js';
import { StaleNotice } from './freshness-notices.js';
import { LastCheck } from './last-check-card.js';
import { Latency } from './latency-panel.js';
import { renderPage } from './layout.js';
import type { Site } from './site.js';
import { Glyph, Moment, StatusLabel, Url, awakeInWords } from './components.js';
import { CurrentNotes, NoteCard, NoteText } from './notes.js';
import { Checks } from './recent-checks.js';
import { RecoveryCard } from './recovery-card.js';
import { Upcoming } from './upcoming.js';
import { Uptime } from './uptime-panel.js';
import { Phrase, useWords } from './phrase.js';
import { PageFoot } from './page-foot.js';
import { causeInWords, shownStatus, targetMood } from './words.js';
import type { JSX } from 'preact';

/** `GET /t/<id>` */
export function targetPage(
  target: TargetHistory,
  freshness: Freshness,
  site: Site,
  hostWord: HostWord | null = null,
): string {
  const mood = targetMood(target);
  const { words } = site;
  return renderPage({
    ...site,
    title: words.text('pageTitle', { name: target.name, state: words.text(`state.${mood}`) }),
    mood,
    refreshes: true,
    styles: ['/vendor/uplot.css'],
    scripts: ['/vendor/uplot.js', '/chart.js'],
    main: <Target target={target} freshness={freshness} isPrivate={site.isPrivate} hostWord={hostWord} />,
  });
}

function Target({
  target,
  freshness,
  isPrivate,
  hostWord,
}: {
  target: TargetHistory;
  freshness: Freshness;
  isPrivate: boolean;
  hostWord: HostWord | null;
}): JSX.Element {
  const words = useWords();
  const now = freshness.updatedAt;
  const past = target.incidents.filter(({ endedAt }) => endedAt !== null);
  const notes = notesOutside(
    target.notes,
    target.incidents.map((incident) => ({ target, incident })),
  );
  return (
    <>
      <nav class="crumbs" aria-label={words.text('breadcrumb')}>
        <a href="/">{words.text('allServices')}</a>
        {target.group !== null && (
          <span>
            {' / '}
            <bdi>{target.group}</bdi>
          </span>
        )}
      </nav>
      <Head target={target} freshness={freshness} />
      <StaleNotice freshness={freshness} isPrivate={isPrivate} />
      {isPrivate && <HostAdvice target={target} />}
      {isPrivate && hostWord !== null && <HostSaid target={target} word={hostWord} now={now} />}
      <CurrentNotes notes={notes} now={now} isNamed={false} />
      {target.incident !== null && (
        <section class="incidents">
          <h2>{words.text('openIncident')}</h2>
          <Incident target={target} incident={target.incident} now={now} />
        </section>
      )}
      <Upcoming spans={target.upcomingMaintenance} now={now} isNamed={false} />
      <Uptime target={target} now={now} />
      <PastIncidents target={target} past={past} now={now} />
      <EarlierNotes notes={notes} now={now} />
      <Latency target={target} now={now} />
      <div class="cards">
        <LastCheck target={target} now={now} />
        <AwakeCard target={target} word={awakeInWords(target, words)} now={now} />
        <RecoveryCard target={target} now={now} />
      </div>
      <Checks checks={target.checks} now={now} />
      <PageFoot freshness={freshness} json={`/api/keepalive/${target.id}`} hasBars />
    </>
  );
}

function Incident({
  target: { id, name },
  incident,
  now,
}: {
  target: TargetHistory;
  incident: IncidentView;
  now: string;
}): JSX.Element {
  const { startedAt, endedAt, message } = incident;
  const trouble = troubleOf({ target: { id, name }, incident });
  const episode = {
    ...{ mood: trouble.mood, cause: causeOf(message), startedAt, endedAt },
    troubles: [trouble] as const,
  };
  return <EpisodeCard episode={episode} now={now} heading="h3" isNamed={false} />;
}

/** Incidents that are shown; the others stand behind them. */
const SHOWN = 5;

function PastIncidents({
  target,
  past,
  now,
}: {
  target: TargetHistory;
  past: readonly IncidentView[];
  now: string;
}): JSX.Element {
  const words = useWords();
  const cards = past.map((incident) => <Incident target={target} incident={incident} now={now} />);
  const behind = cards.length - SHOWN;
  return (
    <section>
      <h2>{words.text('incidents')}</h2>
      {cards.length === 0 ? (
        <p class="quiet empty">{words.text(target.incident === null ? 'noneOnRecord' : 'noneBefore')}</p>
      ) : (
        <div class="past">{cards.slice(0, SHOWN)}</div>
      )}
      {behind > 0 && (
        <details id="earlier">
          <summary>{words.text('earlierIncidents', { count: behind })}</summary>
          <div class="past">{cards.slice(SHOWN)}</div>
        </details>
      )}
    </section>
  );
}

/** Notes on it that are no longer current. */
function EarlierNotes({ notes, now }: { notes: readonly NoteView[]; now: string }): JSX.Element | null {
  const words = useWords();
  const earlier = notes.filter(({ until }) => until <= now);
  if (earlier.length === 0) return null;
  return (
    <section>
      <h2>{words.text('notes')}</h2>
      <div class="past">
        {earlier.map((note) => (
          <NoteCard note={note} now={now} isNamed={false} />
        ))}
      </div>
    </section>
  );
}

/** For the operator alone: a page that anybody may read does not have it. */
function HostAdvice({ target }: { target: TargetHistory }): JSX.Element | null {
  const { host, healthUrl, status } = target;
  if (healthUrl === null) return null;
  return (
    <>
      {adviceOn({ host, healthUrl, enabled: status !== 'paused' }).map(({ what, todo }) => (
        <p class="notice" lang="en">
          {what} {todo}
        </p>
      ))}
    </>
  );
}

/** What the API of the host last said; for the operator alone. */
function HostSaid({
  target,
  word,
  now,
}: {
  target: TargetHistory;
  word: HostWord;
  now: string;
}): JSX.Element {
  const { text, isTrouble } = wordInWords(target.host, word, 'HOST_TOKEN');
  const isAgainst = target.awake.proof === 'host' && target.consecutiveFailures === 0;
  return (
    <p class={isTrouble || isAgainst ? 'notice' : 'quiet'}>
      {isAgainst && `${useWords().text('answersAgainst')} `}
      <span lang="en">{text}</span> (<Moment at={new Date(word.at).toISOString()} now={now} />)
    </p>
  );
}

function Head({ target, freshness }: { target: TargetHistory; freshness: Freshness }): JSX.Element {
  const words = useWords();
  const { updatedAt: now } = freshness;
  const { name, description, healthUrl, since, host, pingInterval, maintenance, message, waking } = target;
  const mood = shownStatus(target);
  return (
    <section class="head">
      <h1>
        <bdi>{name}</bdi>
      </h1>
      {description !== undefined && <NoteText text={description} />}
      <p class="state">
        {target.lastKnownStatus !== null ? (
          <span class="badge">
            <span class="status">
              <Glyph mood="unknown" />
              <span>{words.text('wasStatus', { state: words.text(`state.${mood}`) })}</span>
            </span>
          </span>
        ) : (
          <span class={`badge ${mood}`}>
            <StatusLabel mood={mood} />
          </span>
        )}
        {since !== null && (
          <span class="quiet">
            <Phrase
              name={target.lastKnownStatus === null ? 'statusSince' : 'unknownSince'}
              values={{ time: <Moment at={since} now={now} /> }}
            />
          </span>
        )}
        {maintenance !== null && (
          <span class="quiet">
            <Phrase
              name={maintenance.reason === null ? 'statusUntil' : 'statusUntilReason'}
              values={{
                time: <Moment at={maintenance.until} now={now} />,
                reason: <bdi>{maintenance.reason}</bdi>,
              }}
            />
          </span>
        )}
      </p>
      {waking !== null && (
        <p class="reason">
          <Phrase
            name="wakingSince"
            values={{ count: waking.attempts, time: <Moment at={waking.since} now={now} /> }}
          />
        </p>
      )}
      {message !== null && target.incident === null && (
        <div class="reason">
          {causeInWords(causeOf(message), words)}
          <code class="technical" lang="en">
            <bdi>{message}</bdi>
          </code>
        </div>
      )}
      <p class="quiet facts">
        {healthUrl !== null && <Url url={healthUrl} />}
        {host !== 'none' && <span>{words.text('hostedOn', { host: HOSTS[host].title })}</span>}
        <span>{words.text('pingedEvery', { interval: words.interval(pingInterval) })}</span>
      </p>
    </section>
  );
}
