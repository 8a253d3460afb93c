import type { Account } from '../rules/account.js';
import type { AwakeState } from '../rules/awake.js';
import type { Counters } from '../rules/counters.js';
import { NOTHING } from '../rules/counters.js';
import type { Histogram } from '../rules/histogram.js';
import type { PeerState } from '../rules/peer-watch.js';
import { EMPTY } from '../rules/histogram.js';
import type { StatusState } from '../rules/status.js';
import { newcomer } from '../rules/status.js';
import type { Waking } from '../rules/waking.js';
import type { HostWord } from '../types.js';

/** Everything that a run reads and writes back: one text, whatever the number of targets. */
export interface State {
  /** Raised by each commit. */
  readonly revision: number;
  readonly firstRunAt: number;
  /** How often time was taken back, after which snapshots are written again. */
  readonly rewinds: number;
  readonly lastRun: LastRun | null;
  /** Runs that were missed, latest last. */
  readonly gaps: readonly RunGap[];
  /** From the start of each of the last runs to the start of the next one, whole seconds, oldest first. */
  readonly intervals: readonly number[];
  /**
   * Data that was here before and is gone (its database was emptied, or another one is in use now); null: none is known
   * of.
   */
  readonly lost: LostData | null;
  readonly log: LogHead;
  /** The last full hour of which a snapshot was written, counted in hours since the epoch. */
  readonly snapshotHour: number;
  /** What runs have used of the platform's allowances; null: nothing was counted yet. */
  readonly account: Account | null;
  /** Peers whose runs are watched. */
  readonly peers: readonly PeerState[];
  /** By slot. A slot is a target's place in snapshots and logs; null: free. */
  readonly targets: readonly (TargetState | null)[];
}

export interface LastRun {
  readonly id: string;
  readonly at: number;
  readonly status: 'completed' | 'partial' | 'inconclusive';
  readonly durationMs: number;
  readonly checked: number;
  readonly failed: number;
  /** Store commands that it cost, its last commit included. */
  readonly commands: number;
}

/** When a run was last heard of: it began then, or recorded something since. */
export function endOf({ at, durationMs }: LastRun): number {
  return at + durationMs;
}

export interface RunGap {
  readonly from: number;
  readonly to: number;
}

/** The time of the data that was lost. */
export interface LostData {
  readonly firstRunAt: number;
  /** When a run was last heard of. */
  readonly lastRunAt: number;
}

export interface TargetState extends StatusState, AwakeState {
  readonly id: string;
  readonly addedAt: number;
  /** Since when it is missing from the configuration; its slot is kept until the history holds nothing of it. */
  readonly removedAt: number | null;
  /** Since when it is paused or outside its active hours; null when neither. */
  readonly restingSince: number | null;
  readonly lastCheckAt: number | null;
  readonly lastSuccessAt: number | null;
  readonly lastStatusCode: number | null;
  /** Of the last check; null when it failed. */
  readonly latency: number | null;
  /** Of the last check; null when it was good. */
  readonly message: string | null;
  readonly lastError: { readonly at: number; readonly message: string } | null;
  readonly tlsExpiresAt: number | null;
  readonly incident: OpenIncident | null;
  /** How many incidents there were, the open one included. */
  readonly incidents: number;
  readonly counters: Counters;
  /** Until when `counters` are counted. */
  readonly countedTo: number;
  /** Latencies of the UTC day of the last check, cold starts left out. */
  readonly latencies: Histogram;
  /** Of the last check, whole ms: dns, connect, tls, ttfb; null where a phase did not take place. */
  readonly phases: readonly (number | null)[] | null;
  /** The last stretch in which it was paused or missing from the configuration: nothing was expected of it. */
  readonly idle: Stretch | null;
  /**
   * How much of the open incident, or of the failures that may become one, no check speaks for; null: not known, or
   * none.
   */
  readonly unobserved: Unobserved | null;
  /**
   * The counters before the last long gap in the runs, should it turn out that the clock was wrong; kept for a day of
   * runs.
   */
  readonly beforeGap: {
    readonly countedTo: number;
    /** When the run was made that found the gap. */
    readonly endedAt: number;
    readonly counters: Counters;
  } | null;
  /** A host that did not wake while its run waited for it, and that the next runs go on asking; null: there is none. */
  readonly waking: Waking | null;
  /** What the host's own API last said; null: it is not asked, or was not yet. */
  readonly hostWord: HostWord | null;
}

/** From (included) to (excluded). */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** In ms, up to `countedTo`. */
export interface Unobserved {
  /** Since the first failed check. */
  readonly total: number;
  /** What it was when the last row of failed or of good checks began: an incident ends with the first of a row. */
  readonly atSeries: number;
}

export interface OpenIncident {
  readonly startedAt: number;
  readonly message: string;
}

export function newTarget(id: string, now: number): TargetState {
  return {
    ...newcomer(now),
    id,
    addedAt: now,
    removedAt: null,
    restingSince: null,
    lastCheckAt: null,
    lastSuccessAt: null,
    awakeFrom: null,
    lastStatusCode: null,
    latency: null,
    message: null,
    lastError: null,
    tlsExpiresAt: null,
    incident: null,
    incidents: 0,
    counters: NOTHING,
    countedTo: now,
    latencies: EMPTY,
    awakeGaps: [],
    phases: null,
    provenAt: null,
    awakeSince: null,
    brokenAt: null,
    asleepAt: null,
    sleptAt: null,
    pingsMissed: false,
    idle: null,
    unobserved: null,
    beforeGap: null,
    waking: null,
    hostWord: null,
  };
}

/** Where the next row goes, and what the last one looked like (rows like it are shorter). */
export interface LogHead {
  /** Of the log's format. A log that an earlier version began goes on in that form until its two hours are over. */
  readonly version: number;
  readonly span: number;
  readonly offset: number;
  /** In units of a quarter of a second. */
  readonly lastUnit: number;
  /** How many cells the last row had, if it had those of the first so many slots; else null. */
  readonly lastWidth: number | null;
  /** The end of what is written up to `offset`, as far as it is not in the log yet. */
  readonly pending: string;
}
