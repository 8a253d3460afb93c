import type { Bucket, CheckView, TargetHistory } from '../read/views.js';
import { HOSTS } from '../rules/hosts.js';
import { Card, Fact } from './card.js';
import { Glyph, Moment } from './components.js';
import type { Words } from './language.js';
import { useWords } from './phrase.js';
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
  const words = useWords();
  const { awake, checks, pingInterval: interval } = target;
  const { sleepsAfter, longestGap, coldStarts, keptAwake } = awake;
  if (sleepsAfter === null) return null;
  const scale = (longestGap === null ? sleepsAfter : Math.max(sleepsAfter, longestGap)) * 1.15;
  const at = (length: number): number => Math.min(100, (length / scale) * 100);
  return (
    <Card title={words.text('awake')}>
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
        <Fact name={words.text('longestGap')}>
          {longestGap === null
            ? words.text('notKnownYet')
            : words.text('gapBetween', { length: words.length(longestGap) })}
        </Fact>
        <Fact name={words.text('sleepsAfter')}>
          {words.text('withoutRequest', { length: words.interval(sleepsAfter) })}
        </Fact>
        <Fact name={words.text('pingedEveryHead')}>{words.interval(interval)}</Fact>
        <Fact name={words.text('coldStarts')}>
          {words.number(coldStarts)}
          <ColdStarts checks={checks} now={now} />
        </Fact>
        <Fact name={words.text('restsOn')}>{proofInWords(target, words)}</Fact>
      </dl>
      <WeekLine {...target} />
    </Card>
  );
}

/** The last ones, with the time that each took to wake. */
function ColdStarts({ checks, now }: { checks: readonly CheckView[]; now: string }): JSX.Element | null {
  const words = useWords();
  const last = checks.filter(({ coldStart }) => coldStart).slice(-STARTS_SHOWN);
  if (last.length === 0) return null;
  return (
    <>
      {' · '}
      {last.map(({ at, latency, wakeMsAtLeast }, i) => (
        <>
          {i > 0 && ', '}
          <Moment at={at} now={now} />
          {latency !== null && ` (${words.text('wokeIn', { length: words.length(latency) })})`}
          {wakeMsAtLeast !== null &&
            ` (${words.text('wokeInAtLeast', { length: words.length(wakeMsAtLeast) })})`}
        </>
      ))}
    </>
  );
}

function proofInWords({ awake: { proof }, host }: TargetHistory, words: Words): string {
  if (proof === 'container' && !HOSTS[host].answersCount) return words.text('proof.uncounted');
  return words.text(`proof.${proof ?? 'none'}`);
}

/** A bar an hour: awake from the bottom, asleep from the top, and what is not known between them. */
function WeekLine({ hours, recordedSince }: TargetHistory): JSX.Element | null {
  const words = useWords();
  const begin = recordedSince === null ? 0 : Date.parse(recordedSince);
  const sum = (of: (hour: Bucket) => number): number => hours.reduce((total, hour) => total + of(hour), 0);
  // The first hour began before anything was recorded.
  const all = sum(({ from, to }) => Math.max(0, Date.parse(to) - Math.max(begin, Date.parse(from))));
  if (all === 0) return null;
  const awake = sum(({ awakeMs }) => awakeMs);
  const slept = sum(({ sleptMs }) => sleptMs);
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
      <p class="quiet">
        {words.text('awakeWeek', {
          awake: words.length(awake),
          slept: words.length(slept),
          unknown: words.length(Math.max(0, all - awake - slept)),
        })}
      </p>
    </>
  );
}

function lengthOf({ from, to }: Bucket): number {
  return Date.parse(to) - Date.parse(from);
}
