import { withinLimit } from './retry.js';
import {
  ALL_SHARDS,
  groupOf,
  shardOfName,
  SHARDS_TOGETHER,
  StoreError,
  type Claim,
  type ClaimRequest,
  type Commit,
  type Databases,
  type Meter,
  type ReadAnswer,
  type ReadRequest,
  type Replacement,
  type ShardLayout,
  type Store,
  type Swap,
  type Texts,
} from './store.js';

/** One of the databases. */
export interface NumberedDatabase {
  /** From 1. */
  readonly number: number;
  /** What the operator calls it: the variable with its address. */
  readonly name: string;
  readonly store: Store;
}

export interface SpreadOptions {
  /** Names of the fields that all shards share. */
  readonly shared: ReadonlySet<string>;
  /** Those of them of which a copy is wherever a group is. */
  readonly copied: ReadonlySet<string>;
  /** The shared field that says where the groups are. Each database has a copy of it, and that of the first counts. */
  readonly layoutField: string;
  /** The shared field that says where each target lives. It is copied with the layout. */
  readonly directoryField: string;
  /** Reads a copy; null: there is none, or it cannot be read. */
  readonly layoutIn: (text: string | null) => Copy | null;
}

/** What a copy of the layout says. */
interface Copy {
  /** How many shards there are. */
  readonly count: number;
  readonly layout: ShardLayout;
  /** The database that the copy is for. */
  readonly store: number;
}

/** Ms that each of several databases may take for a read that can do without it. */
const PARTLY_WITHIN = 1_200;
/** Ms for which such reads do not ask a database again that did not answer. */
const SILENCE_KEPT = 1_000;

/** Names of fields and logs in one database. */
interface Part {
  readonly fields: string[];
  readonly logs: string[];
}

/** What all calls of one process share. */
class Spread implements Pick<Databases, 'numbers' | 'layout' | 'nameOf' | 'learn'> {
  readonly numbers: readonly number[];
  /** The text of the layout as it was read last. */
  text: string | null = null;
  #layout: ShardLayout | null = null;
  readonly #databases: ReadonlyMap<number, NumberedDatabase>;
  /** The databases that were found to be the right ones for this origin. */
  readonly #checked = new Map<number, { readonly origin: string | null; readonly done: Promise<void> }>();
  /** By number: the databases that did not answer, and when (by `performance.now`). */
  readonly #silent = new Map<number, { readonly at: number; readonly error: StoreError }>();

  constructor(
    databases: readonly NumberedDatabase[],
    readonly options: SpreadOptions,
  ) {
    this.#databases = new Map(databases.map((each) => [each.number, each]));
    this.numbers = [...this.#databases.keys()].sort((a, b) => a - b);
  }

  get layout(): ShardLayout | null {
    return this.#layout;
  }

  get isOne(): boolean {
    return this.numbers.length === 1;
  }

  get all(): readonly Store[] {
    return [...this.#databases.values()].map(({ store }) => store);
  }

  /** @throws StoreError where it is not configured */
  database(number: number): NumberedDatabase {
    const found = this.#databases.get(number);
    if (found !== undefined) return found;
    const message = `${this.nameOf(number)} is not set, and these targets live in the database that it named`;
    throw new StoreError('store_unreachable', message);
  }

  nameOf(number: number): string {
    return this.#databases.get(number)?.name ?? `REDIS_URL_${number} (or UPSTASH_REDIS_REST_URL_${number})`;
  }

  learn(layout: ShardLayout): void {
    const known = this.#layout;
    // What was read may be older than what is known: groups are only ever added.
    const isOlder =
      known !== null &&
      known.origin === layout.origin &&
      layout.stores.length < known.stores.length &&
      layout.stores.every((store, group) => known.stores[group] === store);
    if (!isOlder) this.#layout = layout;
  }

  /** @param number the database that it was read from. @throws StoreError where the copy is of another database */
  learnFrom(text: string | null, number: number): void {
    const found = this.options.layoutIn(text);
    if (found !== null && found.store !== number) throw mismatch();
    const { count = 1, layout = { origin: null, stores: [] } } = found ?? {};
    if (found !== null) this.text = text;
    if (layout.origin !== null) {
      this.learn(layout);
      this.#checked.set(number, { origin: layout.origin, done: Promise.resolve() });
    }
    // All that there are is in the first.
    else if ((this.#layout?.origin ?? null) === null)
      this.#layout = { origin: null, stores: Array.from({ length: groupOf(count - 1) + 1 }, () => 1) };
  }

  /** The database of a group, as far as it is known; null: there is no such group. */
  numberOf(group: number): number | null {
    const known = group === 0 || group === groupOf(ALL_SHARDS) ? 1 : this.#layout?.stores[group];
    return known ?? (this.#isPlain ? 1 : null);
  }

  /**
   * Reads the layout where it is not known in which databases these groups are.
   * @param within as of `askWithin`
   * @throws StoreError
   */
  async know(groups: ReadonlySet<number>, meter: Meter | null, within?: number): Promise<void> {
    if ([...groups].some((group) => this.numberOf(group) === null)) await this.#look(meter, within);
  }

  /** Ms that a call may wait for each of several databases; undefined: as long as any other. The only one is always asked. */
  limitOf({ partly = false, within }: Pick<ReadRequest, 'partly' | 'within'>): number | undefined {
    if (this.isOne) return undefined;
    return partly ? Math.min(within ?? Infinity, PARTLY_WITHIN) : within;
  }

  /**
   * Asks one database, for so many ms where a limit is given. Then one that has just not answered is not asked: a reader who
   * needs several reads waits for it once.
   * @throws StoreError
   */
  async askWithin<T>(within: number | undefined, number: number, work: () => Promise<T>): Promise<T> {
    const silent = this.#silent.get(number);
    if (within !== undefined && silent !== undefined && performance.now() - silent.at < SILENCE_KEPT)
      throw silent.error;
    try {
      const answer = await (within === undefined ? work() : withinLimit(within, work()));
      this.#silent.delete(number);
      return answer;
    } catch (error) {
      if (error instanceof StoreError && isSilence(error))
        this.#silent.set(number, { at: performance.now(), error });
      throw error;
    }
  }

  /** There is one database, and nothing says that there ever was another. */
  get #isPlain(): boolean {
    return this.isOne && (this.#layout?.origin ?? null) === null;
  }

  /** Reads the layout, from another database where the first is away. */
  async #look(meter: Meter | null, within: number | undefined): Promise<void> {
    let failure: unknown;
    for (const number of this.numbers) {
      try {
        const { fields } = await this.askWithin(within, number, () =>
          this.storeOf(number, meter).read(this.#layoutRequest),
        );
        const text = fields.get(this.options.layoutField) ?? null;
        // One that is not used yet has no copy.
        if (number !== 1 && text === null) continue;
        this.learnFrom(text, number);
        return;
      } catch (error) {
        failure ??= error instanceof StoreError ? this.named(error, number) : error;
        if (!(error instanceof StoreError) || error.code === 'store_mismatch') break;
      }
    }
    throw failure;
  }

  /**
   * The layout, and where it is asked for the directory, as the databases beside the first have them: of the one that knows
   * most shards. Empty: none has a copy, or none answers.
   */
  async readLayoutCopy(
    meter: Meter | null,
    { withDirectory }: { readonly withDirectory: boolean },
  ): Promise<Texts> {
    const { layoutField, directoryField, layoutIn } = this.options;
    const request = { fields: [layoutField, ...(withDirectory ? [directoryField] : [])], logs: [] };
    const origin = this.#layout?.origin ?? null;
    const found = await Promise.all(
      this.numbers.slice(1).map(async (number) => {
        const read = (): Promise<ReadAnswer> => this.storeOf(number, meter).read(request);
        const answer = await this.askWithin(PARTLY_WITHIN, number, read).catch((error: unknown) => {
          if (error instanceof StoreError) return null;
          throw error;
        });
        const text = answer?.fields.get(layoutField) ?? null;
        const copy = layoutIn(text);
        const isOurs =
          copy?.store === number &&
          copy.layout.origin !== null &&
          (origin === null || copy.layout.origin === origin);
        return answer !== null && isOurs ? [{ number, text, count: copy.count, fields: answer.fields }] : [];
      }),
    );
    const [latest] = found.flat().sort((a, b) => b.count - a.count);
    if (latest === undefined) return new Map();
    this.learnFrom(latest.text, latest.number);
    return latest.fields;
  }

  get #layoutRequest(): ReadRequest {
    return { fields: [this.options.layoutField], logs: [] };
  }

  storeOf(number: number, meter: Meter | null): Store {
    const { store } = this.database(number);
    return meter === null ? store : store.metered(meter);
  }

  /** Looks again whether a database is the right one, which held nothing of a shard. @throws StoreError where it is not */
  async checkAgain(number: number, meter: Meter | null): Promise<void> {
    this.#checked.delete(number);
    await this.check(number, meter);
  }

  /** Looks, once in the life of the process, whether a database is the one in which these shards are. */
  async check(number: number, meter: Meter | null): Promise<void> {
    const origin = this.#layout?.origin ?? null;
    if (number === 1 && origin === null) return;
    const known = this.#checked.get(number);
    if (known?.origin === origin) return known.done;
    const done = this.storeOf(number, meter)
      .read(this.#layoutRequest)
      .then(({ fields }) => {
        const found = this.options.layoutIn(fields.get(this.options.layoutField) ?? null);
        if (found?.store !== number || found.layout.origin !== origin) throw mismatch();
      });
    this.#checked.set(number, { origin, done });
    await done.catch((error: unknown) => {
      this.#checked.delete(number);
      throw error;
    });
  }

  /** The same error with the name of the database, where there are several. */
  named(error: unknown, number: number): unknown {
    if (!(error instanceof StoreError) || (this.isOne && number === 1 && error.code !== 'store_mismatch'))
      return error;
    const name = this.nameOf(number);
    if (error.message.startsWith(name)) return error;
    return new StoreError(error.code, `${name}: ${error.message}`, { cause: error });
  }
}

function limited(request: ReadRequest, limit: number | undefined): ReadRequest {
  return limit === undefined ? request : { ...request, within: limit };
}

/** Whether the database was waited for in vain. A connection that is refused costs no time. */
function isSilence({ code }: StoreError): boolean {
  return code === 'store_timeout';
}

function mismatch(): StoreError {
  return new StoreError(
    'store_mismatch',
    'it names another database than the one in which these targets live, or that one has been emptied',
  );
}

/** What the store and its shards have in common. */
abstract class SpreadPart implements Store {
  readonly kind;

  constructor(
    protected readonly spread: Spread,
    protected readonly meter: Meter | null,
  ) {
    this.kind = spread.database(1).store.kind;
  }

  /**
   * Does something with the database and the shard that this is about. Its errors name the database.
   * @param within as of `askWithin`
   */
  protected abstract using<T>(
    work: (store: Store, database: number) => Promise<T>,
    within?: number,
  ): Promise<T>;
  abstract metered(meter: Meter): Store;
  abstract now(): number;

  get writes(): number {
    return this.spread.all.reduce((sum, { writes }) => sum + writes, 0);
  }

  get databases(): Databases {
    const { spread, meter } = this;
    return {
      numbers: spread.numbers,
      layout: spread.layout,
      nameOf: (number) => spread.nameOf(number),
      database: (number) => spread.storeOf(number, meter),
      learn: (layout) => spread.learn(layout),
    };
  }

  shard(number: number): Store {
    return new SpreadShard(this.spread, this.meter, number);
  }

  /** Where nothing of what is asked for is there, the shard is new, or the database was emptied. */
  claim(request: ClaimRequest): Promise<Claim> {
    return this.using(async (store, database) => {
      const claim = await store.claim(request);
      if (claim.claimed && claim.fields.size === 0 && request.fields.length > 0)
        await this.spread.checkAgain(database, this.meter);
      return claim;
    }, this.spread.limitOf(request));
  }

  underWay(shards: readonly number[]): ReturnType<Store['underWay']> {
    return this.using((store) => store.underWay(shards));
  }

  renew(ttl: number): Promise<void> {
    return this.using((store) => store.renew(ttl));
  }

  read(request: ReadRequest): Promise<ReadAnswer> {
    const limit = this.spread.limitOf(request);
    return this.using((store) => store.read(limited(request, limit)), limit);
  }

  commit(commit: Commit): Promise<'committed' | 'lost'> {
    return this.using((store) => store.commit(commit));
  }

  swap(swap: Swap): Promise<boolean> {
    return this.using((store) => store.swap(swap));
  }

  replace(replacement: Replacement): Promise<'committed' | 'lost'> {
    return this.using((store) => store.replace(replacement));
  }

  async ping(): Promise<void> {
    await Promise.all(this.spread.all.map((store) => store.ping()));
  }

  async close(): Promise<void> {
    await Promise.all(this.spread.all.map((store) => store.close()));
  }
}

/** One shard, in whichever database it is. */
class SpreadShard extends SpreadPart {
  constructor(
    spread: Spread,
    meter: Meter | null,
    private readonly number: number,
  ) {
    super(spread, meter);
  }

  metered(meter: Meter): Store {
    return new SpreadShard(this.spread, meter, this.number);
  }

  /** By the clock of its own database: all runs of the shard agree on it. */
  now(): number {
    const group = groupOf(this.number);
    const database = group === 0 ? 1 : (this.spread.layout?.stores[group] ?? 1);
    return this.spread.numbers.includes(database)
      ? this.spread.database(database).store.now()
      : this.spread.database(1).store.now();
  }

  protected async using<T>(
    work: (store: Store, database: number) => Promise<T>,
    within?: number,
  ): Promise<T> {
    const { spread, meter } = this;
    const group = groupOf(this.number);
    await spread.know(new Set([group]), meter, within);
    const number = spread.numberOf(group);
    if (number === null)
      throw new StoreError('store_corrupt', 'what is stored does not say in which database this shard is');
    try {
      return await spread.askWithin(within, number, async () => {
        const store = spread.storeOf(number, meter);
        await spread.check(number, meter);
        return work(store.shard(this.number), number);
      });
    } catch (error) {
      throw spread.named(error, number);
    }
  }
}

/** The store itself: shard 0, what all shards share, and the names of all shards for whoever reads them together. */
class SpreadStore extends SpreadPart {
  metered(meter: Meter): Store {
    return new SpreadStore(this.spread, meter);
  }

  now(): number {
    return this.spread.database(1).store.now();
  }

  protected async using<T>(
    work: (store: Store, database: number) => Promise<T>,
    within?: number,
  ): Promise<T> {
    const { spread, meter } = this;
    try {
      return await spread.askWithin(within, 1, async () => {
        await spread.check(1, meter);
        return work(spread.storeOf(1, meter), 1);
      });
    } catch (error) {
      throw spread.named(error, 1);
    }
  }

  /** Nobody records anything in a database that is away. */
  override async underWay(shards: readonly number[]): ReturnType<Store['underWay']> {
    const { spread, meter } = this;
    const within = spread.isOne ? undefined : PARTLY_WITHIN;
    await spread.know(new Set(shards.map(groupOf)), meter, within);
    const byDatabase = new Map<number, number[]>();
    for (const shard of shards) {
      const number = spread.numberOf(groupOf(shard));
      if (number === null) continue;
      byDatabase.set(number, [...(byDatabase.get(number) ?? []), shard]);
    }
    const answers = await Promise.allSettled(
      [...byDatabase].map(async ([number, its]) => {
        try {
          const asked = (): ReturnType<Store['underWay']> => spread.storeOf(number, meter).underWay(its);
          return await spread.askWithin(within, number, asked);
        } catch (error) {
          throw spread.named(error, number);
        }
      }),
    );
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [...answer.value] : []));
    const failure = answers.find((answer) => answer.status === 'rejected');
    if (failure !== undefined && !answers.some(({ status }) => status === 'fulfilled')) throw failure.reason;
    return new Map(found);
  }

  override async swap(swap: Swap): Promise<boolean> {
    const isSwapped = await super.swap(swap);
    if (isSwapped && swap.field === this.spread.options.layoutField) this.spread.learnFrom(swap.value, 1);
    return isSwapped;
  }

  override async read(request: ReadRequest): Promise<ReadAnswer> {
    if (request.excerpt !== undefined) return super.read(request);
    const { spread, meter } = this;
    const { layout } = spread;
    await spread.know(groupsOf(request, spread.options.shared), meter, spread.limitOf(request));
    const answer = await this.#readAll(request);
    // The answer may have told that shards are elsewhere.
    const isMoved = spread.layout !== layout && !hasSameParts(request, spread, layout);
    return isMoved ? this.#readAll(request) : answer;
  }

  async #readAll(request: ReadRequest): Promise<ReadAnswer> {
    const parts = [...partsOf(request, this.spread)];
    const [only] = parts;
    const { partly = false } = request;
    const limit = this.spread.limitOf(request);
    if (parts.length <= 1 && (only === undefined || only[0] === 1) && !partly)
      return this.#readPart(1, request, limit);
    const answers = await Promise.allSettled(
      parts.map(([number, part]) => this.#readPart(number, { ...limited(request, limit), ...part }, limit)),
    );
    const fields = new Map<string, string>();
    const logs = new Map<string, string>();
    const unread = new Map<string, StoreError>();
    let isAnyRead = false;
    for (const [i, answer] of answers.entries()) {
      if (answer.status === 'fulfilled') {
        isAnyRead = true;
        for (const [name, text] of answer.value.fields) fields.set(name, text);
        for (const [name, text] of answer.value.logs) logs.set(name, text);
        continue;
      }
      const error: unknown = answer.reason;
      if (!partly || !(error instanceof StoreError)) throw error;
      const [, part] = parts[i] ?? [];
      for (const name of [...(part?.fields ?? []), ...(part?.logs ?? [])]) unread.set(name, error);
    }
    if (unread.size === 0) return { fields, logs };
    const [failure] = unread.values();
    const before = unread.size;
    await this.#readCopies(unread, fields);
    if (!isAnyRead && unread.size === before && failure !== undefined) throw failure;
    return { fields, logs, unread };
  }

  async #readPart(number: number, request: ReadRequest, limit?: number): Promise<ReadAnswer> {
    const { spread, meter } = this;
    try {
      const answer = await spread.askWithin(limit, number, async () => {
        await spread.check(number, meter);
        return spread.storeOf(number, meter).read(request);
      });
      const { layoutField } = spread.options;
      if (number === 1 && request.fields.includes(layoutField))
        spread.learnFrom(answer.fields.get(layoutField) ?? null, 1);
      return answer;
    } catch (error) {
      throw spread.named(error, number);
    }
  }

  /** Takes what all shards share from where there is a copy, where the first database is away. */
  async #readCopies(unread: Map<string, StoreError>, fields: Map<string, string>): Promise<void> {
    const { spread, meter } = this;
    const { copied, layoutField, directoryField } = spread.options;
    const take = (texts: Texts, names: readonly string[]): void => {
      for (const name of names) {
        const text = texts.get(name);
        if (text !== undefined) fields.set(name, text);
        unread.delete(name);
      }
    };
    const withDirectory = unread.has(directoryField);
    if (withDirectory || spread.text === null) {
      const found = await spread.readLayoutCopy(meter, { withDirectory });
      take(
        found,
        [...found.keys()].filter((name) => unread.has(name)),
      );
    }
    if (unread.has(layoutField) && spread.text !== null)
      take(new Map([[layoutField, spread.text]]), [layoutField]);
    const wanted = [...unread.keys()].filter((name) => copied.has(name));
    if (wanted.length === 0) return;
    for (const [group, number] of (spread.layout?.stores ?? []).entries()) {
      if (number === 1 || !spread.numbers.includes(number)) continue;
      const shard = new SpreadShard(spread, meter, group * SHARDS_TOGETHER);
      const request = { fields: wanted, logs: [], partly: true };
      const answer = await shard.read(request).catch(() => null);
      if (answer === null) continue;
      take(answer.fields, wanted);
      return;
    }
  }
}

/** The groups that a read needs. */
function groupsOf({ fields, logs }: ReadRequest, shared: ReadonlySet<string>): Set<number> {
  return new Set([...fields, ...logs].map((name) => groupOfName(name, shared)));
}

function groupOfName(name: string, shared: ReadonlySet<string>): number {
  return shared.has(name) ? 0 : groupOf(shardOfName(name));
}

/** What is to be read in which database. What is of no group is nowhere. */
function partsOf({ fields, logs }: ReadRequest, spread: Spread): Map<number, Part> {
  const parts = new Map<number, Part>();
  const add = (kind: keyof Part, name: string): void => {
    const number = spread.numberOf(groupOfName(name, spread.options.shared));
    if (number === null) return;
    const part = parts.get(number) ?? { fields: [], logs: [] };
    parts.set(number, part);
    part[kind].push(name);
  };
  for (const name of fields) add('fields', name);
  for (const name of logs) add('logs', name);
  return parts;
}

function hasSameParts(request: ReadRequest, spread: Spread, before: ShardLayout | null): boolean {
  return [...groupsOf(request, spread.options.shared)].every(
    (group) => group === 0 || (before?.stores[group] ?? 1) === (spread.numberOf(group) ?? 1),
  );
}

/**
 * Several databases as one store. Names and keys are the same in all of them. A group of shards is in one database; what all
 * shards share is in the first, with a copy wherever a group is. A process learns where the groups are from the layout when
 * it is read for other reasons, and else reads it once. With one database it costs nothing: the same commands are sent, and
 * only a layout that names another database changes what is done.
 */
export function spreadStore(databases: readonly NumberedDatabase[], options: SpreadOptions): Store {
  return new SpreadStore(new Spread(databases, options), null);
}
