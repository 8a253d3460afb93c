import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { POST } from '../../api/probe.js';
import { setApp } from '../../lib/app.js';
import type { Config } from '../../lib/config/config.js';
import { send } from '../../lib/deliver/send.js';
import { serve } from '../../lib/local/server.js';
import { PeerProber } from '../../lib/peers/answer.js';
import { createPeers, Peer } from '../../lib/peers/ask.js';
import { installationId } from '../../lib/peers/installation.js';
import { questionOf, targetOf } from '../../lib/peers/question.js';
import { open, seal } from '../../lib/peers/token.js';
import type { Target } from '../../lib/types.js';
import { receive } from '../support/receiver.js';
import { configOf } from '../support/runs.js';
import { serveHttp } from '../support/servers.js';

const secret = 'a-secret-of-32-characters-length';
const NOW = Date.UTC(2026, 10, 26, 12);
const never = new AbortController().signal;
const PEER = { KEEP_ALIVE_PEER_SECRET: secret };
const targetsOf = (env: Record<string, string>): readonly Target[] => configOf(env).targets;
const targetAt = (url: string, env: Record<string, string> = {}): Target =>
  targetsOf({ TARGET_A_URL: url, ...env })[0] as Target;

describe('what is asked of a peer', () => {
  it.each([
    [
      'http',
      {
        TARGET_A_URL: 'https://u:p@a.com/x?y=1',
        TARGET_A_HEADERS: '{"X-Key":"k"}',
        TARGET_A_METHOD: 'POST',
        TARGET_A_BODY: '{}',
        TARGET_A_EXPECT_BODY: '/ok/i',
        TARGET_A_EXPECT_JSON: 'a = 1',
        TARGET_A_DEGRADED_AFTER: '2s',
      },
    ],
    ['tcp', { TARGET_A_URL: 'tcp://a.com:25', TARGET_A_QUERY: 'EHLO', TARGET_A_EXPECT_BODY: '250' }],
    ['tls', { TARGET_A_URL: 'tls://a.com:853' }],
    ['dns', { TARGET_A_URL: 'dns://9.9.9.9', TARGET_A_QUERY: 'A a.com' }],
    ['grpc', { TARGET_A_URL: 'grpcs://a.com', TARGET_A_HEADERS: '{"X-Key":"k"}' }],
    ['wss', { TARGET_A_URL: 'wss://a.com/socket', TARGET_A_QUERY: 'ping', TARGET_A_EXPECT_BODY: 'pong' }],
    ['postgres', { TARGET_A_URL: 'postgres://u:p%40@a.com/db?sslmode=require' }],
    ['redis', { TARGET_A_URL: 'rediss://:p@a.com:6380/1' }],
    ['mysql', { TARGET_A_URL: 'mysql://u:p@a.com/db' }],
    ['mongodb', { TARGET_A_URL: 'mongodb://u:p@a.com:1,b.com:2/db?tls=true' }],
    ['smtp', { TARGET_A_URL: 'smtp://u:p@a.com' }],
    ['host', { TARGET_A_URL: 'https://a.up.railway.app' }],
  ] as const)('is the whole check of a target of %s', (_kind, env) => {
    const [target] = targetsOf(env);
    const asked = targetOf(JSON.parse(JSON.stringify(questionOf(target as Target))));
    const { url, protocol, timeout, assertions, info } = target as Target;
    expect(asked).toMatchObject({ url, protocol, timeout, assertions, info: { host: info.host } });
    for (const name of ['request', 'headers', 'maxBody', 'query', 'tlsVerify', 'moreHosts', 'maxRedirects']) {
      expect([name, Reflect.get(asked ?? {}, name)]).toEqual([name, Reflect.get(target as Target, name)]);
    }
    expect(asked?.hostToken).toBeNull();
  });

  it.each([
    'http://localhost/',
    'http://10.0.0.1/',
    'http://[::1]/',
    'tcp://db.internal:5432',
    'http://169.254.169.254/',
  ])('is nothing about %s, which is not on the internet', (url) => {
    expect(questionOf(targetAt(url))).toBeNull();
  });

  it('is nothing where the attempt may take longer than a peer has', () => {
    expect(questionOf(targetAt('https://a.com/', { TARGET_A_TIMEOUT: '46s' }))).toBeNull();
  });

  const GOOD = questionOf(targetAt('https://a.com/'));
  it.each([
    ['nothing', undefined],
    ['a text', 'https://a.com/'],
    ['another address', { ...GOOD, url: 'file:///etc/passwd' }],
    ['another host', { ...GOOD, host: 'constructor' }],
    ['a field too many', { ...GOOD, more: 1 }],
    ['too long a time limit', { ...GOOD, timeout: 1e9 }],
    ['a field that the protocol lacks', { ...GOOD, fields: { ...GOOD?.fields, query: 'x' } }],
    ['a field too few', { ...GOOD, fields: {} }],
    ['a body of any size', { ...GOOD, fields: { ...GOOD?.fields, maxBody: 1e12 } }],
    [
      'a header that would begin another request',
      {
        ...GOOD,
        fields: { ...GOOD?.fields, request: { method: 'GET', headers: { a: 'b\r\nc: d' }, body: null } },
      },
    ],
    [
      'a method that would',
      { ...GOOD, fields: { ...GOOD?.fields, request: { method: 'GET /\r\n', headers: {}, body: null } } },
    ],
  ])('is not %s', (_what, content) => {
    expect(targetOf(GOOD)).not.toBeNull();
    expect(targetOf(content)).toBeNull();
  });
});

describe('an attempt for a peer', () => {
  const start = async (status = 200, location?: string) => {
    const asked: string[] = [];
    const { port } = await serveHttp((request, response) => {
      asked.push(String(request.headers['x-key']));
      const isFirst = request.url === '/';
      response.writeHead(
        isFirst && location !== undefined ? 302 : status,
        location === undefined ? {} : { location },
      );
      response.end('hello');
    });
    writeFileSync('hosts', '127.0.0.1 a.example.com\n127.0.0.2 inner.example.com\n');
    const prober = new PeerProber(
      configOf({ ...PEER, TARGET_B_URL: 'http://b.test', VERCEL_REGION: 'fra1' }),
      {
        hostsFile: 'hosts',
        isPublic: (address) => address === '127.0.0.1',
      },
    );
    onTestFinished(() => prober.close());
    const ask = (name: string, env: Record<string, string> = {}) =>
      prober.answer(
        { ...questionOf(targetAt(`http://a.com:${port}/`, env)), url: `http://${name}:${port}/` },
        NOW,
      );
    return { ask, asked, port, prober };
  };

  it('says that the target is well, or that it fails, and from where', async () => {
    const good = await start();
    expect(await good.ask('a.example.com', { TARGET_A_HEADERS: '{"X-Key":"k"}' })).toEqual({
      isWell: true,
      place: 'fra1',
    });
    expect(good.asked).toEqual(['k']);
    expect(await good.ask('a.example.com', { TARGET_A_EXPECT_BODY: 'bye' })).toEqual({
      isWell: false,
      place: 'fra1',
    });
    expect(await (await start(503)).ask('a.example.com')).toEqual({ isWell: false, place: 'fra1' });
  });

  it('never connects to a private address, by its name, as it is, or by a redirect, whatever is asked', async () => {
    const none = { isWell: null, place: 'fra1' };
    const own = await start();
    expect(await own.ask('inner.example.com')).toEqual(none);
    expect(await own.ask('127.0.0.2')).toEqual(none);
    expect(await own.ask('[::1]')).toEqual(none);
    expect(own.asked).toEqual([]);
    const redirecting = await start(200, 'http://inner.example.com/');
    expect(await redirecting.ask('a.example.com', { TARGET_A_ALLOW_PRIVATE: 'true' })).toEqual(none);
  });

  it('is made twice where it fails early: one lost packet is no opinion', async () => {
    const { ask, asked } = await start(503);
    await ask('a.example.com', { TARGET_A_RETRIES: '5' });
    expect(asked).toHaveLength(2);
  });

  it('is refused beyond 500 a minute', async () => {
    const { prober } = await start();
    for (let i = 0; i < 500; i += 1) expect(await prober.answer(null, NOW)).toMatchObject({ isWell: null });
    expect(await prober.answer(null, NOW)).toBe('busy');
    expect(await prober.answer(null, NOW + 60_000)).toMatchObject({ isWell: null });
  });
});

describe('POST /api/probe', () => {
  const config = configOf({ ...PEER, TARGET_B_URL: 'http://b.test' });
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    setApp({ config, store: null });
  });
  afterEach(() => {
    setApp(null);
    vi.useRealTimers();
  });

  const post = async (body: string): Promise<{ status: number; headers: Headers; text: string }> => {
    const answer = await POST(new Request('https://peer.test/api/probe', { method: 'POST', body }));
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text };
  };
  const sealed = async (content: unknown, time = NOW, more: { secret?: string } = {}) =>
    (await seal(content, { secret, purpose: 'request', time, ...more })).token;

  it('answers who has the secret, for that request alone', async () => {
    const { token, id } = await seal(null, { secret, purpose: 'request', time: NOW });
    const { status, text } = await post(token);
    expect(status).toBe(200);
    expect(await open(text, { secret, purpose: 'answer', now: NOW })).toMatchObject({
      id,
      content: { isWell: null, place: null },
    });
  });

  it('notices that it asks itself, and knows others by another store, address or secret', async () => {
    const idOf = (env: Record<string, string> = {}) =>
      installationId(configOf({ ...PEER, TARGET_B_URL: 'http://b.test', ...env }));
    const asking = async (from: string | null) =>
      (await seal(null, { secret, purpose: 'request', time: NOW, from })).token;
    expect(await post(await asking(idOf()))).toMatchObject({ status: 409 });
    expect(await post(await asking(null))).toMatchObject({ status: 200 });
    const others = [
      { REDIS_URL: 'redis://localhost:6379' },
      { PORT: '3001' },
      { KEEP_ALIVE_PREFIX: 'other' },
      { KEEP_ALIVE_PEER_SECRET: 'y'.repeat(32) },
      { VERCEL: '1', KEEP_ALIVE_PUBLIC_URL: 'https://a.example.com' },
      { VERCEL: '1', KEEP_ALIVE_PUBLIC_URL: 'https://b.example.com' },
    ];
    const ids = [idOf(), ...others.map(idOf)];
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids.slice(1)) expect(await post(await asking(id))).toMatchObject({ status: 200 });
  });

  it('has no opinion about this machine', async () => {
    const question = { ...questionOf(targetAt('http://a.com/')), url: 'http://127.0.0.1:1/' };
    const { text } = await post(await sealed(question));
    expect(await open(text, { secret, purpose: 'answer', now: NOW })).toMatchObject({
      content: { isWell: null },
    });
  });

  const REFUSED: readonly [
    what: string,
    body: () => string | Promise<string>,
    status: number,
    code: string,
  ][] = [
    ['an empty body', () => '', 401, 'unauthorized'],
    ['what is no token', () => 'a.b.c.d.e', 401, 'unauthorized'],
    ['a token of another secret', () => sealed(null, NOW, { secret: 'x'.repeat(32) }), 401, 'unauthorized'],
    ['an expired one', () => sealed(null, NOW - 600_000), 401, 'clock_differs'],
    ['one of the time to come', () => sealed(null, NOW + 600_000), 401, 'clock_differs'],
    ['no question', () => sealed({ url: 'file:///etc/passwd' }), 400, 'bad_request'],
    ['65 KB', () => 'x'.repeat(65 * 1024 + 1), 413, 'too_large'],
  ];
  it.each(REFUSED)('refuses %s', async (_what, body, status, code) => {
    const answer = await post(await body());
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([status, { error: { code } }]);
    expect(answer.headers.get('date')).toBe(
      code === 'clock_differs' ? 'Thu, 26 Nov 2026 12:00:00 GMT' : null,
    );
  });

  it('answers a request once', async () => {
    const token = await sealed(null);
    expect((await post(token)).status).toBe(200);
    expect(await post(token)).toMatchObject({ status: 409 });
    // The encoding of a token can be written in more than one way.
    expect(await post(` ${token}\n`)).toMatchObject({ status: 409 });
  });

  it('is not there without KEEP_ALIVE_PEER_SECRET', async () => {
    setApp({ config: configOf({ TARGET_B_URL: 'http://b.test' }), store: null });
    expect(await post(await sealed(null))).toMatchObject({ status: 404 });
  });
});

describe('a peer is asked', () => {
  const peersOf = (url: string, more: Partial<Config['peers']> = {}) =>
    createPeers({ urls: [url], secret, region: null, globalping: null, ...more }, { send, now: Date.now });
  const target = targetAt('https://a.com/', { TARGET_A_TIMEOUT: '100ms' });

  it('over HTTP, and what it says counts as its own', async () => {
    const config = configOf({ ...PEER, TARGET_B_URL: 'http://b.test', VERCEL_REGION: 'syd1' });
    setApp({ config, store: null });
    const { server, port } = await serve(0);
    onTestFinished(() => {
      setApp(null);
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${port}`;
    const of = (at: string, now: () => number = Date.now) => new Peer(url, at, { send, now });
    expect(await of(secret).ask(null, never)).toMatchObject({
      problem: null,
      answer: { isWell: null, place: 'syd1' },
    });
    expect(await of('x'.repeat(32)).ask(null, never)).toEqual({
      problem: 'it answers 401: This is not made with the KEEP_ALIVE_PEER_SECRET of this installation.',
    });
    const late = of(secret, () => Date.now() - 600_000);
    const { skew } = (await late.ask(null, never)) as { skew: number };
    expect(Math.round(skew / 60_000)).toBe(10);
    expect(await peersOf(url).ask(targetAt('http://127.0.0.1/'), never)).toEqual([]);
  });

  const honest = async (body: string, isWell: boolean, place: string | null = null) => {
    const asked = await open(body, { secret, purpose: 'request', now: Date.now() });
    if (asked.problem !== null) throw new Error('not opened');
    return seal({ isWell, place }, { secret, purpose: 'answer', time: Date.now(), id: asked.id });
  };

  it('and named by its region, or else by its host', async () => {
    const { url } = await receive((response, { body }) => {
      void honest(body, true).then(({ token }) => response.end(token));
    });
    expect(await peersOf(url).ask(target, never)).toEqual([{ place: new URL(url).host, isWell: true }]);
    const named = await receive((response, { body }) => {
      void honest(body, false, 'fra1').then(({ token }) => response.end(token));
    });
    expect(await peersOf(named.url).ask(target, never)).toEqual([{ place: 'fra1', isWell: false }]);
  });

  const old = async () =>
    (await seal({ isWell: true, place: null }, { secret, purpose: 'answer', time: Date.now() })).token;
  it.each([
    ['answers another request', old],
    [
      'has another secret',
      async () =>
        (
          await seal(
            { isWell: true, place: null },
            { secret: 'x'.repeat(32), purpose: 'answer', time: Date.now() },
          )
        ).token,
    ],
    ['sends the request back', (body: string) => Promise.resolve(body)],
    ['says something else', () => Promise.resolve('{"isWell":true}')],
    [
      'sends a place that is none',
      async (body: string): Promise<string> => (await honest(body, true, '<b>')).token,
    ],
    ['never ends', () => new Promise<string>(() => undefined)],
  ])('and has no opinion where it %s', async (_what, answer) => {
    const { url } = await receive((response, { body }) => {
      void answer(body).then((text) => response.end(text));
    });
    const ended = new AbortController();
    const timer = setTimeout(() => ended.abort(), 500);
    expect(await peersOf(url).ask(target, ended.signal)).toEqual([]);
    clearTimeout(timer);
  });

  it('about a hundred targets at once, and again where it has too much to do', async () => {
    let underWay = 0;
    let refused = 0;
    const { url } = await receive((response, { body }, before) => {
      underWay += 1;
      const isBusy = underWay > 20 || before % 7 === 0;
      setTimeout(() => {
        underWay -= 1;
        if (!isBusy) return void honest(body, true).then(({ token }) => response.end(token));
        refused += 1;
        response.writeHead(429).end('{"error":{"code":"too_many_attempts","message":"Too many probes."}}');
      }, 10);
    });
    const peers = peersOf(url);
    const patient = targetAt('https://a.com/', { TARGET_A_TIMEOUT: '40s' });
    const opinions = await Promise.all(Array.from({ length: 100 }, () => peers.ask(patient, never)));
    expect(opinions.filter(([opinion]) => opinion?.isWell === true)).toHaveLength(100);
    expect(refused).toBeGreaterThan(0);
  });

  it('and has none where nobody listens, or where it floods', async () => {
    expect(await peersOf('http://127.0.0.1:1').ask(target, never)).toEqual([]);
    const { url } = await receive((response) => response.end('x'.repeat(1_000_000)));
    expect(await peersOf(url).ask(target, never)).toEqual([]);
  });
});
