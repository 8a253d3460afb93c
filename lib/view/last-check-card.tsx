import type { Phases, TargetHistory } from '../read/views.js';
import { latencyInWords } from '../rules/durations.js';
import { Card, Fact } from './card.js';
import { Moment } from './components.js';
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
