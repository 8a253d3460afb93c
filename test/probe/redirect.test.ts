import type { IncomingMessage } from 'node:http';
import { afterAll, describe, expect, test } from 'vitest';
import { createProber } from '../../lib/probe/probe.js';
import { serveDns } from '../support/dns.js';
import { serveHttp } from '../support/servers.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

const never = new AbortController().signal;
const PUBLIC = '127.8.8.8';
const dns = await serveDns({ 'inside.test': { A: ['127.0.0.1'] }, 'outside.test': { A: [PUBLIC] } });
const prober = createProber({ servers: dns.servers, isPublic: (address) => address === PUBLIC });
afterAll(() => prober.close());

interface Seen {
  readonly method: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Redirects `/<status>/<location>` there, answers 200 otherwise; `seen` are its requests. */
async function redirecting(address = '127.0.0.1') {
  const seen: Seen[] = [];
  const { port } = await serveHttp((request, response) => {
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
  return { seen, port, base: `http://${address}:${port}/`, to };
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

  test('takes nothing that was configured to another origin, nor back', async () => {
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
      expect([headers['x-key'], headers.authorization, body]).toEqual([undefined, undefined, '']);
      expect([headers.host, headers['user-agent']]).not.toContain(['x.test', 'mine']);
    }
    expect([one.seen.length, two.seen.length]).toEqual([2, 1]);
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
    ['in another notation', '0x7f.1'],
    ['in one number', '2130706433'],
    ['mapped into IPv6', '[::ffff:127.0.0.1]'],
    ['of IPv6', '[::1]'],
    ['by a name', 'inside.test'],
    ['by a name of the hosts file', 'localhost'],
  ])('%s is not reached by a redirect from a public one', async (_name, host) => {
    const [inside, outside] = [await redirecting(), await redirecting(PUBLIC)];
    const url = outside.to(302, `http://${host}:${inside.port}/`);
    expect(await attempt(url)).toMatchObject(blocked);
    expect(inside.seen).toEqual([]);
  });

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
