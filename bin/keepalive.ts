#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { debuglog } from 'node:util';
import { calledAs } from '../lib/called-as.js';
import { COMMANDS, COMMAND_NAMES, type CommandName } from '../lib/cli/commands.js';
import { commandHelp, overview } from '../lib/cli/help.js';
import { openTerminal, USAGE_ERROR, type Terminal } from '../lib/cli/terminal.js';
import { COMMON_OPTIONS, readArguments, sentence, unknown, UsageError } from '../lib/cli/usage.js';
import { DOTENV_FILE, readCommandEnv } from '../lib/config/env.js';
import { OperatorError } from '../lib/operator-error.js';

/** What shells give for a program that ends because nobody reads what it prints: 128 and the number of SIGPIPE. */
const PIPE_CLOSED = 141;

/** Ctrl+C reaches us twice under npm, from the terminal and from npm, which passes it on: ms from one to the other. */
const SAME_SIGNAL = 1_000;

async function start({ env, out }: Terminal, args: readonly string[]): Promise<number> {
  readArguments('start', COMMANDS.start, args);
  const { start: startAll } = await import('../lib/local/start.js');
  const { whenParentEnds } = await import('../lib/local/parent.js');
  const running = await startAll(env, out);
  let stoppingSince: number | null = null;
  const stop = (reason: string): void => {
    stoppingSince = performance.now();
    out(`${reason}: finishing the run under way (a second signal stops at once)`);
    running.stop().then(() => process.exit(0), fail);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stoppingSince === null) stop(signal);
      else if (performance.now() - stoppingSince > SAME_SIGNAL) process.exit(130);
    });
  }
  // npm that is killed tells nobody, and nobody would know any more what holds the port.
  if (env.npm_lifecycle_event === 'start') {
    whenParentEnds(() => {
      if (stoppingSince === null) stop('npm has ended');
    });
  }
  return 0;
}

async function schedule({ env, out }: Terminal, args: readonly string[]): Promise<number> {
  const [action] = readArguments('schedule', COMMANDS.schedule, args).words;
  const { validConfig } = await import('../lib/config/valid.js');
  const valid = await validConfig(env);
  const { createSchedule, listSchedules, removeSchedule } = await import('../lib/cli/schedule-command.js');
  if (action === 'create') await createSchedule(valid, out, { mayReplace: true });
  else await (action === 'list' ? listSchedules : removeSchedule)(valid, out);
  return 0;
}

/** What each command does; the number is its exit code. */
const ACTIONS: Readonly<
  Record<CommandName, (terminal: Terminal, args: readonly string[]) => Promise<number>>
> = {
  init: async (terminal, args) => (await import('../lib/cli/init.js')).init(args, terminal),
  start,
  config: async (terminal, args) => (await import('../lib/cli/config-command.js')).config(args, terminal),
  schedule,
  plan: async (terminal, args) => (await import('../lib/cli/plan-command.js')).plan(args, terminal),
  check: async (terminal, args) => (await import('../lib/cli/check-command.js')).check(args, terminal),
  doctor: async (terminal, args) => (await import('../lib/cli/doctor.js')).doctor(args, terminal),
  export: async ({ env, progress }, args) =>
    (await import('../lib/cli/move.js')).exportData(env, args, progress),
  import: async (terminal, args) => {
    const isOfTool = readArguments('import', COMMANDS.import, args).value('from') !== undefined;
    if (isOfTool) return (await import('../lib/cli/tool-import.js')).importTool(args, terminal);
    return (await import('../lib/cli/move.js')).importData(terminal.env, args, terminal.progress);
  },
  inspect: async ({ env }, args) => (await import('../lib/cli/inspect.js')).inspect(env, args),
};

async function main(args: readonly string[]): Promise<void> {
  const [first, ...rest] = args;
  const terminal = openTerminal();
  const options = args.slice(0, args.includes('--') ? args.indexOf('--') : undefined);
  if (options.includes('--version') || options.includes('-v')) {
    terminal.out(version());
    return;
  }
  const asksForHelp = first === 'help' || options.includes('--help') || options.includes('-h');
  const named = first === 'help' ? rest[0] : first;
  const command = COMMAND_NAMES.find((name) => name === named);
  if (asksForHelp && (command !== undefined || named === undefined || named.startsWith('-'))) {
    terminal.out(command === undefined ? overview(terminal.paint) : commandHelp(command, terminal.paint));
    return;
  }
  if (named === undefined) throw new UsageError(overview((_, text) => text));
  if (command === undefined) {
    const what = named.startsWith('-') ? 'option' : 'command';
    const known = what === 'option' ? Object.keys(COMMON_OPTIONS) : COMMAND_NAMES;
    const hint = named.includes('://')
      ? `\`${calledAs()} check <url>\` checks an address.`
      : `\`${calledAs()} --help\` lists the commands.`;
    throw new UsageError(`keepalive: ${sentence(unknown(what, named, known))}\n${hint}`);
  }
  const { env, fromFile } = readCommandEnv();
  if (command === 'start' && fromFile !== null) {
    terminal.out(
      `Settings: ${fromFile === 1 ? '1 variable comes' : `${fromFile} variables come`} from ${DOTENV_FILE}.`,
    );
  }
  process.exitCode = await ACTIONS[command]({ env, ...terminal }, rest);
}

/** Of package.json, which stands above `dist` in what is built, and above `bin` in the sources. */
function version(): string {
  const built = join(import.meta.dirname, '../../package.json');
  const path = existsSync(built) ? built : join(import.meta.dirname, '../package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

function fail(error: unknown): void {
  if (error instanceof OperatorError) console.error(error.message);
  else {
    debuglog('keepalive')('%o', error);
    const message = error instanceof Error ? error.message : String(error);
    console.error(`Unexpected error: ${message}\nNODE_DEBUG=keepalive shows where it happened.`);
  }
  process.exit(error instanceof UsageError ? USAGE_ERROR : 1);
}

/** `| head` ends before we do. */
function endWithPipe(error: Error): void {
  if (!('code' in error) || error.code !== 'EPIPE') throw error;
  process.exit(PIPE_CLOSED);
}

for (const stream of [process.stdout, process.stderr]) stream.on('error', endWithPipe);
process.on('uncaughtException', fail);
main(process.argv.slice(2)).catch(fail);
