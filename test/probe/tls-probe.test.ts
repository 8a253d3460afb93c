import { afterAll, describe, expect, test } from 'vitest';
import { createProber } from '../../lib/probe/probe.js';
import { createAuthority, type Pair, type TestAuthority } from '../support/certificates.js';
import { serveDns } from '../support/dns.js';
import { closedPort, serveHttps, serveRaw, serveTcp, serveTls } from '../support/servers.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

const never = new AbortController().signal;
const authority = createAuthority('Test CA');
const stranger = createAuthority('Stranger');
const here = { A: ['127.0.0.1'] };
const dns = await serveDns({
  'good.test': here,
  'other.test': here,
  'a.good.test': here,
  'b.a.good.test': here,
});
const prober = createProber({ ca: [authority.ca], servers: dns.servers });
afterAll(() => prober.close());
const attempt = (url: string, options?: TargetOptions) => prober.attempt(someTarget(url, options), never);

const names = ['good.test', '127.0.0.1'];
function withRoot(own: TestAuthority): Pair {
  const pair = own.issue(names);
  return { ...pair, cert: pair.cert + own.ca };
}
const pairs = {
  good: authority.issue(names),
  expired: authority.issue(names, -30, -1),
  early: authority.issue(names, 5, 90),
  ending: authority.issue(names, -30, 13),
  unknown: stranger.issue(names),
  wild: authority.issue(['*.good.test']),
  address: authority.issue(['127.0.0.2']),
  ownKey: createAuthority('good.test').selfSigned(),
  withRoot: withRoot(stranger),
};

describe.each(['https', 'tls'] as const)('%s', (protocol) => {
  const serve = async (pair: keyof typeof pairs, host = 'good.test') => {
    const server =
      protocol === 'tls'
        ? await serveTls(pairs[pair])
        : await serveHttps(pairs[pair], (_q, response) => response.end('ok'));
    return `${protocol}://${host}:${server.port}`;
  };

  test.each<[keyof typeof pairs, string, TargetOptions, object]>([
    ['good', 'good.test', {}, { outcome: 'good' }],
    ['good', 'good.test.', {}, { outcome: 'good' }],
    ['good', '127.0.0.1', {}, { outcome: 'good' }],
    [
      'good',
      'other.test',
      {},
      {
        reason: 'tls',
        message: 'certificate is for another name: check the address, or get a certificate for this name',
      },
    ],
    ['good', 'other.test', { tlsVerify: false }, { outcome: 'good' }],
    ['good', 'GOOD.test', {}, { outcome: 'good' }],
    ['wild', 'a.good.test', {}, { outcome: 'good' }],
    [
      'wild',
      'good.test',
      {},
      {
        reason: 'tls',
        message: 'certificate is for another name: check the address, or get a certificate for this name',
      },
    ],
    [
      'wild',
      'b.a.good.test',
      {},
      {
        reason: 'tls',
        message: 'certificate is for another name: check the address, or get a certificate for this name',
      },
    ],
    [
      'address',
      '127.0.0.1',
      {},
      {
        reason: 'tls',
        message: 'certificate is for another name: check the address, or get a certificate for this name',
      },
    ],
    [
      'expired',
      'good.test',
      {},
      {
        reason: 'tls',
        message: 'certificate has expired: renew it (or the one that issued it), then reload the server',
      },
    ],
    [
      'expired',
      'good.test',
      { tlsVerify: false },
      { outcome: 'degraded', message: 'certificate has expired' },
    ],
    [
      'early',
      'good.test',
      {},
      {
        reason: 'tls',
        message: 'certificate is not valid yet: check when it begins, and the clocks of both sides',
      },
    ],
    [
      'unknown',
      'good.test',
      {},
      {
        reason: 'tls',
        message:
          'unknown certificate issuer: let the server send its whole chain, or trust the issuer by NODE_EXTRA_CA_CERTS',
      },
    ],
    [
      'ownKey',
      'good.test',
      {},
      {
        reason: 'tls',
        message: 'self-signed certificate: trust it by NODE_EXTRA_CA_CERTS, or set TLS_VERIFY=false',
      },
    ],
    ['ownKey', 'good.test', { tlsVerify: false }, { outcome: 'good' }],
    [
      'withRoot',
      'good.test',
      {},
      {
        reason: 'tls',
        message:
          'certificate of a private authority: trust it by NODE_EXTRA_CA_CERTS, or set TLS_VERIFY=false',
      },
    ],
    ['unknown', 'good.test', { tlsVerify: false }, { outcome: 'good' }],
    ['ending', 'good.test', {}, { outcome: 'degraded', message: 'certificate ends in less than 14 days' }],
    ['ending', 'good.test', { assertions: { tlsExpiry: 86_400_000 } }, { outcome: 'good' }],
  ])('%s certificate, %s %j', async (pair, host, options, expected) => {
    const result = await attempt(await serve(pair, host), options);
    expect(result).toMatchObject({ ...expected, tlsExpiresAt: pairs[pair].expiresAt });
    expect(result.timings.tls).not.toBeNull();
  });

  test.each<[string, () => Promise<{ port: number }>, object]>([
    [
      'no TLS',
      () => serveRaw((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      {
        reason: 'tls',
        message: 'the port does not speak TLS: check the port, or use the same kind of address without TLS',
      },
    ],
    [
      'a stall',
      () => serveTcp(() => undefined),
      { reason: 'timeout', message: 'timed out in the TLS handshake' },
    ],
    ['a close', () => serveRaw((socket) => socket.destroy()), { reason: 'reset' }],
    ['a reset', () => serveRaw((socket) => socket.resetAndDestroy()), { reason: 'reset' }],
  ])('%s in the handshake', async (_name, server, expected) => {
    const url = `${protocol}://127.0.0.1:${(await server()).port}`;
    expect(await attempt(url, { timeout: 500 })).toMatchObject({ ...expected, timings: { tls: null } });
  });
});

test('a refused certificate gets no request', async () => {
  let requests = 0;
  const { port } = await serveHttps(pairs.unknown, (_request, response) => {
    requests++;
    response.end();
  });
  await attempt(`https://127.0.0.1:${port}/`);
  expect(requests).toBe(0);
});

test('TCP is good when the connection is accepted', async () => {
  const { port } = await serveTcp(() => undefined);
  expect(await attempt(`tcp://127.0.0.1:${port}`)).toMatchObject({
    outcome: 'good',
    statusCode: null,
    timings: { tls: null, ttfb: null },
  });
  expect(await attempt(`tcp://127.0.0.1:${await closedPort()}`)).toMatchObject({ reason: 'connect' });
  expect(await attempt(`tcp://good.test:${port}`)).toMatchObject({ outcome: 'good' });
});
