import type { PageSettings, Target } from '../types.js';
import { CHANNEL_OPTIONS, halfChannels, toAlerts, unusableChannels, type Alerts } from './alerts.js';
import { isPublicName } from './host-defaults.js';
import { findTargets, unknownVariables } from './variable-names.js';
import { defaultsOf, readOptions } from './option-table.js';
import { GENERAL_OPTIONS, TARGET_OPTIONS, type SystemOptions, type TargetOptions } from './options.js';
import { toPageSettings } from './page.js';
import { sortProblems, type Problem } from './problems.js';
import { origin } from './request.js';
import type { TargetAddress } from './target-address.js';
import { chooseStore, type StoreConfig } from './store-choice.js';
import { idFromHost, sharedTokenProblem, toTarget, type Source } from './target-builder.js';
import type { PlanName } from '../rules/allowances.js';
import { MINUTE } from '../time.js';

export type { Problem } from './problems.js';
export { DEFAULT_DATABASE } from './store-choice.js';
export { formatProblems } from './problems.js';

/** The whole configuration, deeply frozen. Durations are in ms. Only `targets[].info` and `page` may be shown. */
export interface Config {
  /** False pauses everything; then no target is enabled. */
  readonly enabled: boolean;
  /** Sorted by id. */
  readonly targets: readonly Target[];
  readonly cronSecret: string | null;
  /** Set: every read endpoint needs it. */
  readonly statsToken: string | null;
  /** Badges are public even where a STATS_TOKEN is set. */
  readonly publicBadges: boolean;
  /** An origin, without a slash at its end. */
  readonly publicUrl: string | null;
  /** Runs are functions of Vercel: they are paid for by the time they take, and called at the project's addresses alone. */
  readonly isOnVercel: boolean;
  /** Where the local runner listens; 0 for any free port. */
  readonly port: number;
  /** Expected time between runs. */
  readonly tick: number;
  /** Whose allowances are watched; null: not set, and not on Vercel. */
  readonly plan: PlanName | null;
  /** Checks in flight at most. */
  readonly concurrency: number;
  /** What the store's keys begin with. */
  readonly prefix: string;
  /** Addresses that tell whether our own network works; with none, no run is inconclusive. */
  readonly controlUrls: readonly string[];
  readonly heartbeatUrl: string | null;
  readonly store: StoreConfig;
  readonly qstash: {
    /** An origin: that of the account's region. */
    readonly url: string;
    readonly token: string | null;
    readonly currentSigningKey: string | null;
    readonly nextSigningKey: string | null;
    /** Time between the calls of its schedule, wherever that is made. */
    readonly tick: number;
  };
  readonly alerts: Alerts;
  readonly page: PageSettings;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Asked when every target fails. Two operators, both made to be asked by every phone and browser, so that neither's
 * bad day mutes an alert.
 */
export const DEFAULT_CONTROL_URLS: readonly string[] = [
  'https://www.gstatic.com/generate_204',
  'https://cp.cloudflare.com/generate_204',
];

const DEFAULTS = defaultsOf(GENERAL_OPTIONS);
/** The variables that are set: white space around values is dropped, and an empty value counts as not set. */
export function textsOf(env: Readonly<Record<string, string | undefined>>): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [variable, text = ''] of Object.entries(env)) {
    if (text.trim() !== '') texts.set(variable, text.trim());
  }
  return texts;
}

/**
 * Reads the configuration out of environment variables. Never throws; either everything is valid, or all problems are
 * given, sorted by variable. JSONata is not checked here, because loading it costs a cold start: see `validConfig`.
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): ConfigResult {
  const problems: Problem[] = [];
  const texts = textsOf(env);
  const variables = [...texts.keys()];

  const prefix = qstashPrefix(variables, problems);
  const system: SystemOptions = {
    ...DEFAULTS,
    ...readOptions(
      GENERAL_OPTIONS,
      (name) => (name.startsWith('QSTASH_') ? prefix + name : name),
      texts,
      problems,
    ),
  };
  const channels = readOptions(CHANNEL_OPTIONS, (name) => name, texts, problems);
  const inherited = readOptions(
    TARGET_OPTIONS,
    (name) => (name === 'URL' ? undefined : `KEEP_ALIVE_${name}`),
    texts,
    problems,
  );
  const sources = [
    ...declaredTargets(variables, texts, inherited, problems),
    ...plainTargets(system.KEEP_ALIVE_URLS ?? [], inherited),
  ];
  problems.push(...duplicates(sources));
  if (inherited.SHOW === 'name' && (system.KEEP_ALIVE_URLS ?? []).length > 0) {
    problems.push({ variable: 'KEEP_ALIVE_SHOW', message: NAMED_BY_ADDRESS });
  }
  const targets = sources
    .map((source) => toTarget(source, texts, problems))
    .sort((a, b) => (a.info.id < b.info.id ? -1 : 1));
  const store = chooseStore(texts, problems);
  problems.push(
    ...unknownVariables(variables),
    ...halfChannels(texts),
    ...sharedTokenProblem(targets),
    ...unusableChannels('KEEP_ALIVE_ALERTS', inherited.ALERTS, texts),
  );
  if (problems.length > 0) return deepFreeze({ ok: false, problems: sortProblems(problems) });

  const publicUrl = system.KEEP_ALIVE_PUBLIC_URL ?? deploymentOrigin(texts);
  const config: Config = {
    enabled: inherited.ENABLED !== false,
    targets,
    cronSecret: system.CRON_SECRET,
    statsToken: system.STATS_TOKEN,
    publicBadges: system.KEEP_ALIVE_PUBLIC_BADGES,
    publicUrl,
    isOnVercel: isOnVercel(texts),
    port: system.PORT,
    tick: system.KEEP_ALIVE_TICK ?? defaultTick(texts, system.QSTASH_TOKEN),
    plan: system.KEEP_ALIVE_PLAN ?? (isOnVercel(texts) ? 'hobby' : null),
    concurrency: system.KEEP_ALIVE_CONCURRENCY,
    prefix: system.KEEP_ALIVE_PREFIX,
    controlUrls: system.KEEP_ALIVE_CONTROL_URLS ?? defaultControlUrls(targets),
    heartbeatUrl: system.KEEP_ALIVE_HEARTBEAT_URL,
    store,
    qstash: {
      url: system.QSTASH_URL,
      token: system.QSTASH_TOKEN,
      currentSigningKey: system.QSTASH_CURRENT_SIGNING_KEY,
      nextSigningKey: system.QSTASH_NEXT_SIGNING_KEY,
      tick: system.KEEP_ALIVE_TICK ?? QSTASH_TICK,
    },
    alerts: toAlerts(system.ALERT_REMINDER, new Map(Object.entries(channels))),
    page: toPageSettings(system, publicUrl),
  };
  return deepFreeze({ ok: true, config });
}

function declaredTargets(
  variables: readonly string[],
  texts: ReadonlyMap<string, string>,
  inherited: Partial<TargetOptions>,
  problems: Problem[],
): Source[] {
  return findTargets(variables, problems).flatMap(({ id, variables: own }) => {
    const options = readOptions(TARGET_OPTIONS, (name) => own.get(name), texts, problems);
    if (!options.URL) return [];
    const variableOf = (option: keyof TargetOptions) => own.get(option) ?? '';
    return [{ id, address: options.URL, own: options, inherited, variableOf }];
  });
}

/** An entry is named by its place: its host name is part of a value. */
function plainTargets(addresses: readonly TargetAddress[], inherited: Partial<TargetOptions>): Source[] {
  return addresses.map((address) => ({
    id: idFromHost(address.hostname),
    address,
    own: {},
    inherited,
    variableOf: () => 'KEEP_ALIVE_URLS',
  }));
}

const NAMED_BY_ADDRESS =
  'name cannot hide the addresses of KEEP_ALIVE_URLS, whose ids are made of them: give each its own TARGET_<ID>_URL';

function duplicates(sources: readonly Source[]): Problem[] {
  const ids = sources.map(({ id }) => id);
  if (new Set(ids).size === ids.length) return [];
  const message =
    'two addresses have the same host name, or one of a TARGET_<ID>_URL, so their ids would be the same: give each its own TARGET_<ID>_URL';
  return [{ variable: 'KEEP_ALIVE_URLS', message }];
}

/** Every 2 minutes is 720 of the 1,000 messages a day that QStash's free plan has. */
const QSTASH_TICK = 2 * MINUTE;
/**
 * vercel.json calls four times an hour. The free plan makes each of these calls at a random minute of the hour that
 * follows its time: 12 minutes apart at the median, 51 at the 99th percentile, 75 at most.
 */
const VERCEL_TICK = 30 * MINUTE;
const LOCAL_TICK = MINUTE;

/** Vercel sets it wherever it builds or runs something. */
function isOnVercel(texts: ReadonlyMap<string, string>): boolean {
  return texts.has('VERCEL');
}

function defaultTick(texts: ReadonlyMap<string, string>, qstashToken: string | null): number {
  if (!isOnVercel(texts)) return LOCAL_TICK;
  return qstashToken === null ? VERCEL_TICK : QSTASH_TICK;
}

/** Vercel's name for the production domain, without a scheme; not ours to complain about. */
function deploymentOrigin(texts: ReadonlyMap<string, string>): string | null {
  const domain = texts.get('VERCEL_PROJECT_PRODUCTION_URL');
  return domain === undefined ? null : (origin.safeParse(`https://${domain}`).data ?? null);
}

/** None where a target is not on the internet: our own process may then have no access to it either, and every outage would
 * look like a fault of our network. */
function defaultControlUrls(targets: readonly Target[]): readonly string[] {
  const hostnames = targets.map(({ url }) => new URL(url).hostname);
  return hostnames.length > 0 && hostnames.every(isPublicName) ? DEFAULT_CONTROL_URLS : [];
}

const QSTASH_SECRETS = ['QSTASH_TOKEN', 'QSTASH_CURRENT_SIGNING_KEY', 'QSTASH_NEXT_SIGNING_KEY'] as const;

/**
 * What the names of the QStash variables begin with: the integration lets its user choose a prefix, as that of the store
 * does. Empty where one of them is set without a prefix.
 */
function qstashPrefix(variables: readonly string[], problems: Problem[]): string {
  const byPrefix = new Map<string, string>();
  for (const variable of variables.toSorted()) {
    const name = QSTASH_SECRETS.find((secret) => variable === secret || variable.endsWith(`_${secret}`));
    if (name === undefined || /^(?:TARGET|KEEP_ALIVE|ALERT|PAGE)_/.test(variable)) continue;
    const prefix = variable.slice(0, -name.length);
    if (!byPrefix.has(prefix)) byPrefix.set(prefix, variable);
  }
  if (byPrefix.has('')) return '';
  const [first, second] = [...byPrefix];
  if (first === undefined) return '';
  if (second !== undefined) {
    const message = `a second QStash account beside ${first[1]}: set QSTASH_TOKEN, QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY to those of the one to use`;
    problems.push({ variable: second[1], message });
  }
  return first[0];
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
