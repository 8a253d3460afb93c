#!/usr/bin/env node
import type { Terminal } from '../lib/cli/terminal.js';
import { readEnv } from '../lib/config/env.js';
import { MONTHLY_HOURS } from '../lib/config/hosts.js';
import { ConfigError, validConfig } from '../lib/config/valid.js';
import { monthlyHours } from '../lib/rules/allowance.js';

const USAGE = `Usage: keepalive <command>

  start    run everything on this machine: functions, scheduler, database
  config   check the configuration; exit code 1 with the list of what is wrong
  check    make one check of a target (id or URL) and explain it; --json
  doctor   examine everything: secrets, store, schedule, targets, alerts; --send-test, --json`;

async function start(): Promise<void> {
  const { start: startAll } = await import('../lib/local/start.js');
  const running = await startAll(readEnv(), console.log);
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) process.exit(130);
    stopping = true;
    console.log(`${signal}: finishing the run under way (once more: stopping at once)`);
    running.stop().then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

async function config(): Promise<void> {
  const { targets } = await validConfig(readEnv());
  console.log(
    `The configuration is valid: ${targets.length === 1 ? '1 target' : `${targets.length} targets`}.`,
  );
  for (const { message } of monthlyHours(targets, MONTHLY_HOURS, Date.now())) {
    if (message !== undefined) console.log(message);
  }
}

function fail(error: unknown): void {
  // StartError is told by its name: its module is loaded by the command that throws it.
  const isForTheOperator =
    error instanceof ConfigError || (error instanceof Error && error.name === 'StartError');
  console.error(isForTheOperator ? error.message : error);
  process.exit(1);
}

async function check(): Promise<void> {
  const { check: checkOne } = await import('../lib/cli/check.js');
  process.exitCode = await checkOne(process.argv.slice(3), terminal());
}

async function doctor(): Promise<void> {
  const { doctor: examine } = await import('../lib/cli/doctor.js');
  process.exitCode = await examine(process.argv.slice(3), terminal());
}

function terminal(): Terminal {
  return { env: readEnv(), out: console.log, err: console.error };
}

const COMMANDS: Readonly<Record<string, () => Promise<void>>> = { start, config, check, doctor };
const command = COMMANDS[process.argv[2] ?? ''];
if (command === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  command().catch(fail);
}
