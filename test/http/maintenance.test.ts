import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { DELETE, POST } from '../../api/maintenance/[change].js';
import { setApp } from '../../lib/app.js';
import { loadOverview } from '../../lib/read/load.js';
import { stats } from '../../lib/read/stats.js';
import { MAINTENANCE_FIELD } from '../../lib/record/fields.js';
import { openRemoteStore } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { meddled } from '../support/meddle.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { configOf } from '../support/runs.js';
import { startUpstashFront, type UpstashFront } from '../support/upstash-front.js';

const SECRET = 'a-secret-of-32-characters-length';
const NOW = Date.UTC(2026, 10, 20, 12);
const MINUTE = 60_000;
const config = configOf({
  CRON_SECRET: SECRET,
  TARGET_API_URL: 'http://api.test/',
  TARGET_SHOP_URL: 'http://shop.test/',
  TARGET_SHOP_MAINTENANCE: '2026-11-20T12:30Z/1h',
});

let redis: RedisServer;
let front: UpstashFront;
let store: Store;
beforeAll(async () => {
  redis = await startRedis();
  front = await startUpstashFront({ redisPort: redis.port, token: 'front-token' });
  store = await openRemoteStore({ kind: 'upstash', url: front.url, token: front.token }, { prefix: 'k' });
});
afterAll(async () => {
  await store.close();
  await front.close();
  await redis.stop();
});
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  // The server's own clock goes on in earnest.
  vi.spyOn(store, 'now').mockImplementation(() => Date.now());
  await redis.flush();
  front.reset();
  setApp({ config, store });
});
afterEach(() => {
  setApp(null);
  vi.useRealTimers();
});

const send = async (
  method: 'POST' | 'DELETE',
  body?: unknown,
  { query = '', secret = SECRET }: { query?: string; secret?: string } = {},
) => {
  const request = new Request(`http://localhost/api/maintenance${query}`, {
    method,
    headers: { authorization: `Bearer ${secret}` },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const response = await (method === 'POST' ? POST : DELETE)(request);
  expect(response.headers.get('cache-control')).toContain('no-store');
  const json = (await response.json()) as {
    maintenance?: unknown;
    error?: { code: string; message: string };
  };
  return { status: response.status, ...json };
};
const inForce = async () => (await send('DELETE', { target: 'api' })).maintenance;
const shown = async (id: string) => {
  const { targets } = stats(config, await loadOverview(store, Date.now()), Date.now());
  return targets.find((target) => target.id === id)?.maintenance;
};
const at = (minutes: number) => new Date(NOW + minutes * MINUTE).toISOString();

describe('beginning and ending', () => {
  it('answers all that is in force, and the targets show it', async () => {
    expect(await send('POST', { minutes: 10, reason: ' deploy 🚀 שלום ' })).toEqual({
      status: 200,
      maintenance: [{ target: null, from: at(0), until: at(10), reason: 'deploy 🚀 שלום' }],
    });
    vi.setSystemTime(NOW + MINUTE);
    expect(await send('POST', { target: 'api', minutes: 1.5 })).toEqual({
      status: 200,
      maintenance: [
        { target: null, from: at(0), until: at(10), reason: 'deploy 🚀 שלום' },
        { target: 'api', from: at(1), until: at(2.5), reason: null },
      ],
    });
    expect(await shown('api')).toEqual({ until: at(10), reason: 'deploy 🚀 שלום' });
    expect(await send('DELETE')).toEqual({ status: 200, maintenance: [] });
    expect(await shown('api')).toBeNull();
  });

  it('a second one takes the place of the first', async () => {
    await send('POST', { minutes: 60 });
    vi.setSystemTime(NOW + MINUTE);
    expect((await send('POST', { minutes: 5, target: null, reason: null })).maintenance).toEqual([
      { target: null, from: at(1), until: at(6), reason: null },
    ]);
    expect(await shown('api')).toEqual({ until: at(6), reason: null });
  });

  it.each([
    ['in the body', { target: 'api' }, ''],
    ['in the query', undefined, '?target=api'],
    ['in an empty body and the query', {}, '?target=api&x=1'],
    ['in both', { target: 'api' }, '?target=api'],
  ])('ends one target alone, named %s', async (_, body, query) => {
    await send('POST', { minutes: 10 });
    await send('POST', { target: 'api', minutes: 20 });
    await send('POST', { target: 'shop', minutes: 20 });
    expect((await send('DELETE', body, { query })).maintenance).toMatchObject([
      { target: null },
      { target: 'shop' },
    ]);
  });

  it('ending what is not open changes nothing, and writes nothing', async () => {
    await send('POST', { target: 'shop', minutes: 10 });
    front.reset();
    expect(await send('DELETE', { target: 'api' })).toMatchObject({
      status: 200,
      maintenance: [{ target: 'shop' }],
    });
    expect(front.requests).toHaveLength(1);
  });

  it('goes on where a configured window begins, and ends with it', async () => {
    expect(await shown('shop')).toBeNull();
    await send('POST', { minutes: 30, reason: 'deploy' });
    expect(await shown('shop')).toEqual({ until: at(90), reason: 'deploy' });
    expect(await shown('api')).toEqual({ until: at(30), reason: 'deploy' });
    vi.setSystemTime(NOW + 31 * MINUTE);
    expect(await shown('shop')).toEqual({ until: at(90), reason: null });
  });

  it('loses none of ten that come at once', async () => {
    const ids = Array.from({ length: 10 }, (_, i) => `t-${i}`);
    const targets = Object.fromEntries(ids.map((_, i) => [`TARGET_T_${i}_URL`, `http://t${i}.test/`]));
    setApp({ config: configOf({ ...targets, CRON_SECRET: SECRET }), store });
    const answers = await Promise.all(ids.map((target) => send('POST', { target, minutes: 10 })));
    expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 200));
    const { maintenance } = await send('POST', { minutes: 1 });
    const found = (maintenance as { target: string | null }[]).map(({ target }) => target);
    expect(found.sort()).toEqual([...ids, null].sort());
  });

  it('holds while a run holds the lease', async () => {
    await store.claim({ token: 'run', ttl: 300_000, fields: [] });
    expect(await send('POST', { minutes: 10 })).toMatchObject({ status: 200 });
  });

  it('begins anew where what is stored cannot be read', async () => {
    await store.swap({ field: MAINTENANCE_FIELD, expected: null, value: 'nonsense' });
    expect(await shown('api')).toBeNull();
    expect(await send('POST', { minutes: 10 })).toMatchObject({ status: 200 });
    expect(await shown('api')).toEqual({ until: at(10), reason: null });
  });

  it('gives up where others never leave it alone', async () => {
    const contested = { ...meddled(store, (_, work) => work()), swap: () => Promise.resolve(false) };
    setApp({ config, store: contested });
    expect(await send('POST', { minutes: 10 })).toMatchObject({ status: 409, error: { code: 'conflict' } });
  });

  it('is refused where a hundred are in force', async () => {
    const windows = Array.from({ length: 100 }, (_, i) => [`t${i}`, NOW, MINUTE]);
    await store.swap({ field: MAINTENANCE_FIELD, expected: null, value: JSON.stringify(windows) });
    expect(await send('POST', { minutes: 1 })).toMatchObject({
      status: 409,
      error: { code: 'maintenance_full' },
    });
    expect((await send('DELETE')).maintenance).toEqual([]);
    expect(await send('POST', { minutes: 1 })).toMatchObject({ status: 200 });
  });

  it('counts once where the answer was lost on the way', async () => {
    await send('POST', { minutes: 10 });
    front.reset();
    front.fault = () => (front.requests.length === 2 ? { kind: 'lose-answer' } : null);
    expect(await send('POST', { target: 'api', minutes: 10 })).toMatchObject({
      status: 200,
      maintenance: [{ target: null }, { target: 'api' }],
    });
    expect(front.requests).toHaveLength(3);
  });

  it('says so where the store is away', async () => {
    await front.stop();
    expect(await send('POST', { minutes: 10 })).toMatchObject({
      status: 503,
      error: { code: 'store_unreachable' },
    });
    await front.start();
  });
});

describe('who may', () => {
  it.each(['', 'undefined', `${SECRET}x`, SECRET.slice(1)])('not with the secret %j', async (secret) => {
    for (const method of ['POST', 'DELETE'] as const) {
      expect(await send(method, { minutes: 1 }, { secret })).toMatchObject({
        status: 401,
        error: { code: 'unauthorized' },
      });
    }
    expect(front.requests).toEqual([]);
  });

  it('nobody where no secret is configured', async () => {
    setApp({ config: configOf({ TARGET_API_URL: 'http://api.test/' }), store });
    expect(await send('POST', { minutes: 1 })).toMatchObject({
      status: 503,
      error: { code: 'cron_secret_missing' },
    });
  });

  it('nobody where there is no database', async () => {
    setApp({ config, store: null });
    expect(await send('POST', { minutes: 1 })).toMatchObject({
      status: 503,
      error: { code: 'store_missing' },
    });
  });
});

const TARGET = "target: expected a target's id, or nothing for all targets";
const MINUTES = 'minutes: expected a number above 0, at most 10080';
const REASON = 'reason: expected one line of at most 200 characters';

describe('what is refused', () => {
  it.each([
    ['nothing', '', [MINUTES]],
    ['an empty object', {}, [MINUTES]],
    ['a text', '"minutes"', ['the body: expected a JSON object with target, minutes, reason']],
    ['a list', [{ minutes: 1 }], ['the body: expected a JSON object with target, minutes, reason']],
    ['null', 'null', ['the body: expected a JSON object with target, minutes, reason']],
    ['no JSON', '{"minutes":', ['the body: expected JSON']],
    ['a form', 'minutes=10', ['the body: expected JSON']],
    ...([0, -1, 10_080.01, '10', null, true, [1]] as const).map((minutes): [string, unknown, string[]] => [
      `minutes ${JSON.stringify(minutes)}`,
      { minutes },
      [MINUTES],
    ]),
    ['endless minutes', '{"minutes":1e999}', [MINUTES]],
    ['a number as target', { minutes: 1, target: 1 }, [TARGET]],
    ['a number as reason', { minutes: 1, reason: 1 }, [REASON]],
    ['a long reason', { minutes: 1, reason: 'é'.repeat(201) }, [REASON]],
    ['two lines', { minutes: 1, reason: 'a\nb' }, [REASON]],
    ['a control character', { minutes: 1, reason: '\u001b[31m' }, [REASON]],
    ['NUL', { minutes: 1, reason: '\0' }, [REASON]],
    ['a line separator', { minutes: 1, reason: 'a\u2028b' }, [REASON]],
    ['a turned direction', { minutes: 1, reason: 'a\u202eb' }, [REASON]],
    [
      'unknown fields',
      { minutes: 1, minute: 2, ['x'.repeat(100)]: 1 },
      [`"minute", "${'x'.repeat(40)}": unknown, expected target, minutes, reason`],
    ],
    ['__proto__', '{"minutes":1,"__proto__":{}}', ['"__proto__": unknown, expected target, minutes, reason']],
    ['all at once', { target: 1, minutes: 0, reason: 2, x: 3 }, [TARGET, MINUTES, REASON, '"x": unknown']],
  ])('%s', async (_, body, messages) => {
    const { status, error } = await send('POST', body);
    expect([status, error?.code]).toEqual([400, 'bad_request']);
    for (const message of messages) expect(error?.message).toContain(message);
    expect(error?.message.split('; ')).toHaveLength(messages.length);
    expect(front.requests).toEqual([]);
  });

  it.each([
    ['an unknown target', { minutes: 1, target: 'nobody' }, ''],
    ['the name in capitals', { minutes: 1, target: 'API' }, ''],
    ['an empty target, as of an empty variable', { minutes: 1, target: '' }, ''],
    ['an empty target in the query', { minutes: 1 }, '?target='],
    ['a hostile target', { minutes: 1, target: '__proto__' }, ''],
  ])('%s is not found', async (_, body, query) => {
    const { status, error } = await send('POST', body, { query });
    expect([status, error?.code]).toEqual([404, 'target_not_found']);
    expect(front.requests).toEqual([]);
  });

  it('two targets at once', async () => {
    expect(await send('DELETE', { target: 'api' }, { query: '?target=shop' })).toMatchObject({
      status: 400,
      error: { message: 'target: the query and the body name different ones' },
    });
  });

  it('minutes to end', async () => {
    expect(await send('DELETE', { minutes: 1 })).toMatchObject({
      status: 400,
      error: { message: '"minutes": unknown, expected target' },
    });
  });

  it('a body beyond 4 KB, whether its length is told or not', async () => {
    const long = JSON.stringify({ minutes: 1, reason: 'x'.repeat(5000) });
    expect(await send('POST', long)).toMatchObject({ status: 413, error: { code: 'too_large' } });
    const fits = ' '.repeat(4096 - '{"minutes":1}'.length) + '{"minutes":1}';
    expect(await send('POST', fits)).toMatchObject({ status: 200 });
    expect(await send('POST', ` ${fits}`)).toMatchObject({ status: 413 });
  });

  it('a body that breaks off', async () => {
    const body = new ReadableStream({ start: (controller) => controller.error(new Error('gone')) });
    const headers = { authorization: `Bearer ${SECRET}` };
    const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit;
    expect((await POST(new Request('http://localhost/api/maintenance', init))).status).toBe(400);
  });
});

it.each([1, 10_080, 0.000_001])('%d minutes are accepted', async (minutes) => {
  expect(await send('POST', { minutes, reason: '漢'.repeat(200) })).toMatchObject({ status: 200 });
  expect(await inForce()).toHaveLength(1);
});
