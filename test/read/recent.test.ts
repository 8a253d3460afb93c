import { describe, expect, it } from 'vitest';
import { FAILURE_KEPT, FRESH_FOR, READ_LIMIT, RecentReader } from '../../lib/read/recent.js';
import type { ReadAnswer, ReadRequest, Store } from '../../lib/store/store.js';
import { StoreError } from '../../lib/store/store.js';
import { Books } from '../support/books.js';

const NOW = Date.UTC(2026, 4, 20, 13);

/** A store that says what it is asked for, and answers when it is let. */
function setUp() {
  const { store: empty } = new Books();
  const texts = new Map([
    ['state', 's1'],
    ['d', 'day'],
    ['h', 'hour'],
    ['l', 'log'],
  ]);
  const asked: ReadRequest[] = [];
  const world = { now: NOW, writes: 0, gate: Promise.resolve(), error: null as unknown };
  const read = async (request: ReadRequest): Promise<ReadAnswer> => {
    asked.push(request);
    const found = {
      fields: new Map([...texts].filter(([name]) => request.fields.includes(name))),
      logs: new Map([...texts].filter(([name]) => request.logs.includes(name))),
    };
    await world.gate;
    if (world.error !== null) throw world.error as Error;
    return found;
  };
  const store: Store = {
    ...empty,
    get writes() {
      return world.writes;
    },
    read,
  };
  const reader = new RecentReader(store, () => world.now);
  /** Another process writes. */
  const write = (changes: Record<string, string>) => {
    for (const [name, text] of Object.entries(changes)) texts.set(name, text);
  };
  const get = async (fields: readonly string[], logs: readonly string[] = []) => {
    const answer = await reader.read({ fields, logs });
    const found = [fields.map((name) => answer.fields.get(name)), logs.map((name) => answer.logs.get(name))];
    return found.flat().map((text) => text ?? null);
  };
  return { world, asked, get, write, reader };
}

/** The read under way ends when it is called. */
function hold({ world }: ReturnType<typeof setUp>): () => void {
  let open = (): void => undefined;
  world.gate = new Promise((resolve) => (open = resolve));
  return open;
}

describe('what was read of the store', () => {
  it('is given to others for 5 s, and read again after them', async () => {
    const { world, asked, get, write } = setUp();
    expect(await get(['state', 'd'], ['l'])).toEqual(['s1', 'day', 'log']);
    write({ state: 's2' });
    world.now += FRESH_FOR - 1;
    expect(await get(['d', 'state'])).toEqual(['day', 's1']);
    expect(asked).toHaveLength(1);
    world.now += 1;
    expect(await get(['state'])).toEqual(['s2']);
    expect(asked).toHaveLength(2);
  });

  it('does not grow older than 5 s by reads of something else', async () => {
    const { world, get, write, asked } = setUp();
    await get(['d']);
    for (let i = 0; i < 4; i += 1) {
      world.now += 1_500;
      await get([`new-${i}`]);
    }
    write({ d: 'other day' });
    expect(await get(['d'])).toEqual(['other day']);
    expect(asked.map(({ within }) => within)).toEqual(asked.map(() => READ_LIMIT));
  });

  it('is read again when the clock was set back', async () => {
    const { world, asked, get } = setUp();
    await get(['state']);
    world.now -= 1;
    await get(['state']);
    expect(asked).toHaveLength(2);
  });

  it('is read again when the process has written', async () => {
    const { world, get, write } = setUp();
    await get(['state', 'd']);
    write({ state: 's2', d: 'other day' });
    world.writes += 1;
    expect(await get(['state', 'd'])).toEqual(['s2', 'other day']);
  });

  it('is read again when the process wrote while it was read', async () => {
    const set = setUp();
    const { world, asked, get, write } = set;
    const open = hold(set);
    const early = get(['d']);
    await expect.poll(() => asked.length).toBe(1);
    write({ d: 'other day' });
    world.writes += 1;
    open();
    expect(await early).toEqual(['day']);
    expect(await get(['d'])).toEqual(['other day']);
  });

  it('asks only for what is missing, of logs too, and for what tells whether the rest still holds', async () => {
    const { asked, get } = setUp();
    await get(['state', 'd'], ['l']);
    expect(await get(['h', 'd', 'nothing'], ['l', 'm'])).toEqual(['hour', 'day', null, 'log', null]);
    expect(asked[1]).toMatchObject({
      fields: ['state', 'maintenance', 'outbox', 'h', 'nothing'],
      logs: ['m'],
    });
    expect(await get(['nothing'], ['m'])).toEqual([null, null]);
    expect(asked).toHaveLength(2);
  });

  it('is never mixed with what a later run has written', async () => {
    const { asked, get, write } = setUp();
    await get(['state', 'd']);
    write({ state: 's2', d: 'other day', h: 'other hour' });
    expect(await get(['state', 'd', 'h'])).toEqual(['s2', 'other day', 'other hour']);
    expect(asked).toHaveLength(3);
  });
});

describe('readers at once', () => {
  it('share one read', async () => {
    const { asked, get } = setUp();
    const all = await Promise.all(Array.from({ length: 100 }, () => get(['state', 'd'], ['l'])));
    expect(all).toEqual(all.map(() => ['s1', 'day', 'log']));
    expect(asked).toHaveLength(1);
  });

  it('wait for the read under way, and share the next where something is missing', async () => {
    const set = setUp();
    const { asked, get } = set;
    const open = hold(set);
    const first = get(['d']);
    await expect.poll(() => asked.length).toBe(1);
    const others = ['d', 'state', 'h', 'x', 'y', 'h'].map((name) => get([name]));
    open();
    expect(await first).toEqual(['day']);
    expect(await Promise.all(others)).toEqual([['day'], ['s1'], ['hour'], [null], [null], ['hour']]);
    expect(asked.map(({ fields }) => fields.slice(3))).toEqual([['d'], ['h', 'x', 'y']]);
  });
});

describe('a store that is down', () => {
  const failed = new StoreError('store_unreachable', 'the store cannot be reached');

  it('is asked once a second, and whoever waits is told at once', async () => {
    const { world, asked, get } = setUp();
    world.error = failed;
    const many = Array.from({ length: 100 }, () => get(['state']));
    for (const each of await Promise.allSettled(many)) expect(each).toMatchObject({ reason: failed });
    world.now += FAILURE_KEPT - 1;
    await expect(get(['d'])).rejects.toBe(failed);
    expect(asked).toHaveLength(1);
    world.now += 1;
    await expect(get(['d'])).rejects.toBe(failed);
    expect(asked).toHaveLength(2);
  });

  it('is asked again by all readers once it answers, or once a run of this process has ended', async () => {
    const { world, get } = setUp();
    world.error = failed;
    await expect(get(['state'])).rejects.toBe(failed);
    world.error = null;
    world.writes += 1;
    expect(await get(['state'])).toEqual(['s1']);
  });
});
