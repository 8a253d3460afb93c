import { MINUTE } from '../time.js';

/** What came of reading the health of a peer (`GET /api/health`). */
export type PeerReading =
  /** Its runs come, or it has none to make. */
  | { readonly kind: 'running' }
  /** It answers, and no run of its own came for three of its ticks. `lastRunAt` by our clock. */
  | { readonly kind: 'stopped'; readonly lastRunAt: number }
  /** It is this very installation, under an address that it does not know to be its own. */
  | { readonly kind: 'ourselves' }
  /** `unclear`: it answers, but does not say whether its runs come. `silent`: it does not answer. */
  | { readonly kind: 'unclear' | 'silent'; readonly message: string };

/** Of another installation. */
export type OthersReading = Exclude<PeerReading, { readonly kind: 'ourselves' }>;

/** What is wrong with a peer. */
export interface PeerTrouble {
  readonly kind: Exclude<OthersReading['kind'], 'running'>;
  /**
   * `stopped`: its last run. Otherwise the last time that its health said something, or that it was first asked.
   */
  readonly since: number;
  /** How many times in a row it was asked and was not well. */
  readonly readings: number;
  /** What the last answer lacked; null where its runs have stopped. */
  readonly message: string | null;
}

/** What is known of a peer. Times in ms since the epoch. */
export interface PeerState {
  /** Its host. */
  readonly peer: string;
  /** When its health was last asked for. */
  readonly askedAt: number;
  /** Null: it is well. */
  readonly trouble: PeerTrouble | null;
}

/** Readings in a row without an answer that tells, before people are told. */
const ENOUGH_READINGS = 3;
/** The time that these take at least, in ticks of ours: three of them, with triggers that are not quite in time. */
const ENOUGH_TICKS = 2.5;

/** Ms between two readings: once a tick, and at most once a minute. */
export function readingPace(tick: number): number {
  return Math.max(tick, MINUTE);
}

/** Part of the pace after which a peer is asked again: triggers are not quite in time. */
const EARLY = 0.9;

/** Whether it is time to ask a peer. */
export function isReadingDue(known: PeerState | null, tick: number, now: number): boolean {
  if (known === null || known.askedAt > now) return true;
  return now - known.askedAt >= EARLY * readingPace(tick);
}

/** @param known null: it was never asked before */
export function afterReading(
  peer: string,
  known: PeerState | null,
  reading: OthersReading,
  now: number,
): PeerState {
  if (reading.kind === 'running') return { peer, askedAt: now, trouble: null };
  const before = known?.trouble ?? null;
  const readings = (before?.readings ?? 0) + 1;
  if (reading.kind === 'stopped') {
    return {
      peer,
      askedAt: now,
      trouble: { kind: 'stopped', since: reading.lastRunAt, readings, message: null },
    };
  }
  // Whatever it answers or not: its runs have not begun again.
  if (before?.kind === 'stopped') return { peer, askedAt: now, trouble: { ...before, readings } };
  const since = Math.min(now, before?.since ?? known?.askedAt ?? now);
  return { peer, askedAt: now, trouble: { kind: reading.kind, since, readings, message: reading.message } };
}

/** What people are to be told of a peer; null: nothing is wrong for long enough. */
export function troubleToTell({ trouble, askedAt }: PeerState, tick: number): PeerTrouble | null {
  if (trouble === null) return null;
  // The peer itself has waited for three of its ticks.
  if (trouble.kind === 'stopped') return trouble;
  const isLong = askedAt - trouble.since >= ENOUGH_TICKS * readingPace(tick);
  return trouble.readings >= ENOUGH_READINGS && isLong ? trouble : null;
}
