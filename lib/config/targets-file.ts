import { TARGET_OPTIONS, isTargetOption, type TargetOptionName, type TargetOptions } from './options.js';
import type { FilePlace, Problem } from './problems.js';
import { expectationOf } from './values.js';

/** An option as a targets file sets it. */
export interface FileOption {
  /** As a variable would have it, with the variables that it takes in their places. May be secret. */
  readonly text: string;
  readonly place: FilePlace;
  /** It takes a variable, so that it may not be shown. */
  readonly hasReference: boolean;
  /** It takes a variable that is not set, whose name stands in its place (`Outside.mayLackVariables`). */
  readonly isUnknown: boolean;
}

export type FileOptions = ReadonlyMap<TargetOptionName, FileOption>;

export interface FileTarget {
  /** Lower case letters, digits and `-`; unique in the file. */
  readonly id: string;
  readonly place: FilePlace;
  readonly options: FileOptions;
  /** An address is written, also where it cannot be read: that is a problem of its own. */
  readonly hasAddress: boolean;
}

/** What a targets file holds, as far as it could be read. */
export interface TargetsFile {
  /** How messages name it. */
  readonly name: string;
  readonly targets: readonly FileTarget[];
  readonly defaults: FileOptions;
  readonly problems: readonly Problem[];
}

/** `EXPECT_STATUS` as a targets file has it: `expectStatus`. */
export function fileName(option: TargetOptionName): string {
  return option.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** A message about options in the words of a targets file: `METHOD` becomes `method`, and variables stay as they are. */
export function inFileWords(message: string): string {
  return message.replace(/\b[A-Z]+(?:_[A-Z]+)*\b/g, (word) => (isTargetOption(word) ? fileName(word) : word));
}

/**
 * Reads the options that are valid; reports the others at their places. One that is not known is no problem: it is left out,
 * and an address has a made-up one in its place.
 */
export function readFileOptions(options: FileOptions, problems: Problem[]): Partial<TargetOptions> {
  const values = new Map<TargetOptionName, unknown>();
  for (const [name, { text, place, isUnknown }] of options) {
    const result = TARGET_OPTIONS[name].value.safeParse(text);
    if (result.success) values.set(name, result.data);
    else if (isUnknown) {
      if (name === 'URL')
        values.set(name, TARGET_OPTIONS.URL.value.parse(`https://${nameLike(text)}.invalid/`));
    } else {
      const message = inFileWords(expectationOf(result.error));
      problems.push({ ...place, message: `${fileName(name)}: ${message}` });
    }
  }
  return Object.fromEntries(values);
}

/** A host name that is made of a text. */
function nameLike(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 60) || 'unknown'
  );
}
