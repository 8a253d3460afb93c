import { mkdtempSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, inject, it } from 'vitest';
import { serveHttp } from '../support/servers.js';
import { openTmux } from '../support/tmux.js';

const { port } = await serveHttp((_, response) => response.end('ok'));

/** Runs a command in a real terminal until its end. */
async function screenOf(...args: string[]): Promise<string> {
  const env = {
    KEEP_ALIVE_CONTROL_URLS: 'off',
    KEEP_ALIVE_FAILURE_THRESHOLD: '1',
    TARGET_API_URL: `http://127.0.0.1:${port}/`,
    TARGET_SHOP_URL: `http://localhost:${port}/`,
    TARGET_SHOP_SLEEPS_AFTER: '15m',
  };
  const command = [process.execPath, join(inject('transpiled'), 'bin/keepalive.js'), ...args];
  const terminal = openTmux(command, { cwd: mkdtempSync(resolve('terminal-')), env });
  await terminal.shows('exit code ');
  return terminal
    .screen()
    .replaceAll(/:\d{4,5}\//g, ':port/')
    .replaceAll(/\b\d+(?:\.\d+)? ms\b/g, '# ms');
}

it('doctor, plan and check look in a terminal as their file shows: no progress is left on the screen', async () => {
  const parts: string[] = [];
  for (const args of [['doctor'], ['plan'], ['check', 'api'], ['plan', '--help'], ['dcotor']]) {
    parts.push(`$ keepalive ${args.join(' ')}\n${await screenOf(...args)}\n`);
  }
  await expect(parts.join('\n')).toMatchFileSnapshot('__snapshots__/terminal.txt');
});
