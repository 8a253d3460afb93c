import { writeFile } from 'node:fs/promises';
import { createSecureServer } from 'node:http2';
import type { RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { createProber } from '../../lib/probe/probe.js';
import { configOf } from '../support/runs.js';
import { createAuthority, type Pair } from '../support/certificates.js';
import { serveDns } from '../support/dns.js';
import { serveHttp, serveHttps, serveRaw, serveTcp, serveTls } from '../support/servers.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

const authority = createAuthority('Test CA');
const dns = await serveDns({
  'a.test': { A: ['127.0.0.1'] },
  'b.test': { A: ['127.0.0.1'] },
  'my_app.example.test': { A: ['127.0.0.1'] },
  'split.test': { A: ['127.0.0.66'] },
});
const prober = createProber({ servers: dns.servers, ca: [authority.ca] });
afterAll(() => prober.close());
const { signal } = new AbortController();
const attempt = (url: string, options: TargetOptions = {}) =>
  prober.attempt(someTarget(url, { timeout: 3_000, allowPrivate: true, ...options }), signal);
const expectBody = (text: string): TargetOptions => ({
  assertions: { expectBody: { kind: 'text', text } },
});
const good = { outcome: 'good', message: null };
const OK = 'HTTP/1.1 200 OK\r\n';

const local = async (listener: RequestListener) => `http://127.0.0.1:${(await serveHttp(listener)).port}/`;
const raw = async (answer: (socket: Socket) => void) => `http://127.0.0.1:${(await serveRaw(answer)).port}/`;
const says = (text: string) => raw((socket) => void socket.end(Buffer.from(text, 'latin1')));
const redirect = (
  response: ServerResponse,
  location: string,
  headers: Record<string, string | string[]> = {},
) => response.writeHead(302, { location, ...headers }).end();

describe('cookies that redirects set', () => {
  const cookieGate = (cookie: string | string[], wanted: string) =>
    local((request, response) => {
      if (request.headers.cookie === wanted) response.end('in');
      else redirect(response, request.url ?? '/', { 'set-cookie': cookie });
    });

  test.each<[string, string | string[], string]>([
    ['one', 'sid=abc; Path=/', 'sid=abc'],
    ['with a comma in its date', 'sid=abc; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Path=/', 'sid=abc'],
    ['several', ['a=1', 'b=2; HttpOnly'], 'a=1; b=2'],
    ['one that replaces another', ['a=1', 'a=2'], 'a=2'],
    ['one without a value', 'a=', 'a='],
  ])('go along: %s', async (_, cookie, wanted) => {
    expect(await attempt(await cookieGate(cookie, wanted))).toMatchObject(good);
  });

  test.each<[string, string]>([
    ['of another path', 'sid=abc; Path=/other'],
    ['that is over', 'sid=abc; Max-Age=0'],
    ['for TLS alone', 'sid=abc; Secure; Domain=b.test'],
    ['of another domain', 'sid=abc; Domain=b.test'],
    ['of a public suffix', 'sid=abc; Domain=test'],
    ['that is none', '; ; ='],
  ])('do not: %s', async (_, cookie) => {
    const seen: (string | undefined)[] = [];
    const { port } = await serveHttp((request, response) => {
      seen.push(request.headers.cookie);
      if (seen.length === 1) redirect(response, '/next', { 'set-cookie': cookie });
      else response.end();
    });
    expect(await attempt(`http://a.test:${port}/`)).toMatchObject(good);
    expect(seen).toEqual([undefined, undefined]);
  });

  test('do not reach another host, and come back with it', async () => {
    const seen: string[] = [];
    const { port } = await serveHttp((request, response) => {
      seen.push(`${request.headers.host?.split(':')[0]} ${request.headers.cookie ?? '-'}`);
      if (seen.length === 1) redirect(response, `http://b.test:${port}/`, { 'set-cookie': 'a=1; Path=/' });
      else if (seen.length === 2) redirect(response, `http://a.test:${port}/`, { 'set-cookie': 'b=1' });
      else response.end();
    });
    expect(await attempt(`http://a.test:${port}/`)).toMatchObject(good);
    expect(seen).toEqual(['a.test -', 'b.test -', 'a.test a=1']);
  });

  test('stand beside the configured ones, and are forgotten after the attempt', async () => {
    const seen: (string | undefined)[] = [];
    const url = await local((request, response) => {
      seen.push(request.headers.cookie);
      if (request.url === '/') redirect(response, '/in', { 'set-cookie': 'sid=abc' });
      else response.end();
    });
    const options = { request: { headers: { Cookie: 'own=1' } } };
    for (let i = 0; i < 2; i++) expect(await attempt(url, options)).toMatchObject(good);
    expect(seen).toEqual(['own=1', 'sid=abc; own=1', 'own=1', 'sid=abc; own=1']);
  });

  test('in great numbers are no harm', async () => {
    const many = Array.from({ length: 3_000 }, (_, i) => `c${i}=${'x'.repeat(20)}`);
    const url = await says(
      `HTTP/1.1 302 Found\r\nlocation: /\r\n${many.map((each) => `set-cookie: ${each}\r\n`).join('')}content-length: 0\r\n\r\n`,
    );
    expect(await attempt(url)).toMatchObject({ message: 'too many redirects' });
  });
});

describe('the hosts file', () => {
  test('comes before DNS, IPv4 first, whatever the case of the name', async () => {
    const { port } = await serveHttp((_request, response) => response.end('here'));
    const hostsFile = 'hosts';
    await writeFile(
      hostsFile,
      '# comment\n::1 SPLIT.test # six\n127.0.0.1\tsplit.test other.test\r\nnonsense split.test\n\n',
    );
    const own = createProber({ servers: dns.servers, hostsFile });
    onTestFinished(() => own.close());
    const found = await own.attempt(someTarget(`http://split.test:${port}/`, expectBody('here')), signal);
    expect(found).toMatchObject(good);
    // DNS alone knows another address, where nobody listens.
    expect((await attempt(`http://split.test:${port}/`)).outcome).toBe('failed');
  });
});

describe('heads', () => {
  test.each([
    ['a policy of 20 KB', `${OK}content-security-policy: ${'x'.repeat(20_000)}\r\ncontent-length: 0\r\n\r\n`],
    [
      '250 KB of cookies',
      `${OK}${`set-cookie: a=${'x'.repeat(1_000)}\r\n`.repeat(250)}content-length: 0\r\n\r\n`,
    ],
    ['an odd name', `${OK}X Cache Info: hit\r\ncontent-length: 0\r\n\r\n`],
    ['an odd name that goes on', `${OK}X Cache Info: hit\r\n more\r\ncontent-length: 0\r\n\r\n`],
    ['a line without a colon', `${OK}nonsense\r\ncontent-length: 0\r\n\r\n`],
    ['no name', `${OK}: nonsense\r\ncontent-length: 0\r\n\r\n`],
    ['a space before the colon', `${OK}Content-Length : 0\r\n\r\n`],
  ])('with %s are read', async (_, text) => {
    expect(await attempt(await raw((socket) => void socket.write(text)))).toMatchObject(good);
  });

  test('of more than 256 KB are not', async () => {
    const url = await says(`${OK}${`a: ${'x'.repeat(1_000)}\r\n`.repeat(270)}\r\n`);
    expect(await attempt(url)).toMatchObject({ reason: 'protocol', message: 'headers too large' });
  });
});

describe('bodies', () => {
  const page = 'Grüße, 世界: the service is healthy. '.repeat(20);
  const GBK = Buffer.from([0xc4, 0xe3, 0xba, 0xc3]);
  const sends = (headers: Record<string, string>, body: Buffer) =>
    local((_request, response) => response.writeHead(200, headers).end(body));

  test.each<[string, Buffer]>([
    ['gzip', gzipSync(page).subarray(0, -8)],
    ['deflate', deflateSync(page).subarray(0, -4)],
    ['deflate', deflateRawSync(page)],
    ['br', brotliCompressSync(page).subarray(0, -1)],
  ])('without their end are read as far as they go: %s', async (encoding, body) => {
    const url = await sends({ 'content-encoding': encoding }, body);
    expect(await attempt(url, expectBody('世界: the service'))).toMatchObject(good);
  });

  test.each(['UTF-8', 'none', 'utf8, identity', 'zip'])(
    'in an encoding that is none are as they are: %s',
    async (encoding) => {
      const url = await sends({ 'content-encoding': encoding }, Buffer.from(page));
      expect(await attempt(url, expectBody('Grüße'))).toMatchObject(good);
    },
  );

  test('of a broken encoding are none', async () => {
    const url = await sends({ 'content-encoding': 'gzip' }, Buffer.from(page));
    expect(await attempt(url, expectBody('Grüße'))).toMatchObject({ message: 'broken content encoding' });
  });

  test.each<[string, Record<string, string>, Buffer, string]>([
    ['Content-Type', { 'content-type': 'text/html; charset=GB2312' }, GBK, '你好'],
    ['<meta charset>', {}, Buffer.concat([Buffer.from('<html><meta charset="gb2312">'), GBK]), '你好'],
    [
      '<meta http-equiv>',
      { 'content-type': 'text/html' },
      Buffer.concat([Buffer.from('<META HTTP-EQUIV=Content-Type CONTENT="text/html; charset=gbk">'), GBK]),
      '你好',
    ],
    [
      '<?xml encoding?>',
      {},
      Buffer.concat([Buffer.from('<?xml version="1.0" encoding="GBK"?><a>'), GBK]),
      '你好',
    ],
    ['a byte order mark (UTF-16)', {}, Buffer.from('\ufeffhealthy ü', 'utf16le'), 'healthy ü'],
    [
      'a byte order mark before all others',
      { 'content-type': 'text/html; charset=latin1' },
      Buffer.from('\ufeffhealthy ü'),
      'healthy ü',
    ],
    ...[
      '<meta name="description" content="how charset=gb2312 works">',
      '<meta data-charset="gb2312">',
      '<!-- <meta charset="gb2312"> -->',
      '<!-- <meta charset=gb2312> --><meta charset=utf-8>',
    ].map((tag): [string, Record<string, string>, Buffer, string] => [
      `what counts in ${tag}`,
      { 'content-type': 'text/html' },
      Buffer.from(`${tag}你好`),
      '你好',
    ]),
    [
      'the first <meta> behind a comment',
      {},
      Buffer.concat([Buffer.from('<!-- <meta charset=utf-8> --><meta charset=gbk>'), GBK]),
      '你好',
    ],
    ['nothing: UTF-8', { 'content-type': 'text/plain' }, Buffer.from('ü'), 'ü'],
    ['a charset that is none', { 'content-type': 'text/html; charset=x-none' }, Buffer.from('ü'), 'ü'],
  ])('are read by %s', async (_, headers, body, text) => {
    expect(await attempt(await sends(headers, body), expectBody(text))).toMatchObject(good);
  });

  const long = Buffer.from(`healthy ${'x'.repeat(5_000)}`);
  test.each<[string, NonNullable<TargetOptions['assertions']>, object]>([
    ['a text within it is found', { expectBody: { kind: 'text', text: 'healthy' } }, good],
    ['an expression too', { expectBody: { kind: 'regex', source: '^healthy', flags: '' } }, good],
    [
      'one that is not is not known',
      { expectBody: { kind: 'text', text: 'other' } },
      { reason: 'too_large' },
    ],
    ['a rejected text is found', { rejectBody: { kind: 'text', text: 'healthy' } }, { reason: 'body' }],
    ['its absence is not known', { rejectBody: { kind: 'text', text: 'other' } }, { reason: 'too_large' }],
    ['JSON is not known', { expectJson: 'true' }, { reason: 'too_large' }],
  ])('longer than MAX_BODY: %s', async (_, assertions, outcome) => {
    for (const body of [long, gzipSync(long)]) {
      const headers = body === long ? {} : { 'content-encoding': 'gzip' };
      const url = await sends(headers, body);
      expect(await attempt(url, { assertions, maxBody: 1_000 })).toMatchObject(outcome);
    }
  });
});

describe('redirects', () => {
  const REDIRECT = 'HTTP/1.1 302 Found\r\ncontent-length: 0\r\n';

  test('with the same Location twice are followed, with two they are not', async () => {
    for (const [second, outcome] of [
      ['/in', good],
      ['/out', { reason: 'redirect', message: 'redirect to several addresses' }],
    ] as const) {
      const url = await raw((socket) => {
        socket.end(`${REDIRECT}location: /in\r\nLocation: ${second}\r\n\r\n`);
      });
      const { port } = await serveHttp((_request, response) => response.end());
      const there = await raw((socket) => {
        socket.end(
          `${REDIRECT}location: http://127.0.0.1:${port}/in\r\nLocation: ${
            second === '/in' ? `http://127.0.0.1:${port}/in` : second
          }\r\n\r\n`,
        );
      });
      expect(await attempt(there)).toMatchObject(outcome);
      if (second === '/out') expect(await attempt(url)).toMatchObject(outcome);
    }
  });

  test.each([
    [307, 'http://a.test', 'a body'],
    [308, 'http://a.test', 'a body'],
    [307, 'http://b.test', ''],
    [303, 'http://a.test', ''],
  ])('by %i to %s take along the body %j', async (status, place, wanted) => {
    const bodies: string[] = [];
    const { port } = await serveHttp((request, response) => {
      let body = '';
      request.on('data', (part) => (body += String(part)));
      request.on('end', () => {
        bodies.push(body);
        if (bodies.length === 1) response.writeHead(status, { location: `${place}:${port}/` }).end();
        else response.end();
      });
    });
    const request = { method: 'POST', body: 'a body' };
    expect(await attempt(`http://a.test:${port}/`, { request })).toMatchObject(good);
    expect(bodies).toEqual(['a body', wanted]);
  });

  test.each([
    ['bytes that are not UTF-8', '/caf\xe9', '/caf%E9'],
    ['UTF-8', '/caf\xc3\xa9', '/caf%C3%A9'],
    ['what is encoded', '/caf%E9', '/caf%E9'],
  ])('to %s', async (_, location, path) => {
    const seen: string[] = [];
    const { port } = await serveHttp((request, response) => {
      seen.push(request.url ?? '');
      response.end();
    });
    const url = await says(`${REDIRECT}location: http://127.0.0.1:${port}${location}\r\n\r\n`);
    expect(await attempt(url)).toMatchObject(good);
    expect(seen).toEqual([path]);
  });
});

describe('requests', () => {
  test('spell names as usual, and as the operator has written them', async () => {
    let head = '';
    const { port: own } = await serveTcp((socket) =>
      socket.on('data', (part) => {
        head += part.toString('latin1');
        socket.end(`${OK}content-length: 0\r\n\r\n`);
      }),
    );
    const { targets } = configOf({
      TARGET_A_URL: `http://user:secret@127.0.0.1:${own}/`,
      TARGET_A_HEADERS: '{"SOAPAction":"x","user-agent":"mine"}',
      TARGET_A_METHOD: 'POST',
      TARGET_A_BODY: 'a',
    });
    expect(await prober.attempt(targets[0] ?? expect.unreachable(), signal)).toMatchObject(good);
    const names = head
      .split('\r\n')
      .slice(1, -2)
      .map((line) => line.split(':')[0]);
    expect(names.sort()).toEqual(
      [
        'Accept',
        'Accept-Encoding',
        'Authorization',
        'Connection',
        'Content-Length',
        'Host',
        'SOAPAction',
        'user-agent',
      ].sort(),
    );
  });
});

describe('TLS', () => {
  const secure = async (pair: Pair, name: string) =>
    `https://${name}:${(await serveHttps(pair, (_request, response) => response.end())).port}/`;

  test('a wildcard counts for a name with an underscore', async () => {
    expect(
      await attempt(await secure(authority.issue(['*.example.test']), 'my_app.example.test')),
    ).toMatchObject(good);
    expect(
      await attempt(await secure(authority.issue(['*.other.test']), 'my_app.example.test')),
    ).toMatchObject({
      message: 'certificate is for another name: check the address, or get a certificate for this name',
    });
  });

  test('the earliest end in the chain counts, and what is sent besides does not', async () => {
    const leaf = authority.intermediate('Soon', 5).issue(['127.0.0.1'], -1, 90);
    expect(await attempt(await secure(leaf, '127.0.0.1'))).toMatchObject({
      outcome: 'degraded',
      message: 'certificate ends in less than 14 days',
    });
    const plain = authority.issue(['127.0.0.1'], -1, 90);
    const unused = authority.intermediate('Unused', 5).issue(['x.test'], -1, 2).cert;
    expect(await attempt(await secure({ ...plain, cert: plain.cert + unused }, '127.0.0.1'))).toMatchObject(
      good,
    );
  });

  test.each<[string, () => Promise<number>, string]>([
    [
      'HTTP/2 alone',
      async () => {
        const { cert, key } = authority.issue(['127.0.0.1']);
        const server = createSecureServer({ cert, key, allowHTTP1: false });
        await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
        onTestFinished(() => void server.close());
        return (server.address() as AddressInfo).port;
      },
      'no application protocol in common: let the server offer HTTP/1.1 by ALPN, or HTTP/2 for gRPC',
    ],
    [
      'TLS 1.1 alone',
      async () => {
        const { cert, key } = authority.issue(['127.0.0.1']);
        const old = {
          cert,
          key,
          minVersion: 'TLSv1.1',
          maxVersion: 'TLSv1.1',
          ciphers: 'ALL:@SECLEVEL=0',
        } as const;
        return (await serveTls(old)).port;
      },
      'no TLS version in common: let the server offer TLS 1.2 or newer',
    ],
    [
      'a client certificate',
      async () => {
        const { cert, key } = authority.issue(['127.0.0.1']);
        return (
          await serveHttps(
            { cert, key, requestCert: true, rejectUnauthorized: true, ca: authority.ca },
            () => undefined,
          )
        ).port;
      },
      'the server wants a client certificate: give it one by TLS_CLIENT_CERT, or let it answer this address without one',
    ],
    [
      'a client certificate, and TLS 1.2 alone',
      async () => {
        const { cert, key } = authority.issue(['127.0.0.1']);
        const { ca } = authority;
        const tls = {
          cert,
          key,
          ca,
          requestCert: true,
          rejectUnauthorized: true,
          maxVersion: 'TLSv1.2',
        } as const;
        return (await serveHttps(tls, () => undefined)).port;
      },
      'the server wants a client certificate: give it one by TLS_CLIENT_CERT, or let it answer this address without one',
    ],
    [
      'old ciphers',
      async () => {
        const { cert, key } = authority.issue(['127.0.0.1']);
        const tls = { cert, key, ciphers: 'AES128-SHA256', maxVersion: 'TLSv1.2' } as const;
        return (await serveTls({ ...tls, ciphers: 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0' })).port;
      },
      'no cipher in common: let the server offer a modern one, such as ECDHE with AES-GCM, for its kind of key',
    ],
    [
      'no TLS',
      async () => (await serveHttp((_request, response) => response.end())).port,
      'the port does not speak TLS: check the port, or use the same kind of address without TLS',
    ],
  ])('a server with %s is told of', async (_, serve, message) => {
    expect(await attempt(`https://127.0.0.1:${await serve()}/`)).toMatchObject({
      outcome: 'failed',
      message,
    });
  });
});
