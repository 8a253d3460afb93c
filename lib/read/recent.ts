import { MAINTENANCE_FIELD, OUTBOX_FIELD, STATE_FIELD, STORE_FIELDS } from '../record/fields.js';
import {
  groupOf,
  nameInShard,
  shardOfName,
  type Excerpt,
  type ReadAnswer,
  type ReadRequest,
  type Store,
  type StoreError,
  type Texts,
} from '../store/store.js';
import { UnreadError, type Reader } from './load.js';
import type { ShardedReader } from './shards.js';

/** Ms for which texts that were read are served to other readers of the process. */
export const FRESH_FOR = 5_000;
/** Ms for which a failure is served: a store that is down is asked once a second, whatever the number of readers. */
export const FAILURE_KEPT = 1_000;
/** Ms that a reader waits for the store, repetitions included; then the answer is 503. */
export const READ_LIMIT = 3_000;

/**
 * Every write of a run or of maintenance changes one of these fields: while they are the same, so are the texts of the
 * history. Notes say nothing of other texts. Those of the shards that these names are of; of shard 0 where they are of none.
 */
function anchorsOf(names: Iterable<string>): readonly string[] {
  const shards = new Set([...names].filter((name) => !STORE_FIELDS.shared.has(name)).map(shardOfName));
  if (shards.size === 0) shards.add(0);
  const own = (field: string): string[] => [...shards].map((shard) => nameInShard(field, shard));
  return [...own(STATE_FIELD), MAINTENANCE_FIELD, ...own(OUTBOX_FIELD)];
}

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
  /** Fields and logs that could not be read: their database is away, others are not. */
  readonly unread: Map<string, StoreError>;
}

/** What was read of one target, at one moment. */
interface RecentExcerpt extends Pick<CachedTexts, 'at' | 'writes'> {
  readonly request: ReadRequest;
  readonly answer: Promise<ReadAnswer>;
}

interface ReadFailure extends Pick<CachedTexts, 'at' | 'writes'> {
  readonly error: unknown;
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
export class RecentReader implements ShardedReader {
  readonly #store: Store;
  readonly #now: () => number;
  #cached: CachedTexts | null = null;
  /** By what failed (`#sourceOf`). */
  readonly #failures = new Map<number, ReadFailure>();
  #underWay: Promise<unknown> = Promise.resolve();
  #wanted: PendingRead | null = null;
  readonly #shards = new Map<number, Reader>([[0, this]]);
  readonly #excerpts = new Map<string, RecentExcerpt>();

  constructor(store: Store, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** Ms that the latest read took that the store answered; null: there was none. */
  get latency(): number | null {
    return this.#cached?.latency ?? null;
  }

  async read(request: ReadRequest): Promise<ReadAnswer> {
    if (request.excerpt !== undefined) return this.readExcerpt(0, request, request.excerpt);
    let cached = this.#fresh();
    for (;;) {
      const answer = cached && answerFrom(cached, request);
      if (answer) return answer;
      // What was loaded is not complete if a run has written between two reads: the earlier texts were dropped.
      cached = await this.#load(request);
    }
  }

  /**
   * Reads of one shard what concerns one target. It is read by itself, since the state of all targets need not be the same
   * for it as for others.
   */
  readExcerpt(shard: number, request: ReadRequest, { args }: Excerpt): Promise<ReadAnswer> {
    for (const [key, each] of this.#excerpts) if (!this.#isFresh(each)) this.#excerpts.delete(key);
    const key = [shard, ...args].join(' ');
    const known = this.#excerpts.get(key);
    if (known !== undefined && holds(known.request, request)) return known.answer;
    const store = shard === 0 ? this.#store : this.#store.shard(shard);
    const asked = this.#underWay.then(() => this.#askStore(store, request, shard));
    this.#underWay = asked.catch(() => this.#excerpts.delete(key));
    const { writes } = this.#store;
    this.#excerpts.set(key, { at: this.#now(), writes, request, answer: asked });
    return asked;
  }

  shard(number: number): Reader {
    const reader = this.#shards.get(number) ?? readerOfShard(this, number);
    this.#shards.set(number, reader);
    return reader;
  }

  /** Null: there is none, or it is too old. A clock that was set back makes it too old as well. */
  #fresh(): CachedTexts | null {
    return this.#cached !== null && this.#isFresh(this.#cached) ? this.#cached : null;
  }

  #isFresh({ at, writes }: Pick<CachedTexts, 'at' | 'writes'>): boolean {
    return writes === this.#store.writes && isWithin(FRESH_FOR, at, this.#now());
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
    const before = this.#fresh();
    const anchors = anchorsOf([...wantedFields, ...wantedLogs]);
    const isAway = (name: string): boolean => before?.unread.has(name) ?? false;
    const missing = [...wantedFields].filter(
      (name) => !anchors.includes(name) && !before?.fields.has(name) && !isAway(name),
    );
    const logs = [...wantedLogs].filter((name) => !before?.logs.has(name) && !isAway(name));
    const isKnown =
      before !== null && anchors.every((name) => before.fields.has(name) || before.unread.has(name));
    if (isKnown && missing.length === 0 && logs.length === 0) return before;
    const fields = [...anchors, ...missing];
    const startedAt = performance.now();
    const answer = await this.#askStore(this.#store, { fields, logs });
    const { unread = new Map<string, StoreError>() } = answer;
    const isSame =
      before !== null &&
      anchors.every(
        (name) =>
          !before.fields.has(name) ||
          unread.has(name) ||
          before.fields.get(name) === (answer.fields.get(name) ?? null),
      );
    const cached = isSame
      ? before
      : { at, writes, latency: 0, fields: new Map(), logs: new Map(), unread: new Map() };
    for (const name of fields)
      if (!unread.has(name)) cached.fields.set(name, answer.fields.get(name) ?? null);
    for (const name of logs) if (!unread.has(name)) cached.logs.set(name, answer.logs.get(name) ?? null);
    for (const name of [...fields, ...logs]) cached.unread.delete(name);
    for (const [name, error] of unread) cached.unread.set(name, error);
    cached.latency = performance.now() - startedAt;
    this.#cached = cached;
    return cached;
  }

  /**
   * Asks it, unless that has just failed.
   * @param shard where one shard is read by itself
   */
  async #askStore(store: Store, request: ReadRequest, shard?: number): Promise<ReadAnswer> {
    const { writes } = store;
    const source = this.#sourceOf(shard);
    const failure = this.#failures.get(source);
    if (failure?.writes === writes && isWithin(FAILURE_KEPT, failure.at, this.#now())) throw failure.error;
    try {
      const answer = await store.read({ ...request, within: READ_LIMIT, partly: true });
      this.#failures.delete(source);
      return answer;
    } catch (error) {
      this.#failures.set(source, { at: this.#now(), writes, error });
      throw error;
    }
  }

  /** Reads that fail together: those of one of several databases (its number), and those of all of them (0). */
  #sourceOf(shard: number | undefined): number {
    const { databases } = this.#store;
    const stores = databases?.layout?.origin == null ? [] : databases.layout.stores;
    const areSeveral = stores.length > 0 || (databases?.numbers.length ?? 1) > 1;
    if (!areSeveral) return 1;
    return shard === undefined ? 0 : (stores[groupOf(shard)] ?? 1);
  }
}

/** Reads one shard by the names that it has for its own fields and logs. */
function readerOfShard(all: RecentReader, shard: number): Reader {
  const nameOf = (field: string): string =>
    STORE_FIELDS.shared.has(field) ? field : nameInShard(field, shard);
  const logOf = (log: string): string => nameInShard(log, shard);
  return {
    read: async (request) => {
      const { fields, logs, excerpt } = request;
      if (excerpt !== undefined) return all.readExcerpt(shard, request, excerpt);
      const answer = await all.read({ ...request, fields: fields.map(nameOf), logs: logs.map(logOf) });
      return {
        fields: renamed(answer.fields, fields, nameOf),
        logs: renamed(answer.logs, logs, logOf),
      };
    },
  };
}

function renamed(texts: Texts, names: readonly string[], nameOf: (name: string) => string): Texts {
  const found = new Map<string, string>();
  for (const name of names) {
    const text = texts.get(nameOf(name));
    if (text !== undefined) found.set(name, text);
  }
  return found;
}

/** Whether the answer to one request answers another. */
function holds(asked: ReadRequest, { fields, logs }: ReadRequest): boolean {
  const known = new Set(asked.fields);
  return fields.every((name) => known.has(name)) && logs.every((name) => asked.logs.includes(name));
}

/** Null: something is missing. @throws UnreadError where its database is away */
function answerFrom(cached: CachedTexts, { fields, logs }: ReadRequest): ReadAnswer | null {
  const { unread } = cached;
  const failed = unread.size === 0 ? undefined : [...fields, ...logs].find((name) => unread.has(name));
  if (failed !== undefined) throw new UnreadError(unread.get(failed) as StoreError);
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
