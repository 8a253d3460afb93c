import type { Bucket, CheckView, TargetHistory } from '../read/views.js';
import { intervalInWords, lengthInWords } from '../rules/durations.js';
import { HOSTS } from '../rules/hosts.js';
import { Card, Fact } from './card.js';
import { Glyph, Moment } from './components.js';
import type { JSX } from 'preact';

/** Cold starts that are listed. */
const STARTS_SHOWN = 5;

export function AwakeCard({
  target,
  word,
  now,
}: {
  target: TargetHistory;
  word: string | null;
  now: string;
}): JSX.Element | null {
  const { awake, checks, pingInterval: interval } = target;
  const { sleepsAfter, longestGap, coldStarts, keptAwake } = awake;
  if (sleepsAfter === null) return null;
  const scale = (longestGap === null ? sleepsAfter : Math.max(sleepsAfter, longestGap)) * 1.15;
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
        <Fact name="Cold starts">
          {coldStarts}
          <ColdStarts checks={checks} now={now} />
        </Fact>
        <Fact name="Rests on">{proofInWords(target)}</Fact>
      </dl>
      <WeekLine {...target} />
    </Card>
  );
}

/** The last ones, with the time that each took to wake. */
function ColdStarts({ checks, now }: { checks: readonly CheckView[]; now: string }): JSX.Element | null {
  const last = checks.filter(({ coldStart }) => coldStart).slice(-STARTS_SHOWN);
  if (last.length === 0) return null;
  return (
    <>
      {': '}
      {last.map(({ at, latency, wakeMsAtLeast }, i) => (
        <>
          {i > 0 && ', '}
          <Moment at={at} now={now} />
          {latency !== null && ` (woke in ${lengthInWords(latency)})`}
          {wakeMsAtLeast !== null && ` (woke in ${lengthInWords(wakeMsAtLeast)} or more)`}
        </>
      ))}
    </>
  );
}

function proofInWords({ awake: { proof }, host }: TargetHistory): string {
  switch (proof) {
    case 'container':
      return HOSTS[host].answersCount
        ? 'answers that only the app itself can send'
        : 'answers of the app itself; nobody knows whether they keep it awake';
    case 'host':
      return 'the word of the host, which says that it does not run';
    case 'edge':
      return 'nothing: its answers do not show that the app itself was awake';
    case null:
      return 'nothing yet';
  }
}

/** A bar an hour: awake from the bottom, asleep from the top, and what is not known between them. */
function WeekLine({ hours, recordedSince }: TargetHistory): JSX.Element | null {
  const begin = recordedSince === null ? 0 : Date.parse(recordedSince);
  const sum = (of: (hour: Bucket) => number): number => hours.reduce((total, hour) => total + of(hour), 0);
  // The first hour began before anything was recorded.
  const all = sum(({ from, to }) => Math.max(0, Date.parse(to) - Math.max(begin, Date.parse(from))));
  if (all === 0) return null;
  const awake = sum(({ awakeMs }) => awakeMs);
  const slept = sum(({ sleptMs }) => sleptMs);
  const words = [
    `awake ${lengthInWords(awake)}`,
    `slept ${lengthInWords(slept)}`,
    `not known ${lengthInWords(Math.max(0, all - awake - slept))}`,
  ].join(', ');
  return (
    <>
      <svg
        class="gauge week"
        viewBox={`0 0 ${hours.length} 14`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <rect class="track" width={hours.length} height="14" />
        {hours.map((hour, i) => {
          const share = (ms: number): number => (lengthOf(hour) === 0 ? 0 : (14 * ms) / lengthOf(hour));
          const up = share(hour.awakeMs);
          const asleep = share(hour.sleptMs);
          return (
            <>
              {up > 0 && <rect class="within" x={i} y={14 - up} width="1" height={up} />}
              {asleep > 0 && <rect class="beyond" x={i} width="1" height={asleep} />}
            </>
          );
        })}
      </svg>
      <p class="quiet">Last 7 days: {words}</p>
    </>
  );
}

function lengthOf({ from, to }: Bucket): number {
  return Date.parse(to) - Date.parse(from);
}
