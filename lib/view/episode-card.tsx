import type { IncidentView, RestartView } from '../read/views.js';
import { Glyph, Moment } from './components.js';
import type { Episode } from './episodes.js';
import { NoteText } from './notes.js';
import type { Words } from './language.js';
import { Phrase, useWords } from './phrase.js';
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
  const words = useWords();
  const { mood, cause, troubles, endedAt } = episode;
  const isOver = endedAt !== null;
  return (
    <article class={isOver ? 'incident' : `incident open ${mood}`}>
      <Heading>
        <Glyph mood={isOver ? 'up' : mood} />
        {isNamed ? <Names troubles={troubles} /> : causeInWords(cause, words)}
      </Heading>
      {isNamed && <p class="reason">{causeInWords(cause, words)}</p>}
      <p class="quiet">
        <Span episode={episode} now={now} />
        <Remarks troubles={troubles} />
      </p>
      <Notes troubles={troubles} now={now} />
      <details id={idOf(episode)}>
        <summary>{words.text('details')}</summary>
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
      <p class="reason">{causeInWords(cause, useWords())}</p>
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
      {left > 0 && <span class="more"> {useWords().text('moreServices', { count: left })}</span>}
    </span>
  );
}

/** When it was, and how long it took. */
export function Span({
  episode: { startedAt, endedAt },
  now,
  day,
}: {
  episode: Pick<Episode, 'startedAt' | 'endedAt'>;
  now: string;
  day?: string;
}): JSX.Element {
  const length = useWords().length(Math.max(0, Date.parse(endedAt ?? now) - Date.parse(startedAt)));
  const from = <Moment at={startedAt} now={now} day={day} />;
  if (endedAt === null) return <Phrase name="since" values={{ time: from, length }} />;
  // Shown to the minute, both ends would be the same.
  if (endedAt.slice(0, 16) === startedAt.slice(0, 16)) {
    return <Phrase name="briefly" values={{ from, length }} />;
  }
  return (
    <Phrase
      name="lasted"
      values={{ from, to: <Moment at={endedAt} now={now} after={startedAt} />, length }}
    />
  );
}

/** How much of it nobody saw, where it is one service's, and what was done about it. */
function Remarks({ troubles }: Pick<Episode, 'troubles'>): JSX.Element | null {
  const words = useWords();
  const incidents = troubles.flatMap(({ incident }) => (incident === null ? [] : [incident]));
  const restarts = incidents.reduce((sum, { events }) => sum + restartsIn(events), 0);
  const unobserved = incidents.length === 1 ? (incidents[0]?.unobservedMs ?? 0) : 0;
  return (
    <>
      {unobserved > 0 && (
        <>
          {'. '}
          {words.text('unobserved', { length: words.length(unobserved) })}
        </>
      )}
      {restarts > 0 && (
        <>
          {unobserved > 0 ? ' ' : '. '}
          {words.text('restarts', { count: restarts })}
        </>
      )}
    </>
  );
}

/** What the operator wrote while it lasted, the latest first. */
function Notes({
  troubles,
  now,
  day,
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
  day,
  withEvents = true,
}: Pick<Episode, 'troubles'> & {
  readonly now: string;
  readonly day?: string;
  readonly withEvents?: boolean;
}): JSX.Element {
  const words = useWords();
  return (
    <>
      {troubles.slice(0, DETAILED).map(({ target, message, incident }) => (
        <div class="technical">
          {troubles.length > 1 && (
            <a href={`/t/${target.id}`}>
              <bdi>{target.name}</bdi>
            </a>
          )}
          <code lang="en">
            <bdi>{message}</bdi>
          </code>
          {withEvents && incident !== null && incident.events.length > 0 && (
            <ol class="events">
              {incident.events
                .filter(({ kind }) => kind !== 'note')
                .map((event) => (
                  <li class={event.kind}>
                    <Moment at={event.at} now={now} day={day} /> <bdi>{eventInWords(event, words)}</bdi>
                  </li>
                ))}
            </ol>
          )}
        </div>
      ))}
      {troubles.length > DETAILED && (
        <p>{words.text('moreServices', { count: troubles.length - DETAILED })}</p>
      )}
    </>
  );
}

/** Alerts that concern one incident. */
const ALERTS = ['down', 'reminder', 'degraded', 'flapping', 'up', 'person_needed'] as const;

function eventInWords({ code, restart, text }: IncidentView['events'][number], words: Words): string {
  if (restart !== undefined) return restartInWords(restart, words);
  if (code === 'first_failed' || code === 'first_good') return words.text(`event.${code}`);
  if (code === 'note') return text;
  return words.text(`event.${ALERTS.find((alert) => alert === code) ?? 'other'}`);
}

function restartInWords({ number, answer: given, helped, upAfterMs }: RestartView, words: Words): string {
  const answer = given ?? words.text('restartUnknown');
  if (upAfterMs !== null)
    return words.text('restartHelped', { number, answer, length: words.length(upAfterMs) });
  return words.text(helped === false ? 'restartNotHelped' : 'restart', { number, answer });
}
