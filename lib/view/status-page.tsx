import type { Freshness, Summary, TargetSummary } from '../read/views.js';
import { latencyInWords } from '../rules/durations.js';
import { DayBars } from './bars.js';
import { RecordNotice, StaleNotice } from './freshness-notices.js';
import { renderPage, type Visibility } from './layout.js';
import { Sparkline } from './lines.js';
import { Glyph, Incident, Moment, StatusLabel, awakeInWords } from './components.js';
import { LABELS, fewSamples, percent, shownStatus, targetMood, overallStatus } from './words.js';
import type { OverallStatus } from './words.js';
import type { JSX } from 'preact';

/** `GET /` with at least one target. */
export function statusPage({ freshness, targets }: Summary, { isPrivate }: Visibility): string {
  const verdict = overallStatus(freshness, targets);
  return renderPage({
    title: `${verdict.sentence} · Keepalive`,
    mood: verdict.mood,
    isPrivate,
    refreshes: true,
    main: (
      <>
        <Hero verdict={verdict} freshness={freshness} />
        <Incidents targets={targets} now={freshness.updatedAt} />
        <Groups targets={targets} freshness={freshness} />
        <Legend freshness={freshness} />
      </>
    ),
  });
}

function Hero({ verdict, freshness }: { verdict: OverallStatus; freshness: Freshness }): JSX.Element {
  const { mood, sentence, remark } = verdict;
  const { lastRunAt, updatedAt } = freshness;
  return (
    <section class={`hero ${mood}`}>
      <Glyph mood={mood} size={40} />
      <div>
        <h1>
          <bdi>{sentence}</bdi>
        </h1>
        <p class="quiet">
          {remark !== null && <span class="remark">{remark}</span>}
          <span>
            {lastRunAt === null ? 'No run on record' : 'Last run '}
            {lastRunAt !== null && <Moment at={lastRunAt} now={updatedAt} ago />}
          </span>
        </p>
      </div>
      <StaleNotice freshness={freshness} />
    </section>
  );
}

function Incidents({ targets, now }: { targets: readonly TargetSummary[]; now: string }): JSX.Element | null {
  const open = targets
    .flatMap(({ incident, ...target }) => (incident === null ? [] : [{ ...target, incident }]))
    .sort((a, b) => a.incident.startedAt.localeCompare(b.incident.startedAt));
  if (open.length === 0) return null;
  return (
    <section class="incidents">
      <h2>{open.length === 1 ? 'Open incident' : `${open.length} open incidents`}</h2>
      {open.map(({ id, name, incident, recovery }) => (
        <Incident incident={incident} now={now}>
          <h3>
            <Glyph mood="down" />
            <a href={`/t/${id}`}>
              <bdi>{name}</bdi>
            </a>
            {recovery?.exhausted === true && <span class="tag strong">needs a person</span>}
          </h3>
        </Incident>
      ))}
    </section>
  );
}

function Groups({
  targets,
  freshness,
}: {
  targets: readonly TargetSummary[];
  freshness: Freshness;
}): JSX.Element {
  const groups = new Map<string | null, TargetSummary[]>();
  for (const target of targets) groups.set(target.group, [...(groups.get(target.group) ?? []), target]);
  const named = [...groups].sort(([a], [b]) => Number(a === null) - Number(b === null));
  return (
    <>
      {named.map(([group, members], i) => (
        <section class={freshness.isStale ? 'group stale' : 'group'}>
          <h2 id={`group-${i}`}>
            <bdi>{group ?? (groups.size === 1 ? 'Services' : 'Other services')}</bdi>
            <span class="count" aria-hidden="true">
              {members.length}
            </span>
          </h2>
          <div class="heads" aria-hidden="true">
            <span>Service</span>
            <span>Last 90 days</span>
            <span class="right">Uptime</span>
            <span>Latency, 24 h</span>
            <span class="right">Checked</span>
          </div>
          <ul class="targets" aria-labelledby={`group-${i}`}>
            {members.map((target) => (
              <Row target={target} freshness={freshness} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function Row({ target, freshness }: { target: TargetSummary; freshness: Freshness }): JSX.Element {
  const { id, name, uptimeRatio, coverage, latencyMs, lastCheckAt, message, awake } = target;
  const mood = targetMood(target);
  const awakeText = mood === 'up' || mood === 'degraded' ? awakeInWords(target) : null;
  const covered = coverage['90d'];
  const few = fewSamples('p50', latencyMs.samples);
  return (
    <li class="target">
      <div class="who">
        <Glyph mood={mood} size={18} />
        <div>
          <a class="name" href={`/t/${id}`} id={`to-${id}`}>
            <bdi>{name}</bdi>
          </a>
          <p class="sub">
            <StatusWord target={target} />
            {awakeText !== null && (
              <span class={awake.keptAwake === false ? 'awake not' : 'awake'}>{awakeText}</span>
            )}
            {message !== null && mood !== 'down' && <bdi class="why">{message}</bdi>}
          </p>
        </div>
      </div>
      <DayBars days={target.days} label="Last 90 days" />
      <div class="uptime right">
        <span class="label">Uptime </span>
        <strong>{percent(uptimeRatio['90d'])}</strong>
        {covered !== null && covered < 0.99 && (
          <small>{percent(covered).replace(/\.\d+/, '')} observed</small>
        )}
      </div>
      <div class="latency">
        <Sparkline values={target.latencies} />
        <span>
          <span class="label">Latency </span>
          {latencyInWords(latencyMs.p50)}
          {few !== null && <small> {few}</small>}
        </span>
      </div>
      <div class="checked right">
        <span class="label">Checked </span>
        {lastCheckAt === null ? 'never' : <Moment at={lastCheckAt} now={freshness.updatedAt} ago />}
      </div>
    </li>
  );
}

function StatusWord({ target }: { target: TargetSummary }): JSX.Element {
  const mood = shownStatus(target);
  const until = mood === 'maintenance' ? (target.maintenance?.reason ?? null) : null;
  return (
    <span class={`word ${targetMood(target)}`}>
      {target.lastKnownStatus !== null ? `Was ${LABELS[mood].toLowerCase()}` : <StatusLabel mood={mood} />}
      {until !== null && <bdi>: {until}</bdi>}
    </span>
  );
}

function Legend({ freshness }: { freshness: Freshness }): JSX.Element {
  return (
    <footer class="foot">
      <RecordNotice freshness={freshness} />
      <p>
        A bar is one day (UTC), as tall as the part of it that was observed; its upper part is downtime. It
        has no colour where less than half of the day was observed. A dot is a day without data.
      </p>
      <ul class="legend" aria-label="Colours of the bars">
        <li class="good">no downtime</li>
        <li class="troubled">below 5% down</li>
        <li class="bad">5% and more</li>
        <li class="none">less than half observed, or no data</li>
      </ul>
      <p>
        As of <Moment at={freshness.updatedAt} now={freshness.updatedAt} /> ·{' '}
        <a href="/api/keepalive">JSON</a> · <a href="/api/feed">Feed</a>
      </p>
    </footer>
  );
}
