import { hashOf, readDirectory, readShards, type Directory, type Shards } from '../record/directory.js';
import { DIRECTORY_FIELD, SHARDS_FIELD } from '../record/fields.js';
import { endOf, type State } from '../record/state-model.js';
import { NO_USAGE, plus, type Account, type UsageSince } from '../rules/account.js';
import type { ByChannel, Outbox } from '../rules/outbox.js';
import { StoreError } from '../store/store.js';
import type { WatchedTarget } from '../types.js';
import {
  loadHistory,
  loadOverview,
  loadOverviewOf,
  unpack,
  UnreadError,
  type History,
  type Overview,
  type Present,
  type Reader,
  type ResolvedIncidents,
} from './load.js';

/** Reads the fields and logs of any shard. */
export interface ShardedReader extends Reader {
  /** The same object for the same shard. */
  shard(number: number): Reader;
}

/** What decides how many shards are expected before the store has told. */
interface Expected {
  readonly shardSize: number;
  readonly targets: readonly WatchedTarget[];
}

const counted = new WeakMap<ShardedReader, number>();

/** What was loaded of the shards, and why that of others could not be. */
interface EachShard<T> {
  readonly loaded: readonly T[];
  readonly unread: readonly UnreadError[];
}

/**
 * Loads something of every shard, at once: a `RecentReader` makes one read of what they ask for at the same time. The shards
 * of a database that is away, where others are not, are left out.
 * @param load is given a reader of one shard alone
 */
export async function ofEachShard<T>(
  reader: ShardedReader,
  expected: Expected,
  load: (reader: Reader, shards: number) => Promise<T>,
): Promise<readonly T[]> {
  return (await loadEach(reader, expected, load)).loaded;
}

async function loadEach<T>(
  reader: ShardedReader,
  { shardSize, targets }: Expected,
  load: (reader: Reader, shards: number) => Promise<T>,
): Promise<EachShard<T>> {
  let count = counted.get(reader) ?? Math.max(1, Math.ceil(targets.length / shardSize));
  for (;;) {
    const loading = Array.from({ length: count }, (_, shard) =>
      unlessUnread(load(reader.shard(shard), count)),
    );
    const [actual, ...found] = await Promise.all([countIn(reader), ...loading]);
    counted.set(reader, actual);
    if (actual <= count) {
      const its = found.slice(0, actual);
      const loaded = its.flatMap((each) => ('loaded' in each ? [each.loaded] : []));
      const unread = its.flatMap((each) => ('unread' in each ? [each.unread] : []));
      const [failure] = unread;
      if (loaded.length === 0 && failure !== undefined) throw failure;
      return { loaded, unread };
    }
    count = actual;
  }
}

async function unlessUnread<T>(
  loading: Promise<T>,
): Promise<{ readonly loaded: T } | { readonly unread: UnreadError }> {
  try {
    return { loaded: await loading };
  } catch (error) {
    if (error instanceof UnreadError) return { unread: error };
    throw error;
  }
}

const directories = new WeakMap<ShardedReader, { readonly hash: string; readonly directory: Directory }>();

/** Loads something of the shard in which a target lives, and of no other. */
async function ofShardWith<T>(
  reader: ShardedReader,
  id: string,
  { shardSize, targets }: Expected,
  load: (reader: Reader) => Promise<T>,
): Promise<T> {
  const known = directories.get(reader) ?? null;
  const guess = known?.directory.get(id)?.shard ?? 0;
  const isLikely = known !== null || targets.length <= shardSize;
  const [shards, guessed] = await Promise.all([
    shardsIn(reader),
    isLikely ? attempt(load(reader.shard(guess))) : null,
  ]);
  const isRight = shards === null || shards.directory === known?.hash;
  const shard = isRight ? guess : ((await directoryIn(reader)).get(id)?.shard ?? 0);
  if (shard !== guess || guessed === null) return load(reader.shard(shard));
  if ('failure' in guessed) throw guessed.failure;
  return guessed.loaded;
}

/** What was loaded, or why the store did not give it. */
async function attempt<T>(
  loading: Promise<T>,
): Promise<{ readonly loaded: T } | { readonly failure: StoreError }> {
  try {
    return { loaded: await loading };
  } catch (error) {
    if (error instanceof StoreError) return { failure: error };
    throw error;
  }
}

/** One target's history, from its shard alone. */
export function historyOf(
  reader: ShardedReader,
  id: string,
  expected: Expected,
  now: number,
): Promise<History> {
  return ofTarget(reader, id, expected, (its, guess) => loadHistory(its, id, now, guess));
}

/** With so many targets or fewer, the figures of all cost one command and 100 KB at most, and serve the next reader too. */
const FEW = 10;

/** One target's figures, from its shard alone. @param days as of `loadOverview` */
export function overviewOf(
  reader: ShardedReader,
  id: string,
  expected: Expected,
  { now, days }: { readonly now: number; readonly days: readonly number[] },
): Promise<Overview> {
  if (expected.targets.length <= FEW)
    return ofShardWith(reader, id, expected, (its) => loadOverview(its, now, days));
  return ofTarget(reader, id, expected, (its) => loadOverviewOf(its, id, now, days));
}

/**
 * Something of one target, from its shard alone. Where the directory was not read yet, it is looked for where it would be if
 * no target had ever been removed: the directory itself grows with the number of targets. It may live in another database
 * than the one that was asked, which is read where that one is away.
 */
async function ofTarget<T extends Present>(
  reader: ShardedReader,
  id: string,
  expected: Expected,
  loadWith: (reader: Reader, guess: number) => Promise<T>,
): Promise<T> {
  const { shardSize, targets } = expected;
  const place = targets.findIndex(({ info }) => info.id === id);
  const shard = directories.get(reader)?.directory.get(id)?.shard ?? Math.floor(place / shardSize);
  const load = (its: Reader): Promise<T> => loadWith(its, place % shardSize);
  const likely = await attempt(load(reader.shard(shard)));
  const targetsThere = 'loaded' in likely ? (likely.loaded.state?.targets ?? []) : [];
  const isThere = targetsThere.some((target) => target?.id === id && target.removedAt === null);
  return 'loaded' in likely && isThere ? likely.loaded : ofShardWith(reader, id, expected, load);
}

async function countIn(reader: Reader): Promise<number> {
  return (await shardsIn(reader))?.count ?? 1;
}

async function shardsIn(reader: Reader): Promise<Shards | null> {
  const { fields } = await reader.read({ fields: [SHARDS_FIELD], logs: [] });
  return unpack(() => readShards(fields.get(SHARDS_FIELD) ?? null));
}

async function directoryIn(reader: ShardedReader): Promise<Directory> {
  const { fields } = await reader.read({ fields: [DIRECTORY_FIELD], logs: [] });
  const text = fields.get(DIRECTORY_FIELD) ?? null;
  if (text === null) return new Map();
  const hash = hashOf(text);
  const known = directories.get(reader);
  const directory = known?.hash === hash ? known.directory : unpack(() => readDirectory(text));
  directories.set(reader, { hash, directory });
  return directory;
}

/** The same, joined. */
export async function ofAllShards<T extends Joinable>(
  reader: ShardedReader,
  expected: Expected,
  load: (reader: Reader, shards: number) => Promise<T>,
): Promise<Joined<T>> {
  return joined(await loadEach(reader, expected, load), expected.targets);
}

type Joinable = Present & Partial<ResolvedIncidents> & Partial<Pick<Overview, 'snapshots'>>;

/**
 * What was loaded of all shards, as one. `parts`: what was loaded of the shard in which a target lives. `unreadShards`: why
 * some could not be read; absent: all could.
 */
export type Joined<T> = T & {
  readonly parts?: ReadonlyMap<string, T>;
  readonly unreadShards?: readonly string[];
};

/** Whether a target may live in a shard that could not be read. */
export function isUnread({ parts, unreadShards }: Joined<unknown>, id: string): boolean {
  return unreadShards !== undefined && parts?.has(id) !== true;
}

/** The part of a target's shard. Where no run has seen the target yet, nothing is known of it in any. */
export function partOf<T>(joined: Joined<T>, id: string): T {
  return joined.parts?.get(id) ?? joined;
}

/** Of one shard, the very same. Shards without a configured target do not count: nobody makes their runs. */
function joined<T extends Joinable>(
  { loaded, unread }: EachShard<T>,
  targets: readonly WatchedTarget[],
): Joined<T> {
  const [first] = loaded;
  if (first === undefined) throw new RangeError('no shard');
  if (loaded.length === 1 && unread.length === 0) return first;
  const configured = new Set(targets.map(({ info }) => info.id));
  const parts = new Map<string, T>();
  const counting = loaded.filter((part) => {
    const ids = (part.state?.targets ?? []).flatMap((target) =>
      target !== null && configured.has(target.id) ? [target.id] : [],
    );
    for (const id of ids) parts.set(id, part);
    return ids.length > 0;
  });
  const states = counting.flatMap(({ state }) => state ?? []);
  return {
    ...first,
    state: joinedState(states),
    outbox: joinedOutbox(counting.map(({ outbox }) => outbox)),
    lost: counting.find(({ lost }) => lost !== null)?.lost ?? null,
    ...(first.resolved && { resolved: new Map(loaded.flatMap(({ resolved }) => [...(resolved ?? [])])) }),
    ...(first.unread && { unread: new Set(loaded.flatMap(({ unread }) => [...(unread ?? [])])) }),
    parts,
    ...(unread.length > 0 && { unreadShards: [...new Set(unread.map(({ message }) => message))] }),
  };
}

/** The state that was heard of last, with what all of them counted. */
function joinedState(states: readonly State[]): State | null {
  const [latest] = [...states].sort((a, b) => heardAt(b) - heardAt(a));
  if (latest === undefined) return null;
  const runs = states.flatMap(({ lastRun }) => lastRun ?? []);
  const { lastRun } = latest;
  const sum = (of: (run: NonNullable<State['lastRun']>) => number): number =>
    runs.reduce((total, run) => total + of(run), 0);
  return {
    ...latest,
    firstRunAt: Math.min(...states.map(({ firstRunAt }) => firstRunAt)),
    lastRun: lastRun && {
      ...lastRun,
      checked: sum(({ checked }) => checked),
      failed: sum(({ failed }) => failed),
      commands: sum(({ commands }) => commands),
    },
    account: joinedAccount(states.flatMap(({ account }) => account ?? [])),
    peers: states.flatMap(({ peers }) => peers),
    targets: states.flatMap((state) => state.targets),
  };
}

/** The state of the shard that was heard of least recently, with the account of all, and the peers, which one watches. */
export function leastRecent({ state, parts }: Joined<Pick<Present, 'state'>>): State | null {
  if (parts === undefined || state === null) return state;
  const states = new Set([...parts.values()].flatMap((part) => part.state ?? []));
  const [oldest = state] = [...states].sort((a, b) => heardAt(a) - heardAt(b));
  return { ...oldest, account: state.account, peers: state.peers };
}

function heardAt({ lastRun, firstRunAt }: State): number {
  return lastRun === null ? firstRunAt : endOf(lastRun);
}

/** Of the months and days that the last of them counts. */
function joinedAccount(accounts: readonly Account[]): Account | null {
  const month = Math.max(...accounts.map((account) => account.month.month));
  const current = accounts.filter((account) => account.month.month === month);
  const [first] = current;
  if (first === undefined) return null;
  const total = (all: readonly UsageSince[]): UsageSince => ({
    since: Math.min(...all.map(({ since }) => since)),
    ...all.reduce(plus, NO_USAGE),
  });
  const before = current.flatMap((account) => account.before ?? []);
  return {
    month: { month, ...total(current.map((account) => account.month)) },
    otherMonth: null,
    recent: total(current.map(({ recent }) => recent)),
    before: before.length === 0 ? null : total(before),
    toldIn: first.toldIn,
  };
}

function joinedOutbox(outboxes: readonly Outbox[]): Outbox {
  const merged = <T>(of: (outbox: Outbox) => ByChannel<T>): ByChannel<T> =>
    Object.assign({}, ...outboxes.map(of)) as ByChannel<T>;
  const undelivered: Partial<Record<keyof Outbox['undelivered'], number>> = {};
  for (const outbox of outboxes) {
    for (const [name, count] of Object.entries(outbox.undelivered)) {
      const channel = name as keyof Outbox['undelivered'];
      undelivered[channel] = (undelivered[channel] ?? 0) + count;
    }
  }
  return {
    alerts: outboxes.flatMap(({ alerts }) => alerts),
    restarts: outboxes.flatMap(({ restarts }) => restarts),
    troubles: merged(({ troubles }) => troubles),
    undelivered,
    moved: merged(({ moved }) => moved),
    alertStates: new Map(outboxes.flatMap(({ alertStates }) => [...alertStates])),
    missed: outboxes.find(({ missed }) => missed !== null)?.missed ?? null,
    slowPace: outboxes.find(({ slowPace }) => slowPace !== null)?.slowPace ?? null,
  };
}
