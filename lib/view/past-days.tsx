import type { Freshness, MaintenanceSpan, NoteView, Summary, TargetSummary } from '../read/views.js';
import { DAY } from '../time.js';
import { EpisodeLine } from './episode-card.js';
import { episodes, troubleOf, type Episode } from './episodes.js';
import { MaintenanceLine } from './maintenance-line.js';
import { Phrase } from './phrase.js';
import { NoteCard } from './notes.js';
import { counted, TEXT } from './text.js';
import { dayInWords } from './words.js';
import type { JSX } from 'preact';

interface PastDay {
  /** Its midnight (UTC). */
  readonly from: string;
  readonly episodes: readonly Episode[];
  readonly maintenance: readonly MaintenanceSpan[];
  readonly notes: readonly NoteView[];
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

/** What happened, by day (UTC), latest first. Days on which nothing did stand together in one line. */
export function PastDays({ found, span, withOpen, lines, heading }: PastProps): JSX.Element {
  const runs = runsOf(daysOf(found, span, withOpen));
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

function daysOf({ past, targets, notes, freshness }: Summary, span: number, withOpen: boolean): PastDay[] {
  const midnight = Math.floor(Date.parse(freshness.updatedAt) / DAY) * DAY;
  const began = beganAt(freshness);
  const days = Array.from({ length: span }, (_, i) => midnight - i * DAY).filter(
    (from) => from + DAY > began,
  );
  return days.map((time) => {
    const from = new Date(time).toISOString();
    const day = from.slice(0, 10);
    const begun = past.incidents.filter(({ incident }) => incident.startedAt.slice(0, 10) === day);
    const incidents = begun
      .filter(({ incident }) => withOpen || incident.endedAt !== null)
      .map(troubleOf)
      .sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
    return {
      from,
      episodes: episodes(incidents),
      maintenance: past.maintenance.filter((window) => window.from.slice(0, 10) === day),
      notes: notes.filter(
        ({ at, until }) => at.slice(0, 10) === day && (withOpen || until <= freshness.updatedAt),
      ),
      isUnseen: targets.every((target) => target.days.length > 0 && isUnseen(target, from)),
      hasOpen: incidents.length < begun.length,
    };
  });
}

function beganAt({ recordedSince, updatedAt }: Freshness): number {
  return Date.parse(recordedSince ?? updatedAt);
}

function isUnseen({ days }: TargetSummary, from: string): boolean {
  const day = days.find((each) => each.from === from);
  return day === undefined || day.uptimeRatio === null;
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
function quietWords({ isUnseen, hasOpen }: PastDay): string {
  if (hasOpen) return TEXT.noOtherIncidents;
  return isUnseen ? TEXT.noData : TEXT.noIncidents;
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
  const [latest] = days;
  const first = days.at(-1) ?? latest;
  const last = dayInWords(latest.from, now);
  if (isQuiet(latest)) {
    return (
      <li class="quiet-days">
        <Heading>
          {first === latest ? (
            last
          ) : (
            <Phrase text={TEXT.fromTo} values={{ from: dayInWords(first.from, now), to: last }} />
          )}
        </Heading>
        <p class="quiet">{quietWords(latest)}</p>
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
            day={latest.from}
            withEvents={withEvents}
            heading={Heading === 'h2' ? 'h3' : 'h4'}
          />
        ))}
        {latest.episodes.length > lines && (
          <p class="quiet">{counted(TEXT.moreIncidents, latest.episodes.length - lines)}</p>
        )}
        {latest.notes.map((note) => (
          <NoteCard note={note} now={now} day={latest.from} />
        ))}
        {latest.maintenance.map((window) => (
          <MaintenanceLine window={window} now={now} day={latest.from} />
        ))}
      </div>
    </li>
  );
}
