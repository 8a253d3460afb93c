import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createSecureServer } from 'node:http2';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { format, resolveConfig } from 'prettier';
import { afterAll, expect, test } from 'vitest';
import { createProber } from '../../lib/probe/probe.js';
import { startBrowser } from '../support/browser.js';
import { createAuthority } from '../support/certificates.js';
import { ROOT } from '../support/root.js';
import { serveHttp, serveHttps, serveRaw, serveTcp } from '../support/servers.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

/**
 * The same inputs through curl, Node's fetch, Chromium and ours. A server answers 200 with the text only to whoever has
 * done what is right; whoever gets it is `good`. `UPDATE_DOCS=1` writes docs/http.md.
 */
interface Case {
  /** Of the table, as a sentence about the server. */
  readonly name: string;
  readonly url: string | (() => Promise<string>);
  /** What the body must hold; `healthy`. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly options?: TargetOptions;
  /** What ours makes of it. */
  readonly ours?: 'good' | 'degraded' | 'failed';
  /** Why ours differs where curl and Chromium agree, or from curl where Chromium cannot be asked. */
  readonly why?: string;
  /** Chromium trusts no authority of ours, and cannot be told to send everything. */
  readonly noBrowser?: true;
  /** The name is in a hosts file of our own. */
  readonly hosts?: true;
}

await writeFile('hosts', '127.0.0.1 my_app.example.test split.example\n');
/** What comes before a command so that the system has that hosts file; null: it takes root on Linux. */
const OWN_HOSTS = ((): readonly string[] | null => {
  const prefix = ['-m', 'sh', '-c', 'mount --bind hosts /etc/hosts && exec "$0" "$@"'];
  return spawnSync('unshare', [...prefix, 'true']).status === 0 ? ['unshare', ...prefix] : null;
})();

const OK = 'HTTP/1.1 200 OK\r\n';
const FOUND = 'HTTP/1.1 302 Found\r\ncontent-length: 0\r\n';
const HEALTHY = `${OK}content-type: text/html\r\ncontent-length: 7\r\n`;
const AGENT = 'Mozilla/5.0 (configured)';
const authority = createAuthority('Test CA');
await writeFile('ca.pem', authority.ca);
const certificate = authority.issue(['127.0.0.1', '127.0.0.2', '*.example.test']);

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Answers `healthy` where it is right, else 400. */
const says = (response: ServerResponse, isRight = true) =>
  response.writeHead(isRight ? 200 : 400, { 'content-type': 'text/html' }).end(isRight ? 'healthy' : 'wrong');
const http = (answer: Answer) => async () => `http://127.0.0.1:${(await serveHttp(answer)).port}/`;
const elsewhere = async (answer: Answer) =>
  `http://127.0.0.2:${(await serveHttp(answer, '127.0.0.2')).port}/`;
const https = async (answer: Answer, pair = certificate) =>
  `https://127.0.0.1:${(await serveHttps(pair, answer)).port}/`;
const raw = (text: string) => async () =>
  `http://127.0.0.1:${(await serveRaw((socket) => socket.end(Buffer.from(text, 'latin1')))).port}/`;
const goTo = (response: ServerResponse, location: string, headers: Record<string, string | string[]> = {}) =>
  response.writeHead(302, { location, ...headers }).end();
const withBody = (headers: Record<string, string>, body: Buffer) =>
  http((_, response) => response.writeHead(200, { 'content-type': 'text/html', ...headers }).end(body));
const page = Buffer.from(`healthy ${'x'.repeat(5_000)}`);
const GBK = Buffer.from([0xc4, 0xe3, 0xba, 0xc3]);

/** A head whose lines are looked at as they are sent. */
const byHead = (isRight: (head: string) => boolean) => async () => {
  const { port } = await serveTcp((socket) =>
    socket.once('data', (bytes) => {
      socket.end(isRight(bytes.toString('latin1')) ? `${HEALTHY}\r\nhealthy` : 'HTTP/1.1 400 Bad\r\n\r\n');
    }),
  );
  return `http://127.0.0.1:${port}/`;
};

const CASES: readonly Case[] = [
  {
    name: 'sets a cookie with a redirect to itself, and wants it back (P1)',
    url: http(({ headers, url = '/' }, response) => {
      if (headers.cookie === 'sid=abc') says(response);
      else goTo(response, url, { 'set-cookie': 'sid=abc; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Path=/' });
    }),
  },
  {
    name: 'sets a cookie with a redirect to another host, which must not get it (P1)',
    url: async () => {
      const there = await elsewhere(({ headers }, response) => says(response, headers.cookie === undefined));
      return http((_, response) => goTo(response, there, { 'set-cookie': 'sid=abc; Path=/' }))();
    },
  },
  {
    name: 'sets a cookie for another path (P1)',
    url: http(({ url, headers }, response) => {
      if (url === '/in') says(response, headers.cookie === undefined);
      else goTo(response, '/in', { 'set-cookie': 'sid=abc; Path=/other' });
    }),
  },
  ...(OWN_HOSTS === null
    ? []
    : [
        {
          name: 'has a name that only the hosts file knows (P2)',
          url: async () => {
            const url = await http((_, response) => says(response))();
            return url.replace('127.0.0.1', 'split.example');
          },
          hosts: true,
          noBrowser: true,
        } as const,
      ]),
  {
    name: 'has a certificate for `*.example.test` and the name `my_app.example.test` (P3)',
    url: async () =>
      (await https((_, response) => says(response))).replace('127.0.0.1', 'my_app.example.test'),
    noBrowser: true,
  },
  {
    name: 'sends a Content-Security-Policy of 20 KB (P4)',
    url: raw(`${HEALTHY}content-security-policy: img-src ${'x'.repeat(20_000)}\r\n\r\nhealthy`),
  },
  {
    name: 'sends 200 KB of cookies (P4)',
    url: raw(`${HEALTHY}${`set-cookie: a=${'x'.repeat(1_000)}\r\n`.repeat(200)}\r\nhealthy`),
  },
  {
    name: 'sends a header `X Cache Info: hit` (P5)',
    url: raw(`${HEALTHY}X Cache Info: hit\r\n\r\nhealthy`),
  },
  {
    name: 'sends gzip without its last 8 bytes (P6)',
    url: withBody({ 'content-encoding': 'gzip' }, gzipSync(page).subarray(0, -8)),
  },
  { name: 'says `Content-Encoding: UTF-8` (P7)', url: withBody({ 'content-encoding': 'UTF-8' }, page) },
  {
    name: 'tells its charset, gb2312, only in `<meta charset>` (P8)',
    url: withBody({}, Buffer.concat([Buffer.from('<html><meta charset="gb2312">'), GBK])),
    text: '你好',
  },
  {
    name: 'tells its charset, UTF-16, by a byte order mark (P8)',
    url: withBody({}, Buffer.from('\ufeffhealthy 你好', 'utf16le')),
    text: '你好',
  },
  {
    name: 'gives one Location twice (P9)',
    url: async () => {
      const there = await elsewhere(({ url }, response) => says(response, url === '/in'));
      return raw(`${FOUND}location: ${there}in\r\nLocation: ${there}in\r\n\r\n`)();
    },
  },
  {
    name: 'gives two different Locations (P9)',
    url: async () => {
      const there = await elsewhere((_, response) => says(response));
      return raw(`${FOUND}location: ${there}in\r\nLocation: ${there}out\r\n\r\n`)();
    },
    ours: 'failed',
  },
  {
    name: 'redirects to `/caf\\xe9`, which is not UTF-8, and wants `/caf%E9` (P10)',
    url: async () => {
      const there = await elsewhere(({ url }, response) => says(response, url === '/caf%E9'));
      return raw(`${FOUND}location: ${there}caf\xe9\r\n\r\n`)();
    },
  },
  {
    name: 'redirects to `/café` in UTF-8 and wants `/caf%C3%A9` (P10)',
    url: async () => {
      const there = await elsewhere(({ url }, response) => says(response, url === '/caf%C3%A9'));
      return raw(`${FOUND}location: ${there}caf\xc3\xa9\r\n\r\n`)();
    },
  },
  {
    name: 'knows `Host:` only where it is written so (P11)',
    url: byHead((head) => head.includes('\r\nHost: ')),
  },
  {
    name: 'knows a configured `SOAPAction:` only where it is written so (P11)',
    url: byHead((head) => head.includes('\r\nSOAPAction: x\r\n')),
    headers: { SOAPAction: 'x' },
    noBrowser: true,
  },
  {
    name: 'has an intermediate certificate that ends in 5 days (P12)',
    url: () =>
      https((_, response) => says(response), authority.intermediate('Soon', 5).issue(['127.0.0.1'], -1, 90)),
    ours: 'degraded',
    noBrowser: true,
    why: '`TLS_EXPIRY` is there to warn before it ends',
  },
  {
    name: 'sends a body of 5 KB in chunks of one byte (P13)',
    url: raw(
      `${OK}content-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n${[...page]
        .map((byte) => `1\r\n${String.fromCharCode(byte)}\r\n`)
        .join('')}0\r\n\r\n`,
    ),
  },
  {
    name: 'sends a header value with 16,300 spaces in it (P14)',
    url: raw(`${HEALTHY}a: x${' '.repeat(16_300)}y\r\n\r\nhealthy`),
  },
  {
    name: 'redirects from http to https and wants the configured User-Agent there (P15)',
    url: async () => {
      const there = await https(({ headers }, response) => says(response, headers['user-agent'] === AGENT));
      return http((_, response) => goTo(response, there))();
    },
    headers: { 'User-Agent': AGENT },
  },
  {
    name: 'redirects to another host, which must not get a configured `X-Key`',
    url: async () => {
      const there = await elsewhere(({ headers }, response) =>
        says(response, headers['x-key'] === undefined),
      );
      return http((_, response) => goTo(response, there))();
    },
    headers: { 'X-Key': 'secret' },
    why: 'a configured header may be a secret of its origin',
    noBrowser: true,
  },
  {
    name: 'redirects to another host, which must not get a configured `Authorization`',
    url: async () => {
      const there = await elsewhere(({ headers }, response) =>
        says(response, headers.authorization === undefined),
      );
      return http((_, response) => goTo(response, there))();
    },
    headers: { Authorization: 'Bearer secret' },
    noBrowser: true,
  },
  {
    name: 'redirects a POST by 308 within its name, and wants the body again',
    url: http(async (request, response) => {
      let body = '';
      for await (const part of request) body += String(part);
      if (request.url === '/in') says(response, request.method === 'POST' && body === 'a body');
      else response.writeHead(308, { location: '/in' }).end();
    }),
    body: 'a body',
    noBrowser: true,
  },
  {
    name: 'redirects a POST by 303, and wants GET without a body',
    url: http(async (request, response) => {
      let body = '';
      for await (const part of request) body += String(part);
      if (request.url === '/in') says(response, request.method === 'GET' && body === '');
      else response.writeHead(303, { location: '/in' }).end();
    }),
    body: 'a body',
    noBrowser: true,
  },
  {
    name: 'has the text in the first KB of a page that is longer than `MAX_BODY` (P16)',
    url: withBody({}, page),
    options: { maxBody: 1_000 },
  },
  {
    name: 'speaks HTTP/2 only, over TLS (P17)',
    url: async () => {
      const server = createSecureServer({ ...certificate, allowHTTP1: false }, (_, response) => {
        response.writeHead(200, { 'content-type': 'text/html' });
        response.end('healthy');
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      open.push(() => server.close());
      return `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    },
    ours: 'failed',
    why: 'a check speaks HTTP/1.1, which all servers of the web do but a few; the message says so',
  },
];

const open: (() => unknown)[] = [];
const browser = await startBrowser();
const prober = createProber({
  ca: [authority.ca],
  hostsFile: 'hosts',
});
afterAll(async () => {
  for (const close of open) close();
  await Promise.all([browser.close(), prober.close()]);
});

/** `good`, or what the client says is wrong. */
type Client = (url: string, of: Case) => Promise<string>;
const runFile = promisify(execFile);
const run = (command: string, args: readonly string[], { hosts }: Case, env = process.env) =>
  runFile('env', [...((hosts && OWN_HOSTS) ?? []), command, ...args], { env });
const judged = (status: number, body: string, { text = 'healthy' }: Case) =>
  status !== 200 ? `status ${status}` : body.includes(text) ? 'good' : 'text not found';

const curl: Client = async (url, of) => {
  const { host, port } = new URL(url);
  const args = ['-sSL', '--max-redirs', '5', '--cookie', '', '--compressed', '--max-time', '60'];
  args.push('--cacert', 'ca.pem', '--resolve', `my_app.example.test:${port}:127.0.0.1`);
  for (const [name, value] of Object.entries(of.headers ?? {})) args.push('-H', `${name}: ${value}`);
  if (of.body !== undefined) args.push('--data', of.body);
  try {
    const { stdout } = await run('curl', [...args, '-w', '\n%{http_code}', url], of);
    const [, body = '', status] = /^(.*)\n(\d+)$/s.exec(stdout) ?? [];
    return judged(Number(status), body, of);
  } catch (error) {
    expect(error, host).toMatchObject({ code: expect.any(Number) as unknown });
    return `error ${(error as { code: number }).code}`;
  }
};

/** In a process that trusts the authority and knows the name. */
const FETCH = `
  const { lookup } = require('node:dns');
  require('node:dns').lookup = (name, options, done) => lookup(name.endsWith('.test') ? '127.0.0.1' : name, options, done);
  const [url, init] = process.argv.slice(1);
  fetch(url, JSON.parse(init))
    .then(async (response) => ({ status: response.status, body: await response.text() }))
    .catch(({ cause, message }) => ({ error: cause?.code ?? cause?.message ?? message }))
    .then((result) => console.log(JSON.stringify(result)));
`;

const nodeFetch: Client = async (url, of) => {
  const { headers = {}, body } = of;
  const init = { headers, ...(body !== undefined && { method: 'POST', body }) };
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: 'ca.pem' };
  const { stdout } = await run(process.execPath, ['-e', FETCH, url, JSON.stringify(init)], of, env);
  const result = JSON.parse(stdout) as { status?: number; body?: string; error?: string };
  return result.error ?? judged(result.status ?? 0, result.body ?? '', of);
};

const chromium: Client = async (url, of) => {
  const userAgent = of.headers?.['User-Agent'];
  const context = await browser.context({ ignoreHTTPSErrors: true, ...(userAgent && { userAgent }) });
  try {
    const tab = await context.newPage();
    const response = await tab.goto(url);
    return judged(response?.status() ?? 0, await tab.content(), of);
  } catch (error) {
    return /net::(\w+)/.exec(String(error))?.[1] ?? expect.unreachable(String(error));
  } finally {
    await context.close();
  }
};

const ours: Client = async (url, { text = 'healthy', headers = {}, body, options = {} }) => {
  const target = someTarget(url, {
    timeout: 60_000,
    request: { headers, ...(body !== undefined && { method: 'POST', body }) },
    assertions: { expectBody: { kind: 'text', text } },
    ...options,
  });
  const { outcome, message } = await prober.attempt(target, new AbortController().signal);
  return outcome === 'good' ? outcome : `${outcome}: ${message}`;
};

const verdict = (said: string) => /^(?:good|degraded)/.exec(said)?.[0] ?? 'failed';
const rows: string[] = [];

test.each(CASES)('a server that $name', async (of) => {
  // A server of its own for each, since some count requests.
  const ask = async (client: Client) => client(typeof of.url === 'string' ? of.url : await of.url(), of);
  const [byCurl, byFetch, byBrowser, byOurs] = [
    await ask(curl),
    await ask(nodeFetch),
    of.noBrowser ? '–' : await ask(chromium),
    await ask(ours),
  ];
  rows.push(`| ${[of.name, byCurl, byFetch, byBrowser, byOurs, of.why ?? ''].join(' | ')} |`);
  expect(verdict(byOurs), byOurs).toBe(of.ours ?? 'good');
  const isAgreed = of.noBrowser || verdict(byCurl) === verdict(byBrowser);
  // Where curl and Chromium agree, ours agrees with them, or the table says why not.
  expect(isAgreed && verdict(byCurl) !== verdict(byOurs), `curl: ${byCurl}`).toBe(of.why !== undefined);
});

test.runIf(process.env.UPDATE_DOCS === '1')('docs/http.md shows the table', async () => {
  const version = /^curl \S+/.exec(spawnSync('curl', ['--version'], { encoding: 'utf8' }).stdout)?.[0];
  const path = join(ROOT, 'docs/http.md');
  const text =
    INTRODUCTION.replace('CURL', version ?? 'curl').replace('NODE', process.version) + rows.join('\n');
  await writeFile(path, await format(text, { ...(await resolveConfig(path)), filepath: path }));
});

const INTRODUCTION = `# What a check sees, beside curl and browsers

The same inputs through CURL (\`curl -L --cookie '' --compressed\`), the \`fetch\` of Node NODE, Debian's Chromium, and a check.
Each server answers 200 and a text only to a client that has done what is right; a client that finds the text is \`good\`.
Otherwise the table shows what the client says: curl's exit code, the error code of Node or Chromium, a status, or the
message of the check. A dash: Chromium was not asked, because it does not trust a test's own authority, or because a page
cannot be opened with such a request.

\`UPDATE_DOCS=1 npx vitest run test/probe/clients.test.ts\` writes this page. The same test holds that a check agrees with curl
and Chromium where these two agree, but for the rows that say why not.

| The server… | curl | fetch | Chromium | a check | why a check differs from curl |
| --- | --- | --- | --- | --- | --- |
`;
