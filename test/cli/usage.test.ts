import { writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { COMMANDS, COMMAND_NAMES } from '../../lib/cli/commands.js';
import { readArguments, UsageError } from '../../lib/cli/usage.js';
import { runChild } from '../support/child.js';
import { serveHttp } from '../support/servers.js';

async function keepalive(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = runChild(new URL('../../bin/keepalive.ts', import.meta.url), args, {
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

describe.concurrent('help and version', () => {
  it('are given everywhere with exit code 0, whatever else is wrong', async () => {
    // A broken configuration and a broken .env keep nobody from reading the help.
    const env = { CRON_SECRET: 'short' };
    const calls: [string[], RegExp][] = [
      [['--help'], /^Keepalive pings/],
      [['-h'], /^Keepalive pings/],
      [['help'], /^Keepalive pings/],
      [['--version'], /^1\.2\.3\n$/],
      [['-v'], /^1\.2\.3\n$/],
      [['check', 'a', 'b', '--wrong', '--help'], /^Usage: keepalive check <id\|url>/],
      [['doctor', '--version'], /^1\.2\.3\n$/],
      ...COMMAND_NAMES.flatMap((name): [string[], RegExp][] => [
        [[name, '--help'], new RegExp(`^Usage: keepalive ${name}\\b`)],
        [['help', name], new RegExp(`^Usage: keepalive ${name}\\b`)],
      ]),
    ];
    const found = await Promise.all(calls.map(async ([args]) => keepalive(args, env)));
    for (const [index, { code, out, err }] of found.entries()) {
      const [args, expected] = calls[index] ?? [];
      expect([args, code, err]).toEqual([args, 0, '']);
      expect(out).toMatch(expected ?? '');
      for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    }
  });

  it('end quietly where nobody reads on', async () => {
    const child = runChild(new URL('../../bin/keepalive.ts', import.meta.url), ['--help'], {
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    (child.stdout as Readable).destroy();
    const ended = new Promise((done) => child.once('close', done));
    expect(await text(child.stderr as Readable)).toBe('');
    await ended;
    expect(child.exitCode).toBe(141);
  });

  it('name every command and every option', async () => {
    const { out } = await keepalive(['--help']);
    for (const [name, { options }] of Object.entries(COMMANDS)) {
      expect(out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
      const help = (await keepalive([name, '--help'])).out;
      for (const option of Object.keys(options)) expect(help).toMatch(new RegExp(`^ {2}--${option}\\b`, 'm'));
    }
  });
});

describe('the command line', () => {
  it.each([
    [[], 'Usage: keepalive <command>'],
    [['chek'], 'unknown command chek, did you mean check?'],
    [['frobnicate'], 'unknown command frobnicate.'],
    [['help', 'exprot'], 'did you mean export?'],
    [['constructor'], 'unknown command constructor.'],
    [['--jsno'], 'unknown option --jsno.'],
    [['--hepl'], 'unknown option --hepl, did you mean --help?'],
    [['start', '--prot'], 'unknown option --prot.'],
    [['https://user:canary@a.test/'], 'keepalive check <url>'],
  ])('names what it does not know: %j', async (args, expected) => {
    const { code, out, err } = await keepalive(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(expected);
    expect(err).not.toMatch(/canary|\n\s+at /);
  });

  it('shows an error of its own without a stack, unless it is asked for', async () => {
    const file = 'not-a-folder';
    writeFileSync(file, '');
    const env = { KEEP_ALIVE_DATABASE: 'x.db', TMPDIR: file };
    writeFileSync('x.db', '');
    const { code, out, err } = await keepalive(['inspect'], env);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^Unexpected error: .+\nNODE_DEBUG=keepalive shows where it happened\.\n$/);
    expect((await keepalive(['inspect'], { ...env, NODE_DEBUG: 'keepalive' })).err).toMatch(/\n\s+at /);
  });

  it('has colours on terminals, and elsewhere only where they are asked for', async () => {
    const { port } = await serveHttp((_, response) => response.end('ok'));
    const address = `http://127.0.0.1:${port}/`;
    const plain = await keepalive(['check', address]);
    expect(plain.out).not.toContain('\u001b');
    expect((await keepalive(['check', address], { FORCE_COLOR: '1' })).out).toContain(
      '\u001b[32mgood\u001b[39m',
    );
    expect((await keepalive(['check', address], { FORCE_COLOR: '0' })).out).not.toContain('\u001b');
  });
});

describe('arguments', () => {
  const check = (...args: string[]) => readArguments('check', COMMANDS.check, args);
  const inspect = (...args: string[]) => readArguments('inspect', COMMANDS.inspect, args);

  it('are words and options, in any order', () => {
    for (const args of [
      ['api', '--json'],
      ['--json', 'api'],
      ['--json', '--json', '--', 'api'],
    ]) {
      const { words, has } = check(...args);
      expect([words, has('json')]).toEqual([['api'], true]);
    }
    expect(inspect('--file=a b', 'log').value('file')).toBe('a b');
    expect(inspect('log', '--file', 'a').value('file')).toBe('a');
    expect(inspect('--file', '-').value('file')).toBe('-');
    expect(inspect().value('file')).toBeUndefined();
  });

  it.each<[() => unknown, string]>([
    [() => check(), '<id|url> is missing.'],
    [() => check('a', 'b'), 'takes one argument.'],
    [() => readArguments('doctor', COMMANDS.doctor, ['now']), 'takes no argument.'],
    [() => check('a', '--jsno'), 'unknown option --jsno, did you mean --json?'],
    [() => check('a', '--json=canary'), '--json takes no value.'],
    [() => check('a', '--no-json'), 'unknown option --no-json'],
    [() => check('a', '--key=canary'), 'unknown option --key.'],
    [() => check('a', '-x'), 'unknown option -x.'],
    [() => inspect('--file'), '--file needs a <file>.'],
    [() => inspect('--file', '--json'), '--file needs a <file>.'],
    [() => inspect('sate'), 'unknown argument sate, did you mean state?'],
    [() => inspect('canary/sate'), 'unknown argument.'],
    [() => readArguments('schedule', COMMANDS.schedule, []), 'create|list|remove is missing.'],
  ])('that do not fit are named, and secrets are not: %#', (call, expected) => {
    let message = '';
    try {
      call();
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      message = (error as UsageError).message;
    }
    expect(message).toContain(`: ${expected}`);
    expect(message).toContain('\nUsage: keepalive ');
    expect(message).not.toContain('canary');
  });
});
