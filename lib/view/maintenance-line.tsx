import type { MaintenanceSpan } from '../read/views.js';
import { Glyph, Moment } from './components.js';
import { Phrase } from './phrase.js';
import { TEXT } from './text.js';
import { namesInWords } from './words.js';
import type { JSX } from 'preact';

/** A window of maintenance. @param day the midnight of the day that is named above it */
export function MaintenanceLine({
  window: { from, to, reason, targets },
  now,
  day = now,
  isNamed = true,
}: {
  window: MaintenanceSpan;
  now: string;
  day?: string;
  isNamed?: boolean;
}): JSX.Element {
  return (
    <article class="incident line maintenance">
      <p>
        <Glyph mood="maintenance" />{' '}
        <Phrase
          text={TEXT.maintenanceFromTo}
          values={{
            from: <Moment at={from} now={now} day={day} />,
            // Of two moments on one day, the day is named once.
            to: <Moment at={to} now={now} day={day === now ? from : day} />,
          }}
        />
        {reason !== null && (
          <>
            {': '}
            <bdi>{reason}</bdi>
          </>
        )}
      </p>
      {isNamed && (
        <p class="quiet">
          <bdi>
            {targets === null
              ? TEXT.everything
              : namesInWords(
                  targets.map(({ name }) => name),
                  false,
                )}
          </bdi>
        </p>
      )}
    </article>
  );
}
