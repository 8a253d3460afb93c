import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { validConfig, type Env } from '../config/valid.js';
import { TextError } from '../record/codec/text-error.js';
import { versionOf } from '../record/codec/envelope.js';
import { incidentFields, readIncident } from '../record/incidents.js';
import { readPlaces, readShards } from '../record/directory.js';
import {
  DIRECTORY_FIELD,
  MAILING_FIELD,
  MAINTENANCE_FIELD,
  NOTES_FIELD,
  OUTBOX_FIELD,
  SHARDS_FIELD,
  SHARED_FIELDS,
  STATE_FIELD,
  SUBSCRIBERS_FIELD,
} from '../record/fields.js';
import { logNames, readLog } from '../record/log.js';
import { readMaintenance } from '../record/maintenance.js';
import { readMailing } from '../record/mailing-text.js';
import { readNotes } from '../record/notes.js';
import { readSubscribers, subscriberId } from '../record/subscribers.js';
import { snapshotFields, snapshotTime, readSnapshot } from '../record/snapshots.js';
import { readOutbox } from '../record/outbox-text.js';
import { readState } from '../record/state.js';
import { type State } from '../record/state-model.js';
import { withPending } from '../read/load.js';
import { groupOf, nameInShard, shardOfName, StoreError, type Store } from '../store/store.js';
import { COMMANDS, STORED_PARTS } from './commands.js';
import { parseDump, TransferError, type Dump } from './dump.js';
import { problem, readText } from './move.js';
import { readStored } from './read-store.js';
import { readArguments } from './usage.js';

type StoredPart = (typeof STORED_PARTS)[number];

/** All data, as far as it can be read. */
interface Stored extends Dump {
  /** Why the shards that are in a database that is away cannot be read, where others can. */
  readonly awayShards: ReadonlyMap<number, StoreError>;
  /** The same of what all shards share, by field. */
  readonly awayFields: ReadonlyMap<string, StoreError>;
}

/** How many fields and logs are read at once. */
const FIELDS_A_PAGE = 40;
const LOGS_A_PAGE = 4;

/**
 * Prints what is stored as JSON: one part of it, or all. It reads the store that is configured (of the embedded database
 * a copy, so that the runner may go on), or an export, and writes nothing. What cannot be read is shown with the reason.
 * @returns the exit code: 1 also where one of several databases is away, and the others are printed
 * @throws ConfigError UsageError
 */
export async function inspect(env: Env, args: readonly string[]): Promise<number> {
  const { words, value } = readArguments('inspect', COMMANDS.inspect, args);
  const part = STORED_PARTS.find((each) => each === words[0]) ?? null;
  const file = value('file');
  try {
    const stored: Stored =
      file === undefined
        ? await readStore(env, part)
        : { ...parseDump(await readText(file)), awayShards: new Map(), awayFields: new Map() };
    await print(render(stored, part));
    const away = [...stored.awayShards.values(), ...stored.awayFields.values()];
    const problems = new Set(away.map((error) => problem(error, 'read')));
    for (const each of problems) console.error(each);
    return problems.size > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof TransferError || error instanceof StoreError)) throw error;
    console.error(error instanceof StoreError ? problem(error, 'read') : error.message);
    return 1;
  }
}

/** Writes to stdout. A reader that closes the pipe early (`| head`) is no error. */
async function print(text: Iterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(text), process.stdout);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
  }
}

async function readStore(env: Env, part: StoredPart | null): Promise<Stored> {
  return readStored(await validConfig(env), (store) => readTexts(store, part));
}

/**
 * The texts that are needed to show a part; null: all. The state names the targets of the others. A database that is away is
 * asked once.
 * @throws StoreError where nothing can be read
 */
async function readTexts(store: Store, part: StoredPart | null): Promise<Stored> {
  const { fields: shared, unread = new Map<string, StoreError>() } = await store.read({
    fields: SHARED_FIELDS,
    logs: [],
    partly: true,
  });
  const fields = new Map(shared);
  const logs = new Map<string, string>();
  const awayShards = new Map<number, StoreError>();
  const awayDatabases = new Map<number, StoreError>();
  const shards = shardsIn(fields);
  for (let shard = 0; shard < shards; shard += 1) {
    const database = store.databases?.layout?.stores[groupOf(shard)] ?? 1;
    let failure = awayDatabases.get(database) ?? null;
    try {
      if (failure === null) await readShard(store, part, shard, { fields, logs });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      failure = error;
    }
    if (failure === null) continue;
    awayDatabases.set(database, failure);
    awayShards.set(shard, failure);
  }
  const [failure] = awayShards.values();
  if (failure !== undefined && awayShards.size === shards) throw failure;
  return { fields, logs, awayShards, awayFields: unread };
}

/** Adds the texts of one shard. @throws StoreError */
async function readShard(
  store: Store,
  part: StoredPart | null,
  shard: number,
  { fields, logs }: { readonly fields: Map<string, string>; readonly logs: Map<string, string> },
): Promise<void> {
  const isWanted = (...parts: StoredPart[]): boolean => part === null || parts.includes(part);
  const named = (names: readonly string[]): string[] => names.map((name) => nameInShard(name, shard));
  const readFields = async (names: readonly string[]): Promise<void> => {
    const answer = await store.read({ fields: named(names), logs: [] });
    for (const [name, text] of answer.fields) fields.set(name, text);
  };
  await readFields([STATE_FIELD, OUTBOX_FIELD, MAILING_FIELD]);
  const state = stateIn(ofShard({ fields, logs }, shard).fields);
  const snapshots = isWanted('marks') ? snapshotFields() : [];
  const incidents =
    isWanted('incidents') && state !== null ? incidentsOf(state).map(({ field }) => field) : [];
  for (const page of pages([...snapshots, ...incidents], FIELDS_A_PAGE)) await readFields(page);
  for (const page of pages(isWanted('log') ? logNames() : [], LOGS_A_PAGE)) {
    const answer = await store.read({ fields: [], logs: named(page) });
    for (const [name, text] of answer.logs) logs.set(name, text);
  }
}

/** How many shards there are; 1 where that cannot be read. */
function shardsIn(fields: Dump['fields']): number {
  try {
    return readShards(fields.get(SHARDS_FIELD) ?? null)?.count ?? 1;
  } catch (error) {
    if (error instanceof TextError) return 1;
    throw error;
  }
}

/** What is of one shard, and what all share, by the names that shard 0 has for it. */
function ofShard({ fields, logs }: Dump, shard: number): Dump {
  const own = (texts: Dump['fields']): Map<string, string> =>
    new Map(
      [...texts].flatMap(([name, text]): [string, string][] => {
        if (SHARED_FIELDS.includes(name)) return [[name, text]];
        return shardOfName(name) === shard ? [[name.replace(/:\d+$/, ''), text]] : [];
      }),
    );
  return { fields: own(fields), logs: own(logs) };
}

/** Null: there is none, or it cannot be read. */
function stateIn(fields: Dump['fields']): State | null {
  const text = fields.get(STATE_FIELD);
  try {
    return text === undefined ? null : readState(text);
  } catch (error) {
    if (error instanceof TextError) return null;
    throw error;
  }
}

/** Where the incidents of each target are. */
function incidentsOf({ targets }: State): { field: string; target: string }[] {
  return targets.flatMap((target, slot) =>
    target === null
      ? []
      : incidentFields(slot)
          .slice(0, target.incidents)
          .map((field) => ({ field, target: target.id })),
  );
}

/** One part as JSON, or all of them as an object. What there are many of is printed one a line. */
function* render(stored: Stored, part: StoredPart | null): Generator<string> {
  if (part !== null) {
    yield* lines(show(stored, part), '');
    yield '\n';
    return;
  }
  let before = '{\n';
  for (const each of STORED_PARTS) {
    yield `${before}  ${JSON.stringify(each)}: `;
    yield* lines(show(stored, each), '  ');
    before = ',\n';
  }
  yield '\n}\n';
}

function* lines(shown: unknown, indent: string): Generator<string> {
  if (!Array.isArray(shown) || shown.length === 0) {
    yield JSON.stringify(readable(shown), null, 2).replaceAll('\n', `\n${indent}`);
    return;
  }
  let before = '[';
  for (const item of shown as unknown[]) {
    yield `${before}\n${indent}  ${JSON.stringify(readable(item))}`;
    before = ',';
  }
  yield `\n${indent}]`;
}

/** Null: it is not stored. Of several shards a list, of which each item says where it is from. */
function show(stored: Stored, part: StoredPart): unknown {
  const shards = shardsIn(stored.fields);
  const sharedField = SHARED_PARTS.get(part);
  const away = sharedField === undefined ? undefined : stored.awayFields.get(sharedField);
  if (away !== undefined) return { unreadable: away.message };
  if (shards === 1 || sharedField !== undefined) return showShard(stored, part);
  const inUse = shardsInUse(stored);
  return Array.from({ length: shards }, (_, shard) => shard).flatMap((shard) => {
    if (inUse?.has(shard) === false && !stored.fields.has(nameInShard(STATE_FIELD, shard))) return [];
    const failure = stored.awayShards.get(shard);
    if (failure !== undefined) return [{ shard, unreadable: failure.message }];
    const found = showShard(ofShard(stored, shard), part);
    return [found].flat().map((item) => ({ shard, ...(item as object) }));
  });
}

/** The shards in which targets live: of several databases, not every number is taken. Null: that cannot be read. */
function shardsInUse({ fields }: Stored): ReadonlySet<number> | null {
  try {
    const { directory } = readPlaces(fields.get(DIRECTORY_FIELD) ?? '');
    return new Set([...directory.values()].map(({ shard }) => shard));
  } catch (error) {
    if (error instanceof TextError) return null;
    throw error;
  }
}

/** Parts that all shards share, and where they are stored. */
const SHARED_PARTS: ReadonlyMap<StoredPart, string> = new Map([
  ['maintenance', MAINTENANCE_FIELD],
  ['notes', NOTES_FIELD],
  ['subscribers', SUBSCRIBERS_FIELD],
  ['places', DIRECTORY_FIELD],
]);

function showShard({ fields, logs }: Dump, part: StoredPart): unknown {
  const state = stateIn(fields);
  const one = (field: string, read: (text: string) => unknown): unknown => {
    const text = fields.get(field);
    return text === undefined ? null : shown(text, () => ({ value: read(text) }));
  };
  switch (part) {
    case 'state':
      return one(STATE_FIELD, readState);
    case 'outbox':
      return one(OUTBOX_FIELD, readOutbox);
    case 'maintenance':
      return one(MAINTENANCE_FIELD, readMaintenance);
    case 'notes':
      return one(NOTES_FIELD, readNotes);
    case 'subscribers':
      return one(SUBSCRIBERS_FIELD, showSubscribers);
    case 'mailing':
      return one(MAILING_FIELD, (text) => readMailing(text, 0));
    case 'places':
      return one(DIRECTORY_FIELD, showPlaces);
    case 'marks':
      return snapshotFields().flatMap((field) => {
        const text = fields.get(field);
        return text === undefined ? [] : [{ field, ...shown(text, () => showSnapshot(field, text, state)) }];
      });
    case 'log':
      return [...(state === null ? logs : withPending(logs, state.log))].flatMap(([name, text]) =>
        showLog(name, text, state),
      );
    case 'incidents':
      return (state === null ? [] : incidentsOf(state)).flatMap(({ field, target }) => {
        const text = fields.get(field);
        return text === undefined ? [] : [{ field, target, ...shown(text, () => readIncident(text)) }];
      });
  }
}

/** The place of each target, with the number of its database where there are several. */
function showPlaces(text: string): object {
  const { directory, layout } = readPlaces(text);
  if (layout.origin === null) return directory;
  const databaseOf = (shard: number): number => layout.stores[groupOf(shard)] ?? 1;
  return new Map([...directory].map(([id, place]) => [id, { ...place, database: databaseOf(place.shard) }]));
}

/** What a text says, behind the version of its format; or why it cannot be read. */
function shown(text: string, read: () => object): object {
  try {
    return { version: versionOf(text), ...read() };
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    return { version: versionOf(text), unreadable: error.message };
  }
}

function showSnapshot(field: string, text: string, state: State | null): object {
  const at = snapshotTime(field, text);
  const snapshot = readSnapshot(text, at, (slot) => state?.targets[slot]?.addedAt ?? null);
  if (snapshot === null || 'see' in snapshot)
    return { at, sameAs: snapshot === null ? null : new Date(snapshot.see) };
  if (state === null) throw new TextError('it counts from the state, which cannot be read');
  const targets = snapshot.targets.flatMap((target, slot) =>
    target === null
      ? []
      : [{ target: state.targets[slot]?.id, ...target.counters, latencies: target.latencies }],
  );
  return { at, targets };
}

/** Each with the page that unsubscribes it. */
function showSubscribers(text: string): object | null {
  const subscribers = readSubscribers(text);
  if (subscribers === null) return null;
  const list = subscribers.list.map((each) => ({
    ...each,
    unsubscribe: `/unsubscribe?t=${subscriberId(subscribers, each.address)}`,
  }));
  return { ...subscribers, list };
}

/** A row for each check, or one for a log that cannot be read. */
function showLog(log: string, text: string, state: State | null): object[] {
  const found = shown(text, () => ({
    checks: readLog(text).map(({ at, slot, ...check }) => {
      const target = state?.targets[slot]?.id ?? slot;
      return { log, at, target, ...check };
    }),
  }));
  return 'checks' in found ? (found.checks as object[]) : [{ log, ...found }];
}

const HOUR = 3_600_000;
const QUARTER = 250;
/** Properties that hold times, in ms since the epoch. */
const TIMES = /^(?:at|since|from|to|until|certificate)$|(?:At|Since|From|To)$/;

/** As JSON can have it, with times as people read them. */
function readable(value: unknown, name = ''): unknown {
  if (typeof value === 'number') {
    if (TIMES.test(name)) return iso(value);
    if (name === 'hour' || name === 'snapshotHour') return iso(value * HOUR);
    if (name === 'month' || name === 'toldIn') return iso(Date.UTC(1970, value)).slice(0, 'yyyy-mm'.length);
    if (name === 'gone') return iso(value * 24 * HOUR).slice(0, 'yyyy-mm-dd'.length);
    return name === 'lastUnit' ? iso(value * QUARTER) : value;
  }
  if (value instanceof Date) return value.toISOString();
  // Those of the changes of a status are times, each.
  if (Array.isArray(value))
    return value.map((item) => readable(item, name === 'transitions' || name === 'at' ? 'at' : ''));
  if (value instanceof Map) {
    return [...(value as ReadonlyMap<string | number, unknown>)].map(([key, item]) => {
      if (typeof key === 'number') return { bucket: key, count: item };
      return typeof item === 'object' ? { id: key, ...(readable(item) as object) } : { id: key, value: item };
    });
  }
  if (typeof value !== 'object' || value === null) return value;
  const properties = Object.entries(value).map(([key, item]) => [key, readable(item, key)] as const);
  return Object.fromEntries(properties);
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

function pages(names: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(names.length / size) }, (_, i) =>
    names.slice(i * size, (i + 1) * size),
  );
}
