import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { createAuthority } from '../support/certificates.js';
import { runApart } from '../support/run-apart.js';
import { closedPort, hang, serveHttp, serveHttps, serveRaw, serveTcp } from '../support/servers.js';

const MB = 1024 * 1024;
/** Servers of each kind, healthy ones beside them, and MB of heap for the process that checks them. */
const { copies, healthyOnes, heap } = inject('long')
  ? { copies: 10, healthyOnes: 100, heap: 256 }
  : { copies: 1, healthyOnes: 20, heap: 96 };
/** Bytes, of the heap and all the rest of Node: bodies that are kept whole come to gigabytes. */
const MOST_MEMORY = 400 * MB;

type Options = Readonly<Record<string, string>>;
interface Hostile {
  readonly kind: string;
  readonly serve: () => Promise<string>;
  readonly options?: Options;
  /** The message that its check must end with; null: it is good all the same. */
  readonly message: string | null | RegExp;
}

const OK = 'HTTP/1.1 200 OK\r\n';
const local = (port: number, scheme = 'http') => `${scheme}://127.0.0.1:${port}/`;
const raw = (answer: (socket: Socket) => void) => async () => local((await serveRaw(answer)).port);
const says = (text: string) => raw((socket) => void socket.write(text));
const ends = (text: string) => raw((socket) => void socket.end(text));
const http = (listener: RequestListener) => async () => local((await serveHttp(listener)).port);

/** Writes the same again for as long as it is taken. */
function endless(head: string, piece: string | Buffer): () => Promise<string> {
  return raw((socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.write(head);
    socket.on('drain', more);
    more();
  });
}

const dripping = (head: string) =>
  raw((socket) => {
    socket.write(head);
    const timer = setInterval(() => socket.write('x'), 100);
    socket.on('close', () => clearInterval(timer));
  });

const zeros = gzipSync(Buffer.alloc(32 * MB));
const bombs = {
  gzip: Buffer.concat([zeros, zeros, zeros, zeros]),
  br: brotliCompressSync(Buffer.alloc(192 * MB), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  deflate: deflateSync(Buffer.alloc(64 * MB)),
  'gzip, gzip': gzipSync(Buffer.concat(Array.from({ length: 64 }, () => zeros))),
};
const bomb = (encoding: keyof typeof bombs) =>
  http((_request, response) => response.setHeader('content-encoding', encoding).end(bombs[encoding]));
const encoded = (encoding: string) =>
  http((_request, response) => response.setHeader('content-encoding', encoding).end('no such thing'));
const text = (body: string) => http((_request, response) => response.end(body));

const WANTS_TEXT = { EXPECT_BODY: 'ok' };
const tooLarge = 'body too large';
const inAnswer = 'timed out waiting for the answer';
const inBody = 'timed out in the body';
const early = 'connection closed early';
const notSolved = /^JSON expression (?:failed|took too long)$/;
const noHttp = 'no valid HTTP answer';

const authority = createAuthority('Test CA');
const stranger = createAuthority('Stranger');
const certified = (pair: { cert: string; key: string }) => async () =>
  local((await serveHttps(pair, (_request, response) => response.end('ok'))).port, 'https');

/** What never ends comes at one moment, when the healthy are waited for. */
const soon = (body: string) => http((_request, response) => void setTimeout(() => response.end(body), 300));
const neverEnding: Hostile[] = [
  ...['(a+)+$', '(a|a)*$', '(a|aa)+$', '^(([a-z])+.)+[A-Z]([a-z])+$'].map((source) => ({
    kind: `regular expression ${source}`,
    serve: soon(`${'a'.repeat(200)}!`),
    options: { EXPECT_BODY: `/${source}/` },
    message: 'body expression took too long',
  })),
  ...Array.from({ length: 7 }, (_, i) => ({
    kind: `endless JSONata ${i}`,
    serve: soon('{}'),
    options: { EXPECT_JSON: `($f := function($x) { $f($x + ${i + 1}) }; $f(1))` },
    message: 'JSON expression took too long',
  })),
  {
    kind: 'JSONata that eats memory',
    serve: soon('{}'),
    options: { EXPECT_JSON: `($f := function($x) { $f($x & $x & "a") }; $f($pad("a", 100000)))` },
    message: notSolved,
  },
];

const kinds: readonly Hostile[] = [
  { kind: 'endless body', serve: endless(`${OK}\r\n`, Buffer.alloc(MB)), message: null },
  {
    kind: 'endless body that is read',
    serve: endless(`${OK}\r\n`, Buffer.alloc(MB)),
    options: WANTS_TEXT,
    message: tooLarge,
  },
  {
    kind: 'endless chunks',
    serve: endless(`${OK}transfer-encoding: chunked\r\n\r\n`, `10000\r\n${'x'.repeat(65_536)}\r\n`),
    options: WANTS_TEXT,
    message: tooLarge,
  },
  {
    kind: 'endless chunk extension',
    serve: endless(`${OK}transfer-encoding: chunked\r\n\r\n5;`, 'x'.repeat(MB)),
    options: WANTS_TEXT,
    message: 'headers too large',
  },
  {
    kind: 'endless trailers',
    serve: endless(`${OK}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n`, 'x: y\r\n'.repeat(10_000)),
    options: WANTS_TEXT,
    message: 'headers too large',
  },
  { kind: 'bomb nobody reads', serve: bomb('gzip'), message: null },
  ...(['gzip', 'br', 'deflate', 'gzip, gzip'] as const).map((encoding) => ({
    kind: `bomb (${encoding})`,
    serve: bomb(encoding),
    options: WANTS_TEXT,
    message: tooLarge,
  })),
  { kind: 'silence', serve: says(''), message: inAnswer },
  { kind: 'dripping headers', serve: dripping(OK), message: inAnswer },
  { kind: 'dripping body', serve: dripping(`${OK}content-length: 9999\r\n\r\n`), message: inBody },
  { kind: 'stalled body', serve: says(`${OK}content-length: 9\r\n\r\nok`), message: inBody },
  { kind: 'endless header', serve: endless(`${OK}x: `, 'x'.repeat(MB)), message: 'headers too large' },
  {
    kind: 'countless headers',
    serve: endless(OK, 'x: y\r\n'.repeat(10_000)),
    message: 'headers too large',
  },
  {
    kind: 'endless status line',
    serve: endless('HTTP/1.1 200 ', 'x'.repeat(MB)),
    message: 'headers too large',
  },
  { kind: 'short body', serve: ends(`${OK}content-length: 9\r\n\r\nok`), message: early },
  {
    kind: 'two lengths',
    serve: ends(`${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nok`),
    message: 'wrong content length',
  },
  {
    kind: 'garbage chunk',
    serve: ends(`${OK}transfer-encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n`),
    message: noHttp,
  },
  { kind: 'endless garbage', serve: endless('', Buffer.alloc(MB, 255)), message: noHttp },
  { kind: 'HTTP/0.9', serve: ends('<html>ok</html>'), message: noHttp },
  {
    kind: 'answer before the request',
    serve: async () =>
      local((await serveTcp((socket) => void socket.end(`${OK}content-length: 2\r\n\r\nok`))).port),
    message: /^(?:|connection closed early|unexpected answer)$/,
  },
  {
    kind: 'endless interim answers',
    serve: endless('', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_000)),
    message: 'too many interim answers',
  },
  {
    kind: 'switched protocols',
    serve: says('HTTP/1.1 101 x\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    message: 'unexpected answer',
  },
  {
    kind: 'redirect loop',
    serve: http((_request, response) => response.writeHead(302, { location: '/' }).end()),
    message: 'too many redirects',
  },
  {
    kind: 'slow redirects',
    serve: http(
      (_request, response) => void setTimeout(() => response.writeHead(302, { location: '/' }).end(), 600),
    ),
    message: /^timed out /,
  },
  {
    kind: 'reset at once',
    serve: async () => local((await serveTcp((socket) => socket.resetAndDestroy())).port),
    message: 'connection reset',
  },
  {
    kind: 'reset after the request',
    serve: raw((socket) => void socket.resetAndDestroy()),
    message: 'connection reset',
  },
  {
    kind: 'reset in the body',
    serve: raw((socket) => {
      socket.write(`${OK}content-length: 9\r\n\r\nok`, () => setTimeout(() => socket.resetAndDestroy(), 20));
    }),
    message: /^connection (?:reset|closed early)$/,
  },
  { kind: 'end in the headers', serve: ends(`${OK}a: b\r\n`), message: early },
  { kind: 'nobody there', serve: async () => local(await closedPort()), message: 'connection refused' },
  {
    kind: 'connection that hangs',
    serve: async () => {
      const { port } = await serveTcp(() => undefined);
      await hang('127.0.0.5', port);
      return `http://127.0.0.5:${port}/`;
    },
    message: 'timed out connecting',
  },
  {
    kind: 'request that nobody reads',
    serve: async () => local((await serveTcp((socket) => void socket.pause())).port),
    options: { METHOD: 'POST', BODY: 'x'.repeat(100_000) },
    message: inAnswer,
  },
  {
    kind: 'stalled TLS',
    serve: async () => local((await serveTcp(() => undefined)).port, 'https'),
    message: 'timed out in the TLS handshake',
  },
  {
    kind: 'no TLS',
    serve: async () => local((await serveHttp((_request, response) => response.end())).port, 'https'),
    message: 'the port does not speak TLS: check the port, or use the same kind of address without TLS',
  },
  {
    kind: 'expired certificate',
    serve: certified(authority.issue(['127.0.0.1'], -30, -1)),
    message: 'certificate has expired: renew it (or the one that issued it), then reload the server',
  },
  {
    kind: 'certificate of another',
    serve: certified(authority.issue(['other.test'])),
    message: 'certificate is for another name: check the address, or get a certificate for this name',
  },
  {
    kind: 'certificate of a stranger',
    serve: certified(stranger.issue(['127.0.0.1'])),
    message:
      'unknown certificate issuer: let the server send its whole chain, or trust the issuer by NODE_EXTRA_CA_CERTS',
  },
  {
    kind: 'unknown encoding',
    serve: encoded('zip'),
    options: WANTS_TEXT,
    message: 'expected text not found',
  },
  { kind: 'broken encoding', serve: encoded('br'), options: WANTS_TEXT, message: 'broken content encoding' },
  {
    kind: 'a million brackets',
    serve: text('['.repeat(1_000_000)),
    options: { EXPECT_JSON: 'a', MAX_BODY: '3mb' },
    // To read it may take more time or memory than an expression may take.
    message: /^(?:body is not JSON|JSON expression (?:took too long|failed))$/,
  },
  {
    kind: 'a million pairs of brackets',
    serve: text('['.repeat(1_000_000) + ']'.repeat(1_000_000)),
    options: { EXPECT_JSON: 'a.b', MAX_BODY: '3mb' },
    message: notSolved,
  },
  ...neverEnding,
];
const hostile = Array.from({ length: copies }, () => kinds).flat();

/** Answers well, but takes its time; a third of them is looked at. */
function healthy(): RequestListener {
  return (_request: IncomingMessage, response: ServerResponse) => {
    setTimeout(() => response.setHeader('content-type', 'application/json').end('{"status":"ok"}'), 500);
  };
}

describe('a run among hostile servers', () => {
  let outcome: Awaited<ReturnType<typeof runApart>>;
  const resultOf = (id: string) => outcome.report.results.find((result) => result.id === id);

  beforeAll(async () => {
    const env: Record<string, string> = { KEEP_ALIVE_TIMEOUT: '2s', KEEP_ALIVE_RETRIES: '0' };
    await Promise.all(
      hostile.map(async ({ serve, options = {} }, i) => {
        env[`TARGET_HOSTILE_${i}_URL`] = await serve();
        for (const [name, value] of Object.entries(options)) env[`TARGET_HOSTILE_${i}_${name}`] = value;
      }),
    );
    const good = await serveHttp(healthy(), '0.0.0.0');
    for (let i = 0; i < healthyOnes; i++) {
      env[`TARGET_WELL_${i}_URL`] = `http://127.0.1.${i + 1}:${good.port}/`;
      if (i % 3 === 1) env[`TARGET_WELL_${i}_EXPECT_JSON`] = 'status = "ok"';
      if (i % 3 === 2) env[`TARGET_WELL_${i}_EXPECT_BODY`] = '/"ok"/';
    }
    const home = await mkdtemp(join(tmpdir(), 'keepalive-hostile-'));
    await writeFile(join(home, 'ca.pem'), authority.ca);
    outcome = await runApart(
      { env },
      {
        nodeOptions: [`--max-old-space-size=${heap}`],
        env: { ...process.env, NODE_EXTRA_CA_CERTS: join(home, 'ca.pem') },
      },
    );
    await rm(home, { recursive: true });
    console.log(
      `${hostile.length} hostile, ${healthyOnes} healthy: ${outcome.report.durationMs} ms, ` +
        `peak ${Math.round(outcome.peakMemory / MB)} MB, loop held up ${Math.round(outcome.longestBlock)} ms at most`,
    );
  });

  test('ends, with every target judged', () => {
    expect(outcome.report).toMatchObject({
      status: 'completed',
      due: hostile.length + healthyOnes,
      checked: hostile.length + healthyOnes,
    });
  });

  test.each(hostile.map(({ kind, message }, i) => [kind, i, message] as const))(
    'judges %s by what it did',
    (_kind, i, message) => {
      const { ok, message: found = '' } = resultOf(`hostile-${i}`) ?? {};
      expect(ok).toBe(found === '');
      if (message instanceof RegExp) expect(found).toMatch(message);
      else expect(found).toBe(message ?? '');
    },
  );

  test('finds the healthy ones good, at the latency they have', () => {
    for (let i = 0; i < healthyOnes; i++) {
      const { ok, latency = 0, message } = resultOf(`well-${i}`) ?? {};
      expect({ i, ok, message }).toEqual({ i, ok: true, message: undefined });
      expect(latency).toBeGreaterThanOrEqual(495);
      expect(latency).toBeLessThan(1_900);
    }
  });

  test('goes on meanwhile', () => {
    expect(outcome.longestBlock).toBeLessThan(1_500);
  });

  test('keeps no body beyond its cap', () => {
    expect(outcome.peakMemory).toBeLessThan(MOST_MEMORY);
  });

  test('leaves nothing open, and lets the process end', () => {
    expect(outcome.leftOpen).toEqual([]);
    expect(outcome.ended).toEqual([0, null]);
  });
});
