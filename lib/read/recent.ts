import { MAINTENANCE_FIELD, OUTBOX_FIELD, STATE_FIELD } from '../record/fields.js';
import type { ReadAnswer, ReadRequest, Store, Texts } from '../store/store.js';
import type { Reader } from './load.js';

/** Ms for which texts that were read are served to other readers of the process. */
export const FRESH_FOR = 5_000;
/** Ms for which a failure is served: a store that is down is asked once a second, whatever the number of readers. */
export const FAILURE_KEPT = 1_000;
/** Ms that a reader waits for the store, repetitions included; then the answer is 503. */
export const READ_LIMIT = 3_000;

/**
 * Every write of a run or of maintenance changes one of these fields: while they are the same, so are the texts of the
 * history. Notes say nothing of other texts.
 */
const ANCHORS: readonly string[] = [STATE_FIELD, MAINTENANCE_FIELD, OUTBOX_FIELD];

/** Texts that were in the store together, by name; null for what does not exist. */
interface CachedTexts {
  /** When the first of them was asked for, ms since the epoch. */
  readonly at: number;
  /** `Store.writes` at that time. */
  readonly writes: number;
  /** Ms that the store took for the latest of them. */
  latency: number;
  readonly fields: Map<string, string | null>;
  readonly logs: Map<string, string | null>;
}

/** Names that readers wait for. */
interface PendingRead {
  readonly fields: Set<string>;
  readonly logs: Set<string>;
  readonly loaded: Promise<CachedTexts>;
}

/**
 * Reads a store for all readers of a process. What was read within the last 5 s is not read again, unless the process
 * itself has written since. One read is under way at a time; whoever comes meanwhile waits for it, and what is still
 * missing then is asked for in one read for all of them. What is kept are texts of the store, never answers: who may see
 * them is decided for each request. They are at most what the store holds, and gone with the first read after 5 s.
 */
export class RecentReader implements Reader {
  readonly #store: Store;
  readonly #now: () => number;
  #cached: CachedTexts | null = null;
  #failure: { readonly at: number; readonly writes: number; readonly error: unknown } | null = null;
  #underWay: Promise<unknown> = Promise.resolve();
  #wanted: PendingRead | null = null;

  constructor(store: Store, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** Ms that the latest read took that the store answered; null: there was none. */
  get latency(): number | null {
    return this.#cached?.latency ?? null;
  }

  async read(request: ReadRequest): Promise<ReadAnswer> {
    let cached = this.#fresh();
    for (;;) {
      const answer = cached && answerFrom(cached, request);
      if (answer) return answer;
      // What was loaded is not complete if a run has written between two reads: the earlier texts were dropped.
      cached = await this.#load(request);
    }
  }

  /** Null: there is none, or it is too old. A clock that was set back makes it too old as well. */
  #fresh(): CachedTexts | null {
    const cached = this.#cached;
    if (cached === null || cached.writes !== this.#store.writes) return null;
    return isWithin(FRESH_FOR, cached.at, this.#now()) ? cached : null;
  }

  #load({ fields, logs }: ReadRequest): Promise<CachedTexts> {
    const wanted = (this.#wanted ??= this.#begin());
    for (const field of fields) wanted.fields.add(field);
    for (const log of logs) wanted.logs.add(log);
    return wanted.loaded;
  }

  /** Asks the store as soon as the read under way has ended. */
  #begin(): PendingRead {
    const fields = new Set<string>();
    const logs = new Set<string>();
    const loaded = this.#underWay.then(() => {
      this.#wanted = null;
      return this.#ask(fields, logs);
    });
    this.#underWay = loaded.catch(() => undefined);
    return { fields, logs, loaded };
  }

  async #ask(wantedFields: ReadonlySet<string>, wantedLogs: ReadonlySet<string>): Promise<CachedTexts> {
    const at = this.#now();
    const { writes } = this.#store;
    const failure = this.#failure;
    if (failure?.writes === writes && isWithin(FAILURE_KEPT, failure.at, at)) throw failure.error;
    const before = this.#fresh();
    const missing = [...wantedFields].filter((name) => !ANCHORS.includes(name) && !before?.fields.has(name));
    const logs = [...wantedLogs].filter((name) => !before?.logs.has(name));
    if (before !== null && missing.length === 0 && logs.length === 0) return before;
    const fields = [...ANCHORS, ...missing];
    const startedAt = performance.now();
    let answer: ReadAnswer;
    try {
      answer = await this.#store.read({ fields, logs, within: READ_LIMIT });
    } catch (error) {
      this.#failure = { at: this.#now(), writes, error };
      throw error;
    }
    this.#failure = null;
    const isSame =
      before !== null &&
      ANCHORS.every((name) => before.fields.get(name) === (answer.fields.get(name) ?? null));
    const cached = isSame ? before : { at, writes, latency: 0, fields: new Map(), logs: new Map() };
    for (const name of fields) cached.fields.set(name, answer.fields.get(name) ?? null);
    for (const name of logs) cached.logs.set(name, answer.logs.get(name) ?? null);
    cached.latency = performance.now() - startedAt;
    this.#cached = cached;
    return cached;
  }
}

/** Null: something is missing. */
function answerFrom(cached: CachedTexts, { fields, logs }: ReadRequest): ReadAnswer | null {
  const isComplete =
    fields.every((name) => cached.fields.has(name)) && logs.every((name) => cached.logs.has(name));
  if (!isComplete) return null;
  return { fields: chosen(cached.fields, fields), logs: chosen(cached.logs, logs) };
}

function chosen(all: ReadonlyMap<string, string | null>, names: readonly string[]): Texts {
  const found = new Map<string, string>();
  for (const name of names) {
    const text = all.get(name) ?? null;
    if (text !== null) found.set(name, text);
  }
  return found;
}

function isWithin(length: number, from: number, now: number): boolean {
  return now >= from && now - from < length;
}
