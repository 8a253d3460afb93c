/** The runs that a process has under way: it waits for them before it ends, and then asks for no more rounds. */
export class RunsUnderWay {
  private readonly stop = new AbortController();
  private readonly runs = new Set<Promise<unknown>>();

  /** Aborts when the process is to end. */
  get stopping(): AbortSignal {
    return this.stop.signal;
  }

  track<T>(run: Promise<T>): Promise<T> {
    const forget = (): unknown => this.runs.delete(run);
    this.runs.add(run);
    run.then(forget, forget);
    return run;
  }

  /** Resolves when no run is under way any more. */
  async finish(): Promise<void> {
    this.stop.abort();
    while (this.runs.size > 0) await Promise.allSettled(this.runs);
  }
}
