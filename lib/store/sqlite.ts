import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync, type BigIntStats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import Database from 'libsql';
import { failure } from './sqlite-failure.js';
import {
  checkSwap,
  groupOf,
  nameInShard,
  shardOfName,
  StoreError,
  type Claim,
  type ClaimRequest,
  type Commit,
  type Meter,
  type ReadAnswer,
  type ReadRequest,
  type Replacement,
  type Store,
  type StoreOptions,
  type Swap,
  type Texts,
} from './store.js';

/** "Keep" in ASCII: identifies our database files. */
const APPLICATION_ID = 0x4b656570;

/** Ms that a process waits for another one to release the file. */
const BUSY_TIMEOUT = 2_000;

const SCHEMA = `
  PRAGMA application_id = ${APPLICATION_ID};
  CREATE TABLE fields (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE logs (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
`;

export interface SqliteOptions extends StoreOptions {
  /** Prints a line where something was created that the operator may not expect. */
  readonly print?: (line: string) => void;
}

/**
 * Opens the embedded database, and creates file and folder where they are missing. The file, and those that SQLite puts
 * beside it, can be read by their owner alone. The process owns the file until it closes the store or ends, in whatever
 * way. A file that cannot be read is left as it is.
 * @throws StoreError that names the path and the cause: `store_unreachable` (no such place, or another process uses it),
 * `store_denied` (no permission, read-only), `store_corrupt` (damaged, or not our database), `store_limit` (disk full).
 * Errors of later calls do not name the path: they are shown to readers of `/api/health`.
 */
export function openSqlite(path: string, { print = () => undefined, ...options }: SqliteOptions): Store {
  const full = resolve(path);
  let db: Database.Database | null = null;
  try {
    createFile(full, print);
    db = new Database(full, { timeout: BUSY_TIMEOUT });
    // The lock that makes us the owner is the operating system's: it ends with the process.
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE');
    check(db);
    db.exec('COMMIT');
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN EXCLUSIVE; COMMIT');
    return new SqliteStore(new SqliteConnection(db, full), options);
  } catch (error) {
    db?.close();
    const { code, message, cause } = failure(error);
    throw new StoreError(code, `cannot open ${full}: ${message}`, { cause });
  }
}

/** Read and written by the owner alone. SQLite gives the files beside the database the permissions of the database. */
const OWNER_ONLY = 0o600;

function createFile(path: string, print: (line: string) => void): void {
  const folder = dirname(path);
  if (mkdirSync(folder, { recursive: true }) !== undefined) print(`Created the folder ${folder}.`);
  closeSync(openSync(path, 'a', OWNER_ONLY));
  // Those that an earlier version made, or left behind when it was killed.
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]) {
    if (existsSync(file) && (statSync(file).mode & 0o077) !== 0) chmodSync(file, OWNER_ONLY);
  }
}

/** Creates the tables in an empty file; throws unless the file is sound and ours. */
function check(db: Database.Database): void {
  const [damage] = db.pragma('quick_check(1)') as { quick_check: string }[];
  if (damage?.quick_check !== 'ok') throw new StoreError('store_corrupt', 'the database file is damaged');
  const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number };
  const [{ application_id: owner } = { application_id: 0 }] = db.pragma('application_id') as {
    application_id: number;
  }[];
  if (tables === 0 && owner === 0) db.exec(SCHEMA);
  else if (owner !== APPLICATION_ID) {
    throw new StoreError('store_corrupt', 'the database file belongs to another program');
  }
}

/** The lease of a shard. */
interface Lease {
  /** Who took it last. */
  token: string | null;
  /** By `performance.now`; 0: the lease is free. */
  end: number;
  /** Whether its holder has committed since it took the lease. */
  hasCommitted: boolean;
}

/** The open file, and the leases: they need no table, since they end with the process that owns the file. */
class SqliteConnection {
  writes = 0;
  closed = false;
  readonly #db: Database.Database;
  readonly #path: string;
  readonly #file: BigIntStats | undefined;
  readonly #statements = new Map<string, Database.Statement>();
  readonly #leases = new Map<number, Lease>();

  constructor(db: Database.Database, path: string) {
    this.#db = db;
    this.#path = path;
    this.#file = fileAt(path);
  }

  /** False: what is written goes into a file that nobody will find again. */
  get isInPlace(): boolean {
    const found = fileAt(this.#path);
    return found !== undefined && found.ino === this.#file?.ino && found.dev === this.#file.dev;
  }

  leaseOf(shard: number): Lease {
    const lease = this.#leases.get(shard) ?? { token: null, end: 0, hasCommitted: false };
    this.#leases.set(shard, lease);
    return lease;
  }

  /** Runs one statement, which gives one row at most. */
  row(meter: Meter, sql: string, ...values: unknown[]): unknown {
    return this.#statement(meter, sql).get(...values);
  }

  rows(meter: Meter, sql: string): unknown[] {
    return this.#statement(meter, sql).all();
  }

  run(meter: Meter, sql: string, ...values: unknown[]): void {
    this.#statement(meter, sql).run(...values);
  }

  transaction(meter: Meter, work: () => void): void {
    this.run(meter, 'BEGIN IMMEDIATE');
    try {
      work();
      this.run(meter, 'COMMIT');
    } catch (error) {
      // Some errors have rolled back by themselves.
      if (this.#db.inTransaction) this.run(meter, 'ROLLBACK');
      throw error;
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    try {
      // Closing alone keeps the lock until every statement is garbage; leaving WAL gives it up now.
      this.#db.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT 1 FROM fields');
    } finally {
      this.#db.close();
    }
  }

  #statement(meter: Meter, sql: string): Database.Statement {
    meter.commands++;
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

class SqliteStore implements Store {
  readonly kind = 'sqlite';
  readonly #connection: SqliteConnection;
  readonly #options: StoreOptions;
  readonly #meter: Meter;
  readonly #shard: number;

  constructor(
    connection: SqliteConnection,
    options: StoreOptions,
    meter: Meter = { commands: 0, bytesSent: 0, bytesReceived: 0 },
    shard = 0,
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#meter = meter;
    this.#shard = shard;
  }

  get writes(): number {
    return this.#connection.writes;
  }

  metered(meter: Meter): Store {
    return new SqliteStore(this.#connection, this.#options, meter, this.#shard);
  }

  shard(number: number): Store {
    return new SqliteStore(this.#connection, this.#options, this.#meter, number);
  }

  claim({ token, ttl, fields }: ClaimRequest): Promise<Claim> {
    return this.#call((): Claim => {
      const lease = this.#lease;
      const now = performance.now();
      if (lease.token !== token && lease.end > now) return { claimed: false };
      const values = texts(fields, (name) => this.#field(name));
      lease.hasCommitted &&= lease.token === token;
      lease.token = token;
      lease.end = now + ttl;
      return { claimed: true, fields: values };
    });
  }

  renew(ttl: number): Promise<void> {
    return this.#call(() => {
      const lease = this.#lease;
      const now = performance.now();
      if (lease.end > now) lease.end = now + ttl;
    });
  }

  underWay(shards: readonly number[]): Promise<ReadonlyMap<number, { readonly hasCommitted: boolean }>> {
    return this.#call(
      (connection) =>
        new Map(
          shards.flatMap((shard) => {
            const { end, hasCommitted } = connection.leaseOf(shard);
            return end > performance.now() ? [[shard, { hasCommitted }]] : [];
          }),
        ),
    );
  }

  read({ fields, logs }: ReadRequest): Promise<ReadAnswer> {
    return this.#call(() => ({
      fields: texts(fields, (name) => this.#field(name)),
      logs: texts(logs, (name) => this.#log(name)?.toString('latin1') ?? null),
    }));
  }

  commit({ token, fields, append, release, decides = false }: Commit): Promise<'committed' | 'lost'> {
    const lease = this.#lease;
    const { end } = lease;
    // Its holder gives the lease up with this commit, done or not.
    if ((release || decides) && lease.token === token) lease.end = 0;
    return this.#write((connection) => {
      if (lease.token !== token || (end === 0 && !release)) return 'lost';
      connection.transaction(this.#meter, () => {
        for (const [name, value] of Object.entries(fields))
          this.#put('fields', 'value', this.#name(name), value);
        if (append) {
          const before = append.offset === 0 ? null : this.#log(append.log);
          const name = nameInShard(append.log, this.#shard);
          this.#put('logs', 'bytes', name, splice(before, append.offset, append.text));
        }
      });
      if (!release) lease.end = end;
      lease.hasCommitted = true;
      return 'committed';
    });
  }

  swap(swap: Swap): Promise<boolean> {
    return this.#write(() => {
      checkSwap(swap, this.#options);
      const { field, expected, value } = swap;
      if (this.#field(field) !== expected) return false;
      this.#put('fields', 'value', this.#name(field), value);
      return true;
    });
  }

  replace({ token, fields, logs }: Replacement): Promise<'committed' | 'lost'> {
    const lease = this.#lease;
    if (lease.token === token) lease.end = 0;
    return this.#write((connection) => {
      if (lease.token !== token) return 'lost';
      connection.transaction(this.#meter, () => {
        for (const row of connection.rows(this.#meter, 'SELECT name FROM fields')) {
          const { name } = row as { name: string };
          if (groupOf(shardOfName(name)) === groupOf(this.#shard))
            connection.run(this.#meter, 'DELETE FROM fields WHERE name = ?', name);
        }
        for (const [name, value] of Object.entries(fields)) this.#put('fields', 'value', name, value);
        for (const [name, text] of Object.entries(logs)) {
          if (text === null) connection.run(this.#meter, 'DELETE FROM logs WHERE name = ?', name);
          else this.#put('logs', 'bytes', name, Buffer.from(text, 'latin1'));
        }
      });
      return 'committed';
    });
  }

  now(): number {
    return Date.now();
  }

  ping(): Promise<void> {
    return this.#call((connection) => {
      connection.row(this.#meter, 'SELECT count(*) FROM sqlite_schema');
    });
  }

  close(): Promise<void> {
    try {
      this.#connection.close();
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(failure(error));
    }
  }

  get #lease(): Lease {
    return this.#connection.leaseOf(this.#shard);
  }

  /** What a field is called in the table. */
  #name(field: string): string {
    return this.#options.shared.has(field) ? field : nameInShard(field, this.#shard);
  }

  #field(name: string): string | null {
    const row = this.#connection.row(
      this.#meter,
      'SELECT value FROM fields WHERE name = ?',
      this.#name(name),
    );
    return (row as { value: string } | undefined)?.value ?? null;
  }

  #log(name: string): Buffer | null {
    const row = this.#connection.row(
      this.#meter,
      'SELECT bytes FROM logs WHERE name = ?',
      nameInShard(name, this.#shard),
    );
    return (row as { bytes: Buffer } | undefined)?.bytes ?? null;
  }

  #put(table: 'fields' | 'logs', column: 'value' | 'bytes', name: string, value: string | Buffer): void {
    this.#connection.run(
      this.#meter,
      `INSERT INTO ${table} VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET ${column} = excluded.${column}`,
      name,
      value,
    );
  }

  #write<T>(work: (connection: SqliteConnection) => T): Promise<T> {
    this.#connection.writes += 1;
    return this.#call(work);
  }

  #call<T>(work: (connection: SqliteConnection) => T): Promise<T> {
    try {
      if (this.#connection.closed) throw new StoreError('store_unreachable', 'the store is closed');
      if (!this.#connection.isInPlace) {
        throw new StoreError('store_unreachable', 'the database file was moved or deleted');
      }
      return Promise.resolve(work(this.#connection));
    } catch (error) {
      return Promise.reject(failure(error));
    }
  }
}

function fileAt(path: string): BigIntStats | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false });
}

function texts(names: readonly string[], read: (name: string) => string | null): Texts {
  const found = new Map<string, string>();
  for (const name of names) {
    const text = read(name);
    if (text !== null) found.set(name, text);
  }
  return found;
}

/** `text` laid over `before` at `offset`, NUL in the gap. */
function splice(before: Buffer | null, offset: number, text: string): Buffer {
  const bytes = Buffer.alloc(Math.max(before?.length ?? 0, offset + text.length));
  before?.copy(bytes);
  bytes.write(text, offset, 'latin1');
  return bytes;
}
