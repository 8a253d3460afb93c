import { compareNaturally } from '../rules/natural-order.js';
import { isProbablyCut } from './address.js';
import { GENERAL_VARIABLES } from './variable-names.js';
import { SYSTEM_OPTIONS } from './options.js';
import type { Problem } from './problems.js';
import { targetAddress } from './target-address.js';
import { distance, nearest } from './spelling.js';
import {
  chooseStore,
  isNumbered,
  isWronglyNumbered,
  NUMBERED_NAMES,
  STORE_VARIABLES,
} from './store-choice.js';
import { isQuoted } from './values.js';

/** A variable whose name resembles one of ours, and which has no effect. */
export interface NearMiss {
  readonly variable: string;
  readonly message: string;
  /** Nobody else gives a variable this name and this value. */
  readonly isCertain: boolean;
}

/** Longer names resemble none of ours: `TARGET_`, a name of 64 characters and the longest option fit in. */
const LONGEST_NAME = 100;
/** Shorter ones, such as PORT, resemble too many. */
const SHORTEST_NAME = 8;

const OWN_NAMES = [...GENERAL_VARIABLES].filter((name) => name.length >= SHORTEST_NAME);
const BY_FOLDED: ReadonlyMap<string, string> = new Map(OWN_NAMES.map((name) => [folded(name), name]));
/** Names that resemble each other have their beginning or their end in common: the others need no comparing. */
const startOf = (name: string): string => name.slice(0, 4);
const endOf = (name: string): string => name.slice(-6);
const BY_START = grouped(OWN_NAMES, startOf);
const BY_END = grouped(OWN_NAMES, endOf);

/** Warnings about variables that work but look wrong, or have no effect. Sorted by variable. */
export function warningsOf(
  texts: ReadonlyMap<string, string>,
): { readonly variable: string; readonly message: string }[] {
  const own = [...texts].filter(
    ([variable]) =>
      GENERAL_VARIABLES.has(variable) ||
      isNumbered(variable) ||
      /^TARGET_.+_(?:URL|HEADERS|BODY)$/.test(variable),
  );
  const cut = own
    .filter(([, text]) => isProbablyCut(text))
    .map(([variable]) => ({
      variable,
      message:
        'read as an address whose host is what stands before the first colon: if that is a user name, percent-encode the password behind it',
    }));
  const quoted = own
    .filter(([variable, text]) => Object.hasOwn(SYSTEM_OPTIONS, variable) && isQuoted(text))
    .map(([variable]) => ({ variable, message: 'is in quotes, which are part of the value' }));
  const missed = nearMisses(texts).map(({ variable, message }) => ({ variable, message }));
  return [...cut, ...quoted, ...missed].sort((a, b) => compareNaturally(a.variable, b.variable));
}

/**
 * Names that resemble one of ours, where ours is not set: another case or other separators, a letter too many or too
 * few, a word left out. `KEEP_ALIVE_`, `ALERT_` and `PAGE_` variables that do not exist are problems, and not looked for here.
 * Looks at each variable once, and at no long name.
 */
export function nearMisses(texts: ReadonlyMap<string, string>): NearMiss[] {
  const problems: Problem[] = [];
  // A store that is set and not valid is a problem of its own.
  const hasStore = chooseStore(texts, problems).kind !== 'none' || problems.length > 0;
  const isWanted = (name: string): boolean =>
    !texts.has(name) && !(hasStore && STORE_VARIABLES.some((variable) => variable === name));
  return [...texts].flatMap(([variable, text]) => {
    const isComparable = variable.length <= LONGEST_NAME && variable.length >= SHORTEST_NAME;
    if (!isComparable || isKnown(variable)) return [];
    if (isWronglyNumbered(variable))
      return [{ variable, message: `has no effect: ${NUMBERED_NAMES}`, isCertain: false }];
    if (isTargetsFile(variable, text))
      return texts.has('KEEP_ALIVE_TARGETS') ? [] : [nearMiss(variable, 'KEEP_ALIVE_TARGETS', false)];
    const target = likeTarget(variable, text);
    if (target !== null) {
      return texts.has(target.name) ? [] : [nearMiss(variable, target.name, target.isCertain)];
    }
    const name = likeGeneral(variable);
    return name === undefined || !isWanted(name)
      ? []
      : [nearMiss(variable, name, isUnmistakable(variable, name))];
  });
}

/** Whether a variable is one of ours, or would be a problem if it were not. */
function isKnown(variable: string): boolean {
  return (
    GENERAL_VARIABLES.has(variable) ||
    isNumbered(variable) ||
    /^(?:KEEP_ALIVE|ALERT|PAGE)_/.test(variable) ||
    /_(?:KV_REST_API|UPSTASH_REDIS_REST)_(?:URL|TOKEN)$|_QSTASH_(?:URL|TOKEN|\w+_SIGNING_KEY)$/.test(variable)
  );
}

function nearMiss(variable: string, name: string, isCertain: boolean): NearMiss {
  return { variable, message: `has no effect, did you mean ${name}?`, isCertain };
}

/**
 * `KEEPALIVE_URLS`, `keep_alive_urls`: our project's name and a word that only we have. Options of targets do not count:
 * other programs have a `KEEPALIVE_TIMEOUT` too.
 */
function isUnmistakable(variable: string, name: string): boolean {
  const isSystem = name.startsWith('KEEP_ALIVE_') && Object.hasOwn(SYSTEM_OPTIONS, name);
  return isSystem && folded(variable).replace(/S$/, '') === folded(name).replace(/S$/, '');
}

/** `TARGETS_FILE=targets.yaml`: its name is about targets, and its value is the name of such a file. */
function isTargetsFile(variable: string, text: string): boolean {
  return (
    /^(?:KEEPALIVE_)?TARGETS_(?:FILE|PATH|CONFIG|YAML|YML|JSON|URL)$/i.test(variable) &&
    /\.(?:ya?ml|json)$/i.test(text)
  );
}

/** The `TARGET_<ID>_URL` that a variable with the address of a target resembles; null where it is or resembles none. */
function likeTarget(variable: string, text: string): { name: string; isCertain: boolean } | null {
  const [, id, option = ''] = /^targets?[_.-](.+)[_.-](\w{2,4})$/i.exec(variable) ?? [];
  if (id === undefined || /^TARGET_\w+_URL$/.test(variable) || !targetAddress.safeParse(text).success)
    return null;
  const isUrl = /^urls?$/i.test(option);
  if (!isUrl && distance(option.toUpperCase(), 'URL') > 1) return null;
  return { name: `TARGET_${id.toUpperCase().replace(/\W/g, '_')}_URL`, isCertain: isUrl };
}

/** A variable of the installation that a name resembles. */
function likeGeneral(variable: string): string | undefined {
  const wanted = variable.toUpperCase();
  const same = BY_FOLDED.get(folded(variable)) ?? BY_FOLDED.get(`${folded(variable)}S`);
  const starting = BY_START.get(startOf(wanted)) ?? [];
  return (
    same ??
    nearest(wanted, [...starting, ...(BY_END.get(endOf(wanted)) ?? [])], () => 2) ??
    starting.find((name) => lacksOneWord(wanted, name))
  );
}

/** `UPSTASH_REDIS_URL` for `UPSTASH_REDIS_REST_URL`: the same first word, and one of the others is left out. */
function lacksOneWord(wanted: string, name: string): boolean {
  const words = name.split('_');
  const found = wanted.split('_');
  return (
    found.length >= 3 &&
    words.length === found.length + 1 &&
    words[0] === found[0] &&
    found.every((word) => words.includes(word))
  );
}

function grouped(
  names: readonly string[],
  by: (name: string) => string,
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const name of names) groups.set(by(name), [...(groups.get(by(name)) ?? []), name]);
  return groups;
}

/** Upper case letters and digits alone. */
function folded(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '');
}
