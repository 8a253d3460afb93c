import { fileName } from '../../config/targets-file.js';
import { PAGE_OPTIONS } from '../../config/page.js';
import { SYSTEM_OPTIONS, TARGET_OPTIONS, type TargetOptionName } from '../../config/options.js';
import { expectationOf, parseDuration } from '../../config/values.js';
import { shorten, singleLine } from '../../single-line.js';
import { DAY, HOUR, MINUTE, SECOND } from '../../time.js';
import {
  hasSecret,
  hideInAddress,
  hideInBody,
  hideInDialogue,
  hideLogin,
  referencesIn,
  SECRET_HEADER,
  withoutAddressSecrets,
  withoutLogin,
  withoutSecrets,
  type Hide,
} from './secrets.js';

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
  /** What sets up the other tool itself: its looks, where and how it runs. Counted apart. */
  readonly own: readonly Remark[];
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

export const NO_SUCH_SETTING = 'there is no such setting';
/** Characters of a name at most. */
const LONGEST_NAME = 100;
/** Characters of it that are read: what is behind them is in no name. */
const LONGEST_READ = 1_000;
const HIDDEN = 'a part of it looks secret, and the page would show it: … stands for it';
/** Further down in a document, no tool has its variables. */
const DEEPEST = 20;

/**
 * Marks around the name of a variable in the texts of a document: texts can be taken apart and quoted, and the name stays
 * whole. `TargetDraft` makes a reference of it.
 */
const BEGINS = '\uE000';
const ENDS = '\uE001';
const MARKED = /\uE000(\w+)\uE001/g;

/**
 * A document with marks in the places of a tool's variables.
 * @param pattern finds a variable; its first group that has found something is the name, and without one what is found is
 * the sign itself, which stands there twice
 */
export function marked(document: unknown, pattern: RegExp): unknown {
  // A document may have one part in many places.
  const known = new Map<object, unknown>();
  const of = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string')
      return value.replace(pattern, (found: string, ...groups: unknown[]) => {
        const name = groups.slice(0, -2).find((group) => typeof group === 'string');
        return name === undefined ? found.slice(1) : `${BEGINS}${name}${ENDS}`;
      });
    if (typeof value !== 'object' || value === null || depth > DEEPEST) return value;
    const before = known.get(value);
    if (before !== undefined) return before;
    const made: unknown = Array.isArray(value)
      ? value.map((each) => of(each, depth + 1))
      : Object.fromEntries(Object.entries(value).map(([key, each]) => [key, of(each, depth + 1)]));
    known.set(value, made);
    return made;
  };
  return of(document, 0);
}

/** A text as the tool has it. */
export function unmarked(text: string): string {
  return text.replace(MARKED, '$$$1');
}

/** What a monitor is called. */
interface TargetNames {
  /** Empty: it has none, and the address stands for it. */
  readonly name: string;
  readonly address: string;
  /** What its id is made of; otherwise its name, and the host in the address where no letter of that can be in an id. */
  readonly id?: string;
}

/** Collects what an importer finds: each setting is carried over, listed with what to do, or not needed. */
export class Collector {
  private readonly targets: ToolTarget[] = [];
  private readonly variables = new Map<string, string>();
  /** The variables of each owner by what they stand for. */
  private readonly secrets = new Map<object, Map<string, string>>();
  /** Variables that targets refer to: they are to be set where such a target is there. */
  private readonly references = new Set<string>();
  private readonly nextNumbers = new Map<string, number>();
  private readonly addresses = new Set<string>();
  private readonly settings = new Map<string, string>();
  private readonly left: Remark[] = [];
  private readonly own: Remark[] = [];
  private readonly unneeded: Remark[] = [];
  private readonly domains = new Set<string>();
  private carried = 0;
  private drafts = 0;

  /** A target that is read setting by setting; `add` or `refuse` ends it. */
  target({ name, address, id }: TargetNames): TargetDraft {
    this.drafts += 1;
    const given = name.trim().slice(0, LONGEST_READ);
    const plain = withoutSecrets(given);
    const isHidden = plain !== given;
    const isEmpty = plain === '' || (isHidden && !/[\p{L}\p{N}]/u.test(plain));
    const shown = shorten(isEmpty ? titleOf(address) : plain, LONGEST_NAME);
    const ids = [
      id === undefined ? shown : withoutSecrets(id.slice(0, LONGEST_READ)),
      hostIn(withoutLogin(address)),
      `target ${this.drafts}`,
    ];
    const draft = new TargetDraft(this, shown, ids.find((each) => slugOf(each) !== '') ?? '');
    if (isHidden) draft.leave('name', HIDDEN);
    return draft;
  }

  add(draft: TargetDraft): void {
    if (!draft.options.has('URL')) {
      this.refuse(draft, 'the address', 'write it as one of those in docs/kinds.md');
      return;
    }
    draft.joinParts();
    if (draft.isDisabled) draft.options.set('ENABLED', 'false');
    this.targets.push({ id: draft.id, options: draft.options }, ...this.domainsOf(draft));
    this.carried += draft.carried;
    this.left.push(...draft.remarks);
    this.unneeded.push(...draft.unneededRemarks);
  }

  /** A target that watches the end of a domain, which its registry tells by RDAP (RFC 9083). Each domain is watched once. */
  private domainsOf({ domain, options }: TargetDraft): ToolTarget[] {
    if (domain === null || this.domains.has(domain.name)) return [];
    this.domains.add(domain.name);
    const shared = (['GROUP', 'SHOW', 'ALERTS', 'ENABLED'] as const).flatMap((option) => {
      const value = options.get(option);
      return value === undefined ? [] : ([[option, value]] as const);
    });
    const expiration = 'events[eventAction = "expiration"]';
    const own: [TargetOptionName, ToolValue][] = [
      ['NAME', `Domain ${domain.name}`],
      ['URL', `https://rdap.org/domain/${domain.name}`],
      ['HEADERS', { Accept: 'application/rdap+json' }],
      ['INTERVAL', '12h'],
      ['EXPECT_JSON', `$exists(${expiration})`],
      ['DEGRADED_JSON', `$toMillis(${expiration}[0].eventDate) < $millis() + ${domain.before}`],
    ];
    return [{ id: `domain ${domain.name}`, options: new Map([...own, ...shared]) }];
  }

  /** Counts all settings of a target as lost. */
  refuse({ label, found }: TargetDraft, what: string, advice: string): void {
    this.left.push({ what, of: label, advice, count: Math.max(1, found) });
  }

  /**
   * A reference to a variable, in the place of what may be secret. What is of different targets never shares one.
   * @param owner the target; the collector itself where the tool names the variable
   */
  secret(variable: string, from: string, owner: object = this): string {
    const own = this.secrets.get(owner) ?? new Map<string, string>();
    this.secrets.set(owner, own);
    const key = owner === this ? variable : `${variable} ${from}`;
    const known = own.get(key);
    if (known !== undefined) return `\${${known}}`;
    const wanted = variable.replace(/\W+/g, '_').replace(/^(?=\d)/, '_');
    // A variable of Keepalive's own would be sent to the target.
    const base = isOwnVariable(wanted) ? `_${wanted}` : wanted;
    let number = this.nextNumbers.get(base) ?? 1;
    const numbered = (): string => (number === 1 ? base : `${base}_${number}`);
    while (this.variables.has(numbered())) number += 1;
    this.nextNumbers.set(base, number + 1);
    const name = numbered();
    own.set(key, name);
    this.references.add(name);
    this.variables.set(name, number === 1 ? from : `${from} (number ${number} of that name)`);
    return `\${${name}}`;
  }

  /** The variable of a reference stands for a whole address, or for its beginning. */
  beginsAddress(name: string): void {
    this.addresses.add(name);
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
    } else this.leave(what, `${variable} is for ${withoutSecrets(before)}: it takes one only`, null, count);
  }

  /** A setting that becomes a variable with this value. */
  setting(variable: string, given: string, what: string): void {
    const value = unmarked(given);
    const result = (GENERAL.get(variable) ?? targetDefault(variable)).value.safeParse(value);
    const before = this.settings.get(variable);
    if (!result.success) this.leave(what, `${variable} takes no such value: ${expectationOf(result.error)}`);
    else if (before !== undefined && before !== value) this.leave(what, `${variable} holds one value only`);
    else {
      this.settings.set(variable, value);
      this.carry();
    }
  }

  /** A link of the page. */
  link(label: string, address: string, what: string): void {
    const words = singleLine(label).replaceAll(';', ',') || hostIn(address);
    const link = `${words} ${address.replaceAll(';', '%3B')}`;
    const before = this.settings.get('PAGE_LINKS');
    const all = before === undefined ? link : `${before}; ${link}`;
    const result = PAGE_OPTIONS.PAGE_LINKS.value.safeParse(all);
    if (result.success) {
      this.settings.set('PAGE_LINKS', all);
      this.carry();
    } else this.leave(what, `PAGE_LINKS: ${expectationOf(result.error)}`);
  }

  leave(what: string, advice = NO_SUCH_SETTING, of: string | null = null, count = 1): void {
    this.left.push({ what: unmarked(what), of, advice, count });
  }

  /** What sets up the tool itself, and not what is watched, told or shown. */
  leaveOwn(what: string, why: string): void {
    this.own.push({ what, of: null, advice: why, count: 1 });
  }

  pass(what: string, why: string): void {
    this.unneeded.push({ what, of: null, advice: why, count: 1 });
  }

  result(): Imported {
    const { targets, addresses, settings, left, own, unneeded, carried } = this;
    const used = new Set(targets.flatMap(({ options }) => [...options.values()].flatMap(referencesOf)));
    // A target that is left out needs none.
    const variables = new Map(
      [...this.variables].filter(([name]) => !this.references.has(name) || used.has(name)),
    );
    return { targets, variables, addresses, settings, left, own, unneeded, carried };
  }
}

/** The variables that a value refers to. */
function referencesOf(value: ToolValue): string[] {
  return (typeof value === 'string' ? [value] : Object.values(value)).flatMap(referencesIn);
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
  /** Its domain is to be told of, so many ms before it ends. */
  domain: { readonly name: string; readonly before: number } | null = null;

  /** @param id what its id is made of, which is never empty */
  constructor(
    private readonly collector: Collector,
    readonly name: string,
    readonly id: string,
  ) {
    if (name !== '') this.put('NAME', literal(name));
  }

  /** What remarks call it. */
  get label(): string {
    return unmarked(this.name === '' ? this.id : this.name);
  }

  /** Settings of it that were found, without those that are not needed. */
  get found(): number {
    return this.carried + this.remarks.reduce((sum, { count }) => sum + count, 0);
  }

  /** A setting that becomes an option. One that the option does not take is listed with what it takes. */
  set(option: TargetOptionName, given: ToolValue, what: string = fileName(option)): void {
    const value = this.prepared(option, given);
    const problem = problemOf(option, value);
    const nearest = problem === null ? null : withinBounds(option, value);
    if (problem === null) {
      this.options.set(option, value);
      this.carry();
    } else {
      if (nearest !== null) this.options.set(option, nearest);
      this.leave(
        what,
        `${fileName(option)}: ${problem}${nearest === null ? '' : `, and ${nearest} is written`}`,
      );
    }
  }

  /** An option that stands for no setting: where the tool itself does so. */
  put(option: TargetOptionName, value: ToolValue): void {
    this.options.set(option, this.prepared(option, value));
  }

  /** With references in the places of marks, and of what is secret in an address. */
  private prepared(option: TargetOptionName, value: ToolValue): ToolValue {
    const of = (text: string): string => this.withReferences(option, text);
    if (typeof value === 'string') return this.hidden(option, of(value));
    if (isList(value)) return value.map(of);
    return Object.fromEntries(
      Object.entries(value).map(([name, text]) => [name, this.hiddenHeader(name, of(text))]),
    );
  }

  private withReferences(option: TargetOptionName, text: string): string {
    return text.replace(MARKED, (found: string, name: string) => {
      const whole = option === 'URL' && text.startsWith(found);
      const part = option === 'URL' ? 'a part of the address' : `a part of ${fileName(option)}`;
      const reference = this.collector.secret(name, `${whole ? 'the address' : part} of ${this.label}`);
      if (whole) this.collector.beginsAddress(reference.slice(2, -1));
      return reference;
    });
  }

  private hidden(option: TargetOptionName, text: string): string {
    const hide: Hide = (name, what) => this.secret(name, what);
    if (option === 'URL') return hideInAddress(text, (name, what) => hide(name, `${what} in the address`));
    if (option === 'BODY') return hideInBody(text, hide);
    if (option === 'QUERY')
      return /^\s*[[{]/.test(text) ? hideInBody(text, hide) : hideInDialogue(text, hide);
    if (option !== 'NAME' && option !== 'GROUP' && option !== 'DESCRIPTION') return text;
    const plain = withoutSecrets(text, { isProse: option === 'DESCRIPTION' });
    if (plain !== text) this.leave(fileName(option), HIDDEN);
    return plain;
  }

  private hiddenHeader(name: string, text: string): string {
    const isPlain =
      text === '' || referencesIn(text).length > 0 || /^(?:content-type|user-agent)$/i.test(name);
    const isHidden = !isPlain && (SECRET_HEADER.test(name) || hasSecret(text));
    return isHidden ? this.secret(name, `the header ${name}`) : text;
  }

  /** A part of EXPECT_JSON: all parts have to be true. */
  expect(expression: string): void {
    this.addPart('EXPECT_JSON', expression);
  }

  /** A part of DEGRADED_JSON: any part that is true is enough. */
  degradedIf(expression: string): void {
    this.addPart('DEGRADED_JSON', expression);
  }

  private readonly parts = new Map<'EXPECT_JSON' | 'DEGRADED_JSON', string[]>();

  private addPart(option: 'EXPECT_JSON' | 'DEGRADED_JSON', expression: string): void {
    const part = this.withReferences(option, literal(expression));
    const parts = this.parts.get(option) ?? [part];
    if (this.parts.has(option)) parts.push(part);
    else this.options.set(option, part);
    this.parts.set(option, parts);
    this.carry();
  }

  /** Writes the options that consist of parts. */
  joinParts(): void {
    for (const [option, parts] of this.parts)
      this.options.set(option, parts.join(option === 'EXPECT_JSON' ? ' and ' : ' or '));
  }

  /** A part of DESCRIPTION. */
  describe(text: string): void {
    const before = this.options.get('DESCRIPTION');
    const line = singleLine(text);
    this.set('DESCRIPTION', literal(typeof before === 'string' ? `${before} ${line}` : line));
  }

  /** The end of its domain is to be told of. @param before ms */
  watchDomain(host: string, before: number, what: string): void {
    const name = domainOf(host);
    if (name === null) this.leave(what, 'let your registrar remind you of the end of the domain');
    else {
      this.domain = { name, before };
      this.carry();
    }
  }

  /** It would be watched otherwise than its owner wants: it is written, and not watched. */
  disable(): void {
    this.isDisabled = true;
  }

  /** A reference to a variable of its own. @param what it is, such as `the token` */
  secret(variable: string, what: string): string {
    const owner = slugOf(this.label) || slugOf(this.id);
    const name = `${owner}_${slugOf(variable)}`.replaceAll('-', '_').toUpperCase();
    return this.collector.secret(name, `${what} of ${this.label}`, this);
  }

  /** A client certificate and its key, of files of the tool. */
  useClientCertificate(files: readonly string[]): void {
    const what = `the texts of ${files.join(' and ')}, one behind the other: the client certificate`;
    this.put('TLS_CLIENT_CERT', this.secret('CLIENT_CERT', what));
  }

  headers(entries: Iterable<readonly [string, string]>): Readonly<Record<string, string>> {
    return Object.fromEntries([...entries].map(([name, text]) => [name, literal(text)]));
  }

  carry(count = 1): void {
    this.carried += count;
  }

  leave(what: string, advice = NO_SUCH_SETTING, count = 1): void {
    this.remarks.push({ what: unmarked(what), of: this.label, advice, count });
  }

  pass(what: string, why: string): void {
    this.unneededRemarks.push({ what, of: this.label, advice: why, count: 1 });
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

/** Options whose nearest value is better than their default. */
const BOUNDS = new Map<TargetOptionName, readonly [least: string, most: string]>([
  ['INTERVAL', ['10s', '7d']],
  ['TIMEOUT', ['100ms', '2m']],
]);

/** The value nearest to one that an option does not take; null: there is none. */
function withinBounds(option: TargetOptionName, value: ToolValue): string | null {
  const bounds = BOUNDS.get(option);
  const wanted = typeof value === 'string' ? parseDuration(value) : undefined;
  if (bounds === undefined || wanted === undefined || wanted <= 0) return null;
  return wanted < (parseDuration(bounds[0]) ?? 0) ? bounds[0] : bounds[1];
}

/** Under a country, names of registries' own stand before what is sold. */
const SECOND_LEVEL = /^(?:ac|co|com|edu|gen|go|gob|gov|ltd|mil|ne|net|nom|or|org|plc|sch)$/;

/** The domain that is registered, of a host's name: `example.co.uk` of `www.example.co.uk`; null for an IP address. */
function domainOf(host: string): string | null {
  const labels = host.toLowerCase().replace(/\.$/, '').split('.');
  const isName = labels.length > 1 && labels.every((label) => /^[a-z0-9_-]{1,63}$/.test(label));
  if (!isName || /^\d+$/.test(labels.at(-1) ?? '')) return null;
  const isLong = labels.at(-1)?.length === 2 && SECOND_LEVEL.test(labels.at(-2) ?? '');
  return labels.slice(isLong ? -3 : -2).join('.');
}

/** The address of a monitor that asks by HTTP, with its scheme; empty for one of another scheme. */
export function httpAddress(url: string): string {
  if (/^https?:\/\//i.test(url)) return literal(url);
  return /^[a-z][a-z0-9+.-]{0,30}:\/\//i.test(url) ? '' : `http://${literal(url)}`;
}

/** The host in an address; empty where there is none. */
export function hostIn(address: string): string {
  return withoutScheme(address)
    .replace(/^[^/?#]*@/, '')
    .replace(/[:/?#].*$/s, '');
}

/** Whether Keepalive reads a variable of this name. */
function isOwnVariable(name: string): boolean {
  return GENERAL.has(name) || /^(?:TARGET|KEEP_ALIVE|ALERT|PAGE)_/.test(name);
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

/** An address with login data as variables, which a tool keeps beside the address. */
export function withLogin(draft: TargetDraft, url: string): string {
  const plain = withoutLogin(url);
  const end = plain.indexOf('://');
  if (end < 0) return url;
  const login = hideLogin('user:password@', (name, what) => draft.secret(name, what));
  return `${plain.slice(0, end + 3)}${login}${plain.slice(end + 3)}`;
}

/** Every status code. */
export const STATUS_CODES: readonly number[] = Array.from({ length: 500 }, (_, index) => index + 100);

/** Codes in their order as `200-299` and `404`. */
export function statusRanges(codes: readonly number[]): string[] {
  const ranges: [number, number][] = [];
  for (const code of codes) {
    const last = ranges.at(-1);
    if (last?.[1] === code - 1) last[1] = code;
    else ranges.push([code, code]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
}

/** Seconds as a duration. */
export function seconds(value: unknown): string {
  return milliseconds(Number(textOf(value)) * 1000);
}

const UNITS = [
  ['d', DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
] as const;

/** `1m`, `90s`, `1500ms`: a duration in the largest unit in which it is whole. */
export function milliseconds(length: number): string {
  const whole = Math.round(length);
  const [unit, size] = UNITS.find(([, each]) => whole > 0 && whole % each === 0) ?? ['ms', 1];
  return `${whole / size}${unit}`;
}

/** Go's `1h30m` or `1.5s` as a duration; anything else as it is. */
export function goDuration(text: string): string {
  const parts = [...text.matchAll(/(\d{1,9}(?:\.\d{1,9})?)(ms|h|m|s)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return text;
  return milliseconds(parts.reduce((sum, [part]) => sum + (parseDuration(part) ?? NaN), 0));
}

/** What a monitor without a name is called: its address without scheme, login data, and a query that is secret. */
function titleOf(address: string): string {
  const shown = withoutAddressSecrets(withoutScheme(withoutLogin(address.trim())));
  const query = shown.search(/[?#]/);
  return (query >= 0 && shown.includes('…', query) ? shown.slice(0, query) : shown).replace(/\/$/, '');
}

/** Letters and digits of a text with dashes between, as they stand in ids. */
export function slugOf(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 56)
    .replace(/^-|-$/g, '');
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

/** What to do for headers that are no names and texts. */
export const UNREAD_HEADERS = 'they are no JSON of names and texts: write what is to be sent as headers';

/** What to do for monitors that send an ICMP echo. */
export const NO_PING = 'Keepalive sends no ICMP: watch a port of it, such as tcp://host:443';

/** What to do for monitors that wait for calls. */
export const NO_CALLS = 'Keepalive waits for no calls: watch an address of the job instead';
