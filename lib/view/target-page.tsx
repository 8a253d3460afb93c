import type { ComponentChildren, JSX } from 'preact';
import type { Awake, CheckView, Freshness, Phases, TargetHistory } from '../read/views.js';
import { intervalInWords, lengthInWords } from '../rules/wording.js';
import { DayBars } from './bars.js';
import { LatencyFigure } from './lines.js';
import { renderPage } from './layout.js';
import { awakeInWords, Glyph, Incident, Moment, StatusLabel, Url } from './parts.js';
import { RecordNotice, StaleNotice } from './status-page.js';
import {
  dateInWords,
  fewSamples,
  LABELS,
  latencyInWords,
  percent,
  shownStatus,
  targetMood,
} from './words.js';

const DAYS = 90;
const DAY = 86_400_000;
const CHECKS_SHOWN = 60;
const WINDOWS = ['24h', '7d', '30d', '90d'] as const;

/** `GET /t/<id>` */
export function targetPage(target: TargetHistory, freshness: Freshness, isPrivate: boolean): string {
  const mood = targetMood(target);
  const label = mood === 'unknown' ? 'unknown' : LABELS[mood].toLowerCase();
  return renderPage({
    title: `${target.name}: ${label} · Keepalive`,
    mood,
    isPrivate,
    refreshes: true,
    styles: ['/vendor/uplot.css'],
    scripts: ['/vendor/uplot.js', '/chart.js'],
    main: <Target target={target} freshness={freshness} />,
  });
}

function Target({ target, freshness }: { target: TargetHistory; freshness: Freshness }): JSX.Element {
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
        <AwakeCard awake={target.awake} word={awakeInWords(target)} interval={target.pingInterval} />
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

function Head({ target, freshness }: { target: TargetHistory; freshness: Freshness }): JSX.Element {
  const { updatedAt: now } = freshness;
  const { name, healthUrl, since, host, pingInterval, maintenance, message } = target;
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

function Uptime({ target, now }: { target: TargetHistory; now: string }): JSX.Element {
  const { uptimeRatio, coverage, days } = target;
  const midnight = Math.floor(Date.parse(now) / DAY) * DAY;
  const known = new Map(days.map((day) => [day.from, day]));
  const all = Array.from({ length: DAYS }, (_, i) => {
    const from = new Date(midnight - (DAYS - 1 - i) * DAY).toISOString();
    return known.get(from) ?? { from, uptimeRatio: null, coverage: null, downtimeMs: 0 };
  });
  return (
    <section class="panel">
      <h2>Uptime</h2>
      <dl class="tiles">
        {WINDOWS.map((window) => (
          <div>
            <dt>{window.replace('h', ' hours').replace('d', ' days')}</dt>
            <dd>
              <strong>{percent(uptimeRatio[window])}</strong>
              <small>{coverageInWords(coverage[window])}</small>
            </dd>
          </div>
        ))}
      </dl>
      <DayBars days={all} label="Last 90 days" />
      <p class="ends quiet" aria-hidden="true">
        <span>{dateInWords(all[0]?.from ?? now)}</span>
        <span>Today</span>
      </p>
      <details id="days">
        <summary>Day by day</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label="Uptime day by day">
          <table>
            <thead>
              <tr>
                <th scope="col">Day (UTC)</th>
                <th scope="col">Uptime</th>
                <th scope="col">Observed</th>
                <th scope="col">Down</th>
                <th scope="col">Pings</th>
                <th scope="col">Failed</th>
                <th scope="col">p50</th>
                <th scope="col">p95</th>
              </tr>
            </thead>
            <tbody>
              {[...days].reverse().map((day) => (
                <tr>
                  <th scope="row">{dateInWords(day.from)}</th>
                  <td>{percent(day.uptimeRatio)}</td>
                  <td>{percent(day.coverage)}</td>
                  <td>{day.downtimeMs === 0 ? '0' : lengthInWords(day.downtimeMs)}</td>
                  <td>{day.pings}</td>
                  <td>{day.failures}</td>
                  <td>{latencyInWords(day.latencyMs.p50)}</td>
                  <td>{latencyInWords(day.latencyMs.p95)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}

function coverageInWords(coverage: number | null): string {
  if (coverage === null) return 'nothing was due';
  return coverage > 0.9999 ? 'all observed' : `${percent(coverage)} observed`;
}

const MARKS: Readonly<Record<CheckView['outcome'], number>> = { good: 0, degraded: 1, failed: 2 };
const COLD = 3;

function Latency({ target, now }: { target: TargetHistory; now: string }): JSX.Element {
  const { checks, hours, latencyMs } = target;
  const seconds = (at: string): number => Math.round(Date.parse(at) / 1000);
  const recent = [
    checks.map(({ at }) => seconds(at)),
    checks.map(({ latency }) => latency),
    checks.map(({ outcome, coldStart }) => (coldStart ? COLD : MARKS[outcome])),
    checks.map(({ reason, statusCode }) => (reason === 'status' ? (statusCode ?? 0) : (reason ?? 0))),
  ];
  const week = [
    hours.map(({ from }) => seconds(from)),
    hours.map((hour) => hour.latencyMs.p50),
    hours.map((hour) => hour.latencyMs.p95),
    hours.map(({ failures }) => failures),
    hours.map(({ coldStarts }) => coldStarts),
  ];
  const figures = hours.map(({ from, latencyMs }) => ({ from, ...latencyMs }));
  return (
    <section class="panel latencies">
      <h2>Latency</h2>
      <dl class="tiles">
        {(['p50', 'p95', 'p99'] as const).map((name) => (
          <div>
            <dt>{name}, 24 hours</dt>
            <dd>
              <strong>{latencyInWords(latencyMs[name])}</strong>
              <small>{fewSamples(name, latencyMs.samples)}</small>
            </dd>
          </div>
        ))}
        <div>
          <dt>Last check</dt>
          <dd>
            <strong>{latencyInWords(target.latency)}</strong>
          </dd>
        </div>
      </dl>
      <Chart title="Last 24 hours, a check a minute" kind="checks" series={recent} now={now}>
        <LatencyFigure
          hours={figures.slice(-25)}
          label={`Latency of the last 24 hours by hour: median ${latencyInWords(latencyMs.p50)}, 95th percentile ${latencyInWords(latencyMs.p95)}`}
        />
      </Chart>
      <Chart title="Last 7 days, by the hour" kind="hours" series={week} now={now}>
        <LatencyFigure
          hours={figures}
          label="Median and 95th percentile of the latency by hour, last 7 days"
        />
      </Chart>
    </section>
  );
}

/** The figure inside is what there is without scripts; the script draws the series instead. */
function Chart({
  title,
  kind,
  series,
  now,
  children,
}: {
  title: string;
  kind: 'checks' | 'hours';
  series: readonly (readonly (number | string | null)[])[];
  now: string;
  children: ComponentChildren;
}): JSX.Element {
  const isEmpty = series[0]?.length === 0;
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <ul class="keys">
          <li class="p50">{kind === 'checks' ? 'latency' : 'median'}</li>
          {kind === 'hours' && <li class="p95">to p95</li>}
          {kind === 'checks' && <li class="slow">degraded</li>}
          <li class="cold">cold start</li>
          <li class="fail">failed</li>
        </ul>
      </figcaption>
      {isEmpty ? (
        <p class="quiet empty">No data yet.</p>
      ) : (
        <div class="plot" data-chart={kind} data-now={now} data-series={JSON.stringify(series)}>
          {children}
        </div>
      )}
    </figure>
  );
}

function Card({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="panel card">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

const PHASES = [
  ['dns', 'Name lookup'],
  ['connect', 'Connect'],
  ['tls', 'TLS'],
  ['ttfb', 'First byte'],
] as const;

function LastCheck({ target, now }: { target: TargetHistory; now: string }): JSX.Element {
  const { lastCheckAt, lastSuccessAt, lastStatusCode, latency, phases, lastError } = target;
  return (
    <Card title="Last check">
      <dl class="facts-list">
        <Fact name="At">{lastCheckAt === null ? 'never' : <Moment at={lastCheckAt} now={now} />}</Fact>
        {latency !== null && (
          <Fact name="Answer">
            {lastStatusCode !== null && `${lastStatusCode} in `}
            {latencyInWords(latency)}
          </Fact>
        )}
        {lastSuccessAt !== lastCheckAt && lastSuccessAt !== null && (
          <Fact name="Last good">
            <Moment at={lastSuccessAt} now={now} />
          </Fact>
        )}
        {lastError !== null && (
          <Fact name="Last error">
            <bdi>{lastError.message}</bdi>, <Moment at={lastError.at} now={now} />
          </Fact>
        )}
      </dl>
      {phases !== null && <PhaseBars phases={phases} />}
    </Card>
  );
}

function PhaseBars({ phases }: { phases: Phases }): JSX.Element {
  const taken = PHASES.flatMap(([key, name]) => {
    const length = phases[key];
    return length === null ? [] : [{ key, name, length }];
  });
  const total = Math.max(
    0.1,
    taken.reduce((sum, { length }) => sum + length, 0),
  );
  let start = 0;
  return (
    <table class="phases">
      <caption class="hidden">Phases of the last check</caption>
      <tbody>
        {taken.map(({ key, name, length }) => {
          const from = start;
          start += length;
          return (
            <tr>
              <th scope="row">{name}</th>
              <td aria-hidden="true">
                <svg viewBox="0 0 100 8" preserveAspectRatio="none">
                  <rect
                    class={key}
                    x={(from / total) * 100}
                    width={Math.max(0.8, (length / total) * 100)}
                    height="8"
                  />
                </svg>
              </td>
              <td>{latencyInWords(length)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function AwakeCard({
  awake,
  word,
  interval,
}: {
  awake: Awake;
  word: string | null;
  interval: number;
}): JSX.Element | null {
  const { sleepsAfter, longestGap, coldStarts, keptAwake, proof } = awake;
  if (sleepsAfter === null) return null;
  const scale = Math.max(sleepsAfter, longestGap ?? 0) * 1.15;
  const at = (length: number): number => Math.min(100, (length / scale) * 100);
  return (
    <Card title="Awake, last 24 hours">
      <p class={`awake-word ${keptAwake === null ? 'pending' : keptAwake ? 'up' : 'degraded'}`}>
        <Glyph mood={keptAwake === null ? 'pending' : keptAwake ? 'up' : 'degraded'} />
        <strong>{word}</strong>
      </p>
      <svg class="gauge" viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" y="4" width="100" height="6" />
        {longestGap !== null && (
          <rect
            class={longestGap < sleepsAfter ? 'within' : 'beyond'}
            y="4"
            width={at(longestGap)}
            height="6"
          />
        )}
        <rect class="limit" x={at(sleepsAfter) - 0.3} width="0.6" height="14" />
      </svg>
      <dl class="facts-list">
        <Fact name="Longest gap">
          {longestGap === null
            ? 'not known yet'
            : `${lengthInWords(longestGap)} between pings that reached it`}
        </Fact>
        <Fact name="Sleeps after">{intervalInWords(sleepsAfter)} without a request</Fact>
        <Fact name="Pinged every">{intervalInWords(interval)}</Fact>
        <Fact name="Cold starts">{coldStarts}</Fact>
        {proof === 'edge' && (
          <Fact name="Proof">none: its answers do not show that the app itself was awake</Fact>
        )}
      </dl>
    </Card>
  );
}

function Certificate({ target, now }: { target: TargetHistory; now: string }): JSX.Element | null {
  if (target.tls === null) return null;
  const { expiresAt } = target.tls;
  const left = Date.parse(expiresAt) - Date.parse(now);
  return (
    <Card title="Certificate">
      <dl class="facts-list">
        <Fact name={left < 0 ? 'Ended' : 'Ends'}>
          <time dateTime={expiresAt} data-show="day">
            {dateInWords(expiresAt)}
          </time>
        </Fact>
        {left >= 0 && (
          <Fact name="Left">{left < 3 * DAY ? lengthInWords(left) : `${Math.floor(left / DAY)} days`}</Fact>
        )}
      </dl>
    </Card>
  );
}

function RecoveryCard({ target, now }: { target: TargetHistory; now: string }): JSX.Element | null {
  const { recovery } = target;
  if (recovery === null) return null;
  const { restarts, max, lastAt, lastAnswer, exhausted } = recovery;
  return (
    <Card title="Recovery">
      {exhausted && (
        <p class="awake-word down">
          <Glyph mood="down" />
          <strong>A person is needed</strong>
        </p>
      )}
      <dl class="facts-list">
        <Fact name="Restarts">
          {restarts} of {max} at most
        </Fact>
        {lastAt !== null && (
          <Fact name="Last">
            <Moment at={lastAt} now={now} />
          </Fact>
        )}
        {lastAnswer !== null && (
          <Fact name="Answer">
            <bdi>{lastAnswer}</bdi>
          </Fact>
        )}
      </dl>
    </Card>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Checks({ checks, now }: { checks: readonly CheckView[]; now: string }): JSX.Element {
  const latest = checks.slice(-CHECKS_SHOWN).reverse();
  return (
    <section>
      <h2>Recent checks</h2>
      {latest.length === 0 ? (
        <p class="quiet empty">None in the last 24 hours.</p>
      ) : (
        <details id="checks">
          <summary>
            {checks.length > latest.length
              ? `The last ${latest.length} of ${checks.length} in 24 hours`
              : `${checks.length} kept of the last 24 hours, one a minute and each first failure`}
          </summary>
          <div class="scroll" tabIndex={0} role="region" aria-label="Recent checks">
            <table>
              <thead>
                <tr>
                  <th scope="col">At</th>
                  <th scope="col">Result</th>
                  <th scope="col">Latency</th>
                </tr>
              </thead>
              <tbody>
                {latest.map((check) => (
                  <tr>
                    <th scope="row">
                      <Moment at={check.at} now={now} />
                    </th>
                    <td>
                      <span class="status">
                        <Glyph mood={moodOf(check)} size={14} />
                        <span>{resultOf(check)}</span>
                      </span>
                    </td>
                    <td>{latencyInWords(check.latency)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </section>
  );
}

function moodOf({ outcome }: CheckView): 'up' | 'degraded' | 'down' {
  return outcome === 'good' ? 'up' : outcome === 'degraded' ? 'degraded' : 'down';
}

function resultOf({ outcome, reason, statusCode, coldStart }: CheckView): string {
  if (coldStart) return 'good, cold start';
  return outcome === 'failed' ? `failed: ${reason ?? ''} ${statusCode ?? ''}`.trim() : outcome;
}
