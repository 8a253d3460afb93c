import { isTargetOption, SYSTEM_OPTIONS, TARGET_OPTION_NAMES, type TargetOptionName } from './options.js';
import type { Problem } from './problems.js';
import { containedIn, nearest } from './spelling.js';
import { STORE_VARIABLES } from './store-choice.js';

/** A target as its variables declare it. */
export interface Declaration {
  /** Public: the name in lower case, with `-` for `_`. */
  readonly id: string;
  /** The names of the variables that set its options. */
  readonly variables: ReadonlyMap<TargetOptionName, string>;
}

const MAX_ID_LENGTH = 64;
const MOST_OPTION_WORDS = Math.max(...TARGET_OPTION_NAMES.map((name) => name.split('_').length));

/** What `KEEP_ALIVE_`, `ALERT_` and `PAGE_` variables may be. */
export const GENERAL_VARIABLES: ReadonlySet<string> = new Set([
  ...TARGET_OPTION_NAMES.filter((name) => name !== 'URL').map((name) => `KEEP_ALIVE_${name}`),
  ...Object.keys(SYSTEM_OPTIONS),
  ...STORE_VARIABLES,
]);

/** What the Upstash products set, behind a prefix that their user chooses. */
const OF_PRODUCTS =
  /_(?:(?:KV_REST_API|UPSTASH_REDIS_REST)_(?:URL|TOKEN)|QSTASH_(?:URL|TOKEN|(?:CURRENT|NEXT)_SIGNING_KEY))$/;
/** What is set beside `…KV_REST_API_URL`, and not used. */
const BESIDE = /(?:KV_REST_API_READ_ONLY_TOKEN|KV_URL|REDIS_URL)$/;

function isOfProduct(variable: string, all: ReadonlySet<string>): boolean {
  if (OF_PRODUCTS.test(variable)) return true;
  return BESIDE.test(variable) && all.has(variable.replace(BESIDE, 'KV_REST_API_URL'));
}

/**
 * Reports `KEEP_ALIVE_` and `ALERT_` variables that do not exist: with a mistyped `ALERT_` variable, nobody would be told of
 * an outage. `PAGE_` variables are reported only where they resemble one of ours: other programs have a `PAGE_SIZE`, and a
 * mistake shows on the page. What a product has set behind such a prefix is none of them.
 */
export function unknownVariables(variables: readonly string[]): Problem[] {
  const all = new Set(variables);
  return variables.flatMap((variable) => {
    const [prefix] = /^(?:KEEP_ALIVE|ALERT|PAGE)_/.exec(variable) ?? [];
    if (prefix === undefined || GENERAL_VARIABLES.has(variable) || isOfProduct(variable, all)) return [];
    const known = [...GENERAL_VARIABLES].filter((name) => name.startsWith(prefix));
    const message = unknownOption(variable, known, prefix);
    return prefix === 'PAGE_' && message === UNKNOWN ? [] : [{ variable, message }];
  });
}

/**
 * Finds the targets that `TARGET_` variables declare, and reports the variables that should
 * belong to one and do not.
 *
 * A variable belongs to the target with the longest name whose remainder is an option: with targets `A` and `A_MAX`,
 * `TARGET_A_MAX_BODY` is the option BODY of `a-max`. `TARGET_X_RECOVERY_URL` is always the option RECOVERY_URL of `x`,
 * and an error where `x` does not exist: as the URL of a target `x-recovery` it would be called every few minutes, and
 * restart something each time. For the same reason a name that nearly is `X_RECOVERY` is an error where `x` exists.
 *
 * @param fileIds the targets that a file lists: variables may set their options too
 */
export function findTargets(
  variables: readonly string[],
  fileIds: Iterable<string>,
  problems: Problem[],
): Declaration[] {
  const ours = variables.filter((variable) => variable.startsWith('TARGET_')).sort();
  const names = new Set(ours.map(declaredName).filter((name) => name !== undefined));
  const declared = new Set([...names].map(idOf));
  for (const id of ours.length === 0 ? [] : fileIds) if (!declared.has(id)) names.add(nameOf(id));
  const found = new Map([...names].map((name) => [name, new Map<TargetOptionName, string>()]));
  for (const variable of ours) {
    const rest = variable.slice('TARGET_'.length);
    const owner = optionSplits(rest).find(([name]) => names.has(name));
    if (owner !== undefined) {
      const [name, option] = owner;
      found.get(name)?.set(option, variable);
      continue;
    }
    const message = misplaced(rest, names);
    if (message !== null) problems.push({ variable, message });
  }

  const declarations = new Map<string, Declaration>();
  for (const [name, own] of found) {
    const id = idOf(name);
    const other = declarations.get(id)?.variables.get('URL');
    const message = own.has('URL') ? nameProblem(name, names, other) : null;
    if (message === null) declarations.set(id, { id, variables: own });
    else problems.push({ variable: `TARGET_${name}_URL`, message });
  }
  return [...declarations.values()];
}

/** `MY_API` → `my-api` */
function idOf(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** `my-api` → `MY_API` */
function nameOf(id: string): string {
  return id.toUpperCase().replaceAll('-', '_');
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
  const nearRecovery = nameSplits(name).some(
    ([owner, rest]) => names.has(owner) && nearest(rest, ['RECOVERY'], () => 2) !== undefined,
  );
  return nearRecovery ? 'unknown option, did you mean RECOVERY_URL?' : null;
}

/** What is wrong with a `TARGET_` variable that is no option of an existing target; null where it is not ours. */
function misplaced(rest: string, names: ReadonlySet<string>): string | null {
  const owned = nameSplits(rest).find(([name]) => names.has(name));
  const orphan = optionSplits(rest).at(-1);
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

/**
 * The ways to read `A_MAX_BODY` as a name and a known option, the longest name first. Looks at the last words only: a
 * variable's name may have thousands.
 */
function optionSplits(rest: string): [name: string, option: TargetOptionName][] {
  const found: [string, TargetOptionName][] = [];
  let end = rest.length;
  for (let words = 1; words <= MOST_OPTION_WORDS; words += 1) {
    end = rest.lastIndexOf('_', end - 1);
    if (end < 0) break;
    const option = rest.slice(end + 1);
    if (isTargetOption(option)) found.push([rest.slice(0, end), option]);
    if (end === 0) break;
  }
  return found;
}

/** The ways to read `A_B_C` as a name of a length that names may have and a rest, the longest name first. */
function nameSplits(rest: string): [name: string, rest: string][] {
  const found: [string, string][] = [];
  for (let end = rest.lastIndexOf('_', MAX_ID_LENGTH); end > 0; end = rest.lastIndexOf('_', end - 1)) {
    found.push([rest.slice(0, end), rest.slice(end + 1)]);
  }
  return found;
}

/** Suggests the nearest known name where a third of it or less is wrong or its end is missing; all names begin with `prefix`. */
function unknownOption(name: string, known: readonly string[], prefix = ''): string {
  const wanted = name.slice(prefix.length);
  const candidates = known.map((candidate) => candidate.slice(prefix.length));
  const suggestion = isShort(wanted)
    ? (nearest(wanted.toUpperCase(), candidates, ({ length }) => Math.ceil(length / 3)) ??
      containedIn(wanted.toUpperCase(), candidates) ??
      candidates.find((each) => wanted.length >= SHORTEST_START && each.startsWith(wanted.toUpperCase())))
    : undefined;
  return suggestion === undefined ? UNKNOWN : `${UNKNOWN}, did you mean ${prefix}${suggestion}?`;
}

const UNKNOWN = 'unknown option';
/** Of a name that is cut off, such as `LOGO` for `LOGO_URL`. */
const SHORTEST_START = 4;

function isShort(name: string): boolean {
  return name.length <= 2 * MAX_ID_LENGTH;
}
