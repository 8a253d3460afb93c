import type { Freshness } from '../read/views.js';
import { DAY } from '../time.js';
import { Moment } from './components.js';
import type { JSX } from 'preact';

/** A prominent notice where the data is out of date or gone, so that nobody takes it for the present state. */
export function StaleNotice({ freshness }: { freshness: Freshness }): JSX.Element | null {
  const { isStale, lastRunAt, updatedAt, enabled, lost } = freshness;
  if (lastRunAt === null && enabled) {
    return (
      <p class="notice">
        {lost === null ? (
          <>
            The database holds no data yet. Recording begins with the first run: call <code>/api/cron</code>{' '}
            with <code>Authorization: Bearer $CRON_SECRET</code> from a scheduler. If there were runs before,
            the database was emptied, or another one is set now.
          </>
        ) : (
          <>
            What was recorded from <Moment at={lost.from} now={updatedAt} /> to{' '}
            <Moment at={lost.to} now={updatedAt} /> is not in the database any more. Recording begins anew
            with the next run.
          </>
        )}
      </p>
    );
  }
  if (!isStale || lastRunAt === null) return null;
  return (
    <p class="notice loud" role="alert">
      <strong>Out of date.</strong> The last run was at <Moment at={lastRunAt} now={updatedAt} />: what is
      shown below is from then. Is the trigger of <code>/api/cron</code> still set up?
    </p>
  );
}

/** Where the record begins within the 90 days that are shown: what lies before is not just empty. */
export function RecordNotice({ freshness }: { freshness: Freshness }): JSX.Element | null {
  const { recordedSince, lost, updatedAt: now } = freshness;
  if (recordedSince === null || Date.parse(now) - Date.parse(recordedSince) > 90 * DAY) return null;
  return (
    <p class="record">
      No earlier data: recording began <Moment at={recordedSince} now={now} />.
      {lost !== null && (
        <>
          {' '}
          What was recorded from <Moment at={lost.from} now={now} /> to <Moment at={lost.to} now={now} /> is
          lost: the database was emptied.
        </>
      )}
    </p>
  );
}
