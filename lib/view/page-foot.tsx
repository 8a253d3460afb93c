import type { Freshness } from '../read/views.js';
import { Moment } from './components.js';
import { RecordNotice } from './freshness-notices.js';
import { Phrase } from './phrase.js';
import { TEXT } from './text.js';
import type { JSX } from 'preact';

/** When the page was made, since when there is data, and the same for programs. */
export function PageFoot({ freshness, json }: { freshness: Freshness; json: string }): JSX.Element {
  const { updatedAt } = freshness;
  return (
    <footer class="foot">
      <RecordNotice freshness={freshness} />
      <p>
        <Phrase text={TEXT.asOf} values={{ time: <Moment at={updatedAt} now={updatedAt} /> }} /> ·{' '}
        <a href={json}>{TEXT.json}</a> · <a href="/api/feed">{TEXT.feed}</a> ·{' '}
        <a href="/api/calendar.ics">{TEXT.calendar}</a>
      </p>
    </footer>
  );
}
