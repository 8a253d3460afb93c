import type { Freshness, TargetSummary } from '../read/views.js';
import { EpisodeCard } from './episode-card.js';
import { episodes, type Trouble } from './episodes.js';
import { Glyph, Labelled, Moment } from './components.js';
import { byOrder, byUrgency } from './order.js';
import { Phrase, useWords } from './phrase.js';
import { namesInWords, shownStatus } from './words.js';
import type { JSX } from 'preact';

/** Cards that are shown; the others stand behind them. */
const CARDS = 6;

/** What is wrong now, down before degraded, the latest first; then the maintenance that is under way. */
export function Problems({
  targets,
  freshness,
}: {
  targets: readonly TargetSummary[];
  freshness: Freshness;
}): JSX.Element | null {
  const words = useWords();
  const now = freshness.updatedAt;
  const found = episodes(
    targets
      .flatMap((target) => troublesOf(target, now).map((trouble) => ({ trouble, order: target.order })))
      .sort(
        ({ trouble: a, order: first }, { trouble: b, order: second }) =>
          byUrgency(a.mood, b.mood) ||
          byOrder({ name: a.target.name, order: first }, { name: b.target.name, order: second }),
      )
      .map(({ trouble }) => trouble),
  );
  const windows = maintenanceOf(targets);
  if (found.length === 0 && windows.length === 0) return null;
  const behind = found.slice(CARDS);
  return (
    <section class="incidents">
      {found.length > 0 && <h2>{words.text(freshness.isStale ? 'problemsThen' : 'problems')}</h2>}
      {found.slice(0, CARDS).map((episode) => (
        <EpisodeCard episode={episode} now={now} heading="h3" />
      ))}
      {behind.length > 0 && (
        <details id="more-problems">
          <summary>{words.text('moreProblems', { count: behind.length })}</summary>
          {behind.map((episode) => (
            <EpisodeCard episode={episode} now={now} heading="h3" />
          ))}
        </details>
      )}
      {windows.map(({ until, reason, names, isAll }) => (
        <article class="incident maintenance">
          <p>
            <Glyph mood="maintenance" />{' '}
            <Labelled text={reason}>
              <strong>
                <Phrase name="maintenanceUntil" values={{ time: <Moment at={until} now={now} /> }} />
              </strong>
            </Labelled>
          </p>
          <p class="quiet">
            <bdi>{namesInWords(names, isAll, words)}</bdi>
          </p>
        </article>
      ))}
    </section>
  );
}

function troublesOf(target: TargetSummary, now: string): Trouble[] {
  const { id, name, incident, message, since } = target;
  const status = shownStatus(target);
  if (status === 'down') {
    const startedAt = incident?.startedAt ?? since ?? now;
    const text = incident?.message ?? message ?? '';
    return [{ target: { id, name }, mood: 'down', message: text, startedAt, endedAt: null, incident }];
  }
  if (status !== 'degraded') return [];
  return [
    {
      ...{ target: { id, name }, mood: 'degraded', incident: null },
      ...{ message: message ?? '', startedAt: since ?? now, endedAt: null },
    },
  ];
}

interface OpenMaintenance {
  readonly until: string;
  readonly reason: string | null;
  readonly names: string[];
  readonly isAll: boolean;
}

function maintenanceOf(targets: readonly TargetSummary[]): OpenMaintenance[] {
  const found = new Map<string, { until: string; reason: string | null; names: string[] }>();
  for (const target of targets) {
    const { maintenance, name } = target;
    if (maintenance === null || shownStatus(target) !== 'maintenance') continue;
    const key = JSON.stringify([maintenance.until, maintenance.reason]);
    const window = found.get(key) ?? { ...maintenance, names: [] };
    window.names.push(name);
    found.set(key, window);
  }
  return [...found.values()].map((each) => ({ ...each, isAll: each.names.length === targets.length }));
}
