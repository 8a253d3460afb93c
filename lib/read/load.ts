import { incidentFields, readIncident } from '../record/incidents.js';
import type { Incident } from '../record/incidents.js';
import { STATE_FIELD } from '../record/ledger.js';
import type { LogHead, RecentCheck } from '../record/log.js';
import { logName, readChecks, recentLogs } from '../record/log.js';
import type { Mark } from '../record/marks.js';
import { DAY, DAYS_KEPT, HOUR, HOURS_KEPT, markField, readMark } from '../record/marks.js';
import type { State } from '../record/state.js';
import { readState } from '../record/state.js';
import { TextError } from '../record/text.js';
import type { Store } from '../store/store.js';
import { StoreError } from '../store/store.js';

/** By the time that they stand for; null where nothing was marked. */
export type Marks = ReadonlyMap<number, Mark | null>;

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
export async function loadState(store: Store): Promise<State | null> {
  const { fields } = await store.read({ fields: [STATE_FIELD], logs: [] });
  return stateOf(fields[0] ?? null);
}

export interface Overview {
  /** Null: there was no run yet. */
  readonly state: State | null;
  readonly marks: Marks;
}

/** What the figures of all targets are made of: one store command, two after missed runs, whatever the history. */
export async function loadOverview(store: Store, now: number): Promise<Overview> {
  const midnight = Math.floor(now / DAY) * DAY;
  const times = [...WINDOWS.map((window) => windowStart(window, now)), midnight];
  const { state, marks } = await load(store, times, [], []);
  return { state, marks };
}

/** How many hours the short line of a target's latency shows, the one under way included. */
const HOURS_SHOWN = 25;

/** What the days and hours of all targets are made of: one store command, two after missed runs. */
export async function loadSummary(store: Store, now: number): Promise<Overview> {
  const { hours, days } = summaryTimes(now);
  const windows = WINDOWS.map((window) => windowStart(window, now));
  const times = [...new Set([...windows, ...hours, ...days])];
  const known = kept.get(store);
  const found = await load(store, times, [], [], known?.texts);
  const { state, marks, texts } =
    known === undefined || found.state?.firstRunAt === known.firstRunAt
      ? found
      : await load(store, times, [], []);
  if (state !== null) kept.set(store, { firstRunAt: state.firstRunAt, texts });
  return { state, marks };
}

/**
 * The texts of the marks that the last summary was made of, for the next: a mark is written once, and to read a hundred
 * of them for every visit would be most of what a busy page moves. They are good for the data that they were read with,
 * which its first run tells from other data.
 */
const kept = new WeakMap<Store, { readonly firstRunAt: number; readonly texts: Texts }>();
type Texts = ReadonlyMap<number, string>;

/** The times at whose marks the hours and days of the status page meet, ascending. */
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

/** The times at whose marks the hours and days of a target's history meet, ascending. */
export function historyTimes(now: number): { readonly hours: number[]; readonly days: number[] } {
  const hour = Math.floor(now / HOUR) * HOUR;
  const midnight = Math.floor(now / DAY) * DAY;
  return {
    hours: Array.from({ length: HOURS_KEPT }, (_, i) => hour - (HOURS_KEPT - 1 - i) * HOUR),
    days: Array.from({ length: DAYS_KEPT }, (_, i) => midnight - (DAYS_KEPT - 1 - i) * DAY),
  };
}

/** One target's history, empty where no run has seen it yet: three store commands, four after missed runs. */
export async function loadHistory(store: Store, id: string, now: number): Promise<History> {
  const seen = await loadState(store);
  const slot = seen?.targets.findIndex((target) => target?.id === id) ?? -1;
  if (slot === -1) return { state: seen, marks: new Map(), checks: [], incidents: [] };
  const { hours, days } = historyTimes(now);
  const windows = WINDOWS.map((window) => windowStart(window, now));
  const times = [...new Set([...windows, ...hours, ...days])];
  const names = recentLogs(now);
  const { state, marks, fields, logs } = await load(store, times, incidentFields(slot), names);
  const addedAt = state?.targets[slot]?.addedAt ?? now;
  const incidents = fields
    .flatMap((field) => (field === null ? [] : [unpack(() => readIncident(field))]))
    .filter(({ startedAt }) => startedAt >= addedAt)
    .sort((a, b) => b.startedAt - a.startedAt);
  const whole = state === null ? logs : withPending(logs, names, state.log);
  return { state, marks, incidents, checks: unpack(() => readChecks(whole, slot, now)) };
}

/** The logs with the rows that a run that is under way, or was cut off, has left in the state. */
function withPending(
  logs: readonly (string | null)[],
  names: readonly string[],
  { span, offset, pending }: LogHead,
): (string | null)[] {
  const name = logName(span);
  return logs.map((log, i) =>
    pending === '' || names[i] !== name ? log : (log ?? '').slice(0, offset - pending.length) + pending,
  );
}

async function load(
  store: Store,
  times: readonly number[],
  others: readonly string[],
  logNames: readonly string[],
  known: Texts = new Map(),
): Promise<
  Overview & { fields: readonly (string | null)[]; logs: readonly (string | null)[]; texts: Texts }
> {
  const texts = new Map<number, string | null>(known);
  const asked = times.filter((at) => !texts.has(at));
  const answer = await store.read({
    fields: [STATE_FIELD, ...asked.map(markField), ...others],
    logs: logNames,
  });
  const state = stateOf(answer.fields[0] ?? null);
  const addedAt = (slot: number): number | null => state?.targets[slot]?.addedAt ?? null;
  for (const [i, at] of asked.entries()) texts.set(at, answer.fields[i + 1] ?? null);
  const found = times.map((at) => ({
    at,
    mark: unpack(() => readMark(texts.get(at) ?? null, at, addedAt)),
  }));
  const marks = new Map<number, Mark | null>();
  const references: { at: number; see: number }[] = [];
  for (const { at, mark } of found) {
    if (mark !== null && 'see' in mark) references.push({ at, see: mark.see });
    else marks.set(at, mark);
  }
  const missing = [...new Set(references.map(({ see }) => see))].filter((see) => !marks.has(see));
  if (missing.length > 0) {
    const absent = missing.filter((at) => !texts.has(at));
    const more = absent.length > 0 ? await store.read({ fields: absent.map(markField), logs: [] }) : null;
    for (const [i, at] of absent.entries()) texts.set(at, more?.fields[i] ?? null);
    for (const at of missing) {
      const mark = unpack(() => readMark(texts.get(at) ?? null, at, addedAt));
      marks.set(at, mark !== null && 'see' in mark ? null : mark);
    }
  }
  for (const { at, see } of references) {
    const mark = marks.get(see) ?? null;
    marks.set(at, mark === null ? null : { ...mark, at });
  }
  const used = [...times, ...missing].flatMap((at): [number, string][] => {
    const text = texts.get(at) ?? null;
    return text === null || (marks.get(at) ?? null) === null ? [] : [[at, text]];
  });
  const fields = answer.fields.slice(asked.length + 1);
  return { state, marks, fields, logs: answer.logs, texts: new Map(used) };
}

function stateOf(text: string | null): State | null {
  return text === null ? null : unpack(() => readState(text));
}

function unpack<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof TextError || cause instanceof SyntaxError)) throw cause;
    throw new StoreError('store_corrupt', 'What is stored cannot be read.', { cause });
  }
}
