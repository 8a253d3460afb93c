import { StoreClock } from './clock.js';
import { refusal } from './refusal.js';
import { withRetry } from './retry.js';
import { CLAIM, COMMIT, excerptScript, REPLACE, SWAP, type Script } from './scripts.js';
import {
  checkSwap,
  groupOf,
  nameInShard,
  shardOfName,
  StoreError,
  type Claim,
  type ClaimRequest,
  type Commit,
  type Excerpt,
  type Meter,
  type ReadAnswer,
  type ReadRequest,
  type Replacement,
  type Store,
  type StoreOptions,
  type Swap,
  type Texts,
} from './store.js';

/** The reply of Redis to one command. The text of an error may hold parts of the command. */
export type Reply = { readonly value: unknown } | { readonly error: string };

export interface RedisTransport {
  readonly kind: 'upstash' | 'redis';

  /**
   * Sends commands in order, in one round trip, once. Answers one reply a command; rejects with a `StoreError` when
   * there is none, within `timeout`. Adds to the bytes of `meter`, not to its commands.
   */
  send(commands: readonly (readonly string[])[], meter: Meter): Promise<readonly Reply[]>;

  /** Ms that one `send` takes at most. */
  readonly timeout: number;

  close(): void;
}

/** Characters of texts that one request stages at most, unless one text alone is longer; as JSON six times that. */
const PIECE = 500_000;
/** Fields that one request stages at most. */
const PIECE_FIELDS = 1_000;
/** Seconds until what was staged and never used is gone. */
const STAGED_FOR = '3600';

/** More than runs of one process can give up, or have under way, while a lease lasts. */
const TOKENS_KEPT = 16;
/** Stands for a claim that is not known; it never equals the last committer. */
const NO_CLAIM = '?';

/** What all calls of one process that are about the same shard share. */
interface ShardMemory {
  /** Whose claim or last commit failed since the last claim that did not: one of them may hold the lease. */
  readonly givenUp: string[];
  /** By token: what its claim found, and for how long. The latest 16. */
  readonly claims: Map<string, { readonly lastCommitter: string; readonly ttl: number }>;
  /**
   * The guarded fields that the last commit of this process has written. While nobody else has committed they still hold
   * these values, and a claim need not transfer them. Null where it is not known whether a commit was done.
   */
  written: { readonly token: string; readonly fields: ReadonlyMap<string, string> } | null;
}

/** What all calls of one process share. */
interface Shared {
  readonly clock: StoreClock;
  readonly shards: Map<number, ShardMemory>;
  /** How many writes have ended. */
  writes: number;
}

function memoryOf({ shards }: Shared, shard: number): ShardMemory {
  const memory = shards.get(shard) ?? { givenUp: [], claims: new Map(), written: null };
  shards.set(shard, memory);
  return memory;
}

export interface RedisStoreOptions extends StoreOptions {
  /** What the names of all keys begin with. */
  readonly prefix: string;
}

/**
 * The store on any Redis. A hash `<prefix>:data` holds the fields, a string `<prefix>:log:<name>` each log, and a key
 * `<prefix>:lease` that expires the lease; `<prefix>:data:1` is that of shards 8 to 15, and `<prefix>:lease:9` the lease of
 * shard 9.
 *
 * A claim costs 3 commands, also when locked; TIME besides, every ten minutes and after a lease that ended too soon. A commit
 * costs at most 4 (and one more for every 3,000 fields beyond the first), a swap at most 3, a read at most 2 for each hash
 * that it reads. Where a lease had run out or belongs to a run that was given up, a claim or commit costs up to 2 more. A
 * replacement is staged in pieces under keys of its own, two commands each.
 */
export class RedisStore implements Store {
  readonly kind;
  readonly #transport: RedisTransport;
  readonly #options: RedisStoreOptions;
  readonly #meter: Meter;
  readonly #shared: Shared;
  readonly #shard: number;
  readonly #memory: ShardMemory;

  constructor(
    transport: RedisTransport,
    options: RedisStoreOptions,
    meter: Meter = { commands: 0, bytesSent: 0, bytesReceived: 0 },
    shared: Shared = { clock: new StoreClock(), shards: new Map(), writes: 0 },
    shard = 0,
  ) {
    this.kind = transport.kind;
    this.#transport = transport;
    this.#options = options;
    this.#meter = meter;
    this.#shared = shared;
    this.#shard = shard;
    this.#memory = memoryOf(shared, shard);
  }

  get writes(): number {
    return this.#shared.writes;
  }

  metered(meter: Meter): Store {
    return new RedisStore(this.#transport, this.#options, meter, this.#shared, this.#shard);
  }

  shard(number: number): Store {
    return new RedisStore(this.#transport, this.#options, this.#meter, this.#shared, number);
  }

  claim({ token, ttl, fields, within }: ClaimRequest): Promise<Claim> {
    return this.#givingUp(token, async () => {
      const { givenUp, claims, written } = this.#memory;
      const tokens = givenUp.slice(-TOKENS_KEPT);
      const isKnown = (field: string): boolean => written?.fields.has(field) ?? false;
      const known = fields.filter(isKnown);
      const asked = [...known, ...fields.filter((field) => !isKnown(field))];
      const args = [
        ...[String(tokens.length), ...tokens],
        ...[written?.token ?? '', String(known.length), ...asked.map(this.#name)],
      ];
      const keys = [this.#dataKey, this.#leaseKey];
      const attempt = async (): Promise<unknown[]> => {
        await this.#measureClock();
        return this.#run(CLAIM, keys, [token, ...this.#expiry(ttl), ...args]);
      };
      const answer = await withRetry(this.#transport.timeout, attempt, within);
      if (answer.length === 0) return { claimed: false };
      const [lastCommitter, list] = answer;
      if (typeof lastCommitter !== 'string') throw nonsense();
      const values = Array.isArray(list) ? (list as unknown[]) : [];
      if (values.length !== asked.length) throw nonsense();
      // 0 stands for a value that this process remembers.
      const full = asked.map((field, i) => (values[i] === 0 ? written?.fields.get(field) : values[i]));
      const found = texts(full, asked);
      givenUp.length = 0;
      claims.set(token, { lastCommitter, ttl });
      const [oldest = ''] = claims.keys();
      if (claims.size > TOKENS_KEPT) claims.delete(oldest);
      return { claimed: true, fields: found };
    });
  }

  async renew(ttl: number): Promise<void> {
    await this.#send([['PEXPIRE', this.#leaseKey, String(ttl)]]);
  }

  async underWay(
    shards: readonly number[],
  ): Promise<ReadonlyMap<number, { readonly hasCommitted: boolean }>> {
    const leases = shards.map((shard) => this.#key(nameInShard('lease', shard)));
    const holders = await withRetry(this.#transport.timeout, async () => {
      const [values] = await this.#send([['MGET', ...leases]]);
      return texts(values, shards.map(String));
    });
    if (holders.size === 0) return new Map();
    // Read after the holders: who has committed by then is known to have.
    const names = [...holders.keys()].map((shard) => nameInShard('lease', Number(shard)));
    const { fields } = await this.read({ fields: names, logs: [] });
    return new Map(
      [...holders].flatMap(([name, holder]) => {
        const shard = Number(name);
        const committer = fields.get(nameInShard('lease', shard));
        return committer === `${holder}|0` ? [] : [[shard, { hasCommitted: committer === `${holder}|1` }]];
      }),
    );
  }

  read({ within, ...request }: ReadRequest): Promise<ReadAnswer> {
    const { excerpt } = request;
    const attempt =
      excerpt === undefined ? this.#reading(request) : () => this.#readExcerpt(request, excerpt);
    return withRetry(this.#transport.timeout, attempt, within);
  }

  #reading({ fields, logs }: ReadRequest): () => Promise<ReadAnswer> {
    const byHash = new Map<string, string[]>();
    for (const field of fields) {
      const key = this.#hashOf(field);
      const names = byHash.get(key);
      if (names === undefined) byHash.set(key, [field]);
      else names.push(field);
    }
    const commands = [...byHash].map(([key, names]) => ['HMGET', key, ...names.map(this.#name)]);
    if (logs.length > 0) commands.push(['MGET', ...logs.map((log) => this.#logKey(log))]);
    return async () => {
      const values = commands.length > 0 ? await this.#send(commands) : [];
      return {
        fields: new Map([...byHash.values()].flatMap((names) => [...texts(values.shift(), names)])),
        logs: logs.length > 0 ? texts(values.shift(), logs) : new Map(),
      };
    };
  }

  async #readExcerpt(request: ReadRequest, { script, args }: Excerpt): Promise<ReadAnswer> {
    const { fields, logs } = request;
    const keys = [this.#dataKey, ...logs.map((log) => this.#logKey(log))];
    const operands = [String(fields.length), ...fields.map(this.#name), ...args];
    const [excerpt, foundFields, foundLogs] = await this.#run(excerptScript(script), keys, operands);
    // Whoever asks can tell what is wrong with the texts.
    if (excerpt === null) return this.#reading(request)();
    if (typeof excerpt !== 'string') throw nonsense();
    return { fields: texts(foundFields, fields), logs: texts(foundLogs, logs), excerpt };
  }

  commit(commit: Commit): Promise<'committed' | 'lost'> {
    const work = (): Promise<'committed' | 'lost'> => this.#writing(this.#commit(commit));
    return commit.release || commit.decides ? this.#givingUp(commit.token, work) : work();
  }

  async #commit({ token, fields, append, release }: Commit): Promise<'committed' | 'lost'> {
    const { written } = this.#memory;
    this.#memory.written = null;
    const claim = this.#memory.claims.get(token);
    const keys = [this.#dataKey, this.#leaseKey, ...(append ? [this.#logKey(append.log)] : [])];
    const args = [
      token,
      claim?.lastCommitter ?? NO_CLAIM,
      release ? '1' : '0',
      String(claim?.ttl ?? 1),
      ...(append === null ? ['0', ''] : [String(append.offset), append.text]),
      ...Object.entries(fields).flatMap(([field, value]) => [this.#name(field), value]),
    ];
    const outcome = await withRetry(this.#transport.timeout, async (earlier) => {
      const [done, isLate] = await this.#run(COMMIT, keys, args);
      if (done !== 0 && done !== 1) throw nonsense();
      // Either the run lasted for longer than its lease, or the store's clock was set.
      if (isLate === 1) this.#shared.clock.forget();
      // Lost after a lost answer: the attempt before may have written and released, and let somebody else in.
      return done === 0 && earlier ? earlier : done;
    });
    if (outcome instanceof StoreError) throw outcome;
    if (outcome === 0) return 'lost';
    const before = written?.token === token ? written.fields : [];
    const now = Object.entries(fields).filter(([field]) => this.#options.guarded.has(field));
    this.#memory.written = { token, fields: new Map([...before, ...now]) };
    return 'committed';
  }

  async swap(swap: Swap): Promise<boolean> {
    checkSwap(swap, this.#options);
    const { field, expected, value } = swap;
    const args = [this.#name(field), value, ...(expected === null ? [] : [expected])];
    const swapping = withRetry(this.#transport.timeout, async (earlier) => {
      const [held] = await this.#run(SWAP, [this.#dataKey], args);
      if (held !== 'expected' && held !== 'value' && held !== 'other') throw nonsense();
      // The value is there after a lost answer: the attempt before has written it.
      return held === 'expected' || (held === 'value' && earlier !== null);
    });
    return this.#writing(swapping);
  }

  replace(replacement: Replacement): Promise<'committed' | 'lost'> {
    return this.#givingUp(replacement.token, () => this.#writing(this.#replace(replacement)));
  }

  async #replace({ token, fields, logs }: Replacement): Promise<'committed' | 'lost'> {
    const stagedKey = (key: string): string => `${key}:staged:${token}`;
    const staged = stagedKey(this.#dataKey);
    const entries = Object.entries({ ...fields, [nameInShard('lease', this.#shard)]: `${token}|0` });
    for (const piece of pieces(entries)) await this.#stage(staged, ['HSET', staged, ...piece.flat()]);
    const names = Object.entries(logs);
    for (const [name, text] of names) {
      const key = stagedKey(this.#key('log', name));
      if (text !== null) await this.#stage(key, ['SET', key, text]);
    }
    const logKeys = names.flatMap(([name]) => [this.#key('log', name), stagedKey(this.#key('log', name))]);
    const keys = [this.#dataKey, staged, this.#leaseKey, ...logKeys];
    const lastCommitter = this.#memory.claims.get(token)?.lastCommitter ?? NO_CLAIM;
    const args = [
      token,
      lastCommitter,
      String(entries.length),
      ...names.map(([, text]) => (text === null ? '0' : '1')),
    ];
    const outcome = await withRetry(this.#transport.timeout, async (earlier) => {
      const [done] = await this.#run(REPLACE, keys, args);
      // As with a commit: the attempt before may have written, and let somebody else in.
      return done === 'lost' && earlier ? earlier : done;
    });
    if (outcome instanceof StoreError) throw outcome;
    if (outcome === 'missing')
      throw new StoreError('store_answer', 'the store has lost what was just written');
    if (outcome !== 'done' && outcome !== 'lost') throw nonsense();
    return outcome === 'done' ? 'committed' : 'lost';
  }

  /** Writes one piece of a staged replacement. Its key expires if it is never used. */
  async #stage(key: string, command: readonly string[]): Promise<void> {
    await withRetry(this.#transport.timeout, () => this.#send([command, ['EXPIRE', key, STAGED_FOR]]));
  }

  now(): number {
    return this.#shared.clock.now();
  }

  /**
   * Until when a lease that is taken now lasts: a moment by the store's clock. A claim that the store takes up much later,
   * when nobody waits for it any more, then holds up nobody. A span where that clock could not be asked.
   */
  #expiry(ttl: number): readonly [unit: 'PXAT' | 'PX', ms: string] {
    const { storeTime } = this.#shared.clock;
    return storeTime === null ? ['PX', String(ttl)] : ['PXAT', String(storeTime + ttl)];
  }

  /** Measures the store's clock where that is due. A store that does not tell it must not fail the claim. */
  async #measureClock(): Promise<void> {
    const { clock } = this.#shared;
    if (clock.isMeasured) return;
    const measured = clock.measure();
    const [reply] = await this.#exchange([['TIME']]);
    const time = reply && 'value' in reply ? reply.value : null;
    const [seconds, micros] = Array.isArray(time) ? (time as unknown[]).map(Number) : [];
    measured(Number(seconds) * 1000 + Number(micros) / 1000);
  }

  async ping(): Promise<void> {
    await this.#send([['PING']]);
  }

  close(): Promise<void> {
    this.#transport.close();
    return Promise.resolve();
  }

  get #dataKey(): string {
    return this.#key(nameInShard('data', groupOf(this.#shard)));
  }

  get #leaseKey(): string {
    return this.#key(nameInShard('lease', this.#shard));
  }

  #logKey(name: string): string {
    return this.#key('log', nameInShard(name, this.#shard));
  }

  /** The hash that holds a field: that of the shard that its name names. */
  #hashOf(field: string): string {
    const shard = this.#shard === 0 ? shardOfName(field) : this.#shard;
    return this.#key(nameInShard('data', groupOf(shard)));
  }

  #key(...parts: readonly string[]): string {
    return [this.#options.prefix, ...parts].join(':');
  }

  /** What a field is called in the hash. */
  readonly #name = (field: string): string =>
    this.#options.shared.has(field) ? field : nameInShard(field, this.#shard);

  async #writing<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } finally {
      this.#shared.writes += 1;
    }
  }

  async #givingUp<T>(token: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#memory.givenUp.push(token);
      throw error;
    }
  }

  /** What the script answers, without the count. */
  async #run({ sha, source }: Script, keys: readonly string[], args: readonly string[]): Promise<unknown[]> {
    const operands = [String(keys.length), ...keys, ...args];
    let [reply] = await this.#exchange([['EVALSHA', sha, ...operands]]);
    if (reply && 'error' in reply && reply.error.startsWith('NOSCRIPT')) {
      [reply] = await this.#exchange([['EVAL', source, ...operands]]);
    }
    const answer = valueOf(reply);
    const [calls, ...rest] = Array.isArray(answer) ? (answer as unknown[]) : [];
    if (typeof calls !== 'number') throw nonsense();
    this.#meter.commands += calls;
    return rest;
  }

  async #send(commands: readonly (readonly string[])[]): Promise<unknown[]> {
    return (await this.#exchange(commands)).map(valueOf);
  }

  async #exchange(commands: readonly (readonly string[])[]): Promise<readonly Reply[]> {
    this.#meter.commands += commands.length;
    const replies = await this.#transport.send(commands, this.#meter);
    if (replies.length !== commands.length) throw nonsense();
    return replies;
  }
}

function valueOf(reply: Reply | undefined): unknown {
  if (!reply) throw nonsense();
  if ('error' in reply) throw refusal(reply.error);
  return reply.value;
}

/** The values of an answer by the names that were asked for, in the same order. */
function texts(value: unknown, names: readonly string[]): Texts {
  const list: unknown[] = Array.isArray(value) ? value : [];
  if (list.length !== names.length) throw nonsense();
  const found = new Map<string, string>();
  for (const [i, name] of names.entries()) {
    const item = list[i];
    if (typeof item === 'string') found.set(name, item);
    else if (item !== null) throw nonsense();
  }
  return found;
}

function pieces(entries: readonly [string, string][]): [string, string][][] {
  const found: [string, string][][] = [];
  let length = Infinity;
  for (const entry of entries) {
    const size = entry[0].length + entry[1].length;
    const piece = found.at(-1);
    if (piece === undefined || length + size > PIECE || piece.length >= PIECE_FIELDS) {
      found.push([entry]);
      length = size;
    } else {
      piece.push(entry);
      length += size;
    }
  }
  return found;
}

function nonsense(): StoreError {
  return new StoreError('store_answer', 'the store gave an answer that makes no sense');
}
