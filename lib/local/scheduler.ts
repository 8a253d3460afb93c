import type { Store } from '../store/store.js';
import { MINUTE } from '../time.js';

/** Ms; shorter intervals are kept by rounds within a run where commits cost something. */
const ROUNDS_BELOW = MINUTE;

/**
 * Ms between two runs on one machine. The embedded database costs nothing a commit, so a run comes as often as the
 * quickest target wants it, and its results are on record at once. Commands of a remote one are paid for: there, only
 * intervals of a minute and more have runs of their own. A run comes no later than the tick.
 */
export function periodOf(store: Store['kind'], tick: number, intervals: readonly number[]): number {
  const shortest = Math.min(tick, ...intervals);
  return store === 'sqlite' ? shortest : Math.min(tick, Math.max(shortest, ROUNDS_BELOW));
}

/** Where in its period a call counts as the next one. */
const EARLY = 0.1;

/**
 * Ms from a call to the next one where several machines call in the same moment, at full periods of their common clock. A
 * call that comes a little before such a moment stands for it.
 * @param now ms since the epoch, when the call began
 */
export function untilFullPeriod(now: number, period: number): number {
  return (Math.floor(now / period + EARLY) + 1) * period - now;
}

/** Calls `work` now and then once every period, one call at a time; a call that took longer is followed at once. */
export class Scheduler {
  private stopping = false;
  private wake: () => void = () => undefined;
  private readonly ended: Promise<void>;

  /** @param period ms from a call that begins now to the next one */
  constructor(
    private readonly period: () => number,
    private readonly work: () => Promise<void>,
  ) {
    this.ended = this.loop();
  }

  /** Resolves when the call under way has ended; none is begun after. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wake();
    await this.ended;
  }

  private async loop(): Promise<void> {
    while (!this.stopping) {
      const next = performance.now() + this.period();
      await this.work();
      await this.pause(next - performance.now());
    }
  }

  private async pause(ms: number): Promise<void> {
    if (this.stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, ms));
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
