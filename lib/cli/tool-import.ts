import { calledAs } from '../called-as.js';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from '#yaml';
import { parseConfig } from '../config/config.js';
import { placeInWords, type Problem } from '../config/problems.js';
import { fileName } from '../config/targets-file.js';
import { exactYaml } from '../config/exact-yaml.js';
import { readTargets } from '../config/targets-text.js';
import { OperatorError } from '../operator-error.js';
import { singleLine } from '../single-line.js';
import { COMMANDS, TOOLS, type ToolName } from './commands.js';
import { readText } from './move.js';
import type { Terminal } from './terminal.js';
import { fromBlackbox } from './tools/blackbox.js';
import { fromCronJobOrg } from './tools/cron-job-org.js';
import { fromGatus } from './tools/gatus.js';
import { withoutSecrets } from './tools/secrets.js';
import { toolMeant, toolNamed, toolOf } from './tools/names.js';
import {
  fieldsOf,
  isList,
  NO_SUCH_SETTING,
  slugOf,
  ToolError,
  type Imported,
  type Importer,
  type Remark,
  type ToolTarget,
  type ToolValue,
} from './tools/tool.js';
import { fromUptimeFlare } from './tools/uptimeflare.js';
import { fromUptimeKuma } from './tools/uptime-kuma.js';
import { fromUptimeRobot } from './tools/uptimerobot.js';
import { fromUpptime } from './tools/upptime.js';
import { readArguments, sentence, unknown, UsageError } from './usage.js';

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
export async function importTool(args: readonly string[], { out, err }: Terminal): Promise<number> {
  const { words, has, value } = readArguments('import', COMMANDS.import, args);
  const named = value('from') ?? '';
  const tool = toolNamed(named);
  if (tool === undefined) {
    const why = sentence(unknown('tool', named, TOOLS, toolMeant(named)));
    throw new UsageError(`keepalive import: ${why} It reads files of ${TOOLS.join(', ')}.`);
  }
  const output = value('output') ?? 'targets.yaml';
  const { text, imported } = convert(tool, await readText(words[0], `configuration of ${tool}`));
  const isPiped = output === '-';
  if (isPiped) out(text.trimEnd());
  else writeTargets(output, text, { mayReplace: has('force') });
  for (const line of report(isPiped ? 'the output' : output, text, imported)) (isPiped ? err : out)(line);
  return 0;
}

const UNWRITABLE: ReadonlyMap<string, string> = new Map([
  ['EEXIST', 'The targets file exists already: --force replaces it.'],
  ['ENOENT', 'The folder of the targets file does not exist.'],
]);

/** @throws OperatorError */
function writeTargets(file: string, text: string, { mayReplace }: { readonly mayReplace: boolean }): void {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) {
    const inside = singleLine(join(file, 'targets.yaml'));
    throw new OperatorError(`${singleLine(file)} is a folder: name a file, such as --output ${inside}.`);
  }
  try {
    // It may hold what nobody else should read.
    writeFileSync(file, text, { mode: 0o600, flag: mayReplace ? 'w' : 'wx' });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    throw new OperatorError(UNWRITABLE.get(code) ?? 'The targets file cannot be written.', { cause });
  }
}

/** @throws OperatorError for a text that is not the tool's */
export function convert(
  tool: ToolName,
  source: string,
): { readonly text: string; readonly imported: Imported } {
  const { form, read } = IMPORTERS[tool];
  try {
    if (source.trim() === '') throw new ToolError('it is empty');
    const imported = read(form === 'source' ? source : dataOf(source));
    if (imported.targets.length > 0) return { text: targetsText(tool, imported.targets), imported };
    const remarks = [...imported.left, ...imported.own].filter(({ advice }) => advice !== NO_SUCH_SETTING);
    if (remarks.length === 0 || (toolOf(source) ?? tool) !== tool)
      throw new ToolError('no target was found in it');
    const lines = [
      `No target of this configuration of ${tool} can be carried over:`,
      ...remarkLines(remarks),
    ];
    throw new OperatorError(lines.join('\n'));
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    const other = toolOf(source);
    const hint = other === undefined || other === tool ? '' : ` It looks like one of ${other}.`;
    throw new OperatorError(`This is no configuration of ${tool}: ${error.message}.${hint}`, {
      cause: error,
    });
  }
}

const DEEPEST = 10_000;

/** Brackets that are open at once, at most. */
function depthOf(source: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [bracket] of source.matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** JSON or YAML of one document or more; documents of one configuration count as one. */
function dataOf(source: string): unknown {
  if (/^\s*[[{]/.test(source)) {
    try {
      return merged(jsonTexts(source).map((text) => JSON.parse(text) as unknown));
    } catch {
      // It may be YAML, whose parser takes long to find out that brackets are nested too deeply.
      if (depthOf(source) > DEEPEST) throw new ToolError('it is nested too deeply');
    }
  }
  try {
    const documents = [...parseAllDocuments(source, { uniqueKeys: false, prettyErrors: false, merge: true })];
    if (documents.some(({ errors }) => errors.length > 0)) throw new ToolError('it is neither YAML nor JSON');
    return merged(documents.map((document) => document.toJS({ maxAliasCount: 1_000 }) as unknown));
  } catch (cause) {
    if (cause instanceof ToolError) throw cause;
    // The parser calls itself once a level.
    if (cause instanceof RangeError) throw new ToolError('it is nested too deeply', { cause });
    throw new ToolError('its aliases stand for too much', { cause });
  }
}

/** The texts of JSON documents that stand one behind the other, as `cat` and several queries of sqlite3 leave them. */
function jsonTexts(source: string): string[] {
  const texts: string[] = [];
  let [depth, from, isInText] = [0, 0, false];
  for (let at = 0; at < source.length; at += 1) {
    const sign = source[at];
    if (isInText && sign === '\\') at += 1;
    else if (sign === '"') isInText = !isInText;
    else if (!isInText && (sign === '[' || sign === '{')) depth += 1;
    else if (!isInText && (sign === ']' || sign === '}')) {
      depth -= 1;
      if (depth > 0) continue;
      texts.push(source.slice(from, at + 1));
      from = at + 1;
    }
  }
  const rest = source.slice(from);
  return rest.trim() === '' ? texts : [...texts, rest];
}

/** Lists and pages become one list, and maps one in which lists are joined; of anything else, the last one counts. */
function merged(documents: readonly unknown[]): unknown {
  const [first, ...others] = documents;
  if (others.length === 0) return first;
  // Pages of UptimeRobot: which of them is the last of its kind is only seen side by side.
  const arePages = documents.some((document) => fieldsOf(document).has('nextLink'));
  if (arePages || documents.every((document) => Array.isArray(document))) return documents.flat();
  const all = new Map<string, unknown>();
  for (const document of documents) {
    for (const [key, value] of fieldsOf(document)) {
      const before = all.get(key);
      if (Array.isArray(before) && Array.isArray(value))
        all.set(key, [...(before as unknown[]), ...(value as unknown[])]);
      else if (fieldsOf(before).size > 0)
        all.set(key, Object.fromEntries([...fieldsOf(before), ...fieldsOf(value)]));
      else all.set(key, value);
    }
  }
  return Object.fromEntries(all);
}

function targetsText(tool: ToolName, targets: readonly ToolTarget[]): string {
  const ids = new Ids();
  const lines = targets.flatMap((target) => {
    const id = ids.of(target.id);
    return [
      `  - id: ${scalar(id)}`,
      ...[...target.options].map(([option, value]) => `    ${fileName(option)}: ${yamlOf(value)}`),
    ];
  });
  const schema = 'https://unpkg.com/keepalive-pinger/public/targets.schema.json';
  return [`# yaml-language-server: $schema=${schema}`, `# From ${tool}.`, 'targets:', ...lines, ''].join(
    '\n',
  );
}

/** Ids that are taken, and the next number for those that are asked for again. */
class Ids {
  private readonly taken = new Set<string>();
  private readonly next = new Map<string, number>();

  of(name: string): string {
    const plain = slugOf(name);
    const base = plain === '' ? 'target' : plain;
    let id = base;
    let number = this.next.get(base) ?? 2;
    for (; this.taken.has(id); number += 1) id = `${base}-${number}`;
    this.next.set(base, number);
    this.taken.add(id);
    return id;
  }
}

function yamlOf(value: ToolValue): string {
  if (typeof value === 'string') return isBlock(value) ? blockOf(value) : scalar(value);
  if (isList(value)) return `[${value.map(scalar).join(', ')}]`;
  return `{ ${Object.entries(value)
    .map(([name, text]) => `${scalar(name)}: ${scalar(text)}`)
    .join(', ')} }`;
}

/** Whether a text of several lines can stand as it is. */
function isBlock(text: string): boolean {
  return /^[^\s#][^\p{Cc}]*(?:\n[^\s][^\p{Cc}]*)+$/u.test(text);
}

function blockOf(text: string): string {
  return ['|-', ...text.split('\n').map((line) => `      ${line}`)].join('\n');
}

/** Plain where no reader takes it for anything but a text, or where a number is meant. */
function scalar(text: string): string {
  const isPlain = /^(?:[A-Za-z][\w-]*|\d+|\d+(?:ms|s|m|h|d)|\d{3}-\d{3})$/.test(text);
  return isPlain && !/^(?:null|y|n|yes|no|on|off)$/i.test(text) ? text : JSON.stringify(text);
}

/** The file as it will be read, with something for each variable. */
export function problemsIn(
  output: string,
  text: string,
  { addresses, settings }: Imported,
): readonly Problem[] {
  const texts = new Map([...addresses].map((name) => [name, 'https://example.com/']));
  // Behind a host, a variable stands for a port.
  for (const [, name = ''] of text.matchAll(/:\$\{(\w+)\}/g)) if (!texts.has(name)) texts.set(name, '443');
  const file = readTargets(output, exactYaml(text), { texts, mayLackVariables: true });
  const result = parseConfig(Object.fromEntries(settings), file, { mayLackChannels: true });
  return result.ok ? [] : result.problems;
}

const MOST_NAMED = 3;

/** What people named something may hold an address with a secret in it. */
function shown(text: string): string {
  return withoutSecrets(singleLine(text));
}

/** Remarks of which only the monitor differs, as one line each. */
function remarkLines(remarks: readonly Remark[]): string[] {
  const lines = new Map<string, { readonly remark: Remark; readonly of: string[] }>();
  for (const remark of remarks) {
    const key = JSON.stringify([remark.what, remark.advice, remark.of === null]);
    const line = lines.get(key) ?? { remark, of: [] };
    if (remark.of !== null) line.of.push(remark.of);
    lines.set(key, line);
  }
  return [...lines.values()].map(({ remark: { what, advice }, of }) => {
    const names = [...new Set(of)];
    const named = names.slice(0, MOST_NAMED).join(', ');
    const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
    return `  ${shown(of.length === 0 ? what : `${what} of ${named}${more}`)}: ${advice}`;
  });
}

function report(output: string, text: string, imported: Imported): string[] {
  const { targets, variables, settings, left, own, unneeded } = imported;
  const problems = problemsIn(output, text, imported);
  const { found, carried } = shareOf(imported, problems.length);
  const share = found === 0 ? 100 : Math.floor((100 * carried) / found);
  return [
    `Wrote ${targets.length === 1 ? '1 target' : `${targets.length} targets`} to ${output}: ${carried} of ${found} settings are carried over (${share} %).`,
    ...(variables.size + settings.size === 0 ? [] : ['', 'Set these variables:']),
    ...[...settings].map(
      ([name, value]) => `  ${name}=${/^[\w.:/-]+$/.test(value) ? value : quotedLine(value)}`,
    ),
    ...[...variables].map(([name, from]) => `  ${name}: ${shown(from)}`),
    ...(left.length === 0 ? [] : ['', 'Not carried over:']),
    ...remarkLines(left),
    ...(problems.length === 0 ? [] : ['', 'To be corrected in the file:']),
    ...problems.map((problem) => `  ${placeInWords(problem)}: ${problem.message}`),
    ...(own.length === 0 ? [] : ['', 'About the other tool itself, and not counted:']),
    ...remarkLines(own),
    ...(unneeded.length === 0 ? [] : ['', 'Not needed, and not counted:']),
    ...remarkLines(unneeded),
    '',
    `History is not carried over: it begins with the first ping. \`${calledAs()} config\` checks the file.`,
  ];
}

function quotedLine(text: string): string {
  return text.includes("'") ? JSON.stringify(text) : `'${text}'`;
}

/** @param problems settings that are in the file, and that it cannot have */
export function shareOf(
  { left, carried }: Imported,
  problems = 0,
): { readonly found: number; readonly carried: number } {
  const lost = left.reduce((sum, { count }) => sum + count, 0);
  return { found: carried + lost, carried: Math.max(0, carried - problems) };
}
