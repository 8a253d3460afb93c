import { createHash } from 'node:crypto';
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

/** Days for which a missing target keeps its place: longer than its shard keeps its history. */
const KEPT = REMOVED_KEPT / DAY + 2;

export interface Placing {
  /** Targets that a shard takes, those included that are missing. */
  readonly size: number;
  /** Ms since the epoch. */
  readonly now: number;
}

/**
 * The directory with a place for each of these ids, the very same where nothing changes. A new id goes to the first shard
 * with room. Nobody moves.
 */
export function placed(directory: Directory, ids: Iterable<string>, { size, now }: Placing): Directory {
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
  if (isSame && wanted.size === 0) return directory;
  const counts: number[] = [];
  for (const { shard } of next.values()) counts[shard] = (counts[shard] ?? 0) + 1;
  let shard = 0;
  for (const id of wanted) {
    while ((counts[shard] ?? 0) >= size) shard += 1;
    counts[shard] = (counts[shard] ?? 0) + 1;
    next.set(id, { shard, gone: null });
  }
  return next;
}

/** How many shards there are: those that nobody lives in any more count while others do behind them. */
export function shardCount(directory: Directory): number {
  let last = 0;
  for (const { shard } of directory.values()) last = Math.max(last, shard);
  return last + 1;
}

/** Of the format of this field. It is the first: version 1 is a text without a mark, and no directory was stored as one. */
const VERSION = 2;
const DICTIONARY = Buffer.from('-production -staging -service -server -health -www -app -api ');
const ID = /^[a-z0-9-]+$/;

/**
 * The envelope with the version (codec/envelope.ts), then deflated text in base64: a line a shard, of ids with a space
 * between. Behind the id of a target that is missing stand `~` and the day since when, in base 36.
 */
export function writeDirectory(directory: Directory): string {
  const lines: string[][] = Array.from({ length: shardCount(directory) }, () => []);
  for (const [id, { shard, gone }] of directory)
    lines[shard]?.push(gone === null ? id : `${id}~${gone.toString(36)}`);
  const text = lines.map((line) => line.sort().join(' ')).join('\n');
  return writeEnvelope(VERSION, deflate(text, DICTIONARY));
}

/** @throws TextError for what `writeDirectory` did not write */
export function readDirectory(source: string): Directory {
  const { version, body } = readEnvelope(source, 'the directory', VERSION);
  if (version < VERSION) throw new TextError('the directory begins with no version');
  const directory = new Map<string, Place>();
  for (const [shard, line] of inflate(body, DICTIONARY, 'the directory').split('\n').entries()) {
    for (const entry of line === '' ? [] : line.split(' ')) {
      const [id = '', day, ...rest] = entry.split('~');
      const gone = day === undefined ? null : Number.parseInt(day, 36);
      if (!ID.test(id) || directory.has(id) || Number.isNaN(gone) || rest.length > 0)
        throw new TextError('the directory holds something else than ids');
      directory.set(id, { shard, gone });
    }
  }
  return directory;
}

/** What every tick and every reader asks for first. */
export interface Shards {
  readonly count: number;
  /** The hash of the directory in force. */
  readonly directory: string;
}

/** The envelope with the version, then the number of shards, a space, and the hash. Worked value: ` 220 wkZ1Mx0hR9aQ`. */
export function writeShards({ count, directory }: Shards): string {
  return writeEnvelope(VERSION, `${count} ${directory}`);
}

/** Null: there is one shard. @throws TextError for what `writeShards` did not write */
export function readShards(text: string | null): Shards | null {
  if (text === null) return null;
  const { version, body } = readEnvelope(text, 'the number of shards', VERSION);
  const [, count, directory] = /^(\d{1,6}) ([\w-]+)$/.exec(body) ?? [];
  if (version < VERSION || count === undefined || directory === undefined)
    throw new TextError('the number of shards is none');
  return { count: Math.max(1, Number(count)), directory };
}

/** Names the text of a directory. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 12);
}
