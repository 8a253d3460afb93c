import type { Dump } from '../../lib/cli/dump.js';
import { hashOf, writeDirectory, writeShards } from '../../lib/record/directory.js';
import { writeSlots } from '../../lib/record/excerpt.js';
import {
  DIRECTORY_FIELD,
  OUTBOX_FIELD,
  SHARDS_FIELD,
  SLOTS_FIELD,
  STATE_FIELD,
} from '../../lib/record/fields.js';
import { readState, writeState } from '../../lib/record/state.js';
import type { Store } from '../../lib/store/store.js';

/**
 * Writes the history of one shard as that of many, in which targets of other names have lived the same.
 * @param ids of all targets in the order of shards and slots: as many in each shard as the history has
 */
export async function spread(store: Store, { fields, logs }: Dump, ids: readonly string[]): Promise<void> {
  const state = readState(fields.get(STATE_FIELD) ?? '');
  const size = state.targets.length;
  const shards = ids.length / size;
  for (let shard = 0; shard < shards; shard += 1) {
    const its = ids.slice(shard * size, (shard + 1) * size);
    const targets = state.targets.map((target, slot) => target && { ...target, id: its[slot] ?? target.id });
    const changed = new Map(fields).set(STATE_FIELD, writeState({ ...state, targets }));
    changed.set(SLOTS_FIELD, writeSlots(targets));
    changed.delete(OUTBOX_FIELD);
    await put(store.shard(shard), changed, logs);
  }
  const directory = writeDirectory(
    new Map(ids.map((id, i) => [id, { shard: Math.floor(i / size), gone: null }])),
  );
  await store.swap({ field: DIRECTORY_FIELD, expected: null, value: directory });
  const value = writeShards({ count: shards, directory: hashOf(directory) });
  await store.swap({ field: SHARDS_FIELD, expected: null, value });
}

/** Commits as runs do: one log at a time. */
async function put(store: Store, fields: Dump['fields'], logs: Dump['logs']): Promise<void> {
  const token = 'bench';
  await store.claim({ token, ttl: 60_000, fields: [] });
  const rest = [...logs];
  const [last = null] = rest.splice(-1);
  for (const [log, text] of rest)
    await store.commit({ token, fields: {}, append: { log, offset: 0, text }, release: false });
  const append = last && { log: last[0], offset: 0, text: last[1] };
  await store.commit({ token, fields: Object.fromEntries(fields), append, release: true });
}
