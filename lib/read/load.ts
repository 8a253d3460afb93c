import { EXCERPT, readExcerptNote, type ExcerptNote } from '../record/excerpt.js';
import { incidentField, incidentFields, INCIDENTS_KEPT, readIncident } from '../record/incidents.js';
import type { Incident } from '../record/incidents.js';
import {
  MAILING_FIELD,
  MAINTENANCE_FIELD,
  NOTES_FIELD,
  OUTBOX_FIELD,
  SLOTS_FIELD,
  STATE_FIELD,
} from '../record/fields.js';
import type { RecentCheck } from '../record/log.js';
import { type LogHead, type LostData, type State, type TargetState, endOf } from '../record/state-model.js';
import { logName, readChecks, readContinued, recentLogs } from '../record/log.js';
import { readMailing } from '../record/mailing-text.js';
import type { Maintenance } from '../record/maintenance.js';
import { readableMaintenance } from '../record/maintenance.js';
import type { Note } from '../record/notes.js';
import { readableNotes } from '../record/notes.js';
import type { Snapshot } from '../record/snapshots.js';
import { DAYS_KEPT, HOURS_KEPT, snapshotField, readSnapshot } from '../record/snapshots.js';
import { readOutbox } from '../record/outbox-text.js';
import { readState } from '../record/state.js';
import { unobservedAt } from '../record/targets.js';
import { NewerTextError, TextError } from '../record/codec/text-error.js';
import type { Mailing } from '../rules/mailing.js';
import type { Outbox } from '../rules/outbox.js';
import type { ReadAnswer, ReadRequest, Store } from '../store/store.js';
import { StoreError } from '../store/store.js';
import type { WatchedTarget } from '../types.js';
import { DAY, HOUR } from '../time.js';

/** The part of a store that loaders use. */
export type Reader = Pick<Store, 'read'>;

/** One of several databases cannot be read now. */
export class UnreadError extends StoreError {
  constructor({ code, message }: StoreError) {
    super(code, message);
  }
}

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

/** Begun over HTTP. One store command. */
export async function loadMaintenance(store: Reader): Promise<readonly Maintenance[]> {
  const { fields } = await store.read({ fields: [MAINTENANCE_FIELD], logs: [] });
  return readableMaintenance(fields.get(MAINTENANCE_FIELD) ?? null);
}

/** What subscribers are to be told; null: it cannot be read. One store command. */
export async function loadMailing(store: Reader): Promise<Mailing | null> {
  const { fields } = await store.read({ fields: [MAILING_FIELD], logs: [] });
  try {
    return readMailing(fields.get(MAILING_FIELD) ?? null, 0);
  } catch (error) {
    if (error instanceof TextError) return null;
    throw error;
  }
}

/** The present state, without history. */
export interface Present {
  /** Null: there was no run yet. */
  readonly state: State | null;
  /** Begun over HTTP. */
  readonly maintenance: readonly Maintenance[];
  readonly notes: readonly Note[];
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
  return loadKept(store, now, { times: overviewTimes(now, days) });
}

/** The same of one target: a store at the end of a line sends what is of this target alone. Two store commands. */
export async function loadOverviewOf(
  store: Reader,
  id: string,
  now: number,
  days: readonly number[],
): Promise<Overview> {
  return loadKept(store, now, { times: overviewTimes(now, days), id });
}

function overviewTimes(now: number, days: readonly number[]): number[] {
  const midnight = Math.floor(now / DAY) * DAY;
  return [...new Set([...WINDOWS.map((window) => windowStart(window, now)), midnight, ...days])];
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

/**
 * State and snapshots for the days and hours of all targets, and their latest resolved incidents: two store commands, one
 * where the process has read the incidents before. Of one of several shards, days and hours are left out.
 */
export async function loadSummary(
  store: Reader,
  now: number,
  shards = 1,
): Promise<Overview & ResolvedIncidents> {
  const { hours, days } = summaryTimes(now);
  const windows = WINDOWS.map((window) => windowStart(window, now));
  const shown = shards === 1 ? [...hours, ...days] : [Math.floor(now / DAY) * DAY];
  const incidents = Math.ceil(INCIDENTS_READ / shards);
  return loadKept(store, now, { times: [...new Set([...windows, ...shown])], incidents });
}

/**
 * The texts of the snapshots and of the resolved incidents that were read, for the next reader: both are written once, and
 * to read hundreds of them for every visit would be most of what a busy page moves. They are valid for the data that they
 * were read with, which is identified by its first run and by how often time was taken back.
 */
const kept = new WeakMap<Reader, KeptTexts & { readonly origin: string }>();
/** The excerpts of one target's snapshots, of the targets that were asked for last. */
const keptOfOne = new WeakMap<Reader, Map<string, KeptTexts & { readonly origin: string }>>();
/** Of how many: they take some 20 KB each. */
const TARGETS_KEPT = 100;

interface SnapshotText {
  readonly text: string;
  /** It holds one target alone (excerpt.ts). */
  readonly isExcerpt: boolean;
}

type SnapshotTexts = ReadonlyMap<number, SnapshotText>;

interface KeptTexts {
  readonly snapshots: SnapshotTexts;
  /** By `keyOf`; null: the store does not have it. */
  readonly incidents: ReadonlyMap<string, string | null>;
}

const NOTHING_KEPT: KeptTexts = { snapshots: new Map(), incidents: new Map() };

/** Loads with the texts that are known, and keeps those that may be asked for again. */
async function loadKept(store: Reader, now: number, wanted: LoadRequest): Promise<Loaded> {
  const ofAll = kept.get(store);
  const ofOne = wanted.id === undefined ? undefined : keptOfOne.get(store)?.get(wanted.id);
  const origins = new Set([ofAll, ofOne].flatMap((texts) => texts?.origin ?? []));
  const known = {
    snapshots: new Map([...(ofOne?.snapshots ?? []), ...(ofAll?.snapshots ?? [])]),
    incidents: ofAll?.incidents ?? NOTHING_KEPT.incidents,
  };
  const found = await load(store, wanted, known);
  const origin = originOf(found.state);
  const isSame = [...origins].every((each) => each === origin);
  const loaded = isSame ? found : await load(store, wanted);
  const { state, texts } = loaded;
  if (state !== null) {
    const before = isSame ? known : NOTHING_KEPT;
    // One of an hour that no run has counted up to was written while the clock was ahead: it is written anew.
    const snapshots = [...before.snapshots, ...texts.snapshots].filter(
      ([at]) =>
        at <= state.snapshotHour * HOUR &&
        at >= now - (at % DAY === 0 ? DAYS_KEPT + 1 : HOURS_KEPT / 24) * DAY,
    );
    const incidents = wanted.incidents === undefined ? before.incidents : texts.incidents;
    const whole = snapshots.filter(([, { isExcerpt }]) => !isExcerpt);
    kept.set(store, { origin: originOf(state), snapshots: new Map(whole), incidents });
    const excerpts = snapshots.filter(([, { isExcerpt }]) => isExcerpt);
    if (wanted.id !== undefined && excerpts.length > 0)
      keepOfOne(store, wanted.id, { ...NOTHING_KEPT, origin: originOf(state), snapshots: new Map(excerpts) });
  }
  return loaded;
}

function keepOfOne(store: Reader, id: string, texts: KeptTexts & { readonly origin: string }): void {
  const all = keptOfOne.get(store) ?? new Map<string, typeof texts>();
  keptOfOne.set(store, all);
  all.delete(id);
  all.set(id, texts);
  const [oldest = id] = all.keys();
  if (all.size > TARGETS_KEPT) all.delete(oldest);
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

/** The slots of the targets as they were last read. They keep them for as long as there is anything of them. */
const slots = new WeakMap<Reader, readonly (string | null)[]>();

/**
 * One target's history, empty where no run has seen it yet. A store at the end of a line sends what is of this target, the
 * state and the outbox, and three commands are enough; two more where its incidents were looked for in another's slot, and
 * where snapshots from before missed runs are needed that are not kept any more. Three more where no run has written the
 * list of slots yet.
 * @param guess the slot that it may have, where this process has not seen the state yet
 */
export async function loadHistory(
  store: Reader,
  id: string,
  now: number,
  guess: number | null = null,
): Promise<History> {
  const { hours, days } = historyTimes(now);
  const windows = WINDOWS.map((window) => windowStart(window, now));
  const times = [...new Set([...windows, ...hours, ...days])];
  const names = recentLogs(now);
  const seen = slots.get(store)?.indexOf(id) ?? -1;
  const { state, slot, logs, incidentTexts, note, ...overview } = await loadKept(store, now, {
    ...{ times, id, logs: names },
    guess: seen === -1 ? guess : seen,
  });
  const target = state?.targets[slot] ?? null;
  if (state === null || target === null)
    return { ...overview, state, snapshots: new Map(), checks: [], incidents: [] };
  const incidents = incidentTexts
    .flatMap((text) => unpackHistory(store, [], () => [readIncident(text)]))
    .filter(({ startedAt }) => startedAt >= target.addedAt)
    .sort((a, b) => b.startedAt - a.startedAt);
  const whole = note === null ? withPending(logs, state.log) : null;
  const checks = names.flatMap((name, i) =>
    unpackHistory(store, [], () =>
      whole === null
        ? checksInExcerpt(
            { log: logs.get(name) ?? null, width: note?.widths[i] ?? null },
            name,
            state,
            slot,
            now,
          )
        : readChecks([whole.get(name) ?? null], slot, now),
    ),
  );
  return { ...overview, state, incidents, checks: checks.sort((a, b) => a.at - b.at) };
}

/** The checks in the excerpt of a log, with the rows of all targets that are pending in the state. */
function checksInExcerpt(
  { log, width }: { readonly log: string | null; readonly width: number | null },
  name: string,
  { log: { span, offset, pending } }: State,
  slot: number,
  now: number,
): RecentCheck[] {
  if (pending === '' || name !== logName(span)) return readChecks([log], 0, now);
  // They begin the log, and what it holds is of an earlier turn.
  if (offset === pending.length || log === null) return readChecks([pending], slot, now);
  return readContinued({ excerpt: log, width, pending }, slot, now);
}

/** How many resolved incidents are read at most, whatever the number of targets. */
const INCIDENTS_READ = 1_000;

/** The latest resolved incidents of all targets. */
export interface ResolvedIncidents {
  /** By target, latest first. */
  readonly resolved: ReadonlyMap<string, readonly Incident[]>;
  /** Targets of which older ones are kept that were not read. */
  readonly unread: ReadonlySet<string>;
}

/** A resolved incident that is kept. */
interface StoredIncident {
  readonly target: TargetState;
  readonly field: string;
  /** What the field holds may be kept under this key: a target's incident has one number. */
  readonly key: string;
}

/**
 * The fields of the latest resolved incidents: of each target as many as can be read of all of them, so that one that
 * often fails takes no place from the others.
 */
function storedIncidents(
  state: State | null,
  most: number,
): { stored: StoredIncident[]; unread: Set<string> } {
  const counts = (state?.targets ?? []).flatMap((target, slot) => {
    if (target === null || target.removedAt !== null) return [];
    const resolved = resolvedOf(target);
    return resolved === 0 ? [] : [{ target, slot, resolved, held: Math.min(INCIDENTS_KEPT, resolved) }];
  });
  const each = fairShare(
    counts.map(({ held }) => held),
    most,
  );
  const stored = counts.flatMap(({ target, slot, resolved, held }) =>
    Array.from({ length: Math.min(each, held) }, (_, i): StoredIncident => {
      const number = resolved - 1 - i;
      const field = incidentField(slot, number);
      return { target, field, key: `${field}/${number}/${target.addedAt}` };
    }),
  );
  const unread = new Set(counts.filter(({ held }) => held > each).map(({ target }) => target.id));
  return { stored, unread };
}

/** The largest number that each may have of `amounts`, so that all together have `total` at most. */
function fairShare(amounts: readonly number[], total: number): number {
  let left = total;
  let share = 0;
  const ascending = [...amounts].sort((a, b) => a - b);
  for (const [i, amount] of ascending.entries()) {
    const others = ascending.length - i;
    if ((amount - share) * others > left) return share + Math.floor(left / others);
    left -= (amount - share) * others;
    share = amount;
  }
  return share;
}

/**
 * The latest incidents of every target: one store command, two where any is resolved and was not read before.
 * @param shards of how many this is one
 */
export async function loadLatestIncidents(
  store: Reader,
  now: number,
  shards = 1,
): Promise<Present & ResolvedIncidents> {
  return loadKept(store, now, { incidents: Math.ceil(INCIDENTS_READ / shards) });
}

/** The open incident and the resolved ones of every target that is in the configuration, latest first. */
export function latestIncidents(
  { tick, targets }: { readonly tick: number; readonly targets: readonly WatchedTarget[] },
  { state, outbox, resolved }: Present & ResolvedIncidents,
  now: number,
): Map<string, readonly Incident[]> {
  const configured = new Map(targets.map((target) => [target.info.id, target]));
  return new Map(
    (state?.targets ?? []).flatMap((target): [string, readonly Incident[]][] => {
      if (target === null || target.removedAt !== null) return [];
      const watched = configured.get(target.id);
      const open = openIncident(target, outbox, unobservedAt(target, watched, now, tick));
      const all = [...(open === null ? [] : [open]), ...(resolved.get(target.id) ?? [])];
      return all.length === 0 ? [] : [[target.id, all]];
    }),
  );
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
  readonly logs?: readonly string[];
  /** The target whose snapshots and logs are wanted; without it, the snapshots of all. */
  readonly id?: string;
  /** The slot that it may have: its incidents are wanted as well. */
  readonly guess?: number | null;
  /** So many of the latest resolved incidents of all targets are wanted at most. */
  readonly incidents?: number;
}

interface Loaded extends Overview, ResolvedIncidents {
  readonly logs: ReadAnswer['logs'];
  /** Of the target that was asked for; -1: no run has seen it. */
  readonly slot: number;
  /** What it has of resolved incidents. */
  readonly incidentTexts: readonly string[];
  /** Not null: snapshots and logs are excerpts. */
  readonly note: ExcerptNote | null;
  /** Of the snapshots that were found, and of the incidents that were asked for. */
  readonly texts: KeptTexts;
}

/** One store command, of one target three; then more for snapshots that others refer to, and for incidents. */
async function load(store: Reader, wanted: LoadRequest, known: KeptTexts = NOTHING_KEPT): Promise<Loaded> {
  const { times = [], id, guess, logs: names = [] } = wanted;
  const texts = new Map<number, SnapshotText | null>(known.snapshots);
  const asked = times.filter((at) => !texts.has(at));
  const present = [STATE_FIELD, MAINTENANCE_FIELD, OUTBOX_FIELD, NOTES_FIELD];
  const guessed = guess == null ? [] : incidentFields(guess);
  const { answer, state, slot, note } = await readTexts(store, id, {
    fields: [...present, ...asked.map(snapshotField), ...guessed],
    logs: names,
  });
  const { fields, logs } = answer;
  const maintenance = readableMaintenance(fields.get(MAINTENANCE_FIELD) ?? null);
  const notes = readableNotes(fields.get(NOTES_FIELD) ?? null);
  const outbox = unpack(() => readOutbox(fields.get(OUTBOX_FIELD) ?? null));
  const addedAt = (slot: number): number | null => {
    const target = state?.targets[slot];
    return target && (id === undefined || target.id === id) ? target.addedAt : null;
  };
  const snapshotOf = (at: number): ReturnType<typeof readSnapshot> =>
    unpackHistory(store, null, () => {
      const { text, isExcerpt } = texts.get(at) ?? { text: null, isExcerpt: false };
      if (!isExcerpt) return readSnapshot(text, at, addedAt);
      const snapshot = readSnapshot(text, at, () => addedAt(slot));
      if (snapshot === null || 'see' in snapshot) return snapshot;
      const targets = Array.from({ length: slot }, () => null);
      return { ...snapshot, targets: [...targets, ...snapshot.targets] };
    });
  const learn = (found: ReadAnswer | null, times: readonly number[]): void => {
    for (const at of times) {
      const text = found?.fields.get(snapshotField(at));
      texts.set(at, text === undefined ? null : { text, isExcerpt: found?.excerpt !== undefined });
    }
  };
  learn(answer, asked);
  const snapshots = new Map<number, Snapshot | null>();
  const references: { at: number; see: number }[] = [];
  for (const at of times) {
    const snapshot = snapshotOf(at);
    if (snapshot !== null && 'see' in snapshot) references.push({ at, see: snapshot.see });
    else snapshots.set(at, snapshot);
  }
  const missing = [...new Set(references.map(({ see }) => see))].filter((see) => !snapshots.has(see));
  const absent = missing.filter((at) => !texts.has(at));
  const { stored, unread } =
    wanted.incidents === undefined
      ? { stored: [], unread: new Set<string>() }
      : storedIncidents(state, wanted.incidents);
  const unknown = stored.filter(({ key }) => !known.incidents.has(key));
  const target = state?.targets[slot] ?? null;
  const hasIncidents = guess !== undefined && target !== null && resolvedOf(target) > 0;
  const ofOne = hasIncidents ? incidentFields(slot) : [];
  const more = [
    ...absent.map(snapshotField),
    ...unknown.map(({ field }) => field),
    ...(slot === guess ? [] : ofOne),
  ];
  const found = more.length === 0 ? null : await readMore(store, more, note && { id: id ?? '', slot });
  learn(found, absent);
  for (const at of missing) {
    const snapshot = snapshotOf(at);
    snapshots.set(at, snapshot !== null && 'see' in snapshot ? null : snapshot);
  }
  for (const { at, see } of references) {
    const snapshot = snapshots.get(see) ?? null;
    snapshots.set(at, snapshot === null ? null : { ...snapshot, at });
  }
  const incidents = new Map(
    stored.map(({ key, field }) => [key, known.incidents.get(key) ?? found?.fields.get(field) ?? null]),
  );
  const used = [...times, ...missing].flatMap((at): [number, SnapshotText][] => {
    const text = texts.get(at) ?? null;
    return text === null || (snapshots.get(at) ?? null) === null ? [] : [[at, text]];
  });
  return {
    ...{ state, snapshots, maintenance, notes, outbox, logs, unread, slot, note },
    lost: lostData(store, state),
    resolved: resolvedIncidents(store, stored, incidents),
    incidentTexts: ofOne.flatMap((name) => (slot === guess ? answer : found)?.fields.get(name) ?? []),
    texts: { snapshots: new Map(used), incidents },
  };
}

/** @param id of the target that the history is wanted of; undefined: of all */
async function readTexts(
  store: Reader,
  id: string | undefined,
  { fields, logs }: Pick<ReadRequest, 'fields' | 'logs'>,
): Promise<{ answer: ReadAnswer; state: State | null; slot: number; note: ExcerptNote | null }> {
  const read = async (args: readonly string[]) => {
    const answer = await store.read(
      id === undefined
        ? { fields, logs }
        : { fields: [SLOTS_FIELD, ...fields], logs, excerpt: { script: EXCERPT, args: [id, ...args] } },
    );
    const state = lastStateOf(store, answer.fields.get(STATE_FIELD) ?? null);
    if (state !== null)
      slots.set(
        store,
        state.targets.map((target) => target?.id ?? null),
      );
    const slot = id === undefined ? -1 : (state?.targets.findIndex((target) => target?.id === id) ?? -1);
    return { answer, state, slot, note: readExcerptNote(answer.excerpt ?? '') };
  };
  const found = await read(['']);
  const isRight = found.answer.excerpt === undefined || found.slot === -1 || found.note?.slot === found.slot;
  return isRight ? found : read([String(found.slot)]);
}

function readMore(
  store: Reader,
  fields: readonly string[],
  of: { readonly id: string; readonly slot: number } | null,
): Promise<ReadAnswer> {
  if (of === null) return store.read({ fields, logs: [] });
  const excerpt = { script: EXCERPT, args: [of.id, String(of.slot)] };
  return store.read({ fields: [SLOTS_FIELD, ...fields], logs: [], excerpt });
}

function resolvedOf({ incidents, incident }: TargetState): number {
  return incidents - (incident === null ? 0 : 1);
}

function resolvedIncidents(
  store: Reader,
  stored: readonly StoredIncident[],
  texts: KeptTexts['incidents'],
): Map<string, Incident[]> {
  const resolved = new Map<string, Incident[]>();
  for (const { target, key } of stored) {
    const text = texts.get(key) ?? null;
    if (text === null) continue;
    const incident = unpackHistory(store, null, () => readIncident(text));
    if (incident === null || incident.startedAt < target.addedAt) continue;
    resolved.set(target.id, [...(resolved.get(target.id) ?? []), incident]);
  }
  return resolved;
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

/** The state that was read last, with its text: most readers come between two runs, and find the same. */
const parsed = new WeakMap<Reader, { readonly text: string; readonly state: State }>();

function lastStateOf(store: Reader, text: string | null): State | null {
  const known = parsed.get(store);
  if (known !== undefined && known.text === text) return known.state;
  const state = stateOf(text);
  if (text !== null && state !== null) parsed.set(store, { text, state });
  return state;
}

function stateOf(text: string | null): State | null {
  return text === null ? null : unpack(() => readState(text));
}

/** @throws StoreError for what cannot be read, which says so where it was written by a newer Keepalive */
export function unpack<T>(read: () => T): T {
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
