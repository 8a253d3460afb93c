import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { COMMAND_NAMES } from '../../lib/cli/commands.js';
import { runChild } from '../support/child.js';
import { serveHttp } from '../support/servers.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(resolve('env-'));
});

async function keepalive(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = runChild(new URL('../../bin/keepalive.ts', import.meta.url), args, {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const [out, err] = await Promise.all([
    text(child.stdout as Readable),
    text(child.stderr as Readable),
    new Promise((done) => child.once('close', done)),
  ]);
  return { code: child.exitCode, out, err };
}

const write = (content: string | Uint8Array) => writeFileSync(join(folder, '.env'), content);

describe('.env in the working directory', () => {
  it('is read by a command', async () => {
    const { port } = await serveHttp((_, response) => response.end('ok'));
    write(`TARGET_A_URL=http://127.0.0.1:${port}/\nexport TARGET_B_URL="http://127.0.0.1:${port}/b"\n`);
    expect((await keepalive(['config'])).out).toMatch(/^The configuration is valid: 2 targets\.\n/);
    expect(await keepalive(['check', 'a'])).toMatchObject({ code: 0 });
    const missing = await keepalive(['schedule', 'list'], { QSTASH_TOKEN: '' });
    expect(missing.err).toContain('QSTASH_TOKEN: missing');
    write('KEEP_ALIVE_DATABASE=canary-folder/none.db\n');
    expect((await keepalive(['inspect'])).err).toContain('The database file (KEEP_ALIVE_DATABASE)');
    expect((await keepalive(['export'])).err).toContain('The database file (KEEP_ALIVE_DATABASE)');
    expect((await keepalive(['doctor'])).out).toContain('KEEP_ALIVE_DATABASE: no such file yet');
  });

  it('loses against variables that are set, empty ones too', async () => {
    write('TARGET_A_URL=canary\nTARGET_B_URL=http://b.test/\nTARGET_C_URL=http://c.test/\n');
    const { code, out } = await keepalive(['config'], { TARGET_A_URL: 'http://a.test/', TARGET_C_URL: '' });
    expect([code, out]).toEqual([0, expect.stringMatching(/^The configuration is valid: 2 targets\.\n/)]);
  });

  it('is left alone where Vercel builds: what is built will not have it', async () => {
    write('TARGET_A_URL=canary\n');
    const { code, out } = await keepalive(['config'], { VERCEL: '1' });
    expect([code, out]).toEqual([0, 'The configuration is valid: 0 targets.\n']);
  });

  // As `vercel env pull .env` writes it: this machine is not Vercel.
  it('does not make this machine Vercel', async () => {
    write('VERCEL="1"\nVERCEL_ENV="production"\nTARGET_A_URL=http://a.test/\n');
    const { code, out } = await keepalive(['plan']);
    expect([code, out]).toEqual([0, expect.stringMatching(/^npm start makes a run every 1 m\./)]);
    expect((await keepalive(['config'])).code).toBe(0);
  });

  it('is refused by every command where it cannot be understood, with the lines and no value', async () => {
    write('TARGET_A_URL=http://a.test/\nCRON_SECRET="canary\nALERT_SLACK_URL: canary\n');
    for (const name of COMMAND_NAMES) {
      const { code, out, err } = await keepalive([name]);
      expect([name, code, out]).toEqual([name, 1, '']);
      expect(err).toBe(
        '.env, line 2: CRON_SECRET: its quote (") is never closed\n.env, line 3: expected NAME=value\n',
      );
    }
    expect((await keepalive(['check', '--help'])).code).toBe(0);
  });

  it.each([
    [
      'no text',
      () => write(Buffer.from('\uFEFFTARGET_A_URL=http://a.test/', 'utf16le')),
      'it is not UTF-8 text',
    ],
    ['a folder', () => mkdirSync(join(folder, '.env')), 'EISDIR'],
  ])('is refused where it is %s', async (_, make, why) => {
    make();
    const { code, err } = await keepalive(['config']);
    expect([code, err]).toEqual([1, `.env cannot be read: ${why}.\n`]);
  });
});
