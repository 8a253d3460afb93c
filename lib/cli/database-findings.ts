import type { NumberedStore } from '../config/store-choice.js';
import { SHARDS_FIELD, STATE_FIELD } from '../record/fields.js';
import { SPREAD_FIELDS } from '../record/spread-fields.js';
import { StoreError, type Databases, type ShardLayout, type Store } from '../store/store.js';
import type { Finding } from './finding.js';
import {
  ofEmptyFirstDatabase,
  ofExchangedDatabase,
  ofForeignDatabase,
  ofMissingDatabase,
  ofStore,
  ofStoreError,
} from './store-findings.js';

/** What is done with each of the databases. */
interface Tests {
  /** Ms. */
  readonly latency: (store: Store) => Promise<number>;
  readonly write: (store: Store) => Promise<void>;
}

interface ExaminedDatabases {
  readonly findings: readonly Finding[];
  /** Others hold data of an installation whose first database is another one, or was emptied: nothing in it counts. */
  readonly isFirstEmpty: boolean;
}

/** What a database holds. */
interface Held {
  /** Of the layout; null: there is none. */
  readonly copy: ReturnType<typeof SPREAD_FIELDS.layoutIn>;
  readonly isEmpty: boolean;
}

/** Looks at the databases beside the first: those that are set, and those in which targets live although they are not. */
export async function examineDatabases(
  databases: Databases,
  stores: readonly NumberedStore[],
  tests: Tests,
): Promise<ExaminedDatabases> {
  const others = await Promise.all(
    stores.slice(1).map(async (each) => ({ ...each, held: await heldBy(databases.database(each.number)) })),
  );
  const copyIn = (held: Held | StoreError): Held['copy'] => (held instanceof StoreError ? null : held.copy);
  const used = others.find(({ number, held }) => copyIn(held)?.store === number);
  const isFirstEmpty = used !== undefined && (await isEmpty(databases.database(1)));
  // An empty database says of no other that it is a stranger.
  const layout = isFirstEmpty ? (copyIn(used.held)?.layout ?? null) : databases.layout;
  const missing = [...new Set(layout?.stores)].filter((number) => !databases.numbers.includes(number));
  const found = await Promise.all(others.map((each) => examineDatabase({ databases, layout }, each, tests)));
  const findings = [
    ...(isFirstEmpty ? [ofEmptyFirstDatabase(databases.nameOf(1), databases.nameOf(used.number))] : []),
    ...found.flat(),
    ...missing.map((number) => ofMissingDatabase(databases.nameOf(number))),
  ];
  return { findings, isFirstEmpty };
}

/** What cannot be read is the error. */
async function heldBy(store: Store): Promise<Held | StoreError> {
  try {
    const { fields } = await store.read({ fields: [SHARDS_FIELD, STATE_FIELD], logs: [] });
    const copy = SPREAD_FIELDS.layoutIn(fields.get(SHARDS_FIELD) ?? null);
    return { copy, isEmpty: copy === null && !fields.has(STATE_FIELD) };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return error;
  }
}

async function isEmpty(store: Store): Promise<boolean> {
  const held = await heldBy(store);
  return !(held instanceof StoreError) && held.isEmpty;
}

async function examineDatabase(
  { databases, layout }: { readonly databases: Databases; readonly layout: ShardLayout | null },
  { number, variables, store: { kind }, held }: NumberedStore & { readonly held: Held | StoreError },
  { latency, write }: Tests,
): Promise<Finding[]> {
  let writing = false;
  try {
    if (held instanceof StoreError) throw held;
    const { copy, isEmpty } = held;
    const store = databases.database(number);
    const isUsed = layout?.stores.includes(number) === true;
    const isOfInstallation = copy !== null && copy.layout.origin === layout?.origin;
    if (isOfInstallation && copy.store !== number)
      return [ofExchangedDatabase(databases.nameOf(number), databases.nameOf(copy.store))];
    if (!isOfInstallation && (isUsed || !isEmpty)) {
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
