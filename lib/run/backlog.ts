import type { Stored } from '../record/ledger.js';
import type { LostData } from '../record/state-model.js';
import type { DeliveryOutcome, SentAlert } from '../rules/outbox.js';
import type { Check } from '../types.js';

/** Checks that could not be stored, of one time. */
export interface Batch {
  readonly at: number;
  readonly checks: ReadonlyMap<string, Check>;
}

const MOST_CHECKS = 50_000;

/**
 * What runs of this process could not store, for the next run that can. To record a check a second time changes
 * nothing, so a batch is given up only once a commit is known to hold it.
 */
export class Backlog {
  private batches: readonly Batch[] = [];
  /** What came of deliveries and could not be stored: it must not be delivered again. */
  outcomes: readonly DeliveryOutcome[] = [];
  /** Of what time the data is that a run of this process has committed to last; null: there was none. */
  seen: LostData | null = null;
  /**
   * State and outbox as this process knows them: as it last read or committed them, and while nothing can be committed,
   * as they would be. Null: it has seen none yet.
   */
  lastKnown: Stored | null = null;
  /** Begun over HTTP, as it was last read. */
  maintenance: string | null = null;
  /** What was sent since nothing can be recorded, in the order of time. */
  sent: readonly SentAlert[] = [];
  /** The first run in a row that could not be recorded; null: the last one could. */
  unrecordedSince: number | null = null;
  /** When people were told last that nothing can be recorded. */
  unrecordedSaidAt: number | null = null;

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
