/** When a target was last checked, and how soon it wants the next check. */
export interface Pace {
  /** Null: never. */
  readonly lastCheckAt: number | null;
  readonly interval: number;
  /** A count toward another status is under way: due at every run, whatever the interval. */
  readonly settling: boolean;
}

/** When the next check is wanted; never checked: at once. */
function dueAt(pace: Pace, tick: number): number {
  if (pace.lastCheckAt === null) return Number.NEGATIVE_INFINITY;
  return pace.lastCheckAt + spacing(pace, tick);
}

/**
 * Whether this run is the nearest to the wanted time: a check is made up to half a tick early (or half its spacing,
 * if that is shorter) rather than half a tick late. So a trigger that wobbles skips nobody, and a doubled one pings
 * nobody twice. A last check in the future (a clock was set back) counts as due.
 */
export function isDue(pace: Pace, now: number, tick: number): boolean {
  if (pace.lastCheckAt !== null && pace.lastCheckAt > now + tick) return true;
  return dueAt(pace, tick) - Math.min(spacing(pace, tick), tick) / 2 <= now;
}

/** The due among `items`, longest overdue first. */
export function chooseDue<T>(items: readonly T[], paceOf: (item: T) => Pace, now: number, tick: number): T[] {
  return items
    .map((item) => ({ item, pace: paceOf(item) }))
    .filter(({ pace }) => isDue(pace, now, tick))
    .map(({ item, pace }) => ({ item, at: dueAt(pace, tick) }))
    .sort((a, b) => (a.at === b.at ? 0 : a.at - b.at))
    .map(({ item }) => item);
}

function spacing(pace: Pace, tick: number): number {
  return pace.settling ? Math.min(pace.interval, tick) : pace.interval;
}
