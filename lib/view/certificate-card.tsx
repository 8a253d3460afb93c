import type { TargetHistory } from '../read/views.js';
import { lengthInWords } from '../rules/durations.js';
import { DAY } from '../time.js';
import { Card, Fact } from './card.js';
import { dateInWords } from './words.js';
import type { JSX } from 'preact';

export function Certificate({ target, now }: { target: TargetHistory; now: string }): JSX.Element | null {
  if (target.tls === null) return null;
  const { expiresAt } = target.tls;
  const left = Date.parse(expiresAt) - Date.parse(now);
  return (
    <Card title="Certificate">
      <dl class="facts-list">
        <Fact name={left < 0 ? 'Ended' : 'Ends'}>
          <time dateTime={expiresAt} data-show="day">
            {dateInWords(expiresAt)}
          </time>
        </Fact>
        {left >= 0 && (
          <Fact name="Left">{left < 3 * DAY ? lengthInWords(left) : `${Math.floor(left / DAY)} days`}</Fact>
        )}
      </dl>
    </Card>
  );
}
