import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import { tasksWaiting } from './event-loop.js';

/** How many tasks may be started for each ms in which the event loop was idle, and for each in which it was busy. */
const STARTS_PER_IDLE_MS = 5;
const STARTS_PER_BUSY_MS = 0.3;
/** At most this many tasks are started in one turn of the event loop. */
const BURST = 5;
/** Nothing is started while more than this many tasks of `event-loop.ts` are waiting. */
const MOST_WAITING = 10;

export interface Pacer {
  /** Calls `task` as soon as it may start, in the order of the calls. Settles as the task does. */
  run<T>(task: () => Promise<T>): Promise<T>;
  /** Resolves when all tasks have been started. */
  whenStarted(): Promise<void>;
}

/**
 * Limits how many tasks are under way at once (1 or more), and starts them no faster than the event loop can keep up: an
 * answer that arrives while the loop is busy is noticed late, and the delay would be measured as the target's latency.
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
  const listening: (() => void)[] = [];

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
      for (const listener of listening.splice(0)) listener();
    } else if (running < concurrency) {
      timer ??= setTimeout(() => {
        timer = null;
        start();
      }, 1);
    }
  };

  return {
    async whenStarted() {
      if (next < waiting.length) await new Promise<void>((resolve) => listening.push(resolve));
    },
    async run(task) {
      await new Promise<void>((resolve) => {
        if (running === 0 && waiting.length === 0) {
          // The first tasks run code that is not compiled yet: idle time before them must not allow a burst.
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
