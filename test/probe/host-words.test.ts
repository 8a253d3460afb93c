import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { parseConfig } from '../../lib/config/config.js';
import { checkTarget } from '../../lib/probe/check-target.js';
import { createProber, type Prober } from '../../lib/probe/probe.js';
import type { HostName } from '../../lib/types.js';
import { serveHttp } from '../support/servers.js';
import { someTarget } from '../support/targets.js';

const probers: Prober[] = [];
afterAll(() => Promise.all(probers.map((prober) => prober.close())));

const SECOND = 1_000;
const never = new AbortController().signal;
const COOKIE = '_streamlit_csrf=abc; Path=/; HttpOnly';

/** A host whose edge answers for the app, and which says what it is told to. */
async function hosted(
  host: HostName,
  app: { status: number; headers?: Record<string, string> },
  name = host === 'huggingface' ? 'me-space.hf.space' : '127.0.0.1',
) {
  const seen: string[] = [];
  const words: unknown[] = [];
  let resumed: IncomingMessage | null = null;
  let now = 1_000_000;
  const { port } = await serveHttp((request, response) => {
    const { method = '', url = '' } = request;
    seen.push(`${method} ${url}`);
    if (url.startsWith('/api/')) {
      if (method === 'POST') resumed = request;
      const word = words.length > 1 ? words.shift() : words[0];
      const isThere = word !== undefined && method === 'GET';
      response.writeHead(isThere ? 200 : 403, { 'x-csrf-token': 'token', 'set-cookie': COOKIE });
      response.end(typeof word === 'string' ? word : JSON.stringify(word ?? null));
    } else response.writeHead(app.status, app.headers).end('<title>Streamlit</title>');
  });
  const hostsFile = `hosts-of-${port}`;
  writeFileSync(hostsFile, `127.0.0.1 ${name}\n`);
  const prober = createProber({
    ...{ now: () => now, hostsFile },
    hostAddress: (address) => new URL(address.pathname, `http://127.0.0.1:${port}`),
  });
  probers.push(prober);
  const target = someTarget(`http://${name}:${port}/`, {
    ...{ info: { host }, retries: 0, wakeTimeout: 60 * SECOND },
  });
  return {
    ...{ seen, words },
    resumed: () => resumed,
    attempt: () => prober.attempt(target, never),
    check: () =>
      checkTarget(target, {
        ...{ at: 0, prober, signal: never, now: () => now, random: () => 0.5 },
        sleep: (ms) => {
          now += ms;
          return Promise.resolve();
        },
      }),
    wait: (ms: number) => (now += ms),
  };
}

it('a host that falls silent has not said that the app woke, for ten minutes', async () => {
  const app = await hosted('streamlit', { status: 200 });
  app.words.push({ status: 12 });
  expect(await app.attempt()).toMatchObject({ outcome: 'failed', origin: 'asleep' });
  app.words.length = 0;
  for (let minutes = 1; minutes < 10; minutes += 4) {
    app.wait(4 * 60 * SECOND);
    const origin = minutes < 9 ? 'asleep' : 'unknown';
    expect([minutes, (await app.attempt()).origin]).toEqual([minutes, origin]);
  }
  app.words.push({ status: 5 });
  app.wait(11 * 60 * SECOND);
  expect(await app.attempt()).toMatchObject({ outcome: 'good', origin: 'running' });
});

describe('what Streamlit says of an app whose shell answers 200', () => {
  it.each([
    [{ status: 5 }, { outcome: 'good', origin: 'running', reached: true }],
    [{ status: 12 }, { outcome: 'failed', reason: 'host', origin: 'asleep', reached: false }],
    [{ status: 3 }, { outcome: 'failed', origin: 'asleep' }],
    [{ status: 13 }, { outcome: 'failed', reason: 'host', origin: 'unwakeable' }],
    // What nobody has seen, and what is none of its answers, is not known, and no failure.
    [{ status: 99 }, { outcome: 'good', origin: 'unknown' }],
    [{ state: 'running' }, { outcome: 'good', origin: 'unknown' }],
    ['<html>', { outcome: 'good', origin: 'unknown' }],
    [[null], { outcome: 'good', origin: 'unknown' }],
    [undefined, { outcome: 'good', origin: 'unknown' }],
  ])('%j', async (word, expected) => {
    const app = await hosted('streamlit', { status: 200 });
    if (word !== undefined) app.words.push(word);
    expect(await app.attempt()).toMatchObject(expected);
  });

  it('wakes it as its button does, once, and the check is a cold start', async () => {
    const app = await hosted('streamlit', { status: 200 });
    app.words.push({ status: 12 }, null, { status: 1 }, { status: 5 });
    const check = await app.check();
    expect(check).toMatchObject({ outcome: 'good', coldStart: true, origin: 'running' });
    expect(app.seen.filter((each) => each.startsWith('POST'))).toEqual(['POST /api/v2/app/resume']);
    expect(app.resumed()?.headers).toMatchObject({
      'x-csrf-token': 'token',
      cookie: '_streamlit_csrf=abc',
    });
    // Once in ten seconds while it wakes, whatever the attempts.
    const asked = app.seen.filter((each) => each === 'GET /api/v2/app/status').length;
    expect(asked).toBe(3);
    expect(check?.attempts).toBeGreaterThan(asked);
  });

  it('is asked no more often than every ten minutes while it runs', async () => {
    const app = await hosted('streamlit', { status: 200 });
    app.words.push({ status: 5 });
    for (let i = 0; i < 20; i += 1) {
      await app.attempt();
      app.wait(60 * SECOND);
    }
    expect(app.seen.filter((each) => each === 'GET /api/v2/app/status')).toHaveLength(2);
  });
});

describe('what Hugging Face says of a Space', () => {
  it('is not asked where the Space itself answers', async () => {
    const app = await hosted('huggingface', { status: 200, headers: { 'x-proxied-replica': 'x' } });
    app.words.push({ runtime: { stage: 'PAUSED' } });
    expect(await app.attempt()).toMatchObject({ outcome: 'good', origin: 'container' });
    expect(app.seen).toHaveLength(1);
  });

  it.each([
    ['RUNNING', { outcome: 'failed', reason: 'status', origin: 'running' }],
    ['SLEEPING', { outcome: 'failed', reason: 'status', origin: 'asleep' }],
    [
      'APP_STARTING',
      { origin: 'asleep', message: 'Hugging Face says that the Space is being built or is starting' },
    ],
    ['PAUSED', { reason: 'host', origin: 'unwakeable' }],
    ['BUILD_ERROR', { reason: 'host', origin: 'unwakeable' }],
    ['NEWLY_INVENTED', { reason: 'status', origin: 'unknown' }],
  ])('%s, over an answer 503', async (stage, expected) => {
    const app = await hosted('huggingface', { status: 503 });
    app.words.push({ runtime: { stage } });
    expect(await app.attempt()).toMatchObject(expected);
    expect(app.seen[1]).toBe('GET /api/spaces/by-subdomain/me-space');
  });

  it('is not asked of a Space behind a domain of its own: the label may be a stranger’s Space', async () => {
    const app = await hosted('huggingface', { status: 200 }, 'me-space.example.com');
    app.words.push({ runtime: { stage: 'PAUSED' } });
    expect(await app.attempt()).toMatchObject({ outcome: 'good', origin: 'unknown' });
    expect(app.seen).toHaveLength(1);
  });

  it('that it is paused ends the check at once', async () => {
    const app = await hosted('huggingface', { status: 503 });
    app.words.push({ runtime: { stage: 'PAUSED' } });
    expect(await app.check()).toMatchObject({ outcome: 'failed', reason: 'host', attempts: 1 });
  });
});

describe('a session by WebSocket with a Streamlit app', () => {
  const NAME = 'chart.streamlit.app';

  /** Made as its variables say. */
  async function session(isAwake: boolean, word: number) {
    const asked: URL[] = [];
    const offered: unknown[] = [];
    const sockets = new WebSocketServer({ noServer: true });
    const server = createServer((_request, response) => response.end(JSON.stringify({ status: word })));
    server.on('upgrade', (request, socket, head) => {
      offered.push(request.headers['sec-websocket-protocol']);
      if (isAwake) sockets.handleUpgrade(request, socket, head, () => undefined);
      else socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    writeFileSync('hosts', `127.0.0.1 ${NAME}\n`);
    const prober = createProber({
      hostsFile: 'hosts',
      hostAddress: (address) => {
        asked.push(address);
        return address;
      },
    });
    probers.push(prober);
    const result = parseConfig({
      TARGET_CHART_URL: `ws://${NAME}:${port}/~/+/_stcore/stream`,
      TARGET_CHART_HEADERS: '{"Sec-WebSocket-Protocol":"streamlit"}',
    });
    const target = result.ok ? result.config.targets[0] : undefined;
    const attempt = await prober.attempt(target ?? expect.unreachable(), never);
    for (const client of sockets.clients) client.terminate();
    server.close();
    return { attempt, offered, asked };
  }

  it('is the app’s own answer', async () => {
    const { attempt, offered, asked } = await session(true, 5);
    expect(attempt).toMatchObject({ outcome: 'good', origin: 'container', reached: true });
    expect([offered, asked]).toEqual([['streamlit'], []]);
  });

  it('is refused while the app sleeps, and the app is woken by its button', async () => {
    const { attempt, asked } = await session(false, 12);
    expect(attempt).toMatchObject({ outcome: 'failed', origin: 'asleep', statusCode: 400, reached: false });
    expect(asked.map(({ protocol, pathname }) => protocol + pathname)).toEqual([
      'http:/api/v2/app/status',
      'http:/api/v2/app/resume',
    ]);
  });
});
