import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { webhookScript } from '../../lib/view/subscribe-page.js';
import { serveHttp } from '../support/servers.js';

it('the script for visitors posts the feed when it has changed, and never an error', async () => {
  const home = mkdtempSync(join(tmpdir(), 'keepalive-script-'));
  let text = 'first';
  let status = 200;
  const posted: string[] = [];
  const { port } = await serveHttp((request, response) => {
    if (request.method === 'POST') {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        posted.push(body);
        response.end();
      });
      return;
    }
    const etag = `"${text}"`;
    response.statusCode = request.headers['if-none-match'] === etag ? 304 : status;
    if (status === 200) response.setHeader('etag', etag);
    response.end(response.statusCode === 304 ? undefined : text);
  });
  const origin = `http://127.0.0.1:${port}`;
  const script = webhookScript(`${origin}/api/feed`, false).replace(/https:\/\/example\.com\S*(?=')/, origin);
  const run = async (): Promise<void> => {
    const child = spawn('sh', ['-c', script], {
      env: { PATH: process.env.PATH, HOME: home },
      stdio: 'ignore',
    });
    await once(child, 'exit');
  };
  await run();
  await run();
  text = 'second';
  status = 503;
  await run();
  status = 200;
  await run();
  await run();
  expect(posted).toEqual(['first', 'second']);
  rmSync(home, { recursive: true });
});
