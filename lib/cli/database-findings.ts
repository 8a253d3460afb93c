import type { NumberedStore } from '../config/store-choice.js';
import { SHARDS_FIELD, STATE_FIELD } from '../record/fields.js';
import { SPREAD_FIELDS } from '../record/spread-fields.js';
import { StoreError, type Databases, type Store } from '../store/store.js';
import type { Finding } from './finding.js';
import { ofForeignDatabase, ofMissingDatabase, ofStore, ofStoreError } from './store-findings.js';

/** What is done with each of the databases. */
interface Tests {
  /** Ms. */
  readonly latency: (store: Store) => Promise<number>;
  readonly write: (store: Store) => Promise<void>;
}

/** Looks at the databases beside the first: those that are set, and those in which targets live although they are not. */
export async function examineDatabases(
  databases: Databases,
  stores: readonly NumberedStore[],
  tests: Tests,
): Promise<Finding[]> {
  const { layout, numbers } = databases;
  const missing = [...new Set(layout?.stores)].filter((number) => !numbers.includes(number));
  const found = await Promise.all(stores.slice(1).map((each) => examineDatabase(databases, each, tests)));
  return [...found.flat(), ...missing.map((number) => ofMissingDatabase(databases.nameOf(number)))];
}

async function examineDatabase(
  { layout, ...databases }: Databases,
  { number, variables, store: { kind } }: NumberedStore,
  { latency, write }: Tests,
): Promise<Finding[]> {
  let writing = false;
  try {
    const store = databases.database(number);
    const { fields } = await store.read({ fields: [SHARDS_FIELD, STATE_FIELD], logs: [] });
    const copy = SPREAD_FIELDS.layoutIn(fields.get(SHARDS_FIELD) ?? null);
    const isUsed = layout?.stores.includes(number) === true;
    const isOurs = copy?.store === number && copy.layout.origin === layout?.origin;
    const isEmpty = copy === null && !fields.has(STATE_FIELD);
    if (!isOurs && (isUsed || !isEmpty)) {
      const problem = isEmpty
        ? 'the database is empty, and targets live in another one'
        : 'the database holds data of another installation';
      return [ofForeignDatabase(databases.nameOf(number), problem)];
    }
    const facts = { kind, variables, latency: await latency(store) };
    writing = true;
    await write(store);
    // Where the first one does not answer, it may not be known what this one is for.
    if (layout === null) return ofStore(facts);
    return ofStore({ ...facts, use: isUsed ? 'targets live there' : 'it takes the next shard' });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return [ofStoreError(error, { kind, variables, writing, isOneOfSeveral: true })];
  }
}
