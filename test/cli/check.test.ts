import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, describe, it } from 'vitest';
import { check } from '../../lib/cli/check-command.js';
import { createAuthority } from '../support/certificates.js';
import { runChild } from '../support/child.js';
import { serveDns } from '../support/dns.js';
import { closedPort, serveHttp, serveHttps, serveTcp, serveTls } from '../support/servers.js';
import { recordingTerminal } from '../support/terminal.js';

const SECRETS = ['query-secret', 'user-secret', 'header-secret', 'body-secret'];

const authority = createAuthority('Test CA');
const dns = await serveDns({ 'api.test': { A: ['127.0.0.1'] }, 'public.test': { A: ['127.0.0.1'] } });
const good = authority.issue(['api.test']);
const expired = authority.issue(['api.test'], -30, -1);
let slept = false;
const [web, secure, secureExpired, shop, bare, silent] = await Promise.all([
  serveHttp((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://api.test');
    const health = { status: 'ill\u001b[31m', memory: { percent: 93 }, list: [1], long: 'x'.repeat(99) };
    if (pathname === '/500') response.writeHead(500).end('body-secret');
    else if (pathname === '/json') response.end(JSON.stringify({ ...health, token: 'body-secret' }));
    else if (pathname === '/large') response.end('body-secret'.repeat(100));
    else if (pathname === '/inside') response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end();
    else if (pathname === '/there') response.writeHead(302, { location: '/?query-secret' }).end();
    else if (pathname === '/sleeper') {
      response.writeHead(slept ? 200 : 503).end();
      slept = true;
    } else if (pathname === '/slow') setTimeout(() => response.end(), 2_000);
    else response.end('hello body-secret');
  }),
  serveHttps(good, (_, response) => response.end('ok')),
  serveHttps(expired, (_, response) => response.end('ok')),
  serveTls(good),
  serveTcp((socket) => socket.end()),
  serveTcp(() => undefined),
]);
const refused = await closedPort();

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const terminal = recordingTerminal(env);
  const { lines, errors } = terminal;
  let nth = 0;
  // The first address met stands for one on the internet, what follows for one inside.
  const isPublic = () => nth++ === 0;
  const code = await check(args, terminal, { ca: [authority.ca], servers: dns.servers, isPublic });
  return { code, text: lines.join('\n'), errors: errors.join('\n') };
}

const normal = (text: string) =>
  text
    .replace(/\b\d+(?:\.\d+)? ms\b/g, '# ms')
    .replace(/woke in \d+ s/, 'woke in # s')
    .replace(/:\d{4,5}\b/g, ':port')
    .replace(/ends \S+Z/g, 'ends <time>')
    .replace(/(TLS_EXPIRY \()\d+ days/g, '$1# days');

/** What is checked, its options, and the exit code. */
const CASES: Readonly<Record<string, readonly [url: string, options: Record<string, string>, code: number]>> =
  {
    good: [`http://user:user-secret@api.test:${web.port}/?key=query-secret`, {}, 0],
    'good over HTTPS': [`https://api.test:${secure.port}/`, {}, 0],
    'good over TLS': [`tls://api.test:${shop.port}`, {}, 0],
    'good over TCP': [`tcp://api.test:${bare.port}`, {}, 0],
    'good by DNS': [`dns://${dns.servers[0]}`, { QUERY: 'a API.test.' }, 0],
    'a question over TCP': [
      `tcp://api.test:${silent.port}`,
      { QUERY: 'query-secret', EXPECT_BODY: 'ok', TIMEOUT: '150ms' },
      1,
    ],
    'redirected to the same server': [`http://api.test:${web.port}/there`, { ALLOW_PRIVATE: 'true' }, 0],
    'a name that does not exist': ['http://nowhere.test/', {}, 1],
    refused: [`http://api.test:${refused}/`, {}, 1],
    'refused over TCP': [`tcp://api.test:${refused}`, {}, 1],
    'a wrong status': [`http://api.test:${web.port}/500?key=query-secret`, { EXPECT_STATUS: '200,204' }, 1],
    'tried again': [`http://api.test:${web.port}/500`, { RETRIES: '1', RETRY_DELAY: '0s' }, 1],
    'may be asleep': [`http://api.test:${refused}/`, { WAKE_TIMEOUT: '1s' }, 1],
    'was asleep': [`http://api.test:${web.port}/sleeper`, { WAKE_TIMEOUT: '10s' }, 0],
    'a text that is missing': [
      `http://api.test:${web.port}/`,
      { EXPECT_BODY: '/^good/i', REJECT_BODY: 'hello' },
      1,
    ],
    'JSON that is not as it should be': [
      `http://api.test:${web.port}/json`,
      {
        EXPECT_JSON: 'status = "healthy" and memory.percent < 90 and $count(list) > 0 and none.such and long',
      },
      1,
    ],
    'degraded by JSON': [`http://api.test:${web.port}/json`, { DEGRADED_JSON: 'memory.percent > 90' }, 0],
    'no JSON': [`http://api.test:${web.port}/`, { EXPECT_JSON: 'status' }, 1],
    'a body too large': [
      `http://api.test:${web.port}/large`,
      { EXPECT_BODY: 'x', MAX_BODY: '100b', DEGRADED_AFTER: '1m' },
      1,
    ],
    'a redirect that is blocked': [`http://public.test:${web.port}/inside`, {}, 1],
    'no answer in time': [`http://api.test:${web.port}/slow`, { TIMEOUT: '150ms' }, 1],
    'no handshake in time': [`https://api.test:${silent.port}/`, { TIMEOUT: '150ms' }, 1],
    'a certificate that has ended': [`https://api.test:${secureExpired.port}/`, {}, 1],
    'the same, not verified': [`https://api.test:${secureExpired.port}/`, { TLS_VERIFY: 'false' }, 0],
    paused: [`http://api.test:${web.port}/`, { ENABLED: 'false' }, 0],
  };

function envOf([url, options]: (typeof CASES)[string]): Record<string, string> {
  const own = Object.entries(options).map(([name, value]) => [`TARGET_MY_API_${name}`, value]);
  return {
    KEEP_ALIVE_RETRIES: '0',
    TARGET_MY_API_URL: url,
    ...(url.startsWith('http') && { TARGET_MY_API_HEADERS: '{"x-key":"header-secret"}' }),
    ...(Object.fromEntries(own) as Record<string, string>),
  };
}

describe('check', () => {
  it('explains what it finds as its file shows, without a secret', async () => {
    const parts: string[] = [];
    for (const [what, given] of Object.entries(CASES)) {
      const { code, text, errors } = await run(['my-api'], envOf(given));
      expect([what, code, errors]).toEqual([what, given[2], '']);
      for (const secret of SECRETS) expect(text).not.toContain(secret);
      expect(text).not.toMatch(/\p{Cc}(?<!\n)/u);
      parts.push(`--- ${what} (exit code ${code})\n${normal(text)}\n`);
    }
    await expect(parts.join('\n')).toMatchFileSnapshot('__snapshots__/check.txt');
  });

  it('takes a URL, with the defaults and whatever the configuration is', async () => {
    const { code, text } = await run([`http://user:user-secret@api.test:${web.port}/?query-secret`], {
      CRON_SECRET: 'short',
    });
    expect(code).toBe(0);
    expect(text).toContain('api-test: http://api.test:');
    for (const secret of SECRETS) expect(text).not.toContain(secret);
  });

  it('asks for the id where several targets have the address', async () => {
    const url = `dns://${dns.servers[0]}`;
    const env = {
      TARGET_A_URL: url,
      TARGET_A_QUERY: 'A api.test',
      TARGET_B_URL: url,
      TARGET_B_QUERY: 'A public.test',
    };
    const both = await run([url], env);
    expect([both.code, both.text]).toEqual([2, '']);
    expect(both.errors).toBe('Several configured targets have this address. Give one of their ids: a, b.');
    const one = await run(['b'], env);
    expect(one.code).toBe(0);
    expect(one.text).toContain('asks for A public.test');
  });

  it('gives the same as JSON', async () => {
    const { text } = await run(['MY_API', '--json'], envOf(CASES['a wrong status'] ?? ['', {}, 0]));
    expect(JSON.parse(text)).toMatchObject({
      target: { id: 'my-api', healthUrl: `http://api.test:${web.port}/500` },
      outcome: 'failed',
      reason: 'status',
      statusCode: 500,
      attempts: [
        {
          outcome: 'failed',
          statusCode: 500,
          assertions: [{ option: 'EXPECT_STATUS', expected: '200,204', found: '500', holds: false }],
        },
      ],
    });
  });

  it.each<[string, string[], Record<string, string>, string]>([
    ['a misspelt scheme', ['htps://user:user-secret@api.test/'], {}, 'did you mean https://?'],
    ['no address', ['ftp://user:user-secret@api.test/'], {}, 'The address: expected an address: http://'],
    ['an address that is cut in two', ['https://user:pa/ss-user-secret@api.test/'], {}, 'percent-encode it'],
    [
      'an unknown target',
      ['body-secret'],
      { TARGET_A_URL: 'tcp://a:1', TARGET_B_URL: 'tcp://b:1' },
      'configured: a, b',
    ],
    ['no target at all', ['a'], {}, 'No target is configured'],
    ['a broken configuration', ['a'], { CRON_SECRET: 'header-secre' }, 'CRON_SECRET: expected at least'],
  ])('checks nothing for %s', async (_, args, env, expected) => {
    const { code, text, errors } = await run(args, env);
    expect([code, text]).toEqual([2, '']);
    expect(errors).toContain(expected);
    expect(errors).not.toContain('secret');
    expect(errors).not.toContain('?.');
  });
});

describe('the command, as a process', () => {
  it.each([
    ['EXPECT_JSON', 'status = "healthy"'],
    ['EXPECT_BODY', '/healthy/'],
  ])('ends with its conclusion and exit code where %s is an expression', async (option, expression) => {
    const env = {
      PATH: process.env.PATH,
      TARGET_SICK_URL: `http://127.0.0.1:${web.port}/json`,
      TARGET_SICK_RETRIES: '0',
      [`TARGET_SICK_${option}`]: expression,
    };
    const child = runChild(new URL('../../bin/keepalive.ts', import.meta.url), ['check', 'sick', '--json'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const [out] = await Promise.all([
      text(child.stdout as Readable),
      new Promise((done) => child.once('close', done)),
    ]);
    expect(child.exitCode).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ outcome: 'failed' });
  });
});

it('an address that is not configured is checked with the defaults that are', async () => {
  const checked = await run([`http://127.0.0.1:${web.port}/500`], {
    KEEP_ALIVE_TIMEOUT: '3s',
    KEEP_ALIVE_RETRIES: '0',
    TARGET_OTHER_URL: 'http://other.test/',
  });
  expect(checked.text).toContain('GET, 3.00 s an attempt, 0 retries, 5 redirects at most');
});
