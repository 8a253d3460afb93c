import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { GET, POST } from '../../api/cron.js';
import { setApp } from '../../lib/app.js';
import type { RunReport } from '../../lib/run/report.js';
import { openRemoteStore } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { configOf } from '../support/runs.js';
import { serveHttp, type Listening } from '../support/servers.js';
import { sign, type Signing } from '../support/signature.js';

const SECRET = 'a-secret-of-32-characters-length';
const KEYS = {
  QSTASH_CURRENT_SIGNING_KEY: 'sig_current_of_qstash',
  QSTASH_NEXT_SIGNING_KEY: 'sig_next_of_qstash',
};
const URL = 'https://status.example.com/api/cron';
const AT = Date.UTC(2026, 10, 20, 12) / 1000;

let redis: RedisServer;
let store: Store;
let target: Listening;
let pings = 0;
let release: (() => void) | null = null;
let held: Promise<void> = Promise.resolve();

beforeAll(async () => {
  redis = await startRedis();
  store = await openRemoteStore({ kind: 'redis', url: `redis://127.0.0.1:${redis.port}` }, { prefix: 'k' });
  target = await serveHttp((_, response) => {
    pings++;
    void held.then(() => response.end('ok'));
  });
});
afterAll(async () => {
  await store.close();
  await redis.stop();
});
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: AT * 1000 });
  await redis.flush();
  pings = 0;
  setEnv({});
});
afterEach(() => {
  release?.();
  held = Promise.resolve();
  setApp(null);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Undefined: not set. */
function setEnv(env: Readonly<Record<string, string | undefined>>): void {
  const all: Readonly<Record<string, string | undefined>> = {
    CRON_SECRET: SECRET,
    ...KEYS,
    KEEP_ALIVE_PUBLIC_URL: 'https://status.example.com',
    TARGET_API_URL: `http://127.0.0.1:${target.port}/`,
    ...env,
  };
  const set = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  setApp({ config: configOf(Object.fromEntries(set)), store });
}

/** The target answers no sooner than it is released. */
function hold(): void {
  held = new Promise((resolve) => (release = resolve));
}

const signed = (signing: Partial<Signing> = {}) =>
  sign({ key: 'sig_current_of_qstash', url: URL, at: AT, ...signing });

/** As it arrives behind a proxy: under another address than the public one. */
async function post(
  signature: string | null,
  {
    body = '',
    path = '/api/cron',
    query = '',
    headers = {},
  }: { body?: string; path?: string; query?: string; headers?: Record<string, string> } = {},
) {
  const response = await POST(
    new Request(`http://10.0.0.1:3000${path}${query}`, {
      method: 'POST',
      headers: { ...(signature !== null && { 'upstash-signature': signature }), ...headers },
      ...(body !== '' && { body }),
    }),
  );
  expect(response.headers.get('cache-control')).toBe('private, no-store');
  const json = (await response.json()) as Partial<RunReport> & { error?: { code: string; message: string } };
  return { status: response.status, ...json };
}

describe('a run that QStash asks for', () => {
  it.each([
    ['with the current key', signed()],
    ['with the next key', signed({ key: 'sig_next_of_qstash' })],
    [
      'without padding in its digest',
      signed({ claims: { body: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' } }),
    ],
    ['by a clock that is ahead a little', signed({ at: AT + 9 })],
    ['a while ago', signed({ at: AT - 300 - 9 })],
  ])('is made when it is signed %s', async (_, signature) => {
    expect(await post(signature)).toMatchObject({ status: 'completed', trigger: 'qstash', checked: 1 });
    expect(pings).toBe(1);
  });

  it('is made when its body and query are those that were signed', async () => {
    const [body, query] = ['{"some":"thing é"}', '?from=qstash&async=0'];
    const signature = signed({ url: URL + query, body });
    expect(await post(signature, { body, query })).toMatchObject({ status: 'completed', trigger: 'qstash' });
  });

  it.each([
    ['/api/cron/', '/api/cron/'],
    ['/api/cron/', '/api/cron'],
    ['/api/cron', '/api/cron/'],
  ])('is made at %s when %s is signed', async (path, signedPath) => {
    for (const [i, query] of ['', '?next=/a/'].entries()) {
      const url = `https://status.example.com${signedPath}${query}`;
      const answer = await post(signed({ url, at: AT - i }), { path, query });
      expect(answer).toMatchObject({ status: 'completed', trigger: 'qstash', stored: true });
    }
    expect((await post(signed({ url: `${URL}//` }), { path })).status).toBe(401);
    expect((await post(signed({ url: `${URL}?next=/a` }), { path, query: '?next=/a/' })).status).toBe(401);
  });

  it('is checked against the address that was asked where no public one is known', async () => {
    setEnv({ KEEP_ALIVE_PUBLIC_URL: undefined });
    expect((await post(signed())).status).toBe(401);
    expect((await post(signed({ url: 'http://10.0.0.1:3000/api/cron' }))).status).toBe('completed');
  });

  it('needs no CRON_SECRET, and only one key', async () => {
    setEnv({ CRON_SECRET: undefined, QSTASH_CURRENT_SIGNING_KEY: undefined });
    expect((await post(null)).error?.code).toBe('unauthorized');
    expect((await post(signed())).error?.code).toBe('unauthorized');
    expect((await post(signed({ key: 'sig_next_of_qstash' }))).status).toBe('completed');
  });

  it('may come twice: what was checked is not due again', async () => {
    expect(await post(signed())).toMatchObject({ status: 'completed', due: 1 });
    const again = signed({ claims: { jti: 'jwt_2' } });
    expect(await post(again)).toMatchObject({ status: 'completed', due: 0, results: [] });
    expect(pings).toBe(1);
  });

  it('may come twice at once: one of them pings', async () => {
    hold();
    const both = [post(signed()), post(signed({ claims: { jti: 'jwt_2' } }))];
    expect(await Promise.race(both)).toMatchObject({ status: 'skipped', reason: 'locked' });
    release?.();
    expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual(['completed', 'skipped']);
    expect(pings).toBe(1);
  });
});

describe('a copy of a signed request', () => {
  const copies: readonly (readonly [string, (signature: string) => string])[] = [
    ['the same', (signature) => signature],
    // 43 letters hold 2 bits more than 32 bytes.
    ['written in another way', (signature) => signature.slice(0, -1) + nextLetter(signature.slice(-1))],
  ];

  it.each(copies)(
    '(%s) is answered with a success, pings nothing and asks the store nothing',
    async (_, copy) => {
      setEnv({ KEEP_ALIVE_INTERVAL: '10s', KEEP_ALIVE_TICK: '10s' });
      const signature = signed();
      expect(await post(signature)).toMatchObject({ status: 'completed', checked: 1 });
      for (const later of [0, 60, 300, 309]) {
        vi.setSystemTime((AT + later) * 1000);
        const before = await redis.callsMade();
        expect(await post(copy(signature))).toMatchObject({
          trigger: 'qstash',
          status: 'skipped',
          reason: 'replayed',
          checked: 0,
          commands: 0,
          results: [],
        });
        expect(await redis.callsMade()).toBe(before);
      }
      vi.setSystemTime((AT + 311) * 1000);
      expect((await post(copy(signature))).error?.code).toBe('unauthorized');
      expect(pings).toBe(1);
    },
  );

  it('pings nothing with ?async=1 either', async () => {
    const query = '?async=1';
    const signature = signed({ url: URL + query });
    expect((await post(signature, { query })).status).toBe('started');
    expect(await post(signature, { query })).toMatchObject({ status: 'skipped', reason: 'replayed' });
    await expect.poll(() => pings).toBe(1);
  });

  it('with another body is refused, and does not use up the request that was signed', async () => {
    const signature = signed({ body: '{}' });
    expect((await post(signature, { body: '{"x":1}' })).error?.code).toBe('unauthorized');
    expect((await post(signature, { body: '{}' })).status).toBe('completed');
  });

  it('is told from the next request of the same second, of many too', async () => {
    const count = inject('long') ? 1_100 : 110;
    for (let i = 0; i < count; i += 1) {
      const { status } = await post(signed({ claims: { jti: `jwt_${i}` } }));
      expect(status).toBe('completed');
    }
    expect((await post(signed({ claims: { jti: `jwt_${count - 1}` } }))).reason).toBe('replayed');
  });
});

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const nextLetter = (letter: string) => LETTERS[LETTERS.indexOf(letter) + 1] ?? '';

it('on Vercel, a run is made for a call to any address of the project', async () => {
  const own = 'http://10.0.0.1:3000/api/cron';
  setEnv({ VERCEL: '1' });
  expect(await post(signed({ url: own }))).toMatchObject({ status: 'completed', trigger: 'qstash' });
  expect(await post(signed())).toMatchObject({ status: 'completed', trigger: 'qstash' });
  const other = signed({ url: 'https://evil.example.com/api/cron' });
  expect((await post(other)).error?.message).toBe(
    `Upstash-Signature: for another address than ${URL} or ${own}.`,
  );
  expect(await post(other, { headers: { 'x-forwarded-host': 'evil.example.com' } })).toMatchObject({
    status: 401,
  });
});

describe('a forged request is answered 401, and nothing is pinged:', () => {
  const none = (header: object, payload: object) =>
    `${[header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
  const good = signed();
  const [head = '', payload = '', mac = ''] = good.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  const without = (name: string) => signed({ claims: { [name]: undefined } });

  it.each<[what: string, signature: string | null, request?: Parameters<typeof post>[1]]>([
    ['no signature', null],
    ['an empty one', ''],
    ['a word', 'signature'],
    ['dots', '..'],
    ['a very long one', 'x'.repeat(100_000)],
    ['markup', '<script>.{}.\'"'],
    ['the algorithm "none"', none({ alg: 'none', typ: 'JWT' }, claims)],
    ['the algorithm "none", with the signature of another', `${none({ alg: 'none' }, claims)}${mac}`],
    ['another algorithm', signed({ header: { alg: 'HS512' } })],
    ['an algorithm with a public key', signed({ header: { alg: 'RS256' } })],
    ['a critical extension', signed({ header: { crit: ['x'], x: 1 } })],
    ['another key', signed({ key: 'sig_other' })],
    ['an empty key', signed({ key: '' })],
    ['CRON_SECRET as the key', signed({ key: SECRET })],
    ['no signature in the token', `${head}.${payload}.`],
    ['no signature, nor its dot', `${head}.${payload}`],
    ['a changed signature', `${head}.${payload}.${mac.startsWith('A') ? 'B' : 'A'}${mac.slice(1)}`],
    [
      'a changed claim',
      `${head}.${Buffer.from(JSON.stringify({ ...claims, exp: AT + 9999 })).toString('base64url')}.${mac}`,
    ],
    ['another host', signed({ url: 'https://evil.example.com/api/cron' })],
    ['the address that it came to', signed({ url: 'http://10.0.0.1:3000/api/cron' })],
    ['another path', signed({ url: 'https://status.example.com/api/health' })],
    ['two slashes at the end', signed({ url: `${URL}//` })],
    ['a query that was not signed', good, { query: '?async=1' }],
    ['a signed query that is missing', signed({ url: `${URL}?async=1` })],
    ['another issuer', signed({ claims: { iss: 'Somebody' } })],
    ['expired', signed({ at: AT - 300 - 11 })],
    ['not valid yet', signed({ at: AT + 11 })],
    ['a time that is none', signed({ claims: { exp: 'never' } })],
    ['another body', good, { body: '{}' }],
    ['a body that is missing', signed({ body: '{}' })],
    ['a body that is too long', signed({ body: 'x'.repeat(65_537) }), { body: 'x'.repeat(65_537) }],
    ['a digest that is none', signed({ claims: { body: 1 } })],
    ...['iss', 'sub', 'exp', 'nbf', 'body'].map((name): [string, string] => [`no "${name}"`, without(name)]),
    ['a wrong secret beside it', signed({ key: 'x' }), { headers: { authorization: 'Bearer undefined' } }],
  ])('%s', async (_, signature, request) => {
    const answer = await post(signature, request);
    expect([answer.status, answer.error?.code]).toEqual([401, 'unauthorized']);
    expect(answer.error?.message).not.toMatch(/sig_|a-secret/);
    expect(pings).toBe(0);
  });

  it.each([
    ['keys that are not configured', signed()],
    ['an empty key where none is configured', signed({ key: '' })],
    ['the word "null"', signed({ key: 'null' })],
  ])('%s', async (_, signature) => {
    setEnv({ QSTASH_CURRENT_SIGNING_KEY: undefined, QSTASH_NEXT_SIGNING_KEY: ' ' });
    expect((await post(signature)).error?.code).toBe('unauthorized');
    expect(pings).toBe(0);
  });

  it('and 503 where neither a secret nor a key is configured', async () => {
    setEnv({
      CRON_SECRET: undefined,
      QSTASH_CURRENT_SIGNING_KEY: undefined,
      QSTASH_NEXT_SIGNING_KEY: undefined,
    });
    expect((await post(signed())).error?.code).toBe('cron_secret_missing');
    expect(pings).toBe(0);
  });

  it('and only who knows a key is told what does not fit', async () => {
    const message = async (signing: Partial<Signing>) => (await post(signed(signing))).error?.message;
    expect(await message({ url: 'https://old.example.com/api/cron' })).toBe(
      `Upstash-Signature: for another address than ${URL}.`,
    );
    expect(await message({ url: 'https://old.example.com/api/cron', key: 'x' })).toBe(
      'Upstash-Signature: made with none of the signing keys.',
    );
  });
});

describe('?async=1', () => {
  const bearer = { authorization: `Bearer ${SECRET}` };
  const isRecorded = async () => (await store.read({ fields: ['state'], logs: [] })).fields.has('state');

  it('answers before the run has ended, which goes on and is recorded', async () => {
    hold();
    expect(await post(null, { query: '?async=1', headers: bearer })).toMatchObject({ status: 'started' });
    const report = (await (
      await GET(new Request('http://10.0.0.1:3000/api/cron', { headers: bearer }))
    ).json()) as RunReport;
    expect(report).toMatchObject({ status: 'skipped', reason: 'locked' });
    release?.();
    await expect.poll(isRecorded).toBe(true);
    expect(pings).toBe(1);
  });

  it('is for QStash too', async () => {
    const query = '?async=1';
    expect(await post(signed({ url: URL + query }), { query })).toMatchObject({
      status: 'started',
      trigger: 'qstash',
    });
    await expect.poll(isRecorded).toBe(true);
  });

  it('tells Vercel to wait for the run', async () => {
    const context = Symbol.for('@vercel/request-context');
    const waitUntil = vi.fn<(work: Promise<unknown>) => void>();
    Object.assign(globalThis, { [context]: { get: () => ({ waitUntil }) } });
    try {
      await post(null, { query: '?async=1', headers: bearer });
      expect(waitUntil).toHaveBeenCalledOnce();
      await waitUntil.mock.calls[0]?.[0];
      expect(await isRecorded()).toBe(true);
    } finally {
      Reflect.deleteProperty(globalThis, context);
    }
  });

  it('asks who calls first', async () => {
    expect((await post(null, { query: '?async=1' })).status).toBe(401);
    expect(pings).toBe(0);
  });

  it('leaves no failure unhandled', async () => {
    const log = vi.spyOn(console, 'error').mockReturnValue();
    const broken = new Error('broken');
    setApp({
      config: configOf({ CRON_SECRET: SECRET, TARGET_API_URL: 'http://a.test/' }),
      store: {
        ...store,
        now: () => Date.now(),
        metered: () => {
          throw broken;
        },
      },
    });
    expect((await post(null, { query: '?async=1', headers: bearer })).status).toBe('started');
    await expect.poll(() => log.mock.calls).toEqual([[broken]]);
  });
});
