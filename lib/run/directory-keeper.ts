import { TextError, NewerTextError } from '../record/codec/text-error.js';
import {
  groupsOf,
  hashOf,
  newOrigin,
  ONE_STORE,
  placed,
  placedIn,
  readPlaces,
  readShards,
  shardCount,
  writeDirectory,
  writeShards,
  type Directory,
  type Layout,
  type Place,
  type Placing,
  type Shards,
} from '../record/directory.js';
import {
  DIRECTORY_FIELD,
  MAINTENANCE_FIELD,
  NOTES_FIELD,
  SHARDS_FIELD,
  STATE_FIELD,
  SUBSCRIBERS_FIELD,
} from '../record/fields.js';
import { readState } from '../record/state.js';
import { nameInShard, SHARDS_TOGETHER, StoreError, type Store } from '../store/store.js';
import { DAY } from '../time.js';
import { groupsWithCopies, updateCopies } from '../store/shared-copies.js';

/** A directory that was read or written. */
export interface KnownDirectory {
  readonly directory: Directory;
  readonly layout: Layout;
  /** Names it among all versions. */
  readonly hash: string;
  readonly shards: number;
}

interface Found extends KnownDirectory {
  /** What the field holds; null: nothing. */
  readonly text: string | null;
  /** False: the field holds no directory, and this one was made of the states that are there. */
  readonly isStored: boolean;
}

/** How often the directory is changed anew because another dispatcher has changed it meanwhile. */
const ATTEMPTS = 10;

/** The directory as this process knows it. A tick reads it again only if it has changed. */
export class DirectoryKeeper {
  #known: KnownDirectory | null = null;

  /** @param log takes a line where a database is not used */
  constructor(private readonly log: (line: string) => void = () => undefined) {}

  /** The last one that was read; null: none was. */
  get known(): KnownDirectory | null {
    return this.#known;
  }

  /**
   * The directory with a place for each of these targets. One store command; more where it has changed, or is to be.
   * @param within ms that each database may take to say who lives where
   * @throws StoreError
   */
  async place(
    store: Store,
    ids: readonly string[],
    placing: Placing,
    within?: number,
  ): Promise<KnownDirectory> {
    try {
      return await this.#place(store, ids, placing, within);
    } catch (error) {
      if (error instanceof StoreError) this.#known ??= await copyIn(store, within);
      throw error;
    }
  }

  async #place(
    store: Store,
    ids: readonly string[],
    placing: Placing,
    within: number | undefined,
  ): Promise<KnownDirectory> {
    const known = this.#known;
    if (known !== null && (await hintOf(store, within)).hash === known.hash) {
      if (placed(known.directory, ids, placing) === known.directory) return known;
    }
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const found = await read(store, within);
      const { directory, layout } = await this.#placesFor(store, found, ids, placing);
      if (directory === found.directory && layout.origin === found.layout.origin && found.isStored)
        this.#known = found;
      else {
        const value = writeDirectory(directory, layout);
        if (!(await store.swap({ field: DIRECTORY_FIELD, expected: found.text, value }))) continue;
        this.#known = { directory, layout, hash: hashOf(value), shards: shardCount(directory) };
        // Its databases are told of an installation that has a name.
        if (directory === found.directory) continue;
      }
      await announce(store, this.#known);
      learn(store, this.#known);
      return this.#known;
    }
    throw new StoreError('store_answer', 'other processes change the directory all the while');
  }

  /**
   * A place for each of these targets. Where one is to be in another database for the first time, and the installation has
   * no name yet, only the layout is another.
   */
  async #placesFor(
    store: Store,
    found: Found,
    ids: readonly string[],
    placing: Placing,
  ): Promise<Pick<KnownDirectory, 'directory' | 'layout'>> {
    const { origin } = found.layout;
    const stores = groupsOf(found.layout.stores, found.shards, SHARDS_TOGETHER);
    const asked = new Map<number, boolean>([[1, true]]);
    for (;;) {
      const usable = (store.databases?.numbers ?? [1]).filter((number) => asked.get(number) !== false);
      const spread = { usable, together: SHARDS_TOGETHER };
      const places = placedIn({ directory: found.directory, stores }, ids, { ...placing, spread });
      const more = places.stores.slice(stores.length).filter((number) => !asked.has(number));
      if (more.length === 0)
        return { directory: places.directory, layout: { origin, stores: places.stores } };
      if (origin === null) return { directory: found.directory, layout: { origin: newOrigin(), stores } };
      for (const number of more) asked.set(number, await this.#joins(store, number, found));
    }
  }

  /** Whether a database can take shards: it answers, and is this installation's, or nobody's and is made so. */
  async #joins(store: Store, number: number, found: Found): Promise<boolean> {
    const refused = (message: string): false => {
      const name = store.databases?.nameOf(number);
      this.log(JSON.stringify({ event: 'database_not_used', database: name, message }));
      return false;
    };
    try {
      const problem = await joined(store, number, found);
      return problem === null || refused(problem);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return refused(error.message);
    }
  }

  /**
   * The directory of this hash, or a later one. No command where it is known, else one.
   * @param within as for `place`
   * @throws StoreError
   */
  async find(store: Store, hash: string, within?: number): Promise<KnownDirectory> {
    if (this.#known?.hash === hash) return this.#known;
    try {
      const found = await read(store, within);
      if (!found.isStored)
        throw new StoreError('store_corrupt', 'the directory of the targets cannot be read');
      this.#known = found;
    } catch (error) {
      const copy = error instanceof StoreError ? await copyIn(store, within) : null;
      if (copy === null) throw error;
      this.#known = copy;
    }
    learn(store, this.#known);
    return this.#known;
  }
}

function learn({ databases }: Store, { layout }: KnownDirectory): void {
  if (layout.origin !== null) databases?.learn(layout);
}

/**
 * Makes a database, other than the first, this installation's.
 * @param force also where it was another's, whose first database is elsewhere
 * @returns null: it is; else why it is not
 */
export async function joined(
  { databases }: Store,
  number: number,
  { hash, shards, layout }: KnownDirectory,
  { force } = { force: false },
): Promise<string | null> {
  const there = databases?.database(number);
  if (there === undefined) return 'there is no such database';
  const value = writeShards({ count: shards, directory: hash, layout, store: number });
  for (;;) {
    const { fields } = await there.read({ fields: [SHARDS_FIELD, STATE_FIELD, DIRECTORY_FIELD], logs: [] });
    const expected = fields.get(SHARDS_FIELD) ?? null;
    const copy = readable(() => readShards(expected));
    if (copy?.store === number && copy.layout?.origin === layout.origin) return null;
    // What was taken back is empty.
    const isFree = [...fields.values()].every((text) => text === '');
    const isTaken = fields.has(STATE_FIELD) || copy?.store === undefined || !force;
    if (!isFree && isTaken)
      return 'it holds data of another installation: set another KEEP_ALIVE_PREFIX, or another database';
    if (await there.swap({ field: SHARDS_FIELD, expected, value })) return null;
  }
}

/** What the databases beside the first know of the directory; null: nothing, or there are none. */
async function copyIn({ databases }: Store, within?: number): Promise<KnownDirectory | null> {
  for (const number of databases?.numbers.slice(1) ?? []) {
    try {
      const fields = await databases
        ?.database(number)
        .read({ fields: [SHARDS_FIELD, DIRECTORY_FIELD], logs: [], within });
      const text = fields?.fields.get(DIRECTORY_FIELD);
      const copy = readShards(fields?.fields.get(SHARDS_FIELD) ?? null);
      if (text === undefined || copy?.store !== number) continue;
      const { directory, layout } = readPlaces(text);
      if (layout.origin === null || layout.origin !== copy.layout?.origin) continue;
      databases?.learn(layout);
      return { directory, layout, hash: hashOf(text), shards: shardCount(directory) };
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof TextError)) throw error;
    }
  }
  return null;
}

async function hintOf(
  store: Store,
  within?: number,
): Promise<{ readonly text: string | null; readonly hints: Shards | null; readonly hash: string | null }> {
  const { fields } = await store.read({ fields: [SHARDS_FIELD], logs: [], within });
  const text = fields.get(SHARDS_FIELD) ?? null;
  const hints = readable(() => readShards(text));
  return { text, hints, hash: hints?.directory ?? null };
}

async function read(store: Store, within?: number, isSecondLook = false): Promise<Found> {
  // The layout tells whether this is the first database, whose directory counts.
  const { fields } = await store.read({ fields: [DIRECTORY_FIELD, SHARDS_FIELD], logs: [], within });
  const text = fields.get(DIRECTORY_FIELD) ?? null;
  const stored = text === null ? null : readable(() => readPlaces(text));
  if (text !== null && stored !== null)
    return { ...stored, text, isStored: true, hash: hashOf(text), shards: shardCount(stored.directory) };
  const layout = readable(() => readShards(fields.get(SHARDS_FIELD) ?? null))?.layout ?? ONE_STORE;
  if (layout.origin === null) {
    const problem = await foreignIn(store);
    // Another process may have begun the installation since the first was read.
    if (problem !== null && !isSecondLook) return read(store, within, true);
    if (problem !== null) throw new StoreError('store_mismatch', problem);
  }
  const directory = await fromStates(store, layout);
  return { text, isStored: false, directory, layout, hash: '', shards: shardCount(directory) };
}

/**
 * What is wrong where another database belongs to an installation of which the first knows nothing; null: none does.
 * @throws StoreError
 */
async function foreignIn({ databases }: Store): Promise<string | null> {
  for (const number of databases?.numbers.slice(1) ?? []) {
    const found = await databases?.database(number).read({ fields: [SHARDS_FIELD], logs: [] });
    const copy = readable(() => readShards(found?.fields.get(SHARDS_FIELD) ?? null));
    if (copy?.store === undefined) continue;
    const names = [databases?.nameOf(1), databases?.nameOf(number)];
    return `${names[0]} and ${names[1]} name databases of different installations: set the former ones again`;
  }
  return null;
}

/** Null: it is damaged, and made anew. @throws StoreError for what a newer Keepalive wrote */
function readable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof NewerTextError)
      throw new StoreError('store_corrupt', `What is stored cannot be read: ${cause.message}.`, { cause });
    if (cause instanceof TextError) return null;
    throw cause;
  }
}

/** Whoever has a history lives in the shard that holds it. */
async function fromStates(store: Store, { origin, stores }: Layout): Promise<Directory> {
  const directory = new Map<string, Place>();
  const its = origin === null ? (store.databases?.database(1) ?? store) : store;
  for (let group = 0; ; group += 1) {
    const first = group * SHARDS_TOGETHER;
    const names = Array.from({ length: SHARDS_TOGETHER }, (_, i) => nameInShard(STATE_FIELD, first + i));
    const { fields } = await its.read({ fields: names, logs: [] });
    if (fields.size === 0 && group >= stores.length) return directory;
    for (const [i, name] of names.entries()) {
      const text = fields.get(name);
      const state = text === undefined ? null : readable(() => readState(text));
      if (text !== undefined && state === null)
        throw new StoreError('store_corrupt', 'What is stored cannot be read.');
      for (const target of state?.targets ?? []) {
        if (target === null || directory.has(target.id)) continue;
        const gone = target.removedAt === null ? null : Math.floor(target.removedAt / DAY);
        directory.set(target.id, { shard: first + i, gone });
      }
    }
  }
}

/** Says which directory is in force. Where that fails, it is found by whoever misses a target in an older one. */
async function announce(store: Store, known: KnownDirectory): Promise<void> {
  const { hash, shards, layout } = known;
  const before = await hintOf(store);
  if (before.hash === hash) return;
  const hints = { count: shards, directory: hash, layout };
  await store.swap({ field: SHARDS_FIELD, expected: before.text, value: writeShards(hints) });
  const counted = groupsWithCopies(before.hints?.count ?? 1).length;
  const added = groupsWithCopies(shards).slice(counted);
  await updateCopies(store, [MAINTENANCE_FIELD, NOTES_FIELD, SUBSCRIBERS_FIELD], added);
  for (const number of new Set(layout.stores)) if (number !== 1) await copyLayout(store, number, known);
}

/**
 * Every database can say who lives where, so that the others go on while the first is away. One that is away itself keeps
 * an older copy, which holds for everybody that it names.
 * @param known null: the database is taken back
 */
export async function copyLayout(
  { databases }: Store,
  number: number,
  known: KnownDirectory | null,
): Promise<void> {
  const copies: Record<string, string> = { [SHARDS_FIELD]: '', [DIRECTORY_FIELD]: '' };
  if (known !== null) {
    const { directory, hash, shards, layout } = known;
    copies[SHARDS_FIELD] = writeShards({ count: shards, directory: hash, layout, store: number });
    copies[DIRECTORY_FIELD] = writeDirectory(directory, layout);
  }
  try {
    const there = databases?.database(number);
    const held = await there?.read({ fields: Object.keys(copies), logs: [] });
    for (const [field, value] of Object.entries(copies)) {
      const expected = held?.fields.get(field) ?? null;
      if (expected !== value) await there?.swap({ field, expected, value });
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
}
