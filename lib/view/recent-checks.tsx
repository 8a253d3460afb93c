import type { CheckView } from '../read/views.js';
import { latencyInWords } from '../rules/durations.js';
import { Glyph, Moment } from './components.js';
import type { JSX } from 'preact';

const CHECKS_SHOWN = 60;

export function Checks({ checks, now }: { checks: readonly CheckView[]; now: string }): JSX.Element {
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
  if (reason === 'local') return 'degraded: failed here alone';
  if (outcome !== 'failed') return outcome;
  return `failed: ${[reason, statusCode].filter((part) => part !== null).join(' ')}`;
}
