import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openRemoteStore, texts } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { freePort, startRedis, type RedisServer } from '../support/redis.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

let redis: RedisServer;
let proxy: TcpProxy;
let store: Store;
beforeAll(async () => {
  redis = await startRedis({ password: 'secret' });
});
afterAll(async () => {
  await redis.stop();
});
beforeEach(async () => {
  await redis.flush();
  proxy = await startTcpProxy(redis.port);
  store = await open(`redis://:secret@127.0.0.1:${proxy.port}`);
});
afterEach(async () => {
  await store.close();
  await proxy.close();
});

const open = (url: string, timeout = 4000) =>
  openRemoteStore({ kind: 'redis', url }, { prefix: 'k', timeout });

/** Until the pause after failed attempts to connect is over. */
const POLL = { timeout: 60_000, interval: 100 };

const CLAIM = { token: 'a', ttl: 300_000, fields: ['x'] };
const GRANTED = { claimed: true, fields: texts({}) };
const COMMIT = { token: 'a', fields: { x: '1' }, append: null, release: true };

test('opening connects nowhere until the first call', async () => {
  await open(`redis://127.0.0.1:${await freePort()}`);
});

test('connections broken between calls are not noticed by the next call', async () => {
  await store.ping();
  proxy.cut();
  expect(await store.claim(CLAIM)).toEqual(GRANTED);
});

test('a commit whose answer broke off was made; repeated, it says so', async () => {
  await store.claim(CLAIM);
  proxy.answers = 'break';
  await expect(store.commit(COMMIT)).rejects.toMatchObject({ code: 'store_unreachable' });
  proxy.answers = 'pass';
  await expect.poll(() => store.commit(COMMIT).catch(() => null), POLL).toBe('committed');
  expect(await redis.command('HGETALL', 'k:data')).toEqual(['lease', 'a|0', 'x', '1']);
});

test('a swap whose answer broke off was made; made anew, it finds that', async () => {
  const swap = { field: 'x', expected: null, value: '1' };
  await store.ping();
  proxy.answers = 'break';
  await expect(store.swap(swap)).rejects.toMatchObject({ code: 'store_unreachable' });
  proxy.answers = 'pass';
  await expect.poll(() => store.swap(swap).catch(() => null), POLL).toBe(false);
  expect(await redis.command('HGETALL', 'k:data')).toEqual(['x', '1']);
});

test('an answer that does not come is a timeout, and the next call gets its own answer', async () => {
  const impatient = await open(`redis://:secret@127.0.0.1:${proxy.port}`, 1_500);
  await impatient.ping();
  proxy.answers = 'swallow';
  await expect(impatient.ping()).rejects.toMatchObject({ code: 'store_timeout' });
  proxy.answers = 'pass';
  await expect.poll(() => impatient.claim(CLAIM).catch(() => null), POLL).toEqual(GRANTED);
  await impatient.close();
});

test('closing ends a call under way', async () => {
  await store.ping();
  proxy.answers = 'swallow';
  const call = store.ping();
  await store.close();
  await expect(call).rejects.toMatchObject({ code: 'store_unreachable' });
});

test('a server killed and started again is found again', async () => {
  await store.ping();
  await redis.kill();
  await expect(store.claim(CLAIM)).rejects.toMatchObject({ code: 'store_unreachable' });
  await redis.restart();
  await expect.poll(() => store.claim(CLAIM).catch(() => null), POLL).toEqual(GRANTED);
  expect(await store.commit(COMMIT)).toBe('committed');
});

test('a server that is down is not asked again at each call', async () => {
  const down = await open(`redis://127.0.0.1:${await freePort()}`);
  await expect(down.claim(CLAIM)).rejects.toMatchObject({ code: 'store_unreachable' });
  await expect(down.ping()).rejects.toThrow('could not be reached a moment ago');
});

test('a server that refuses us is told of as such also while it is not asked again', async () => {
  const denied = await open(`redis://:wrong@127.0.0.1:${redis.port}`);
  for (let i = 0; i < 3; i += 1) await expect(denied.ping()).rejects.toMatchObject({ code: 'store_denied' });
  await denied.close();
});

test.each([
  ['wrong password', ':wrong@', ''],
  ['no password', '', ''],
  ['unknown user', 'nobody:secret@', ''],
])('%s is denied', async (_, login, path) => {
  const denied = await open(`redis://${login}127.0.0.1:${redis.port}${path}`);
  await expect(denied.claim(CLAIM)).rejects.toMatchObject({
    code: 'store_denied',
    message: expect.not.stringMatching(/secret|wrong |nobody|127/) as string,
  });
  await denied.close();
});

test('user, password and database of the URL are used', async () => {
  const second = await open(`redis://default:secret@127.0.0.1:${redis.port}/2`);
  await second.claim(CLAIM);
  await second.close();
  expect(await redis.command('DBSIZE')).toBe(0);
  expect(await redis.command('INFO', 'keyspace')).toContain('db2:keys=1');
});

describe.each(['', 'not a url', 'http://:secret@host', 'redis://:secret@host:99999'])('the URL %j', (url) => {
  test('is refused without naming it', async () => {
    const broken = await open(url);
    await expect(broken.ping()).rejects.toMatchObject({
      code: 'store_unreachable',
      message: expect.not.stringContaining('secret') as string,
    });
  });
});
