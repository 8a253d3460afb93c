import { fileName } from '../../config/targets-file.js';
import { SYSTEM_OPTIONS, TARGET_OPTIONS, type TargetOptionName } from '../../config/options.js';
import { expectationOf } from '../../config/values.js';
import { singleLine } from '../../single-line.js';

/** A value for a targets file: a text, or names and texts. */
export type ToolValue = string | Readonly<Record<string, string>> | readonly string[];

export interface ToolTarget {
  /** What its id is made of. */
  readonly id: string;
  readonly options: ReadonlyMap<TargetOptionName, ToolValue>;
}

/** A setting of the other tool, and what is to be said of it. */
export interface Remark {
  /** The setting, in the tool's own words. */
  readonly what: string;
  /** The monitor that has it; null: the installation. */
  readonly of: string | null;
  /** What to do about it, or why there is nothing to do. */
  readonly advice: string;
  /** The settings that it stands for, 1 or more. */
  readonly count: number;
}

/** What was read of another tool's configuration. Holds the values of no secret. */
export interface Imported {
  readonly targets: readonly ToolTarget[];
  /** Variables that the user has to set, and from what. */
  readonly variables: ReadonlyMap<string, string>;
  /** Those of them that stand for a whole address. */
  readonly addresses: ReadonlySet<string>;
  /** Variables with the values that they are to have. None is secret. */
  readonly settings: ReadonlyMap<string, string>;
  /** What could not be carried over. */
  readonly left: readonly Remark[];
  /** Settings that are not missed: Keepalive does by itself what they ask for, or has no such thing to be set. */
  readonly unneeded: readonly Remark[];
  /** Settings that are carried over. */
  readonly carried: number;
}

/** Reads the configuration of one tool. @throws ToolError for a text that is none */
export type Importer = (document: unknown) => Imported;

export class ToolError extends Error {
  override readonly name = 'ToolError';
}

export type ToolFields = ReadonlyMap<string, unknown>;

const NO_SUCH_SETTING = 'there is no such setting';
/** Characters of a name at most. */
const LONGEST_NAME = 100;

/** Collects what an importer finds: each setting is carried over, listed with what to do, or not needed. */
export class Collector {
  private readonly targets: ToolTarget[] = [];
  private readonly variables = new Map<string, string>();
  /** Whose variables they are, and what they stand for. */
  private readonly secrets = new Map<string, { readonly owner: object; readonly variable: string }>();
  private readonly addresses = new Set<string>();
  private readonly settings = new Map<string, string>();
  private readonly left: Remark[] = [];
  private readonly unneeded: Remark[] = [];
  private carried = 0;

  /**
   * A target that is read setting by setting; `add` or `refuse` ends it.
   * @param id what its id is made of
   */
  target(name: string, id = name): TargetDraft {
    return new TargetDraft(this, name.trim(), id);
  }

  add(draft: TargetDraft): void {
    if (!draft.options.has('URL')) {
      this.refuse(draft, 'the address', 'write it as one of those in docs/kinds.md');
      return;
    }
    if (draft.isDisabled) draft.options.set('ENABLED', 'false');
    this.targets.push({ id: draft.id, options: draft.options });
    this.carried += draft.carried;
    this.left.push(...draft.remarks);
    this.unneeded.push(...draft.unneededRemarks);
  }

  /** Counts all settings of a target as lost. */
  refuse({ name, found }: TargetDraft, what: string, advice: string): void {
    this.left.push({ what, of: name, advice, count: Math.max(1, found) });
  }

  /**
   * A reference to a variable, in the place of what may be secret. What is of different targets never shares one.
   * @param owner the target; the collector itself where the tool names the variable
   */
  secret(variable: string, from: string, owner: object = this): string {
    const wanted = variable
      .toUpperCase()
      .replace(/\W+/g, '_')
      .replace(/^(?=\d)/, '_');
    // A variable of Keepalive's own would be sent to the target.
    const base = isOwnVariable(wanted) ? `_${wanted}` : wanted;
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? base : `${base}_${number}`;
      const known = this.secrets.get(name);
      const isFree = known === undefined && !this.variables.has(name);
      if (!isFree && (known?.owner !== owner || known.variable !== variable)) continue;
      this.secrets.set(name, { owner, variable });
      this.variables.set(name, number === 1 ? from : `${from} (number ${number} of that name)`);
      return `\${${name}}`;
    }
  }

  /** The same in the place of a whole address. */
  secretAddress(variable: string, from: string): string {
    const reference = this.secret(variable, from);
    this.addresses.add(reference.slice(2, -1));
    return reference;
  }

  carry(count = 1): void {
    this.carried += count;
  }

  /** Settings that become a variable whose value is secret, or has to be looked up. Each has one value only. */
  variable(variable: string, from: string, what: string, count = 1): void {
    const before = this.variables.get(variable);
    if (before === undefined || before === from) {
      this.variables.set(variable, from);
      this.carry(count);
    } else this.leave(what, `${variable} is for ${before}: it takes one only`, null, count);
  }

  /** A setting that becomes a variable with this value. */
  setting(variable: string, value: string, what: string): void {
    const result = (GENERAL.get(variable) ?? targetDefault(variable)).value.safeParse(value);
    const before = this.settings.get(variable);
    if (!result.success) this.leave(what, `${variable} takes no such value: ${expectationOf(result.error)}`);
    else if (before !== undefined && before !== value) this.leave(what, `${variable} holds one value only`);
    else {
      this.settings.set(variable, value);
      this.carry();
    }
  }

  /** The value that `setting` has given a variable. */
  valueOf(variable: string): string | undefined {
    return this.settings.get(variable);
  }

  leave(what: string, advice = NO_SUCH_SETTING, of: string | null = null, count = 1): void {
    this.left.push({ what, of, advice, count });
  }

  pass(what: string, why: string): void {
    this.unneeded.push({ what, of: null, advice: why, count: 1 });
  }

  result(): Imported {
    const { targets, variables, addresses, settings, left, unneeded, carried } = this;
    return { targets, variables, addresses, settings, left, unneeded, carried };
  }
}

const GENERAL = new Map(Object.entries(SYSTEM_OPTIONS));

function targetDefault(variable: string) {
  return TARGET_OPTIONS[variable.replace(/^KEEP_ALIVE_/, '') as TargetOptionName];
}

/** One target, and what became of its settings so far. */
export class TargetDraft {
  readonly options = new Map<TargetOptionName, ToolValue>();
  readonly remarks: Remark[] = [];
  readonly unneededRemarks: Remark[] = [];
  carried = 0;
  isDisabled = false;

  constructor(
    private readonly collector: Collector,
    readonly name: string,
    readonly id: string,
  ) {
    if (name !== '') this.options.set('NAME', literal(name.slice(0, LONGEST_NAME)));
  }

  /** Settings of it that were found, without those that are not needed. */
  get found(): number {
    return this.carried + this.remarks.reduce((sum, { count }) => sum + count, 0);
  }

  /** A setting that becomes an option. One that the option does not take is listed with what it takes. */
  set(option: TargetOptionName, given: ToolValue, what: string = fileName(option)): void {
    const value = option === 'URL' && typeof given === 'string' ? withoutLogin(this, given) : given;
    const problem = problemOf(option, value);
    if (problem === null) {
      this.options.set(option, value);
      this.carry();
    } else this.leave(what, `${fileName(option)}: ${problem}`);
  }

  /** An option that stands for no setting: where the tool itself does so. */
  put(option: TargetOptionName, value: ToolValue): void {
    this.options.set(option, value);
  }

  /** A part of EXPECT_JSON: all parts have to be true. */
  expect(expression: string): void {
    this.join('EXPECT_JSON', expression, 'and');
  }

  /** A part of DEGRADED_JSON: any part that is true is enough. */
  degradedIf(expression: string): void {
    this.join('DEGRADED_JSON', expression, 'or');
  }

  private readonly parts = new Map<TargetOptionName, string[]>();

  private join(option: 'EXPECT_JSON' | 'DEGRADED_JSON', expression: string, word: 'and' | 'or'): void {
    const parts = this.parts.get(option) ?? [];
    parts.push(literal(expression));
    this.parts.set(option, parts);
    this.options.set(option, parts.join(` ${word} `));
    this.carry();
  }

  /** A part of DESCRIPTION. */
  describe(text: string): void {
    const before = this.options.get('DESCRIPTION');
    const line = singleLine(text);
    this.set('DESCRIPTION', literal(typeof before === 'string' ? `${before} ${line}` : line));
  }

  /** It would be watched otherwise than its owner wants: it is written, and not watched. */
  disable(): void {
    this.isDisabled = true;
  }

  /** A reference to a variable of its own. @param what it is, such as `the token` */
  secret(variable: string, what: string): string {
    return this.collector.secret(`${this.name}_${variable}`, `${what} of ${this.name}`, this);
  }

  headers(entries: Iterable<readonly [string, string]>): ToolValue {
    return headersFor(this, entries);
  }

  carry(count = 1): void {
    this.carried += count;
  }

  leave(what: string, advice = NO_SUCH_SETTING, count = 1): void {
    this.remarks.push({ what, of: this.name, advice, count });
  }

  pass(what: string, why: string): void {
    this.unneededRemarks.push({ what, of: this.name, advice: why, count: 1 });
  }
}

/** What is wrong with a value that holds no reference to a variable; null: nothing that can be told. */
function problemOf(option: TargetOptionName, value: ToolValue): string | null {
  const { value: schema } = TARGET_OPTIONS[option];
  const { form } = schema;
  const text =
    typeof value === 'string'
      ? value
      : isList(value)
        ? value.join(form.kind === 'list' ? form.separator : ',')
        : JSON.stringify(value);
  const plain = text.replaceAll('$${', () => '\0');
  if (plain.includes('${')) return null;
  const result = schema.safeParse(plain.replaceAll('\0', () => '${'));
  return result.success ? null : expectationOf(result.error);
}

export function isList(value: ToolValue): value is readonly string[] {
  return Array.isArray(value);
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

/** Names and texts of a map. */
export function textsIn(value: unknown): (readonly [string, string])[] {
  return [...fieldsOf(value)].map(([name, content]) => [name, textOf(content)]);
}

/** Whether a flag is set, in whatever form tools write it. */
export function isOn(value: unknown): boolean {
  return value === true || value === 1 || value === '1' || value === 'true';
}

/** The address, with login data that stands in it as variables. */
function withoutLogin(draft: TargetDraft, url: string): string {
  const [, scheme, login, rest] = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#@]*)@(.*)$/is.exec(url) ?? [];
  if (scheme === undefined || rest === undefined || login === undefined) return url;
  return login.includes('${') ? url : withLogin(draft, `${scheme}${rest}`);
}

/** Whether Keepalive reads a variable of this name. */
function isOwnVariable(name: string): boolean {
  return GENERAL.has(name) || /^(?:TARGET|KEEP_ALIVE|ALERT|PAGE)_/.test(name);
}

/** Headers whose values are secret as a rule. */
const SECRET_HEADER = /auth|cookie|token|secret|key|password/i;

/** Headers for a target, those that are secret as variables. */
function headersFor(
  draft: TargetDraft,
  headers: Iterable<readonly [string, string]>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...headers].map(([name, text]) => [
      name,
      SECRET_HEADER.test(name) ? draft.secret(name, `the header ${name}`) : literal(text),
    ]),
  );
}

/** A text in which `${` stands for itself. */
export function literal(text: string): string {
  return text.replaceAll('${', () => '$${');
}

/** A text as a part of a regular expression that is found where the text is. */
export function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

/** A text of another tool that is searched for as it is: between slashes it would be a regular expression here. */
export function searchText(text: string): string {
  const isLikeRegex = text.length > 2 && text.startsWith('/') && /\/[a-z]*$/.test(text);
  return literal(isLikeRegex ? `/${escaped(text)}/` : text);
}

/** A pattern in which `*` stands for any characters, as a regular expression over the whole text. */
export function globRegex(pattern: string): string {
  const pieces = pattern
    .split(/\*+/)
    .map(escaped)
    .join(String.raw`[\s\S]*`);
  return String.raw`^\s*${pieces}\s*$`
    .replaceAll(String.raw`^\s*[\s\S]*`, '')
    .replaceAll(String.raw`[\s\S]*\s*$`, '');
}

/** An address with the user info that a tool keeps beside it, as variables. */
export function withLogin(draft: TargetDraft, url: string): string {
  const user = draft.secret('USER', 'the user name');
  const password = draft.secret('PASSWORD', 'the percent-encoded password');
  const end = url.indexOf('://');
  return end < 0 ? url : `${url.slice(0, end + 3)}${user}:${password}@${url.slice(end + 3)}`;
}

/** Seconds as a duration. */
export function seconds(value: unknown): string {
  return `${Math.round(Number(textOf(value)) * 1000)}ms`;
}

/** An address without its scheme. */
export function withoutScheme(address: string): string {
  const end = address.indexOf('://');
  return end < 0 ? address : address.slice(end + 3);
}

/** A text as a JSONata literal. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** What to do for monitors that send an ICMP echo. */
export const NO_PING = 'Keepalive sends no ICMP: watch a port of it, such as tcp://host:443';
