import type { Freshness, TargetHistory } from '../read/views.js';
import { intervalInWords } from '../rules/durations.js';
import { adviceOn } from '../rules/hosts.js';
import { AwakeCard } from './awake-card.js';
import { Certificate } from './certificate-card.js';
import { RecordNotice, StaleNotice } from './freshness-notices.js';
import { LastCheck } from './last-check-card.js';
import { Latency } from './latency-panel.js';
import { renderPage, type Visibility } from './layout.js';
import { Glyph, Incident, Moment, StatusLabel, Url, awakeInWords } from './components.js';
import { Checks } from './recent-checks.js';
import { RecoveryCard } from './recovery-card.js';
import { Uptime } from './uptime-panel.js';
import { LABELS, shownStatus, targetMood } from './words.js';
import type { JSX } from 'preact';

/** `GET /t/<id>` */
export function targetPage(target: TargetHistory, freshness: Freshness, { isPrivate }: Visibility): string {
  const mood = targetMood(target);
  const label = mood === 'unknown' ? 'unknown' : LABELS[mood].toLowerCase();
  return renderPage({
    title: `${target.name}: ${label} · Keepalive`,
    mood,
    isPrivate,
    refreshes: true,
    styles: ['/vendor/uplot.css'],
    scripts: ['/vendor/uplot.js', '/chart.js'],
    main: <Target target={target} freshness={freshness} isPrivate={isPrivate} />,
  });
}

function Target({
  target,
  freshness,
  isPrivate,
}: {
  target: TargetHistory;
  freshness: Freshness;
  isPrivate: boolean;
}): JSX.Element {
  const now = freshness.updatedAt;
  const { incident, incidents } = target;
  const resolved = incidents.filter(({ endedAt }) => endedAt !== null);
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href="/">All services</a>
        {target.group !== null && (
          <span>
            {' / '}
            <bdi>{target.group}</bdi>
          </span>
        )}
      </nav>
      <Head target={target} freshness={freshness} />
      <StaleNotice freshness={freshness} />
      {isPrivate && <HostAdvice target={target} />}
      {incident !== null && (
        <section class="incidents">
          <h2>Open incident</h2>
          <Incident incident={incident} now={now} />
        </section>
      )}
      <Uptime target={target} now={now} />
      <Latency target={target} now={now} />
      <div class="cards">
        <LastCheck target={target} now={now} />
        <AwakeCard target={target} word={awakeInWords(target)} now={now} />
        <Certificate target={target} now={now} />
        <RecoveryCard target={target} now={now} />
      </div>
      <section>
        <h2>Incidents</h2>
        {resolved.length === 0 ? (
          <p class="quiet empty">{incident === null ? 'None on record.' : 'None before the open one.'}</p>
        ) : (
          <div class="past">
            {resolved.map((each) => (
              <Incident incident={each} now={now} />
            ))}
          </div>
        )}
      </section>
      <Checks checks={target.checks} now={now} />
      <footer class="foot">
        <RecordNotice freshness={freshness} />
        <p>
          As of <Moment at={now} now={now} /> · <a href={`/api/keepalive/${target.id}`}>JSON</a>
        </p>
      </footer>
    </>
  );
}

/** For the operator alone: a page that anybody may read does not have it. */
function HostAdvice({ target }: { target: TargetHistory }): JSX.Element {
  const { host, healthUrl, status } = target;
  return (
    <>
      {adviceOn({ host, healthUrl, enabled: status !== 'paused' }).map(({ what, todo }) => (
        <p class="notice">
          {what} {todo}
        </p>
      ))}
    </>
  );
}

function Head({ target, freshness }: { target: TargetHistory; freshness: Freshness }): JSX.Element {
  const { updatedAt: now } = freshness;
  const { name, healthUrl, since, host, pingInterval, maintenance, message, waking } = target;
  const mood = shownStatus(target);
  return (
    <section class="head">
      <h1>
        <bdi>{name}</bdi>
      </h1>
      <p class="state">
        {target.lastKnownStatus !== null ? (
          <span class="badge">
            <span class="status">
              <Glyph mood="unknown" />
              <span>Was {LABELS[mood].toLowerCase()}</span>
            </span>
          </span>
        ) : (
          <span class={`badge ${mood}`}>
            <StatusLabel mood={mood} />
          </span>
        )}
        {since !== null && (
          <span class="quiet">
            {target.lastKnownStatus === null ? 'since' : 'not known since'} <Moment at={since} now={now} />
          </span>
        )}
        {maintenance !== null && (
          <span class="quiet">
            until <Moment at={maintenance.until} now={now} />
            {maintenance.reason !== null && <bdi>: {maintenance.reason}</bdi>}
          </span>
        )}
      </p>
      {waking !== null && (
        <p class="reason">
          It is waking: asked {waking.attempts === 1 ? 'once' : `${waking.attempts} times`} since{' '}
          <Moment at={waking.since} now={now} />, and again by the next run.
        </p>
      )}
      {message !== null && target.incident === null && (
        <p class="reason">
          <bdi>{message}</bdi>
        </p>
      )}
      <p class="quiet facts">
        <Url url={healthUrl} />
        {host !== 'none' && <span>{host}</span>}
        <span>every {intervalInWords(pingInterval)}</span>
      </p>
    </section>
  );
}
