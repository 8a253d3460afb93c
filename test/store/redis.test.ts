import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openRemoteStore, texts } from '../support/stores.js';
import { refusal } from '../../lib/store/refusal.js';
import type { Store } from '../../lib/store/store.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { startUpstashFront, type UpstashFront } from '../support/upstash-front.js';
import { newMeter, storeContract } from './contract.js';

let redis: RedisServer;
let front: UpstashFront;
let proxy: TcpProxy;
beforeAll(async () => {
  redis = await startRedis();
  front = await startUpstashFront({ redisPort: redis.port, token: 'secret-token' });
  proxy = await startTcpProxy(redis.port);
});
afterAll(async () => {
  await proxy.close();
  await front.close();
  await redis.stop();
});
beforeEach(async () => {
  await redis.flush();
  front.reset();
});

const optionsOf = (timeout?: number) => ({ prefix: 'k', ...(timeout !== undefined && { timeout }) });

const claim = (fields: string[] = []) => ({ token: 'a', ttl: 300_000, fields });

describe.each([
  [
    'upstash',
    (timeout?: number) =>
      openRemoteStore({ kind: 'upstash', url: front.url, token: front.token }, optionsOf(timeout)),
  ],
  [
    'redis',
    (timeout?: number) =>
      openRemoteStore({ kind: 'redis', url: `redis://127.0.0.1:${proxy.port}` }, optionsOf(timeout)),
  ],
] as const)('%s', (kind, open) => {
  describe('contract', () => {
    storeContract(open);
  });

  let store: Store;
  beforeEach(async () => {
    store = await open();
  });
  afterEach(async () => {
    await store.close();
  });

  test('says what it is', () => {
    expect(store.kind).toBe(kind);
  });

  test('keeps all data under its prefix: one hash, and a string a log', async () => {
    await store.claim(claim());
    const append = { log: 'l', offset: 0, text: 'text' };
    await store.commit({ token: 'a', fields: { x: '1' }, append, release: false });
    expect(await redis.command('KEYS', '*')).toEqual(
      expect.arrayContaining(['k:data', 'k:lease', 'k:log:l']),
    );
    expect(await redis.command('DBSIZE')).toBe(3);
    expect(await redis.command('GET', 'k:lease')).toBe('a');
    expect(await redis.command('HGETALL', 'k:data')).toEqual(['lease', 'a|1', 'x', '1']);
    await store.commit({ token: 'a', fields: {}, append: null, release: true });
    expect(await redis.command('HGET', 'k:data', 'lease')).toBe('a|0');
    expect(await redis.command('GET', 'k:lease')).toBeNull();
  });

  test.each([
    ['claim of a held lease', 3, (s: Store) => s.claim({ ...claim(['x']), token: 'b' })],
    ['claim of a lease of its own', 5, (s: Store) => s.claim(claim(['x', 'y']))],
    [
      'commit of fields',
      3,
      (s: Store) => s.commit({ token: 'a', fields: { x: '1' }, append: null, release: true }),
    ],
    [
      'commit of fields and a log',
      4,
      (s: Store) =>
        s.commit({
          token: 'a',
          fields: { x: '1' },
          append: { log: 'l', offset: 4, text: 'x' },
          release: true,
        }),
    ],
    [
      'commit that is lost',
      2,
      (s: Store) => s.commit({ token: 'z', fields: {}, append: null, release: false }),
    ],
    [
      'commit that is lost and would release',
      3,
      (s: Store) => s.commit({ token: 'z', fields: {}, append: null, release: true }),
    ],
    ['swap', 3, (s: Store) => s.swap({ field: 'z', expected: null, value: '1' })],
    ['swap that finds something else', 2, (s: Store) => s.swap({ field: 'z', expected: 'x', value: '1' })],
    ['read of fields and logs', 2, (s: Store) => s.read({ fields: ['x', 'y'], logs: ['l', 'm'] })],
    ['read of fields', 1, (s: Store) => s.read({ fields: ['x', 'y'], logs: [] })],
    ['ping', 1, (s: Store) => s.ping()],
  ])('%s costs %i commands, as Redis counts them', async (_, commands, call) => {
    const meter = newMeter();
    await store.claim(claim());
    await store.commit({ token: 'z', fields: {}, append: null, release: false });
    await store.swap({ field: 'none', expected: 'x', value: 'x' });
    await redis.command('CONFIG', 'RESETSTAT');
    await call(store.metered(meter));
    expect(meter.commands).toBe(commands);
    expect(await redis.callsMade()).toBe(commands);
  });

  test.each([
    ['has asked it before', true],
    ['has never heard of it', false],
  ])(
    'a claim that a hanging server takes up too late holds up nobody: of a process that %s',
    async (_, knowsIt) => {
      const ttl = 400;
      const gone = await open(100);
      if (knowsIt) {
        await gone.claim({ ...claim(), token: 'before' });
        await gone.commit({ token: 'before', fields: {}, append: null, release: true });
      }
      redis.hang();
      try {
        await expect(gone.claim({ ...claim(), token: 'gone', ttl })).rejects.toMatchObject({
          code: 'store_timeout',
        });
        await gone.close();
        await delay(ttl);
      } finally {
        redis.wake();
      }
      expect(await store.claim({ ...claim(), token: 'b' })).toMatchObject({ claimed: true });
    },
  );

  test('a claim is waited for as long as was asked for, and holds up no other of its process', async () => {
    // Its attempts would be waited for until the test is given up.
    const other = await open(600_000);
    store = (await store.close(), other);
    await store.ping();
    redis.hang();
    try {
      await expect(store.claim({ ...claim(), within: 50 })).rejects.toMatchObject({ code: 'store_timeout' });
    } finally {
      redis.wake();
    }
    await expect.poll(() => redis.command('GET', 'k:lease'), { timeout: 60_000 }).toBe('a');
    expect(await store.claim({ ...claim(), token: 'b' })).toMatchObject({ claimed: true });
  });

  test.each([
    ['right', 0],
    ['an hour behind', -3_600_000],
    ['a second behind', -1_000],
    ['an hour ahead', 3_600_000],
  ])(
    'a lease expires by the clock of the server, as late as was asked for, where the process is %s',
    async (_, wrong) => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + wrong });
      try {
        const ttl = 300_000;
        await store.claim({ ...claim(), ttl });
        const left = Number(await redis.command('PTTL', 'k:lease'));
        expect(left).toBeLessThanOrEqual(ttl + 500);
        expect(left).toBeGreaterThan(ttl - 60_000);
      } finally {
        vi.useRealTimers();
      }
    },
  );

  test('a claim costs 3 commands, and TIME where the clocks were not compared for a while', async () => {
    const costOf = async (token: string) => {
      const meter = newMeter();
      await store.metered(meter).claim({ ...claim(['x']), token });
      await store.commit({ token, fields: {}, append: null, release: true });
      return meter.commands;
    };
    // The scripts are loaded by whoever comes first.
    await costOf('first');
    const other = await open();
    store = (await store.close(), other);
    expect([await costOf('b'), await costOf('c'), await costOf('d')]).toEqual([4, 3, 3]);
  });

  test('a lease that was over sooner than expected has the clocks compared anew', async () => {
    const release = (token: string) => store.commit({ token, fields: {}, append: null, release: true });
    const claimed = async (token: string) => {
      const meter = newMeter();
      expect(await store.metered(meter).claim({ ...claim(), token })).toMatchObject({ claimed: true });
      return meter.commands;
    };
    await claimed('a');
    await release('a');
    expect(await claimed('b')).toBe(3);
    await redis.command('DEL', 'k:lease');
    expect(await release('b')).toBe('committed');
    expect(await claimed('c')).toBe(4);
  });

  test('loads its scripts where they are missing, and counts that too', async () => {
    const meter = newMeter();
    await redis.command('SCRIPT', 'FLUSH');
    await redis.command('CONFIG', 'RESETSTAT');
    expect(await store.metered(meter).claim(claim())).toEqual({ claimed: true, fields: texts({}) });
    const commit = { token: 'a', fields: { x: '1' }, append: null, release: true };
    expect(await store.metered(meter).commit(commit)).toBe('committed');
    // Each script twice, what it calls, and TIME.
    expect(meter.commands).toBe(4 + 4 + 1);
    expect(await redis.callsMade()).toBe(9);
  });

  test('counts the bytes that go over the line', async () => {
    await store.read({ fields: ['x'], logs: [] });
    const line = () =>
      kind === 'upstash' ? [front.bytesIn, front.bytesOut] : [proxy.bytesIn, proxy.bytesOut];
    const [inBefore = 0, outBefore = 0] = line();
    const meter = newMeter();
    const metered = store.metered(meter);
    await metered.claim(claim(['x', 'é']));
    const append = { log: 'l', offset: 3, text: 'text' };
    await metered.commit({ token: 'a', fields: { x: '"é"', y: '\\n' }, append, release: true });
    await metered.read({ fields: ['x', 'y', 'none'], logs: ['l', 'none'] });
    const [inAfter = 0, outAfter = 0] = line();
    expect(meter).toMatchObject({ bytesSent: inAfter - inBefore, bytesReceived: outAfter - outBefore });
  });

  test('calls data of another type corrupt, and writes nothing half', async () => {
    await store.claim(claim());
    await redis.command('LPUSH', 'k:log:l', 'x');
    const append = { log: 'l', offset: 4, text: 'x' };
    await expect(
      store.commit({ token: 'a', fields: { x: '1' }, append, release: true }),
    ).rejects.toMatchObject({ code: 'store_corrupt' });
    expect(await redis.command('HGET', 'k:data', 'x')).toBeNull();
    await redis.command('SET', 'k:data', 'x');
    await expect(store.claim(claim())).rejects.toMatchObject({ code: 'store_corrupt' });
    await expect(store.read({ fields: ['x'], logs: [] })).rejects.toMatchObject({ code: 'store_corrupt' });
  });

  describe('what the last run of this process has written', () => {
    const FIELDS = ['x', 'state', 'outbox', 'maintenance'];
    const long = 'state '.repeat(200);
    let other: Store;
    beforeEach(async () => {
      other = await open();
    });
    afterEach(async () => {
      await other.close();
    });
    let runs = 0;
    const token = () => `run ${(runs += 1)}`;
    const claimed = async (by: Store, of: string) => {
      const answer = await by.claim({ token: of, ttl: 300_000, fields: FIELDS });
      return answer.claimed ? FIELDS.map((name) => answer.fields.get(name) ?? null) : 'locked';
    };
    const run = async (by: Store, fields: Record<string, string>) => {
      const name = token();
      const found = await claimed(by, name);
      await by.commit({ token: name, fields, append: null, release: true });
      return found;
    };
    const bytesOf = async (of: (by: Store) => Promise<unknown>) => {
      const meter = newMeter();
      await of(store.metered(meter));
      return meter.bytesReceived;
    };

    test('is not sent again, and told all the same', async () => {
      await run(store, { state: long, outbox: 'o', maintenance: 'm' });
      let found: unknown;
      expect(await bytesOf(async (by) => (found = await run(by, { outbox: 'p' })))).toBeLessThan(200);
      expect(found).toEqual([null, long, 'o', 'm']);
      expect(await run(store, {})).toEqual([null, long, 'p', 'm']);
    });

    test('is known from all commits of the run', async () => {
      const of = token();
      await claimed(store, of);
      await store.commit({ token: of, fields: { state: long }, append: null, release: false });
      await store.commit({ token: of, fields: { outbox: 'o' }, append: null, release: true });
      let found: unknown;
      expect(await bytesOf(async (by) => (found = await claimed(by, token())))).toBeLessThan(200);
      expect(found).toEqual([null, long, 'o', null]);
    });

    test('is not mistaken for what somebody else has written since', async () => {
      await run(store, { state: long, outbox: 'o' });
      expect(await run(other, { state: 'other' })).toEqual([null, long, 'o', null]);
      expect(await run(store, {})).toEqual([null, 'other', 'o', null]);
      const of = token();
      await claimed(other, of);
      await other.replace({ token: of, fields: { outbox: 'imported' }, logs: {} });
      expect(await run(store, {})).toEqual([null, null, 'imported', null]);
      await redis.flush();
      expect(await run(store, {})).toEqual([null, null, null, null]);
    });

    test('is told as it is stored, whoever claims and commits', async () => {
      const step = fc.record({
        by: fc.nat(1),
        fields: fc.dictionary(fc.constantFrom(...FIELDS), fc.string({ unit: 'grapheme-ascii' })),
        end: fc.constantFrom('release', 'keep', 'expire', 'swap'),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          await redis.flush();
          const model = new Map<string, string>();
          for (const { by, fields, end } of steps) {
            const [mine, its] = by === 0 ? [store, other] : [other, store];
            const of = token();
            await redis.command('DEL', 'k:lease');
            const answer = await mine.claim({ token: of, ttl: 300_000, fields: FIELDS });
            expect(answer).toEqual({
              claimed: true,
              fields: model,
            });
            if (end === 'expire') continue;
            await mine.commit({ token: of, fields, append: null, release: end !== 'keep' });
            for (const [name, text] of Object.entries(fields)) model.set(name, text);
            if (end !== 'swap') continue;
            await its.swap({ field: 'x', expected: model.get('x') ?? null, value: of });
            model.set('x', of);
          }
        }),
        { numRuns: 40 },
      );
    });
  });

  test('takes a lease that makes no sense for none', async () => {
    await redis.command('HSET', 'k:data', 'lease', 'nonsense');
    expect(await store.claim(claim())).toMatchObject({ claimed: true });
  });
});

describe('a refusal', () => {
  test.each([
    ['WRONGPASS invalid username-password pair or user is disabled.', 'store_denied'],
    ['NOAUTH Authentication required.', 'store_denied'],
    ["NOPERM this user has no permissions to run the 'evalsha' command", 'store_denied'],
    ["READONLY You can't write against a read only replica.", 'store_denied'],
    ['Unauthorized', 'store_denied'],
    ['ERR invalid password', 'store_denied'],
    ['ERR Protocol error: unauthenticated multibulk length', 'store_denied'],
    ['ERR max daily request limit exceeded. Limit: 10000, Usage: 10000.', 'store_limit'],
    ['ERR max requests limit exceeded. Limit: 500000, Usage: 500001', 'store_limit'],
    ['ERR DB capacity quota exceeded', 'store_limit'],
    ['ERR max request size exceeded. Limit: 10485760 bytes', 'store_limit'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'store_limit'],
    ['ERR max concurrent connections exceeded', 'store_unreachable'],
    ["CROSSSLOT Keys in request don't hash to the same slot", 'store_answer'],
    ['MOVED 3999 10.0.0.5:6381', 'store_unreachable'],
    ['ASK 3999 10.0.0.5:6381', 'store_unreachable'],
    ['CLUSTERDOWN The cluster is down', 'store_unreachable'],
    ['LOADING Redis is loading the dataset in memory', 'store_unreachable'],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'store_corrupt'],
    [
      'ERR Error running script (call to f_1): @user_script:3: WRONGTYPE Operation against a key',
      'store_corrupt',
    ],
    ["ERR unknown command 'EVALSHA', with args beginning with: 'secret'", 'store_answer'],
    ['anything else', 'store_answer'],
  ])('%s', (text, code) => {
    const error = refusal(text);
    expect(error.code).toBe(code);
    expect(error.message).not.toMatch(/secret|Limit:|evalsha/i);
  });
});
