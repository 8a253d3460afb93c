import { HOSTS, MONTHLY_HOURS } from '../rules/hosts.js';
import { mayMissPings } from '../record/ledger.js';
import type { Maintenance } from '../record/maintenance.js';
import { openWindow, withMaintenance } from '../record/maintenance.js';
import type { RecentCheck } from '../record/log.js';
import type { TargetSnapshot } from '../record/snapshots.js';
import { type TargetState, endOf, type LastRun } from '../record/state-model.js';
import { snapshotAt, unobservedAt } from '../record/targets.js';
import { monthlyHours } from '../rules/host-hours.js';
import { spread } from '../rules/awake-line.js';
import { MISSED_AFTER_TICKS } from '../rules/trigger-pace.js';
import type { Counters } from '../rules/counters.js';
import { coverage, difference, NOTHING, successRate, uptimeRatio } from '../rules/counters.js';
import { NO_LIMITS } from '../rules/allowances.js';
import { isInLastDay, longestGap } from '../rules/gaps.js';
import type { Histogram, Percentiles } from '../rules/histogram.js';
import { add, EMPTY, percentiles } from '../rules/histogram.js';
import {
  inMaintenance,
  isActive,
  isActiveThroughout,
  maintenanceEnd,
  maintenanceIntervals,
} from '../rules/windows.js';
import { NO_ALERT_STATE, type AlertState } from '../rules/alert-evaluation.js';
import type { HostWord, PublicTarget, Status, WatchedTarget } from '../types.js';
import { addressView, shownTargets, type Audienced } from './audience.js';
import { lastDay, latenciesBetween, openTimeline, type Timeline } from './timeline.js';
import type { History, Overview, ResolvedIncidents, Window } from './load.js';
import { checkTimes, paceOfRuns, staleSince } from './health.js';
import { incidentView } from './incident-views.js';
import { isUnread, leastRecent, partOf, type Joined } from './shards.js';
import { currentNotes, noteEvents, notesOutside, noteViews } from './notes.js';
import { upcomingMaintenance } from './maintenance-spans.js';
import { pastView } from './past.js';
import { daysEnded, historyTimes, openIncident, summaryTimes, windowStart } from './load.js';
import type {
  Awake,
  Bucket,
  CheckView,
  Day,
  Freshness,
  MaintenanceView,
  Phases,
  RecoveryView,
  Stats,
  Summary,
  TargetHistory,
  TargetStats,
} from './views.js';
import { HOUR } from '../time.js';

const WINDOWS_LONGEST_FIRST = ['90d', '30d', '7d', '24h'] as const satisfies readonly Window[];

export interface Watch extends Audienced {
  readonly enabled: boolean;
  readonly tick: number;
  readonly targets: readonly WatchedTarget[];
}

/** Of a target, what concerns the figures of all of them, and all of its figures. */
interface Row extends Pick<
  TargetStats,
  'id' | 'group' | 'status' | 'unread' | 'pingCount' | 'failedPings' | 'pingInterval' | 'consecutiveFailures'
> {
  readonly lastCheckAt: number | null;
  readonly whole: () => TargetStats;
}

/** Which targets an answer has; `next`: where others are. */
type Choice = (rows: readonly Row[]) => { readonly targets: readonly Row[]; readonly next?: string | null };

/** @param choose which targets are listed: all other figures are those of all */
export function stats(
  watch: Watch,
  overview: Joined<Overview>,
  now: number,
  choose: Choice = (targets) => ({ targets }),
): Stats {
  const { enabled, tick, targets } = watch;
  const { state } = overview;
  const stale = staleSince(watch, state, now);
  const shown = shownTargets(watch);
  const all = withMaintenance(shown, overview.maintenance).map((target): Row => {
    const part = partOf(overview, target.info.id);
    const timeline = openTimeline(target, tick, part, now);
    const { known, isSeen } = timeline;
    const unread = unreadOf(overview, target);
    const about = { ...watch, stale: staleSince(watch, part.state, now) };
    return {
      ...{ id: target.info.id, group: target.info.group, pingInterval: target.info.interval },
      status: shownStatus(target, { known, isSeen, stale: about.stale }, now).status,
      ...{ pingCount: known.counters.pings, failedPings: known.counters.failures },
      ...{ lastCheckAt: known.lastCheckAt, consecutiveFailures: known.consecutiveFailures },
      ...unread,
      whole: () => ({ ...targetStats(target, timeline, part, about, now), ...unread }),
    };
  });
  const { targets: chosen, next = null } = choose(all);
  const sum = (of: (target: Row) => number): number => all.reduce((total, target) => total + of(target), 0);
  const pings = sum(({ pingCount }) => pingCount);
  const failures = sum(({ failedPings }) => failedPings);
  const uptime = state === null ? 0 : Math.max(0, now - state.firstRunAt);
  const lastRun = state?.lastRun ?? null;
  const heardOf = leastRecent(overview)?.lastRun ?? null;
  const only = all.length === 1 ? all[0]?.whole().healthUrl : null;
  const summary = { pending: 0, up: 0, degraded: 0, down: 0, paused: 0, sleeping: 0 };
  for (const { status, unread } of all) if (unread !== true) summary[status] += 1;
  return {
    isRunning: enabled && heardOf !== null && now - endOf(heardOf) <= MISSED_AFTER_TICKS * tick,
    stale: stale !== null,
    uptime,
    uptimeHours: (uptime / HOUR).toFixed(1),
    pingCount: pings,
    failedPings: failures,
    successRate: successRate(pings, failures),
    pingInterval: all.length === 0 ? null : Math.min(...all.map(({ pingInterval }) => pingInterval)),
    ...(only ? { healthUrl: only } : {}),
    updatedAt: iso(now),
    ...record(overview),
    ...unreadAmong(all),
    lastRun:
      lastRun === null
        ? null
        : {
            runId: lastRun.id,
            startedAt: iso(lastRun.at),
            durationMs: lastRun.durationMs,
            status: lastRun.status,
            ...(shown.length === targets.length ? countsOf(lastRun) : countsAmong(all, lastRun)),
          },
    summary,
    notes: currentNotes(noteViews(overview.notes, shown), now),
    hours: monthlyHours(
      shown,
      MONTHLY_HOURS,
      now,
      checkTimes(state, paceOfRuns(state, tick, now), NO_LIMITS),
    ),
    ...(next !== null && { next }),
    targets: chosen.map(({ whole }) => whole()),
  };
}

type RunCounts = Pick<LastRun, 'checked' | 'failed'>;

function countsOf({ checked, failed }: LastRun): RunCounts {
  return { checked, failed };
}

/** Where targets are hidden, those that the last run checked of the others. */
function countsAmong(shown: readonly Row[], { at }: LastRun): RunCounts {
  const checked = shown.filter(({ lastCheckAt }) => lastCheckAt !== null && lastCheckAt >= at);
  const failed = checked.filter(({ consecutiveFailures }) => consecutiveFailures > 0);
  return { checked: checked.length, failed: failed.length };
}

/** What the status page and the history show, of what `loadSummary` found. */
export function summary(watch: Watch, overview: Joined<Overview & ResolvedIncidents>, now: number): Summary {
  const times = summaryTimes(now);
  const isOne = overview.parts === undefined;
  const days = isOne ? pairs([...times.days, now]).map(([from, to]) => ({ from, to, name: iso(from) })) : [];
  const hours = isOne ? pairs([...times.hours, now]) : [];
  const shown = { ...watch, targets: shownTargets(watch) };
  const targets = withMaintenance(shown.targets, overview.maintenance).map((target) => {
    const part = partOf(overview, target.info.id);
    const timeline = openTimeline(target, watch.tick, part, now);
    const stale = staleSince(watch, part.state, now);
    return {
      ...targetStats(target, timeline, part, { ...watch, stale }, now),
      ...unreadOf(overview, target),
      order: target.info.order,
      days: days.map(({ from, to, name }) => day(name, timeline.at(from), timeline.at(to))),
      latencies: hours.map(([from, to]) =>
        to <= timeline.known.addedAt
          ? null
          : percentiles(latenciesBetween(from, timeline.at(from), timeline.at(to))).p50,
      ),
    };
  });
  const past = pastView(shown, overview, times.days[0] ?? now, now);
  const notes = notesOutside(noteViews(overview.notes, shown.targets), past.incidents);
  const upcoming = upcomingMaintenance(shown.targets, overview.maintenance, now);
  const fresh = { ...freshness(watch, overview, now), ...unreadAmong(targets) };
  return { freshness: fresh, targets, past, upcoming, notes };
}

function unreadOf(overview: Joined<unknown>, { info }: WatchedTarget): Pick<TargetStats, 'unread'> {
  return isUnread(overview, info.id) ? { unread: true } : {};
}

function unreadAmong(targets: readonly Pick<TargetStats, 'unread'>[]): Pick<Stats, 'unread'> {
  const unread = targets.filter((target) => target.unread).length;
  return unread === 0 ? {} : { unread };
}

export function freshness(watch: Watch, overview: Overview, now: number): Freshness {
  const lastRun = overview.state?.lastRun ?? null;
  return {
    updatedAt: iso(now),
    enabled: watch.enabled,
    lastRunAt: lastRun === null ? null : iso(endOf(lastRun)),
    isStale: staleSince(watch, overview.state, now) !== null,
    ...record(overview),
  };
}

/** Since when data is recorded, and what was lost. */
function record({ state, lost }: Overview): Pick<Freshness, 'recordedSince' | 'lost'> {
  return {
    recordedSince: state === null ? null : iso(state.firstRunAt),
    lost: lost && { from: iso(lost.firstRunAt), to: iso(lost.lastRunAt) },
  };
}

/** Of a target that the audience may know of. */
export function targetHistory(
  watch: Watch,
  configured: WatchedTarget,
  history: History,
  now: number,
): TargetHistory {
  const { audience } = watch;
  if (shownTargets({ targets: [configured], audience }).length === 0) throw new RangeError('a hidden target');
  const [target = configured] = withMaintenance([configured], history.maintenance);
  const timeline = openTimeline(target, watch.tick, history, now);
  const stale = staleSince(watch, history.state, now);
  const { hours, days } = historyTimes(now);
  const buckets = (times: readonly number[]): Bucket[] =>
    withAwakeTime(
      pairs([...times, now])
        .filter(([, to]) => to > timeline.known.addedAt)
        .map(([from, to]) => bucket(from, to, timeline.at(from), timeline.at(to))),
    );
  const stats = targetStats(target, timeline, history, { ...watch, stale }, now);
  const { clean } = addressView(target.info, audience);
  const resolved = history.incidents.map((incident) =>
    incidentView(incident, now, { clean, notes: noteEvents(history.notes, target.info.id, incident) }),
  );
  return {
    ...stats,
    stale: stale !== null,
    ...record(history),
    phases: phasesOf(timeline.known),
    checks: history.checks.map(checkView),
    hours: buckets(hours),
    days: buckets(days),
    incidents: [...(stats.incident === null ? [] : [stats.incident]), ...resolved].slice(0, 100),
    upcomingMaintenance: upcomingMaintenance([configured], history.maintenance, now),
    notes: noteViews(history.notes, [target]).filter(
      (note) => note.target !== null || Date.parse(note.until) > now,
    ),
  };
}

/** What the API of a target's host last said: for the operator alone. */
export function hostWordOf({ info }: WatchedTarget, { state }: Overview): HostWord | null {
  return state?.targets.find((target) => target?.id === info.id)?.hostWord ?? null;
}

function targetStats(
  target: WatchedTarget,
  { isSeen, known, at }: Timeline,
  { state, maintenance, notes, outbox }: Overview,
  /** `stale`: since when no run came; null: runs come. */
  { tick, stale, audience }: Audienced & { readonly tick: number; readonly stale: number | null },
  now: number,
): TargetStats {
  const { info } = target;
  const { healthUrl, clean } = addressView(info, audience);
  const open = openIncident(known, outbox, unobservedAt(known, target, now, tick));
  const current = at(now) ?? snapshotAt(known, target, now, tick);
  // Where the snapshot at the start of a window is lost, the window starts at the next one that is known.
  const starts = WINDOWS_LONGEST_FIRST.map((window) => ({ window, start: at(windowStart(window, now)) }));
  const within = (window: Window): Counters => {
    const i = starts.findIndex((each) => each.window === window);
    const start = starts.slice(i).find((each) => each.start !== null)?.start;
    return difference(current.counters, start?.counters ?? current.counters);
  };
  const windows = {
    '24h': within('24h'),
    '7d': within('7d'),
    '30d': within('30d'),
    '90d': within('90d'),
  };
  const ratios = (of: (counters: Counters) => number | null): Record<Window, number | null> => ({
    '24h': of(windows['24h']),
    '7d': of(windows['7d']),
    '30d': of(windows['30d']),
    '90d': of(windows['90d']),
  });
  const { status, lastKnownStatus, isResting } = shownStatus(target, { known, isSeen, stale }, now);
  const isUnknown = lastKnownStatus !== null;
  const since = isUnknown ? stale : isResting ? known.restingSince : known.since;
  const { pings, failures } = known.counters;
  return {
    id: info.id,
    name: info.name,
    group: info.group,
    ...(info.description !== null && { description: info.description }),
    status,
    lastKnownStatus,
    healthUrl,
    host: info.host,
    since: isSeen ? isoOrNull(since) : null,
    lastCheckAt: isoOrNull(known.lastCheckAt),
    lastSuccessAt: isoOrNull(known.lastSuccessAt),
    lastStatusCode: known.lastStatusCode,
    latency: known.latency,
    message: known.message === null ? null : clean(known.message),
    pingCount: pings,
    failedPings: failures,
    successRate: successRate(pings, failures),
    consecutiveFailures: known.consecutiveFailures,
    consecutiveSuccesses: known.consecutiveSuccesses,
    pingInterval: info.interval,
    uptimeRatio: ratios(uptimeRatio),
    coverage: ratios(coverage),
    latencyMs: percentiles(lastDay(at, now)),
    awake: awakeOf(target, known, windows['24h'].coldStarts, state?.lastRun ?? null, tick, now),
    tls: known.tlsExpiresAt === null ? null : { expiresAt: iso(known.tlsExpiresAt) },
    incident: open && incidentView(open, now, { clean, notes: noteEvents(notes, info.id, open) }),
    lastError:
      known.lastError === null
        ? null
        : { at: iso(known.lastError.at), message: clean(known.lastError.message) },
    recovery: recoveryOf(info, outbox.alertStates.get(info.id), clean),
    maintenance: maintenanceOf(target, maintenance, now),
    waking: isUnknown || isResting ? null : wakingOf(known),
  };
}

/** The status now; where runs have stopped, it is not known, and the last one that was is. */
function shownStatus(
  target: WatchedTarget,
  { known, isSeen, stale }: Pick<Timeline, 'known' | 'isSeen'> & { readonly stale: number | null },
  now: number,
): Pick<TargetStats, 'status' | 'lastKnownStatus'> & { readonly isResting: boolean } {
  const last = statusOf(target, known, now);
  const isResting = last === 'paused' || last === 'sleeping';
  const isUnknown = stale !== null && isSeen && !isResting;
  return { status: isUnknown ? 'pending' : last, lastKnownStatus: isUnknown ? last : null, isResting };
}

/** A pause or the time outside active hours hides the status that the checks led to, and does not change it. */
function statusOf({ info, activeHours }: WatchedTarget, known: TargetState, now: number): Status {
  if (!info.enabled) return 'paused';
  return isActive(activeHours, now) ? known.status : 'sleeping';
}

function wakingOf({ waking }: TargetState): TargetStats['waking'] {
  return waking && { since: iso(waking.since), attempts: waking.attempts };
}

function maintenanceOf(
  { info, maintenance }: WatchedTarget,
  windows: readonly Maintenance[],
  now: number,
): MaintenanceView | null {
  const end = maintenanceEnd(maintenance, now);
  if (end === null) return null;
  const configured = maintenance.find(
    (window) => window.reason !== undefined && inMaintenance([window], now),
  );
  return { until: iso(end), reason: openWindow(windows, info.id, now)?.reason ?? configured?.reason ?? null };
}

function recoveryOf(
  { maxRestarts: max }: PublicTarget,
  alertState: AlertState = NO_ALERT_STATE,
  clean: (text: string) => string,
): RecoveryView | null {
  if (max === null) return null;
  const last = alertState.events.findLast(({ kind }) => kind === 'restart');
  return {
    restarts: alertState.restarts,
    max,
    lastAt: isoOrNull(alertState.lastRestartAt),
    lastAnswer: last?.kind === 'restart' && last.answer !== null ? clean(last.answer) : null,
    exhausted: alertState.exhausted,
  };
}

function phasesOf({ phases }: TargetState): Phases | null {
  if (phases === null) return null;
  const [dns = null, connect = null, tls = null, ttfb = null] = phases;
  return { dns, connect, tls, ttfb };
}

function awakeOf(
  { info: { sleepsAfter, host }, activeHours, maintenance }: WatchedTarget,
  known: TargetState,
  coldStarts: number,
  lastRun: LastRun | null,
  tick: number,
  now: number,
): Awake {
  const { awakeFrom } = known;
  const isOpen = awakeFrom !== null && isActiveThroughout(activeHours, awakeFrom, now);
  const open = isOpen ? Math.max(0, now - awakeFrom) : null;
  const ended = longestGap(known.awakeGaps, now);
  const longest = open === null || ended === null ? (open ?? ended) : Math.max(open, ended);
  const found = { sleepsAfter, longestGap: longest, coldStarts };
  if (sleepsAfter === null) return { ...found, keptAwake: null, proof: null };
  const { answersCount } = HOSTS[host];
  const { asleepAt, provenAt, brokenAt, awakeSince, lastCheckAt } = known;
  // It may have said so since the first ping.
  if (longest === null) return { ...found, keptAwake: null, proof: asleepAt === null ? null : 'host' };
  const proof = asleepAt !== null ? 'host' : provenAt !== null ? 'container' : 'edge';
  const sleepsNow =
    isOpen &&
    now - awakeFrom >= sleepsAfter &&
    !known.pingsMissed &&
    !mayMissPings(lastRun, { now, tick }) &&
    maintenanceIntervals(maintenance, awakeFrom, now).length === 0;
  if (sleepsNow || (known.sleptAt !== null && isInLastDay(known.sleptAt, now))) {
    return { ...found, keptAwake: false, proof };
  }
  const provenUntil = isOpen ? now : (lastCheckAt ?? now);
  const isProven =
    answersCount &&
    provenAt !== null &&
    provenUntil - provenAt < sleepsAfter &&
    provenUntil - (awakeSince ?? provenUntil) >= sleepsAfter &&
    !(brokenAt !== null && isInLastDay(brokenAt, now)) &&
    longest < sleepsAfter;
  return { ...found, keptAwake: isProven ? true : null, proof };
}

/** The latencies of a window, of an overview that has the snapshots of `daysEnded`. */
export function latencyWithin(
  { tick }: Watch,
  target: WatchedTarget,
  overview: Overview,
  window: Window,
  now: number,
): Percentiles {
  const { at } = openTimeline(target, tick, overview, now);
  if (window === '24h') return percentiles(lastDay(at, now));
  const days = daysEnded(window, now);
  const latencies = (time: number): Histogram => at(time)?.latencies ?? EMPTY;
  const today = days[0] === now ? EMPTY : latencies(now);
  return percentiles(days.reduce((sum, midnight) => add(sum, latencies(midnight)), today));
}

/** Each time with the next one; a pair of equal times is left out. */
function pairs(times: readonly number[]): [from: number, to: number][] {
  return times.flatMap((to, i): [number, number][] => {
    const from = times[i - 1];
    return from === undefined || from === to ? [] : [[from, to]];
  });
}

/** The difference of two snapshots; no counts where either is lost. */
function between(start: TargetSnapshot | null, end: TargetSnapshot | null): Counters {
  return start && end ? difference(end.counters, start.counters) : NOTHING;
}

function day(from: string, start: TargetSnapshot | null, end: TargetSnapshot | null): Day {
  return { from, ...availability(between(start, end)) };
}

function bucket(from: number, to: number, start: TargetSnapshot | null, end: TargetSnapshot | null): Bucket {
  const counters = between(start, end);
  return {
    from: iso(from),
    to: iso(to),
    pings: counters.pings,
    failures: counters.failures,
    coldStarts: counters.coldStarts,
    ...availability(counters),
    awakeMs: counters.awake,
    sleptMs: counters.slept,
    latencyMs: percentiles(latenciesBetween(from, start, end)),
  };
}

function withAwakeTime(buckets: readonly Bucket[]): Bucket[] {
  const shares = buckets.map(({ from, to, awakeMs, sleptMs }) => ({
    length: Date.parse(to) - Date.parse(from),
    awake: awakeMs,
    slept: sleptMs,
  }));
  const found = spread(shares);
  return buckets.map((each, i) => ({
    ...each,
    awakeMs: found[i]?.awake ?? 0,
    sleptMs: found[i]?.slept ?? 0,
  }));
}

function availability(counters: Counters): Omit<Day, 'from'> {
  return {
    uptimeRatio: uptimeRatio(counters),
    coverage: coverage(counters),
    downtimeMs: counters.observed - counters.good,
  };
}

function checkView({ at, outcome, ...rest }: RecentCheck): CheckView {
  const { reason, statusCode, latency, coldStart, wakeMsAtLeast = null } = rest;
  const ok = outcome !== 'failed';
  return { at: iso(at), ok, outcome, reason, statusCode, latency, coldStart, wakeMsAtLeast };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

function isoOrNull(time: number | null): string | null {
  return time === null ? null : iso(time);
}
