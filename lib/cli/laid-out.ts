import {
  groupsOf,
  hashOf,
  newOrigin,
  newShards,
  ONE_STORE,
  readPlaces,
  shardCount,
  writeDirectory,
  writeShards,
  type Directory,
  type Layout,
} from '../record/directory.js';
import { DIRECTORY_FIELD, SHARDS_FIELD, SHARED_FIELDS } from '../record/fields.js';
import type { KnownDirectory } from '../run/directory-keeper.js';
import { nameInShard, shardOfName, SHARDS_TOGETHER } from '../store/store.js';
import type { Dump } from './dump.js';

export interface LaidOut {
  readonly dump: Dump;
  /** Null: there is one shard. */
  readonly known: KnownDirectory | null;
}

/**
 * The same data for these databases. Its shards keep their places where it comes from the same number of them; else they
 * are spread over those that are there.
 * @param origin what the installation is called where it is to be; null: it has no name yet
 */
export function laidOut(
  dump: Dump,
  { numbers, origin }: { readonly numbers: readonly number[]; readonly origin: string | null },
): LaidOut {
  const text = dump.fields.get(DIRECTORY_FIELD);
  if (text === undefined) return { dump, known: null };
  const { directory, layout } = readPlaces(text);
  const count = shardCount(directory);
  const used = new Set(groupsOf(layout.stores, count, SHARDS_TOGETHER));
  if (used.size === numbers.length && numbers.every((number) => used.has(number))) {
    const name = nameOf(origin, numbers);
    return name === layout.origin
      ? { dump, known: { directory, layout, hash: hashOf(text), shards: count } }
      : withLayout(dump, directory, { origin: name, stores: layout.stores });
  }
  const shards = new Set([...directory.values()].map(({ shard }) => shard));
  for (const name of [...dump.fields.keys(), ...dump.logs.keys()]) shards.add(shardOfName(name));
  const old = [...shards].sort((a, b) => a - b);
  const { numbers: fresh, stores } = newShards(old.length, { usable: numbers, together: SHARDS_TOGETHER });
  const moved = new Map(old.map((shard, i) => [shard, fresh[i] ?? shard]));
  const renamed = (texts: Dump['fields']): Map<string, string> =>
    new Map(
      [...texts].map(([name, each]) => {
        if (SHARED_FIELDS.includes(name)) return [name, each];
        const shard = shardOfName(name);
        return [nameInShard(name.replace(/:\d+$/, ''), moved.get(shard) ?? shard), each];
      }),
    );
  const places = [...directory].map(
    ([id, place]) => [id, { ...place, shard: moved.get(place.shard) ?? place.shard }] as const,
  );
  const next = { fields: renamed(dump.fields), logs: renamed(dump.logs) };
  return withLayout(next, new Map(places), { origin: nameOf(origin, numbers), stores });
}

function nameOf(origin: string | null, numbers: readonly number[]): string | null {
  return numbers.length === 1 ? null : (origin ?? newOrigin());
}

function withLayout({ fields, logs }: Dump, directory: Directory, { origin, stores }: Layout): LaidOut {
  const layout = origin === null ? ONE_STORE : { origin, stores };
  const text = writeDirectory(directory, layout);
  const known = { directory, layout, hash: hashOf(text), shards: shardCount(directory) };
  const hints = writeShards({ count: known.shards, directory: known.hash, layout });
  return {
    dump: { fields: new Map([...fields, [DIRECTORY_FIELD, text], [SHARDS_FIELD, hints]]), logs },
    known,
  };
}
