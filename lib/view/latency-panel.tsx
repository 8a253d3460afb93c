import type { CheckView, TargetHistory } from '../read/views.js';
import { latencyInWords } from '../rules/durations.js';
import { LatencyFigure } from './lines.js';
import { TEXT } from './text.js';
import { fewSamples } from './words.js';
import type { ComponentChildren, JSX } from 'preact';

const MARKS: Readonly<Record<CheckView['outcome'], number>> = { good: 0, degraded: 1, failed: 2 };

const COLD = 3;

export function Latency({ target, now }: { target: TargetHistory; now: string }): JSX.Element {
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
      <h2>{TEXT.latency}</h2>
      <p class="quiet note">{TEXT.latencyNote}</p>
      <dl class="tiles">
        {(['p50', 'p95', 'p99'] as const).map((name) => (
          <div>
            <dt>{TEXT.latencies[name].name}</dt>
            <dd>
              <strong>{latencyInWords(latencyMs[name])}</strong>
              <small>{fewSamples(name, latencyMs.samples) ?? TEXT.latencies[name].meaning}</small>
            </dd>
          </div>
        ))}
        <div>
          <dt>{TEXT.lastLatency}</dt>
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
