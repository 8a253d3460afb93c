import { randomUUID } from 'node:crypto';
import { readShards } from '../record/directory.js';
import {
  MAILING_FIELD,
  MAIN_FIELDS,
  OUTBOX_FIELD,
  SHARDS_FIELD,
  SHARED_FIELDS,
  STATE_FIELD,
} from '../record/fields.js';
import { logNames } from '../record/log.js';
import { historyFields } from '../record/names.js';
import { readState } from '../record/state.js';
import { type State } from '../record/state-model.js';
import {
  groupOf,
  nameInShard,
  shardOfName,
  SHARDS_TOGETHER,
  StoreError,
  type Store,
} from '../store/store.js';
import { TransferError, type Dump } from './dump.js';

/**
 * How many are read at once: of 500 targets a snapshot has some 20 KB, a log 120 KB, and an incident less than 1 KB.
 */
const PAGE = 40;
const INCIDENTS_A_PAGE = 500;
const LOGS_A_PAGE = 4;
/** How often all is read again because a run has committed meanwhile. */
const ATTEMPTS = 5;
/**
 * Ms: what a run's lease lasts. A run would take one that ends later for one of a clock that was set back, and this
 * would do the same to a run's if it took a shorter one.
 */
const LEASE = 330_000;

/** How much of what is read or written is done. */
export type Progress = (done: number, total: number) => void;

/**
 * All data, that of each shard as it was at one moment: it is read again when a run commits while it is read. It takes no
 * lease, so that no run is held up and a token that may only read is enough.
 * @throws TransferError where runs never cease to commit, or what is stored cannot be read; StoreError
 */
export async function collect(store: Store, progress: Progress = () => undefined): Promise<Dump> {
  const fields = new Map<string, string>();
  const logs = new Map<string, string>();
  const { fields: shared } = await store.read({ fields: SHARED_FIELDS, logs: [] });
  const shards = shardsIn(shared);
  for (let shard = 0; shard < shards; shard += 1) {
    const found = await collectShard(inShard(store, shard), (done, total) =>
      progress(shard * total + done, shards * total),
    );
    for (const [name, text] of found.fields) fields.set(nameInShard(name, shard), text);
    for (const [name, text] of found.logs) logs.set(nameInShard(name, shard), text);
  }
  for (const [name, text] of shared) fields.set(name, text);
  return { fields, logs };
}

function inShard(store: Store, shard: number): Store {
  return shard === 0 ? store : store.shard(shard);
}

function shardsIn(fields: Dump['fields']): number {
  return unpacked(() => readShards(fields.get(SHARDS_FIELD) ?? null))?.count ?? 1;
}

async function collectShard(store: Store, progress: Progress): Promise<Dump> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const fields = new Map<string, string>();
    const logs = new Map<string, string>();
    await readFields(store, [STATE_FIELD, OUTBOX_FIELD, MAILING_FIELD], fields);
    const head = fields.get(STATE_FIELD) ?? null;
    const state = stateOf(head);
    if (state === null) return { fields, logs };
    const names = historyFields(state);
    const snapshots = names.filter((name) => !name.startsWith('i'));
    const pages = [...chunks(snapshots, PAGE), ...chunks(names.slice(snapshots.length), INCIDENTS_A_PAGE)];
    const total = names.length + logNames().length;
    let done = 0;
    for (const page of pages) {
      await readFields(store, page, fields);
      progress((done += page.length), total);
    }
    for (const page of chunks(logNames(), LOGS_A_PAGE)) {
      const answer = await store.read({ fields: [], logs: page });
      for (const [name, text] of answer.logs) logs.set(name, text);
      progress((done += page.length), total);
    }
    const now = (await store.read({ fields: [STATE_FIELD], logs: [] })).fields.get(STATE_FIELD) ?? null;
    if (now === head) return { fields, logs };
  }
  throw new TransferError('Runs committed all the while: try again, or stop them for a moment.');
}

/**
 * Writes all data under the leases, in one atomic step for the shards that are stored together: whatever happens, they hold
 * what they held or all of this.
 * `same`: it was there already, nothing was written.
 * @param force replaces other data that is there
 * @throws TransferError where there is other data, or a run is under way; StoreError
 */
export async function restore(
  store: Store,
  dump: Dump,
  { force }: { readonly force: boolean },
): Promise<'written' | 'same'> {
  if (!force) {
    const there = await collect(store);
    if (isEqual(there.fields, dump.fields) && isEqual(there.logs, dump.logs)) return 'same';
    if (there.fields.size > 0) throw occupied();
  }
  const { fields: shared } = await store.read({ fields: [SHARDS_FIELD], logs: [] });
  const shards = Math.max(shardsIn(shared), shardsIn(dump.fields));
  const token = randomUUID();
  const claimed: Store[] = [];
  try {
    for (let shard = 0; shard < shards; shard += 1) {
      const its = inShard(store, shard);
      const claim = await its.claim({ token, ttl: LEASE, fields: shard === 0 ? MAIN_FIELDS : [STATE_FIELD] });
      if (!claim.claimed)
        throw new TransferError('A run is under way, or was cut off minutes ago: try again in a moment.');
      claimed.push(its);
      if (!force && claim.fields.size > 0) throw occupied();
    }
    for (let group = 0; group <= groupOf(shards - 1); group += 1) {
      const outcome = await inShard(store, group * SHARDS_TOGETHER).replace({
        token,
        ...partOf(dump, group, shards),
      });
      if (outcome === 'lost')
        throw new TransferError('A run came between, and nothing was written: try again.');
    }
    await release(claimed.slice(1), token);
    return 'written';
  } catch (error) {
    await release(claimed, token);
    throw error;
  }
}

/** What of the data is stored together, with the logs that are to be removed. */
function partOf(
  dump: Dump,
  group: number,
  shards: number,
): { readonly fields: Record<string, string>; readonly logs: Record<string, string | null> } {
  const isHere = (name: string): boolean =>
    groupOf(shardOfName(name)) === group || SHARED_FIELDS.includes(name);
  const first = group * SHARDS_TOGETHER;
  const here = Array.from({ length: Math.min(SHARDS_TOGETHER, shards - first) }, (_, i) => first + i);
  const names = here.flatMap((shard) => logNames().map((name) => nameInShard(name, shard)));
  return {
    fields: Object.fromEntries([...dump.fields].filter(([name]) => isHere(name))),
    logs: Object.fromEntries(names.map((name) => [name, dump.logs.get(name) ?? null])),
  };
}

async function release(stores: readonly Store[], token: string): Promise<void> {
  for (const store of stores)
    await store.commit({ token, fields: {}, append: null, release: true }).catch(() => undefined);
}

function occupied(): TransferError {
  return new TransferError('The store holds data already: --force replaces it.');
}

async function readFields(store: Store, names: readonly string[], into: Map<string, string>): Promise<void> {
  const { fields } = await store.read({ fields: names, logs: [] });
  for (const [name, text] of fields) into.set(name, text);
}

function stateOf(text: string | null): State | null {
  return text === null ? null : unpacked(() => readState(text));
}

function unpacked<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new StoreError('store_corrupt', 'what is stored cannot be read', { cause });
  }
}

function chunks(names: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(names.length / size) }, (_, i) =>
    names.slice(i * size, (i + 1) * size),
  );
}

function isEqual(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, text]) => b.get(name) === text);
}
