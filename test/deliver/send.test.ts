import { createServer, type Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { DeliveryError } from '../../lib/deliver/channel.js';
import { accept, send, type ServiceAnswer } from '../../lib/deliver/send.js';
import { BAD_PEERS, receive } from '../support/receiver.js';
import { closedPort, hang, serveHttp, serveRaw, serveTcp } from '../support/servers.js';

const NEVER = new AbortController().signal;
const get = (url: string, signal = NEVER) => send({ url, method: 'GET', headers: {}, body: null }, signal);
const soon = () => AbortSignal.timeout(150);

/** A peer that tells when all connections to it have gone. */
async function watched(onSocket: (socket: Socket) => void) {
  const open = new Set<Socket>();
  const { port } = await serveTcp((socket) => {
    open.add(socket);
    socket.on('data', () => undefined);
    socket.on('close', () => open.delete(socket));
    onSocket(socket);
  });
  return { url: `http://127.0.0.1:${port}/`, gone: () => expect.poll(() => open.size).toBe(0) };
}

describe('a request', () => {
  it('carries method, path, headers and body as given', async () => {
    const peer = await receive();
    const headers = { 'content-type': 'text/plain', 'x-key': 'k', 'user-agent': 'mine' };
    await send({ url: `${peer.url}/a/b?c=d&e=%20#f`, method: 'PATCH', headers, body: 'bödy' }, NEVER);
    expect(peer.received).toEqual([
      {
        method: 'PATCH',
        url: '/a/b?c=d&e=%20',
        headers: expect.objectContaining(headers) as object,
        body: 'bödy',
      },
    ]);
  });

  it('goes without a body, and over a connection of its own that ends with it', async () => {
    const peer = await receive();
    await get(peer.url);
    await get(peer.url);
    expect(peer.accepted()).toBe(2);
    expect(peer.received.map(({ body, headers }) => [body, headers.connection])).toEqual([
      ['', 'close'],
      ['', 'close'],
    ]);
  });

  it.each([200, 204, 301, 404, 500])('gives status %i as it is', async (status) => {
    const peer = await receive((response) =>
      response.writeHead(status, { location: '/there', 'x-a': 'b' }).end(),
    );
    expect(await get(peer.url)).toMatchObject({ status, headers: { 'x-a': 'b' }, text: '' });
    expect(peer.received).toHaveLength(1);
  });

  it('reads 16 KB of an answer that does not end, and hangs up', async () => {
    let closed = false;
    const { port } = await serveHttp((_request, response) => {
      response.on('close', () => (closed = true));
      const pour = () => {
        while (!response.destroyed && response.write('x'.repeat(1_000)));
      };
      response.on('drain', pour);
      pour();
    });
    const answer = await get(`http://127.0.0.1:${port}/`);
    expect(answer).toMatchObject({ status: 200, text: 'x'.repeat(16_384) });
    await expect.poll(() => closed).toBe(true);
  });

  it('has its answer with the status, also when the body stalls or breaks off', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun';
    const stalling = await watched((socket) => socket.once('data', () => socket.write(head)));
    const breaking = await watched((socket) => socket.once('data', () => socket.end(head)));
    expect(await get(stalling.url, soon())).toMatchObject({ status: 200, text: 'begun' });
    expect(await get(breaking.url)).toMatchObject({ status: 200, text: 'begun' });
    await stalling.gone();
    await breaking.gone();
  });

  it('reaches an IPv6 address', async () => {
    const { port } = await serveHttp((_request, response) => response.end('six'), '::1');
    expect(await get(`http://[::1]:${port}/`)).toMatchObject({ text: 'six' });
  });
});

describe('no answer', () => {
  it.each(Object.entries(BAD_PEERS))('is temporary from a peer that %s', async (_name, open) => {
    const port = await open();
    const failure = await get(`http://127.0.0.1:${port}/`).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: 'DeliveryError',
      code: 'temporary',
      retryAfter: null,
      delivered: [],
    });
    expect(String(failure)).not.toContain('127.0.0.1');
  });

  it('is temporary where nobody listens, and where the name is unknown', async () => {
    await expect(get(`http://127.0.0.1:${await closedPort()}/`)).rejects.toMatchObject({
      code: 'temporary',
      message: 'connection refused',
      cause: 'ECONNREFUSED',
    });
    await expect(get('http://no-such-name.invalid/')).rejects.toMatchObject({ code: 'temporary' });
  });

  it('is temporary when a TLS handshake meets what is not TLS', async () => {
    const { port } = await serveRaw((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await expect(get(`https://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: 'temporary' });
  });

  it('ends with the signal: silent peer, silent TLS peer, connection that hangs', async () => {
    const silent = await watched(() => undefined);
    await expect(get(silent.url, soon())).rejects.toMatchObject({
      code: 'temporary',
      message: 'no answer in time',
    });
    await silent.gone();
    await expect(get(silent.url.replace('http', 'https'), soon())).rejects.toMatchObject({
      code: 'temporary',
    });
    await silent.gone();
    const port = await closedPort();
    await hang('127.0.0.1', port);
    await expect(get(`http://127.0.0.1:${port}/`, soon())).rejects.toMatchObject({
      message: 'no answer in time',
    });
    expect(process.getActiveResourcesInfo()).not.toContain('TCPConnectWrap');
  });

  it('is all there is when the signal fired before', async () => {
    const peer = await receive();
    await expect(get(peer.url, AbortSignal.abort())).rejects.toMatchObject({ code: 'temporary' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(peer.received).toEqual([]);
  });

  it('leaves no listener on the signal, and no socket, after a thousand', async () => {
    const peer = await watched((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')),
    );
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, 'addEventListener');
    const remove = vi.spyOn(signal, 'removeEventListener');
    for (let batch = 0; batch < 10; batch++) {
      await Promise.all(Array.from({ length: 100 }, () => get(peer.url, signal)));
    }
    expect(remove.mock.calls.length).toBe(add.mock.calls.length);
    await peer.gone();
  });

  it('is permanent for what cannot be sent', async () => {
    const peer = await receive();
    const request = { url: peer.url, method: 'GET', headers: { 'x-a': 'b\r\nc: d' }, body: null };
    await expect(send(request, NEVER)).rejects.toMatchObject({
      code: 'permanent',
      message: 'request cannot be sent',
    });
  });

  it('carries nothing of what a peer echoed', async () => {
    const server = createServer((socket) => socket.on('data', (data) => socket.end(data)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const failure = await get(`http://127.0.0.1:${port}/bot-canary/`).catch((error: unknown) => error);
    server.close();
    const { inspect } = await import('node:util');
    expect(failure).toBeInstanceOf(DeliveryError);
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('canary');
  });
});

describe('an answer', () => {
  const answer = (status: number, headers: ServiceAnswer['headers'] = {}, text = ''): ServiceAnswer => ({
    status,
    headers,
    text,
  });
  const judged = (given: ServiceAnswer) => {
    try {
      accept(given);
      return 'taken';
    } catch (error) {
      return error instanceof DeliveryError ? [error.code, error.retryAfter] : error;
    }
  };

  it.each([
    [200, 'taken'],
    [202, 'taken'],
    [204, 'taken'],
    [299, 'taken'],
    [301, ['permanent', null]],
    [304, ['permanent', null]],
    [400, ['permanent', null]],
    [401, ['permanent', null]],
    [403, ['permanent', null]],
    [404, ['permanent', null]],
    [408, ['temporary', null]],
    [410, ['permanent', null]],
    [413, ['permanent', null]],
    [425, ['temporary', null]],
    [429, ['rate_limited', null]],
    [500, ['temporary', null]],
    [503, ['temporary', null]],
    [599, ['temporary', null]],
  ])('of status %i is %j', (status, expected) => {
    expect(judged(answer(status))).toEqual(expected);
  });

  it('says what was answered', () => {
    expect(() => accept(answer(404))).toThrow('answered 404');
  });

  it.each([
    ['7', '', 7_000],
    ['0', '', 0],
    ['0.5', '', 500],
    ['999999999', '', 3_600_000],
    ['1e9', '', null],
    ['-5', '', null],
    ['soon', '', null],
    ['May 5', '', null],
    ['', '', null],
    ['Wed, 21 Oct 2015 07:28:00 GMT', '', null],
    ['Xxx, 99 Yyy 2015 07:28:00 GMT', '', null],
    [undefined, '{"message":"limited","retry_after":1.337,"global":false}', 1_337],
    [undefined, '{"ok":false,"error_code":429,"parameters":{"retry_after":35}}', 35_000],
    ['2', '{"retry_after":1.5}', 2_000],
    [undefined, '{"retry_after":"5"}', null],
    [undefined, '{"retry_after":-1}', null],
    [undefined, '{"retry_after":1e99}', 3_600_000],
    [undefined, 'null', null],
    [undefined, '"retry_after"', null],
    [undefined, '{"retry_', null],
    [undefined, '{"parameters":null}', null],
  ])('Retry-After %j with %j waits %j', (header, text, expected) => {
    expect(judged(answer(429, header === undefined ? {} : { 'retry-after': header }, text))).toEqual([
      'rate_limited',
      expected,
    ]);
    expect(judged(answer(503, header === undefined ? {} : { 'retry-after': header }, text))).toEqual([
      'temporary',
      expected,
    ]);
  });

  it('takes an HTTP date for what it is from now', () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
    try {
      expect(judged(answer(429, { 'retry-after': 'Thu, 01 Jan 2026 00:02:00 GMT' }))).toEqual([
        'rate_limited',
        120_000,
      ]);
    } finally {
      vi.useRealTimers();
    }
  });
});

it('stands a signal that fires at any moment', async () => {
  const uncaught: unknown[] = [];
  const note = (error: unknown) => uncaught.push(error);
  process.on('uncaughtException', note);
  const peer = await receive((response) => {
    response.writeHead(200).flushHeaders();
    setTimeout(() => response.end('x'.repeat(100_000)), 1);
  });
  const outcomes = new Set<string>();
  for (let delay = 0; delay < 300; delay++) {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), (delay % 30) / 3);
    const outcome = await get(peer.url, controller.signal).then(
      ({ status }) => `answered ${status}`,
      (error: unknown) => (error instanceof DeliveryError ? error.message : 'something else'),
    );
    outcomes.add(outcome);
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.off('uncaughtException', note);
  expect(uncaught).toEqual([]);
  expect([...outcomes].filter((outcome) => !/^(?:answered 200|no answer in time)$/.test(outcome))).toEqual(
    [],
  );
});
