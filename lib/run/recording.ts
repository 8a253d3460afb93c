import type { Changes, Ledger } from '../record/ledger.js';
import type { LastRun } from '../record/state.js';
import { TextError } from '../record/text.js';
import type { Meter, Store, StoreErrorCode } from '../store/store.js';
import { COMMIT_COMMANDS, StoreError } from '../store/store.js';
import type { Transition } from '../types.js';
import type { Batch } from './carry.js';
import { pingLine, resultOf, transitionLine, type RunResult } from './report.js';
import type { RunContext } from './run.js';

/** Why a run is not on record. */
export interface Lapse {
  readonly reason: StoreErrorCode | 'store_missing' | 'lease_lost';
  readonly error: unknown;
}

export interface Books {
  readonly ledger: Ledger;
  /** Not null: the ledger is made of what this process remembers, and nothing can be committed. */
  readonly lapse: Lapse | null;
}

/** @throws what is neither a fault of the store nor of what it holds. */
export function lapseOf(error: unknown): Lapse {
  if (error instanceof StoreError) return { reason: error.code, error };
  if (error instanceof TextError) return { reason: 'store_corrupt', error };
  throw error;
}

export function hasSuccess(batches: readonly Batch[]): boolean {
  return batches.some(({ checks }) => [...checks.values()].some(({ outcome }) => outcome !== 'failed'));
}

/**
 * What a run found, on its way to the store: first what earlier runs of the process could not store, then its own, in
 * one commit or, while hosts are waking, in several. What is on record is said; what is not is logged and carried on.
 */
export class Recording {
  readonly results: RunResult[] = [];
  readonly transitions: Transition[] = [];
  /** Failures that wait for a success, or for the end of the run, to tell whether they are the targets' or ours. */
  readonly undecided: Batch[] = [];
  hasSuccess = false;
  private lapse: Lapse | null;
  private readonly carried: readonly Batch[];
  /** Judged and not on record yet. */
  private waiting: { batches: Batch[]; results: RunResult[]; lines: string[] } = noneWaiting();

  constructor(
    private readonly context: RunContext,
    private readonly store: Store | null,
    private readonly meter: Meter,
    private readonly books: Books,
    private readonly runId: string,
    private readonly startedAt: number,
  ) {
    this.lapse = books.lapse;
    this.carried = context.carry.all;
    for (const { at, checks } of this.carried) this.note(books.ledger.record(at, checks));
  }

  /** Commits what is finished so far, and keeps the lease. A commit that fails is made up for by the next. */
  async checkpoint(batches: readonly Batch[]): Promise<void> {
    this.hasSuccess ||= hasSuccess(batches);
    this.undecided.push(...batches);
    if (!this.hasSuccess || this.lapse !== null) return;
    this.judge(this.undecided.splice(0));
    const { ledger } = this.books;
    const lapse = await this.commit(() => ledger.checkpoint(this.lastRun('partial')), false);
    if (lapse?.reason === 'lease_lost') this.lapse = lapse;
  }

  /** Commits the rest and gives the lease back. An inconclusive run leaves its own checks out. */
  async close(batches: readonly Batch[], status: LastRun['status']): Promise<Lapse | null> {
    if (status !== 'inconclusive') this.judge([...this.undecided, ...batches]);
    const { ledger } = this.books;
    this.lapse ??= await this.commit(() => ledger.close(this.lastRun(status)), true);
    if (this.lapse !== null) this.carryOn(this.lapse);
    return this.lapse;
  }

  private judge(batches: readonly Batch[]): void {
    const { ledger } = this.books;
    for (const { at, checks } of batches) {
      const transitions = ledger.record(at, checks);
      for (const [id, check] of checks) {
        const result = resultOf(id, check, ledger.statusOf(id));
        this.results.push(result);
        this.waiting.results.push(result);
        this.waiting.lines.push(pingLine(ledger.pingsOf(id), result));
      }
      this.note(transitions);
    }
    this.waiting.batches.push(...batches);
  }

  private note(transitions: readonly Transition[]): void {
    this.transitions.push(...transitions);
    this.waiting.lines.push(...transitions.map(transitionLine));
  }

  private lastRun(status: LastRun['status']): LastRun {
    return {
      id: this.runId,
      at: this.startedAt,
      status,
      durationMs: Math.max(0, this.context.now() - this.startedAt),
      checked: this.results.length,
      failed: this.results.filter(({ ok }) => !ok).length,
      commands: this.meter.commands + COMMIT_COMMANDS,
    };
  }

  private async commit(changes: () => Changes, release: boolean): Promise<Lapse | null> {
    try {
      const answer = await this.store?.commit({ token: this.runId, ...changes(), release });
      if (answer === 'lost') return { reason: 'lease_lost', error: null };
    } catch (error) {
      return lapseOf(error);
    }
    this.context.carry.drop(this.carried);
    for (const line of this.waiting.lines) this.context.log(line);
    this.waiting = noneWaiting();
    return null;
  }

  private carryOn({ reason, error }: Lapse): void {
    const { log, carry } = this.context;
    const { runId } = this;
    const message = error instanceof Error ? error.message : undefined;
    log(JSON.stringify({ event: 'run_not_stored', runId, reason, message }));
    for (const result of this.waiting.results) {
      log(JSON.stringify({ event: 'check_not_stored', runId, ...result }));
    }
    const dropped = carry.keep(this.waiting.batches);
    if (dropped > 0) log(JSON.stringify({ event: 'checks_dropped', runId, count: dropped }));
  }
}

function noneWaiting(): { batches: Batch[]; results: RunResult[]; lines: string[] } {
  return { batches: [], results: [], lines: [] };
}
