/** Calls `work` now and then once every period, one call at a time; a call that took longer is followed at once. */
export class Scheduler {
  private stopping = false;
  private wake: () => void = () => undefined;
  private readonly ended: Promise<void>;

  constructor(
    private readonly period: number,
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
      const startedAt = performance.now();
      await this.work();
      await this.pause(startedAt + this.period - performance.now());
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
