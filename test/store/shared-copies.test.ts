import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { changeField } from '../../lib/http/operator-change.js';
import { NOTES_FIELD } from '../../lib/record/fields.js';
import { DirectoryKeeper } from '../../lib/run/directory-keeper.js';
import { groupsWithCopies, updateCopies } from '../../lib/store/shared-copies.js';
import type { Meter, Store } from '../../lib/store/store.js';
import { meddled } from '../support/meddle.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { openRemoteStore } from '../support/stores.js';

let redis: RedisServer;
let prefixes = 0;
let store: Store;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  store = await openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: `c${prefixes++}` });
  return () => store.close();
});

const change = async (its: Store, value: string) => {
  const answer = await changeField(its, NOTES_FIELD, () => ({ value, answer: () => new Response() }));
  expect(answer.status).toBe(200);
};
const makeShards = (count: number) => {
  const ids = Array.from({ length: count }, (_, i) => `t${i}`);
  return new DirectoryKeeper().place(store, ids, { size: 1, now: store.now() });
};
const held = (...shards: readonly number[]) =>
  Promise.all(
    shards.map(async (shard) =>
      (await store.shard(shard).read({ fields: [NOTES_FIELD], logs: [] })).fields.get(NOTES_FIELD),
    ),
  );

/** The store of a process in which, once, something happens right before a call that follows its change. */
function interrupted(call: 'copy read' | 'first read' | 'copy written', happens: () => Promise<unknown>) {
  let isDone = false;
  const before = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    if (name === call && !isDone) {
      isDone = true;
      await happens();
    }
    return work();
  };
  let isChanged = false;
  return {
    ...meddled(store, (_, work) => work()),
    read: (request) => (isChanged ? before('first read', () => store.read(request)) : store.read(request)),
    swap: async (swap) => (isChanged = await store.swap(swap)),
    shard: (number) => {
      const shard = store.shard(number);
      return {
        ...meddled(shard, (_, work) => work()),
        read: (request) => before('copy read', () => shard.read(request)),
        swap: (swap) => before('copy written', () => shard.swap(swap)),
      };
    },
  } satisfies Store;
}

it.each(['copy read', 'first read', 'copy written'] as const)(
  'none gets an older text where another process changes all of them: %s',
  async (call) => {
    await makeShards(9);
    await change(store, 'old');
    await change(
      interrupted(call, () => change(store, 'newer')),
      'new',
    );
    expect(await held(0, 8)).toEqual(['newer', 'newer']);
  },
);

it('none stays older where another process has just written what was changed meanwhile', async () => {
  await makeShards(9);
  await change(store, 'old');
  const other = () => store.shard(8).swap({ field: NOTES_FIELD, expected: 'old', value: 'new' });
  await change(interrupted('copy written', other), 'newer');
  expect(await held(0, 8)).toEqual(['newer', 'newer']);
});

it('cost a command for each hash, and a swap for each that is another', async () => {
  await makeShards(17);
  await change(store, 'old');
  const meter: Meter = { commands: 0, bytesSent: 0, bytesReceived: 0 };
  const groups = groupsWithCopies(17);
  expect(groups).toEqual([1, 2]);
  await updateCopies(store.metered(meter), [NOTES_FIELD], groups);
  expect(meter.commands).toBe(3);
  await store.swap({ field: NOTES_FIELD, expected: 'old', value: 'new' });
  meter.commands = 0;
  await updateCopies(store.metered(meter), [NOTES_FIELD], groups);
  expect(meter.commands).toBe(3 + 2 * 3);
  expect(await held(0, 8, 16)).toEqual(['new', 'new', 'new']);
  meter.commands = 0;
  await updateCopies(store.metered(meter), [NOTES_FIELD], groupsWithCopies(8));
  expect(meter.commands).toBe(0);
});
