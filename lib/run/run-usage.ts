import { minus, NO_USAGE, plus, type Usage } from '../rules/account.js';
import type { Meter } from '../store/store.js';
import type { RunContext } from './run-context.js';

/**
 * What one run uses, and how much of it is in the account. What a commit cannot hold (the time after it, a run that was
 * skipped or could not be recorded) is left to the next run of the process.
 *
 * CPU is that of the process since it was last counted: invocations at the same time share it, so that page views in the
 * same process count too, and the start of the process. The functions that pages are read from are processes of their own
 * on Vercel: what they use is not known here.
 */
export class RunUsage {
  private readonly carried: Usage;
  private readonly calledAt = performance.now();
  private claimed: { readonly at: number; readonly waited: number } | null = null;
  private cpuMs = 0;
  private accounted: Usage = NO_USAGE;

  /** @param limit the longest that a run may last, in ms: more was not used, whatever the clock says */
  constructor(
    private readonly context: RunContext,
    private readonly meter: Meter,
    private readonly run: { readonly trigger: string; readonly limit: number },
  ) {
    this.carried = context.backlog.takeUsage();
  }

  /** The lease is had; the clock may be another one from here on. */
  onClaimed(at: number): void {
    this.claimed = { at, waited: performance.now() - this.calledAt };
  }

  /** All so far. @param commands those that are about to be made */
  soFar(commands = 0): Usage {
    const { context, meter, run, claimed } = this;
    this.cpuMs += context.backlog.countCpu(context.cpu());
    const wallMs =
      claimed === null ? performance.now() - this.calledAt : claimed.waited + context.now() - claimed.at;
    return plus(this.carried, {
      wallMs: Math.min(Math.max(0, wallMs), run.limit),
      cpuMs: this.cpuMs,
      commands: meter.commands + commands,
      invocations: 1,
      messages: run.trigger === 'qstash' ? 1 : 0,
    });
  }

  /** So much of it is in a commit that was made. */
  onCommitted(used: Usage): void {
    this.accounted = used;
  }

  /** The run is over. */
  end(): void {
    this.context.backlog.giveBack(minus(this.soFar(), this.accounted));
  }
}
