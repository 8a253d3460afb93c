import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import { createProber } from '../../lib/probe/probe.js';
import { createAuthority, type Pair } from '../support/certificates.js';
import { configOf } from '../support/runs.js';
import { closedPort, serveHttp, serveTcp, serveTls } from '../support/servers.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

const authority = createAuthority('Test CA');
const prober = createProber({ ca: [authority.ca] });
afterAll(() => prober.close());
const never = new AbortController().signal;
const attempt = (url: string, options: TargetOptions = {}) => prober.attempt(someTarget(url, options), never);

interface Serving {
  readonly url: string;
  /** Codes with which clients have closed their connections, once there is one. */
  readonly closed: Promise<number>;
}

/** A real server that greets each client by `talk`. */
async function serve(
  talk: (client: WebSocket, request: IncomingMessage) => void,
  { pair, ...options }: ServerOptions & { readonly pair?: Pair } = {},
): Promise<Serving> {
  const https = pair && createHttps(pair).listen(0, '127.0.0.1');
  const server = new WebSocketServer(
    https ? { server: https, ...options } : { port: 0, host: '127.0.0.1', ...options },
  );
  const closed = new Promise<number>((resolve) => {
    server.on('connection', (client, request) => {
      client.on('close', resolve).on('error', () => undefined);
      talk(client, request);
    });
  });
  const listening = https ?? server;
  if (!listening.address()) await new Promise((resolve) => listening.once('listening', resolve));
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
    https?.close();
  });
  const { port } = listening.address() as AddressInfo;
  return { url: `${pair ? 'wss' : 'ws'}://127.0.0.1:${port}/`, closed };
}

const silent = () => undefined;
const echo = (client: WebSocket) =>
  client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }));
const says =
  (...messages: (string | Buffer)[]) =>
  (client: WebSocket) =>
    messages.forEach((message) => client.send(message));
const text = (wanted: string): TargetOptions => ({
  assertions: { expectBody: { kind: 'text', text: wanted } },
});
const json = (expectJson: string): TargetOptions => ({ assertions: { expectJson } });
const good = { outcome: 'good', message: null };

describe('a WebSocket server', () => {
  test.each<[string, (client: WebSocket) => void, TargetOptions, object]>([
    ['that accepts', silent, {}, good],
    ['that answers the question', echo, { query: 'ping' }, good],
    ['whose answer fits', echo, { query: 'ping', ...text('ping') }, good],
    ['whose greeting fits', says('hello'), text('hello'), good],
    ['whose answer is binary', says(Buffer.from('héllo')), text('héllo'), good],
    [
      'whose third message fits',
      says('a', '{"status":"starting"}', '{"status":"ok"}'),
      json('status = "ok"'),
      good,
    ],
    [
      'whose second message fits a regular expression',
      says('a', 'b7'),
      { assertions: { expectBody: { kind: 'regex', source: '^b\\d$', flags: '' } } },
      good,
    ],
    [
      'that says what is rejected',
      says('fine', 'error'),
      {
        assertions: {
          expectBody: { kind: 'text', text: 'never' },
          rejectBody: { kind: 'text', text: 'error' },
        },
      },
      { reason: 'body' },
    ],
    [
      'that says nothing that is rejected',
      says('fine'),
      { assertions: { rejectBody: { kind: 'text', text: 'x' } } },
      good,
    ],
    [
      'that is degraded by its answer',
      says('{"load":9}'),
      { assertions: { degradedJson: 'load > 5' } },
      { outcome: 'degraded' },
    ],
    ['that is slow', silent, { assertions: { degradedAfter: -1 } }, { outcome: 'degraded' }],
    [
      'whose messages do not fit',
      says('a', 'b'),
      { ...text('c'), timeout: 500 },
      { reason: 'body', message: 'expected text not found' },
    ],
    [
      'whose message is no JSON',
      says('a'),
      { ...json('true'), timeout: 1_000 },
      { reason: 'json', message: 'body is not JSON' },
    ],
    [
      'that does not answer',
      silent,
      { query: 'ping', timeout: 500 },
      { reason: 'timeout', message: 'timed out waiting for the answer' },
    ],
    [
      'that closes instead of answering',
      (client) => client.close(4_401, 'secret'),
      { query: 'ping' },
      { reason: 'reset', message: 'the server closed the connection with code 4401' },
    ],
    [
      'that closes after a message that does not fit',
      (client) => {
        client.send('a');
        client.close(1_000);
      },
      text('b'),
      { reason: 'body' },
    ],
    [
      'that hangs up',
      (client) => client.terminate(),
      { query: 'ping' },
      { reason: 'reset', message: 'connection closed early' },
    ],
    [
      'whose message is too long',
      says('x'.repeat(1_001)),
      { ...text('x'), maxBody: 1_000 },
      { reason: 'too_large', message: 'message larger than MAX_BODY' },
    ],
    ['whose message is as long as can be', says('x'.repeat(1_000)), { ...text('x'), maxBody: 1_000 }, good],
    ['whose long message nobody looks at', says('x'.repeat(1_001)), { query: 'a', maxBody: 1_000 }, good],
    [
      'whose many messages do not fit',
      (client) => {
        const send = () => {
          if (client.readyState === client.OPEN) client.send('tick', () => setImmediate(send));
        };
        send();
      },
      { ...text('tock'), maxBody: 1_000 },
      { reason: 'too_large', message: 'no message within MAX_BODY fits' },
    ],
    [
      'whose first message fits, with many behind it',
      says('b7', ...Array<string>(1_500).fill('')),
      { assertions: { expectBody: { kind: 'regex', source: '^(b)\\d$', flags: '' } } },
      good,
    ],
    ['whose message 1,000 fits', says(...Array<string>(999).fill(''), 'tock'), text('tock'), good],
    [
      'whose first 1,000 messages do not fit',
      says(...Array<string>(1_000).fill(''), 'tock'),
      text('tock'),
      { reason: 'too_large', message: 'none of the first 1000 messages fits' },
    ],
    [
      'that pings without end',
      (client) => {
        const ping = () => {
          if (client.readyState === client.OPEN) client.ping('x', false, () => setImmediate(ping));
        };
        ping();
      },
      { query: 'a', maxBody: 1_000 },
      { reason: 'too_large' },
    ],
  ])('%s', async (_, talk, options, expected) => {
    const found = await attempt((await serve(talk)).url, options);
    expect(found).toMatchObject({ ...expected, reached: true });
  });

  test('gets a clean end, and the latency is that of the message that decides', async () => {
    const { url, closed } = await serve((client) => {
      client.send('first');
      setTimeout(() => client.send('second'), 150);
    });
    const { outcome, timings } = await attempt(url, text('second'));
    expect(outcome).toBe('good');
    expect(timings.ttfb).toBeGreaterThanOrEqual(149);
    expect(await closed).toBe(1_000);
  });

  test('that does not answer the close frame costs no latency', async () => {
    const url = await answers((socket) => accept(socket));
    const start = performance.now();
    const { outcome, timings } = await attempt(url);
    expect(outcome).toBe('good');
    expect(performance.now() - start - timings.total).toBeGreaterThan(400);
  });

  test('sees the headers, the path, the query string and the user info of the configuration', async () => {
    const seen: object[] = [];
    const { url } = await serve(
      (_client, { url: path, headers }) => {
        const {
          authorization,
          'user-agent': agent,
          'x-own': own,
          host,
          'sec-websocket-protocol': protocol,
        } = headers;
        seen.push({ path, authorization, agent, own, host, protocol });
      },
      { handleProtocols: () => 'b' },
    );
    const { targets } = configOf({
      TARGET_A_URL: `${url.replace('://', '://user:secret@')}live/feed?key=1#part`,
      TARGET_A_HEADERS: '{"X-Own":"1","User-Agent":"mine","Sec-WebSocket-Protocol":"a, b"}',
    });
    const target = targets[0] ?? expect.unreachable();
    expect(await prober.attempt(target, never)).toMatchObject(good);
    expect(seen).toEqual([
      {
        path: '/live/feed?key=1',
        authorization: `Basic ${Buffer.from('user:secret').toString('base64')}`,
        agent: 'mine',
        own: '1',
        host: new URL(url).host,
        protocol: 'a,b',
      },
    ]);
    expect(target.info.healthUrl).toBe(`${url}live/feed`);
  });

  test.each(['', 'Sec-WebSocket-Protocol: b\r\n'])(
    'that chooses no subprotocol of ours: %j',
    async (chosen) => {
      const url = await answers((socket) => accept(socket, chosen));
      const { targets } = configOf({
        TARGET_A_URL: url,
        TARGET_A_HEADERS: '{"Sec-WebSocket-Protocol":"a"}',
      });
      expect(await prober.attempt(targets[0] ?? expect.unreachable(), never)).toMatchObject({
        reason: 'protocol',
        message: 'the server chose none of the subprotocols in HEADERS: check Sec-WebSocket-Protocol',
      });
    },
  );

  test('with TLS, at an address without', async () => {
    const { port } = await serveTls(authority.issue(['127.0.0.1']));
    expect(await attempt(`ws://127.0.0.1:${port}`)).toMatchObject({
      reason: 'reset',
      message: 'connection closed without an answer: for a server with TLS, write wss://',
    });
  });

  test('is left at once when the run ends', async () => {
    const run = new AbortController();
    const { url, closed } = await serve(() => run.abort());
    expect(await prober.attempt(someTarget(url, { query: 'a' }), run.signal)).toMatchObject({
      interrupted: true,
    });
    expect(await closed).toBe(1_006);
  });
});

const OK = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
const keys = new WeakMap<Socket, string>();

/** Accepts the handshake that a raw server has got, with more headers and bytes behind the head. */
function accept(socket: Socket, headers = '', bytes: Buffer = Buffer.alloc(0)): void {
  const digest = createHash('sha1')
    .update(`${keys.get(socket)}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  socket.write(Buffer.concat([Buffer.from(`${OK}Sec-WebSocket-Accept: ${digest}\r\n${headers}\r\n`), bytes]));
}

/** The address of a server that answers the handshake's bytes by `answer`. */
async function answers(answer: (socket: Socket) => void): Promise<string> {
  const { port } = await serveTcp((socket) =>
    socket.once('data', (head) => {
      keys.set(socket, /Sec-WebSocket-Key: (\S+)/i.exec(head.toString())?.[1] ?? '');
      answer(socket);
    }),
  );
  return `ws://127.0.0.1:${port}/`;
}

describe('bytes that are no good answer', () => {
  const frame = (...bytes: number[]) => Buffer.of(...bytes);
  const noMessages = { reason: 'protocol', message: 'no valid WebSocket messages' };
  const mayHaveTls = {
    reason: 'reset',
    message: 'connection closed without an answer: for a server with TLS, write wss://',
  };
  const noHandshake = { reason: 'protocol', message: 'no valid WebSocket handshake' };
  const endless = (socket: Duplex, bytes: Buffer) => {
    const write = () => {
      if (!socket.destroyed) socket.write(bytes, () => setImmediate(write));
    };
    write();
  };

  test.each<[string, (socket: Socket) => void, object]>([
    [
      'a page',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'),
      {
        reason: 'status',
        statusCode: 200,
        message: 'status 200, expected 101 (the WebSocket handshake is refused)',
      },
    ],
    [
      'a redirect',
      (socket) => socket.end('HTTP/1.1 302 Found\r\nlocation: /x\r\n\r\n'),
      { reason: 'status', statusCode: 302 },
    ],
    [
      'a gateway error',
      (socket) => socket.end('HTTP/1.1 503 x\r\nx-render-routing: no-server\r\n\r\n'),
      { statusCode: 503, reached: false },
    ],
    [
      'a refusal with an endless body',
      (socket) => {
        socket.write('HTTP/1.1 403 x\r\n\r\n');
        endless(socket, Buffer.alloc(65_536));
      },
      { statusCode: 403 },
    ],
    [
      'another protocol',
      (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
      { reason: 'protocol', message: 'no valid HTTP answer' },
    ],
    ['nothing', (socket) => socket.end(), { reason: 'reset' }],
    ['a reset', (socket) => socket.resetAndDestroy(), mayHaveTls],
    ['an alert of TLS', (socket) => socket.end(Buffer.of(21, 3, 1, 0, 2, 2, 70)), mayHaveTls],
    ['silence', () => undefined, { reason: 'timeout', message: 'timed out waiting for the answer' }],
    ['half a head', (socket) => socket.end(OK), { reason: 'reset' }],
    [
      'a head without end',
      (socket) => {
        socket.write(OK);
        endless(socket, Buffer.from('a: b\r\n'.repeat(1_000)));
      },
      { reason: 'protocol', message: 'headers too large' },
    ],
    [
      'early hints without end',
      (socket) => endless(socket, Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_000))),
      { reason: 'protocol', message: 'headers too large' },
    ],
    ['the wrong key', (socket) => socket.write(`${OK}Sec-WebSocket-Accept: x\r\n\r\n`), noHandshake],
    [
      'a subprotocol that was not offered',
      (socket) => accept(socket, 'Sec-WebSocket-Protocol: x\r\n'),
      {
        reason: 'protocol',
        message: 'the server chose a subprotocol that was not offered: set Sec-WebSocket-Protocol in HEADERS',
      },
    ],
    ['no key', (socket) => socket.write(`${OK}\r\n`), noHandshake],
    ['another upgrade', (socket) => socket.write(`${OK.replace('websocket', 'h2c')}\r\n`), noHandshake],
    [
      'compression that nobody asked for',
      (socket) => accept(socket, 'Sec-WebSocket-Extensions: permessage-deflate\r\n'),
      noHandshake,
    ],
    ['a frame of an unknown kind', (socket) => accept(socket, '', frame(0x83, 0)), noMessages],
    ['a compressed frame', (socket) => accept(socket, '', frame(0xc1, 1, 97)), noMessages],
    ['a masked frame', (socket) => accept(socket, '', frame(0x81, 0x81, 1, 2, 3, 4, 5)), noMessages],
    ['text that is not UTF-8', (socket) => accept(socket, '', frame(0x81, 1, 0xff)), noMessages],
    ['a ping in pieces', (socket) => accept(socket, '', frame(0x09, 0)), noMessages],
    [
      'a length beyond numbers',
      (socket) => accept(socket, '', frame(0x81, 127, ...Array<number>(8).fill(0x7f))),
      { reason: 'too_large' },
    ],
    [
      'a length that never comes',
      (socket) => accept(socket, '', frame(0x81, 127, 0, 0, 1)),
      { reason: 'timeout' },
    ],
    [
      'a message in pieces without end',
      (socket) => {
        accept(socket, '', frame(0x01, 1, 97));
        endless(socket, Buffer.alloc(4_000, Buffer.of(0x00, 0x02, 97, 97)));
      },
      noMessages,
    ],
    [
      'a message in empty pieces without end',
      (socket) => {
        accept(socket, '', frame(0x01, 0));
        endless(socket, Buffer.alloc(4_000));
      },
      { outcome: 'failed' },
    ],
    [
      'a close in the middle of a message',
      (socket) => {
        accept(socket, '', frame(0x81, 10, 97));
        socket.end();
      },
      { reason: 'reset', message: 'connection closed early' },
    ],
  ])('%s', async (_, answer, expected) => {
    const found = await attempt(await answers(answer), { ...text('hello'), timeout: 2_000 });
    expect(found).toMatchObject({ outcome: 'failed', ...expected });
    expect(found.message).not.toContain('SSH');
  });

  test('a good answer, one byte at a time', async () => {
    const url = await answers((socket) => {
      const parts: Buffer[] = [];
      const write = socket.write.bind(socket);
      socket.write = (bytes: Buffer | string) => parts.push(Buffer.from(bytes)) > 0;
      accept(socket, '', Buffer.concat([frame(0x81, 5), Buffer.from('hello')]));
      const bytes = Buffer.concat(parts);
      socket.setNoDelay(true);
      const next = (i: number) => {
        if (i < bytes.length) write(bytes.subarray(i, i + 1), () => setImmediate(next, i + 1));
      };
      next(0);
    });
    expect(await attempt(url, text('hello'))).toMatchObject(good);
  });
});

describe('wss', () => {
  test.each<[string, Pair, string, TargetOptions, object]>([
    ['a good certificate', authority.issue(['127.0.0.1']), '127.0.0.1', { query: 'a' }, good],
    [
      'one that is over',
      authority.issue(['127.0.0.1'], -9, -1),
      '127.0.0.1',
      {},
      { reason: 'tls', message: expect.stringContaining('certificate has expired') as string },
    ],
    [
      'another name',
      authority.issue(['x.test']),
      '127.0.0.1',
      {},
      { reason: 'tls', message: expect.stringContaining('certificate is for another name') as string },
    ],
    ['another name, not verified', authority.issue(['x.test']), '127.0.0.1', { tlsVerify: false }, good],
    ['one that ends soon', authority.issue(['127.0.0.1'], -1, 3), '127.0.0.1', {}, { outcome: 'degraded' }],
  ])('%s', async (_, pair, host, options, expected) => {
    const { url } = await serve(echo, { pair });
    expect(await attempt(url.replace('127.0.0.1', host), options)).toMatchObject({
      ...expected,
      tlsExpiresAt: pair.expiresAt,
    });
  });

  test.each<[string, () => Promise<number>, object]>([
    [
      'no TLS',
      async () => (await serveHttp((_request, response) => response.end())).port,
      { reason: 'tls', message: expect.stringContaining('the port does not speak TLS') as string },
    ],
    [
      'silence',
      async () => (await serveTcp(() => undefined)).port,
      { reason: 'timeout', message: 'timed out in the TLS handshake' },
    ],
    ['nobody', closedPort, { reason: 'connect', message: 'connection refused' }],
  ])('%s', async (_, port, expected) => {
    expect(await attempt(`wss://127.0.0.1:${await port()}/`, { timeout: 1_000 })).toMatchObject(expected);
  });
});
