/** When a target was last checked, and how soon it wants the next check. */
export interface DueState {
  /** Null: never. */
  readonly lastCheckAt: number | null;
  readonly interval: number;
  /** A count toward another status is under way: due at every run, whatever the interval. */
  readonly settling: boolean;
  /** Its last check is open: due at every run, before all others. */
  readonly isOpen?: boolean;
}

/** When the next check is due; a target that was never checked is due at once. */
function dueAt(state: DueState, tick: number): number {
  if (state.lastCheckAt === null || state.isOpen) return Number.NEGATIVE_INFINITY;
  return state.lastCheckAt + spacing(state, tick);
}

/**
 * Whether this run is the nearest to the wanted time: a check is made up to half a tick early (or half its spacing,
 * if that is shorter) rather than half a tick late. So a trigger that is a little early or late skips no target, and one
 * that fires twice pings none twice. A last check in the future (the clock was set back) makes the target due.
 */
export function isDue(state: DueState, tick: number, now: number): boolean {
  if (state.lastCheckAt !== null && state.lastCheckAt > now + tick) return true;
  return dueAt(state, tick) - Math.min(spacing(state, tick), tick) / 2 <= now;
}

/** The due among `items`, longest overdue first. */
export function chooseDue<T>(
  items: readonly T[],
  dueStateOf: (item: T) => DueState,
  tick: number,
  now: number,
): T[] {
  return items
    .map((item) => ({ item, state: dueStateOf(item) }))
    .filter(({ state }) => isDue(state, tick, now))
    .map(({ item, state }) => ({ item, at: dueAt(state, tick) }))
    .sort((a, b) => (a.at === b.at ? 0 : a.at - b.at))
    .map(({ item }) => item);
}

function spacing(state: DueState, tick: number): number {
  return state.settling ? Math.min(state.interval, tick) : state.interval;
}
