import { intervalInWords } from '../rules/durations.js';
import type { Target } from '../types.js';
import { textsOf } from './config.js';
import { SYSTEM_OPTIONS, TARGET_OPTION_NAMES, TARGET_OPTIONS, type TargetOptionName } from './options.js';
import type { Place } from './problems.js';
import { isNumbered, STORE_VARIABLES } from './store-choice.js';
import { hasEffect } from './target-builder.js';
import type { TargetsFile } from './targets-file.js';
import { findTargets } from './variable-names.js';

/** A setting that is in force. */
export interface Setting<Name extends string = string> {
  readonly name: Name;
  /** Compares it with another one; may be secret. Null: nothing. */
  readonly text: string | null;
  /** Fit to be shown: what may be secret is `***`. */
  readonly shown: string;
  /** Null: the default, or what follows from the host. */
  readonly place: Place | null;
}

const HIDDEN = '***';

/** May hold a secret. The address is shown without what may be secret in it. */
const SECRET_OPTIONS: ReadonlySet<TargetOptionName> = new Set([
  ...(['HEADERS', 'BODY', 'QUERY', 'HOST_TOKEN', 'TLS_CLIENT_CERT'] as const),
  ...(['RECOVERY_URL', 'RECOVERY_HEADERS', 'RECOVERY_BODY'] as const),
]);

/** Of all other variables, those with a free text may hold a secret. */
const SHOWN_TEXTS: ReadonlySet<string> = new Set([
  'KEEP_ALIVE_PREFIX',
  'KEEP_ALIVE_PUBLIC_URL',
  'KEEP_ALIVE_DATABASE',
]);

/** The settings of the installation: those that are set, and the others that have defaults. */
export function generalSettings(env: Readonly<Record<string, string | undefined>>): Setting[] {
  const texts = textsOf(env);
  const options = new Map(Object.entries(SYSTEM_OPTIONS));
  const numbered = [...texts.keys()].filter(isNumbered).sort();
  return [...new Set([...options.keys(), ...STORE_VARIABLES, ...numbered])].flatMap((name) => {
    const option = options.get(name);
    const set = texts.get(name);
    const text = set ?? option?.default ?? null;
    if (text === null) return [];
    const isShown =
      set === undefined ||
      SHOWN_TEXTS.has(name) ||
      name === 'KEEP_ALIVE_STORE' ||
      (name === 'KEEP_ALIVE_TARGETS' && !set.includes('://')) ||
      (option !== undefined && option.value.form.kind !== 'text');
    return [
      { name, text, shown: isShown ? text : HIDDEN, place: set === undefined ? null : { variable: name } },
    ];
  });
}

/** Gives the options of a target by name; null for one that has no effect on it. @param file in which it may be */
export function settingsReader(
  env: Readonly<Record<string, string | undefined>>,
  file: TargetsFile | null,
): (target: Target) => (name: TargetOptionName) => Setting<TargetOptionName> | null {
  const texts = textsOf(env);
  const inFile = new Map(file?.targets.map((target) => [target.id, target.options]));
  const set = new Map(
    findTargets([...texts.keys()], inFile.keys(), []).map((each) => [each.id, each.variables]),
  );
  const ofVariable = (variable: string | undefined): Found | null => {
    const text = variable === undefined ? undefined : texts.get(variable);
    return variable === undefined || text === undefined ? null : { text, place: { variable } };
  };
  const shared = new Map(
    TARGET_OPTION_NAMES.map((name) => [name, ofVariable(`KEEP_ALIVE_${name}`) ?? file?.defaults.get(name)]),
  );
  return (target) => {
    const { id, healthUrl } = target.info;
    const [variables, listed] = [set.get(id), inFile.get(id)];
    return (name) => {
      if (!hasEffect(name, target.protocol)) return null;
      const found =
        ofVariable(variables?.get(name)) ??
        listed?.get(name) ??
        (name === 'URL' ? { text: target.url, place: { variable: 'KEEP_ALIVE_URLS' } } : shared.get(name));
      const text = found?.text ?? impliedText(name, target) ?? TARGET_OPTIONS[name].default;
      const isHidden = found !== undefined && (SECRET_OPTIONS.has(name) || found.hasReference === true);
      const shown = name === 'URL' ? healthUrl : isHidden ? HIDDEN : (text ?? 'none');
      return { name, text, shown, place: found?.place ?? null };
    };
  };
}

interface Found {
  readonly text: string;
  readonly place: Place;
  readonly hasReference?: boolean;
}

/** What an option without a default of its own comes to. */
function impliedText(name: TargetOptionName, { info, wakeTimeout }: Target): string | null {
  const orOff = (length: number | null): string => (length ? intervalInWords(length) : 'off');
  if (name === 'NAME') return info.name;
  if (name === 'HOST') return info.host;
  if (name === 'INTERVAL') return intervalInWords(info.interval);
  if (name === 'SLEEPS_AFTER') return orOff(info.sleepsAfter);
  return name === 'WAKE_TIMEOUT' ? orOff(wakeTimeout) : null;
}
