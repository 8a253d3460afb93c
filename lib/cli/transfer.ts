import { randomUUID } from 'node:crypto';
import { ONE_STORE, readShards, type Layout } from '../record/directory.js';
import {
  DELIVERIES_FIELD,
  MAILING_FIELD,
  MAIN_FIELDS,
  OUTBOX_FIELD,
  SHARDS_FIELD,
  SHARED_FIELDS,
  STATE_FIELD,
} from '../record/fields.js';
import { logNames } from '../record/log.js';
import { historyFields } from '../record/names.js';
import { readJointRecord } from '../record/joint-record-text.js';
import { readOutbox, writeOutbox } from '../record/outbox-text.js';
import { withJointRecord } from '../rules/joint-delivery.js';
import { readState } from '../record/state.js';
import { TextError } from '../record/codec/text-error.js';
import { type State } from '../record/state-model.js';
import {
  ALL_SHARDS,
  groupOf,
  nameInShard,
  shardOfName,
  SHARDS_TOGETHER,
  StoreError,
  type Store,
} from '../store/store.js';
import { copyLayout, joined, type KnownDirectory } from '../run/directory-keeper.js';
import { TransferError, type Dump } from './dump.js';
import { laidOut, withoutShards } from './laid-out.js';

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

interface Collecting {
  readonly progress?: Progress;
  /** Leaves out the shards of databases that are gone, and the targets that lived there. */
  readonly incomplete?: boolean;
}

/**
 * All data, that of each shard as it was at one moment: it is read again when a run commits while it is read. It takes no
 * lease, so that no run is held up and a token that may only read is enough.
 * @returns also the ids of the targets that were left out
 * @throws TransferError where runs never cease to commit, or what is stored cannot be read; StoreError
 */
export async function collect(
  store: Store,
  { progress = () => undefined, incomplete = false }: Collecting = {},
): Promise<Dump & { readonly leftOut: readonly string[] }> {
  const fields = new Map<string, string>();
  const logs = new Map<string, string>();
  const { fields: shared } = await store.read({ fields: SHARED_FIELDS, logs: [] });
  const shards = shardsIn(shared);
  const gone = new Set<number>();
  for (let shard = 0; shard < shards; shard += 1) {
    try {
      const found = await collectShard(
        inShard(store, shard),
        (done, total) => progress(shard * total + done, shards * total),
        async (outbox) => (shards === 1 ? outbox : withoutDelivered(store, outbox, shard)),
      );
      for (const [name, text] of found.fields) fields.set(nameInShard(name, shard), text);
      for (const [name, text] of found.logs) logs.set(nameInShard(name, shard), text);
    } catch (error) {
      if (!incomplete || !(error instanceof StoreError) || groupOf(shard) === 0) throw error;
      gone.add(shard);
    }
  }
  const { texts, leftOut } = withoutShards(shared, gone);
  for (const [name, text] of texts) fields.set(name, text);
  return { fields, logs, leftOut };
}

function inShard(store: Store, shard: number): Store {
  return shard === 0 ? store : store.shard(shard);
}

function shardsIn(fields: Dump['fields']): number {
  return unpacked(() => readShards(fields.get(SHARDS_FIELD) ?? null))?.count ?? 1;
}

/**
 * The outbox of a shard without what was delivered for all shards and its next run would take out of it: wherever it is
 * imported, that is not told again. An outbox or a record that cannot be read is left as it is.
 */
async function withoutDelivered(store: Store, outbox: string, shard: number): Promise<string> {
  const name = nameInShard(DELIVERIES_FIELD, ALL_SHARDS);
  const { fields } = await store.read({ fields: [name], logs: [] });
  try {
    const before = readOutbox(outbox);
    const after = withJointRecord(before, readJointRecord(fields.get(name) ?? null), shard);
    const now = store.now();
    const text = writeOutbox(after, now);
    return text === writeOutbox(before, now) ? outbox : text;
  } catch (error) {
    if (error instanceof TextError) return outbox;
    throw error;
  }
}

/** @param outboxOf makes of the outbox that was read the one that is exported */
async function collectShard(
  store: Store,
  progress: Progress,
  outboxOf: (outbox: string) => Promise<string>,
): Promise<Dump> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const fields = new Map<string, string>();
    const logs = new Map<string, string>();
    await readFields(store, [STATE_FIELD, OUTBOX_FIELD, MAILING_FIELD], fields);
    const head = fields.get(STATE_FIELD) ?? null;
    const state = stateOf(head);
    const outbox = fields.get(OUTBOX_FIELD);
    if (outbox !== undefined) fields.set(OUTBOX_FIELD, await outboxOf(outbox));
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
 * what they held or all of this. Where there are other databases than the data comes from, its shards are spread over those
 * that are there.
 * `same`: it was there already, nothing was written.
 * @param force replaces other data that is there
 * @throws TransferError where there is other data, or a run is under way; StoreError
 */
export async function restore(
  store: Store,
  source: Dump,
  { force }: { readonly force: boolean },
): Promise<'written' | 'same'> {
  const { fields: shared } = await store.read({ fields: [SHARDS_FIELD], logs: [] });
  const before = layoutIn(shared);
  const numbers = store.databases?.numbers ?? [1];
  const { dump, known } = laidOut(source, { numbers, origin: before.origin });
  if (!force) {
    const there = await collect(store);
    if (isEqual(there.fields, dump.fields) && isEqual(there.logs, dump.logs)) return 'same';
    if (there.fields.size > 0) throw occupied();
  }
  const shards = Math.max(shardsIn(shared), shardsIn(dump.fields));
  if (known !== null) await joinAll(store, known, { force });
  const places = placesIn(store, shards, [before, known?.layout ?? ONE_STORE]);
  const token = randomUUID();
  const claimed: Store[] = [];
  try {
    for (const { shard, its } of places) {
      const claim = await its.claim({ token, ttl: LEASE, fields: shard === 0 ? MAIN_FIELDS : [STATE_FIELD] });
      if (!claim.claimed)
        throw new TransferError('A run is under way, or was cut off minutes ago: try again in a moment.');
      claimed.push(its);
      if (!force && claim.fields.size > 0) throw occupied();
    }
    for (const { shard, number, its } of places) {
      const group = groupOf(shard);
      if (shard !== group * SHARDS_TOGETHER) continue;
      const isHere = number === (known?.layout.stores[group] ?? 1);
      const outcome = await its.replace({ token, ...partOf(isHere ? dump : NOTHING, group, shards) });
      if (outcome === 'lost')
        throw new TransferError('A run came between, and nothing was written: try again.');
    }
    await release(claimed.slice(1), token);
    await tellDatabases(store, before, known);
    return 'written';
  } catch (error) {
    await release(claimed, token);
    throw error;
  }
}

const NOTHING: Dump = { fields: new Map(), logs: new Map() };

function layoutIn(fields: Dump['fields']): Layout {
  return unpacked(() => readShards(fields.get(SHARDS_FIELD) ?? null))?.layout ?? ONE_STORE;
}

/** Every shard in each database where it is or is to be, in the order of their numbers. */
function placesIn(
  store: Store,
  shards: number,
  layouts: readonly Layout[],
): readonly { readonly shard: number; readonly number: number; readonly its: Store }[] {
  const { databases } = store;
  return Array.from({ length: shards }, (_, shard) => {
    const numbers = new Set(layouts.map(({ stores }) => stores[groupOf(shard)] ?? 1));
    const there = [...numbers].filter((number) => databases?.numbers.includes(number) ?? true);
    return there.map((number) => {
      const database = databases?.database(number) ?? store;
      return { shard, number, its: inShard(database, shard) };
    });
  }).flat();
}

/** Makes the databases this installation's that are to have shards. @throws TransferError where one is another's */
async function joinAll(
  store: Store,
  known: KnownDirectory,
  { force }: { readonly force: boolean },
): Promise<void> {
  for (const number of new Set(known.layout.stores)) {
    const problem = number === 1 ? null : await joined(store, number, known, { force });
    if (problem !== null) throw new TransferError(`${store.databases?.nameOf(number)}: ${problem}.`);
  }
}

/** Gives the other databases what they have to know, and takes it from those that are free again. */
async function tellDatabases(store: Store, before: Layout, known: KnownDirectory | null): Promise<void> {
  const { layout } = known ?? { layout: ONE_STORE };
  if (known !== null) store.databases?.learn(layout);
  for (const number of new Set([...before.stores, ...layout.stores])) {
    if (number === 1 || store.databases?.numbers.includes(number) !== true) continue;
    await copyLayout(store, number, known !== null && layout.origin !== null ? known : null);
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
