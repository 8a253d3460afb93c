const waiting: (() => void)[] = [];

/**
 * Runs `task` after the events that the event loop has brought with this turn, one task a turn, in the order of the calls.
 * The work that follows an event would otherwise delay the next one, and be measured as another target's latency: this
 * way an event is seen, and its time noted, no more than one task after it came.
 */
export function afterEvents(task: () => void): void {
  if (waiting.push(task) === 1) setImmediate(runNext);
}

function runNext(): void {
  const task = waiting.shift();
  if (waiting.length > 0) setImmediate(runNext);
  task?.();
}

/** How many tasks wait for their turn. */
export const tasksWaiting = (): number => waiting.length;
