import { calledAs } from '../called-as.js';
import { writeFileSync } from 'node:fs';
import { parseDocument } from '#yaml';
import { parseConfig } from '../config/config.js';
import { placeInWords } from '../config/problems.js';
import { fileName } from '../config/targets-file.js';
import { readTargets } from '../config/targets-text.js';
import { OperatorError } from '../operator-error.js';
import { COMMANDS, TOOLS, type ToolName } from './commands.js';
import { readText } from './move.js';
import type { Terminal } from './terminal.js';
import { fromBlackbox } from './tools/blackbox.js';
import { fromCronJobOrg } from './tools/cron-job-org.js';
import { fromGatus } from './tools/gatus.js';
import { ToolError, type Imported, type Importer, type ToolTarget, type ToolValue } from './tools/tool.js';
import { fromUptimeFlare } from './tools/uptimeflare.js';
import { fromUptimeKuma } from './tools/uptime-kuma.js';
import { fromUptimeRobot } from './tools/uptimerobot.js';
import { fromUpptime } from './tools/upptime.js';
import { readArguments, unknown, UsageError } from './usage.js';

interface Tool {
  /** What its file is. */
  readonly form: 'data' | 'source';
  readonly read: Importer;
}

const IMPORTERS: Readonly<Record<ToolName, Tool>> = {
  'uptime-kuma': { form: 'data', read: fromUptimeKuma },
  uptimerobot: { form: 'data', read: fromUptimeRobot },
  gatus: { form: 'data', read: fromGatus },
  uptimeflare: { form: 'source', read: fromUptimeFlare },
  upptime: { form: 'data', read: fromUpptime },
  blackbox: { form: 'data', read: fromBlackbox },
  'cronjob.org': { form: 'data', read: fromCronJobOrg },
};

/**
 * `keepalive import --from`: turns another tool's configuration into a targets file, and says what could not be carried
 * over. Prints no value of a secret.
 * @returns the exit code
 * @throws UsageError OperatorError
 */
export async function importTool(args: readonly string[], { out }: Terminal): Promise<number> {
  const { words, has, value } = readArguments('import', COMMANDS.import, args);
  const named = value('from') ?? '';
  const tool = TOOLS.find((each) => each === named);
  if (tool === undefined) throw new UsageError(`keepalive import: ${unknown('argument', named, TOOLS)}.`);
  const output = value('output') ?? 'targets.yaml';
  const { text, imported } = convert(tool, await readText(words[0]));
  try {
    // It may hold what nobody else should read.
    writeFileSync(output, text, { mode: 0o600, flag: has('force') ? 'w' : 'wx' });
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    const why = isThere
      ? 'The targets file exists already: --force replaces it.'
      : 'The targets file cannot be written.';
    throw new OperatorError(why, { cause });
  }
  for (const line of report(output, text, imported)) out(line);
  return 0;
}

/** @throws OperatorError for a text that is not the tool's */
export function convert(
  tool: ToolName,
  source: string,
): { readonly text: string; readonly imported: Imported } {
  const { form, read } = IMPORTERS[tool];
  try {
    const imported = read(form === 'source' ? source : dataOf(source));
    if (imported.targets.length === 0) throw new ToolError('no target was found in it');
    return { text: targetsText(tool, imported.targets), imported };
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new OperatorError(`This is no configuration of ${tool}: ${error.message}.`, { cause: error });
  }
}

function dataOf(source: string): unknown {
  const document = parseDocument(source, { uniqueKeys: false, prettyErrors: false, merge: true });
  if (document.errors.length > 0) throw new ToolError('it is neither YAML nor JSON');
  try {
    return document.toJS({ maxAliasCount: 1_000 });
  } catch (cause) {
    throw new ToolError('its aliases stand for too much', { cause });
  }
}

function targetsText(tool: ToolName, targets: readonly ToolTarget[]): string {
  const ids = new Set<string>();
  const lines = targets.flatMap(({ name, options }) => {
    const id = freeId(name, ids);
    return [
      `  - id: ${scalar(id)}`,
      ...[...options].map(([option, value]) => `    ${fileName(option)}: ${yamlOf(value)}`),
    ];
  });
  const schema = 'https://unpkg.com/keepalive-pinger/public/targets.schema.json';
  return [`# yaml-language-server: $schema=${schema}`, `# From ${tool}.`, 'targets:', ...lines, ''].join(
    '\n',
  );
}

function freeId(name: string, ids: Set<string>): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 56)
    .replace(/^-|-$/g, '');
  const base = plain === '' ? 'target' : plain;
  let id = base;
  for (let number = 2; ids.has(id); number += 1) id = `${base}-${number}`;
  ids.add(id);
  return id;
}

function yamlOf(value: ToolValue): string {
  if (typeof value === 'string') return scalar(value);
  if (isList(value)) return `[${value.map(scalar).join(', ')}]`;
  return `{ ${Object.entries(value)
    .map(([name, text]) => `${scalar(name)}: ${scalar(text)}`)
    .join(', ')} }`;
}

function isList(value: ToolValue): value is readonly string[] {
  return Array.isArray(value);
}

/** Plain where no reader takes it for anything but a text, or where a number is meant. */
function scalar(text: string): string {
  const isPlain = /^(?:[A-Za-z][\w-]*|\d+|\d+(?:ms|s|m|h|d)|\d{3}-\d{3})$/.test(text);
  return isPlain && !/^(?:null|y|n|yes|no|on|off)$/i.test(text) ? text : JSON.stringify(text);
}

function report(
  output: string,
  text: string,
  { targets, variables, left, found, carried }: Imported,
): string[] {
  const share = found === 0 ? 100 : Math.floor((100 * carried) / found);
  const file = readTargets(output, text, { texts: new Map(), mayLackVariables: true });
  const result = parseConfig({}, file, { mayLackChannels: true });
  const problems = result.ok ? [] : result.problems;
  return [
    `Wrote ${targets.length === 1 ? '1 target' : `${targets.length} targets`} to ${output}: ${carried} of ${found} settings are carried over (${share} %).`,
    ...(variables.size === 0 ? [] : ['', 'Set these variables:']),
    ...[...variables].map(([name, from]) => `  ${name}: ${from}`),
    ...(left.length === 0 ? [] : ['', 'Not carried over:']),
    ...left.map(({ what, todo }) => `  ${what}: ${todo}`),
    ...(problems.length === 0 ? [] : ['', 'To be corrected:']),
    ...problems.map((problem) => `  ${placeInWords(problem)}: ${problem.message}`),
    '',
    `History is not carried over: it begins with the first ping. \`${calledAs()} config\` checks the file.`,
  ];
}
