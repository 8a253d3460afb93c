import { groupOf, SHARDS_TOGETHER, StoreError, type Store } from './store.js';

/** How often copies are compared anew because others write them at the same time. */
const ATTEMPTS = 10;

/** The groups in which so many shards have copies of what all of them share: all but the first. */
export function groupsWithCopies(shards: number): number[] {
  return Array.from({ length: groupOf(shards - 1) }, (_, i) => i + 1);
}

/**
 * Gives each of these groups what the first one holds of what all shards share. Whoever changes it there calls this
 * afterwards. A command for each group and one for the first, and a swap for each copy that is another.
 *
 * The copies are read before the first one is, and none is written that has changed since: so none gets an older text than
 * it held, whoever else writes them at the same time.
 * @param within ms that a database may take for a read
 * @throws StoreError where a copy could not be written; the others are
 */
export async function updateCopies(
  store: Store,
  fields: readonly string[],
  groups: readonly number[],
  within?: number,
): Promise<void> {
  if (groups.length === 0) return;
  const request = { fields, logs: [], within };
  const places = groups.map((group) => store.shard(group * SHARDS_TOGETHER));
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const reads = places.map((place) => place.read(request));
    await Promise.allSettled(reads);
    const { fields: first } = await store.read(request);
    const swaps = places.flatMap((place, i) =>
      [...first].map(async ([field, value]) => {
        const expected = (await reads[i])?.fields.get(field) ?? null;
        return value === expected || place.swap({ field, expected, value });
      }),
    );
    const outcomes = await Promise.allSettled(swaps);
    const failed = outcomes.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    if ((await Promise.all(swaps)).every((isWritten) => isWritten)) return;
  }
  throw new StoreError('store_answer', 'others change the same all the while');
}
