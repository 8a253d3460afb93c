import { setMaxListeners } from 'node:events';
import { ProbeFailure } from './failure.js';

/** Message of an attempt that was cut short by its run, not by its own time limit: it says nothing of the target. */
export const RUN_OVER = "the run's time was up";

export type Stage =
  'resolving' | 'connecting' | 'in the TLS handshake' | 'waiting for the answer' | 'in the body';

const LONGEST_TIMER = 2 ** 31 - 1;

/** One time limit over a whole attempt, whatever it is doing, and the end of the run it belongs to. */
export class Limit {
  stage: Stage = 'resolving';
  #failure: ProbeFailure | null = null;
  #stop: (failure: ProbeFailure) => void = () => undefined;
  readonly #signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = () => this.#end(new ProbeFailure('timeout', RUN_OVER));

  constructor(ms: number, signal: AbortSignal) {
    this.#signal = signal;
    this.#timer = setTimeout(
      () => this.#end(new ProbeFailure('timeout', `timed out ${this.stage}`)),
      Math.min(ms, LONGEST_TIMER),
    );
    // All attempts of a run listen to its one signal.
    setMaxListeners(0, signal);
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
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
      const stop = start(resolve, reject);
      this.#stop = (failure) => {
        reject(failure);
        stop();
      };
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  #end(failure: ProbeFailure): void {
    this.#failure ??= failure;
    this.#stop(this.#failure);
  }
}
