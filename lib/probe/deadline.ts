import { Interruption, ProbeFailure } from './failure.js';
import { afterEvents } from './event-loop.js';

export type Stage =
  | 'resolving'
  | 'connecting'
  | 'asking for TLS'
  | 'in the TLS handshake'
  | 'waiting for the greeting'
  | 'logging in'
  | 'waiting for the answer'
  | 'waiting for the expected text'
  | 'in the body'
  | 'being judged';

const LONGEST_TIMER = 2 ** 31 - 1;

/** The deadlines that the signal of a run ends. They share one listener: adding one to each costs more than its timer. */
const bySignal = new WeakMap<AbortSignal, Set<Deadline>>();

function deadlinesOf(signal: AbortSignal): Set<Deadline> {
  const known = bySignal.get(signal);
  if (known) return known;
  const deadlines = new Set<Deadline>();
  bySignal.set(signal, deadlines);
  signal.addEventListener('abort', () => deadlines.forEach((deadline) => deadline.end()), { once: true });
  return deadlines;
}

/** A clock that can be stopped while the target waits for our own process. */
export interface Clock {
  pause(): void;
  resume(): void;
}

/**
 * The deadline of one attempt; the end of the run ends the attempt too. The clock runs only while a step (DNS, connect, TLS,
 * response) is pending, so that our own scheduling delay is not counted as the target's latency, unless the target went on
 * meanwhile (`continueStep`).
 *
 * A step ends when we see its event. How long the event had waited for the event loop cannot be known, so that wait is
 * counted: a latency is never less than what the target took. `afterEvents` keeps the wait short.
 */
export class Deadline implements Clock {
  stage: Stage = 'resolving';
  #failure: ProbeFailure | null = null;
  #stop: (failure: ProbeFailure) => void = () => undefined;
  /** Ms on the clock when it was last started. */
  #before = 0;
  /** When the clock was started, by `performance.now`; null while it stands still. */
  #runsSince: number | null = null;
  /** When the clock was stopped last, by `performance.now`. */
  #stoppedAt: number | null = null;
  /** The clock's time at which the attempt ends, in ms. */
  #ms: number;
  #isPaused = false;
  /** The deadline has been moved by the time that the timer came late. */
  #isMoved = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #siblings: Set<Deadline>;

  constructor(
    ms: number,
    private readonly signal: AbortSignal,
  ) {
    this.#ms = Math.min(ms, LONGEST_TIMER);
    this.#siblings = deadlinesOf(signal);
    this.#siblings.add(this);
    if (signal.aborted) this.end();
  }

  /** Time on the clock, in ms. */
  get elapsed(): number {
    return this.#before + (this.#runsSince === null ? 0 : performance.now() - this.#runsSince);
  }

  /** The time is up, or the run is over. */
  get isOver(): boolean {
    return this.#failure !== null;
  }

  /** Resolves with `work`, after `ms` at the latest, or with the end of the run. */
  async waitFor(work: Promise<unknown>, ms: number): Promise<void> {
    const deadline = new Deadline(ms, this.signal);
    await deadline
      .guard<undefined>('waiting for the answer', (resolve) => {
        const done = () => resolve(undefined);
        work.then(done, done);
        return () => undefined;
      })
      .catch(() => undefined);
    deadline.close();
  }

  /** Restarts the time of the step under way: until now, only our own code has worked on it. */
  beginStep(): void {
    if (this.#runsSince !== null) this.#runsSince = performance.now();
  }

  /**
   * Counts what has passed since the last step ended too: the target speaks without being asked, and did not wait for our own
   * code.
   */
  continueStep(): void {
    if (this.#runsSince !== null && this.#stoppedAt !== null) this.#runsSince = this.#stoppedAt;
  }

  /** Stops the clock. Until `resume`, only the end of the run ends a step. */
  pause(): void {
    this.#stopClock();
    this.#isPaused = true;
  }

  /** Does nothing where the deadline has ended. */
  resume(): void {
    if (this.#failure) return;
    this.#isPaused = false;
    this.#startClock();
  }

  /**
   * Runs one step. `start` begins it and returns how to stop it. When the deadline ends, the step is stopped and the promise
   * rejects. The clock stops when the step calls back, or at `at` where the step noted when it saw the event. The promise
   * settles after the other events of this turn of the event loop, so the connection may be closed by then.
   */
  guard<T>(
    stage: Stage,
    start: (resolve: (value: T, at?: number) => void, reject: (error: Error) => void) => () => void,
  ): Promise<T> {
    this.stage = stage;
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      let isOver = false;
      const finish = (settle: () => void, at = this.elapsed) => {
        if (isOver) return;
        isOver = true;
        this.#stopClock(at);
        afterEvents(settle);
      };
      const fail = (error: Error) => finish(() => reject(error));
      this.#startClock();
      const stop = start((value, at) => finish(() => resolve(value), at), fail);
      this.#stop = (failure) => {
        fail(failure);
        stop();
      };
    });
  }

  /** Our own work as a step: the deadline ends it, but once it is done its time counts for nothing. */
  work<T>(stage: Stage, begin: () => Promise<T>): Promise<T> {
    const start = this.elapsed;
    return this.guard<T>(stage, (resolve, reject) => {
      begin().then((value) => resolve(value, start), reject);
      return () => undefined;
    });
  }

  /** Stops the step under way and refuses further ones. Without a `failure`, the reason is the end of the run. */
  end(failure: ProbeFailure = new Interruption()): void {
    this.#failure ??= failure;
    this.#stop(this.#failure);
  }

  close(): void {
    this.pause();
    clearTimeout(this.#timer);
    this.#siblings.delete(this);
  }

  #startClock(): void {
    this.#runsSince = performance.now();
    if (!this.#isPaused) this.#setTimer();
  }

  #stopClock(at = this.elapsed): void {
    if (this.#runsSince !== null) this.#stoppedAt = this.#runsSince + at - this.#before;
    this.#before = at;
    this.#runsSince = null;
  }

  get #isTicking(): boolean {
    return this.#runsSince !== null && !this.#isPaused;
  }

  /** One timer serves the whole attempt: when the clock has stood still in between, it fires early and is set again. */
  #setTimer(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#checkTime();
    }, this.#ms - this.elapsed);
  }

  #checkTime(): void {
    if (!this.#isTicking) return;
    const late = this.elapsed - this.#ms;
    if (late < 0) {
      this.#setTimer();
    } else if (!this.#isMoved) {
      // Our process was busy for that long, so we could not hear the target: it gets the time back, once.
      this.#isMoved = true;
      this.#ms = this.elapsed + late;
      this.#setTimer();
    } else {
      // The event loop polls before it comes to this: what has arrived is read first.
      setImmediate(() => {
        if (this.#isTicking) this.end(new ProbeFailure('timeout', `timed out ${this.stage}`));
      });
    }
  }
}
