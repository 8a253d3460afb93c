/** Starts a ms and in one burst: more at once spoils the latencies measured (MEASURES). */
const STARTS_PER_MS = 3;
const BURST = 8;

/**
 * Calls `fn` for every item, in order, at most `concurrency` (1 or more) at a time, the starts paced.
 * One call that throws or rejects harms no other: the results tell. Never rejects.
 */
export function runPaced<T, R>(
  items: readonly T[],
  concurrency: number,
  fn: (item: T, index: number) => Promise<R>,
): Promise<PromiseSettledResult<R>[]> {
  const results: PromiseSettledResult<R>[] = [];
  let started = 0;
  let running = 0;
  let budget = BURST;
  let last = performance.now();
  let waiting = false;

  return new Promise((resolve) => {
    const call = async (index: number) => {
      try {
        results[index] = { status: 'fulfilled', value: await fn(items[index] as T, index) };
      } catch (reason) {
        results[index] = { status: 'rejected', reason };
      }
      running--;
      proceed();
    };

    const start = () => {
      waiting = false;
      const now = performance.now();
      budget = Math.min(BURST, budget + (now - last) * STARTS_PER_MS);
      last = now;
      while (budget >= 1 && running < concurrency && started < items.length) {
        budget--;
        running++;
        void call(started++);
      }
      proceed();
    };

    const proceed = () => {
      if (started < items.length) {
        if (waiting || running >= concurrency) return;
        waiting = true;
        setTimeout(start, 1);
      } else if (running === 0) resolve(results);
    };

    start();
  });
}
