import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { HealthImplementation, service as healthService, type ServingStatusMap } from 'grpc-health-check';
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { createProber } from '../../lib/probe/probe.js';
import { createAuthority, type Pair } from '../support/certificates.js';
import { configOf } from '../support/runs.js';
import { closedPort, serveHttp, serveHttps, serveRaw, serveTcp, serveTls } from '../support/servers.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

const authority = createAuthority('Test CA');
const prober = createProber({ ca: [authority.ca] });
afterAll(() => prober.close());
const never = new AbortController().signal;
const attempt = (url: string, options: TargetOptions = {}) =>
  prober.attempt(someTarget(url, { timeout: 3_000, ...options }), never);
const good = { outcome: 'good', message: null, statusCode: null, reached: true };
const query = (message: string) => ({ reason: 'query', message, reached: true });

/** A real gRPC server. */
async function serve(server: Server, pair?: Pair): Promise<number> {
  const credentials = pair
    ? ServerCredentials.createSsl(null, [
        { cert_chain: Buffer.from(pair.cert), private_key: Buffer.from(pair.key) },
      ])
    : ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, found) => (error ? reject(error) : resolve(found)));
  });
  onTestFinished(() => server.forceShutdown());
  return port;
}

function healthy(statuses: ServingStatusMap): Server {
  const server = new Server();
  new HealthImplementation(statuses).addToServer(server);
  return server;
}

/** A server whose health service answers by this code, or sees the request. */
function answering(check: (metadata: Record<string, unknown>, call: { request: unknown }) => number): Server {
  const server = new Server();
  server.addService(healthService, {
    check: (
      call: { metadata: { getMap(): Record<string, unknown> }; request: unknown },
      callback: (error: object | null, answer?: object) => void,
    ) => {
      const code = check(call.metadata.getMap(), call);
      if (code === 0) callback(null, { status: 'SERVING' });
      else callback({ code, details: 'secret \x07 details' });
    },
    watch: () => undefined,
    list: () => undefined,
  });
  return server;
}

describe('a gRPC server', () => {
  const statuses: ServingStatusMap = {
    '': 'SERVING',
    'my.Api': 'SERVING',
    'my.Db': 'NOT_SERVING',
    'my.New': 'UNKNOWN',
    'odd/name é': 'SERVING',
  };
  test.each<[string, object]>([
    ['', good],
    ['/', good],
    ['/my.Api', good],
    ['/odd%2Fname%20%C3%A9', good],
    ['/my.Db', query('the service says that it is NOT_SERVING')],
    ['/my.New', query('the service says that its health is UNKNOWN')],
    ['/other', query('the health service does not know this service')],
  ])('of which %j is asked', async (path, expected) => {
    expect(await attempt(`grpc://127.0.0.1:${await serve(healthy(statuses))}${path}`)).toMatchObject(
      expected,
    );
  });

  test('without a health service is told of', async () => {
    expect(await attempt(`grpc://127.0.0.1:${await serve(new Server())}`)).toMatchObject(
      query('the server has no health service (UNIMPLEMENTED): add grpc.health.v1.Health'),
    );
  });

  test.each<[number, object]>([
    [status.UNAUTHENTICATED, query('the server wants credentials (UNAUTHENTICATED): set HEADERS')],
    [
      status.PERMISSION_DENIED,
      query('the server does not permit the check (PERMISSION_DENIED): see HEADERS'),
    ],
    [
      status.UNAVAILABLE,
      { reason: 'connect', message: 'the service is not available (UNAVAILABLE)', reached: false },
    ],
    [status.INTERNAL, query('the health service answers INTERNAL')],
    [status.ABORTED, query('the health service answers ABORTED')],
    [
      status.DEADLINE_EXCEEDED,
      {
        reason: 'timeout',
        message: 'timed out waiting for the answer (DEADLINE_EXCEEDED)',
        reached: false,
      },
    ],
  ])('that answers by code %i', async (code, expected) => {
    expect(await attempt(`grpc://127.0.0.1:${await serve(answering(() => code))}`)).toMatchObject(expected);
  });

  test('sees the headers and the user info of the configuration as metadata', async () => {
    const seen: Record<string, unknown>[] = [];
    const port = await serve(
      answering((metadata) => {
        seen.push(metadata);
        return 0;
      }),
    );
    const { targets } = configOf({
      TARGET_A_URL: `grpc://user:secret@127.0.0.1:${port}/my.Api`,
      TARGET_A_HEADERS: '{"X-Key":"1","User-Agent":"mine"}',
    });
    const target = targets[0] ?? expect.unreachable();
    expect(await prober.attempt(target, never)).toMatchObject(good);
    const [metadata] = seen;
    expect(metadata).toMatchObject({ 'x-key': '1', authorization: 'Basic dXNlcjpzZWNyZXQ=' });
    expect(String(metadata?.['user-agent'])).toBe('mine');
    expect(target.info.healthUrl).toBe(`grpc://127.0.0.1:${port}/my.Api`);
  });

  test('is left at once when the run ends', async () => {
    const run = new AbortController();
    const { port } = await serveTcp(() => run.abort());
    expect(await prober.attempt(someTarget(`grpc://127.0.0.1:${port}`), run.signal)).toMatchObject({
      interrupted: true,
    });
  });
});

/** An HTTP/2 server that answers each request by `answer`. */
async function serveHttp2(
  answer: (stream: ServerHttp2Stream, session: ServerHttp2Session) => void,
): Promise<number> {
  const server: Http2Server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session.on('error', () => undefined)));
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    if (stream.session) answer(stream, stream.session as ServerHttp2Session);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Does one step after the other until what it is done to has ended. */
function repeat(what: { readonly destroyed: boolean }, step: (next: () => void) => void): void {
  if (!what.destroyed) step(() => setImmediate(repeat, what, step));
}

const GRPC = { ':status': 200, 'content-type': 'application/grpc' };
const message = (...bytes: number[]) => Buffer.of(0, 0, 0, 0, bytes.length, ...bytes);

/** Answers with these bytes, then with this status. */
const says =
  (bytes: Buffer, grpcStatus = '0') =>
  (stream: ServerHttp2Stream) => {
    stream.respond(GRPC, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': grpcStatus }));
    stream.end(bytes);
  };

describe('an answer by HTTP/2', () => {
  const noAnswer = { reason: 'protocol', message: 'no valid gRPC answer' };
  test.each<[string, (stream: ServerHttp2Stream, session: ServerHttp2Session) => void, object]>([
    ['that serves', says(message(8, 1)), good],
    ['with fields that nobody knows', says(message(16, 200, 1, 26, 2, 8, 2, 8, 1)), good],
    ['with a status that nobody knows', says(message(8, 9)), noAnswer],
    ['without a field: UNKNOWN', says(message()), query('the service says that its health is UNKNOWN')],
    ['without a message', says(Buffer.alloc(0)), noAnswer],
    ['that is compressed', says(Buffer.of(1, 0, 0, 0, 2, 8, 1)), noAnswer],
    ['that is shorter than it says', says(Buffer.of(0, 0, 0, 0, 9, 8, 1)), noAnswer],
    ['that announces 4 GB', says(Buffer.of(0, 255, 255, 255, 255, 8, 1)), noAnswer],
    ['with a field that is cut', says(message(8, 0x81)), noAnswer],
    ['with a field longer than it', says(message(18, 9, 1)), noAnswer],
    ['with a status that is none', says(message(8, 1), 'x'), noAnswer],
    ['with a status of 99', says(message(8, 1), '99'), noAnswer],
    [
      'without trailers',
      (stream) => {
        stream.respond(GRPC);
        stream.end(message(8, 1));
      },
      noAnswer,
    ],
    [
      'with endless data',
      (stream) => {
        stream.respond(GRPC);
        repeat(stream, (next) => stream.write(Buffer.alloc(65_536), next));
      },
      noAnswer,
    ],
    [
      'of a web server',
      (stream) => {
        stream.respond({ ':status': 200, 'content-type': 'text/html' });
        stream.end('<html>');
      },
      { reason: 'protocol', message: 'no gRPC answer: something else is served here' },
    ],
    [
      'of a gateway',
      (stream) => {
        stream.respond({ ':status': 503 });
        stream.end();
      },
      { reason: 'status', statusCode: 503, message: 'status 503, expected 200', reached: false },
    ],
    [
      'of a firewall',
      (stream) => {
        stream.respond({ ':status': 403 });
        stream.end();
      },
      { reason: 'status', statusCode: 403, reached: true },
    ],
    [
      'in its head alone',
      (stream) => stream.respond({ ...GRPC, 'grpc-status': '12' }, { endStream: true }),
      { reason: 'query' },
    ],
    [
      'with a huge head',
      (stream) => stream.respond({ ...GRPC, x: 'x'.repeat(60_000), y: 'y'.repeat(60_000) }),
      { outcome: 'failed' },
    ],
    ['that is a reset', (stream) => stream.close(8), { reason: 'reset' }],
    [
      'that is a refusal of the stream',
      (stream) => stream.close(7),
      { reason: 'reset', message: 'the server ended the request' },
    ],
    ['that is a goodbye', (_stream, session) => session.goaway(11), { reason: 'reset' }],
    ['that is a hang-up', (_stream, session) => session.destroy(), { reason: 'reset' }],
    ['that never comes', () => undefined, { reason: 'timeout', message: 'timed out waiting for the answer' }],
    [
      'that never ends',
      (stream) => {
        stream.respond(GRPC);
        stream.write(message(8, 1));
      },
      { reason: 'timeout' },
    ],
    [
      'among endless settings',
      (_stream, session) => repeat(session, (next) => session.settings({ enablePush: false }, next)),
      noAnswer,
    ],
    ['among endless pings', (_stream, session) => repeat(session, (next) => session.ping(next)), noAnswer],
  ])('%s', async (_, answer, expected) => {
    const found = await attempt(`grpc://127.0.0.1:${await serveHttp2(answer)}`, { timeout: 2_000 });
    expect(found).toMatchObject(expected);
    expect(found.message ?? '').not.toContain('secret');
  });
});

describe('what is no HTTP/2', () => {
  const noHttp2 = {
    reason: 'protocol',
    message: 'the server does not speak HTTP/2 here: for a server with TLS, write grpcs://',
  };
  /** SETTINGS without content. */
  const SETTINGS = Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0);
  const flood = (frame: Buffer) => (socket: Socket) => {
    const many = Buffer.concat(Array<Buffer>(2_000).fill(frame));
    socket.write(SETTINGS);
    repeat(socket, (next) => socket.write(many, next));
  };
  test.each<[string, () => Promise<number>, object]>([
    ['a web server', async () => (await serveHttp((_request, response) => response.end())).port, noHttp2],
    [
      'another protocol',
      async () => (await serveRaw((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))).port,
      noHttp2,
    ],
    [
      'silence',
      async () => (await serveTcp(() => undefined)).port,
      { reason: 'timeout', message: 'timed out waiting for the answer' },
    ],
    ['a hang-up', async () => (await serveRaw((socket) => socket.end())).port, { reason: 'reset' }],
    ['a reset', async () => (await serveRaw((socket) => socket.resetAndDestroy())).port, { reason: 'reset' }],
    [
      'a server with TLS',
      async () => (await serveTls(authority.issue(['127.0.0.1']))).port,
      { message: expect.stringContaining('for a server with TLS, write grpcs://') as string },
    ],
    ['nobody', closedPort, { reason: 'connect', message: 'connection refused' }],
    [
      'endless frames of an unknown kind',
      async () => (await serveRaw(flood(Buffer.of(0, 0, 4, 99, 0, 0, 0, 0, 0, 1, 2, 3, 4)))).port,
      { outcome: 'failed', reason: 'protocol' },
    ],
    [
      'endless window updates',
      async () => (await serveRaw(flood(Buffer.of(0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1)))).port,
      { outcome: 'failed', reason: 'protocol' },
    ],
    [
      'endless pieces of a head',
      async () =>
        (
          await serveRaw((socket) => {
            socket.write(Buffer.concat([SETTINGS, Buffer.of(0, 0, 1, 1, 0, 0, 0, 0, 1, 0x88)]));
            flood(Buffer.of(0, 0, 0, 9, 0, 0, 0, 0, 1))(socket);
          })
        ).port,
      { outcome: 'failed' },
    ],
    [
      'a frame that announces 16 MB',
      async () =>
        (
          await serveRaw((socket) =>
            socket.write(Buffer.concat([SETTINGS, Buffer.of(255, 255, 255, 0, 0, 0, 0, 0, 1)])),
          )
        ).port,
      { outcome: 'failed' },
    ],
  ])('%s', async (_, port, expected) => {
    expect(await attempt(`grpc://127.0.0.1:${await port()}`, { timeout: 1_500 })).toMatchObject(expected);
  });
});

describe('grpcs', () => {
  test.each<[string, Pair, TargetOptions, object]>([
    ['a good certificate', authority.issue(['127.0.0.1']), {}, good],
    [
      'one that is over',
      authority.issue(['127.0.0.1'], -9, -1),
      {},
      { reason: 'tls', message: expect.stringContaining('certificate has expired') as string },
    ],
    ['another name', authority.issue(['x.test']), {}, { reason: 'tls' }],
    ['another name, not verified', authority.issue(['x.test']), { tlsVerify: false }, good],
    ['one that ends soon', authority.issue(['127.0.0.1'], -1, 3), {}, { outcome: 'degraded' }],
  ])('%s', async (_, pair, options, expected) => {
    const port = await serve(healthy({ '': 'SERVING' }), pair);
    expect(await attempt(`grpcs://127.0.0.1:${port}`, options)).toMatchObject({
      ...expected,
      tlsExpiresAt: pair.expiresAt,
    });
  });

  const pair = authority.issue(['127.0.0.1']);
  test.each<[string, () => Promise<number>, object]>([
    ['no TLS', () => serve(healthy({})), { reason: 'tls' }],
    [
      'HTTP/1.1 alone',
      async () =>
        (await serveHttps({ ...pair, ALPNProtocols: ['http/1.1'] }, (_request, response) => response.end()))
          .port,
      { reason: 'tls' },
    ],
    [
      'a web server by HTTP/2',
      async () => {
        const server = createSecureServer(pair, (_request, response) => response.end('hello'));
        await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
        onTestFinished(() => void server.close());
        return (server.address() as AddressInfo).port;
      },
      { reason: 'protocol', message: 'no gRPC answer: something else is served here' },
    ],
  ])('%s', async (_, port, expected) => {
    expect(await attempt(`grpcs://127.0.0.1:${await port()}`)).toMatchObject(expected);
  });
});
