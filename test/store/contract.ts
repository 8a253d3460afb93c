import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Meter, Store } from '../../lib/store/store.js';
import { texts } from '../support/stores.js';

const TTL = 300_000;
/** Ms: a lease that is over as soon as one waits a little. */
const SHORT = 20;
/** Ms: a commit that comes too late gives the holder's lease this lifetime, and it is looked at after that. */
const LONGER = 2_000;

export function newMeter(): Meter {
  return { commands: 0, bytesSent: 0, bytesReceived: 0 };
}

/** What every store does. `open` gives a store without data; it is closed after each test. */
export function storeContract(open: () => Promise<Store>): void {
  let store: Store;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(async () => {
    await store.close();
  });

  const claim = (token: string, ttl = TTL) => store.claim({ token, ttl, fields: [] });
  /** Claims a lease whose lifetime is over afterwards. */
  const claimAndExpire = async (token: string, lifetime = SHORT) => {
    await claim(token, lifetime);
    await new Promise((resolve) => setTimeout(resolve, lifetime + SHORT));
  };
  const commit = (token: string, fields: Record<string, string>, release = true) =>
    store.commit({ token, fields, append: null, release });
  const append = (token: string, log: string, offset: number, text: string) =>
    store.commit({ token, fields: {}, append: { log, offset, text }, release: false });
  const field = async (name: string) =>
    (await store.read({ fields: [name], logs: [] })).fields.get(name) ?? null;
  const log = async (name: string) => (await store.read({ fields: [], logs: [name] })).logs.get(name) ?? null;

  describe('lease', () => {
    const GRANTED = { claimed: true, fields: texts({}) };
    const LOCKED = { claimed: false };

    test('is held for its lifetime, by the clock of the store', async () => {
      await claim('a');
      expect(await claim('b')).toEqual(LOCKED);
      expect(await claim('b', 1)).toEqual(LOCKED);
      expect(await claim('b', 10 * TTL)).toEqual(LOCKED);
    });

    test('is free when its lifetime is over', async () => {
      await claimAndExpire('a');
      expect(await claim('b')).toEqual(GRANTED);
      expect(await claim('c')).toEqual(LOCKED);
    });

    test('is granted to its holder again, and lasts longer for it', async () => {
      await claim('a', SHORT);
      expect(await claim('a')).toEqual(GRANTED);
      await new Promise((resolve) => setTimeout(resolve, 2 * SHORT));
      expect(await claim('b')).toEqual(LOCKED);
    });

    test('lasts longer where it is renewed, and is not taken by that where it is over', async () => {
      await claim('a', LONGER);
      await store.renew(TTL);
      await new Promise((resolve) => setTimeout(resolve, LONGER + SHORT));
      expect(await claim('b')).toEqual(LOCKED);
      await commit('a', {}, true);
      await store.renew(TTL);
      expect(await claim('b')).toEqual(GRANTED);
    });

    test('tells whether its holder has committed yet', async () => {
      const shards = [0, 3, 9, 17];
      const underWay = async (...asked: number[]) =>
        [...(await store.underWay(asked))].map(([shard, { hasCommitted }]) => [shard, hasCommitted]);
      const take = (number: number, token: string, ttl = TTL) =>
        store.shard(number).claim({ token, ttl, fields: [] });
      const end = (number: number, release: boolean) =>
        store.shard(number).commit({ token: `of ${number}`, fields: { x: '1' }, append: null, release });
      expect(await underWay(...shards)).toEqual([]);
      for (const number of [0, 3, 17]) await take(number, `of ${number}`);
      expect(await underWay(...shards)).toEqual([0, 3, 17].map((shard) => [shard, false]));
      expect(await underWay(3, 9)).toEqual([[3, false]]);
      await end(3, false);
      await end(17, true);
      expect(await underWay(...shards)).toEqual([
        [0, false],
        [3, true],
      ]);
      await end(3, true);
      await take(3, 'of the next');
      expect(await underWay(3)).toEqual([[3, false]]);
      await take(9, 'short', SHORT);
      await new Promise((resolve) => setTimeout(resolve, 2 * SHORT));
      expect(await underWay(9)).toEqual([]);
    });

    test('is free after a commit that releases it, held after one that does not', async () => {
      await claim('a');
      await commit('a', {}, false);
      expect(await claim('b')).toEqual(LOCKED);
      await commit('a', {}, true);
      expect(await claim('b')).toEqual(GRANTED);
    });

    test('goes to exactly one of a hundred that claim it at once', async () => {
      const claims = await Promise.all(Array.from({ length: 100 }, (_, i) => claim(`token ${i}`)));
      expect(claims.filter(({ claimed }) => claimed)).toHaveLength(1);
    });

    test('takes any token, and tells tokens apart that look alike', async () => {
      await claim('a|1');
      expect(await claim('a')).toEqual(LOCKED);
      expect(await commit('a', { x: '1' })).toBe('lost');
      expect(await commit('a|1', { x: '1' })).toBe('committed');
    });
  });

  describe('commit', () => {
    test('writes nothing without a lease', async () => {
      expect(await commit('a', { x: '1' })).toBe('lost');
      expect(await field('x')).toBeNull();
    });

    test('writes nothing once somebody else has taken the lease', async () => {
      await claimAndExpire('a', LONGER);
      await claim('b');
      const lost = {
        token: 'a',
        fields: { x: '1' },
        append: { log: 'l', offset: 0, text: 'x' },
        release: true,
      };
      expect(await store.commit(lost)).toBe('lost');
      expect(await store.read({ fields: ['x'], logs: ['l'] })).toEqual({
        fields: texts({}),
        logs: texts({}),
      });
      expect(await claim('c')).toEqual({ claimed: false });
    });

    test('writes nothing even after that other has released', async () => {
      await claimAndExpire('a');
      await claim('b');
      await commit('b', { x: 'b' });
      expect(await commit('a', { x: 'a' })).toBe('lost');
      expect(await field('x')).toBe('b');
    });

    test('holds after the lease has run out, while nobody else has taken it', async () => {
      await claimAndExpire('a');
      expect(await commit('a', { x: '1' })).toBe('committed');
      expect(await commit('a', { x: '1' })).toBe('committed');
    });

    test('repeated, even after the release, writes the same again', async () => {
      await claim('a');
      await append('a', 'l', 0, 'begin ');
      const twice = {
        token: 'a',
        fields: { x: '1' },
        append: { log: 'l', offset: 6, text: 'end' },
        release: true,
      };
      expect(await store.commit(twice)).toBe('committed');
      expect(await store.commit(twice)).toBe('committed');
      expect(await store.read({ fields: ['x'], logs: ['l'] })).toEqual({
        fields: texts({ x: '1' }),
        logs: texts({ l: 'begin end' }),
      });
      expect(await claim('b')).toMatchObject({ claimed: true });
    });

    test('whose lease ran out may come twice, and is lost once somebody else has committed', async () => {
      await claimAndExpire('a');
      expect(await commit('a', { x: '1' }, false)).toBe('committed');
      expect(await commit('a', { x: '2' }, false)).toBe('committed');
      await claim('b');
      await commit('b', { x: 'b' });
      expect(await commit('a', { x: '3' })).toBe('lost');
      expect(await field('x')).toBe('b');
    });

    test('that is lost leaves the lease to who has it', async () => {
      await claimAndExpire('a', LONGER);
      await claim('b');
      expect(await commit('a', { x: 'a' }, true)).toBe('lost');
      expect(await claim('c')).toEqual({ claimed: false });
      expect(await commit('b', { x: 'b' })).toBe('committed');
    });

    test('that does not release writes nothing after one that did: it was overtaken on the way', async () => {
      await claim('a');
      await commit('a', { x: 'last' }, true);
      expect(await commit('a', { x: 'first' }, false)).toBe('lost');
      expect(await field('x')).toBe('last');
    });

    test('keeps the fields that it does not name', async () => {
      await claim('a');
      await commit('a', { x: '1', y: '1' });
      await commit('a', { y: '2' });
      expect(await store.read({ fields: ['x', 'y'], logs: [] })).toEqual({
        fields: texts({ x: '1', y: '2' }),
        logs: texts({}),
      });
    });
  });

  describe('swap', () => {
    test.each([
      ['nothing, nothing expected', null, null, true],
      ['nothing, something expected', null, 'old', false],
      ['nothing, an empty text expected', null, '', false],
      ['an empty text, nothing expected', '', null, false],
      ['what is expected', 'old', 'old', true],
      ['an empty text, as expected', '', '', true],
      ['something, nothing expected', 'old', null, false],
      ['something else', 'old', 'older', false],
      ['what looks like the number expected', '1', '1.0', false],
      ['text of any kind', 'é\u2028🙂"\\', 'é\u2028🙂"\\', true],
      ['the new value already', 'new', 'old', false],
    ])('of a field that holds %s', async (_, held, expected, swapped) => {
      if (held !== null) await store.swap({ field: 'x', expected: null, value: held });
      expect(await store.swap({ field: 'x', expected, value: 'new' })).toBe(swapped);
      expect(await field('x')).toBe(swapped ? 'new' : held);
    });

    test('waits for no lease, and takes none', async () => {
      await claim('a');
      expect(await store.swap({ field: 'x', expected: null, value: '1' })).toBe(true);
      expect(await claim('b')).toEqual({ claimed: false });
      expect(await commit('a', { y: '1' })).toBe('committed');
      expect(await store.read({ fields: ['x', 'y'], logs: [] })).toEqual({
        fields: texts({ x: '1', y: '1' }),
        logs: texts({}),
      });
      expect(await store.claim({ token: 'b', ttl: TTL, fields: ['x'] })).toEqual({
        claimed: true,
        fields: texts({ x: '1' }),
      });
    });

    test('goes to exactly one of fifty that expect the same', async () => {
      const swaps = await Promise.all(
        Array.from({ length: 50 }, (_, i) => store.swap({ field: 'x', expected: null, value: `${i}` })),
      );
      expect(swaps.filter((swapped) => swapped)).toHaveLength(1);
      expect(await field('x')).toBe(String(swaps.indexOf(true)));
    });

    test.each(['lease', 'state', 'outbox'])(
      'of %s is denied: it is written under the lease',
      async (name) => {
        const swap = store.swap({ field: name, expected: null, value: 'x' });
        await expect(swap).rejects.toMatchObject({ name: 'StoreError', code: 'store_denied' });
        expect(await field(name)).toBeNull();
      },
    );
  });

  describe('fields', () => {
    test('come by name, without those that are not there, from read and claim alike', async () => {
      await claim('a');
      await commit('a', { one: '1', two: '2', empty: '' });
      const fields = ['two', 'none', 'empty', 'one', 'two'];
      const values = texts({ two: '2', empty: '', one: '1' });
      expect(await store.read({ fields, logs: [] })).toEqual({ fields: values, logs: texts({}) });
      expect(await store.claim({ token: 'b', ttl: TTL, fields })).toEqual({
        claimed: true,
        fields: values,
      });
    });

    const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
    test.each([
      ...['12', '007', '1e3', '-0', 'null', 'true', '[]', '{"a":1}', '"quoted"', 'OK', '', ' ', '\n\t\r'],
      ...['T0s=', 'é € 漢 🙂', '__proto__', '\\', '\\u0041', '%20', '<&>'],
      printable,
    ])('come back as they were: %j', async (text) => {
      await claim('a');
      await commit('a', { [`name ${text}`]: text });
      expect(await field(`name ${text}`)).toBe(text);
      expect(await store.claim({ token: 'b', ttl: TTL, fields: [`name ${text}`] })).toEqual({
        claimed: true,
        fields: new Map([[`name ${text}`, text]]),
      });
    });

    test('may be 2 MB', async () => {
      const large = printable.repeat(Math.ceil(2_000_000 / printable.length));
      await claim('a');
      const both = {
        token: 'a',
        fields: { large },
        append: { log: 'l', offset: 0, text: large },
        release: true,
      };
      expect(await store.commit(both)).toBe('committed');
      const { fields, logs } = await store.read({ fields: ['large'], logs: ['l'] });
      expect(fields.get('large') === large && logs.get('l') === large).toBe(true);
    });

    test('may be 25,000 in one commit', async () => {
      const names = Array.from({ length: 25_000 }, (_, i) => `field ${i}`);
      await claim('a');
      expect(await commit('a', Object.fromEntries(names.map((name) => [name, name])))).toBe('committed');
      for (const name of [names[0], names[2999], names[3000], names[24_999]]) {
        expect(await field(name ?? '')).toBe(name);
      }
      expect(await claim('b')).toMatchObject({ claimed: true });
    });

    test('may be 3,000 in one call', async () => {
      const names = Array.from({ length: 3000 }, (_, i) => `field ${i}`);
      await claim('a');
      await commit('a', Object.fromEntries(names.map((name) => [name, name])));
      expect(await store.claim({ token: 'b', ttl: TTL, fields: names })).toEqual({
        claimed: true,
        fields: new Map(names.map((name) => [name, name])),
      });
    });
  });

  describe('logs', () => {
    beforeEach(async () => {
      await claim('a');
    });

    test('take text at an offset', async () => {
      await append('a', 'l', 0, 'one,');
      await append('a', 'l', 4, 'two,');
      expect(await log('l')).toBe('one,two,');
    });

    test('keep what lies behind the text', async () => {
      await append('a', 'l', 0, 'one,two,');
      await append('a', 'l', 1, 'NE');
      expect(await log('l')).toBe('oNE,two,');
    });

    test('begin anew at offset 0', async () => {
      await append('a', 'l', 0, 'one,two,');
      await append('a', 'l', 0, 'new');
      expect(await log('l')).toBe('new');
    });

    test('hold NUL where nothing was written', async () => {
      await append('a', 'l', 3, 'x');
      await append('a', 'l', 6, 'y');
      expect(await log('l')).toBe('\0\0\0x\0\0y');
    });

    test('come in the order asked for, apart from each other and from fields', async () => {
      await append('a', 'one', 0, '1');
      await append('a', 'two', 0, '2');
      const { fields, logs } = await store.read({ fields: ['one'], logs: ['two', 'none', 'one'] });
      expect({ fields, logs }).toEqual({ fields: texts({}), logs: texts({ two: '2', one: '1' }) });
    });

    test('equal a string that the same texts were laid over', async () => {
      const writes = fc.array(
        fc.record({
          offset: fc.nat(20),
          text: fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme-ascii' }),
        }),
        { maxLength: 6 },
      );
      await fc.assert(
        fc.asyncProperty(writes, async (all) => {
          let expected = '.';
          await append('a', 'l', 0, expected);
          for (const { offset, text } of all) {
            await append('a', 'l', offset, text);
            const before = offset === 0 ? '' : expected;
            expected =
              before.slice(0, offset).padEnd(offset, '\0') + text + before.slice(offset + text.length);
          }
          expect(await log('l')).toBe(expected);
        }),
        { numRuns: 25 },
      );
    });
  });

  describe('replace', () => {
    const replace = (
      token: string,
      fields: Record<string, string>,
      logs: Record<string, string | null> = {},
    ) => store.replace({ token, fields, logs });

    test('leaves what it was given and nothing else, and gives the lease back', async () => {
      await claim('a');
      await commit('a', { x: 'old', y: 'old' }, false);
      for (const name of ['kept', 'changed', 'removed']) await append('a', name, 0, 'old');
      const logs = { changed: 'a\0b', removed: null, fresh: 'new', never: null };
      expect(await replace('a', { x: 'ünï', z: '' }, logs)).toBe('committed');
      expect(await store.read({ fields: ['x', 'y', 'z'], logs: ['kept', ...Object.keys(logs)] })).toEqual({
        fields: texts({ x: 'ünï', z: '' }),
        logs: texts({ kept: 'old', changed: 'a\0b', fresh: 'new' }),
      });
      expect(await claim('b')).toEqual({ claimed: true, fields: texts({}) });
    });

    test('writes nothing without the lease, and nothing once somebody else has taken it', async () => {
      expect(await replace('a', { x: '1' }, { l: 'x' })).toBe('lost');
      await claimAndExpire('a');
      await claim('b');
      await commit('b', { x: 'b' });
      expect(await replace('a', { x: 'a' }, { l: 'x' })).toBe('lost');
      expect(await store.read({ fields: ['x'], logs: ['l'] })).toEqual({
        fields: texts({ x: 'b' }),
        logs: texts({}),
      });
    });

    test('repeated, does the same again', async () => {
      await claim('a');
      await replace('a', { x: '1' }, { l: 'x' });
      expect(await replace('a', { x: '1' }, { l: 'x' })).toBe('committed');
      expect(await store.read({ fields: ['x'], logs: ['l'] })).toEqual({
        fields: texts({ x: '1' }),
        logs: texts({ l: 'x' }),
      });
    });

    test('takes nothing at all, and some megabytes in thousands of fields', async () => {
      await claim('a');
      const fields = Object.fromEntries(
        Array.from({ length: 3_500 }, (_, i) => [`f${i}`, '"'.repeat(1_000)]),
      );
      const logs = { l: 'x'.repeat(900_000) };
      expect(await replace('a', fields, logs)).toBe('committed');
      expect(await store.read({ fields: Object.keys(fields), logs: ['l'] })).toEqual({
        fields: texts(fields),
        logs: texts(logs),
      });
      await claim('b');
      expect(await replace('b', {}, { l: null })).toBe('committed');
      expect(await store.read({ fields: Object.keys(fields), logs: ['l'] })).toEqual({
        fields: texts({}),
        logs: texts({}),
      });
    });
  });

  describe('shards', () => {
    test('have leases, fields and logs of their own, which shard 0 can name', async () => {
      const third = store.shard(3);
      const far = store.shard(11);
      await claim('a');
      expect(await third.claim({ token: 'b', ttl: TTL, fields: ['x'] })).toEqual({
        claimed: true,
        fields: texts({}),
      });
      expect(await third.claim({ token: 'c', ttl: TTL, fields: ['x'] })).toEqual({ claimed: false });
      await far.claim({ token: 'c', ttl: TTL, fields: [] });
      const written = (value: string, release = true) => ({
        fields: { x: value },
        append: { log: 'l', offset: 0, text: value },
        release,
      });
      expect(await store.commit({ token: 'b', ...written('b', false) })).toBe('lost');
      expect(await store.commit({ token: 'a', ...written('a', false) })).toBe('committed');
      expect(await third.commit({ token: 'b', ...written('b') })).toBe('committed');
      expect(await far.commit({ token: 'c', ...written('c') })).toBe('committed');
      expect(await claim('d')).toEqual({ claimed: false });
      expect(await third.claim({ token: 'd', ttl: TTL, fields: ['x'] })).toEqual({
        claimed: true,
        fields: texts({ x: 'b' }),
      });
      const all = { fields: ['x', 'x:3', 'x:11', 'x:4'], logs: ['l', 'l:3', 'l:11'] };
      expect(await store.read(all)).toEqual({
        fields: texts({ x: 'a', 'x:3': 'b', 'x:11': 'c' }),
        logs: texts({ l: 'a', 'l:3': 'b', 'l:11': 'c' }),
      });
      expect(await far.read({ fields: ['x'], logs: ['l'] })).toEqual({
        fields: texts({ x: 'c' }),
        logs: texts({ l: 'c' }),
      });
    });

    test('share what they share, as far as they are stored together', async () => {
      await store.swap({ field: 'maintenance', expected: null, value: 'all' });
      const claimed = await store.shard(7).claim({ token: 'a', ttl: TTL, fields: ['x', 'maintenance'] });
      expect(claimed).toEqual({ claimed: true, fields: texts({ maintenance: 'all' }) });
    });

    test('a commit of a shard that was overtaken is lost, whatever the others do', async () => {
      const third = store.shard(3);
      await third.claim({ token: 'a', ttl: SHORT, fields: [] });
      await new Promise((resolve) => setTimeout(resolve, 2 * SHORT));
      await third.claim({ token: 'b', ttl: TTL, fields: [] });
      await third.commit({ token: 'b', fields: { x: 'b' }, append: null, release: true });
      await claim('c');
      await commit('c', { x: 'c' });
      expect(await third.commit({ token: 'a', fields: { x: 'a' }, append: null, release: true })).toBe(
        'lost',
      );
      expect([await field('x'), await field('x:3')]).toEqual(['c', 'b']);
    });

    test('those that are stored together are replaced together, and no others', async () => {
      const far = store.shard(9);
      for (const [shard, token] of [store, store.shard(1), far].map((each, i) => [each, `t${i}`] as const)) {
        await shard.claim({ token, ttl: TTL, fields: [] });
        await shard.commit({ token, fields: { x: token, y: token }, append: null, release: true });
        await shard.claim({ token, ttl: TTL, fields: [] });
      }
      const fields = { x: 'new', 'x:1': 'new' };
      expect(await store.replace({ token: 't0', fields, logs: { 'l:1': 'log' } })).toBe('committed');
      const all = { fields: ['x', 'y', 'x:1', 'y:1', 'x:9', 'y:9'], logs: ['l', 'l:1'] };
      expect(await store.read(all)).toEqual({
        fields: texts({ x: 'new', 'x:1': 'new', 'x:9': 't2', 'y:9': 't2' }),
        logs: texts({ 'l:1': 'log' }),
      });
      expect(await far.replace({ token: 't2', fields: { 'x:9': 'newer' }, logs: {} })).toBe('committed');
      expect((await store.read(all)).fields).toEqual(texts({ x: 'new', 'x:1': 'new', 'x:9': 'newer' }));
    });
  });

  describe('cost', () => {
    test('is counted by the meters that were given, each for itself', async () => {
      const [first, second] = [newMeter(), newMeter()];
      await store.metered(first).claim({ token: 'a', ttl: TTL, fields: ['x', 'y'] });
      const claimed = first.commands;
      await store.metered(second).read({ fields: ['x'], logs: [] });
      await store.metered(first).commit({ token: 'a', fields: { x: '1' }, append: null, release: true });
      expect(claimed).toBeGreaterThan(0);
      expect(second.commands).toBeGreaterThan(0);
      expect(first.commands).toBeGreaterThan(claimed);
    });

    test('is nothing for reading nothing', async () => {
      const meter = newMeter();
      expect(await store.metered(meter).read({ fields: [], logs: [] })).toEqual({
        fields: texts({}),
        logs: texts({}),
      });
      expect(meter).toEqual(newMeter());
    });
  });

  test('answers a ping', async () => {
    await expect(store.ping()).resolves.toBeUndefined();
  });

  test('rejects every call once closed; closing again is no error', async () => {
    await store.close();
    await store.close();
    const closed = { name: 'StoreError', code: 'store_unreachable' };
    await expect(store.ping()).rejects.toMatchObject(closed);
    await expect(claim('a')).rejects.toMatchObject(closed);
    await expect(commit('a', { x: '1' })).rejects.toMatchObject(closed);
    await expect(store.swap({ field: 'x', expected: null, value: '1' })).rejects.toMatchObject(closed);
    await expect(field('x')).rejects.toMatchObject(closed);
  });
}
