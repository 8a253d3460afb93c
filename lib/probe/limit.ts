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

/** One time limit over a whole attempt, whatever it is doing, and the end of the run it belongs to. */
export class Limit implements Clock {
  stage: Stage = 'resolving';
  #failure: ProbeFailure | null = null;
  #stop: (failure: ProbeFailure) => void = () => undefined;
  /** Time that was over before the clock last began to run. */
  #before = 0;
  #runsSince: number | null = null;
  /** When the step began that is under way. */
  #stepSince = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #ms: number;
  readonly #siblings: Set<Limit>;

  constructor(ms: number, signal: AbortSignal) {
    this.#ms = Math.min(ms, LONGEST_TIMER);
    this.#siblings = limitsOf(signal);
    this.#siblings.add(this);
    this.resume();
    if (signal.aborted) this.end();
  }

  /** Time that the target has taken until the event that is being handled, in ms. */
  get elapsed(): number {
    const since = this.#runsSince;
    return this.#before + (since === null ? 0 : arrivals.arrival(Math.max(since, this.#stepSince)) - since);
  }

  /** From here on, only the end of the run stops a step. */
  pause(): void {
    this.#before = this.elapsed;
    this.#runsSince = null;
    clearTimeout(this.#timer);
  }

  /** Does nothing where the limit has ended. */
  resume(): void {
    if (this.#failure) return;
    this.#runsSince = performance.now();
    this.#timer = setTimeout(
      () => this.end(new ProbeFailure('timeout', `timed out ${this.stage}`)),
      this.#ms - this.#before,
    );
  }

  /** Runs one step. `start` returns how to stop it; when the limit ends, it is stopped and the promise rejects. */
  guard<T>(
    stage: Stage,
    start: (resolve: (value: T) => void, reject: (error: Error) => void) => () => void,
  ): Promise<T> {
    this.stage = stage;
    this.#stepSince = performance.now();
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      const stop = start(resolve, reject);
      this.#stop = (failure) => {
        reject(failure);
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
}
