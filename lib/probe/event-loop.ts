const waiting: (() => void)[] = [];

/**
 * Runs `task` once the pending events of this event-loop turn have been handled: one task per turn, in the order of the
 * calls. Otherwise the work that follows one event would delay the next event, and be measured as another target's latency.
 * This way an event waits for one task at most before its time is noted.
 */
export function afterEvents(task: () => void): void {
  if (waiting.push(task) === 1) setImmediate(runNext);
}

function runNext(): void {
  const task = waiting.shift();
  if (waiting.length > 0) setImmediate(runNext);
  task?.();
}

/** The number of tasks that have not run yet. */
export const tasksWaiting = (): number => waiting.length;
