import type { TargetHistory } from '../read/views.js';
import { Card, Fact } from './card.js';
import { Glyph, Moment } from './components.js';
import type { JSX } from 'preact';

export function RecoveryCard({ target, now }: { target: TargetHistory; now: string }): JSX.Element | null {
  const { recovery } = target;
  if (recovery === null) return null;
  const { restarts, max, lastAt, lastAnswer, exhausted } = recovery;
  return (
    <Card title="Recovery">
      {exhausted && (
        <p class="awake-word down">
          <Glyph mood="down" />
          <strong>A person is needed</strong>
        </p>
      )}
      <dl class="facts-list">
        <Fact name="Restarts">
          {restarts} of {max} at most
        </Fact>
        {lastAt !== null && (
          <Fact name="Last">
            <Moment at={lastAt} now={now} />
          </Fact>
        )}
        {lastAnswer !== null && (
          <Fact name="Answer">
            <bdi>{lastAnswer}</bdi>
          </Fact>
        )}
      </dl>
    </Card>
  );
}
