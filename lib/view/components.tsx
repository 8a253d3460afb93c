import type { ComponentChildren, JSX } from 'preact';
import type { TargetStats } from '../read/views.js';
import { HOSTS } from '../rules/hosts.js';
import type { Words } from './language.js';
import { Phrase, useWords } from './phrase.js';
import type { Mood, Shown } from './words.js';

/** Each status has a shape of its own, so that nobody needs to see its colour. */
const SHAPES: Readonly<Record<Mood, string>> = {
  up: 'M4.7 8.3l2.2 2.2 4.5-4.8',
  degraded: 'M8 4.3v4.4M8 11.4v.1',
  down: 'M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2',
  pending: 'M5 8h.1M8 8h.1M11 8h.1',
  paused: 'M6.3 5.4v5.2M9.7 5.4v5.2',
  sleeping: 'M10.9 9.4A4 4 0 0 1 6.6 5.1a3.6 3.6 0 1 0 4.3 4.3z',
  maintenance: 'M5 11l3.4-3.4M8.2 6.2a2 2 0 1 0 1.6 1.6',
  unknown: 'M6.2 6.4a1.9 1.9 0 1 1 2.6 1.8c-.5.2-.8.5-.8 1.1M8 11.6v.1',
};

export function Glyph({ mood, size = 16 }: { mood: Mood; size?: number }): JSX.Element {
  const outline = mood === 'degraded' ? <path class="disc" d="M8 .9l7.6 13.6H.4z" /> : <Disc mood={mood} />;
  return (
    <svg class={`glyph ${mood}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      {outline}
      <path class="sign" d={mood === 'degraded' ? 'M8 5.6v4M8 12v.1' : SHAPES[mood]} />
    </svg>
  );
}

function Disc({ mood }: { mood: Mood }): JSX.Element {
  return mood === 'down' ? (
    <rect class="disc" x="1" y="1" width="14" height="14" rx="3" />
  ) : (
    <circle class="disc" cx="8" cy="8" r="7.5" />
  );
}

export function StatusLabel({ mood }: { mood: Shown }): JSX.Element {
  return (
    <span class={`status ${mood}`}>
      <Glyph mood={mood} />
      <span>{useWords().text(`status.${mood}`)}</span>
    </span>
  );
}

/**
 * A moment in the zone of the page, or in UTC until the script puts it into the viewer's. `ago`: the script says how long
 * ago it was. `now`: the page's own time, whose day need not be named; `day`: the date that is named above it; `after`: the
 * moment that stands before it, with its date or on a day that is named.
 */
export function Moment({
  at,
  now,
  day,
  after,
  ago = false,
}: {
  at: string;
  now: string;
  day?: string | undefined;
  after?: string;
  ago?: boolean;
}): JSX.Element {
  const words = useWords();
  const isOfDay =
    words.dateOf(at) === (after === undefined ? (day ?? words.dateOf(now)) : words.dateOf(after));
  return (
    <time
      dateTime={at}
      data-show={ago ? 'ago' : (day ?? after) === undefined ? (isOfDay ? 'clock' : 'full') : 'of'}
      data-day={day}
      data-after={after}
    >
      {isOfDay ? words.clock(at) : words.moment(at, now)}
    </time>
  );
}

/** What the operator wrote, behind what it is about; null: nothing. */
export function Labelled({
  text,
  children,
}: {
  text: string | null;
  children: ComponentChildren;
}): JSX.Element {
  return text === null ? (
    <>{children}</>
  ) : (
    <Phrase name="labelled" values={{ label: children, text: <bdi>{text}</bdi> }} />
  );
}

export function Url({ url }: { url: string }): JSX.Element {
  return /^https?:/.test(url) ? (
    <a class="url" href={url} rel="noreferrer nofollow">
      <bdi>{url}</bdi>
    </a>
  ) : (
    <span class="url">
      <bdi>{url}</bdi>
    </span>
  );
}

/** Whether the pings kept the host awake, in a few words. */
export function awakeInWords(
  { awake, host, waking }: Pick<TargetStats, 'awake' | 'host' | 'waking'>,
  words: Words,
): string | null {
  if (waking !== null) return words.text('awake.waking');
  const { sleepsAfter, longestGap, coldStarts: count, keptAwake, proof } = awake;
  if (sleepsAfter === null) return null;
  if (proof === 'host') return words.text('awake.stopped');
  if (keptAwake === true) return words.text('awake.kept');
  if (keptAwake === false) {
    return count > 0 ? words.text('awake.slept', { count }) : words.text('awake.mustHaveSlept');
  }
  if (longestGap === null) return words.text('awake.unknown');
  if (longestGap >= sleepsAfter) return words.text(count > 0 ? 'awake.sleptMissed' : 'awake.missed');
  if (proof === 'container' && !HOSTS[host].answersCount) return words.text('awake.atLastAnswer');
  return words.text(proof === 'edge' ? 'awake.unproven' : 'awake.unknown');
}
