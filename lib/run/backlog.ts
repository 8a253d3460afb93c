import type { Stored } from '../record/ledger.js';
import type { LostData } from '../record/state-model.js';
import type { DeliveryOutcome, SentAlert } from '../rules/delivery-outcome.js';
import { NO_USAGE, plus, type Usage } from '../rules/account.js';
import type { CheckOrOpen } from '../types.js';

/** The checks of one time. */
export interface Batch {
  readonly at: number;
  readonly checks: ReadonlyMap<string, CheckOrOpen>;
}

const MOST_CHECKS = 50_000;

/** What the process uses, whichever of its runs accounts for it. */
export class ProcessUsage {
  /** What runs of this process have used and no commit holds: of runs that were skipped, and what follows a commit. */
  unaccounted: Usage = NO_USAGE;
  /** How much of the process's CPU is counted, in ms. */
  cpuCounted = 0;
}

/**
 * What runs of this process could not store, for the next run that can. Recording a check a second time changes nothing,
 * so a batch is kept until a commit that holds it is known to have succeeded. Each shard has a backlog of its own.
 */
export class Backlog {
  private batches: readonly Batch[] = [];
  /** Results of deliveries that could not be stored: what was delivered must not be delivered again. */
  outcomes: readonly DeliveryOutcome[] = [];
  /** The time span of the data that this process committed to last; null: it has not committed yet. */
  seen: LostData | null = null;
  /**
   * State and outbox as this process knows them: as it last read or committed them, and while nothing can be committed,
   * as they would be. Null: it has seen none yet.
   */
  lastKnown: Stored | null = null;
  /** The stored maintenance, as it was last read. */
  maintenance: string | null = null;
  /** How far mails to subscribers are, where it could not be stored: `now` for what is `stored`. Null: it is stored. */
  mailing: { readonly stored: string | null; readonly now: string } | null = null;
  /** The last run has left mails to the next. */
  expectsMails = false;
  /** Alerts that were sent while nothing could be recorded, in the order of time. */
  sent: readonly SentAlert[] = [];
  /** The first run in a row that could not be recorded; null: the last one could. */
  unrecordedSince: number | null = null;
  /** When the last alert was made that nothing can be recorded. */
  unrecordedSaidAt: number | null = null;

  constructor(
    /** One for all backlogs of the process. */
    private readonly usage = new ProcessUsage(),
  ) {}

  /** What is not accounted for so far; whoever takes it accounts for it, or gives it back. */
  takeUsage(): Usage {
    const taken = this.usage.unaccounted;
    this.usage.unaccounted = NO_USAGE;
    return taken;
  }

  giveBack(used: Usage): void {
    this.usage.unaccounted = plus(this.usage.unaccounted, used);
  }

  /** @param cpu of the process so far, in ms @returns how much of it was not counted before */
  countCpu(cpu: number): number {
    const more = Math.max(0, cpu - this.usage.cpuCounted);
    this.usage.cpuCounted = cpu;
    return more;
  }

  /** In the order of time. */
  get all(): readonly Batch[] {
    return this.batches;
  }

  /** Keeps the newest 50,000 checks; returns how many older ones had to be dropped. */
  keep(batches: readonly Batch[]): number {
    const sorted = [...this.batches, ...batches].sort((a, b) => a.at - b.at);
    let dropped = 0;
    let gone = 0;
    const held = sorted.reduce((sum, { checks }) => sum + checks.size, 0);
    for (const { checks } of sorted) {
      if (held - dropped <= MOST_CHECKS) break;
      dropped += checks.size;
      gone += 1;
    }
    this.batches = sorted.slice(gone);
    return dropped;
  }

  drop(batches: readonly Batch[]): void {
    const gone = new Set(batches);
    this.batches = this.batches.filter((batch) => !gone.has(batch));
  }
}
