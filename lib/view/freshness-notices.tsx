import type { Freshness } from '../read/views.js';
import { DAY } from '../time.js';
import { Moment } from './components.js';
import { Phrase, useWords } from './phrase.js';
import type { JSX } from 'preact';

interface NoticeProps {
  readonly freshness: Freshness;
  /** Only whoever has signed in sees the page, and may read what its operator has to do. */
  readonly isPrivate: boolean;
}

/** A prominent notice where the data is out of date or gone, so that nobody takes it for the present state. */
export function StaleNotice({ freshness, isPrivate }: NoticeProps): JSX.Element | null {
  const words = useWords();
  const { isStale, lastRunAt, updatedAt, enabled, lost, unread } = freshness;
  if (lastRunAt === null && enabled) {
    return (
      <p class="notice">
        {lost === null ? words.text('noDataYet') : <Lost name="lostAll" lost={lost} now={updatedAt} />}{' '}
        {isPrivate && lost === null ? (
          <Phrase
            name="operatorFirstRun"
            values={{ path: <code>/api/cron</code>, header: <code>Authorization: Bearer $CRON_SECRET</code> }}
          />
        ) : (
          <OperatorHint />
        )}
      </p>
    );
  }
  if (!isStale || lastRunAt === null) {
    return unread === undefined ? null : (
      <p class="notice">
        {words.text('unreadWhy')} <OperatorHint />
      </p>
    );
  }
  return (
    <p class="notice loud" role="alert">
      <strong>{words.text('outOfDate')}</strong>{' '}
      <Phrase name="outOfDateSince" values={{ time: <Moment at={lastRunAt} now={updatedAt} /> }} />{' '}
      {isPrivate ? (
        <Phrase name="operatorTrigger" values={{ path: <code>/api/cron</code> }} />
      ) : (
        <OperatorHint />
      )}
    </p>
  );
}

function OperatorHint(): JSX.Element {
  return <Phrase name="operatorHint" values={{ command: <code>npx keepalive doctor</code> }} />;
}

function Lost({
  name,
  lost,
  now,
}: {
  name: 'lostAll' | 'lostBefore';
  lost: NonNullable<Freshness['lost']>;
  now: string;
}): JSX.Element {
  return (
    <Phrase
      name={name}
      values={{
        from: <Moment at={lost.from} now={now} />,
        to: <Moment at={lost.to} now={now} after={lost.from} />,
      }}
    />
  );
}

/** Where the record begins within the 90 days that are shown: what lies before is not just empty. */
export function RecordNotice({ freshness }: Pick<NoticeProps, 'freshness'>): JSX.Element | null {
  const { recordedSince, lost, updatedAt: now } = freshness;
  if (recordedSince === null || Date.parse(now) - Date.parse(recordedSince) > 90 * DAY) return null;
  return (
    <p class="record">
      <Phrase name="began" values={{ time: <Moment at={recordedSince} now={now} /> }} />
      {lost !== null && (
        <>
          {' '}
          <Lost name="lostBefore" lost={lost} now={now} />
        </>
      )}
    </p>
  );
}
