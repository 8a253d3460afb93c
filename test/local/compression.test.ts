import type { Server } from 'node:http';
import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setApp } from '../../lib/app.js';
import { serve } from '../../lib/local/server.js';
import { Books } from '../support/books.js';
import { manyTargets } from '../support/runs.js';

let server: Server;
let port: number;

beforeAll(async () => {
  ({ server, port } = await serve(0));
  setApp({ config: manyTargets(20), store: new Books().store });
});
afterAll(() => {
  setApp(null);
  server.closeAllConnections();
  server.close();
});

/** As it comes over the wire. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: NodeJS.Dict<string>; body: Buffer }>((resolve, reject) => {
    const sent = request({ port, path, method, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: Object.fromEntries(
            Object.entries(answer.headers).map(([name, value]) => [name, String(value)]),
          ),
          body: Buffer.concat(parts),
        }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}

const LONG = ['/style.css', '/page.js', '/', '/api/keepalive', '/api/metrics'];

describe('on one machine', () => {
  it.each([
    ['br', 'br'],
    ['gzip, deflate, br', 'br'],
    ['gzip', 'gzip'],
    ['GZIP;q=0.5', 'gzip'],
    ['gzip, br;q=0', 'gzip'],
    ['gzip;q=0, br;q=0.0', undefined],
    ['deflate', undefined],
    ['identity', undefined],
    ['bread, xgzip', undefined],
    ['', undefined],
  ])('a client that accepts "%s" gets long texts as %s', async (accepted, encoding) => {
    for (const path of LONG) {
      const answer = await ask(path, { 'accept-encoding': accepted });
      expect([path, answer.status, answer.headers['content-encoding']]).toEqual([path, 200, encoding]);
      expect(answer.headers.vary).toContain('accept-encoding');
      expect(answer.headers['content-length']).toBe(String(answer.body.length));
      const text =
        encoding === 'br'
          ? brotliDecompressSync(answer.body)
          : encoding === 'gzip'
            ? gunzipSync(answer.body)
            : answer.body;
      expect(text.length).toBeGreaterThan(1024);
      if (encoding !== undefined) expect(answer.body.length).toBeLessThan(text.length / 2);
      if (path === '/style.css') expect(text.equals((await ask(path)).body)).toBe(true);
    }
  });

  it('short texts stay as they are', async () => {
    for (const path of ['/robots.txt', '/api/keepalive/nobody', '/api/badge/service-0?format=shields']) {
      const answer = await ask(path, { 'accept-encoding': 'gzip, br' });
      expect([path, answer.headers['content-encoding']]).toEqual([path, undefined]);
      expect(answer.body.length).toBeGreaterThan(0);
    }
  });

  it('HEAD has the headers of GET', async () => {
    for (const accepted of ['br', 'gzip', '']) {
      const headers = { 'accept-encoding': accepted };
      const [get, head] = [await ask('/style.css', headers), await ask('/style.css', headers, 'HEAD')];
      const named = ['content-encoding', 'content-length', 'content-type', 'etag', 'vary'];
      for (const name of named) expect(head.headers[name]).toBe(get.headers[name]);
      expect(head.body.length).toBe(0);
    }
  });

  it('a known text is not sent again, in whatever form it is known', async () => {
    for (const path of ['/style.css', '/page.js', '/api/badge/service-0']) {
      const { headers } = await ask(path, { 'accept-encoding': 'br' });
      expect(headers.etag).toMatch(/^W\/"/);
      for (const known of [
        headers.etag ?? '',
        (headers.etag ?? '').slice(2),
        '*',
        `"other", ${headers.etag ?? ''}`,
      ]) {
        for (const accepted of ['br', '']) {
          const again = await ask(path, { 'accept-encoding': accepted, 'if-none-match': known });
          expect([again.status, again.body.length, again.headers['content-length']]).toEqual([
            304,
            0,
            undefined,
          ]);
          expect(again.headers.etag).toBe(headers.etag);
          expect([again.headers['content-encoding'], again.headers.vary]).toEqual([undefined, headers.vary]);
        }
      }
    }
  });

  it('a preflight has no body and no length', async () => {
    const answer = await ask('/api/keepalive', { 'accept-encoding': 'br' }, 'OPTIONS');
    expect([answer.status, answer.headers['content-length'], answer.body.length]).toEqual([
      204,
      undefined,
      0,
    ]);
  });
});
