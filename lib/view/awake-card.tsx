import type { Awake } from '../read/views.js';
import { intervalInWords, lengthInWords } from '../rules/durations.js';
import { Card, Fact } from './card.js';
import { Glyph } from './components.js';
import type { JSX } from 'preact';

export function AwakeCard({
  awake,
  word,
  interval,
}: {
  awake: Awake;
  word: string | null;
  interval: number;
}): JSX.Element | null {
  const { sleepsAfter, longestGap, coldStarts, keptAwake, proof } = awake;
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
        <Fact name="Cold starts">{coldStarts}</Fact>
        {proof === 'edge' && (
          <Fact name="Proof">none: its answers do not show that the app itself was awake</Fact>
        )}
      </dl>
    </Card>
  );
}
