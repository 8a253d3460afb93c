import type * as z from '#zod';
import type { Problem } from './problems.js';
import { expectationOf, type Value } from './values.js';

/** How a variable is read, and what it counts as when it is not set: null, or a text that is read the same way. */
export interface Option<T, Default extends string | null = string | null> {
  readonly value: Value<T>;
  readonly default: Default;
}

export function option<T>(fallback: null, parse: Value<T>): Option<T, null>;
export function option<T>(fallback: string, parse: Value<T>): Option<T, string>;
export function option<T>(fallback: string | null, parse: Value<T>): Option<T> {
  return { value: parse, default: fallback };
}

/** An option of targets, with what editors show of it. */
export interface TargetOption<T, Default extends string | null = string | null> extends Option<T, Default> {
  readonly help: string;
}

export function targetOption<T>(fallback: null, parse: Value<T>, help: string): TargetOption<T, null>;
export function targetOption<T>(fallback: string, parse: Value<T>, help: string): TargetOption<T, string>;
export function targetOption<T>(fallback: string | null, parse: Value<T>, help: string): TargetOption<T> {
  return { value: parse, default: fallback, help };
}

export type Table = Readonly<Record<string, Option<unknown>>>;

/** What a table's options are read as; null where one is not set and has no default. */
export type OptionValues<T extends Table> = {
  readonly [Name in keyof T]: T[Name]['default'] extends string ? Read<T[Name]> : Read<T[Name]> | null;
};

type Read<O extends Option<unknown>> = z.output<O['value']>;

/** Reads those options of a table that are set and valid; reports the others under their variables' names. */
export function readOptions<T extends Table>(
  table: T,
  variableOf: (name: keyof T & string) => string | undefined,
  texts: ReadonlyMap<string, string>,
  problems: Problem[],
): Partial<OptionValues<T>> {
  const values = new Map<string, unknown>();
  for (const [name, { value: schema }] of Object.entries(table)) {
    const variable = variableOf(name);
    const found = variable === undefined ? undefined : texts.get(variable);
    if (variable === undefined || found === undefined) continue;
    const result = schema.safeParse(found);
    if (result.success) values.set(name, result.data);
    else problems.push({ variable, message: expectationOf(result.error) });
  }
  return Object.fromEntries(values) as Partial<OptionValues<T>>;
}

export function defaultsOf<T extends Table>(table: T): OptionValues<T> {
  const defaults = Object.entries(table).map(
    ([name, { value: schema, default: fallback }]) =>
      [name, fallback === null ? null : schema.parse(fallback)] as const,
  );
  return Object.fromEntries(defaults) as OptionValues<T>;
}
