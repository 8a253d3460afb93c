/**
 * The port to the database. All data of an installation is one hash of text fields and a few logs to which text is
 * appended. The store does not know what the texts mean. One lease guards every write but `swap`.
 *
 * Every call rejects with a `StoreError` and nothing else. Over a network, `claim`, `read`, `commit` and `swap` are
 * repeated when the answer is lost; each may be repeated without changing what it did. So is `replace`.
 */
export interface Store {
  readonly kind: 'upstash' | 'redis' | 'sqlite';

  /**
   * How many writes (commit, swap, replace) of this process have ended, well or not, whichever meter counted them. What
   * was read before the number changed may be out of date.
   */
  readonly writes: number;

  /** Absent: it is one database, and its shards can be in no other. */
  readonly databases?: Databases;

  /** The same store, counting what it costs into `meter`. */
  metered(meter: Meter): Store;

  /**
   * The same store with the fields, logs and lease of one shard, from 0; the store itself is shard 0. To the store itself,
   * field `x` of shard 3 is `x:3`. What all shards share has one name, and one value for each `SHARDS_TOGETHER` shards.
   */
  shard(number: number): Store;

  /**
   * Takes the lease and reads fields in one atomic step that sees every earlier commit.
   * The lease is free when nobody holds it, when its lifetime is over by the store's own clock, when `token` holds it
   * already (a lost answer was retried), or when its holder's claim, releasing or deciding commit was rejected by this
   * very store: the run that it belonged to has given up, and must not lock out the next.
   */
  claim(request: ClaimRequest): Promise<Claim>;

  /**
   * Makes the lease last for `ttl` ms from now; nothing happens where it is over. Only for who believes to hold it: it is
   * not asked whose it is. One command.
   */
  renew(ttl: number): Promise<void>;

  /**
   * Those of the shards whose lease is held, and whether its holder has committed since it took it. One command, and one
   * more for each `SHARDS_TOGETHER` shards of which one is claimed.
   */
  underWay(shards: readonly number[]): Promise<ReadonlyMap<number, { readonly hasCommitted: boolean }>>;

  /** Reads fields and logs. May lag behind a commit by moments. Writes nothing. */
  read(request: ReadRequest): Promise<ReadAnswer>;

  /**
   * Writes everything or nothing, if `token` holds the lease, or held it last and nobody else has written since
   * (repeating a commit writes the same again). `lost`: somebody else has taken the lease since, or a later commit of
   * this token has released it and this one does not: it was overtaken on the way. Nothing was written.
   * When it rejects with `store_unreachable` or `store_timeout`, everything or nothing was written: which is unknown.
   */
  commit(commit: Commit): Promise<'committed' | 'lost'>;

  /**
   * Gives one field a new value if it holds the expected one, in one atomic step and whoever holds the lease: for what
   * may not wait for a run to end. `false`: it holds something else, and nothing was written, unless an earlier attempt
   * of this very call was, and somebody has swapped again since. No value may come back after others were there.
   * When it rejects with `store_unreachable` or `store_timeout`, whether it was written is unknown.
   */
  swap(swap: Swap): Promise<boolean>;

  /**
   * Puts other data in the place of all there is, and gives the lease back, in one atomic step, if `token` was the last
   * to take the lease; repeating it does the same again. All there is are the fields of the shards that are stored together
   * with this one, whose leases the caller has taken as well, and the logs that are named. `lost`: somebody else has taken the lease since, and nothing
   * was written. When it rejects with `store_unreachable` or `store_timeout`, everything or nothing was written: which
   * is unknown; with any other code, nothing.
   */
  replace(replacement: Replacement): Promise<'committed' | 'lost'>;

  /**
   * Ms since the epoch. By the store's clock where it is on another machine and a claim has found the process's own
   * clock to be wrong: then the runs of all processes agree on the time. Otherwise by the process's clock.
   */
  now(): number;

  /** Resolves when the store answers; tries once. */
  ping(): Promise<void>;

  /** Gives up connection or file, and calls under way with it. Later calls reject; closing twice is no error. */
  close(): Promise<void>;
}

/** Several databases that make one store: each group of shards (`groupOf`) is in one of them, the first group in the first. */
export interface Databases {
  /** Their numbers, ascending; the first is 1. */
  readonly numbers: readonly number[];
  /** Where the groups are, as far as this process knows; null: it has not looked. */
  readonly layout: ShardLayout | null;
  /** What the operator calls one of them: the variable with its address. */
  nameOf(number: number): string;
  /** One of them, as if all shards were in it. Whether it is the right one is not checked. */
  database(number: number): Store;
  /** Tells where the groups are. */
  learn(layout: ShardLayout): void;
}

/** As it is kept in the stored layout (record/directory.ts). */
export interface ShardLayout {
  /** Names the installation to its databases; null: all groups are in the first. */
  readonly origin: string | null;
  /** By group: the number of its database. */
  readonly stores: readonly number[];
}

export interface ClaimRequest {
  /** Whose the lease shall be; unique to a run. */
  readonly token: string;
  /** Lifetime of the lease in whole ms, from 1. */
  readonly ttl: number;
  /** Names of the fields to read, at most 3,000. */
  readonly fields: readonly string[];
  /** As for a read. */
  readonly within?: number;
}

/** Texts by name. What does not exist is left out. */
export type Texts = ReadonlyMap<string, string>;

/** `claimed: false`: somebody else holds the lease. */
export type Claim = { readonly claimed: true; readonly fields: Texts } | { readonly claimed: false };

export interface ReadRequest {
  readonly fields: readonly string[];
  readonly logs: readonly string[];
  /**
   * Ms that the call may take with all its attempts; then it rejects with `store_timeout`. Without it, three times the
   * time limit of one attempt. The embedded database answers at once and does not look at it.
   */
  readonly within?: number | undefined;
  /** Where one of several databases cannot be read, the others are read all the same. */
  readonly partly?: boolean;
  /** Texts of one shard are to be cut down before they are sent. A store that hands them over for nothing does not do it. */
  readonly excerpt?: Excerpt;
}

export interface Excerpt {
  /**
   * The body of a Lua script that is given `names` (of fields), `fields`, `logs` (texts by place, false for what is absent)
   * and `args`, changes `fields` and `logs`, calls no command, and returns a text.
   */
  readonly script: string;
  readonly args: readonly string[];
}

/** A log never written up to some offset holds NUL characters there. */
export interface ReadAnswer {
  readonly fields: Texts;
  readonly logs: Texts;
  /** What the script of the excerpt has returned; absent: the texts are whole. */
  readonly excerpt?: string;
  /** Why fields and logs could not be read, by name, where the read was to be partly; absent: all could. */
  readonly unread?: ReadonlyMap<string, StoreError>;
}

export interface Commit {
  readonly token: string;
  /** New values by name; Unicode text without NUL. The name `lease` is taken by the store itself. */
  readonly fields: Readonly<Record<string, string>>;
  /**
   * Text at an offset (in characters) of a log. Offset 0 begins the log anew; any other overwrites from there on and
   * keeps what lies behind the text. Text is ASCII and not empty.
   */
  readonly append: { readonly log: string; readonly offset: number; readonly text: string } | null;
  /** True gives the lease back with this commit; false keeps it as it is. */
  readonly release: boolean;
  /** The run ends if this commit is rejected, and gives the lease up. */
  readonly decides?: boolean;
}

export interface Swap {
  /** None that is guarded by the lease. */
  readonly field: string;
  /** Null: the field does not exist. */
  readonly expected: string | null;
  /** Unicode text without NUL. */
  readonly value: string;
}

export interface Replacement {
  readonly token: string;
  /** All fields that there shall be, by the names that shard 0 has for them; Unicode text without NUL. Not `lease`. */
  readonly fields: Readonly<Record<string, string>>;
  /** By the same kind of name; null removes a log. ASCII, not empty. Logs that are not named here stay as they are. */
  readonly logs: Readonly<Record<string, string | null>>;
}

/** Commands of a commit that appends to a log, on Redis: the script, and three calls inside it. */
export const COMMIT_COMMANDS = 4;
/** Of one that does not. */
export const ACKNOWLEDGE_COMMANDS = 3;
/** Of a swap. */
export const SWAP_COMMANDS = 3;

/**
 * What store calls cost. `commands`: billed commands, a script and every call inside it (SQLite: statements).
 * Bytes: HTTP bodies for Upstash, RESP for Redis, nothing for SQLite.
 */
export interface Meter {
  commands: number;
  bytesSent: number;
  bytesReceived: number;
}

export type StoreErrorCode =
  /** No connection, or it broke. */
  | 'store_unreachable'
  | 'store_timeout'
  /** The token or password was refused, or may only read. */
  | 'store_denied'
  /** The plan's allowance, the memory or the disk is used up. */
  | 'store_limit'
  /** An answer that no such store gives: an HTML page, a wrong type, an unknown error. */
  | 'store_answer'
  /** What is stored cannot be read. */
  | 'store_corrupt'
  /** Another database than the one in which the data is, of several. */
  | 'store_mismatch';

/** A store call that failed. Its message names no address, token, command or value. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  constructor(
    readonly code: StoreErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** How every store is opened. */
export interface StoreOptions {
  /** Names of the fields that only the holder of the lease writes; `lease` is the store's own. */
  readonly guarded: ReadonlySet<string>;
  /** Names of the fields that all shards share. */
  readonly shared: ReadonlySet<string>;
}

/**
 * How many shards are stored together. On Redis they are one hash, which is read with one command. Upstash allows a key
 * 100 MB (https://upstash.com/docs/redis/troubleshooting/max_record_size_exceeded), and a target takes 10 KB.
 */
export const SHARDS_TOGETHER = 8;

/**
 * Stands for all shards where a number of one is needed: the shard that tells what all have to tell. It is in the first
 * database. No directory reaches so far.
 */
export const ALL_SHARDS = 9_999_999;

/** Which of the groups that are stored together a shard belongs to, from 0. */
export function groupOf(shard: number): number {
  return Math.floor(shard / SHARDS_TOGETHER);
}

/** What a field or a log of a shard is called where those of all shards are. */
export function nameInShard(name: string, shard: number): string {
  return shard === 0 ? name : `${name}:${shard}`;
}

/** The shard of such a name; 0 for what is of shard 0, or shared. */
export function shardOfName(name: string): number {
  const [, shard] = /:(\d{1,7})$/.exec(name) ?? [];
  return shard === undefined ? 0 : Number(shard);
}

/** @throws StoreError for a field that only the holder of the lease may write. */
export function checkSwap({ field }: Swap, { guarded }: StoreOptions): void {
  if (field !== 'lease' && !guarded.has(field)) return;
  throw new StoreError('store_denied', 'this field is written under the lease only');
}
