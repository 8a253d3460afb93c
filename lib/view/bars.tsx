import type { JSX } from 'preact';
import type { Day, IncidentView } from '../read/views.js';
import { DAY } from '../time.js';
import { causeOf } from './causes.js';
import { Span } from './episode-card.js';
import type { Words } from './language.js';
import { Phrase, useWords } from './phrase.js';
import { causeInWords, restsOnLittle } from './words.js';

const HEIGHT = 32;
const STEP = 4;
const WIDTH = 3;
/** The least part of a bar that is drawn for downtime, so that a minute is seen too. */
const LEAST = 3;
/** From this share of the observed time on, a day was bad rather than troubled. */
const BAD = 0.05;
/** Coverage from which on a day counts as observed, and is not mentioned. */
const WHOLE = 0.99;

/** How a day is drawn: one colour for each. */
type Severity = 'good' | 'troubled' | 'bad' | 'pale' | 'none';

function severityOf({ uptimeRatio, coverage }: Day): Severity {
  if (uptimeRatio === null || coverage === null) return 'none';
  if (restsOnLittle(coverage)) return 'pale';
  return uptimeRatio === 1 ? 'good' : 1 - uptimeRatio < BAD ? 'troubled' : 'bad';
}

interface BarsProps {
  readonly days: readonly Day[];
  /** Of the target, in the order in which they are to be told. */
  readonly incidents: readonly IncidentView[];
  readonly now: string;
  /** Where more is told of its days. */
  readonly href: string | null;
  /** How many days with downtime are told of, and whether with their incidents. */
  readonly told: number;
  readonly withIncidents: boolean;
}

/**
 * The last days, a bar each, and behind it a list of those with downtime. A bar has the colour of the day's severity, and
 * its full part is the share of the observed time that was down, to scale. It is pale where less than half of the day was
 * observed, and a dot where nothing was. The script shows the items of the list beside the bars.
 */
export function DayBars({ days, incidents, now, href, told, withIncidents }: BarsProps): JSX.Element {
  const words = useWords();
  const notable = days
    .map((day, index) => ({ day, index, severity: severityOf(day) }))
    .filter(({ day, severity }) => severity !== 'none' && (day.downtimeMs > 0 || severity === 'pale'))
    .reverse();
  const listed = notable.slice(0, told);
  const rest = notable.slice(told);
  return (
    <details
      class="days"
      data-from={days[0]?.from.slice(0, 10)}
      data-observed={observedRuns(days)}
      data-down={
        rest.length === 0
          ? undefined
          : rest.map(({ day, index }) => `${index}:${Math.round(day.downtimeMs / 1000)}`).join()
      }
    >
      <summary>
        <Bars days={days} />
      </summary>
      {notable.length === 0 ? (
        <p class="quiet">{words.text('fineDays')}</p>
      ) : listed.length === 0 ? null : (
        <ul>
          {listed.map(({ day, index, severity }) => (
            <li data-day={index} class={severity}>
              <DayText
                day={day}
                severity={severity}
                incidents={withIncidents ? incidentsOf(day, incidents) : []}
                now={now}
              />
            </li>
          ))}
        </ul>
      )}
      {(rest.length > 0 || href !== null) && (
        <p class="quiet">
          {rest.length > 0 && <>{words.text('earlierDays', { count: rest.length })} </>}
          {href !== null && <a href={href}>{words.text('allDays')}</a>}
        </p>
      )}
    </details>
  );
}

/** Incidents that were open at some time of a day. */
function incidentsOf({ from }: Day, incidents: readonly IncidentView[]): IncidentView[] {
  const end = new Date(Date.parse(from) + DAY).toISOString();
  return incidents.filter(({ startedAt, endedAt }) => startedAt < end && (endedAt ?? end) > from);
}

function DayText({
  day: { from, downtimeMs, coverage },
  severity,
  incidents,
  now,
}: {
  day: Day;
  severity: Severity;
  incidents: readonly IncidentView[];
  now: string;
}): JSX.Element {
  const words = useWords();
  return (
    <>
      <b>{words.day(from, now)}</b> <span>{severityInWords(severity, downtimeMs, words)}</span>
      {coverage !== null && coverage < WHOLE && (
        <small> {words.text('observed', { share: words.wholePercent(coverage) })}</small>
      )}
      {incidents.map(({ message, startedAt, endedAt }) => (
        <small class="why">
          <Phrase
            name="labelled"
            values={{
              label: causeInWords(causeOf(message), words),
              text: <Span episode={{ startedAt, endedAt }} now={now} day={from.slice(0, 10)} />,
            }}
          />
        </small>
      ))}
    </>
  );
}

function severityInWords(severity: Severity, downtimeMs: number, words: Words): string {
  const length = words.length(downtimeMs);
  switch (severity) {
    case 'good':
      return words.text('dayFine');
    case 'troubled':
      return words.text('dayTroubled', { length });
    case 'bad':
      return words.text('dayBad', { length });
    case 'pale':
      return downtimeMs > 0 ? words.text('dayUnsureDown', { length }) : words.text('dayUnsure');
    case 'none':
      return words.text('dayNoData');
  }
}

/**
 * How much of each day was observed, as runs: `69x 20x97 1x` is 69 days without data, 20 of which 97 % were observed, and
 * one that is in no run because all of it was. Nothing where all days were observed whole.
 */
function observedRuns(days: readonly Day[]): string | undefined {
  const texts = days.map(({ coverage }) =>
    coverage === null ? '' : coverage >= WHOLE ? '100' : String(Math.floor(coverage * 100)),
  );
  if (texts.every((text) => text === '100')) return undefined;
  return runsOf(texts)
    .map(({ value, length }) => `${length}x${value}`)
    .join(' ');
}

/** Equal values beside each other, as one. */
function runsOf<T>(
  values: readonly T[],
): { readonly value: T; readonly from: number; readonly length: number }[] {
  const starts = [...values.keys()].filter((i) => i === 0 || values[i] !== values[i - 1]);
  return starts.flatMap((from, i) => {
    const length = (starts[i + 1] ?? values.length) - from;
    return values.slice(from, from + 1).map((value) => ({ value, from, length }));
  });
}

/** The days as an image. Equal days beside each other are one dashed line: 1,000 targets have 90,000 days. */
function Bars({ days }: { days: readonly Day[] }): JSX.Element {
  const words = useWords();
  const severities = days.map(severityOf);
  const paths = new Map<string, string>();
  const draw = (name: string, path: string): void => {
    paths.set(name, (paths.get(name) ?? '') + path);
  };
  for (const { value, from, length } of runsOf(severities)) {
    draw(value, `M${from * STEP} ${value === 'none' ? HEIGHT - 1 : HEIGHT / 2}h${length * STEP - 1}`);
  }
  for (const [i, { uptimeRatio }] of days.entries()) {
    const severity = severities[i];
    if (uptimeRatio === null || (severity !== 'troubled' && severity !== 'bad')) continue;
    const down = Math.max(LEAST, Math.round((1 - uptimeRatio) * HEIGHT));
    draw(
      severity === 'bad' ? 'down bad' : 'down troubled',
      `M${i * STEP} ${HEIGHT}v-${down}h${WIDTH}v${down}`,
    );
  }
  return (
    <svg
      class="bars"
      viewBox={`0 0 ${days.length * STEP - 1} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={words.text('barsOf', { days: daysInWords(days, words) })}
    >
      {[...paths].map(([name, d]) => (
        <path class={name} d={d} />
      ))}
    </svg>
  );
}

function daysInWords(days: readonly Day[], words: Words): string {
  const total = days.filter(({ uptimeRatio }) => uptimeRatio !== null).length;
  if (total === 0) return words.text('barsNothing');
  const bad = days.filter(({ uptimeRatio }) => uptimeRatio !== null && uptimeRatio !== 1).length;
  const without = days.length - total;
  return [
    bad === 0 ? words.text('barsFine', { count: total }) : words.text('barsBad', { count: bad, total }),
    ...(without === 0 ? [] : [words.text('barsUnseen', { count: without })]),
  ].join('; ');
}
