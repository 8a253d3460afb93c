import type { MaintenanceSpan, NoteView, Summary, TargetIncident } from '../read/views.js';
import { DAY } from '../time.js';
import { EpisodeLine } from './episode-card.js';
import { episodes, troubleOf, type Episode } from './episodes.js';
import { MaintenanceLine } from './maintenance-line.js';
import { Phrase, useWords } from './phrase.js';
import type { Words } from './language.js';
import { NoteCard } from './notes.js';
import type { JSX } from 'preact';

interface PastDay {
  /** In the zone of the page: `2026-11-20`. */
  readonly date: string;
  readonly episodes: readonly Episode[];
  readonly maintenance: readonly MaintenanceSpan[];
  readonly notes: readonly NoteView[];
  /** Some services cannot be read now, and may have had incidents on it. */
  readonly isPartlyRead: boolean;
  /** Nothing was observed of any service. */
  readonly isUnseen: boolean;
  /** An incident that is not over began on it, and is told elsewhere. */
  readonly hasOpen: boolean;
}

/** With more incidents, what happened in each stands on the pages of the services alone. */
const MOST_WITH_EVENTS = 500;

interface PastProps {
  readonly found: Summary;
  /** How many days, today included. */
  readonly span: number;
  /** Whether incidents that are not over and notes that are current are listed too. */
  readonly withOpen: boolean;
  /** How many lines a day has at most; the others are counted. */
  readonly lines: number;
  readonly heading: 'h2' | 'h3';
}

/** What happened, by day (in the zone of the page), latest first. Days on which nothing did stand together in one line. */
export function PastDays({ found, span, withOpen, lines, heading }: PastProps): JSX.Element {
  const runs = runsOf(daysOf(found, { span, withOpen, words: useWords() }));
  const now = found.freshness.updatedAt;
  const withEvents = found.past.incidents.length <= MOST_WITH_EVENTS;
  return (
    <ol class="past-days">
      {runs.map((days) => (
        <DayRun days={days} now={now} lines={lines} withEvents={withEvents} heading={heading} />
      ))}
    </ol>
  );
}

/** Days (UTC) whose incidents and observations are known, today included. */
const KNOWN = 90;

function daysOf(
  { past, targets, notes, freshness: { updatedAt, recordedSince, unread } }: Summary,
  { span, withOpen, words }: Pick<PastProps, 'span' | 'withOpen'> & { readonly words: Words },
): PastDay[] {
  const begun = new Map<string, TargetIncident[]>();
  for (const found of past.incidents) {
    const date = words.dateOf(found.incident.startedAt);
    const others = begun.get(date);
    if (others === undefined) begun.set(date, [found]);
    else others.push(found);
  }
  // Of very many targets no days are loaded.
  const hasDays = targets.every(({ days }) => days.length > 0);
  const seen = new Set<string>();
  for (const { days } of targets) for (const day of days) if (day.uptimeRatio !== null) seen.add(day.from);
  const first = firstDate(updatedAt, recordedSince ?? updatedAt, words);
  return datesBefore(words.dateOf(updatedAt), span)
    .filter((date) => date >= first)
    .map((date) => {
      const all = begun.get(date) ?? [];
      const incidents = all
        .filter(({ incident }) => withOpen || incident.endedAt !== null)
        .map(troubleOf)
        .sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
      return {
        date,
        episodes: episodes(incidents),
        maintenance: past.maintenance.filter((window) => words.dateOf(window.from) === date),
        notes: notes.filter(({ at, until }) => words.dateOf(at) === date && (withOpen || until <= updatedAt)),
        isPartlyRead: unread !== undefined,
        isUnseen: hasDays && !utcDatesOf(date, words).some((utcDate) => seen.has(`${utcDate}T00:00:00.000Z`)),
        hasOpen: incidents.length < all.length,
      };
    });
}

/** The first date of which all that was recorded is known, in the zone of the page. */
function firstDate(now: string, recordedSince: string, words: Words): string {
  const knownSince = (Math.floor(Date.parse(now) / DAY) + 1 - KNOWN) * DAY;
  if (Date.parse(recordedSince) >= knownSince) return words.dateOf(recordedSince);
  const first = words.dateOf(new Date(knownSince).toISOString());
  // In most zones the first known day (UTC) does not begin at midnight.
  const isWhole = words.dateOf(new Date(knownSince - 1).toISOString()) !== first;
  return isWhole ? first : nextDate(first, 1);
}

/** So many dates, latest first. */
function datesBefore(date: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => nextDate(date, -i));
}

function nextDate(date: string, days: number): string {
  return new Date(Date.parse(date) + days * DAY).toISOString().slice(0, 10);
}

/** The days in UTC that a day in the zone of the page has a part of. */
function utcDatesOf(date: string, words: Words): string[] {
  if (words.timeZone === null) return [date];
  return [nextDate(date, -1), date, nextDate(date, 1)].filter((utcDate) =>
    [`${utcDate}T00:00:00.000Z`, `${utcDate}T23:59:59.999Z`].some((end) => words.dateOf(end) === date),
  );
}

/** Neighbouring days without anything to tell, together. */
function runsOf(days: readonly PastDay[]): [PastDay, ...PastDay[]][] {
  const runs: [PastDay, ...PastDay[]][] = [];
  for (const day of days) {
    const last = runs.at(-1);
    const isSame =
      last !== undefined && isQuiet(last[0]) && isQuiet(day) && quietWords(last[0]) === quietWords(day);
    if (isSame) last.push(day);
    else runs.push([day]);
  }
  return runs;
}

function isQuiet(day: PastDay): boolean {
  return day.episodes.length === 0 && day.maintenance.length === 0 && day.notes.length === 0;
}

/** What is said of a day without anything to tell. */
function quietWords({
  isUnseen,
  hasOpen,
  isPartlyRead,
}: PastDay): 'noOtherIncidents' | 'noKnownIncidents' | 'noData' | 'noIncidents' {
  if (hasOpen) return 'noOtherIncidents';
  if (isPartlyRead) return 'noKnownIncidents';
  return isUnseen ? 'noData' : 'noIncidents';
}

function DayRun({
  days,
  now,
  lines,
  withEvents,
  heading: Heading,
}: {
  days: readonly [PastDay, ...PastDay[]];
  now: string;
  lines: number;
  withEvents: boolean;
  heading: 'h2' | 'h3';
}): JSX.Element {
  const words = useWords();
  const [latest] = days;
  const first = days.at(-1) ?? latest;
  const last = words.day(latest.date, now);
  if (isQuiet(latest)) {
    return (
      <li class="quiet-days">
        <Heading>
          {first === latest ? (
            last
          ) : (
            <Phrase name="fromTo" values={{ from: words.day(first.date, now), to: last }} />
          )}
        </Heading>
        <p class="quiet">{words.text(quietWords(latest))}</p>
      </li>
    );
  }
  return (
    <li>
      <Heading>{last}</Heading>
      <div class="past">
        {latest.episodes.slice(0, lines).map((episode) => (
          <EpisodeLine
            episode={episode}
            now={now}
            day={latest.date}
            withEvents={withEvents}
            heading={Heading === 'h2' ? 'h3' : 'h4'}
          />
        ))}
        {latest.episodes.length > lines && (
          <p class="quiet">{words.text('moreIncidents', { count: latest.episodes.length - lines })}</p>
        )}
        {latest.notes.map((note) => (
          <NoteCard note={note} now={now} day={latest.date} />
        ))}
        {latest.maintenance.map((window) => (
          <MaintenanceLine window={window} now={now} day={latest.date} />
        ))}
      </div>
    </li>
  );
}
