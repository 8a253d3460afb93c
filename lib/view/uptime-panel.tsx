import type { TargetHistory } from '../read/views.js';
import { DAY } from '../time.js';
import { DayBars } from './bars.js';
import type { Words } from './language.js';
import { useWords } from './phrase.js';
import type { JSX } from 'preact';

const DAYS = 90;
/** Days with downtime that are told of behind the bars; the table has them all. */
const DAYS_TOLD = 20;

const COLUMNS = [
  ...(['columnDay', 'uptime', 'columnObserved'] as const),
  ...(['columnDown', 'columnPings', 'columnFailed'] as const),
] as const;

const WINDOWS = ['24h', '7d', '30d', '90d'] as const;

export function Uptime({ target, now }: { target: TargetHistory; now: string }): JSX.Element {
  const words = useWords();
  const { uptimeRatio, coverage, days } = target;
  const midnight = Math.floor(Date.parse(now) / DAY) * DAY;
  const known = new Map(days.map((day) => [day.from, day]));
  const all = Array.from({ length: DAYS }, (_, i) => {
    const from = new Date(midnight - (DAYS - 1 - i) * DAY).toISOString();
    return known.get(from) ?? { from, uptimeRatio: null, coverage: null, downtimeMs: 0 };
  });
  return (
    <section class="panel">
      <h2>{words.text('uptime')}</h2>
      <dl class="tiles">
        {WINDOWS.map((window) => (
          <div>
            <dt>{words.text(`window.${window}`)}</dt>
            <dd>
              <strong>{words.percent(uptimeRatio[window])}</strong>
              <small>{coverageInWords(coverage[window], words)}</small>
            </dd>
          </div>
        ))}
      </dl>
      <DayBars
        days={all}
        incidents={target.incidents}
        now={now}
        href="#days"
        told={DAYS_TOLD}
        withIncidents
      />
      <p class="ends quiet" aria-hidden="true">
        <span>{words.text('barsBegin')}</span>
        <span>{words.text('barsEnd')}</span>
      </p>
      <details id="days">
        <summary>{words.text('dayByDay')}</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label={words.text('dayByDay')}>
          <table>
            <thead>
              <tr>
                {COLUMNS.map((column) => (
                  <th scope="col">{words.text(column)}</th>
                ))}
                <th scope="col">p50</th>
                <th scope="col">p95</th>
              </tr>
            </thead>
            <tbody>
              {[...days].reverse().map((day) => (
                <tr>
                  <th scope="row">{words.fullDay(day.from)}</th>
                  <td>{words.percent(day.uptimeRatio)}</td>
                  <td>{words.percent(day.coverage)}</td>
                  <td>{day.downtimeMs === 0 ? '0' : words.length(day.downtimeMs)}</td>
                  <td>{words.number(day.pings)}</td>
                  <td>{words.number(day.failures)}</td>
                  <td>{words.latency(day.latencyMs.p50)}</td>
                  <td>{words.latency(day.latencyMs.p95)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}

function coverageInWords(coverage: number | null, words: Words): string {
  if (coverage === null) return words.text('nothingDue');
  return coverage > 0.9999
    ? words.text('allObserved')
    : words.text('observed', { share: words.percent(coverage) });
}
