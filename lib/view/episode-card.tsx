import type { IncidentView } from '../read/views.js';
import { lengthInWords } from '../rules/durations.js';
import { Glyph, Moment } from './components.js';
import type { Episode } from './episodes.js';
import { NoteText } from './notes.js';
import { Phrase } from './phrase.js';
import { counted, TEXT } from './text.js';
import { causeInWords } from './words.js';
import type { JSX } from 'preact';

/** Services named in the head of a card; the others stand behind it. */
const NAMED = 4;
/** Services whose details are shown. */
const DETAILED = 20;

interface CardProps {
  readonly episode: Episode;
  readonly now: string;
  readonly heading: 'h3' | 'h4';
}

/** One card for troubles of one cause and time: who, why in plain words, since when; the details behind it. */
export function EpisodeCard({
  episode,
  now,
  heading: Heading,
  isNamed = true,
}: CardProps & {
  /** False on the page of the only service that it is about. */
  readonly isNamed?: boolean;
}): JSX.Element {
  const { mood, cause, troubles, endedAt } = episode;
  const isOver = endedAt !== null;
  return (
    <article class={isOver ? 'incident' : `incident open ${mood}`}>
      <Heading>
        <Glyph mood={isOver ? 'up' : mood} />
        {isNamed ? <Names troubles={troubles} /> : causeInWords(cause)}
      </Heading>
      {isNamed && <p class="reason">{causeInWords(cause)}</p>}
      <p class="quiet">
        <Span episode={episode} now={now} />
        <Remarks troubles={troubles} />
      </p>
      <Notes troubles={troubles} now={now} />
      <details id={idOf(episode)}>
        <summary>{TEXT.details}</summary>
        <Details troubles={troubles} now={now} />
      </details>
    </article>
  );
}

/** The same in one line, below the day on which it began. */
export function EpisodeLine({
  episode,
  now,
  day,
  heading: Heading,
  withEvents,
}: CardProps & { readonly day: string; readonly withEvents: boolean }): JSX.Element {
  const { mood, cause, troubles, endedAt } = episode;
  return (
    <article class={`incident line${endedAt === null ? ` open ${mood}` : ''}`}>
      <Heading>
        <Names troubles={troubles} />
      </Heading>
      <p class="reason">{causeInWords(cause)}</p>
      <details id={idOf(episode)}>
        <summary>
          <Span episode={episode} now={now} day={day} />
          <Remarks troubles={troubles} />
        </summary>
        <Details troubles={troubles} now={now} day={day} withEvents={withEvents} />
      </details>
      <Notes troubles={troubles} now={now} day={day} />
    </article>
  );
}

function idOf({ troubles: [first] }: Episode): string {
  return `episode-${first.target.id}-${Date.parse(first.startedAt)}`;
}

function Names({ troubles }: Pick<Episode, 'troubles'>): JSX.Element {
  const named = troubles.slice(0, NAMED);
  const left = troubles.length - named.length;
  return (
    <span>
      {named.map(({ target: { id, name } }, i) => (
        <>
          {i > 0 && ', '}
          <a href={`/t/${id}`}>
            <bdi>{name}</bdi>
          </a>
        </>
      ))}
      {left > 0 && <span class="more"> {counted(TEXT.moreServices, left)}</span>}
    </span>
  );
}

/** When it was, and how long it took. */
export function Span({
  episode: { startedAt, endedAt },
  now,
  day = now,
}: {
  episode: Pick<Episode, 'startedAt' | 'endedAt'>;
  now: string;
  day?: string;
}): JSX.Element {
  const length = lengthInWords(Math.max(0, Date.parse(endedAt ?? now) - Date.parse(startedAt)));
  const from = <Moment at={startedAt} now={now} day={day} />;
  if (endedAt === null) return <Phrase text={TEXT.since} values={{ time: from, length }} />;
  // Shown to the minute, both ends would be the same.
  if (endedAt.slice(0, 16) === startedAt.slice(0, 16)) {
    return <Phrase text={TEXT.briefly} values={{ from, length }} />;
  }
  return (
    <Phrase text={TEXT.lasted} values={{ from, to: <Moment at={endedAt} now={now} day={day} />, length }} />
  );
}

/** How much of it nobody saw, where it is one service's, and what was done about it. */
function Remarks({ troubles }: Pick<Episode, 'troubles'>): JSX.Element | null {
  const incidents = troubles.flatMap(({ incident }) => (incident === null ? [] : [incident]));
  const restarts = incidents.reduce((sum, { events }) => sum + restartsIn(events), 0);
  const unobserved = incidents.length === 1 ? (incidents[0]?.unobservedMs ?? 0) : 0;
  return (
    <>
      {unobserved > 0 && (
        <>
          {'. '}
          <Phrase text={TEXT.unobserved} values={{ length: lengthInWords(unobserved) }} />
        </>
      )}
      {restarts > 0 && (
        <>
          {unobserved > 0 ? ' ' : '. '}
          {counted(TEXT.restarts, restarts)}
        </>
      )}
    </>
  );
}

/** What the operator wrote while it lasted, the latest first. */
function Notes({
  troubles,
  now,
  day = now,
}: Pick<Episode, 'troubles'> & { readonly now: string; readonly day?: string }): JSX.Element | null {
  const notes = troubles
    .flatMap(({ target: { name }, incident }) =>
      (incident?.events ?? []).flatMap(({ at, kind, text }) => (kind === 'note' ? [{ at, text, name }] : [])),
    )
    .sort((a, b) => (a.at < b.at ? 1 : -1));
  if (notes.length === 0) return null;
  return (
    <ul class="incident-notes">
      {notes.map(({ at, text, name }) => (
        <li>
          <NoteText text={text} />
          <p class="quiet">
            {troubles.length > 1 && (
              <>
                <bdi>{name}</bdi>
                {' · '}
              </>
            )}
            <Moment at={at} now={now} day={day} />
          </p>
        </li>
      ))}
    </ul>
  );
}

function restartsIn(events: IncidentView['events']): number {
  return events.filter(({ kind }) => kind === 'restart').length;
}

/** What the check said, and what happened, of each service. */
function Details({
  troubles,
  now,
  day = now,
  withEvents = true,
}: Pick<Episode, 'troubles'> & {
  readonly now: string;
  readonly day?: string;
  readonly withEvents?: boolean;
}): JSX.Element {
  return (
    <>
      {troubles.slice(0, DETAILED).map(({ target, message, incident }) => (
        <div class="technical">
          {troubles.length > 1 && (
            <a href={`/t/${target.id}`}>
              <bdi>{target.name}</bdi>
            </a>
          )}
          <code>
            <bdi>{message}</bdi>
          </code>
          {withEvents && incident !== null && incident.events.length > 0 && (
            <ol class="events">
              {incident.events
                .filter(({ kind }) => kind !== 'note')
                .map(({ at, kind, text }) => (
                  <li class={kind}>
                    <Moment at={at} now={now} day={day} /> <bdi>{text}</bdi>
                  </li>
                ))}
            </ol>
          )}
        </div>
      ))}
      {troubles.length > DETAILED && <p>{counted(TEXT.moreServices, troubles.length - DETAILED)}</p>}
    </>
  );
}
