import type { TargetHistory } from '../read/views.js';
import { latencyInWords, lengthInWords } from '../rules/durations.js';
import { DAY } from '../time.js';
import { DayBars } from './bars.js';
import { fill, TEXT } from './text.js';
import { dateInWords, percent } from './words.js';
import type { JSX } from 'preact';

const DAYS = 90;
/** Days with downtime that are told of behind the bars; the table has them all. */
const DAYS_TOLD = 20;

const WINDOWS = ['24h', '7d', '30d', '90d'] as const;

export function Uptime({ target, now }: { target: TargetHistory; now: string }): JSX.Element {
  const { uptimeRatio, coverage, days } = target;
  const midnight = Math.floor(Date.parse(now) / DAY) * DAY;
  const known = new Map(days.map((day) => [day.from, day]));
  const all = Array.from({ length: DAYS }, (_, i) => {
    const from = new Date(midnight - (DAYS - 1 - i) * DAY).toISOString();
    return known.get(from) ?? { from, uptimeRatio: null, coverage: null, downtimeMs: 0 };
  });
  return (
    <section class="panel">
      <h2>{TEXT.uptime}</h2>
      <dl class="tiles">
        {WINDOWS.map((window) => (
          <div>
            <dt>{TEXT.windows[window]}</dt>
            <dd>
              <strong>{percent(uptimeRatio[window])}</strong>
              <small>{coverageInWords(coverage[window])}</small>
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
        <span>{TEXT.barsBegin}</span>
        <span>{TEXT.barsEnd}</span>
      </p>
      <details id="days">
        <summary>{TEXT.dayByDay}</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label={TEXT.dayByDay}>
          <table>
            <thead>
              <tr>
                {TEXT.dayColumns.map((column) => (
                  <th scope="col">{column}</th>
                ))}
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
  if (coverage === null) return TEXT.nothingDue;
  return coverage > 0.9999 ? TEXT.allObserved : fill(TEXT.observed, { share: percent(coverage) });
}
