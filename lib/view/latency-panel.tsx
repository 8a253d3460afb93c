import type { CheckView, TargetHistory } from '../read/views.js';
import { scriptWords } from './layout.js';
import { LatencyFigure } from './lines.js';
import type { MessageName } from './language.js';
import { useWords } from './phrase.js';
import { fewSamples } from './words.js';
import type { ComponentChildren, JSX } from 'preact';

const MARKS: Readonly<Record<CheckView['outcome'], number>> = { good: 0, degraded: 1, failed: 2 };

const COLD = 3;

/** What the script says of a point. */
const CHART_WORDS = [
  ...(['outcome.good', 'outcome.degraded', 'outcome.failed', 'outcome.cold'] as const),
  ...(['chartHour', 'chartFailed', 'chartColdStarts', 'unit.ms', 'unit.s'] as const),
] as const satisfies readonly MessageName[];

export function Latency({ target, now }: { target: TargetHistory; now: string }): JSX.Element {
  const words = useWords();
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
      <h2>{words.text('latency')}</h2>
      <p class="quiet note">{words.text('latencyNote')}</p>
      <dl class="tiles">
        {(['p50', 'p95', 'p99'] as const).map((name) => (
          <div>
            <dt>{words.text(`latency.${name}`)}</dt>
            <dd>
              <strong>{words.latency(latencyMs[name])}</strong>
              <small>
                {fewSamples(name, latencyMs.samples, words) ?? words.text(`latencyMeaning.${name}`)}
              </small>
            </dd>
          </div>
        ))}
        <div>
          <dt>{words.text('lastCheck')}</dt>
          <dd>
            <strong>{words.latency(target.latency)}</strong>
          </dd>
        </div>
      </dl>
      <Chart title={words.text('chartDay')} kind="checks" series={recent} now={now}>
        <LatencyFigure
          hours={figures.slice(-25)}
          label={words.text('chartDayLabel', {
            p50: words.latency(latencyMs.p50),
            p95: words.latency(latencyMs.p95),
          })}
        />
      </Chart>
      <Chart title={words.text('chartWeek')} kind="hours" series={week} now={now}>
        <LatencyFigure hours={figures} label={words.text('chartWeekLabel')} />
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
  const words = useWords();
  const isEmpty = series[0]?.length === 0;
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <ul class="keys">
          <li class="p50">{words.text(kind === 'checks' ? 'key.latency' : 'key.median')}</li>
          {kind === 'hours' && <li class="p95">{words.text('key.p95')}</li>}
          {kind === 'checks' && <li class="slow">{words.text('key.degraded')}</li>}
          <li class="cold">{words.text('key.coldStart')}</li>
          <li class="fail">{words.text('key.failed')}</li>
        </ul>
      </figcaption>
      {isEmpty ? (
        <p class="quiet empty">{words.text('noDataInChart')}</p>
      ) : (
        <div
          class="plot"
          data-chart={kind}
          data-now={now}
          data-series={JSON.stringify(series)}
          data-words={scriptWords(words, CHART_WORDS)}
        >
          {children}
        </div>
      )}
    </figure>
  );
}
