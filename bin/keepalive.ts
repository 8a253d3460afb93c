#!/usr/bin/env node
import type { Terminal } from '../lib/cli/terminal.js';
import { readEnv } from '../lib/config/env.js';
import { adviceByText, MONTHLY_HOURS } from '../lib/rules/hosts.js';
import { configWarnings, validConfig } from '../lib/config/valid.js';
import { OperatorError } from '../lib/operator-error.js';
import { monthlyHours } from '../lib/rules/host-hours.js';

const USAGE = `Usage: keepalive <command>

  start     run everything on this machine: functions, scheduler, database
  config    check the configuration; exit code 1 with the list of what is wrong
  check     make one check of a target (id or URL) and explain it; --json
  doctor    examine everything: secrets, store, schedule, targets, alerts; --send-test, --json
  schedule  create | list | remove: the QStash schedule that starts runs every KEEP_ALIVE_TICK
  export    write all data to a file or stdout: export [file]
  import    write an export to the store: import [file] [--force]
  inspect   print what is stored as JSON: inspect [state|outbox|maintenance|marks|log|incidents] [--file export]`;

/** Ctrl+C reaches us twice under npm, from the terminal and from npm, which passes it on: ms from one to the other. */
const SAME_SIGNAL = 1_000;

async function start(): Promise<void> {
  const { start: startAll } = await import('../lib/local/start.js');
  const { whenParentEnds } = await import('../lib/local/parent.js');
  const env = readEnv();
  const running = await startAll(env, console.log);
  let stoppingSince: number | null = null;
  const stop = (reason: string): void => {
    stoppingSince = performance.now();
    console.log(`${reason}: finishing the run under way (a second signal stops at once)`);
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
}

async function config(): Promise<void> {
  const env = readEnv();
  // Vercel sets it while it builds, to what becomes of the build.
  const isProductionBuild = env.VERCEL_ENV?.trim() === 'production';
  for (const warning of configWarnings(env)) console.warn(warning);
  const valid = await validConfig(env, isProductionBuild);
  const { targets, tick, qstash } = valid;
  console.log(
    `The configuration is valid: ${targets.length === 1 ? '1 target' : `${targets.length} targets`}.`,
  );
  const times = { pace: tick, tick, lastRunMs: 0 };
  for (const { message } of monthlyHours(targets, MONTHLY_HOURS, Date.now(), times)) {
    if (message !== undefined) console.log(message);
  }
  for (const { what, todo } of adviceByText(targets)) console.log(`${what} ${todo}`);
  // A production build: what it deploys is to be called.
  if (isProductionBuild && qstash.token !== null) {
    const { createSchedule, ScheduleError } = await import('../lib/cli/schedule-command.js');
    await createSchedule(valid, console.log, { mayReplace: false }).catch((error: unknown) => {
      if (!(error instanceof ScheduleError)) throw error;
      console.warn(`Warning: the QStash schedule was not made. ${error.message}`);
    });
  }
}

async function schedule(): Promise<void> {
  const command = process.argv[3];
  if (command !== 'create' && command !== 'list' && command !== 'remove') {
    misused();
    return;
  }
  const valid = await validConfig(readEnv());
  const { createSchedule, listSchedules, removeSchedule } = await import('../lib/cli/schedule-command.js');
  if (command === 'create') await createSchedule(valid, console.log, { mayReplace: true });
  else await (command === 'list' ? listSchedules : removeSchedule)(valid, console.log);
}

function misused(): void {
  console.error(USAGE);
  process.exitCode = 2;
}

function fail(error: unknown): void {
  console.error(error instanceof OperatorError ? error.message : error);
  process.exit(1);
}

async function check(): Promise<void> {
  const { check: checkOne } = await import('../lib/cli/check-command.js');
  process.exitCode = await checkOne(process.argv.slice(3), terminal());
}

async function doctor(): Promise<void> {
  const { doctor: examine } = await import('../lib/cli/doctor.js');
  process.exitCode = await examine(process.argv.slice(3), terminal());
}

function terminal(): Terminal {
  return { env: readEnv(), out: console.log, err: console.error };
}

async function exportData(): Promise<void> {
  const { exportData: run } = await import('../lib/cli/move.js');
  process.exitCode = await run(readEnv(), process.argv.slice(3));
}

async function importData(): Promise<void> {
  const { importData: run } = await import('../lib/cli/move.js');
  process.exitCode = await run(readEnv(), process.argv.slice(3));
}

async function inspect(): Promise<void> {
  const { inspect: run } = await import('../lib/cli/inspect.js');
  process.exitCode = await run(readEnv(), process.argv.slice(3));
}

const COMMANDS: ReadonlyMap<string, () => Promise<void>> = new Map(
  Object.entries({
    start,
    config,
    check,
    doctor,
    schedule,
    export: exportData,
    import: importData,
    inspect,
  }),
);
const command = COMMANDS.get(process.argv[2] ?? '');
if (command === undefined) misused();
else command().catch(fail);
