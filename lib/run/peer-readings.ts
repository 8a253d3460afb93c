import type { Ledger } from '../record/ledger.js';
import type { OthersReading } from '../rules/peer-watch.js';
import { SECOND } from '../time.js';
import type { RunContext } from './run-context.js';

/** Ms that a peer may take: its function may have to start, and waits for its store. */
const PATIENCE = 5 * SECOND;
/** The same where the plan allows no waits. */
const LEAST_PATIENCE = SECOND;

/** What was read of peers, by their hosts. */
export type PeerReadings = ReadonlyMap<string, OthersReading>;

/** Whose runs are watched by a run: one shard watches for all. */
export function watchedPeers({ peers, shard = 0 }: Pick<RunContext, 'peers' | 'shard'>): readonly string[] {
  return shard === 0 ? peers.watched : [];
}

/**
 * Reads the health of all peers for which it is time, at once. Empty where the signal ends it. Never rejects.
 * @param waits ms that the plan allows to wait
 */
export async function readPeers(
  context: Pick<RunContext, 'peers' | 'shard'>,
  ledger: Pick<Ledger, 'peersToRead'>,
  { waits, signal }: { readonly waits: number; readonly signal: AbortSignal },
): Promise<PeerReadings> {
  const { peers } = context;
  const limit = Math.max(LEAST_PATIENCE, Math.min(PATIENCE, waits));
  const readings = await Promise.all(
    ledger.peersToRead(watchedPeers(context)).map(async (peer): Promise<[string, OthersReading][]> => {
      const reading = await peers.readHealth(peer, limit, signal);
      return reading.kind === 'ourselves' ? [] : [[peer, reading]];
    }),
  );
  return new Map(signal.aborted ? [] : readings.flat());
}

/** Whether no peer could be reached at all. */
export function areAllSilent(readings: PeerReadings): boolean {
  return readings.size > 0 && [...readings.values()].every(({ kind }) => kind === 'silent');
}
