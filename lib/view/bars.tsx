import type { JSX } from 'preact';
import type { Day } from '../read/views.js';
import { dateInWords, percent, restsOnLittle } from './words.js';
import { lengthInWords } from '../rules/durations.js';

const HEIGHT = 32;
const STEP = 4;
/** Between what was bad of a day and what was good. */
const GAP = 2;
/** How much of a bar the bad part takes, by the share of the observed time that was bad: the least must be seen too. */
const SEVERITIES = [
  { upTo: 0, part: 0 },
  { upTo: 0.002, part: 0.2 },
  { upTo: 0.01, part: 0.3 },
  { upTo: 0.05, part: 0.45 },
  { upTo: 0.25, part: 0.7 },
  { upTo: 1, part: 1 },
] as const;
/** From this share on a day was bad rather than troubled. */
const BAD = 0.05;
const NAMED = 5;

/**
 * One bar a day. Its height is how much of the day was observed, its upper part (in another colour, set off) how bad it
 * was; without colour where less than half of it was observed; a day without data is a dot. As few paths as there are colours: 200 targets are 18,000 days.
 */
export function DayBars({ days, label }: { days: readonly Day[]; label: string }): JSX.Element {
  const paths = { good: '', troubled: '', bad: '', none: '' };
  for (const [i, { uptimeRatio, coverage }] of days.entries()) {
    const x = i * STEP + STEP / 2 - 0.5;
    if (uptimeRatio === null || coverage === null) {
      paths.none += `M${x} ${HEIGHT - 2}v2`;
      continue;
    }
    const height = Math.max(6, Math.round(HEIGHT * (coverage > 0.99 ? 1 : coverage)));
    if (restsOnLittle(coverage)) {
      paths.none += `M${x} ${HEIGHT - height}v${height}`;
      continue;
    }
    const down = 1 - uptimeRatio;
    const part = SEVERITIES.find(({ upTo }) => down <= upTo)?.part ?? 1;
    const top = HEIGHT - height;
    const cut = Math.round(height * part);
    if (cut > 0) paths[down >= BAD ? 'bad' : 'troubled'] += `M${x} ${top}v${cut}`;
    if (cut === 0) paths.good += `M${x} ${top}v${height}`;
    else if (height - cut > GAP) paths.good += `M${x} ${top + cut + GAP}v${height - cut - GAP}`;
  }
  return (
    <svg
      class="bars"
      viewBox={`0 0 ${days.length * STEP - 1} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${daysInWords(days)}`}
      data-from={days[0]?.from.slice(0, 10)}
      data-days={days.map(packed).join()}
    >
      {Object.entries(paths).map(([name, d]) => d !== '' && <path class={name} d={d} />)}
    </svg>
  );
}

/**
 * `100`, `99.98/97` (uptime and coverage in percent where it is not full), or nothing: for the script that shows them.
 */
function packed({ uptimeRatio, coverage }: Day): string {
  if (uptimeRatio === null || coverage === null) return coverage === 0 ? '-' : '';
  const uptime = percent(uptimeRatio).slice(0, -1);
  return coverage > 0.99 ? uptime : `${uptime}/${Math.floor(coverage * 100)}`;
}

function daysInWords(days: readonly Day[]): string {
  const seen = days.filter(({ uptimeRatio }) => uptimeRatio !== null);
  if (seen.length === 0) return 'no data yet';
  const bad = seen.filter(({ uptimeRatio }) => uptimeRatio !== 1);
  const named = bad
    .slice(-NAMED)
    .map(
      ({ from, uptimeRatio, coverage, downtimeMs }) =>
        `${dateInWords(from)} ${percent(uptimeRatio)} (${lengthInWords(downtimeMs)} down${
          restsOnLittle(coverage) ? `, ${percent(coverage)} observed` : ''
        })`,
    );
  const without = days.length - seen.length;
  return [
    bad.length === 0
      ? `no downtime on ${seen.length} days`
      : `downtime on ${bad.length} of ${seen.length} days, ${bad.length > NAMED ? 'latest ' : ''}${named.join(', ')}`,
    ...(without === 0 ? [] : [`no data on ${without} days`]),
  ].join('; ');
}
