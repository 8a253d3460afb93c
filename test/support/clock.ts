/** A clock on which sleeping takes no time: it jumps to the next waking when nothing else is left to do. */
export class VirtualClock {
  private readonly sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  private jumping = false;

  constructor(public now: number) {}

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = {
        at: this.now + ms,
        wake: () => {
          this.sleepers.delete(sleeper);
          signal?.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      this.sleepers.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake, { once: true });
      this.jump();
    });
  }

  private jump(): void {
    if (this.jumping) return;
    this.jumping = true;
    // Two turns of the event loop: whoever was woken has by then gone back to sleep, or asked for more.
    setImmediate(() =>
      setImmediate(() => {
        this.jumping = false;
        const [next] = [...this.sleepers].sort((a, b) => a.at - b.at);
        if (next === undefined) return;
        this.now = Math.max(this.now, next.at);
        next.wake();
        if (this.sleepers.size > 0) this.jump();
      }),
    );
  }
}
