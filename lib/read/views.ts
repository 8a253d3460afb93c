import type { HostHours } from '../rules/host-hours.js';
import type { Percentiles } from '../rules/histogram.js';
import type { CheckReason, HostName, Outcome, Status, TargetAlert } from '../types.js';
import type { Window } from './load.js';

/** The answer of `GET /api/keepalive`. Times are ISO 8601 UTC, durations ms, ratios 0 to 1 or null. */
export interface Stats {
  readonly isRunning: boolean;
  /** No run came for three ticks: nothing is known since the last one. */
  readonly stale: boolean;
  /** Since the first run. */
  readonly uptime: number;
  readonly uptimeHours: string;
  readonly pingCount: number;
  readonly failedPings: number;
  readonly successRate: string | null;
  /** The shortest of all targets; null without one. */
  readonly pingInterval: number | null;
  /** Where there is exactly one target, and its address is shown. */
  readonly healthUrl?: string;
  readonly updatedAt: string;
  /** When the first run of the data that is here was made; null: there was none yet. */
  readonly recordedSince: string | null;
  /** Data that was here before, and is gone; null: none is known of. */
  readonly lost: LostDataView | null;
  /** Of how many targets nothing can be read now, because one of several databases is away; absent: of none. */
  readonly unread?: number;
  readonly lastRun: LastRunView | null;
  /** How many targets have each status, without those that cannot be read. */
  readonly summary: Readonly<Record<Status, number>>;
  /** Those that are current, latest first. */
  readonly notes: readonly NoteView[];
  /** Of each host that allows so many a month, for this calendar month (UTC). */
  readonly hours: readonly HostHours[];
  /** Where the next targets are, if there are more than one answer lists. */
  readonly next?: string;
  /** Those that were asked for, at most 500, sorted by id, with numbers in ids by their value. */
  readonly targets: readonly TargetStats[];
}

/** What the operator tells the readers of the page. */
export interface NoteView {
  readonly id: string;
  readonly at: string;
  /** It is current until then. */
  readonly until: string;
  /** The id and the name of the target that it is about; null: it is about all. */
  readonly target: string | null;
  readonly name: string | null;
  /** Lines with `\n` between them. */
  readonly text: string;
}

export interface LostDataView {
  readonly from: string;
  readonly to: string;
}

export interface LastRunView {
  readonly runId: string;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly status: string;
  readonly checked: number;
  readonly failed: number;
}

export interface TargetStats {
  readonly id: string;
  readonly name: string;
  readonly group: string | null;
  /** Only where the operator says something of it. */
  readonly description?: string;
  /** `pending` too while `lastKnownStatus` is not null, or `unread` is true. */
  readonly status: Status;
  /** What the last check came to where no run came for three ticks, so that nothing is known since; else null. */
  readonly lastKnownStatus: Status | null;
  /** Nothing can be read of it now: its database is away, and what follows is nothing. Absent: it can. */
  readonly unread?: true;
  /** Null: the operator does not show it. */
  readonly healthUrl: string | null;
  readonly host: HostName;
  readonly since: string | null;
  readonly lastCheckAt: string | null;
  readonly lastSuccessAt: string | null;
  readonly lastStatusCode: number | null;
  readonly latency: number | null;
  readonly message: string | null;
  readonly pingCount: number;
  readonly failedPings: number;
  readonly successRate: string | null;
  readonly consecutiveFailures: number;
  readonly consecutiveSuccesses: number;
  readonly pingInterval: number;
  readonly uptimeRatio: Readonly<Record<Window, number | null>>;
  readonly coverage: Readonly<Record<Window, number | null>>;
  /** Of the last 24 hours, without cold starts. */
  readonly latencyMs: Percentiles;
  readonly awake: Awake;
  readonly tls: { readonly expiresAt: string } | null;
  readonly incident: IncidentView | null;
  readonly lastError: { readonly at: string; readonly message: string } | null;
  /** Null: none is configured. */
  readonly recovery: RecoveryView | null;
  /** Null: not in maintenance. */
  readonly maintenance: MaintenanceView | null;
  /** A check that is not decided, since the host may be waking: the next run asks again. Null: there is none. */
  readonly waking: { readonly since: string; readonly attempts: number } | null;
}

/** What the status page shows of all targets. */
export interface Summary {
  readonly freshness: Freshness;
  readonly targets: readonly TargetSummary[];
  readonly past: PastView;
  /** Maintenance that begins within the next 7 days, the next one first. */
  readonly upcoming: readonly MaintenanceSpan[];
  /** Of the last 90 days, latest first, without those that are events of an incident. */
  readonly notes: readonly NoteView[];
}

/** What happened in the last 90 days (UTC), today included. */
export interface PastView {
  /** The incidents of each target, latest first, the open one among them; none of a target without any. */
  readonly incidents: readonly TargetIncident[];
  /** Ids of targets that had more within these days than are listed. */
  readonly cutOff: readonly string[];
  /** Windows that have begun and do not come back every week, latest first. */
  readonly maintenance: readonly MaintenanceSpan[];
}

/** A window of maintenance: past, present or to come. */
export interface MaintenanceSpan {
  readonly from: string;
  readonly to: string;
  readonly reason: string | null;
  /** Null: all. */
  readonly targets: readonly Pick<TargetStats, 'id' | 'name'>[] | null;
}

export interface TargetSummary extends TargetStats {
  /** Its place among the others, the lowest first; null: behind those that have one. */
  readonly order: number | null;
  /** The last 90 days (UTC), oldest first, today included. */
  readonly days: readonly Day[];
  /** p50 of the last 24 hours and the one under way, ms, oldest first; null where nothing was measured. */
  readonly latencies: readonly (number | null)[];
}

export type Day = Pick<Bucket, 'from' | 'uptimeRatio' | 'coverage' | 'downtimeMs'>;

/** How far what a page says can be trusted. */
export interface Freshness {
  readonly updatedAt: string;
  /** False: everything is paused. */
  readonly enabled: boolean;
  /** When the last run was last heard of; null: there was none yet. */
  readonly lastRunAt: string | null;
  /** No run came for three ticks: nothing is known since then. */
  readonly isStale: boolean;
  readonly recordedSince: string | null;
  readonly lost: LostDataView | null;
  /** Of how many targets nothing can be read now; absent: of none. */
  readonly unread?: number;
}

/** What was done about the open incident. */
export interface RecoveryView {
  readonly restarts: number;
  readonly max: number;
  readonly lastAt: string | null;
  /** What the last restart request came to; null: there was none, or it is still to be sent. */
  readonly lastAnswer: string | null;
  /** The restarts of the open incident are used up: a person is needed. */
  readonly exhausted: boolean;
}

export interface MaintenanceView {
  readonly until: string;
  readonly reason: string | null;
}

/** Whether the pings kept the host awake, over the last 24 hours. */
export interface Awake {
  readonly sleepsAfter: number | null;
  /** Between two pings that reached the host, good or failed, or since the last one. */
  readonly longestGap: number | null;
  /** Checks that found the host asleep. */
  readonly coldStarts: number;
  /** True: proven. False: it slept, or must have, although it was to be kept awake. Null: not known. */
  readonly keptAwake: boolean | null;
  /**
   * What the verdict rests on: answers of the app itself, answers that the host's edge may have given (they prove nothing),
   * or the host's own word. Null: nothing is known yet, or the host does not sleep.
   */
  readonly proof: 'container' | 'edge' | 'host' | null;
}

export interface IncidentView {
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly durationMs: number;
  /** How much of it nobody watched: no check speaks for that time. Null: not known. */
  readonly unobservedMs: number | null;
  readonly message: string;
  /** In the order of time. */
  readonly events: readonly IncidentEventView[];
}

/** Incidents of all targets. */
export interface RecentIncidents {
  /** When the first run was made. */
  readonly since: string;
  /** When the last run was heard of, where none came for three ticks since; else null. */
  readonly staleSince: string | null;
  /** Open ones, latest first, then resolved ones, the last to end first. */
  readonly incidents: readonly TargetIncident[];
  /** Latest first. */
  readonly notes: readonly NoteView[];
  /** Of how many targets nothing can be read now; absent: of none. */
  readonly unread?: number;
}

export interface TargetIncident {
  readonly target: Pick<TargetStats, 'id' | 'name'>;
  readonly incident: IncidentView;
}

/** What happened in an incident, and what was done about it. */
export interface IncidentEventView {
  readonly at: string;
  readonly kind: 'check' | 'alert' | 'restart' | 'note';
  /** What happened: of an alert, what it said. */
  readonly code: 'first_failed' | 'first_good' | TargetAlert['kind'] | 'restart' | 'note';
  /** The same in English; of a note, what was written. */
  readonly text: string;
  readonly restart?: RestartView;
}

/** A restart in an incident. */
export interface RestartView {
  /** The first is 1. */
  readonly number: number;
  /** What the request came to; null: it is not known to be made. */
  readonly answer: string | null;
  /** Whether the target came up before anything else was done; null: it is not known yet. */
  readonly helped: boolean | null;
  /** How long after it the target was up, where it helped. */
  readonly upAfterMs: number | null;
}

/** The answer of `GET /api/keepalive/<id>`. */
export interface TargetHistory extends TargetStats {
  readonly stale: boolean;
  readonly recordedSince: string | null;
  readonly lost: LostDataView | null;
  /** Of the last check, ms; null before the first, and for a phase that did not take place. */
  readonly phases: Phases | null;
  /** Of the last 24 hours, oldest first. */
  readonly checks: readonly CheckView[];
  /** Of the last 7 days, oldest first. */
  readonly hours: readonly Bucket[];
  /** Of the last 90 days (UTC), oldest first. */
  readonly days: readonly Bucket[];
  /** The last 100, latest first. */
  readonly incidents: readonly IncidentView[];
  /** Its maintenance that begins within the next 7 days, the next one first. */
  readonly upcomingMaintenance: readonly MaintenanceSpan[];
  /** Those about this target, and those about all that are current; latest first. */
  readonly notes: readonly NoteView[];
}

export interface Phases {
  readonly dns: number | null;
  readonly connect: number | null;
  readonly tls: number | null;
  readonly ttfb: number | null;
}

export interface CheckView {
  readonly at: string;
  readonly ok: boolean;
  readonly outcome: Outcome;
  readonly reason: CheckReason | null;
  readonly statusCode: number | null;
  /** Of a cold start: how long the host took to wake. Null where it failed, if only here. */
  readonly latency: number | null;
  readonly coldStart: boolean;
  /** Of a cold start that ended between two runs: how long the host took to wake at least; else null. */
  readonly wakeMsAtLeast: number | null;
}

export interface Bucket {
  readonly from: string;
  readonly to: string;
  readonly pings: number;
  readonly failures: number;
  readonly coldStarts: number;
  readonly uptimeRatio: number | null;
  readonly coverage: number | null;
  /** Observed and not good. */
  readonly downtimeMs: number;
  /** How long its host is known to have been awake, by its answers, and asleep; of the rest, nothing is known. */
  readonly awakeMs: number;
  readonly sleptMs: number;
  readonly latencyMs: Percentiles;
}
