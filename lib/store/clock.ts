import { MINUTE } from '../time.js';

/** A process whose clock differs from the store's by less than this keeps to its own, in ms. */
const TOLERANCE = 2_000;
/** How long a measurement holds, in ms. */
const HOLDS_FOR = 10 * MINUTE;

interface Measurement {
  /** What the clocks of the process said. */
  readonly wall: number;
  readonly monotonic: number;
  /** Ms by which the store's clock is ahead of the wall clock. */
  readonly ahead: number;
  /** The same, where it is more than the tolerance and the time that the answer took leave open; else 0. */
  readonly correction: number;
}

interface Clocks {
  /** Ms since the epoch. */
  readonly wall: () => number;
  /** Ms; goes on evenly when the wall clock is set. */
  readonly monotonic: () => number;
}

/** The time by the clock of a store on another machine, measured now and then and kept up in between. */
export class StoreClock {
  #measured: Measurement | null = null;

  constructor(
    private readonly clocks: Clocks = { wall: () => Date.now(), monotonic: () => performance.now() },
  ) {}

  /** False where a measurement is wanted: there is none, it is old, or the wall clock was set since. */
  get isMeasured(): boolean {
    return this.#valid() !== null;
  }

  #valid(): Measurement | null {
    const { wall, monotonic } = this.clocks;
    if (this.#measured === null) return null;
    const elapsed = monotonic() - this.#measured.monotonic;
    const wasSet = Math.abs(wall() - this.#measured.wall - elapsed) > TOLERANCE;
    return !wasSet && elapsed < HOLDS_FOR ? this.#measured : null;
  }

  /** Ms since the epoch, whole: by the process's clock, unless that one is wrong. */
  now(): number {
    return this.clocks.wall() + (this.#valid()?.correction ?? 0);
  }

  /** Ms since the epoch, whole: what the store's clock says, as far as is known; null where a measurement is wanted. */
  get storeTime(): number | null {
    const measured = this.#valid();
    return measured === null ? null : this.clocks.wall() + measured.ahead;
  }

  /** Something shows that the store's clock may have been set. */
  forget(): void {
    this.#measured = null;
  }

  /**
   * Begins a measurement, and returns what takes the store's time in ms since the epoch. What is no time is ignored.
   */
  measure(): (storeTime: number) => void {
    const asked = this.clocks.wall();
    return (storeTime) => {
      if (!(storeTime > 0)) return;
      const wall = this.clocks.wall();
      // The store told the time at some moment between question and answer.
      const ahead = Math.round(storeTime - (asked + wall) / 2);
      const isRight = Math.abs(ahead) <= TOLERANCE + (wall - asked) / 2;
      this.#measured = { wall, monotonic: this.clocks.monotonic(), ahead, correction: isRight ? 0 : ahead };
    };
  }
}
