import type { PageSettings, Target } from '../types.js';
import { CHANNEL_OPTIONS, halfChannels, toAlerts, unusableChannels, type Alerts } from './alerts.js';
import { compareNaturally } from '../rules/natural-order.js';
import { isPublicName } from './host-defaults.js';
import { findTargets, unknownVariables } from './variable-names.js';
import { defaultsOf, readOptions } from './option-table.js';
import {
  GENERAL_OPTIONS,
  TARGET_OPTIONS,
  type SystemOptions,
  type TargetOptionName,
  type TargetOptions,
} from './options.js';
import { toPageSettings, toSubscriptions, unfitSubscriptions, type Subscriptions } from './page.js';
import { peerProblem, toPeers, type PeerSettings } from './peers.js';
import { placeInWords, sortProblems, type Place, type Problem } from './problems.js';
import { origin } from './request.js';
import { chooseStore, chooseStores, type NumberedStore, type StoreConfig } from './store-choice.js';
import { idFromHost, plainSource, sharedTokenProblem, toTarget, type Source } from './target-builder.js';
import { readFileOptions, type FileOptions, type FileTarget, type TargetsFile } from './targets-file.js';
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
  /** Where this very deployment is called, to start the runs of shards: an origin. Null: not known. */
  readonly selfUrl: string | null;
  /** Lets calls of our own pass where Vercel protects deployments. */
  readonly protectionBypass: string | null;
  /** Runs are functions of Vercel: they are paid for by the time they take, and called at the project's addresses alone. */
  readonly isOnVercel: boolean;
  /** Where the local runner listens; 0 for any free port. */
  readonly port: number;
  /** Expected time between runs. */
  readonly tick: number;
  /** KEEP_ALIVE_TICK; null: it is not set, and `tick` follows the trigger. */
  readonly namedTick: number | null;
  /** Whose allowances are watched; null: not set, and not on Vercel. */
  readonly plan: PlanName | null;
  /** Read regions of the Upstash database: each bills every write once more. */
  readonly readRegions: number;
  /** Checks in flight at most. */
  readonly concurrency: number;
  /** Targets that one shard takes. */
  readonly shardSize: number;
  /** What the store's keys begin with. */
  readonly prefix: string;
  /** Addresses that tell whether our own network works; with none, no run is inconclusive. */
  readonly controlUrls: readonly string[];
  readonly heartbeatUrl: string | null;
  readonly peers: PeerSettings;
  readonly store: StoreConfig;
  /** All databases over which shards are spread, `store` first; none where that is the embedded one. */
  readonly stores: readonly NumberedStore[];
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
  /** Visitors may subscribe by e-mail: `alerts.email`, `cronSecret` and `publicUrl` are set. Null: they may not. */
  readonly subscriptions: Subscriptions | null;
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
 * Reads the configuration out of environment variables and the targets file, which they win over. Never throws; either
 * everything is valid, or all problems are given, sorted by place. JSONata is not checked here, because loading it costs a
 * cold start: see `validConfig`.
 * @param options.mayLackChannels targets may name channels that are not set up: for comparing files without the secrets
 */
export function parseConfig(
  env: Readonly<Record<string, string | undefined>>,
  file: TargetsFile | null = null,
  { mayLackChannels = false } = {},
): ConfigResult {
  const problems: Problem[] = [...(file?.problems ?? [])];
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
  const general = readOptions(
    TARGET_OPTIONS,
    (name) => (name === 'URL' ? undefined : `KEEP_ALIVE_${name}`),
    texts,
    problems,
  );
  const shared = {
    inherited: { ...(file === null ? {} : readFileOptions(file.defaults, problems)), ...general },
    isPaused: general.ENABLED === false,
    inheritedPlaceOf: (option: TargetOptionName): Place =>
      (general[option] === undefined ? file?.defaults.get(option)?.place : undefined) ?? {
        variable: `KEEP_ALIVE_${option}`,
      },
  };
  const declared = declaredTargets({ variables, texts, file, shared }, problems);
  const plain = (system.KEEP_ALIVE_URLS ?? []).map((address) => ({
    ...plainSource(idFromHost(address.hostname), address),
    ...shared,
    placeOf: () => ({ variable: 'KEEP_ALIVE_URLS' }),
  }));
  const channelTexts = mayLackChannels
    ? new Map([...Object.keys(CHANNEL_OPTIONS).map((name): [string, string] => [name, '']), ...texts])
    : texts;
  problems.push(...duplicates(declared, plain, file?.targets ?? []));
  if (plain.length > 0 && shared.inherited.SHOW === 'name') {
    problems.push({ ...shared.inheritedPlaceOf('SHOW'), message: NAMED_BY_ADDRESS });
  }
  const sources = [...declared, ...plain];
  const targets = sources
    .map((source) => toTarget(source, channelTexts, problems))
    .sort((a, b) => compareNaturally(a.info.id, b.info.id));
  const storeProblems: Problem[] = [];
  const store = chooseStore(texts, storeProblems);
  const stores = chooseStores(store, texts, storeProblems);
  problems.push(...storeProblems);
  const publicUrl = system.KEEP_ALIVE_PUBLIC_URL ?? originOf(texts.get('VERCEL_PROJECT_PRODUCTION_URL'));
  const subscriptions = toSubscriptions(system);
  problems.push(
    ...unfitSubscriptions(subscriptions, {
      email: channelTexts.has('ALERT_SMTP_URL'),
      cronSecret: texts.has('CRON_SECRET'),
      publicUrl: publicUrl !== null || texts.has('KEEP_ALIVE_PUBLIC_URL'),
    }),
    ...unknownVariables(variables),
    ...halfChannels(texts),
    ...peerProblem(texts),
    ...sharedTokenProblem(targets),
    ...unusableChannels(shared.inherited.ALERTS, channelTexts).map((message) => ({
      ...shared.inheritedPlaceOf('ALERTS'),
      message,
    })),
  );
  if (problems.length > 0) return deepFreeze({ ok: false, problems: sortProblems(problems) });

  const config: Config = {
    enabled: !shared.isPaused,
    targets,
    cronSecret: system.CRON_SECRET,
    statsToken: system.STATS_TOKEN,
    publicBadges: system.KEEP_ALIVE_PUBLIC_BADGES,
    publicUrl,
    selfUrl: publicUrl ?? originOf(texts.get('VERCEL_URL')),
    protectionBypass: texts.get('VERCEL_AUTOMATION_BYPASS_SECRET') ?? null,
    isOnVercel: isOnVercel(texts),
    port: system.PORT,
    tick: system.KEEP_ALIVE_TICK ?? defaultTick(texts, system.QSTASH_TOKEN),
    namedTick: system.KEEP_ALIVE_TICK,
    plan: system.KEEP_ALIVE_PLAN ?? (isOnVercel(texts) ? 'hobby' : null),
    readRegions: system.KEEP_ALIVE_READ_REGIONS,
    concurrency: system.KEEP_ALIVE_CONCURRENCY,
    shardSize: system.KEEP_ALIVE_SHARD_SIZE,
    prefix: system.KEEP_ALIVE_PREFIX,
    controlUrls: system.KEEP_ALIVE_CONTROL_URLS ?? defaultControlUrls(sources),
    heartbeatUrl: system.KEEP_ALIVE_HEARTBEAT_URL,
    peers: toPeers(system, { publicUrl, region: texts.get('VERCEL_REGION') ?? null }),
    store,
    stores,
    qstash: {
      url: system.QSTASH_URL,
      token: system.QSTASH_TOKEN,
      currentSigningKey: system.QSTASH_CURRENT_SIGNING_KEY,
      nextSigningKey: system.QSTASH_NEXT_SIGNING_KEY,
      tick: system.KEEP_ALIVE_TICK ?? DEFAULT_TICKS.qstash,
    },
    alerts: toAlerts(system.ALERT_REMINDER, new Map(Object.entries(channels))),
    page: toPageSettings(system, publicUrl),
    subscriptions,
  };
  return deepFreeze({ ok: true, config });
}

interface Declared {
  readonly variables: readonly string[];
  readonly texts: ReadonlyMap<string, string>;
  readonly file: TargetsFile | null;
  readonly shared: Required<Pick<Source, 'inherited' | 'isPaused' | 'inheritedPlaceOf'>>;
}

/** The targets of variables and of the file; a target of both has the options of both, of which the variables' win. */
function declaredTargets({ variables, texts, file, shared }: Declared, problems: Problem[]): Source[] {
  const { inherited, isPaused, inheritedPlaceOf } = shared;
  const inFile = new Map(file?.targets.map((target) => [target.id, target]));
  const byId = new Map(
    findTargets(variables, inFile.keys(), problems).map((each) => [each.id, each.variables]),
  );
  return [...new Set([...byId.keys(), ...inFile.keys()])].flatMap((id) => {
    const target = inFile.get(id);
    const set = byId.get(id);
    const listed = target === undefined ? {} : readFileOptions(withoutSet(target.options, set), problems);
    const options =
      set === undefined ? {} : readOptions(TARGET_OPTIONS, (name) => set.get(name), texts, problems);
    const own: Partial<TargetOptions> = { ...listed, ...options };
    if (!own.URL) {
      const isGiven = target?.hasAddress === true || set?.has('URL') === true;
      if (target !== undefined && !isGiven) {
        problems.push({ ...target.place, message: `url: missing, the target needs an address` });
      }
      return [];
    }
    const placeOf = (option: TargetOptionName): Place => {
      const variable = set?.get(option);
      if (variable !== undefined) return { variable };
      return target?.options.get(option)?.place ?? target?.place ?? { variable: '' };
    };
    // Spreading `shared` into it takes ten times as long.
    return [{ id, address: own.URL, own, inherited, isPaused, inheritedPlaceOf, placeOf }];
  });
}

/** The options that no variable sets: what a variable wins over need not be valid. */
function withoutSet(
  options: FileOptions,
  set: ReadonlyMap<TargetOptionName, string> | undefined,
): FileOptions {
  return set === undefined ? options : new Map([...options].filter(([name]) => !set.has(name)));
}

const NAMED_BY_ADDRESS =
  'name cannot hide the addresses of KEEP_ALIVE_URLS, whose ids are made of them: give each its own TARGET_<ID>_URL';

/** An entry of KEEP_ALIVE_URLS is named by its place in the list: its host name is part of a value. */
function duplicates(
  declared: readonly Source[],
  plain: readonly Source[],
  inFile: readonly FileTarget[],
): Problem[] {
  if (plain.length === 0) return [];
  const variable = 'KEEP_ALIVE_URLS';
  const places = new Map(inFile.map(({ id, place }) => [id, placeInWords(place)]));
  const known = new Set(declared.map(({ id }) => id));
  const problems: Problem[] = [];
  let isTwice = false;
  for (const [index, { id }] of plain.entries()) {
    const place = places.get(id);
    if (place !== undefined) {
      const message = `entry ${index + 1} has the same id as the target at ${place}: remove one of them`;
      problems.push({ variable, message });
    } else if (known.has(id)) isTwice = true;
    known.add(id);
  }
  const message =
    'two addresses have the same host name, or one of a TARGET_<ID>_URL, so their ids would be the same: give each its own TARGET_<ID>_URL';
  return isTwice ? [...problems, { variable, message }] : problems;
}

/** Expected time between runs where KEEP_ALIVE_TICK is not set, by what starts them. */
export const DEFAULT_TICKS = {
  local: MINUTE,
  /** 720 of the 1,000 messages a day that QStash's free plan has. */
  qstash: 2 * MINUTE,
  /**
   * vercel.json calls four times an hour. The free plan makes each of these calls at a random minute of the hour that
   * follows its time: 12 minutes apart at the median, 51 at the 99th percentile, 75 at most.
   */
  crons: 30 * MINUTE,
} as const;

/** Vercel sets it wherever it builds or runs something. */
function isOnVercel(texts: ReadonlyMap<string, string>): boolean {
  return texts.has('VERCEL');
}

function defaultTick(texts: ReadonlyMap<string, string>, qstashToken: string | null): number {
  if (!isOnVercel(texts)) return DEFAULT_TICKS.local;
  return qstashToken === null ? DEFAULT_TICKS.crons : DEFAULT_TICKS.qstash;
}

/** The origin at a domain that Vercel names; not ours to complain about. */
function originOf(domain: string | undefined): string | null {
  return domain === undefined ? null : (origin.safeParse(`https://${domain}`).data ?? null);
}

/** None where a target is not on the internet: our own process may then have no access to it either, and every outage would
 * look like a fault of our network. */
function defaultControlUrls(sources: readonly Source[]): readonly string[] {
  const arePublic = sources.every(({ address }) => isPublicName(address.hostname));
  return sources.length > 0 && arePublic ? DEFAULT_CONTROL_URLS : [];
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
    if (name === undefined || variable.startsWith('TARGET_')) continue;
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
  for (const each of Object.values(value)) if (typeof each === 'object') deepFreeze(each);
  return Object.freeze(value);
}
