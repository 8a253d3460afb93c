/** What a method is to do, in a process of its own. */
export interface Order {
  readonly urls: readonly string[];
  /** How many may be under way at once. */
  readonly inFlight: number;
  /** PEM of the authority behind the target server. */
  readonly ca: string;
  /** A name server as `address:port`; null: the system's. */
  readonly nameServer: string | null;
}

/** What it cost, in ms and bytes, and what it found. */
export interface Outcome {
  readonly wall: number;
  /** User and system time of all threads. */
  readonly cpu: number;
  readonly peakMemory: number;
  /** As the method reports them, in the order of the URLs; null: found down. */
  readonly latencies: readonly (number | null)[];
  /** All targets are well. */
  readonly falseDowns: number;
}

/** Latency in ms; null: found down. */
export type CheckOne = (url: string) => Promise<number | null>;

/** What a method's process does: waits for its order, prepares, measures the checks alone, answers, ends. */
export function onOrder(prepare: (order: Order) => CheckOne | Promise<CheckOne>): void {
  process.once('message', (message) => {
    const order = message as Order;
    void Promise.resolve(prepare(order))
      .then((check) => measure(order, check))
      .then((outcome) => process.send?.(outcome, () => process.exit(0)));
  });
}

async function measure({ urls, inFlight }: Order, check: CheckOne): Promise<Outcome> {
  const before = process.cpuUsage();
  const measured = await inParallel(urls, inFlight, check);
  const { user, system } = process.cpuUsage(before);
  const peakMemory = process.resourceUsage().maxRSS * 1024;
  return { ...measured, cpu: (user + system) / 1000, peakMemory };
}

/** Checks all, at most `inFlight` at once. */
export async function inParallel(
  urls: readonly string[],
  inFlight: number,
  check: CheckOne,
): Promise<Pick<Outcome, 'wall' | 'latencies' | 'falseDowns'>> {
  const latencies: (number | null)[] = [];
  let next = 0;
  const work = async () => {
    for (let i = next++; i < urls.length; i = next++) {
      latencies[i] = await check(urls[i] ?? '').catch(() => null);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: Math.min(inFlight, urls.length) }, work));
  const wall = performance.now() - start;
  return { wall, latencies, falseDowns: latencies.filter((latency) => latency === null).length };
}
