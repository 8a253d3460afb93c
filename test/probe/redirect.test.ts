import { connect } from 'node:net';
import { createServer as createHttp, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { isPublicAddress } from '../../lib/probe/public-address.js';
import { createProber } from '../../lib/probe/probe.js';
import { createAuthority } from '../support/certificates.js';
import { serveDns } from '../support/dns.js';
import { serveHttp, serveTcp } from '../support/servers.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

const never = new AbortController().signal;
const PUBLIC = '127.8.8.8';
let rebound = 0;
beforeEach(() => void (rebound = 0));
const dns = await serveDns({
  'inside.test': { A: ['127.0.0.1'] },
  'inside6.test': { AAAA: ['::1'] },
  'outside.test': { A: [PUBLIC] },
  'both.test': { A: ['127.0.0.1', PUBLIC] },
  'both6.test': { A: [PUBLIC], AAAA: ['::ffff:127.0.0.1'] },
  'rebinding.test': () => ({ A: [rebound++ === 0 ? PUBLIC : '127.0.0.1'] }),
});
const isPublic = (address: string) => address === PUBLIC || isPublicAddress(address);
const prober = createProber({ servers: dns.servers, isPublic });
afterAll(() => prober.close());

interface Seen {
  readonly method: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Redirects `/<status>/<location>` there, answers 200 otherwise; `seen` are its requests. */
async function redirecting(address = '127.0.0.1') {
  const seen: Seen[] = [];
  const { port, accepted } = await serveHttp((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      seen.push({ method: request.method, headers: request.headers, body });
      const [, status, location] = /^\/(\d+)\/(.*)$/.exec(request.url ?? '') ?? [];
      if (location === undefined) response.end('ok');
      else
        response.writeHead(Number(status), location ? { location: decodeURIComponent(location) } : {}).end();
    });
  }, address);
  const to = (status: number, location: string) =>
    `http://${address}:${port}/${status}/${encodeURIComponent(location)}`;
  return { seen, accepted, port, base: `http://${address}:${port}/`, to };
}

/** The same on a port on which nobody listens at the public address: another test's server may have it there. */
async function redirectingWherePublicRefuses() {
  for (;;) {
    const inside = await redirecting();
    const socket = connect(inside.port, PUBLIC);
    const refuses = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
    });
    socket.destroy();
    if (refuses) return inside;
  }
}

/** HTTP and HTTPS on one port, told apart by the first byte. */
async function serveBoth(listener: RequestListener): Promise<number> {
  const plain = createHttp(listener);
  const secure = createHttps(createAuthority('Test CA').issue(['127.0.0.1']), listener);
  const { port } = await serveTcp((socket) => {
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      (first[0] === 22 ? secure : plain).emit('connection', socket);
      process.nextTick(() => socket.resume());
    });
  });
  return port;
}

const attempt = (url: string, options?: TargetOptions) => prober.attempt(someTarget(url, options), never);

describe('a redirect', () => {
  test.each<[number, string, string, string]>([
    [301, 'GET', 'GET', ''],
    [301, 'POST', 'GET', ''],
    [302, 'POST', 'GET', ''],
    [302, 'PUT', 'PUT', 'b'],
    [303, 'PUT', 'GET', ''],
    [303, 'HEAD', 'HEAD', ''],
    [307, 'POST', 'POST', 'b'],
    [308, 'PUT', 'PUT', 'b'],
  ])('%i turns %s into %s', async (status, method, then, body) => {
    const server = await redirecting();
    const request = {
      method,
      body: method === 'HEAD' || method === 'GET' ? null : 'b',
      headers: { 'x-key': 'k', 'content-type': 'text/x' },
    };
    expect(await attempt(server.to(status, '/'), { request })).toMatchObject({
      outcome: 'good',
      statusCode: 200,
    });
    expect(server.seen[1]).toMatchObject({ method: then, body, headers: { 'x-key': 'k' } });
    expect('content-type' in (server.seen[1]?.headers ?? {})).toBe(method === then);
  });

  test('takes of what was configured only the user agent to another origin, and back', async () => {
    const [one, two] = [await redirecting(), await redirecting()];
    const url = one.to(307, two.to(307, one.base));
    const request = {
      method: 'POST',
      body: 'b',
      headers: { authorization: 'Bearer t', 'x-key': 'k', host: 'x.test', 'user-agent': 'mine' },
    };
    expect(await attempt(url, { request })).toMatchObject({ outcome: 'good' });
    expect(one.seen[0]?.headers).toMatchObject({ 'x-key': 'k', host: 'x.test', 'user-agent': 'mine' });
    expect(one.seen[0]?.headers.authorization).toBeDefined();
    for (const { headers, body } of [...two.seen, ...one.seen.slice(1)]) {
      // Of another port, but of the same name: the body goes along.
      expect([headers['x-key'], headers.authorization, body]).toEqual([undefined, undefined, 'b']);
      expect(headers.host).not.toBe('x.test');
      expect(headers['user-agent']).toBe('mine');
    }
    expect([one.seen.length, two.seen.length]).toEqual([2, 1]);
  });

  test.each([
    ['all', 'http', 'https', ['Bearer t', 'k']],
    ['nothing', 'https', 'http', [undefined, undefined]],
  ])('takes %s that was configured from %s to %s of the same name', async (_, from, to, taken) => {
    const seen: IncomingMessage['headers'][] = [];
    const port = await serveBoth((request, response) => {
      seen.push(request.headers);
      if (request.url === '/') response.end('ok');
      else response.writeHead(307, { location: `${to}://127.0.0.1:${port}/` }).end();
    });
    const request = { headers: { authorization: 'Bearer t', 'x-key': 'k' } };
    const url = `${from}://127.0.0.1:${port}/away`;
    expect(await attempt(url, { request, tlsVerify: false })).toMatchObject({ outcome: 'good' });
    expect(seen.map((headers) => [headers.authorization, headers['x-key']])).toEqual([
      ['Bearer t', 'k'],
      taken,
    ]);
  });

  test('does not send credentials that the redirect brings', async () => {
    const server = await redirecting();
    await attempt(server.to(302, server.base.replace('//', '//a:b@')));
    expect(server.seen[1]?.headers.authorization).toBeUndefined();
  });

  test.each<[string, string, object]>([
    ['a relative place', '/x', { outcome: 'good' }],
    ['a place without a scheme', '//127.0.0.1:PORT/', { outcome: 'good' }],
    ['another protocol', 'ftp://127.0.0.1/', { reason: 'redirect', statusCode: 302 }],
    ['a file', 'file:///etc/passwd', { reason: 'redirect' }],
    ['a script', 'javascript:1', { reason: 'redirect' }],
    [
      'a host that takes long to read',
      `http://${'ä'.repeat(1_500)}/`,
      { reason: 'redirect', message: 'redirect to an invalid address' },
    ],
    ['an invalid address', 'http://[', { reason: 'redirect', message: 'redirect to an invalid address' }],
    ['an invalid port', 'http://a:99999/', { reason: 'redirect' }],
    ['no place', '', { reason: 'status', statusCode: 302 }],
  ])('to %s', async (_name, location, expected) => {
    const server = await redirecting();
    expect(await attempt(server.to(302, location.replace('PORT', String(server.port))))).toMatchObject(
      expected,
    );
  });

  test.each([
    [2, 2, { outcome: 'good' }],
    [3, 2, { reason: 'redirect', message: 'too many redirects', statusCode: 302 }],
    [1, 0, { reason: 'status', message: 'status 302, expected 200-299' }],
  ])('%i of them where %i are allowed', async (count, maxRedirects, expected) => {
    const server = await redirecting();
    let url = server.base;
    for (let i = 0; i < count; i++) url = server.to(302, url);
    expect(await attempt(url, { maxRedirects })).toMatchObject(expected);
  });

  test('in a loop ends', async () => {
    const { port } = await serveHttp((_request, response) =>
      response.writeHead(302, { location: '/' }).end(),
    );
    expect(await attempt(`http://127.0.0.1:${port}/`)).toMatchObject({ reason: 'redirect' });
  });

  test('status that only looks like one is judged', async () => {
    const server = await redirecting();
    const expectStatus = [{ from: 304, to: 304 }];
    expect(await attempt(server.to(304, '/'), { assertions: { expectStatus } })).toMatchObject({
      outcome: 'good',
    });
  });
});

describe('a private address', () => {
  const blocked = { reason: 'blocked', message: 'redirect to a private address', statusCode: 302 };
  test('may be the operator’s, and lead to another', async () => {
    const server = await redirecting();
    expect(await attempt(server.to(302, server.base))).toMatchObject({ outcome: 'good' });
  });

  test.each([
    ['by number', '127.0.0.1'],
    ['with a dot at its end', '127.0.0.1.'],
    ['in hexadecimal', '0x7f.1'],
    ['in one hexadecimal number', '0x7f000001'],
    ['in octal', '0177.0.0.01'],
    ['in one number', '2130706433'],
    ['in short', '127.1'],
    ['in full-width digits', '%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1'],
    ['percent-encoded', '%31%32%37.0.0.1'],
    ['that means any', '0.0.0.0'],
    ['that means any, in short', '0'],
    ['mapped into IPv6', '[::ffff:127.0.0.1]'],
    ['mapped into IPv6 in hexadecimal', '[0:0:0:0:0:ffff:7f00:1]'],
    ['made compatible with IPv6', '[::127.0.0.1]'],
    ['behind NAT64', '[64:ff9b::127.0.0.1]'],
    ['of IPv6', '[::1]'],
    ['of IPv6 that means any', '[::]'],
    ['behind a public user name', 'outside.test@127.0.0.1'],
    ['behind public credentials', 'outside.test:80@127.0.0.1'],
    ['by a name', 'inside.test'],
    ['by a name of IPv6', 'inside6.test'],
    ['by a name in capitals with a dot', 'INSIDE.test.'],
    ['by a name of the hosts file', 'localhost'],
    ['by a name that was public before', 'rebinding.test'],
  ])('%s is not reached by a redirect from a public one', async (_name, host) => {
    const [inside, outside] = [await redirecting(), await redirecting(PUBLIC)];
    rebound = 1;
    const url = outside.to(302, `http://${host}:${inside.port}/`);
    expect(await attempt(url)).toMatchObject(blocked);
    expect(inside.accepted()).toBe(0);
  });

  test.each([
    '10.0.0.1',
    '100.64.0.1',
    '100.100.100.200',
    '169.254.169.254',
    '169.254.170.2',
    '172.16.0.1',
    '192.168.0.1',
    '2852039166',
    '0xa9fea9fe',
    '[::ffff:169.254.169.254]',
    '[64:ff9b::a9fe:a9fe]',
    '[fd00:ec2::254]',
    '[fe80::1]',
  ])('%s of a network or cloud is not asked', async (host) => {
    const outside = await redirecting(PUBLIC);
    expect(await attempt(outside.to(302, `http://${host}/latest/meta-data/`))).toMatchObject({
      ...blocked,
      timings: { dns: null },
    });
  });

  test('by a name of the hosts file with a dot at its end, which not every system knows, is not reached', async () => {
    const [inside, outside] = [await redirecting(), await redirecting(PUBLIC)];
    const { reason } = await attempt(outside.to(302, `http://localhost.:${inside.port}/`));
    expect(['blocked', 'dns']).toContain(reason);
    expect(inside.accepted()).toBe(0);
  });

  test('that a public name turns to between two requests is not reached', async () => {
    const [inside, outside] = [await redirecting(), await redirecting(PUBLIC)];
    const to = encodeURIComponent(`http://rebinding.test:${inside.port}/`);
    expect(await attempt(`http://rebinding.test:${outside.port}/302/${to}`)).toMatchObject(blocked);
    expect([outside.seen.length, inside.seen]).toEqual([1, []]);
    expect(rebound).toBeGreaterThanOrEqual(2);
  });

  test('beside a public one under the same name is passed over', async () => {
    const outside = await redirecting(PUBLIC);
    expect(await attempt(outside.to(302, `http://both.test:${outside.port}/`))).toMatchObject({
      outcome: 'good',
    });
  });

  test.each(['both.test', 'both6.test'])(
    'is not the way out where the public one under the same name refuses (%s)',
    async (host) => {
      const outside = await redirecting(PUBLIC);
      const inside = await redirectingWherePublicRefuses();
      const result = await attempt(outside.to(302, `http://${host}:${inside.port}/`));
      expect(inside.seen).toEqual([]);
      expect(result).toMatchObject({ outcome: 'failed', statusCode: 302 });
      expect(inside.accepted()).toBe(0);
    },
  );

  test('is not reached over a public one by a private one', async () => {
    const [inside, outside] = [await redirecting(), await redirecting(PUBLIC)];
    expect(await attempt(inside.to(302, outside.to(302, inside.base)))).toMatchObject(blocked);
  });

  test('is reached where ALLOW_PRIVATE is set', async () => {
    const [inside, outside] = [await redirecting(), await redirecting(PUBLIC)];
    expect(await attempt(outside.to(302, inside.base), { allowPrivate: true })).toMatchObject({
      outcome: 'good',
    });
  });

  test('does not stand in the way of a public one', async () => {
    const outside = await redirecting(PUBLIC);
    expect(await attempt(outside.to(302, `http://outside.test:${outside.port}/`))).toMatchObject({
      outcome: 'good',
    });
  });
});
