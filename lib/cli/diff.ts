import { isDeepStrictEqual } from 'node:util';
import { parseConfig, type Config } from '../config/config.js';
import { settingsReader } from '../config/settings.js';
import { fileName, type FileOptions, type TargetsFile } from '../config/targets-file.js';
import { compareTargets } from '../config/targets-source.js';
import { TARGET_OPTION_NAMES, TARGET_OPTIONS, type TargetOptionName } from '../config/options.js';
import { ConfigError, type Env } from '../config/valid.js';
import { thousands } from './numbers.js';
import { monthOf, type Month } from './plan-command.js';
import { table } from './table.js';
import type { Paint } from './terminal.js';

/** What another version of the targets file changes. Holds no secret. */
export interface Difference {
  readonly added: readonly TargetAtPlace[];
  readonly removed: readonly TargetAtPlace[];
  readonly changed: readonly Change[];
  /** What a month uses, while all targets are well. */
  readonly before: Month;
  readonly after: Month;
}

interface TargetAtPlace {
  readonly id: string;
  readonly healthUrl: string;
}

/** The same change of one option on some targets. */
interface Change {
  readonly option: string;
  readonly from: string;
  readonly to: string;
  readonly targets: readonly string[];
}

interface Version {
  readonly config: Config;
  readonly file: TargetsFile;
  readonly settingsOf: ReturnType<typeof settingsReader>;
}

/**
 * Compares two versions of a targets file, both with the variables that are set. Variables that they take and that are not
 * set are no problem: a pull request is compared without its secrets.
 * @throws ConfigError for a version that is not valid
 */
export async function difference(oldPath: string, newPath: string, env: Env): Promise<Difference> {
  const before = await versionOf(oldPath, env);
  const after = await versionOf(newPath, env);
  const [old, now] = [before, after].map(
    ({ config }) => new Map(config.targets.map((each) => [each.info.id, each.info])),
  );
  const only = (these: typeof old, others: typeof old): TargetAtPlace[] =>
    [...(these ?? [])].flatMap(([id, { healthUrl }]) => (others?.has(id) ? [] : [{ id, healthUrl }]));
  return {
    added: only(now, old),
    removed: only(old, now),
    changed: changesBetween(before, after),
    before: monthOf(before.config),
    after: monthOf(after.config),
  };
}

async function versionOf(path: string, env: Env): Promise<Version> {
  const file = await compareTargets(path, env);
  const result = parseConfig(env, file, { mayLackChannels: true });
  if (!result.ok) throw new ConfigError(result.problems);
  return { config: result.config, file, settingsOf: settingsReader(env, file) };
}

function changesBetween(before: Version, after: Version): Change[] {
  const changes = new Map<string, { option: string; from: string; to: string; targets: string[] }>();
  const earlier = new Map(before.config.targets.map((target) => [target.info.id, target]));
  const isUntouched = untouched(before.file, after.file);
  for (const target of after.config.targets) {
    const { id } = target.info;
    const same = earlier.get(id);
    if (same === undefined || isUntouched(id)) continue;
    const [old, now] = [before.settingsOf(same), after.settingsOf(target)];
    for (const name of TARGET_OPTION_NAMES) {
      const [was, is] = [old(name), now(name)];
      if (isSameValue(name, was?.text ?? null, is?.text ?? null)) continue;
      // What the kind of target has no use for any more, and nobody has set, is no change of the file.
      if ((was === null || is === null) && (was ?? is)?.place === null) continue;
      const change = {
        option: fileName(name),
        from: was?.shown ?? 'none',
        to: is?.shown ?? 'none',
        targets: [id],
      };
      const key = JSON.stringify([change.option, change.from, change.to]);
      const known = changes.get(key);
      if (known === undefined) changes.set(key, change);
      else known.targets.push(id);
    }
  }
  return [...changes.values()];
}

/** `5m` and `300s` are one value. */
function isSameValue(name: TargetOptionName, some: string | null, other: string | null): boolean {
  if (some === other) return true;
  if (some === null || other === null) return false;
  const [a, b] = [some, other].map((text) => TARGET_OPTIONS[name].value.safeParse(text));
  return a?.success === true && b?.success === true && isDeepStrictEqual(a.data, b.data);
}

/** Tells of which targets two files say the same, without looking at what follows from it: of most. */
function untouched(before: TargetsFile, after: TargetsFile): (id: string) => boolean {
  if (!haveSameTexts(before.defaults, after.defaults)) return () => false;
  const earlier = new Map(before.targets.map(({ id, options }) => [id, options]));
  const ids = after.targets.flatMap(({ id, options }) => {
    const same = earlier.get(id);
    return same !== undefined && haveSameTexts(same, options) ? [id] : [];
  });
  const found = new Set(ids);
  return (id) => found.has(id);
}

function haveSameTexts(some: FileOptions, others: FileOptions): boolean {
  return some.size === others.size && [...some].every(([name, { text }]) => others.get(name)?.text === text);
}

/** Ids that are named one by one; of more, the number is given. */
const MOST_NAMED = 5;

export function differenceLines(
  { added, removed, changed, before, after }: Difference,
  paint: Paint,
): string[] {
  const lines = [
    ...added.map(({ id, healthUrl }) => paint('green', `+ ${id}  ${healthUrl}`)),
    ...removed.map(({ id, healthUrl }) => paint('red', `- ${id}  ${healthUrl}`)),
    ...changed.map(({ option, from, to, targets }) => {
      const named = targets.length > MOST_NAMED ? `${thousands(targets.length)} targets` : targets.join(', ');
      return paint(
        'yellow',
        `~ ${named}: ${option} ${from === to ? 'changed (not shown)' : `${from} → ${to}`}`,
      );
    }),
  ];
  const rows = (Object.keys(MONTH_IN_WORDS) as (keyof Month)[]).map((key) => {
    const more = after[key] - before[key];
    const sign = more > 0 ? '+' : more < 0 ? '-' : '';
    return [
      MONTH_IN_WORDS[key],
      thousands(before[key]),
      thousands(after[key]),
      sign + thousands(Math.abs(more)),
    ];
  });
  return [
    ...(lines.length === 0 ? ['No target changes.'] : lines),
    '',
    ...table(['a month', 'before', 'after', 'change'], rows, paint),
    ...(removed.length === 0 ? [] : ['', REMOVED]),
  ];
}

const REMOVED = 'A target with another id is another target: its history begins anew.';

const MONTH_IN_WORDS: Readonly<Record<keyof Month, string>> = {
  targets: 'targets',
  pings: 'pings',
  runs: 'runs',
  commands: 'store commands',
};
