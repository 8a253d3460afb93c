import type { CommandUsage } from './usage.js';

/** The parts of what is stored, as `inspect` names them. */
export const STORED_PARTS = [
  'state',
  'outbox',
  'maintenance',
  'notes',
  'subscribers',
  'mailing',
  'places',
  'marks',
  'log',
  'incidents',
] as const;

/** What may start runs, as `plan` names it. */
export const TRIGGERS = ['local', 'tick', 'qstash', 'crons', 'github', 'cron-job'] as const;

/** The tools whose configurations `import` reads. */
export const TOOLS = [
  ...(['uptime-kuma', 'uptimerobot', 'gatus', 'uptimeflare'] as const),
  ...(['upptime', 'blackbox', 'cronjob.org'] as const),
] as const;
export type ToolName = (typeof TOOLS)[number];

const JSON_OPTION = { help: 'print JSON' };

/** Every command of the command line. `bin/keepalive.ts` has what each of them does. */
export const COMMANDS = {
  init: {
    summary: 'ask what is needed, and write it to .env',
    details: `Asks for the addresses to ping, checks each once, makes CRON_SECRET, and adds them to .env in
this folder. Nothing that is set already is changed. Where the vercel command is signed in
and the folder is linked to a project, it offers to set the project's variables too.`,
    arguments: [{ name: 'url', isOptional: true, isRepeated: true }],
    options: { yes: { help: 'ask nothing: add the addresses that are given' } },
  },
  start: {
    summary: 'run everything on this machine: pages, API, scheduler, database',
    details: `Serves pages and API on PORT (3000), pings the targets, and keeps its data in keepalive.db
unless another store is set. It prints one line per ping. SIGTERM, SIGINT and SIGHUP
finish the run under way; a second signal stops at once.`,
    arguments: [],
    options: {},
  },
  config: {
    summary: 'check the configuration and list what is wrong',
    details: `Shows what is in force and where it comes from; what may be secret is not shown. Vercel runs
it in every build. In a production build it also asks for what every installation needs, and
makes the QStash schedule where QSTASH_TOKEN is set. With --diff it shows what a new version
of a targets file changes, and what that costs a month.
Exit code: 0, or 1 with the list of what is wrong.`,
    arguments: [{ name: 'new-file', isOptional: true }],
    options: {
      all: { help: 'show also what has its default' },
      diff: { value: 'old-file', help: 'compare two targets files' },
      json: JSON_OPTION,
    },
  },
  plan: {
    summary: 'show what a configuration will do and use',
    details: `Shows, from the configuration alone, who is kept awake, how soon an outage is seen, and what
is used of each allowance. The trigger is QStash where its token is set, npm start (local)
where no Redis is, the crons of vercel.json in a build on Vercel, and otherwise whoever calls
every KEEP_ALIVE_TICK (tick). Before anything is deployed: --trigger qstash. crons: the 96
daily crons of vercel.json, as the Hobby plan calls them; github: GitHub Actions, as they
really come; cron-job: cron-job.org, every minute. With tick, and without KEEP_ALIVE_PLAN or
a link to a project of Vercel's, it may be npm start that makes the runs: what Vercel allows
is shown then, and not counted.
Exit code: 0, or 1 where an allowance is exceeded.`,
    arguments: [],
    options: {
      trigger: { value: TRIGGERS.join('|'), help: 'plan for this trigger' },
      json: JSON_OPTION,
    },
  },
  check: {
    summary: 'make one check of a target and explain it',
    details: `Makes one check of a target and explains it, phase by phase. A URL is checked with the
options of the configured target that has exactly this address, else with the defaults.
Exit code: 0 good or degraded, 1 failed, 2 nothing was checked.`,
    arguments: [{ name: 'id|url' }],
    options: { json: JSON_OPTION },
  },
  doctor: {
    summary: 'examine everything: secrets, store, schedule, targets, alerts',
    details: `Examines configuration, secrets, store, schedule, every target, alerts, plans and budgets.
Restart requests are never made. It works while npm start runs.
Exit code: 0, or 1 where something is wrong.`,
    arguments: [],
    options: {
      'send-test': { help: 'send one test alert to every channel' },
      json: JSON_OPTION,
    },
  },
  schedule: {
    summary: 'create, list or remove the QStash schedule',
    details: `The QStash schedule starts a run every KEEP_ALIVE_TICK. It needs QSTASH_TOKEN and
KEEP_ALIVE_PUBLIC_URL.`,
    arguments: [{ name: 'action', oneOf: ['create', 'list', 'remove'] }],
    options: {},
  },
  export: {
    summary: 'write all data to a file or to stdout',
    details: `Writes all data as JSON Lines, as it was at one moment. It works while runs are made.
The file can be read by its owner alone.`,
    arguments: [{ name: 'file', isOptional: true }],
    options: {
      force: { help: 'replace the file if it exists' },
      incomplete: { help: 'leave out what is in a database that is gone, of several' },
    },
  },
  import: {
    summary: 'write an export to the store, or move in from another tool',
    details: `Checks all of the export (a file or stdin), then writes it in one atomic step. It may be
repeated. Stop npm start first if its database is to be written. With --from it turns the
configuration of another tool into a targets file instead (docs/moving.md): uptime-kuma,
uptimerobot, gatus, uptimeflare, upptime, blackbox or cronjob.org.`,
    arguments: [{ name: 'file', isOptional: true }],
    options: {
      from: { value: 'tool', help: 'read the configuration of this tool' },
      output: { value: 'file', help: 'the targets file to write, - for stdout; targets.yaml by default' },
      force: { help: 'replace other data in the store, or the targets file' },
    },
  },
  inspect: {
    summary: 'print what is stored as JSON',
    details: `Prints one part of what is stored, or all of it. It writes nothing, and works while runs
are made. What cannot be read is shown with the reason. The parts are:
${STORED_PARTS.join(', ')}.
Exit code: 0, or 1 where a database cannot be read; what others hold is printed.`,
    arguments: [{ name: 'part', oneOf: STORED_PARTS, isOptional: true }],
    options: { file: { value: 'file', help: 'read an export instead of the store' } },
  },
} as const satisfies Record<string, CommandUsage>;

export type CommandName = keyof typeof COMMANDS;

export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];
