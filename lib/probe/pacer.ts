import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import { tasksWaiting } from './event-loop.js';

/** Starts that a ms of the event loop's idle time earns, and one in which it was busy: as much as it can bear. */
const STARTS_PER_IDLE_MS = 5;
const STARTS_PER_BUSY_MS = 0.3;
/** Starts in one turn of the event loop at most. */
const BURST = 5;
/** While more tasks than this wait for their turn, nothing is started: what is under way comes first. */
const MOST_WAITING = 10;

export interface Pacer {
  /** Calls `task` when there is a place for it; settles as it does. In the order of the calls. */
  run<T>(task: () => Promise<T>): Promise<T>;
}

/**
 * Bounds how many tasks are under way at once (1 or more), and starts them no faster than the event loop keeps up with:
 * what comes while it is busy is noticed late, and would be measured as the target's latency.
 */
export function createPacer(
  concurrency: number,
  loop: () => Pick<EventLoopUtilization, 'idle' | 'active'> = () => performance.eventLoopUtilization(),
): Pacer {
  const waiting: (() => void)[] = [];
  let next = 0;
  let running = 0;
  let budget = 0;
  let last = loop();
  let timer: NodeJS.Timeout | null = null;

  const start = () => {
    const now = loop();
    const earned =
      (now.idle - last.idle) * STARTS_PER_IDLE_MS + (now.active - last.active) * STARTS_PER_BUSY_MS;
    last = now;
    budget = Math.min(BURST, budget + earned);
    while (budget >= 1 && running < concurrency && next < waiting.length && tasksWaiting() <= MOST_WAITING) {
      budget--;
      running++;
      waiting[next++]?.();
    }
    if (next === waiting.length) {
      waiting.length = 0;
      next = 0;
    } else if (running < concurrency) {
      timer ??= setTimeout(() => {
        timer = null;
        start();
      }, 1);
    }
  };

  return {
    async run(task) {
      await new Promise<void>((resolve) => {
        if (running === 0 && waiting.length === 0) {
          // The first ones meet cold code: a quiet time before them earns no burst.
          last = loop();
          budget = 1;
        }
        waiting.push(resolve);
        if (timer === null) start();
      });
      try {
        return await task();
      } finally {
        running--;
        if (timer === null) start();
      }
    },
  };
}
