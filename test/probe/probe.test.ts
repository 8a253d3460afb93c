import { constants, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { createProber } from '../../lib/probe/probe.js';
import type { Attempt } from '../../lib/types.js';
import { closedPort, serveHttp, serveRaw, serveTcp } from '../support/servers.js';
import { someTarget } from '../support/targets.js';

const never = new AbortController().signal;
const prober = createProber();
afterAll(() => prober.close());

/** What holds of every attempt. */
function expectSound(attempt: Attempt) {
  expect(attempt.outcome === 'failed').toBe(attempt.reason !== null);
  expect(attempt.outcome === 'good').toBe(attempt.message === null);
  expect(attempt.message?.length ?? 0).toBeLessThanOrEqual(120);
  const { dns, connect, tls, ttfb, total } = attempt.timings;
  const phases = [dns, connect, tls, ttfb].map((phase) => phase ?? 0);
  expect(Math.min(...phases)).toBeGreaterThanOrEqual(0);
  expect(phases.reduce((sum, phase) => sum + phase)).toBeLessThanOrEqual(total + 0.5);
}

test('whatever bytes a server sends, and however it ends, an attempt is data', async () => {
  let bytes: Uint8Array[] = [];
  let ending: 'end' | 'reset' | 'stall' = 'end';
  const { port } = await serveRaw((socket) => {
    for (const part of bytes) socket.write(part);
    if (ending === 'end') socket.end();
    else if (ending === 'reset') socket.resetAndDestroy();
  });
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc
      .constantFrom(
        'HTTP/1.1 200 OK\r\n',
        'HTTP/1.0 302 x\r\n',
        'HTTP/1.1 999 \r\n',
        'HTTP/1.1 103 \r\n\r\n',
        '\r\n',
        '\r\n\r\n',
        'content-length: 5\r\n',
        'transfer-encoding: chunked\r\n',
        'content-encoding: gzip\r\n',
        'content-encoding: br\r\n',
        'location: /\r\n',
        'location: http://\xff\r\n',
        'content-type: a; charset=\r\n',
        '5\r\nhello\r\n',
        '0\r\n\r\n',
        'FFFFFFFFFFFFFFFFF\r\n',
        '{"a":',
        'x'.repeat(20_000),
      )
      .map((text) => Buffer.from(text, 'latin1')),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 12 }),
      fc.constantFrom('end', 'reset', 'stall'),
      async (sent, how) => {
        [bytes, ending] = [sent, how];
        const target = someTarget(`http://127.0.0.1:${port}/?secret=s3cr3t`, {
          timeout: 200,
          maxRedirects: 2,
          assertions: { expectBody: { kind: 'regex', source: 'a+', flags: '' }, expectJson: 'a = 1' },
        });
        const attempt = await prober.attempt(target, never);
        expectSound(attempt);
        expect(JSON.stringify(attempt)).not.toMatch(/s3cr3t|127\.0/);
      },
    ),
    { numRuns: 150 },
  );
});

const streams = () =>
  process.getActiveResourcesInfo().filter((name) => /^(TCP|TLS|Timeout|Pipe|DNS|GetAddr)/.test(name)).length;

test('nothing stays open after attempts that failed, or were cut short', async () => {
  const closing = await serveRaw((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n'));
  const resetting = await serveRaw((socket) => socket.resetAndDestroy());
  const stalling = await serveRaw((socket) => socket.write('HTTP/1.1 200 OK\r\n'));
  const endless = await serveRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.write(Buffer.alloc(1_000_000));
  });
  const ports = [closing.port, resetting.port, stalling.port, endless.port, await closedPort()];
  const before = streams();
  const attempts = await Promise.all(
    Array.from({ length: 200 }, (_, i) => {
      const url = `http://127.0.0.1:${ports[i % ports.length] ?? 0}/`;
      return prober.attempt(someTarget(url, { timeout: 300, maxBody: i % 2 ? 1_000 : 100_000 }), never);
    }),
  );
  attempts.forEach(expectSound);
  const controller = new AbortController();
  const cut = Array.from({ length: 50 }, () =>
    prober.attempt(someTarget(`http://127.0.0.1:${stalling.port}/`), controller.signal),
  );
  setTimeout(() => controller.abort(), 50);
  await Promise.all(cut);
  await expect.poll(streams, { timeout: 30_000 }).toBeLessThanOrEqual(before);
});

test.each(['http', 'https'])(
  'connections that are closed between two steps are seen: %s',
  async (protocol) => {
    const resetting = await serveTcp((socket) => socket.resetAndDestroy());
    const closing = await serveTcp((socket) => socket.destroy());
    // So many that the steps wait for each other.
    const attempts = await Promise.all(
      Array.from({ length: 200 }, (_, i) => {
        const { port } = i % 2 ? resetting : closing;
        return prober.attempt(someTarget(`${protocol}://127.0.0.1:${port}/`, { timeout: 30_000 }), never);
      }),
    );
    attempts.forEach(expectSound);
    expect(new Set(attempts.map(({ reason }) => reason))).toEqual(new Set(['reset']));
  },
);

test('a decompression bomb takes no more memory than the cap allows', async () => {
  const bomb = gzipSync(Buffer.alloc(200_000_000), { level: constants.Z_BEST_SPEED }).subarray(0, 250_000);
  const { port } = await serveHttp((_request, response) => {
    response.setHeader('content-encoding', 'gzip').end(bomb);
  });
  const target = someTarget(`http://127.0.0.1:${port}/`, { assertions: { expectJson: 'a' } });
  await prober.attempt(target, never);
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 20; i++) {
    expect(await prober.attempt(target, never)).toMatchObject({ reason: 'too_large' });
  }
  expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000);
});

test('probers may be closed while an attempt is under way, and twice', async () => {
  const { port } = await serveHttp((_request, response) => setTimeout(() => response.end(), 50));
  const other = createProber();
  const running = other.attempt(someTarget(`http://127.0.0.1:${port}/`), never);
  await other.close();
  expectSound(await running);
  await other.close();
});

test('an error of our own is told as that, and not as the answer of the target', async () => {
  const { port } = await serveHttp((_request, response) => response.end());
  const broken = createProber({ exchange: () => Promise.reject(new TypeError('a mistake')) });
  expect(await broken.attempt(someTarget(`http://127.0.0.1:${port}/`), never)).toMatchObject({
    reason: 'protocol',
    message: 'unexpected error in the check: its target may be well',
  });
  await broken.close();
});
