import { once } from 'node:events';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { exchange } from '../../lib/probe/exchange.js';
import { Deadline } from '../../lib/probe/deadline.js';
import { createProber } from '../../lib/probe/probe.js';
import { userAgentOf } from '../../lib/probe/http-probe.js';
import { ROOT } from '../support/root.js';
import { closedPort, serveHttp, serveRaw, serveTcp } from '../support/servers.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

const prober = createProber();
afterAll(() => prober.close());

const never = new AbortController().signal;
const attempt = (url: string, options?: TargetOptions) => prober.attempt(someTarget(url, options), never);
const okText = { assertions: { expectBody: { kind: 'text', text: 'ok' } } } as const;

const answering = async (listener: (request: IncomingMessage, response: ServerResponse) => void) =>
  `http://127.0.0.1:${(await serveHttp(listener)).port}/`;
const raw = async (text: string, end = true) => {
  const { port } = await serveRaw((socket) => (end ? socket.end(text) : socket.write(text)));
  return `http://127.0.0.1:${port}/`;
};

describe('an answer', () => {
  test('that is well', async () => {
    const url = await answering((_request, response) => response.end('ok'));
    const result = await attempt(url, okText);
    expect(result).toMatchObject({
      outcome: 'good',
      reason: null,
      message: null,
      statusCode: 200,
      tlsExpiresAt: null,
      timings: { dns: null, tls: null },
    });
    const { connect, ttfb, total } = result.timings;
    expect((connect ?? NaN) + (ttfb ?? NaN)).toBeLessThanOrEqual(total + 0.2);
    for (const ms of [connect, ttfb, total]) expect(((ms ?? NaN) * 10) % 1).toBeCloseTo(0, 5);
  });

  test('is judged by its status', async () => {
    const url = await answering((_request, response) => response.writeHead(503).end());
    expect(await attempt(url)).toMatchObject({ reason: 'status', statusCode: 503 });
  });

  test.each<[name: string, status: number, headers: Record<string, string>, options: TargetOptions, boolean]>(
    [
      ['a good answer', 200, {}, {}, true],
      ['a failure of the server itself', 500, {}, {}, true],
      ['a page that is not there', 404, {}, {}, true],
      ['a gateway’s status', 502, {}, {}, false],
      ['another', 503, {}, {}, false],
      ['one that is expected', 503, {}, { assertions: { expectStatus: [{ from: 503, to: 503 }] } }, true],
      [
        'Render’s edge, for a server that is not there',
        404,
        { 'x-render-routing': 'no-server' },
        { info: { host: 'render' } },
        false,
      ],
      [
        'Railway’s edge, for an application that is gone',
        404,
        { 'x-railway-fallback': 'true' },
        { info: { host: 'railway' } },
        false,
      ],
      ['a redirect that is not followed', 301, { location: '/' }, { maxRedirects: 0 }, true],
      ['a redirect into nothing', 301, { location: 'http://127.0.0.1:1/' }, {}, false],
      ['a body that does not end', 200, { 'content-length': '5' }, { timeout: 200, ...okText }, true],
    ],
  )('tells whether the host’s own server gave it: %s', async (_, status, headers, options, reached) => {
    const url = await answering((_request, response) => {
      response.writeHead(status, headers);
      if (headers['content-length'] === undefined) response.end();
      else response.flushHeaders();
    });
    expect((await attempt(url, options)).reached).toBe(reached);
  });

  test('each comes over a connection of its own, which is closed', async () => {
    const server = await serveHttp((_request, response) => response.end('ok'));
    for (let i = 0; i < 5; i++) await attempt(`http://127.0.0.1:${server.port}/`);
    expect(server.accepted()).toBe(5);
  });

  test('is told from another when many are under way', async () => {
    const url = await answering((request, response) => {
      setTimeout(() => response.end(`<${request.url ?? ''}>`), Math.random() * 20);
    });
    const results = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        attempt(`${url}${i}`, { assertions: { expectBody: { kind: 'text', text: `</${i}>` } } }),
      ),
    );
    expect(results.every(({ outcome }) => outcome === 'good')).toBe(true);
  });
});

describe('the request', () => {
  const seen = async (options: TargetOptions, change: (url: string) => string = (url) => url) => {
    let got = {};
    const url = await answering((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        got = { method: request.method, url: request.url, headers: request.headers, body };
        response.end();
      });
    });
    const result = await attempt(change(url), options);
    return { ...got, outcome: result.outcome, host: new URL(url).host };
  };

  test('has headers of its own', async () => {
    const { host, ...got } = await seen({});
    expect(got).toMatchObject({
      method: 'GET',
      url: '/',
      body: '',
      headers: {
        host,
        'user-agent': userAgentOf(null),
        accept: '*/*',
        'accept-encoding': 'gzip, deflate, br',
        connection: 'close',
      },
    });
  });

  test('takes method, headers and body from the target', async () => {
    const headers = {
      'user-agent': 'mine',
      'x-key': 'k',
      host: 'other.test',
      'content-type': 'text/x',
    };
    const got = await seen(
      { request: { method: 'POST', headers, body: 'größe' } },
      (url) => `${url}a%20b?c=d#e`,
    );
    expect(got).toMatchObject({
      outcome: 'good',
      method: 'POST',
      url: '/a%20b?c=d',
      body: 'größe',
      headers: {
        'user-agent': 'mine',
        'x-key': 'k',
        host: 'other.test',
        'content-type': 'text/x',
        'content-length': '7',
        connection: 'close',
      },
    });
  });

  test('that cannot be sent is a failure', async () => {
    const request = { headers: { 'x-bad': 'a\r\nb: c' } };
    expect(await seen({ request })).toMatchObject({ outcome: 'failed' });
    const url = await answering((_request, response) => response.end());
    expect(await attempt(url, { request })).toMatchObject({
      reason: 'protocol',
      message: 'request cannot be sent',
    });
    expect(await attempt(url, { request: { method: 'CONNECT' } })).toMatchObject({ reason: 'protocol' });
  });

  test('names the version of the package', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(userAgentOf('https://status.test')).toContain('(+https://status.test)');
    expect(userAgentOf(null)).toContain(`keepalive/${version.split('.').slice(0, 2).join('.')} `);
  });
});

describe('what an expression may name besides the body', () => {
  const page = async (length = 10) =>
    answering((_request, response) => {
      response.setHeader('Access-Control-Allow-Origin', '*').setHeader('Set-Cookie', ['a=1', 'b=2']);
      response.end('<html>'.padEnd(length, ' '));
    });
  test.each<[string, object]>([
    ['$headers."access-control-allow-origin" = "*"', { outcome: 'good' }],
    ['$headers."set-cookie" = "a=1\nb=2" and $status = 200', { outcome: 'good' }],
    ['$not($exists($headers."x-frame-options"))', { outcome: 'good' }],
    ['$ip = "127.0.0.1" and $not($exists($tls))', { outcome: 'good' }],
    ['$contains($body, "<html>")', { outcome: 'good' }],
    ['$exists($tls)', { reason: 'json', message: 'JSON expression is not true' }],
    ['$status = 200 and a = 1', { reason: 'json', message: 'body is not JSON' }],
  ])('%s', async (expectJson, expected) => {
    expect(await attempt(await page(), { assertions: { expectJson } })).toMatchObject(expected);
  });

  test.each<[object, object]>([
    [{ expectJson: '$status = 200' }, { outcome: 'good' }],
    [{ degradedJson: '$status = 200' }, { outcome: 'degraded' }],
    [{ expectJson: '$status = 200 and a = 1' }, { reason: 'too_large' }],
    [{ degradedJson: 'a = 1' }, { reason: 'too_large' }],
  ])('with a body that is cut: %j', async (assertions, expected) => {
    expect(await attempt(await page(2_000), { assertions, maxBody: 1_000 })).toMatchObject(expected);
  });
});

describe('the body', () => {
  const json = Buffer.from('{"status":"ok"}');
  const bomb = Buffer.alloc(64 * 1024 * 1024);
  test.each<[string, string, Buffer, object]>([
    ['plain', 'identity', json, { outcome: 'good' }],
    ['gzip', 'gzip', gzipSync(json), { outcome: 'good' }],
    ['gzip in capitals', 'GZip', gzipSync(json), { outcome: 'good' }],
    ['deflate', 'deflate', deflateSync(json), { outcome: 'good' }],
    ['deflate without its wrapper', 'deflate', deflateRawSync(json), { outcome: 'good' }],
    ['brotli', 'br', brotliCompressSync(json), { outcome: 'good' }],
    ['two layers', 'gzip, br', brotliCompressSync(gzipSync(json)), { outcome: 'good' }],
    ['unknown', 'zip', json, { outcome: 'good' }],
    ['a property of every object', 'constructor', json, { outcome: 'good' }],
    ['broken', 'gzip', json, { reason: 'protocol', message: 'broken content encoding' }],
    ['cut short', 'gzip', gzipSync(json).subarray(0, 20), { reason: 'json', message: 'body is not JSON' }],
    ['many layers', 'gzip,gzip,gzip,gzip', json, { reason: 'protocol' }],
    ['gzip bomb', 'gzip', gzipSync(bomb), { reason: 'too_large', statusCode: 200 }],
    ['brotli bomb', 'br', brotliCompressSync(bomb), { reason: 'too_large' }],
    ['bomb in a bomb', 'gzip, gzip', gzipSync(gzipSync(bomb)), { reason: 'too_large' }],
  ])('%s', async (_name, encoding, data, expected) => {
    const url = await answering((_request, response) => {
      response.setHeader('content-encoding', encoding);
      response.end(data);
    });
    expect(await attempt(url, { assertions: { expectJson: 'status = "ok"' } })).toMatchObject(expected);
  });

  test.each([
    ['text/html; charset=iso-8859-1', Buffer.from('gr\xfcn', 'latin1')],
    ['text/html; charset="utf-16le"', Buffer.from('grün', 'utf16le')],
    ['text/html; charset=none-such', Buffer.from('grün')],
    ['text/html', Buffer.from('\ufeffgrün')],
  ])('is read as %s', async (type, data) => {
    const url = await answering((_request, response) => response.setHeader('content-type', type).end(data));
    const expectBody = { kind: 'regex', source: '^grün$', flags: '' } as const;
    expect(await attempt(url, { assertions: { expectBody } })).toMatchObject({ outcome: 'good' });
  });

  test.each([
    [0, 'good'],
    [1, 'failed'],
  ])('%i bytes beyond the cap', async (more, outcome) => {
    const url = await answering((_request, response) => response.end(`ok${'x'.repeat(998 + more)}`));
    const result = await attempt(url, { ...okText, maxBody: 1_000 });
    expect(result).toMatchObject({ outcome: 'good' });
    const other = { ...okText, assertions: { rejectBody: { kind: 'text', text: 'no' } as const } };
    expect(await attempt(url, { ...other, maxBody: 1_000 })).toMatchObject({
      outcome,
      reason: more ? 'too_large' : null,
    });
    expect(await attempt(url, { maxBody: 1_000 })).toMatchObject({ outcome: 'good' });
  });

  test('without end is read to the cap', async () => {
    let sent = 0;
    const url = await answering((_request, response) => {
      const more = () => {
        while (!response.destroyed) {
          sent += 65_536;
          if (!response.write(Buffer.alloc(65_536))) break;
        }
      };
      response.on('drain', more);
      more();
    });
    expect(await attempt(url, okText)).toMatchObject({ reason: 'too_large', statusCode: 200 });
    expect(await attempt(url)).toMatchObject({ outcome: 'good' });
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  test('of a HEAD request is none', async () => {
    const url = await answering((_request, response) => response.setHeader('content-length', 5).end());
    expect(await attempt(url, { request: { method: 'HEAD' } })).toMatchObject({ outcome: 'good' });
  });
});

describe('a hostile server', () => {
  const ok = 'HTTP/1.1 200 OK\r\n';
  test.each<[string, string, object]>([
    ['says nothing and closes', '', { reason: 'reset' }],
    ['closes in the status line', 'HTTP/1.1 20', { reason: 'reset' }],
    ['closes in the headers', `${ok}a: b\r\n`, { reason: 'reset' }],
    ['closes in the body', `${ok}content-length: 9\r\n\r\nok`, { statusCode: 200, outcome: 'failed' }],
    [
      'closes in a chunk',
      `${ok}transfer-encoding: chunked\r\n\r\n9\r\nok`,
      { statusCode: 200, reason: 'reset' },
    ],
    ['sends garbage', 'garbage\r\n\r\n', { reason: 'protocol', statusCode: null }],
    ['sends binary', '\0\x01\x02\xff\xfe\r\n\r\n', { reason: 'protocol' }],
    ['speaks HTTP/2', 'PRI * HTTP/2.0\r\n\r\n', { reason: 'protocol' }],
    [
      'sends a garbage chunk',
      `${ok}transfer-encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n`,
      { reason: 'protocol' },
    ],
    ['sends a wrong length', `${ok}content-length: many\r\n\r\nok`, { reason: 'protocol' }],
    ['sends two lengths', `${ok}content-length: 1\r\ncontent-length: 2\r\n\r\nok`, { reason: 'protocol' }],
    [
      'sends a huge header',
      `${ok}x: ${'x'.repeat(300_000)}\r\n\r\n`,
      { reason: 'protocol', message: 'headers too large' },
    ],
    [
      'sends countless headers',
      `${ok}${'x: y\r\n'.repeat(50_000)}\r\n`,
      { reason: 'protocol', message: 'headers too large' },
    ],
    [
      'switches protocols unasked',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
      { reason: 'protocol' },
    ],
    [
      'sends interim answers without end',
      'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_000),
      { reason: 'protocol' },
    ],
    [
      'sends an interim answer',
      `HTTP/1.1 103 Early Hints\r\n\r\n${ok}content-length: 2\r\n\r\nok`,
      { outcome: 'good' },
    ],
    ['sends more than it said', `${ok}content-length: 2\r\n\r\nokmore`, { statusCode: 200 }],
    ['sends two answers', `${ok}content-length: 2\r\n\r\nok${ok}\r\n`, { statusCode: 200 }],
    ['ends the body by closing', `${ok}\r\nok`, { outcome: 'good' }],
    [
      'sends huge trailers',
      `${ok}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${'x: y\r\n'.repeat(50_000)}\r\n`,
      { reason: 'protocol' },
    ],
  ])('%s', async (_name, text, expected) => {
    expect(await attempt(await raw(text), okText)).toMatchObject(expected);
  });

  const drip = (head: string, byte: string) => async () => {
    const { port } = await serveRaw((socket) => {
      socket.write(head);
      const timer = setInterval(() => socket.write(byte), 20);
      socket.on('close', () => clearInterval(timer));
    });
    return `http://127.0.0.1:${port}/`;
  };
  test.each<[string, () => Promise<string>, string, number | null]>([
    ['never answers', () => raw('', false), 'timed out waiting for the answer', null],
    ['stalls in the headers', () => raw(`${ok}a: b`, false), 'timed out waiting for the answer', null],
    [
      'stalls in the body',
      () => raw(`${ok}content-length: 9\r\n\r\nok`, false),
      'timed out in the body',
      200,
    ],
    ['drips its headers', drip(ok, 'x'), 'timed out waiting for the answer', null],
    ['drips its body', drip(`${ok}content-length: 9999\r\n\r\n`, 'x'), 'timed out in the body', 200],
  ])('that %s meets the time limit', async (_name, serve, message, statusCode) => {
    expect(await attempt(await serve(), { timeout: 300 })).toMatchObject({
      reason: 'timeout',
      message,
      statusCode,
    });
  });

  test('resets the connection', async () => {
    const { port } = await serveRaw((socket) => socket.resetAndDestroy());
    expect(await attempt(`http://127.0.0.1:${port}/`)).toMatchObject({
      reason: 'reset',
      message: 'connection reset',
    });
    const late = await serveRaw((socket) => {
      socket.write(`${ok}content-length: 9\r\n\r\nok`, () => setTimeout(() => socket.resetAndDestroy(), 20));
    });
    expect(await attempt(`http://127.0.0.1:${late.port}/`)).toMatchObject({
      outcome: 'failed',
      statusCode: 200,
    });
  });

  test('closes at once', async () => {
    const { port } = await serveTcp((socket) => socket.destroy());
    expect(await attempt(`http://127.0.0.1:${port}/`)).toMatchObject({ reason: 'reset' });
  });

  test('that is cut off in a body without length has not sent a whole one', async () => {
    const { port } = await serveRaw((server) => server.write(`${ok}\r\nhal`));
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const limit = new Deadline(5_000, never);
    const answer = exchange(
      {
        socket,
        method: 'GET',
        path: '/',
        headers: {},
        body: null,
        maxBody: 100,
        keepBody: true,
        onHead: () => true,
      },
      limit,
    );
    socket.once('data', () => socket.destroy());
    await expect(answer).rejects.toMatchObject({ code: 'reset', message: 'connection closed early' });
    limit.close();
  });

  test('is not there', async () => {
    const url = `http://127.0.0.1:${await closedPort()}/`;
    expect(await attempt(url)).toMatchObject({
      reason: 'connect',
      message: 'connection refused',
      timings: { connect: null, ttfb: null },
    });
  });
});

describe('the end of the run', () => {
  test('ends an attempt at once', async () => {
    const controller = new AbortController();
    const running = prober.attempt(someTarget(await raw('', false), { timeout: 60_000 }), controller.signal);
    setTimeout(() => controller.abort(), 30);
    expect(await running).toMatchObject({ reason: 'timeout', message: "the run's time was up" });
  });

  test('lets none begin', async () => {
    const server = await serveHttp((_request, response) => response.end());
    const result = await prober.attempt(someTarget(`http://127.0.0.1:${server.port}/`), AbortSignal.abort());
    expect(result).toMatchObject({ reason: 'timeout', message: "the run's time was up" });
    expect(server.accepted()).toBe(0);
  });
});
