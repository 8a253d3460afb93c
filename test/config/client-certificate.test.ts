import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TARGET_OPTIONS } from '../../lib/config/options.js';
import { questionOf } from '../../lib/peers/question.js';
import { unasked } from '../../lib/peers/globalping.js';
import { createProber } from '../../lib/probe/probe.js';
import type { HttpTarget } from '../../lib/types.js';
import { createAuthority } from '../support/certificates.js';
import { freePort } from '../support/redis.js';
import { serveHttps } from '../support/servers.js';
import { configOf } from '../support/runs.js';

const authority = createAuthority('Test CA');
const client = authority.issue(['client.test']);
const both = `${client.cert}${client.key}`;
const read = (text: string) => TARGET_OPTIONS.TLS_CLIENT_CERT.value.safeParse(text);

const targetOf = (env: Record<string, string>): HttpTarget => {
  const [target] = configOf({ TARGET_A_RETRIES: '0', ...env }).targets;
  if (target?.protocol !== 'https:') throw new Error('no target');
  return target;
};

describe('TLS_CLIENT_CERT', () => {
  it.each([
    ['as it is', both],
    ['the key first', `${client.key}\n${client.cert}`],
    ['in one line, with \\n', both.trim().replace(/\r?\n/g, String.raw`\n`)],
    ['in one line, with blanks', both.trim().replace(/\r?\n/g, ' ')],
  ])('takes both, %s', (_how, text) => {
    expect(read(text).data?.key).toMatch(/^-----BEGIN (?:RSA )?PRIVATE KEY-----\n/);
    expect(read(text).data?.cert).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
  });

  it.each([
    ['the certificate alone', client.cert],
    ['the key alone', client.key],
    ['the key of another one', `${client.cert}${createAuthority('Other CA').issue(['b.test']).key}`],
    ['something else', 'secret'],
  ])('refuses %s', (_what, text) => {
    expect(read(text).success).toBe(false);
  });

  it('is sent to a server that asks for one, and nowhere that it leads to', async () => {
    const { cert, key } = authority.issue(['127.0.0.1', 'localhost']);
    const tls = { cert, key, requestCert: true, rejectUnauthorized: false, ca: authority.ca };
    const seen: [string, boolean][] = [];
    const server = await serveHttps(tls, (request, response) => {
      const { authorized } = request.socket as unknown as { readonly authorized: boolean };
      seen.push([request.url ?? '', authorized]);
      if (request.url === '/a') {
        response.writeHead(302, { location: `https://localhost:${server.port}/b` });
        response.end();
      } else response.end('ok');
    });
    const prober = createProber({ ca: [authority.ca] });
    const attempt = async (env: Record<string, string>) =>
      prober.attempt(
        targetOf({
          TARGET_A_URL: `https://127.0.0.1:${server.port}/a`,
          TARGET_A_ALLOW_PRIVATE: 'true',
          ...env,
        }),
        new AbortController().signal,
      );
    expect(await attempt({ TARGET_A_TLS_CLIENT_CERT: both })).toMatchObject({ outcome: 'good' });
    expect(await attempt({})).toMatchObject({ outcome: 'good' });
    expect(seen).toEqual([
      ['/a', true],
      ['/b', false],
      ['/a', false],
      ['/b', false],
    ]);
  });

  it.each(['', '-tls1_2'])('is told of where the server does not accept it, %s', async (version) => {
    const folder = mkdtempSync(join(tmpdir(), 'keepalive-mtls-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { cert, key } = authority.issue(['127.0.0.1']);
    const paths = { cert, key, ca: createAuthority('Another CA').ca };
    for (const [name, text] of Object.entries(paths)) writeFileSync(join(folder, name), text);
    const port = await freePort();
    const options = `s_server -accept ${port} -cert cert -key key -CAfile ca -Verify 2 -verify_return_error -www`;
    const args = [...options.split(' '), ...(version === '' ? [] : [version])];
    const server = spawn('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void server.kill('SIGKILL'));
    await once(server.stdout, 'data');
    const prober = createProber({ ca: [authority.ca] });
    onTestFinished(() => prober.close());
    const env = { TARGET_A_URL: `https://127.0.0.1:${port}/`, TARGET_A_ALLOW_PRIVATE: 'true' };
    const target = targetOf({ ...env, TARGET_A_TLS_CLIENT_CERT: both });
    expect(await prober.attempt(target, new AbortController().signal)).toMatchObject({
      reason: 'tls',
      message: expect.stringMatching(/^the server does not accept the client certificate: /) as string,
    });
  });

  it('is a secret of this installation: nobody else is asked about its target', () => {
    const url = { TARGET_A_URL: 'https://example.com/' };
    expect(questionOf(targetOf(url))).not.toBeNull();
    const target = targetOf({ ...url, TARGET_A_TLS_CLIENT_CERT: both });
    expect(questionOf(target)).toBeNull();
    expect(unasked(target)).toBe('TLS_CLIENT_CERT');
  });
});
