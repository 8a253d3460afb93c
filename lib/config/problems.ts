import { compareNaturally } from '../rules/natural-order.js';

/** Where something stands in a targets file. Lines and columns count from 1. */
export interface FilePlace {
  /** As it is named in KEEP_ALIVE_TARGETS; of an address, without what may be secret. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly variable?: never;
}

/** Where a setting comes from. */
export type Place = { readonly variable: string; readonly file?: never } | FilePlace;

/** What is wrong at one place. Holds no value, and no part of one: a mistyped value may be a secret. */
export type Problem = Place & { readonly message: string };

/** `TARGET_API_TIMEOUT`, or `targets.yaml:12:5`. */
export function placeInWords(place: Place): string {
  return place.file === undefined ? place.variable : `${place.file}:${place.line}:${place.column}`;
}

/** One line per problem: `TARGET_API_TIMOUT: unknown option, did you mean TIMEOUT?`. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map((problem) => `${placeInWords(problem)}: ${problem.message}`).join('\n');
}

/** Sorted by variable or place in the file, then by message. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  return problems.toSorted(
    (a, b) =>
      compareNaturally(a.file ?? a.variable, b.file ?? b.variable) ||
      (a.file === undefined || b.file === undefined ? 0 : a.line - b.line || a.column - b.column) ||
      compareNaturally(a.message, b.message),
  );
}
