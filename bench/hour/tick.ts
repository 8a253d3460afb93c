import type { RunReport } from '../../lib/run/report.js';
import type { Message } from './messages.js';

/** What a tick cost, and what came of it. */
export interface Tick {
  /** When it was triggered, ms since the epoch. */
  readonly at: number;
  /** Ms from the trigger to the last answer of a run whose message was neither late nor lost; null: there was none. */
  readonly wall: number | null;
  /** The same, late messages included. */
  readonly wallOfAll: number | null;
  /** CPU ms: of the functions, of Redis, of the targets' servers, and of the bench itself with the front of Redis. */
  readonly cpu: Readonly<Record<'functions' | 'redis' | 'servers' | 'bench', number>>;
  readonly commands: number;
  readonly bytes: number;
  readonly checked: number;
  /** The most store commands that one run has reported. */
  readonly commandsOfRun: number;
  /** p99 of the good checks as reported, and as the servers measured, ms. */
  readonly reported: number;
  readonly real: number;
}

/** The run that a message started and that was answered; null: there was none. */
export function runOf({ deliveries }: Message): RunReport | null {
  const reports = deliveries.flatMap(({ report }) =>
    report !== null && report.status !== 'dispatched' && report.status !== 'skipped' ? [report] : [],
  );
  return reports[0] ?? null;
}
