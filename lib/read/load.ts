import { incidentField, incidentFields, readIncident } from '../record/incidents.js';
import type { Incident } from '../record/incidents.js';
import { MAINTENANCE_FIELD, OUTBOX_FIELD, STATE_FIELD } from '../record/fields.js';
import type { RecentCheck } from '../record/log.js';
import { type LogHead, type LostData, type State, type TargetState, endOf } from '../record/state-model.js';
import { logName, readChecks, recentLogs } from '../record/log.js';
import type { Maintenance } from '../record/maintenance.js';
import { readableMaintenance } from '../record/maintenance.js';
import type { Snapshot } from '../record/snapshots.js';
import { DAYS_KEPT, HOURS_KEPT, snapshotField, readSnapshot } from '../record/snapshots.js';
import { readOutbox } from '../record/outbox-text.js';
import { readState } from '../record/state.js';
import { unobservedAt } from '../record/targets.js';
import { NewerTextError, TextError } from '../record/codec/text-error.js';
import type { Outbox } from '../rules/outbox.js';
import type { ReadAnswer, Store } from '../store/store.js';
import { StoreError } from '../store/store.js';
import type { WatchedTarget } from '../types.js';
import { DAY, HOUR } from '../time.js';

/** The part of a store that loaders use. */
export type Reader = Pick<Store, 'read'>;

/** By the time that they stand for; null where there is none. */
export type Snapshots = ReadonlyMap<number, Snapshot | null>;

export const WINDOWS = ['24h', '7d', '30d', '90d'] as const;
export type Window = (typeof WINDOWS)[number];

/** When a window begins: on the full hour 24 hours ago, at midnight (UTC) so many days ago. */
export function windowStart(window: Window, now: number): number {
  const midnight = Math.floor(now / DAY) * DAY;
  switch (window) {
    case '24h':
      return Math.floor(now / HOUR) * HOUR - DAY;
    case '7d':
      return midnight - 7 * DAY;
    case '30d':
      return midnight - 30 * DAY;
    case '90d':
      return midnight - 90 * DAY;
  }
}

/** Null: there was no run yet. One store command. */
export async function loadState(store: Reader): Promise<State | null> {
  const { fields } = await store.read({ fields: [STATE_FIELD], logs: [] });
  return stateOf(fields.get(STATE_FIELD) ?? null);
}

/** The present state, without history. */
export interface Present {
  /** Null: there was no run yet. */
  readonly state: State | null;
  /** Begun over HTTP. */
  readonly maintenance: readonly Maintenance[];
  /** Alerts and restarts of open incidents, and the channels that fail. */
  readonly outbox: Outbox;
  /** The time span of data that was here before and is gone; null: none is known of. */
  readonly lost: LostData | null;
}

export interface Overview extends Present {
  readonly snapshots: Snapshots;
}

/** One store command. */
export function loadPresent(store: Reader): Promise<Present> {
  return load(store, {});
}

/**
 * State and snapshots for the statistics of all targets: one store command, two after missed runs, whatever the history.
 * @param days further midnights at which snapshots are wanted
 */
export async function loadOverview(
  store: Reader,
  now: number,
  days: readonly number[] = [],
): Promise<Overview> {
  const midnight = Math.floor(now / DAY) * DAY;
  const times = new Set([...WINDOWS.map((window) => windowStart(window, now)), midnight, ...days]);
  return load(store, { times: [...times] });
}

/** The midnights (UTC) with which the whole days of a window ended, latest first; none where it is 24 hours. */
export function daysEnded(window: Window, now: number): number[] {
  if (window === '24h') return [];
  const midnight = Math.floor(now / DAY) * DAY;
  const days = (midnight - windowStart(window, now)) / DAY;
  return Array.from({ length: days }, (_, i) => midnight - i * DAY);
}

/** How many hours the short line of a target's latency shows, the one under way included. */
const HOURS_SHOWN = 25;

/** State and snapshots for the days and hours of all targets: one store command, two after missed runs. */
export async function loadSummary(store: Reader, now: number): Promise<Overview> {
  const { hours, days } = summaryTimes(now);
  const windows = WINDOWS.map((window) => windowStart(window, now));
  return loadSnapshots(store, now, { times: [...new Set([...windows, ...hours, ...days])] });
}

/**
 * The texts of the snapshots that were read, for the next reader: a snapshot is written once, and to read a hundred of them for
 * every visit would be most of what a busy page moves. They are valid for the data that they were read with, which is
 * identified by its first run and by how often time was taken back.
 */
const kept = new WeakMap<Reader, { readonly origin: string; readonly texts: SnapshotTexts }>();
type SnapshotTexts = ReadonlyMap<number, string>;

/** Loads with the snapshots that are known, and keeps those of the times that may be asked for again. */
async function loadSnapshots(store: Reader, now: number, wanted: LoadRequest): Promise<Loaded> {
  const known = kept.get(store);
  const found = await load(store, wanted, known?.texts);
  const isSame = known === undefined || originOf(found.state) === known.origin;
  const loaded = isSame ? found : await load(store, wanted);
  const { state } = loaded;
  if (state !== null) {
    const texts = [...(isSame ? (known?.texts ?? []) : []), ...loaded.texts].filter(
      ([at]) => at >= now - (at % DAY === 0 ? DAYS_KEPT + 1 : HOURS_KEPT / 24) * DAY,
    );
    kept.set(store, { origin: originOf(state), texts: new Map(texts) });
  }
  return loaded;
}

function originOf(state: State | null): string {
  return state === null ? 'none' : `${state.firstRunAt}/${state.rewinds}`;
}

/** The times at whose snapshots the hours and days of the status page meet, ascending. */
export function summaryTimes(now: number): { readonly hours: number[]; readonly days: number[] } {
  const { hours, days } = historyTimes(now);
  return { hours: hours.slice(-HOURS_SHOWN), days };
}

export interface History extends Overview {
  /** Of the last 24 hours, oldest first. */
  readonly checks: readonly RecentCheck[];
  /** Resolved ones, latest first. */
  readonly incidents: readonly Incident[];
}

/** The times at whose snapshots the hours and days of a target's history meet, ascending. */
export function historyTimes(now: number): { readonly hours: number[]; readonly days: number[] } {
  const hour = Math.floor(now / HOUR) * HOUR;
  const midnight = Math.floor(now / DAY) * DAY;
  return {
    hours: Array.from({ length: HOURS_KEPT }, (_, i) => hour - (HOURS_KEPT - 1 - i) * HOUR),
    days: Array.from({ length: DAYS_KEPT }, (_, i) => midnight - (DAYS_KEPT - 1 - i) * DAY),
  };
}

/** One target's history, empty where no run has seen it yet: three store commands, four after missed runs. */
export async function loadHistory(store: Reader, id: string, now: number): Promise<History> {
  const first = await loadPresent(store);
  const slot = first.state?.targets.findIndex((target) => target?.id === id) ?? -1;
  const target = first.state?.targets[slot] ?? null;
  if (target === null) return { ...first, snapshots: new Map(), checks: [], incidents: [] };
  const { hours, days } = historyTimes(now);
  const windows = WINDOWS.map((window) => windowStart(window, now));
  const times = [...new Set([...windows, ...hours, ...days])];
  const names = recentLogs(now);
  const resolved = target.incidents - (target.incident === null ? 0 : 1);
  const wanted = { times, fields: resolved > 0 ? incidentFields(slot) : [], logs: names, id };
  const { state, fields, logs, ...overview } = await loadSnapshots(store, now, wanted);
  const addedAt = state?.targets[slot]?.addedAt ?? now;
  const incidents = wanted.fields
    .flatMap((name) => {
      const text = fields.get(name);
      return text === undefined ? [] : unpackHistory(store, [], () => [readIncident(text)]);
    })
    .filter(({ startedAt }) => startedAt >= addedAt)
    .sort((a, b) => b.startedAt - a.startedAt);
  const whole = state === null ? logs : withPending(logs, state.log);
  const checks = names.flatMap((name) => {
    const log = whole.get(name);
    return log === undefined ? [] : unpackHistory(store, [], () => readChecks([log], slot, now));
  });
  return { ...overview, state, incidents, checks: checks.sort((a, b) => a.at - b.at) };
}

/** How many resolved incidents are read at most, whatever the number of targets, and of one target. */
const INCIDENTS_READ = 1_000;
const INCIDENTS_READ_OF_ONE = 50;

export interface LatestIncidents {
  /** Null: there was no run yet. */
  readonly state: State | null;
  /** By target; the open one among them. */
  readonly incidents: ReadonlyMap<string, readonly Incident[]>;
}

/**
 * The last incidents of every target that is in the configuration: one store command, two where any is resolved. Of up
 * to 20 targets the last 50 each; of more, fewer: of 500 the last two.
 */
export async function loadLatestIncidents(
  store: Reader,
  { tick, targets }: { readonly tick: number; readonly targets: readonly WatchedTarget[] },
  now: number,
): Promise<LatestIncidents> {
  const configured = new Map(targets.map((target) => [target.info.id, target]));
  const { state, outbox } = await loadPresent(store);
  const known = (state?.targets ?? []).flatMap((target, slot) => {
    if (target === null || target.removedAt !== null || target.incidents === 0) return [];
    return [{ target, slot, resolved: target.incidents - (target.incident === null ? 0 : 1) }];
  });
  const each = Math.min(INCIDENTS_READ_OF_ONE, Math.floor(INCIDENTS_READ / known.length));
  const wanted = known.flatMap(({ target, slot, resolved }) =>
    Array.from({ length: Math.min(each, resolved) }, (_, i) => ({
      target,
      field: incidentField(slot, resolved - 1 - i),
    })),
  );
  const fields = wanted.map(({ field }) => field);
  const texts = fields.length === 0 ? null : (await store.read({ fields, logs: [] })).fields;
  const incidents = new Map<string, Incident[]>();
  for (const { target } of known) {
    const open = openIncident(target, outbox, unobservedAt(target, configured.get(target.id), now, tick));
    incidents.set(target.id, open === null ? [] : [open]);
  }
  for (const { target, field } of wanted) {
    const text = texts?.get(field);
    if (text === undefined) continue;
    const incident = unpackHistory(store, null, () => readIncident(text));
    if (incident !== null && incident.startedAt >= target.addedAt) incidents.get(target.id)?.push(incident);
  }
  return { state, incidents };
}

/** @param unobserved how much of it no check speaks for by now, in ms; null: not known */
export function openIncident(
  { id, incident }: TargetState,
  { alertStates }: Outbox,
  unobserved: number | null,
): Incident | null {
  return incident === null
    ? null
    : { ...incident, endedAt: null, events: alertStates.get(id)?.events ?? [], unobserved };
}

/** The logs, with the rows that are pending in the state: of a run that is under way or was cut off. */
export function withPending(
  logs: ReadAnswer['logs'],
  { span, offset, pending }: LogHead,
): ReadAnswer['logs'] {
  const name = logName(span);
  if (pending === '') return logs;
  return new Map(logs).set(name, (logs.get(name) ?? '').slice(0, offset - pending.length) + pending);
}

/** What to read besides the present state. */
interface LoadRequest {
  /** At whose snapshots. */
  readonly times?: readonly number[];
  readonly fields?: readonly string[];
  readonly logs?: readonly string[];
  /** The target whose snapshots are wanted; without it, those of all. */
  readonly id?: string;
}

interface Loaded extends Overview {
  readonly fields: ReadAnswer['fields'];
  readonly logs: ReadAnswer['logs'];
  /** Of the snapshots that were found. */
  readonly texts: SnapshotTexts;
}

async function load(store: Reader, wanted: LoadRequest, known: SnapshotTexts = new Map()): Promise<Loaded> {
  const { times = [], id } = wanted;
  const texts = new Map<number, string | null>(known);
  const asked = times.filter((at) => !texts.has(at));
  const answer = await store.read({
    fields: [
      ...[STATE_FIELD, MAINTENANCE_FIELD, OUTBOX_FIELD],
      ...asked.map(snapshotField),
      ...(wanted.fields ?? []),
    ],
    logs: wanted.logs ?? [],
  });
  const { fields, logs } = answer;
  const state = stateOf(fields.get(STATE_FIELD) ?? null);
  const maintenance = readableMaintenance(fields.get(MAINTENANCE_FIELD) ?? null);
  const outbox = unpack(() => readOutbox(fields.get(OUTBOX_FIELD) ?? null));
  const addedAt = (slot: number): number | null => {
    const target = state?.targets[slot];
    return target && (id === undefined || target.id === id) ? target.addedAt : null;
  };
  for (const at of asked) texts.set(at, fields.get(snapshotField(at)) ?? null);
  const found = times.map((at) => ({
    at,
    snapshot: unpackHistory(store, null, () => readSnapshot(texts.get(at) ?? null, at, addedAt)),
  }));
  const snapshots = new Map<number, Snapshot | null>();
  const references: { at: number; see: number }[] = [];
  for (const { at, snapshot } of found) {
    if (snapshot !== null && 'see' in snapshot) references.push({ at, see: snapshot.see });
    else snapshots.set(at, snapshot);
  }
  const missing = [...new Set(references.map(({ see }) => see))].filter((see) => !snapshots.has(see));
  if (missing.length > 0) {
    const absent = missing.filter((at) => !texts.has(at));
    const more = absent.length > 0 ? await store.read({ fields: absent.map(snapshotField), logs: [] }) : null;
    for (const at of absent) texts.set(at, more?.fields.get(snapshotField(at)) ?? null);
    for (const at of missing) {
      const snapshot = unpackHistory(store, null, () => readSnapshot(texts.get(at) ?? null, at, addedAt));
      snapshots.set(at, snapshot !== null && 'see' in snapshot ? null : snapshot);
    }
  }
  for (const { at, see } of references) {
    const snapshot = snapshots.get(see) ?? null;
    snapshots.set(at, snapshot === null ? null : { ...snapshot, at });
  }
  const used = [...times, ...missing].flatMap((at): [number, string][] => {
    const text = texts.get(at) ?? null;
    return text === null || (snapshots.get(at) ?? null) === null ? [] : [[at, text]];
  });
  const lost = lostData(store, state);
  return { state, snapshots, maintenance, outbox, lost, fields, logs, texts: new Map(used) };
}

/** The time span of the data that this process has read: if it is gone at the next read, it was lost. */
const seen = new WeakMap<Reader, LostData>();

function lostData(store: Reader, state: State | null): LostData | null {
  const before = seen.get(store) ?? null;
  const isNewer = before !== null && (state === null || state.firstRunAt > before.lastRunAt);
  if (isNewer) return state?.lost ?? before;
  if (state !== null) {
    const lastRunAt = state.lastRun === null ? state.firstRunAt : endOf(state.lastRun);
    seen.set(store, { firstRunAt: state.firstRunAt, lastRunAt });
  }
  return state?.lost ?? null;
}

function stateOf(text: string | null): State | null {
  return text === null ? null : unpack(() => readState(text));
}

/** @throws StoreError for what cannot be read, which says so where it was written by a newer Keepalive */
function unpack<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof TextError)) throw cause;
    const why = cause instanceof NewerTextError ? `: ${cause.message}` : '';
    throw new StoreError('store_corrupt', `What is stored cannot be read${why}.`, { cause });
  }
}

/** The messages that were logged about history that a reader cannot read. */
const reported = new WeakMap<Reader, Set<string>>();

/**
 * The same for a part of the history. What a newer Keepalive wrote of it counts as not there, and is logged once: after
 * a deployment that was taken back, everything else can be read.
 */
function unpackHistory<T>(reader: Reader, absent: T, read: () => T): T {
  return unpack(() => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof NewerTextError)) throw error;
      const known = reported.get(reader) ?? new Set();
      reported.set(reader, known);
      const { message } = error;
      if (!known.has(message)) console.error(JSON.stringify({ event: 'history_not_readable', message }));
      known.add(message);
      return absent;
    }
  });
}
