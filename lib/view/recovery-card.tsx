import type { TargetHistory } from '../read/views.js';
import { Card, Fact } from './card.js';
import { Glyph, Moment } from './components.js';
import { useWords } from './phrase.js';
import type { JSX } from 'preact';

export function RecoveryCard({ target, now }: { target: TargetHistory; now: string }): JSX.Element | null {
  const words = useWords();
  const { recovery } = target;
  if (recovery === null) return null;
  const { restarts, max, lastAt, lastAnswer, exhausted } = recovery;
  return (
    <Card title={words.text('recovery')}>
      {exhausted && (
        <p class="awake-word down">
          <Glyph mood="down" />
          <strong>{words.text('personNeeded')}</strong>
        </p>
      )}
      <dl class="facts-list">
        <Fact name={words.text('restartCount')}>
          {words.text('restartsOf', { count: restarts, total: max })}
        </Fact>
        {lastAt !== null && (
          <Fact name={words.text('lastRestart')}>
            <Moment at={lastAt} now={now} />
          </Fact>
        )}
        {lastAnswer !== null && (
          <Fact name={words.text('answer')}>
            <bdi lang="en">{lastAnswer}</bdi>
          </Fact>
        )}
      </dl>
    </Card>
  );
}
