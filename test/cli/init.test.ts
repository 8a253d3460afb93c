import { chmodSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import fc from 'fast-check';
import { beforeEach, describe, expect, inject, it } from 'vitest';
import { parseDotenv } from '../../lib/config/dotenv.js';
import { hostInWords } from '../../lib/cli/init.js';
import { targetAt } from '../../lib/config/target-builder.js';
import type { Target } from '../../lib/types.js';
import { withVariables } from '../../lib/cli/dotenv-text.js';
import { runChild } from '../support/child.js';
import { closedPort, serveHttp } from '../support/servers.js';
import { openTmux } from '../support/tmux.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(resolve('init-'));
});

const { port } = await serveHttp((_, response) => response.end('ok'));
const good = `http://127.0.0.1:${port}/health?key=query-secret`;
const refused = `http://localhost:${await closedPort()}/`;
const dotenv = () => readFileSync(join(folder, '.env'), 'utf8');
const variables = () => Object.fromEntries(parseDotenv(dotenv(), new Map()).variables);
const SECRET = expect.stringMatching(/^[0-9a-f]{64}$/) as string;

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

/** In a real terminal. */
function initIn(env: Readonly<Record<string, string>> = {}) {
  const command = [process.execPath, join(inject('transpiled'), 'bin/keepalive.js'), 'init'];
  return openTmux(command, { cwd: folder, env });
}

const normal = (screen: string) =>
  screen
    .replaceAll(/:\d{4,5}\//g, ':port/')
    .replaceAll(/\b\d+(?:\.\d+)? m?s\b/g, '# ms')
    // How often the spinner has turned is the machine's affair.
    .replaceAll(/^[◒◐◓◑] .*\n/gm, '');

/** A `vercel` that is signed in, and writes down what it is asked. */
function standInForVercel(): Record<string, string> {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  mkdirSync(join(folder, '.vercel'));
  writeFileSync(join(folder, '.vercel/project.json'), '{}');
  const script = `#!/bin/sh
case "$1" in
  whoami) exit 0;;
  *) echo "$* <- $(cat)" >> "${join(folder, 'asked')}"; [ "$3" != CRON_SECRET ];;
esac
`;
  writeFileSync(join(bin, 'vercel'), script);
  chmodSync(join(bin, 'vercel'), 0o755);
  return { PATH: `${bin}:${process.env.PATH ?? ''}` };
}

describe('keepalive init in a terminal', () => {
  it('asks, checks, and writes what it was given', async () => {
    const terminal = initIn();
    await terminal.shows('Which address is to be pinged?');
    terminal.type('ftp://x');
    await terminal.shows('expected an address');
    for (let i = 0; i < 7; i += 1) terminal.press('BSpace');
    terminal.type(good);
    await terminal.shows('is good');
    await terminal.shows('Another address?');
    terminal.type(refused);
    await terminal.shows('It is added all the same.');
    await expect.poll(() => terminal.screen().split('Another address?').length, { timeout: 60_000 }).toBe(3);
    terminal.press('Enter');
    await terminal.shows('to .env?');
    terminal.press('Enter');
    await terminal.shows('exit code 0');
    const screen = terminal.screen();
    expect(variables()).toEqual({
      TARGET_127_0_0_1_URL: good,
      TARGET_LOCALHOST_URL: refused,
      CRON_SECRET: SECRET,
    });
    expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600);
    expect(screen).not.toContain(variables().CRON_SECRET);
    await expect(normal(screen)).toMatchFileSnapshot('__snapshots__/init.txt');
  });

  it('sets the variables of a linked Vercel project, where the user wants it', async () => {
    const env = standInForVercel();
    writeFileSync(join(folder, '.env'), `TARGET_A_URL=${good}\n`);
    const terminal = initIn(env);
    await terminal.shows('Another address?');
    terminal.press('Enter');
    await terminal.shows('Add CRON_SECRET to .env?');
    terminal.press('Enter');
    await terminal.shows('Set TARGET_A_URL, CRON_SECRET on Vercel too');
    terminal.press('Enter');
    await terminal.shows('exit code 0');
    const secret = variables().CRON_SECRET ?? '';
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe(
      `env add TARGET_A_URL production <- ${good}\nenv add CRON_SECRET production <- ${secret}\n`,
    );
    const screen = terminal.screen();
    expect(screen).toContain('TARGET_A_URL is set on Vercel.');
    expect(screen).toContain('CRON_SECRET was not set');
    expect(screen).not.toContain(secret);
  });

  it('writes nothing when it is cancelled', async () => {
    writeFileSync(join(folder, '.env'), 'FOO=1\n');
    const terminal = initIn();
    await terminal.shows('Which address');
    terminal.press('C-c');
    await terminal.shows('exit code 1');
    expect(terminal.screen()).toContain('Nothing was written.');
    expect(dotenv()).toBe('FOO=1\n');
  });
});

describe('keepalive init without a terminal', () => {
  it('says what to do', async () => {
    const { code, out, err } = await keepalive(['init', good]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('keepalive init --yes <url>');
    expect((await keepalive(['init', '--yes'])).err).toContain('no address was given');
  });

  it('adds the addresses that are given, and keeps what is there', async () => {
    writeFileSync(join(folder, '.env'), `# mine\r\nTARGET_LOCALHOST_URL=${good}\r\nPORT=4000`, {
      mode: 0o644,
    });
    const { code, out } = await keepalive(['init', '--yes', good, refused]);
    expect(code).toBe(0);
    expect(out).toContain('is a target already: localhost.');
    expect(out).toContain('It is added all the same.');
    expect(out).toContain('http://localhost:4000');
    expect(out).not.toContain('query-secret');
    expect(dotenv().split('\r\n').slice(0, 3)).toEqual([
      '# mine',
      `TARGET_LOCALHOST_URL=${good}`,
      'PORT=4000',
    ]);
    expect(variables()).toMatchObject({ TARGET_LOCALHOST_2_URL: refused, CRON_SECRET: SECRET });
    expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600);

    const before = dotenv();
    expect((await keepalive(['init', '--yes', refused])).out).toContain('Everything is set already.');
    expect(dotenv()).toBe(before);
  });

  it('gives each address a name of its own', async () => {
    const addresses = ['http://my-api.test:1/', 'www.my-api.invalid', 'my-api.invalid:1'];
    await keepalive(['init', '--yes', ...addresses]);
    expect(variables()).toEqual({
      TARGET_MY_API_URL: 'http://my-api.test:1/',
      TARGET_WWW_MY_API_INVALID_URL: 'https://www.my-api.invalid',
      TARGET_MY_API_INVALID_URL: 'https://my-api.invalid:1',
      CRON_SECRET: SECRET,
    });
  });

  it('knows the hosts', () => {
    const words = (address: string) => hostInWords(targetAt(address).target as Target);
    expect(words('https://a.up.railway.app/')).toBe(
      'Host: railway, which sleeps after 5 m without a request: pinged every 2 m 30 s.',
    );
    expect(words('https://a.example.com/')).toBe('No host that sleeps: pinged every 5 m.');
  });

  it('refuses what is wrong before it writes anything', async () => {
    const { code, err } = await keepalive(['init', '--yes', good, 'https://user:pa/ss-canary@api.test/']);
    expect([code, err]).toEqual([1, expect.stringMatching(/^Address 2: /)]);
    expect(err).not.toContain('canary');
    const broken = await keepalive(['init', '--yes', good], { KEEP_ALIVE_TICK: 'canary' });
    expect(broken.err).toContain('KEEP_ALIVE_TICK');
    expect(dotenv).toThrow('ENOENT');
  });
});

it('what is written is read as it was, and what was there stays', () => {
  const variable = fc.tuple(fc.stringMatching(/^[A-Z][A-Z0-9_]{0,9}$/), fc.string({ unit: 'binary' }));
  const before = fc.array(fc.constantFrom('# c', '', 'X=1', 'export Y="2"', "Z='a\nb'"));
  fc.assert(
    fc.property(before, fc.constantFrom('\n', '\r\n'), fc.array(variable), (lines, end, added) => {
      // A file with Windows line ends has them within values too.
      const wanted = added.map(([name, value]) => [`K_${name}`, value.replaceAll('\0', '').trim()] as const);
      const old = lines.join('\n').replaceAll('\n', end);
      const written = withVariables(old, wanted);
      expect(written.startsWith(old)).toBe(true);
      const { variables: found, problems } = parseDotenv(written, new Map());
      expect(problems).toEqual([]);
      expect(Object.fromEntries(found)).toEqual({
        ...Object.fromEntries(parseDotenv(old, new Map()).variables),
        ...Object.fromEntries(wanted),
      });
    }),
  );
});
