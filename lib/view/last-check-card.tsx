import type { Phases, TargetHistory } from '../read/views.js';
import { DAY } from '../time.js';
import { Card, Fact } from './card.js';
import { causeOf } from './causes.js';
import { Moment } from './components.js';
import { Phrase, useWords } from './phrase.js';
import { causeInWords } from './words.js';
import type { JSX } from 'preact';

const PHASES = ['dns', 'connect', 'tls', 'ttfb'] as const;

export function LastCheck({ target, now }: { target: TargetHistory; now: string }): JSX.Element {
  const words = useWords();
  const { lastCheckAt, lastSuccessAt, lastStatusCode, latency: taken, phases, lastError } = target;
  const latency = words.latency(taken);
  return (
    <Card title={words.text('lastCheck')}>
      <dl class="facts-list">
        <Fact name={words.text('checkAt')}>
          {lastCheckAt === null ? words.text('never') : <Moment at={lastCheckAt} now={now} />}
        </Fact>
        {taken !== null && (
          <Fact name={words.text('answer')}>
            {lastStatusCode === null ? latency : words.text('statusIn', { status: lastStatusCode, latency })}
          </Fact>
        )}
        {lastSuccessAt !== lastCheckAt && lastSuccessAt !== null && (
          <Fact name={words.text('lastGood')}>
            <Moment at={lastSuccessAt} now={now} />
          </Fact>
        )}
        {lastError !== null && (
          <Fact name={words.text('lastError')}>
            {causeInWords(causeOf(lastError.message), words)}, <Moment at={lastError.at} now={now} />
            <code class="technical" lang="en">
              <bdi>{lastError.message}</bdi>
            </code>
          </Fact>
        )}
        <CertificateFacts target={target} now={now} />
      </dl>
      {phases !== null && <PhaseBars phases={phases} />}
    </Card>
  );
}

function CertificateFacts({
  target: { tls },
  now,
}: {
  target: TargetHistory;
  now: string;
}): JSX.Element | null {
  const words = useWords();
  if (tls === null) return null;
  const { expiresAt } = tls;
  const left = Date.parse(expiresAt) - Date.parse(now);
  const date = (
    <time dateTime={expiresAt} data-show="day">
      {words.fullDay(words.dateOf(expiresAt))}
    </time>
  );
  return (
    <Fact name={words.text('certificate')}>
      {left < 0 ? (
        <Phrase name="expired" values={{ date }} />
      ) : (
        <Phrase
          name="validUntil"
          values={{
            date,
            length:
              left < 3 * DAY ? words.length(left) : words.text('inDays', { count: Math.floor(left / DAY) }),
          }}
        />
      )}
    </Fact>
  );
}

function PhaseBars({ phases }: { phases: Phases }): JSX.Element {
  const words = useWords();
  const taken = PHASES.flatMap((key) => {
    const length = phases[key];
    return length === null ? [] : [{ key, name: words.text(`phase.${key}`), length }];
  });
  const total = Math.max(
    0.1,
    taken.reduce((sum, { length }) => sum + length, 0),
  );
  let start = 0;
  return (
    <table class="phases">
      <caption class="hidden">{words.text('phases')}</caption>
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
              <td>{words.latency(length)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
