import type { Freshness } from '../read/views.js';
import { Moment } from './components.js';
import { RecordNotice } from './freshness-notices.js';
import { Phrase, useWords } from './phrase.js';
import type { JSX } from 'preact';

/** When the page was made, since when there is data, in which zone times are, and the same for programs. */
export function PageFoot({
  freshness,
  json,
  hasBars = false,
}: {
  freshness: Freshness;
  json: string;
  /** Days of bars are days in UTC, whatever the zone of the page. */
  hasBars?: boolean;
}): JSX.Element {
  const words = useWords();
  const { updatedAt } = freshness;
  return (
    <footer class="foot">
      <RecordNotice freshness={freshness} />
      <p>
        <Phrase name="asOf" values={{ time: <Moment at={updatedAt} now={updatedAt} day="" /> }} /> ·{' '}
        <a href={json}>{words.text('json')}</a> · <a href="/api/feed">{words.text('feed')}</a> ·{' '}
        <a href="/api/calendar.ics">{words.text('calendar')}</a>
      </p>
      <p>
        <Phrase name="timesIn" values={{ zone: <span id="zone">{words.zone(updatedAt)}</span> }} />
        {hasBars && ` ${words.text('barsInUtc')}`}
      </p>
    </footer>
  );
}
