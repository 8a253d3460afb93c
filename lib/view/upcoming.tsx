import type { MaintenanceSpan } from '../read/views.js';
import { MaintenanceLine } from './maintenance-line.js';
import { useWords } from './phrase.js';
import type { JSX } from 'preact';

/** Windows that are shown; the others stand behind them. */
const SHOWN = 4;

/** Maintenance that begins soon, the next one first. */
export function Upcoming({
  spans,
  now,
  isNamed = true,
}: {
  spans: readonly MaintenanceSpan[];
  now: string;
  /** False on the page of the only service that it is about. */
  isNamed?: boolean;
}): JSX.Element | null {
  const words = useWords();
  if (spans.length === 0) return null;
  const lines = spans.map((span) => <MaintenanceLine window={span} now={now} isNamed={isNamed} />);
  const behind = lines.length - SHOWN;
  return (
    <section>
      <h2>{words.text('upcoming')}</h2>
      <div class="past">{lines.slice(0, SHOWN)}</div>
      {behind > 0 && (
        <details id="more-upcoming">
          <summary>{words.text('moreUpcoming', { count: behind })}</summary>
          <div class="past">{lines.slice(SHOWN)}</div>
        </details>
      )}
    </section>
  );
}
