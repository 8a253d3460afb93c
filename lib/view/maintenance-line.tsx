import type { MaintenanceSpan } from '../read/views.js';
import { Glyph, Labelled, Moment } from './components.js';
import { Phrase, useWords } from './phrase.js';
import { namesInWords } from './words.js';
import type { JSX } from 'preact';

/** A window of maintenance. @param day the date that is named above it */
export function MaintenanceLine({
  window: { from, to, reason, targets },
  now,
  day,
  isNamed = true,
}: {
  window: MaintenanceSpan;
  now: string;
  day?: string;
  isNamed?: boolean;
}): JSX.Element {
  const words = useWords();
  return (
    <article class="incident line maintenance">
      <p>
        <Glyph mood="maintenance" />{' '}
        <Labelled text={reason}>
          <Phrase
            name="maintenanceFromTo"
            values={{
              from: <Moment at={from} now={now} day={day} />,
              // Of two moments on one day, the day is named once.
              to: <Moment at={to} now={now} after={from} />,
            }}
          />
        </Labelled>
      </p>
      {isNamed && (
        <p class="quiet">
          <bdi>
            {targets === null
              ? words.text('everything')
              : namesInWords(
                  targets.map(({ name }) => name),
                  false,
                  words,
                )}
          </bdi>
        </p>
      )}
    </article>
  );
}
