import { performance } from 'node:perf_hooks';

/** How often the event loop has turned, and how many events were waiting when it came to look for some. */
type LoopMetrics = Pick<typeof performance.nodeTiming.uvMetricsInfo, 'loopCount' | 'eventsWaiting'>;

/**
 * Tells when what an event loop brings has come in: what comes while the loop is busy is seen only at its next turn, and
 * that wait is ours, not the target's. Times in ms, as of `performance.now`.
 */
export class ArrivalClock {
  /** The turn that was seen last, when it was first seen, and the same of the one before it, if that was seen too. */
  #turn = -1;
  #seenAt = 0;
  #before: number | null = null;
  #waiting = 0;
  /** Events of this turn were waiting while the one before it was busy. */
  #waited = false;

  constructor(
    private readonly metrics: () => LoopMetrics = () => performance.nodeTiming.uvMetricsInfo,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Notes that this turn has come; called early in each, it makes what `arrival` tells more exact. */
  note(): void {
    const { loopCount, eventsWaiting } = this.metrics();
    if (loopCount === this.#turn) return;
    this.#before = loopCount === this.#turn + 1 ? this.#seenAt : null;
    this.#waited = eventsWaiting > this.#waiting;
    this.#turn = loopCount;
    this.#waiting = eventsWaiting;
    this.#seenAt = this.now();
  }

  /**
   * When the event came that is being handled, which was awaited `since` then. Where it waited for the loop, nobody knows
   * how long: then it is the middle of the time in which it can have come.
   */
  arrival(since: number): number {
    this.note();
    if (this.#seenAt < since) return this.now();
    if (!this.#waited || this.#before === null) return this.#seenAt;
    return (Math.max(this.#before, since) + this.#seenAt) / 2;
  }
}

/** Of the process's event loop. */
export const arrivals = new ArrivalClock();
