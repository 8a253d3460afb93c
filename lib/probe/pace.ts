/** Starts a ms and in one burst: more at once spoils the latencies measured (MEASURES). */
const STARTS_PER_MS = 3;
const BURST = 8;

export interface Pacer {
  /** Calls `task` when there is a place for it; settles as it does. In the order of the calls. */
  run<T>(task: () => Promise<T>): Promise<T>;
}

/** Bounds how many tasks are under way at once (1 or more), and paces their starts. */
export function createPacer(concurrency: number): Pacer {
  const waiting: (() => void)[] = [];
  let next = 0;
  let running = 0;
  let budget = BURST;
  let last = performance.now();
  let timer: NodeJS.Timeout | null = null;

  const start = () => {
    const now = performance.now();
    budget = Math.min(BURST, budget + (now - last) * STARTS_PER_MS);
    last = now;
    while (budget >= 1 && running < concurrency && next < waiting.length) {
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
