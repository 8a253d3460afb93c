import type { Phases, TargetHistory } from '../read/views.js';
import { latencyInWords, lengthInWords } from '../rules/durations.js';
import { DAY } from '../time.js';
import { Card, Fact } from './card.js';
import { causeOf } from './causes.js';
import { Moment } from './components.js';
import { causeInWords, dateInWords } from './words.js';
import type { JSX } from 'preact';

const PHASES = [
  ['dns', 'Name lookup'],
  ['connect', 'Connect'],
  ['tls', 'TLS'],
  ['ttfb', 'First byte'],
] as const;

export function LastCheck({ target, now }: { target: TargetHistory; now: string }): JSX.Element {
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
            {causeInWords(causeOf(lastError.message))}, <Moment at={lastError.at} now={now} />
            <code class="technical">
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
  if (tls === null) return null;
  const { expiresAt } = tls;
  const left = Date.parse(expiresAt) - Date.parse(now);
  return (
    <Fact name="Certificate">
      {left < 0 ? 'expired ' : 'valid until '}
      <time dateTime={expiresAt} data-show="day">
        {dateInWords(expiresAt)}
      </time>
      {left >= 0 && ` (${left < 3 * DAY ? lengthInWords(left) : `${Math.floor(left / DAY)} days`} left)`}
    </Fact>
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
