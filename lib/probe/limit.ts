import { arrivals } from './arrival.js';
import { ProbeFailure } from './failure.js';

/** Message of an attempt that was cut short by its run, not by its own time limit: it says nothing of the target. */
export const RUN_OVER = "the run's time was up";

export type Stage =
  | 'resolving'
  | 'connecting'
  | 'in the TLS handshake'
  | 'waiting for the answer'
  | 'in the body'
  | 'being judged';

const LONGEST_TIMER = 2 ** 31 - 1;

/** The limits that a run's signal ends: one listener for all, as adding one to each costs more than its timer. */
const bySignal = new WeakMap<AbortSignal, Set<Limit>>();

function limitsOf(signal: AbortSignal): Set<Limit> {
  const known = bySignal.get(signal);
  if (known) return known;
  const limits = new Set<Limit>();
  bySignal.set(signal, limits);
  signal.addEventListener('abort', () => limits.forEach((limit) => limit.end()), { once: true });
  return limits;
}

/** A clock that stands still while a target waits for us. */
export interface Clock {
  pause(): void;
  resume(): void;
}

/**
 * One time limit over a whole attempt, whatever it is doing, and the end of the run it belongs to. Its clock runs while a
 * step does: what goes by between two steps is our own doing.
 */
export class Limit implements Clock {
  stage: Stage = 'resolving';
  #failure: ProbeFailure | null = null;
  #stop: (failure: ProbeFailure) => void = () => undefined;
  /** Time that was over before the clock last began to run. */
  #before = 0;
  #runsSince: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  readonly #ms: number;
  readonly #siblings: Set<Limit>;

  constructor(ms: number, signal: AbortSignal) {
    this.#ms = Math.min(ms, LONGEST_TIMER);
    this.#siblings = limitsOf(signal);
    this.#siblings.add(this);
    this.#setTimer();
    if (signal.aborted) this.end();
  }

  /** Time that the target has taken until the event that is being handled, in ms. */
  get elapsed(): number {
    const since = this.#runsSince;
    return this.#before + (since === null ? 0 : arrivals.arrival(since) - since);
  }

  /** From here on, only the end of the run stops a step. */
  pause(): void {
    this.#stand();
    clearTimeout(this.#timer);
  }

  /** Does nothing where the limit has ended. */
  resume(): void {
    if (this.#failure) return;
    this.#runsSince = performance.now();
    this.#setTimer();
  }

  /** Runs one step. `start` returns how to stop it; when the limit ends, it is stopped and the promise rejects. */
  guard<T>(
    stage: Stage,
    start: (resolve: (value: T) => void, reject: (error: Error) => void) => () => void,
  ): Promise<T> {
    this.stage = stage;
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      let isOver = false;
      const over = () => {
        if (!isOver) this.#stand();
        isOver = true;
      };
      const succeed = (value: T) => {
        over();
        resolve(value);
      };
      const fail = (error: Error) => {
        over();
        reject(error);
      };
      this.#runsSince = performance.now();
      const stop = start(succeed, fail);
      this.#stop = (failure) => {
        fail(failure);
        stop();
      };
    });
  }

  /** Stops what is under way and lets nothing begin; without a failure of its own, because the run is over. */
  end(failure = new ProbeFailure('timeout', RUN_OVER)): void {
    this.#failure ??= failure;
    this.#stop(this.#failure);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#siblings.delete(this);
  }

  #stand(): void {
    this.#before = this.elapsed;
    this.#runsSince = null;
  }

  #setTimer(): void {
    this.#timer = setTimeout(
      () => this.end(new ProbeFailure('timeout', `timed out ${this.stage}`)),
      this.#ms - this.#before,
    );
  }
}
