import { isTargetOption, SYSTEM_OPTIONS, TARGET_OPTIONS, type TargetOptionName } from './options.js';
import type { Problem } from './problems.js';
import { STORE_VARIABLES } from './store.js';

/** A target as its variables declare it. */
export interface Declaration {
  /** Public: the name in lower case, with `-` for `_`. */
  readonly id: string;
  /** The names of the variables that set its options. */
  readonly variables: ReadonlyMap<TargetOptionName, string>;
}

const MAX_ID_LENGTH = 64;
const TARGET_OPTION_NAMES = Object.keys(TARGET_OPTIONS);

/** What `KEEP_ALIVE_` and `ALERT_` variables may be. */
export const GENERAL_VARIABLES: ReadonlySet<string> = new Set([
  ...TARGET_OPTION_NAMES.filter((name) => name !== 'URL').map((name) => `KEEP_ALIVE_${name}`),
  ...Object.keys(SYSTEM_OPTIONS),
  ...STORE_VARIABLES,
]);

/** Reports `KEEP_ALIVE_` and `ALERT_` variables that do not exist. */
export function unknownVariables(variables: readonly string[]): Problem[] {
  return variables.flatMap((variable) => {
    const [prefix] = /^(?:KEEP_ALIVE|ALERT)_/.exec(variable) ?? [];
    if (prefix === undefined || GENERAL_VARIABLES.has(variable)) return [];
    const known = [...GENERAL_VARIABLES].filter((name) => name.startsWith(prefix));
    return [{ variable, message: unknownOption(variable, known, prefix.length) }];
  });
}

/**
 * Finds the targets that `TARGET_` variables declare, in the order of their ids, and reports the variables that should
 * belong to one and do not.
 *
 * A variable belongs to the target with the longest name whose remainder is an option: with targets `A` and `A_MAX`,
 * `TARGET_A_MAX_BODY` is the option BODY of `a-max`. `TARGET_X_RECOVERY_URL` is always the option RECOVERY_URL of `x`,
 * and an error where `x` does not exist: as the URL of a target `x-recovery` it would be called every few minutes, and
 * restart something each time. For the same reason a name that nearly is `X_RECOVERY` is an error where `x` exists.
 */
export function findTargets(variables: readonly string[], problems: Problem[]): Declaration[] {
  const ours = variables.filter((variable) => variable.startsWith('TARGET_')).sort();
  const names = new Set(ours.map(declaredName).filter((name) => name !== undefined));
  const found = new Map([...names].map((name) => [name, new Map<TargetOptionName, string>()]));
  for (const variable of ours) {
    const rest = variable.slice('TARGET_'.length);
    const owner = splits(rest).find(([name, option]) => names.has(name) && isTargetOption(option));
    if (owner !== undefined) {
      const [name, option] = owner;
      if (isTargetOption(option)) found.get(name)?.set(option, variable);
      continue;
    }
    const message = misplaced(rest, names);
    if (message !== null) problems.push({ variable, message });
  }

  const declarations = new Map<string, Declaration>();
  for (const [name, own] of found) {
    const id = name.toLowerCase().replaceAll('_', '-');
    const other = declarations.get(id)?.variables.get('URL');
    const message = nameProblem(name, names, other);
    if (message === null) declarations.set(id, { id, variables: own });
    else problems.push({ variable: `TARGET_${name}_URL`, message });
  }
  return [...declarations.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The target's name in `TARGET_<ID>_URL`; undefined for every other variable. */
function declaredName(variable: string): string | undefined {
  const name = /^TARGET_([A-Za-z0-9_]+)_URL$/.exec(variable)?.[1];
  return name?.endsWith('_RECOVERY') ? undefined : name;
}

function nameProblem(name: string, names: ReadonlySet<string>, other: string | undefined): string | null {
  if (other !== undefined) return `gives the same id as ${other}, rename one of them`;
  if (name.length > MAX_ID_LENGTH)
    return `expected a name of at most ${MAX_ID_LENGTH} characters for the target`;
  const nearRecovery = splits(name).some(
    ([owner, rest]) => names.has(owner) && distance(rest, 'RECOVERY') <= 2,
  );
  return nearRecovery ? 'unknown option, did you mean RECOVERY_URL?' : null;
}

/** What is wrong with a `TARGET_` variable that is no option of an existing target; null where it is not ours. */
function misplaced(rest: string, names: ReadonlySet<string>): string | null {
  const owned = splits(rest).find(([name]) => names.has(name));
  const orphan = splits(rest).findLast(([, option]) => isTargetOption(option));
  if (owned !== undefined) {
    const unknown = unknownOption(owned[1], TARGET_OPTION_NAMES);
    return orphan === undefined ? unknown : `${unknown} Or is TARGET_${orphan[0]}_URL missing?`;
  }
  if (isTargetOption(rest) || rest.startsWith('_')) {
    return isTargetOption(rest.replace(/^_+/, '')) ? 'expected a name for the target: TARGET_<ID>_…' : null;
  }
  if (orphan === undefined) return null;
  const [name] = orphan;
  return /^\w+$/.test(name)
    ? `has no target, set TARGET_${name}_URL`
    : 'expected only letters, digits and _ in the name of the target';
}

/** Every way to read `A_B_C` as a name and an option, the longest name first. */
function splits(rest: string): [name: string, option: string][] {
  const parts = rest.split('_');
  return parts
    .slice(1)
    .map((_, index): [string, string] => [
      parts.slice(0, index + 1).join('_'),
      parts.slice(index + 1).join('_'),
    ])
    .reverse();
}

/** Suggests the nearest known name where a third of it or less is wrong; the first `skipped` characters are equal. */
function unknownOption(name: string, known: readonly string[], skipped = 0): string {
  const wanted = name.slice(skipped).toUpperCase();
  const [nearest] = known
    .map((candidate) => ({ candidate, edits: distance(wanted, candidate.slice(skipped)) }))
    .filter(({ candidate, edits }) => edits <= Math.ceil((candidate.length - skipped) / 3))
    .sort((a, b) => a.edits - b.edits);
  return nearest === undefined ? 'unknown option' : `unknown option, did you mean ${nearest.candidate}?`;
}

/** Levenshtein's distance: how many characters to insert, remove or replace. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of Array.from(from).entries()) {
    const next = [index + 1];
    for (const [column, other] of Array.from(to).entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
