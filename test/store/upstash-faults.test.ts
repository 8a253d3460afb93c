import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openRemoteStore, texts } from '../support/stores.js';
import type { Commit, Store, StoreErrorCode } from '../../lib/store/store.js';
import { freePort, startRedis, type RedisServer } from '../support/redis.js';
import { startUpstashFront, type Fault, type UpstashFront } from '../support/upstash-front.js';

let redis: RedisServer;
let front: UpstashFront;
let store: Store;
beforeAll(async () => {
  redis = await startRedis();
  front = await startUpstashFront({ redisPort: redis.port, token: 'secret-token' });
  store = await open();
});
afterAll(async () => {
  await store.close();
  await front.close();
  await redis.stop();
});
beforeEach(async () => {
  front.reset();
  await redis.flush();
  await store.claim(CLAIM);
  await store.commit({ ...COMMIT, append: { log: 'l', offset: 0, text: 'old,' }, fields: { x: 'old' } });
  await store.claim(CLAIM);
  front.reset();
});

const open = (timeout = 4000, token = front.token) =>
  openRemoteStore({ kind: 'upstash', url: front.url, token }, { prefix: 'k', timeout });

/** Short enough for tests in which every answer fails to come. */
const SHORT = 150;
/** For tests in which the first answer fails to come and the second one must: long enough for that on a busy machine. */
const LONGER = 1_000;

const CLAIM = { token: 'a', ttl: 300_000, fields: ['x'] };
const READ = { fields: ['x'], logs: ['l'] };
const COMMIT: Commit = {
  token: 'a',
  fields: { x: 'secret-value', y: 'new' },
  append: { log: 'l', offset: 4, text: 'new' },
  release: true,
};

const OLD = { fields: { x: 'old', y: null }, log: 'old,' };
const NEW = { fields: { x: 'secret-value', y: 'new' }, log: 'old,new' };
const SWAP = { field: 'x', expected: 'old', value: 'secret-value' };
const SWAPPED = { fields: { x: 'secret-value', y: null }, log: 'old,' };
const stored = async () => {
  const [x, y] = (await redis.command('HMGET', 'k:data', 'x', 'y')) as (string | null)[];
  return { fields: { x, y }, log: await redis.command('GET', 'k:log:l') };
};

const calls = {
  claim: {
    make: (s: Store) => s.claim(CLAIM),
    good: { claimed: true, fields: texts({ x: 'old' }) },
    after: OLD,
  },
  read: {
    make: (s: Store) => s.read(READ),
    good: { fields: texts({ x: 'old' }), logs: texts({ l: 'old,' }) },
    after: OLD,
  },
  commit: { make: (s: Store) => s.commit(COMMIT), good: 'committed', after: NEW },
  swap: { make: (s: Store) => s.swap(SWAP), good: true, after: SWAPPED },
};
const names = Object.keys(calls) as (keyof typeof calls)[];

const HTML = '<html><body>502 Bad Gateway</body></html>';
const json = (error: string) => JSON.stringify({ error });
const faults: Record<string, { fault: Fault; executes?: boolean; code: StoreErrorCode; passes: boolean }> = {
  'connection refused': { fault: { kind: 'refuse' }, code: 'store_unreachable', passes: true },
  'lost answer': { fault: { kind: 'lose-answer' }, executes: true, code: 'store_unreachable', passes: true },
  'half an answer': {
    fault: { kind: 'half-answer' },
    executes: true,
    code: 'store_unreachable',
    passes: true,
  },
  hang: { fault: { kind: 'hang' }, code: 'store_timeout', passes: true },
  'HTML page': { fault: { kind: 'answer', status: 502, body: HTML }, code: 'store_answer', passes: false },
  'HTML page as success': {
    fault: { kind: 'answer', status: 200, body: HTML },
    code: 'store_answer',
    passes: false,
  },
  'garbage JSON': {
    fault: { kind: 'answer', status: 200, body: '[{"resu' },
    code: 'store_answer',
    passes: false,
  },
  'other JSON': {
    fault: { kind: 'answer', status: 200, body: '{"a":1}' },
    code: 'store_answer',
    passes: false,
  },
  'too few replies': {
    fault: { kind: 'answer', status: 200, body: '[]' },
    code: 'store_answer',
    passes: false,
  },
  'replies of another shape': {
    fault: { kind: 'answer', status: 200, body: '[{"result":"OK"},{"result":[7]}]' },
    code: 'store_answer',
    passes: false,
  },
  'allowance used up': {
    fault: { kind: 'answer', status: 400, body: json('ERR max requests limit exceeded. Limit: 500000') },
    code: 'store_limit',
    passes: false,
  },
  'token refused': {
    fault: { kind: 'answer', status: 401, body: json('WRONGPASS invalid or missing auth token') },
    code: 'store_denied',
    passes: false,
  },
};

describe.each(names)('%s', (name) => {
  const { make, good, after } = calls[name];

  describe.each(Object.entries(faults))('%s', (_, { fault, executes = false, code, passes }) => {
    test('always: rejects with its code, says nothing secret, and leaves everything or nothing', async () => {
      front.fault = () => fault;
      const impatient = await open(fault.kind === 'hang' ? SHORT : 4000);
      const error = await make(impatient).then(
        () => expect.unreachable(),
        (reason: unknown) => reason as Error,
      );
      expect(error).toMatchObject({ name: 'StoreError', code });
      expect(error.message).not.toMatch(/secret|127\.0\.0\.1|evalsha|hmget/i);
      expect(front.requests.length).toBeGreaterThanOrEqual(1);
      expect(front.requests.length).toBeLessThanOrEqual(passes ? 3 : 1);
      expect(await stored()).toEqual(executes ? after : OLD);
      front.fault = () => null;
      // A swap made anew, by whoever knows nothing of the first, finds that it was made.
      expect(await make(store)).toEqual(name === 'swap' ? !executes : good);
    });
  });

  const passing = Object.entries(faults).filter(([, { passes }]) => passes);
  test.each(passing)('%s, once: the repetition gives the right result', async (_, { fault }) => {
    front.fault = () => (front.requests.length === 1 ? fault : null);
    const impatient = await open(fault.kind === 'hang' ? LONGER : 4000);
    expect(await make(impatient)).toEqual(good);
    // A store that has just been opened asks for the time after its first claim.
    expect(front.requests).toHaveLength(name === 'claim' ? 3 : 2);
    expect(await stored()).toEqual(after);
  });

  test('late answer within the limit: waits for it', async () => {
    front.fault = () => ({ kind: 'late', until: new Promise((resolve) => setTimeout(resolve, 50)) });
    expect(await make(store)).toEqual(good);
    expect(front.requests).toHaveLength(1);
  });

  test('executed again, long after the repetition: changes nothing', async () => {
    let release = () => undefined as unknown;
    const until = new Promise((resolve) => (release = () => resolve(null)));
    front.fault = () => (front.requests.length === 1 ? { kind: 'late-execution', until } : null);
    expect(await make(await open(LONGER))).toEqual(good);
    const executed = await redis.callsMade();
    release();
    await expect.poll(() => redis.callsMade(), { timeout: 60_000 }).toBeGreaterThan(executed);
    expect(await stored()).toEqual(after);
  });

  test('server gone: unreachable; back on the same port: right again', async () => {
    await front.stop();
    await expect(make(store)).rejects.toMatchObject({ code: 'store_unreachable' });
    await front.start();
    expect(await make(store)).toEqual(good);
  });
});

test('a commit whose answer was lost is not called lost when somebody has claimed since', async () => {
  const other = await open();
  front.fault = ({ commands }) => {
    if (front.requests.length > 1 || commands[0]?.includes('b')) return null;
    return { kind: 'lose-answer' };
  };
  const commit = store.commit(COMMIT);
  await expect.poll(stored, { timeout: 60_000, interval: 5 }).toEqual(NEW);
  expect(await other.claim({ ...CLAIM, token: 'b' })).toMatchObject({ claimed: true });
  await expect(commit).rejects.toMatchObject({ code: 'store_unreachable' });
  expect(await stored()).toEqual(NEW);
});

test('what a commit has written whose answer was lost is read again, not remembered from the commit before', async () => {
  const commit = (state: string, release: boolean) =>
    store.commit({ token: 'a', fields: { state }, append: null, release });
  await commit('first', false);
  front.fault = () => ({ kind: 'lose-answer' });
  await expect(commit('last', true)).rejects.toMatchObject({ code: 'store_unreachable' });
  front.fault = () => null;
  expect(await store.claim({ ...CLAIM, token: 'b', fields: ['state'] })).toEqual({
    claimed: true,
    fields: texts({ state: 'last' }),
  });
});

test('a swap whose answer was lost says no when somebody has swapped since, and overwrites nothing', async () => {
  const other = await open();
  front.fault = ({ commands }) => {
    if (front.requests.length > 1 || commands[0]?.includes('other')) return null;
    return { kind: 'lose-answer' };
  };
  const swap = store.swap(SWAP);
  await expect.poll(stored, { timeout: 60_000, interval: 5 }).toEqual(SWAPPED);
  expect(await other.swap({ ...SWAP, expected: SWAP.value, value: 'other' })).toBe(true);
  expect(await swap).toBe(false);
  expect(await stored()).toMatchObject({ fields: { x: 'other' } });
});

test('a ping is not repeated', async () => {
  front.fault = () => ({ kind: 'refuse' });
  await expect(store.ping()).rejects.toMatchObject({ code: 'store_unreachable' });
  expect(front.requests).toHaveLength(1);
});

test('a read-only token reads, and is denied the rest', async () => {
  const reader = await open(4000, front.readOnlyToken);
  expect(await reader.read(READ)).toEqual(calls.read.good);
  await expect(reader.claim(CLAIM)).rejects.toMatchObject({ code: 'store_denied' });
  await expect(reader.commit(COMMIT)).rejects.toMatchObject({ code: 'store_denied' });
  await expect(reader.swap(SWAP)).rejects.toMatchObject({ code: 'store_denied' });
  expect(await stored()).toEqual(OLD);
});

test('a wrong token is denied', async () => {
  await expect((await open(4000, 'wrong')).ping()).rejects.toMatchObject({ code: 'store_denied' });
});

test('sends back the sync token, so that a store reads its own writes; asks for no encoding, tells no telemetry', async () => {
  await store.ping();
  await store.ping();
  const { headers } = front.requests[1] ?? expect.unreachable();
  expect(headers['upstash-sync-token']).toMatch(/^front:/);
  expect(Object.keys(headers).filter((name) => /telemetry|encoding$/.test(name))).toEqual([
    'accept-encoding',
  ]);
});

test.each(['not a url', 'redis://secret@host', 'https://'])(
  'the URL %j is refused without naming it',
  async (url) => {
    const opened = openRemoteStore({ kind: 'upstash', url, token: 't' }, { prefix: 'k' });
    await expect(opened.then((s) => s.ping())).rejects.toMatchObject({
      code: 'store_unreachable',
      message: expect.not.stringContaining('secret') as string,
    });
  },
);

test('a port where nobody listens is unreachable', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const nowhere = await openRemoteStore({ kind: 'upstash', url, token: 't' }, { prefix: 'k' });
  await expect(nowhere.ping()).rejects.toMatchObject({ code: 'store_unreachable' });
});
