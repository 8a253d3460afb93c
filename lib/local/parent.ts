/** Ms between two looks. */
const PERIOD = 1_000;

/** Calls `ended` once the process that started this one is gone: the system then gives it another parent. */
export function whenParentEnds(ended: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    ended();
  }, PERIOD);
  timer.unref();
}
