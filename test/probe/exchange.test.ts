import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { nodeExchange } from '../../bench/checks/node-exchange.js';
import { exchange } from '../../lib/probe/exchange.js';
import { createProber } from '../../lib/probe/probe.js';
import { createAuthority } from '../support/certificates.js';
import { serveHttp, serveHttps, serveRaw } from '../support/servers.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

const authority = createAuthority('Test CA');
const { signal } = new AbortController();
const HEALTHY: TargetOptions = { assertions: { expectBody: { kind: 'text', text: 'healthy' } } };
const LONG = `healthy ${'x'.repeat(5_000)}`;

/** By path. */
const ANSWERS: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => unknown>> = {
  '/length': (_, response) => response.setHeader('content-length', 7).end('healthy'),
  '/chunks': (_, response) => {
    for (const piece of 'healthy') response.write(piece);
    response.end();
  },
  '/gzip': (_, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync(LONG)),
  '/br': (_, response) => response.setHeader('content-encoding', 'br').end(brotliCompressSync(LONG)),
  '/long': (_, response) => response.end(LONG),
  '/empty': (_, response) => response.writeHead(204).end(),
  '/hints': (_, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' });
    response.end('healthy');
  },
  '/moved': (_, response) => response.writeHead(302, { location: '/length' }).end('moved'),
  '/cookie': ({ headers }, response) => {
    if (headers.cookie === 'a=1; b=2') response.end('healthy');
    else response.writeHead(302, { location: '/cookie', 'set-cookie': ['a=1', 'b=2'] }).end();
  },
  '/echo': async (request, response) => response.end(`${request.method} ${await text(request)}`),
  '/failed': (_, response) => response.writeHead(500).end('healthy'),
};

const plain = await serveHttp((request, response) => void ANSWERS[request.url ?? '']?.(request, response));
const secure = await serveHttps(
  authority.issue(['127.0.0.1']),
  (request, response) => void ANSWERS[request.url ?? '']?.(request, response),
);
const cut = await serveRaw((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhealth'));
const unsized = await serveRaw((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nhealthy'));
const other = await serveRaw((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));

describe.each([
  ['our own parser', exchange],
  ["Node's client, which the benchmark puts in its place", nodeExchange],
])('a check by %s', (_, client) => {
  const prober = createProber({ ca: [authority.ca], exchange: client });
  afterAll(() => prober.close());
  const attempt = (url: string, options: TargetOptions = {}) =>
    prober.attempt(someTarget(url, { timeout: 60_000, ...options }), signal);

  test.each<[string, TargetOptions, object]>([
    ['/length', HEALTHY, { outcome: 'good', statusCode: 200 }],
    ['/chunks', HEALTHY, { outcome: 'good', statusCode: 200 }],
    ['/gzip', HEALTHY, { outcome: 'good', statusCode: 200 }],
    ['/br', HEALTHY, { outcome: 'good', statusCode: 200 }],
    ['/long', { ...HEALTHY, maxBody: 100 }, { outcome: 'good', statusCode: 200 }],
    ['/long', { ...HEALTHY, assertions: { expectJson: 'true' }, maxBody: 100 }, { reason: 'too_large' }],
    ['/length', { request: { method: 'HEAD' } }, { outcome: 'good', statusCode: 200 }],
    ['/empty', {}, { outcome: 'good', statusCode: 204 }],
    ['/hints', HEALTHY, { outcome: 'good', statusCode: 200 }],
    ['/moved', HEALTHY, { outcome: 'good', statusCode: 200 }],
    ['/cookie', HEALTHY, { outcome: 'good', statusCode: 200 }],
    [
      '/echo',
      {
        request: { method: 'POST', body: 'healthy ü' },
        assertions: { expectBody: { kind: 'text', text: 'POST healthy ü' } },
      },
      { outcome: 'good' },
    ],
    ['/failed', HEALTHY, { outcome: 'failed', reason: 'status', statusCode: 500 }],
  ])('of %s with %o is the same over HTTP and HTTPS', async (path, options, expected) => {
    for (const origin of [`http://127.0.0.1:${plain.port}`, `https://127.0.0.1:${secure.port}`]) {
      expect(await attempt(origin + path, options)).toMatchObject(expected);
    }
  });

  test.each([
    ['half a body', cut.port, { reason: 'reset', message: 'connection closed early' }],
    ['a body that ends with its connection', unsized.port, { outcome: 'good' }],
    ['no HTTP', other.port, { reason: 'protocol', message: 'no valid HTTP answer' }],
  ])('of %s', async (_name, port, expected) => {
    expect(await attempt(`http://127.0.0.1:${port}/`, HEALTHY)).toMatchObject(expected);
  });
});
