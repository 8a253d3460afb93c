/** How often each size is measured; the fastest counts. */
const ROUNDS = 7;
/** A measurement repeats the work until it has taken this long, in ms: the clock must not be what is measured. */
const SHORTEST = 5;

/**
 * How many times as long the work takes when its input grows eightfold: about 8 where it is linear, 64 where it is
 * quadratic. It compares the machine with itself, so that its speed does not matter.
 * @param prepare makes the input of a size, which is not measured, and gives the work on it
 */
export function growth(prepare: (size: number) => () => unknown, size: number): number {
  const [small, large] = [prepare(size), prepare(8 * size)];
  const times = { small: Infinity, large: Infinity };
  for (let round = 0; round < ROUNDS; round++) {
    times.small = Math.min(times.small, measure(small));
    times.large = Math.min(times.large, measure(large));
  }
  return times.large / times.small;
}

/** A limit between linear and quadratic, with room for caches, garbage and rehashing. */
export const LINEAR = 36;

/** Ms of CPU for one time: what other processes do meanwhile does not count. */
function measure(work: () => unknown): number {
  const before = process.cpuUsage();
  for (let count = 1; ; count++) {
    work();
    const { user, system } = process.cpuUsage(before);
    const taken = (user + system) / 1000;
    if (taken >= SHORTEST) return taken / count;
  }
}
