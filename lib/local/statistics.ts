import type { State } from '../record/state-model.js';
import { successRate } from '../rules/counters.js';
import { HOUR } from '../time.js';
import type { WatchedTarget } from '../types.js';

const FIRST_AFTER_PINGS = 10;
const TARGETS_NAMED = 10;

/** Decides when a line of statistics is printed: after the first ten pings of this process, and then once an hour. */
export class StatisticsClock {
  private pings = 0;
  private printedAt: number | null = null;

  /**
   * Counts the pings of a run that has ended.
   * @param now ms, of any clock that does not go back
   * @returns whether a line is due now; it then counts as printed
   */
  isDue(pings: number, now: number): boolean {
    this.pings += pings;
    const isDue = this.printedAt === null ? this.pings >= FIRST_AFTER_PINGS : now - this.printedAt >= HOUR;
    if (isDue) this.printedAt = now;
    return isDue;
  }
}

/** `statistics: 120 pings, 3 failed, success rate 97.5 %, down: api`, of the targets that are configured, since each was added. */
export function statisticsLine(
  targets: readonly Pick<WatchedTarget, 'info'>[],
  states: State['targets'],
): string {
  const ids = new Set(targets.map(({ info }) => info.id));
  const known = states.filter((target) => target !== null).filter(({ id }) => ids.has(id));
  const pings = known.reduce((sum, { counters }) => sum + counters.pings, 0);
  const failures = known.reduce((sum, { counters }) => sum + counters.failures, 0);
  const down = known.filter(({ status }) => status === 'down').map(({ id }) => id);
  const rest = down.length - TARGETS_NAMED;
  const named = down.slice(0, TARGETS_NAMED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
  return `statistics: ${pings} pings, ${failures} failed, success rate ${successRate(pings, failures) ?? '–'} %, ${down.length === 0 ? 'nothing is down' : `down: ${named}`}`;
}
