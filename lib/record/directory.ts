import { createHash, randomBytes } from 'node:crypto';
import { DAY } from '../time.js';
import { deflate, inflate, readEnvelope, writeEnvelope } from './codec/envelope.js';
import { TextError } from './codec/text-error.js';
import { REMOVED_KEPT } from './targets.js';

/** Where a target lives. */
export interface Place {
  /** From 0. */
  readonly shard: number;
  /** The UTC day (counted from the epoch) since which it is missing from the configuration; null: it is there. */
  readonly gone: number | null;
}

/** The place of every target whose history is kept, by id. */
export type Directory = ReadonlyMap<string, Place>;

/** Which databases the shards are in. Those of one group (`groupOf`) are in one. */
export interface Layout {
  /** Names the installation to its databases; null: there was never more than the first. */
  readonly origin: string | null;
  /** By group: the number of its database, from 1. */
  readonly stores: readonly number[];
}

/** Days for which a missing target keeps its place: longer than its shard keeps its history. */
const KEPT = REMOVED_KEPT / DAY + 2;

export interface Placing {
  /** Targets that a shard takes, those included that are missing. */
  readonly size: number;
  /** Ms since the epoch. */
  readonly now: number;
  /** Where new shards may be; without it, in the first database. */
  readonly spread?: Spread;
}

export interface Spread {
  /** The numbers of the databases that take new targets, ascending. */
  readonly usable: readonly number[];
  /** How many shards are a group. */
  readonly together: number;
}

const ONE_DATABASE: Spread = { usable: [1], together: Infinity };

/** The places of all targets, and the database of each group of shards. */
export interface Places {
  readonly directory: Directory;
  readonly stores: Layout['stores'];
}

/**
 * The directory with a place for each of these ids, the very same where nothing changes. A new id goes to the first shard
 * with room, or to a new one. Nobody moves.
 */
export function placed(directory: Directory, ids: Iterable<string>, placing: Placing): Directory {
  return placedIn({ directory, stores: [] }, ids, placing).directory;
}

/** The same for shards that may be in several databases: a new one is in the database that has the fewest. */
export function placedIn(
  places: Places,
  ids: Iterable<string>,
  { size, now, spread = ONE_DATABASE }: Placing,
): Places {
  const { directory } = places;
  const { usable, together } = spread;
  const today = Math.floor(now / DAY);
  const next = new Map<string, Place>();
  const wanted = new Set(ids);
  let isSame = true;
  for (const [id, place] of directory) {
    if (wanted.delete(id)) {
      next.set(id, place.gone === null ? place : { ...place, gone: null });
      isSame &&= place.gone === null;
    } else if (place.gone === null) {
      next.set(id, { ...place, gone: today });
      isSame = false;
    } else if (today - place.gone < KEPT) next.set(id, place);
    else isSame = false;
  }
  if (isSame && wanted.size === 0) return places;
  const counts: number[] = [];
  for (const { shard } of next.values()) counts[shard] = (counts[shard] ?? 0) + 1;
  const groups = groupsOf(places.stores, counts.length, together);
  const isUsable = (shard: number): boolean => usable.includes(groups[Math.floor(shard / together)] ?? 1);
  let shard = 0;
  for (const id of wanted) {
    while (shard < counts.length && !((counts[shard] ?? size) < size && isUsable(shard))) shard += 1;
    const free = shard < counts.length ? shard : newShard(groups, counts, spread);
    counts[free] = (counts[free] ?? 0) + 1;
    next.set(id, { shard: free, gone: null });
    shard = Math.min(shard, free);
  }
  return { directory: next, stores: groupsOf(groups, counts.length, together) };
}

/** Numbers for so many new shards, and the database of each group that they make. */
export function newShards(
  amount: number,
  spread: Spread,
): { readonly numbers: readonly number[]; readonly stores: Layout['stores'] } {
  const groups: number[] = [1];
  const counts: number[] = [];
  const numbers = Array.from({ length: amount }, () => {
    const shard = newShard(groups, counts, spread);
    counts[shard] = 1;
    return shard;
  });
  return { numbers, stores: groupsOf(groups, counts.length, spread.together) };
}

/** The database of each group that so many shards make; of which nothing is known, the first. */
export function groupsOf(stores: Layout['stores'], shards: number, together: number): number[] {
  const groups = Math.floor(Math.max(0, shards - 1) / together) + 1;
  return Array.from({ length: groups }, (_, group) => stores[group] ?? 1);
}

/** The first shard without targets in the database with the fewest shards. @param groups gets a new one where it needs one */
function newShard(groups: number[], counts: readonly number[], { usable, together }: Spread): number {
  const shards = new Map(usable.map((store) => [store, 0]));
  for (const [shard, count = 0] of counts.entries()) {
    const store = groups[Math.floor(shard / together)] ?? 1;
    const known = shards.get(store);
    if (count > 0 && known !== undefined) shards.set(store, known + 1);
  }
  const [[fewest] = [1]] = [...shards].sort(([, a], [, b]) => a - b);
  for (let group = 0; ; group += 1) {
    if ((groups[group] ??= fewest) !== fewest) continue;
    for (let i = 0; i < together; i += 1) {
      const shard = group === 0 ? i : group * together + i;
      if ((counts[shard] ?? 0) === 0) return shard;
    }
  }
}

/** How many shards there are: those that nobody lives in any more count while others do behind them. */
export function shardCount(directory: Directory): number {
  let last = 0;
  for (const { shard } of directory.values()) last = Math.max(last, shard);
  return last + 1;
}

/**
 * Of the formats of both fields. Version 1 is a text without a mark, and nothing was stored as one. Version 2 tells of
 * shards that are all in one database, and is still written of them; version 3 tells of several databases.
 */
const VERSION = 3;
const OF_ONE_DATABASE = 2;
const DICTIONARY = Buffer.from('-production -staging -service -server -health -www -app -api ');
const ID = /^[a-z0-9-]+$/;
/** The origin, a space, and the digit of each group's database. */
const LAYOUT = /^([\w-]{1,32}) ([1-9]*)$/;

/** The layout of an installation that never had another database than the first. */
export const ONE_STORE: Layout = { origin: null, stores: [] };

/** A new name for an installation. */
export function newOrigin(): string {
  return randomBytes(9).toString('base64url');
}

/**
 * The envelope with the version (codec/envelope.ts), then deflated text in base64: in version 3 a line with the layout, then
 * a line a shard, of ids with a space between. Behind the id of a target that is missing stand `~` and the day since when,
 * in base 36.
 */
export function writeDirectory(directory: Directory, layout: Layout = ONE_STORE): string {
  const lines: string[][] = Array.from({ length: shardCount(directory) }, () => []);
  for (const [id, { shard, gone }] of directory)
    lines[shard]?.push(gone === null ? id : `${id}~${gone.toString(36)}`);
  const text = lines.map((line) => line.sort().join(' ')).join('\n');
  return layout.origin === null
    ? writeEnvelope(OF_ONE_DATABASE, deflate(text, DICTIONARY))
    : writeEnvelope(VERSION, deflate(`${layoutText(layout)}\n${text}`, DICTIONARY));
}

function layoutText({ origin, stores }: Layout): string {
  return `${origin ?? ''} ${stores.join('')}`;
}

/** @throws TextError for what is no layout */
function readLayout(text = ''): Layout {
  const [, origin, stores] = LAYOUT.exec(text) ?? [];
  if (origin === undefined || stores === undefined)
    throw new TextError('the layout of the databases is none');
  return { origin, stores: Array.from(stores, Number) };
}

/** @throws TextError for what `writeDirectory` did not write */
export function readDirectory(source: string): Directory {
  return readPlaces(source).directory;
}

/** The same with the databases. @throws TextError for what `writeDirectory` did not write */
export function readPlaces(source: string): { readonly directory: Directory; readonly layout: Layout } {
  const { version, body } = readEnvelope(source, 'the directory', VERSION);
  if (version < OF_ONE_DATABASE) throw new TextError('the directory begins with no version');
  const lines = inflate(body, DICTIONARY, 'the directory').split('\n');
  const layout = version === OF_ONE_DATABASE ? ONE_STORE : readLayout(lines.shift());
  const directory = new Map<string, Place>();
  for (const [shard, line] of lines.entries()) {
    for (const entry of line === '' ? [] : line.split(' ')) {
      const [id = '', day, ...rest] = entry.split('~');
      const gone = day === undefined ? null : Number.parseInt(day, 36);
      if (!ID.test(id) || directory.has(id) || Number.isNaN(gone) || rest.length > 0)
        throw new TextError('the directory holds something else than ids');
      directory.set(id, { shard, gone });
    }
  }
  return { directory, layout };
}

/** What every tick and every reader asks for first. */
export interface Shards {
  readonly count: number;
  /** The hash of the directory in force. */
  readonly directory: string;
  /** Absent: that of one database. */
  readonly layout?: Layout;
  /** In which database this copy is. Absent: in the first, whose copy is in force. */
  readonly store?: number;
}

/**
 * The envelope with the version, then the number of shards, a space, and the hash; in version 3 also a space and the layout,
 * and in the copy of another database than the first a space, `=` and its number. Worked values: ` 220 wkZ1Mx0hR9aQ`,
 * ` 320 wkZ1Mx0hR9aQ 5xJq0bTfK2aW 122 =2`.
 */
export function writeShards({ count, directory, layout = ONE_STORE, store = 1 }: Shards): string {
  const text = `${count} ${directory}`;
  if (layout.origin === null) return writeEnvelope(OF_ONE_DATABASE, text);
  return writeEnvelope(VERSION, `${text} ${layoutText(layout)}${store === 1 ? '' : ` =${store}`}`);
}

/** Null: there is one shard. @throws TextError for what `writeShards` did not write */
export function readShards(text: string | null): Shards | null {
  if (text === null) return null;
  const { version, body } = readEnvelope(text, 'the number of shards', VERSION);
  const [, count, directory, layout, store] =
    /^(\d{1,6}) ([\w-]*)(?: ([\w-]+ [1-9]*))?(?: =([2-9]))?$/.exec(body) ?? [];
  const isOfOne = version === OF_ONE_DATABASE && store === undefined && directory !== '';
  if (
    count === undefined ||
    directory === undefined ||
    !(layout === undefined ? isOfOne : version === VERSION)
  )
    throw new TextError('the number of shards is none');
  return {
    count: Math.max(1, Number(count)),
    directory,
    ...(layout !== undefined && { layout: readLayout(layout) }),
    ...(store !== undefined && { store: Number(store) }),
  };
}

/** Names the text of a directory. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 12);
}
