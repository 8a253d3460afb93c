import type { Freshness, IncidentView, TargetSummary } from '../read/views.js';
import { DayBars } from './bars.js';
import { awakeInWords, Glyph } from './components.js';
import { Sparkline } from './lines.js';
import { byOrder, byUrgency, orderOf } from './order.js';
import { useWords } from './phrase.js';
import { filterState } from './filter.js';
import { fewSamples, shownStatus, targetMood, type Mood, type Shown } from './words.js';
import type { JSX } from 'preact';

/** With so many services or fewer, all groups are open. */
const ALL_OPEN = 40;
/** With more than this, rows are dense. */
const ROOMY = 12;
/** With more than this, a row says less: no line of latencies, and fewer days behind its bars. */
const SHORT = 150;

interface Row {
  readonly target: TargetSummary;
  readonly status: Shown;
}

interface Group {
  readonly name: string | null;
  readonly rows: readonly Row[];
  /** Of the whole group, not only of the rows that are shown; without those that cannot be read. */
  readonly counts: ReadonlyMap<Shown, number>;
  readonly unread: number;
  readonly total: number;
}

interface GroupsProps {
  readonly targets: readonly TargetSummary[];
  /** Those that are shown; the others count for their groups' states alone. */
  readonly isShown: (target: TargetSummary) => boolean;
  readonly incidents: ReadonlyMap<string, readonly IncidentView[]>;
  readonly freshness: Freshness;
  readonly isFiltered: boolean;
  /** Which rows of all that are shown, from 0: so many behind the first so many. */
  readonly rows: { readonly first: number; readonly count: number };
}

/** All services by group: what is wrong first, then by ORDER and name. */
export function Groups(props: GroupsProps): JSX.Element {
  const { targets, incidents, freshness, isFiltered } = props;
  const words = useWords();
  const groups = groupsOf(props);
  const isOpen = ({ counts }: Group): boolean =>
    isFiltered ||
    groups.length === 1 ||
    targets.length <= ALL_OPEN ||
    (counts.get('down') ?? 0) + (counts.get('degraded') ?? 0) > 0;
  const hasBars = targets.some(({ days }) => days.length > 0);
  const isShort = targets.length > SHORT;
  const density = isShort ? 'dense short' : targets.length > ROOMY ? 'dense' : 'roomy';
  return (
    <div class={`groups ${density}${freshness.isStale ? ' stale' : ''}`}>
      {groups.map((group, i) => (
        <details
          class="group"
          id={`group-${group.name ?? ''}`}
          open={isOpen(group)}
          hidden={group.rows.length === 0}
        >
          <summary>
            <h2 id={`group-head-${i}`}>
              <bdi>
                {group.name ?? (groups.length === 1 ? words.text('services') : words.text('otherServices'))}
              </bdi>
            </h2>
            <span class="count">{group.total}</span>
            <GroupState group={group} isStale={freshness.isStale} />
          </summary>
          <div class="heads" aria-hidden="true">
            <span>{words.text('service')}</span>
            <span class="ends">
              {hasBars && (
                <>
                  <span>{words.text('barsBegin')}</span>
                  <span>{words.text('barsEnd')}</span>
                </>
              )}
            </span>
            <span class="right">{words.text('uptime')}</span>
            <span class="right">{words.text('latency24')}</span>
          </div>
          <ul class="targets" aria-labelledby={`group-head-${i}`}>
            {group.rows.map((row) => (
              <TargetRow
                row={row}
                isShort={isShort}
                isRoomy={density === 'roomy'}
                incidents={incidents.get(row.target.id) ?? []}
                now={freshness.updatedAt}
              />
            ))}
          </ul>
        </details>
      ))}
    </div>
  );
}

/** All groups, with their rows on one page. */
function groupsOf({ targets, isShown, rows: { first, count } }: GroupsProps): Group[] {
  const members = new Map<string | null, Row[]>();
  for (const target of targets) {
    const row = { target, status: shownStatus(target) };
    const rows = members.get(target.group);
    if (rows === undefined) members.set(target.group, [row]);
    else rows.push(row);
  }
  const groups = [...members].map(([name, all]) => {
    const [worst = 'up'] = all.map(({ status }) => status).sort(byUrgency);
    const place = { name: name ?? '', order: orderOf(all.map(({ target }) => target)) };
    return { name, all, worst, place };
  });
  groups.sort(
    (a, b) =>
      byUrgency(a.worst, b.worst) ||
      Number(a.name === null) - Number(b.name === null) ||
      byOrder(a.place, b.place),
  );
  let before = 0;
  return groups.map(({ name, all }) => {
    const shown = all.filter(({ target }) => isShown(target)).length;
    const from = Math.max(0, first - before);
    const to = Math.min(shown, first + count - before);
    before += shown;
    // Comparing names is dear: those of other pages are left as they are.
    if (from < to) all.sort((a, b) => byUrgency(a.status, b.status) || byOrder(a.target, b.target));
    const counts = new Map<Shown, number>();
    const readable = all.filter(({ target }) => target.unread !== true);
    for (const { status } of readable) counts.set(status, (counts.get(status) ?? 0) + 1);
    const rows = from < to ? all.filter(({ target }) => isShown(target)).slice(from, to) : [];
    return { name, rows, counts, unread: all.length - readable.length, total: all.length };
  });
}

/** The state of a group in a few words. */
function GroupState({
  group: { counts, unread, total },
  isStale,
}: {
  group: Group;
  isStale: boolean;
}): JSX.Element | null {
  const words = useWords();
  if (isStale) return null;
  const down = counts.get('down') ?? 0;
  const degraded = counts.get('degraded') ?? 0;
  const parts = [
    ...(down > 0 ? [words.text('count.down', { count: down })] : []),
    ...(degraded > 0 ? [words.text('count.degraded', { count: degraded })] : []),
    ...(unread > 0 ? [words.text('unreadCount', { count: unread })] : []),
  ];
  const mood = down > 0 ? 'down' : degraded > 0 ? 'degraded' : 'unknown';
  if (parts.length > 0) return <RolledUp mood={mood} words={parts.join(', ')} />;
  const up = counts.get('up') ?? 0;
  if (up === total) return <RolledUp mood="up" words={words.text('groupAllUp')} />;
  const [first = 'paused'] = counts.keys();
  const others = [...counts].map(([status, count]) => words.text(`count.${status}`, { count }));
  return <RolledUp mood={up > 0 ? 'up' : first} words={others.join(', ')} />;
}

function RolledUp({ mood, words }: { mood: Mood; words: string }): JSX.Element {
  return (
    <span class={`rolled-up status ${mood}`}>
      <Glyph mood={mood} />
      <span>{words}</span>
    </span>
  );
}

function TargetRow({
  row: { target, status },
  isShort,
  isRoomy,
  incidents,
  now,
}: {
  row: Row;
  isShort: boolean;
  isRoomy: boolean;
  incidents: readonly IncidentView[];
  now: string;
}): JSX.Element {
  const words = useWords();
  const { id, name, uptimeRatio, coverage, latencyMs } = target;
  const mood = targetMood(target);
  const covered = coverage['90d'];
  const few = fewSamples('p50', latencyMs.samples, words);
  return (
    <li class="target" data-status={filterState(target)}>
      <div class="who">
        <Glyph mood={mood} size={isRoomy ? 18 : 16} />
        <div>
          <a class="name" href={`/t/${id}`} id={`to-${id}`}>
            <bdi>{name}</bdi>
          </a>
          <Notes target={target} status={status} isRoomy={isRoomy} />
        </div>
      </div>
      {target.days.length === 0 ? (
        <span />
      ) : (
        <DayBars
          days={target.days}
          incidents={incidents}
          now={now}
          href={`/t/${id}#days`}
          told={isShort ? 0 : 10}
          withIncidents={!isShort}
        />
      )}
      <div class="uptime right">
        <span class="label">{words.text('uptime')} </span>
        <strong>{words.percent(uptimeRatio['90d'])}</strong>
        {covered !== null && covered < 0.99 && (
          <small>{words.text('observed', { share: words.wholePercent(covered) })}</small>
        )}
      </div>
      <div class="latency right">
        {!isShort && <Sparkline values={target.latencies} />}
        <span>
          <span class="label">{words.text('latency')} </span>
          {words.latency(latencyMs.p50)}
          {few !== null && <small> {few}</small>}
        </span>
      </div>
    </li>
  );
}

/** The state in a word, unseen where its sign says enough, and whether its host was kept awake. */
function Notes({
  target,
  status,
  isRoomy,
}: {
  target: TargetSummary;
  status: Shown;
  isRoomy: boolean;
}): JSX.Element {
  const words = useWords();
  const isUnknown = targetMood(target) === 'unknown';
  const awake = !isUnknown && (status === 'up' || status === 'degraded') ? awakeInWords(target, words) : null;
  const { keptAwake, coldStarts } = target.awake;
  const slept = keptAwake === false || (keptAwake === null && coldStarts > 0);
  const word =
    target.unread === true
      ? words.text('unreadStatus')
      : isUnknown
        ? words.text('wasStatus', { state: words.text(`state.${status}`) })
        : words.text(`status.${status}`);
  return (
    <p class="sub">
      <span class={`word ${targetMood(target)}${status === 'up' && !isUnknown && !isRoomy ? ' hidden' : ''}`}>
        {word}
      </span>
      {awake !== null && (isRoomy || slept) && <span class={slept ? 'awake not' : 'awake'}>{awake}</span>}
    </p>
  );
}
