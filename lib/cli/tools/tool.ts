import type { TargetOptionName } from '../../config/options.js';

/** A value for a targets file: a text, or names and texts. */
export type ToolValue = string | Readonly<Record<string, string>> | readonly string[];

export interface ToolTarget {
  readonly name: string;
  readonly options: ReadonlyMap<TargetOptionName, ToolValue>;
}

/** What was read of another tool's configuration. Holds the values of no secret. */
export interface Imported {
  readonly targets: readonly ToolTarget[];
  /** Variables that the user has to set, and from what. */
  readonly variables: ReadonlyMap<string, string>;
  /** What could not be carried over, with what to do. */
  readonly left: readonly { readonly what: string; readonly todo: string }[];
  /** Settings that were found, and how many of them are carried over. */
  readonly found: number;
  readonly carried: number;
}

/** Reads the configuration of one tool. @throws ToolError for a text that is none */
export type Importer = (document: unknown) => Imported;

export class ToolError extends Error {
  override readonly name = 'ToolError';
}

export type ToolFields = ReadonlyMap<string, unknown>;

/** Collects what an importer finds; each setting is either carried over or listed. */
export class Collector {
  private readonly targets: ToolTarget[] = [];
  private readonly variables = new Map<string, string>();
  private readonly left: { what: string; todo: string }[] = [];
  private found = 0;
  private carried = 0;

  add(name: string, options: ReadonlyMap<TargetOptionName, ToolValue>): void {
    this.targets.push({ name, options });
  }

  /** A reference to a variable, in the place of what may be secret. */
  secret(variable: string, from: string): string {
    const name = variable
      .toUpperCase()
      .replace(/\W+/g, '_')
      .replace(/^(?=\d)/, '_');
    this.variables.set(name, from);
    return `\${${name}}`;
  }

  /** A variable to set for a channel. */
  channel(variable: string, from: string): void {
    this.variables.set(variable, from);
  }

  /** @param isCarried without it the setting is listed, with what to do */
  count(isCarried: boolean, what = '', todo = 'no such setting: see docs/moving.md'): void {
    this.found += 1;
    if (isCarried) this.carried += 1;
    else this.left.push({ what, todo });
  }

  result(): Imported {
    const { targets, variables, left, found, carried } = this;
    return { targets, variables, left, found, carried };
  }
}

export function fieldsOf(value: unknown): ToolFields {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return new Map(isObject ? Object.entries(value) : []);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The text of a text, number or flag; empty for everything else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}

/** Headers whose values are secret as a rule. */
const SECRET_HEADER = /auth|cookie|token|secret|key|password/i;

/** Headers for a target, those that are secret as variables. */
export function headersFor(
  collector: Collector,
  id: string,
  headers: Iterable<readonly [string, string]>,
): ToolValue {
  return Object.fromEntries(
    [...headers].map(([name, text]) => [
      name,
      SECRET_HEADER.test(name)
        ? collector.secret(`${id}_${name}`, `the header ${name} of ${id}`)
        : literal(text),
    ]),
  );
}

/** A text in which `${` stands for itself. */
export function literal(text: string): string {
  return text.replaceAll('${', () => '$${');
}

/** A text of another tool that is searched for as it is: between slashes it would be a regular expression here. */
export function searchText(text: string): string {
  const isLikeRegex = /^\/.+\/[a-z]*$/s.test(text);
  return literal(isLikeRegex ? `/${text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)}/` : text);
}

/** An address with the user info that a tool keeps beside it, as variables. */
export function withLogin(collector: Collector, id: string, url: string): string {
  const user = collector.secret(`${id}_USER`, `the user name of ${id}`);
  const password = collector.secret(`${id}_PASSWORD`, `the password of ${id}, percent-encoded`);
  return url.replace(/^([a-z+]+:\/\/)/i, (scheme) => `${scheme}${user}:${password}@`);
}

/** Seconds as a duration. */
export function seconds(value: unknown): string {
  return `${Number(textOf(value)) * 1000}ms`;
}
