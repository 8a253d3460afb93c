import { randomUUID } from 'node:crypto';
import { MAIN_FIELDS, STATE_FIELD } from '../record/fields.js';
import { logNames } from '../record/log.js';
import { historyFields } from '../record/names.js';
import { readState } from '../record/state.js';
import { type State } from '../record/state-model.js';
import { StoreError, type Store } from '../store/store.js';
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
 * All data as it was at one moment: it is read again when a run commits while it is read. It takes no lease, so that no
 * run is held up and a token that may only read is enough.
 * @throws TransferError where runs never cease to commit, or what is stored cannot be read; StoreError
 */
export async function collect(store: Store, progress: Progress = () => undefined): Promise<Dump> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const fields = new Map<string, string>();
    const logs = new Map<string, string>();
    await readFields(store, MAIN_FIELDS, fields);
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
 * Writes all data under the lease, in one atomic step: whatever happens, the store holds what it held or all of this.
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
  const token = randomUUID();
  const claim = await store.claim({ token, ttl: LEASE, fields: MAIN_FIELDS });
  if (!claim.claimed)
    throw new TransferError('A run is under way, or was cut off minutes ago: try again in a moment.');
  try {
    if (!force && claim.fields.size > 0) throw occupied();
    const logs = Object.fromEntries(logNames().map((name) => [name, dump.logs.get(name) ?? null]));
    const outcome = await store.replace({ token, fields: Object.fromEntries(dump.fields), logs });
    if (outcome === 'lost')
      throw new TransferError('A run came between, and nothing was written: try again.');
    return 'written';
  } catch (error) {
    await store.commit({ token, fields: {}, append: null, release: true }).catch(() => undefined);
    throw error;
  }
}

function occupied(): TransferError {
  return new TransferError('The store holds data already: --force replaces it.');
}

async function readFields(store: Store, names: readonly string[], into: Map<string, string>): Promise<void> {
  const { fields } = await store.read({ fields: names, logs: [] });
  for (const [name, text] of fields) into.set(name, text);
}

function stateOf(text: string | null): State | null {
  if (text === null) return null;
  try {
    return readState(text);
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
