import { TextError, NewerTextError } from '../record/codec/text-error.js';
import {
  hashOf,
  placed,
  readDirectory,
  readShards,
  shardCount,
  writeDirectory,
  writeShards,
  type Directory,
  type Place,
  type Placing,
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
import { groupOf, nameInShard, SHARDS_TOGETHER, StoreError, type Store } from '../store/store.js';
import { DAY } from '../time.js';

/** A directory that was read or written. */
export interface KnownDirectory {
  readonly directory: Directory;
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

  /** The last one that was read; null: none was. */
  get known(): KnownDirectory | null {
    return this.#known;
  }

  /**
   * The directory with a place for each of these targets. One store command; more where it has changed, or is to be.
   * @throws StoreError
   */
  async place(store: Store, ids: readonly string[], placing: Placing): Promise<KnownDirectory> {
    const known = this.#known;
    if (known !== null && (await hintOf(store)).hash === known.hash) {
      if (placed(known.directory, ids, placing) === known.directory) return known;
    }
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const found = await read(store);
      const directory = placed(found.directory, ids, placing);
      if (directory === found.directory && found.isStored) this.#known = found;
      else {
        const value = writeDirectory(directory);
        if (!(await store.swap({ field: DIRECTORY_FIELD, expected: found.text, value }))) continue;
        this.#known = { directory, hash: hashOf(value), shards: shardCount(directory) };
      }
      await announce(store, this.#known);
      return this.#known;
    }
    throw new StoreError('store_answer', 'other processes change the directory all the while');
  }

  /** The directory of this hash, or a later one. No command where it is known, else one. @throws StoreError */
  async find(store: Store, hash: string): Promise<KnownDirectory> {
    if (this.#known?.hash === hash) return this.#known;
    const found = await read(store);
    if (!found.isStored) throw new StoreError('store_corrupt', 'the directory of the targets cannot be read');
    return (this.#known = found);
  }
}

async function hintOf(store: Store): Promise<{ readonly text: string | null; readonly hash: string | null }> {
  const { fields } = await store.read({ fields: [SHARDS_FIELD], logs: [] });
  const text = fields.get(SHARDS_FIELD) ?? null;
  return { text, hash: readable(() => readShards(text))?.directory ?? null };
}

async function read(store: Store): Promise<Found> {
  const { fields } = await store.read({ fields: [DIRECTORY_FIELD], logs: [] });
  const text = fields.get(DIRECTORY_FIELD) ?? null;
  const stored = text === null ? null : readable(() => readDirectory(text));
  if (text !== null && stored !== null)
    return { text, isStored: true, directory: stored, hash: hashOf(text), shards: shardCount(stored) };
  const directory = await fromStates(store);
  return { text, isStored: false, directory, hash: '', shards: shardCount(directory) };
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
async function fromStates(store: Store): Promise<Directory> {
  const directory = new Map<string, Place>();
  for (let first = 0; ; first += SHARDS_TOGETHER) {
    const names = Array.from({ length: SHARDS_TOGETHER }, (_, i) => nameInShard(STATE_FIELD, first + i));
    const { fields } = await store.read({ fields: names, logs: [] });
    if (fields.size === 0) return directory;
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
async function announce(store: Store, { hash, shards }: KnownDirectory): Promise<void> {
  const before = await hintOf(store);
  if (before.hash === hash) return;
  const value = writeShards({ count: shards, directory: hash });
  await store.swap({ field: SHARDS_FIELD, expected: before.text, value });
  const counted = before.text === null ? 1 : (readable(() => readShards(before.text))?.count ?? 1);
  for (let group = groupOf(counted - 1) + 1; group <= groupOf(shards - 1); group += 1)
    await copyShared(store, group);
}

/** What all shards share has a copy wherever shards are stored together. */
async function copyShared(store: Store, group: number): Promise<void> {
  const { fields } = await store.read({
    fields: [MAINTENANCE_FIELD, NOTES_FIELD, SUBSCRIBERS_FIELD],
    logs: [],
  });
  const there = store.shard(group * SHARDS_TOGETHER);
  for (const [field, value] of fields) await there.swap({ field, expected: null, value });
}
