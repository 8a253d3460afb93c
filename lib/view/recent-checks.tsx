import type { CheckView } from '../read/views.js';
import { Glyph, Moment } from './components.js';
import type { Words } from './language.js';
import { useWords } from './phrase.js';
import type { JSX } from 'preact';

const CHECKS_SHOWN = 60;

export function Checks({ checks, now }: { checks: readonly CheckView[]; now: string }): JSX.Element {
  const words = useWords();
  const latest = checks.slice(-CHECKS_SHOWN).reverse();
  return (
    <section>
      <h2>{words.text('recentChecks')}</h2>
      {latest.length === 0 ? (
        <p class="quiet empty">{words.text('noChecks')}</p>
      ) : (
        <details id="checks">
          <summary>
            {checks.length > latest.length
              ? words.text('lastChecks', { count: latest.length, total: checks.length })
              : words.text('keptChecks', { count: checks.length })}
          </summary>
          <div class="scroll" tabIndex={0} role="region" aria-label={words.text('recentChecks')}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{words.text('columnAt')}</th>
                  <th scope="col">{words.text('columnResult')}</th>
                  <th scope="col">{words.text('latency')}</th>
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
                        <span>{resultOf(check, words)}</span>
                      </span>
                    </td>
                    <td>{words.latency(check.latency)}</td>
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

function resultOf({ outcome, reason, statusCode, coldStart }: CheckView, words: Words): string {
  if (coldStart) return words.text('outcome.cold');
  if (reason === 'local') return words.text('cause.local');
  if (outcome !== 'failed') return words.text(`outcome.${outcome}`);
  return words.text('failedWith', {
    reason: [reason, statusCode].filter((part) => part !== null).join(' '),
  });
}
