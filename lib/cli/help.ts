import { COMMANDS, COMMAND_NAMES, type CommandName } from './commands.js';
import type { Paint } from './terminal.js';
import { COMMON_OPTIONS, synopsis, type CommandUsage } from './usage.js';

/** What `keepalive --help` prints. */
export function overview(paint: Paint): string {
  return [
    'Keepalive pings your services, keeps hosts that sleep awake, and tells you when a target goes down.',
    '',
    `${paint('bold', 'Usage:')} keepalive <command>`,
    '',
    paint('bold', 'Commands:'),
    ...columns(COMMAND_NAMES.map((name) => [name, COMMANDS[name].summary])),
    '',
    paint('bold', 'Options:'),
    ...columns(commonOptions()),
    '',
    '`keepalive <command> --help` explains a command.',
    'Settings come from environment variables, and from .env in the working directory.',
  ].join('\n');
}

/** What `keepalive <command> --help` prints. */
export function commandHelp(name: CommandName, paint: Paint): string {
  const usage: CommandUsage = COMMANDS[name];
  const own = Object.entries(usage.options).map(([option, { value, help }]): [string, string] => [
    `--${option}${value === undefined ? '' : ` <${value}>`}`,
    help,
  ]);
  return [
    `${paint('bold', 'Usage:')} ${synopsis(name, usage)}`,
    '',
    usage.details,
    '',
    paint('bold', 'Options:'),
    ...columns([...own, ...commonOptions()]),
  ].join('\n');
}

function commonOptions(): [string, string][] {
  return Object.entries(COMMON_OPTIONS).map(([name, { short, help }]) => [`-${short}, --${name}`, help]);
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
