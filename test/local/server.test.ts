import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { setApp } from '../../lib/app.js';
import { serve } from '../../lib/local/server.js';
import { openSqlite } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { configOf } from '../support/runs.js';

const SECRET = 'a-secret-of-32-characters-length';
let directory: string;
let store: Store;
let server: Server;
let port: number;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keepalive-server-'));
  store = openSqlite(join(directory, 'keepalive.db'));
  setApp({ config: configOf({ CRON_SECRET: SECRET, TARGET_API_URL: 'http://api.test/' }), store });
  ({ server, port } = await serve(0));
});
afterAll(async () => {
  setApp(null);
  server.closeAllConnections();
  server.close();
  await store.close();
  await rm(directory, { recursive: true });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const send = async (method: string, body?: RequestInit['body'], path = '/api/maintenance') => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { authorization: `Bearer ${SECRET}` },
    ...(body === undefined ? {} : { body, duplex: 'half' }),
  });
  return {
    status: response.status,
    allow: response.headers.get('allow')?.split(', ').sort(),
    json: (await response.json()) as unknown,
  };
};
const stream = (chunks: number, bytes: number) =>
  new ReadableStream({
    pull: (controller) => {
      if (chunks-- > 0) controller.enqueue(new Uint8Array(bytes).fill(32));
      else controller.close();
    },
  });

describe('a request with a body', () => {
  it('reaches the function, with any method that it serves', async () => {
    const begun = await send('POST', '{"target":"api","minutes":5,"reason":"é漢🚀"}');
    expect(begun).toMatchObject({ status: 200, json: { maintenance: [{ target: 'api', reason: 'é漢🚀' }] } });
    expect(await send('DELETE', '{"target":"api"}')).toMatchObject({
      status: 200,
      json: { maintenance: [] },
    });
    expect(await send('DELETE')).toMatchObject({ status: 200 });
    expect(await send('DELETE', undefined, '/api/maintenance?target=api')).toMatchObject({ status: 200 });
  });

  it.each([
    ["beyond the function's limit", 'x'.repeat(5_000)],
    ["beyond the server's limit", 'x'.repeat(5_000_000)],
    ['that does not tell its length', stream(2000, 1000)],
  ])('%s is answered 413, and the next one is served', async (_, body) => {
    expect(await send('POST', body)).toMatchObject({ status: 413, json: { error: { code: 'too_large' } } });
    expect(await send('DELETE')).toMatchObject({ status: 200 });
  });

  it('that breaks off is no fault of ours', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const socket = connect(port, '127.0.0.1');
    const head = ['POST /api/maintenance HTTP/1.1', 'host: localhost', 'content-length: 100', '', '{"min'];
    const arrived = once(server, 'request');
    socket.write(head.join('\r\n'));
    const [request] = (await arrived) as [NodeJS.ReadableStream];
    const closed = new Promise((resolve) => request.once('close', resolve));
    socket.destroy();
    await closed;
    expect(await send('DELETE')).toMatchObject({ status: 200 });
    expect(log).not.toHaveBeenCalled();
  });
});

it.each([
  ['GET', '/api/maintenance', ['DELETE', 'POST']],
  ['PUT', '/api/maintenance', ['DELETE', 'POST']],
  ['POST', '/api/keepalive', ['GET', 'HEAD', 'OPTIONS']],
])('%s %s is not served, and what is served is told', async (method, path, allow) => {
  expect(await send(method, undefined, path)).toMatchObject({
    status: 405,
    allow,
    json: { error: { code: 'method_not_allowed' } },
  });
});

describe('a slash at the end', () => {
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init });
    return [answer.status, answer.headers.get('content-type'), (await answer.text()).length > 0];
  };

  it.each([
    ...['/history', '/t/api', '/t/nobody', '/sign-in', '/style.css', '/nothing'],
    ...['/api/keepalive', '/api/keepalive/api', '/api/keepalive/nobody', '/api/health', '/api/metrics'],
    ...['/api/badge/api', '/api/badge/nobody', '/api/feed', '/api/cron', '/api/maintenance'],
  ])('of %s makes no other address of it', async (path) => {
    for (const query of ['', '?metric=uptime', '?q=/']) {
      expect(await ask(`${path}/${query}`)).toEqual(await ask(path + query));
    }
  });

  it('loses no POST', async () => {
    const headers = { authorization: `Bearer ${SECRET}` };
    const run = await fetch(`http://127.0.0.1:${port}/api/cron/?async=1`, { method: 'POST', headers });
    expect([run.status, await run.json()]).toEqual([202, { trigger: 'http', status: 'started' }]);
    expect(await send('POST', '{"target":"api","minutes":5}', '/api/maintenance/')).toMatchObject({
      status: 200,
      json: { maintenance: [{ target: 'api' }] },
    });
    expect(await send('DELETE', undefined, '/api/maintenance/')).toMatchObject({ status: 200 });
  });
});

describe('a client that sends many requests before it has an answer', () => {
  const pipelined = (count: number, path: string) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`.repeat(count));
    return socket;
  };

  it('gets them one after the other, in order', async () => {
    const socket = pipelined(10, '/api/nothing');
    let text = '';
    socket.on('data', (part) => (text += part.toString()));
    await expect.poll(() => text.match(/HTTP\/1\.1 404/g)?.length).toBe(10);
    socket.destroy();
  });

  it('is cut off where it sends too many, and holds nobody up', async () => {
    const socket = pipelined(1_500, '/style.css');
    let answers = 0;
    socket.on('error', () => undefined);
    socket.on('data', (part) => (answers += part.toString('latin1').split('HTTP/1.1 200').length - 1));
    const closed = once(socket, 'close');
    expect((await fetch(`http://127.0.0.1:${port}/api/nothing`)).status).toBe(404);
    await closed;
    expect(answers).toBeLessThan(50);
  });
});
