import { PROTOCOL_NAMES, PROTOCOLS, type OptionGroup, type Protocol } from '../protocols.js';
import {
  HOST_NAMES,
  type CommonTarget,
  type GroupFields,
  type HostName,
  type RequestOptions,
  type Target,
} from '../types.js';
import { tlsChoice } from '../rules/database-address.js';
import { unusableChannels } from './alerts.js';
import { dialogueOf } from '../rules/queries.js';
import { HOSTS, hostOf } from '../rules/hosts.js';
import { defaultInterval, defaultWakeTimeout } from './host-defaults.js';
import { defaultsOf } from './option-table.js';
import { TARGET_OPTIONS, type TargetOptionName, type TargetOptions } from './options.js';
import { placeInWords, type Place, type Problem } from './problems.js';
import { queryProblem } from './query-problems.js';
import { formsWith, hasGroup, targetAddress, type TargetAddress } from './target-address.js';
import { fileName, inFileWords } from './targets-file.js';
import { expectationOf } from './values.js';

const DEFAULTS = defaultsOf(TARGET_OPTIONS);

/** The options of each group. One that is in no group of a protocol has no effect on its targets. */
const GROUPS: Readonly<Record<OptionGroup, readonly TargetOptionName[]>> = {
  http: ['METHOD', 'HEADERS', 'BODY', 'EXPECT_STATUS', 'MAX_REDIRECTS', 'ALLOW_PRIVATE'],
  headers: ['HEADERS'],
  body: ['EXPECT_BODY', 'REJECT_BODY', 'EXPECT_JSON', 'DEGRADED_JSON', 'MAX_BODY'],
  query: ['QUERY'],
  tls: ['TLS_EXPIRY', 'TLS_VERIFY', 'TLS_CLIENT_CERT'],
  hosts: [],
};
const GROUP_NAMES = Object.keys(GROUPS) as OptionGroup[];
const OF_GROUPS = [...new Set(GROUP_NAMES.flatMap((group) => GROUPS[group]))];

/** By protocol, the options that its targets do not have. */
const MISSING: ReadonlyMap<Protocol, ReadonlySet<TargetOptionName>> = new Map(
  PROTOCOL_NAMES.map((protocol) => {
    const own = GROUP_NAMES.filter((group) => hasGroup(protocol, group)).flatMap((group) => GROUPS[group]);
    return [protocol, new Set(OF_GROUPS.filter((option) => !own.includes(option)))];
  }),
);
const NONE: ReadonlySet<TargetOptionName> = new Set();

/** Whether targets of a protocol have an option. */
export function hasEffect(option: TargetOptionName, protocol: Protocol): boolean {
  return MISSING.get(protocol)?.has(option) !== true;
}

/** Makes the fields of each group out of a target's options. */
const FIELDS: {
  readonly [Group in OptionGroup]: (source: Source, options: TargetOptions) => GroupFields[Group];
} = {
  http: ({ address, own }, options) => ({
    request: authorized(
      toRequest(options.METHOD, options.HEADERS, options.BODY),
      address.authorization,
      own.HEADERS,
    ),
    maxRedirects: options.MAX_REDIRECTS,
    allowPrivate: options.ALLOW_PRIVATE,
  }),
  headers: ({ address, own }, options) => ({
    headers: withAuthorization(options.HEADERS, address.authorization, own.HEADERS),
  }),
  body: (_source, options) => ({ maxBody: options.MAX_BODY }),
  query: (_source, options) => ({ query: options.QUERY }),
  tls: ({ address, own, inherited }, options) => ({
    tlsVerify: own.TLS_VERIFY ?? inherited.TLS_VERIFY ?? verifyAskedBy(address) ?? options.TLS_VERIFY,
    clientCertificate: options.TLS_CLIENT_CERT,
  }),
  hosts: ({ address }) => ({ moreHosts: address.moreHosts ?? [] }),
};

function beginsTls(query: string | null): boolean {
  return dialogueOf(query ?? '')?.steps.some(({ kind }) => kind === 'starttls') ?? false;
}

/** What a database's address says about its certificate; null: nothing. */
function verifyAskedBy({ protocol, url }: TargetAddress): boolean | null {
  return PROTOCOLS[protocol].hasSqlAddress ? (tlsChoice(new URL(url))?.verify ?? null) : null;
}

const FOR_RECOVERY = [
  'RECOVERY_METHOD',
  'RECOVERY_HEADERS',
  'RECOVERY_BODY',
  'RECOVERY_COOLDOWN',
  'RECOVERY_MAX',
  'RECOVERY_GRACE',
] as const satisfies TargetOptionName[];

/** A target's options before they are put together. */
export interface Source {
  readonly id: string;
  readonly address: TargetAddress;
  /** The target's own. */
  readonly own: Partial<TargetOptions>;
  /** From `KEEP_ALIVE_` variables, and from the defaults of a targets file. */
  readonly inherited: Partial<TargetOptions>;
  /** `KEEP_ALIVE_ENABLED=false` pauses everything. */
  readonly isPaused?: boolean;
  /** Where an option of the target is set, or its address where it is not. */
  readonly placeOf: (option: TargetOptionName) => Place;
  /** Where an inherited option is set. */
  readonly inheritedPlaceOf?: (option: TargetOptionName) => Place;
}

/** A target of which nothing can be reported: it has an address and no options. */
export function plainSource(id: string, address: TargetAddress): Source {
  return { id, address, own: {}, inherited: {}, placeOf: () => ({ variable: '' }) };
}

/**
 * Puts a target together. An option that has no effect on it is a problem where the target itself sets it, and is left
 * out where it is inherited.
 */
export function toTarget(source: Source, texts: ReadonlyMap<string, string>, problems: Problem[]): Target {
  const { id, address, own } = source;
  const add = (option: TargetOptionName, place: Place, message: string): void => {
    const isInFile = place.file !== undefined;
    problems.push({ ...place, message: isInFile ? `${fileName(option)}: ${inFileWords(message)}` : message });
  };
  const report = (option: TargetOptionName, message: string) => {
    if (own[option] !== undefined) add(option, source.placeOf(option), message);
  };
  const { protocol } = address;
  const missing = MISSING.get(protocol) ?? NONE;
  for (const option of missing) {
    if (own[option] === undefined) continue;
    const groups = GROUP_NAMES.filter((group) => GROUPS[group].includes(option));
    report(option, `has no effect on this kind of target (${formsWith(groups)} have it)`);
  }
  // A target that asks nothing itself only connects: what is set for all targets is meant for those that answer.
  const asks = [...GROUPS.body, ...GROUPS.query];
  const isSilent = PROTOCOLS[protocol].mayBeSilent && asks.every((option) => own[option] === undefined);
  const useless: ReadonlySet<string> = isSilent ? new Set([...missing, ...asks]) : missing;
  const inherited = Object.fromEntries(
    Object.entries(source.inherited).filter(([name]) => !useless.has(name)),
  );
  const options: TargetOptions = { ...DEFAULTS, ...inherited, ...own };

  const aboutQuery = queryProblem(protocol, options.QUERY);
  if (aboutQuery !== null) {
    const isInherited = own.QUERY === undefined && options.QUERY !== null;
    const place = isInherited ? source.inheritedPlaceOf?.('QUERY') : undefined;
    const option = own.QUERY === undefined && !isInherited ? 'URL' : 'QUERY';
    add(option, place ?? source.placeOf(option), aboutQuery);
  }
  for (const message of unusableChannels(own.ALERTS, texts)) report('ALERTS', message);
  if (protocol === 'tcp:' && !beginsTls(options.QUERY)) {
    for (const option of GROUPS.tls) report(option, 'has no effect on tcp:// without starttls in QUERY');
  }
  if (options.RECOVERY_URL === null) {
    for (const option of FOR_RECOVERY) report(option, 'has no effect without RECOVERY_URL');
  }
  if (!missing.has('BODY') && !hasBody(options.METHOD))
    report('BODY', 'needs a METHOD other than GET and HEAD, such as POST');
  if (!hasBody(options.RECOVERY_METHOD)) {
    report('RECOVERY_BODY', 'needs a RECOVERY_METHOD other than GET and HEAD, such as POST');
  }

  const host = options.HOST ?? hostOf(address.hostname);
  const sleepsAfter = (options.SLEEPS_AFTER ?? HOSTS[host].sleepsAfter) || null;
  const common: CommonTarget = {
    info: {
      id,
      name: options.NAME ?? id,
      group: options.GROUP,
      description: options.DESCRIPTION,
      order: options.ORDER,
      show: options.SHOW,
      host,
      healthUrl: address.healthUrl,
      enabled: options.ENABLED && source.isPaused !== true,
      interval: options.INTERVAL ?? defaultInterval(host, sleepsAfter),
      sleepsAfter,
      maxRestarts: options.RECOVERY_URL === null ? null : options.RECOVERY_MAX,
    },
    hostToken: hostTokenOf(host, options.HOST_TOKEN, source, report),
    url: address.url,
    assertions: {
      expectStatus: options.EXPECT_STATUS,
      expectBody: options.EXPECT_BODY,
      rejectBody: options.REJECT_BODY,
      expectJson: options.EXPECT_JSON,
      degradedJson: options.DEGRADED_JSON,
      degradedAfter: options.DEGRADED_AFTER || null,
      tlsExpiry: options.TLS_EXPIRY,
    },
    ipVersion: options.IP_VERSION,
    timeout: options.TIMEOUT,
    retries: options.RETRIES,
    retryDelay: options.RETRY_DELAY,
    wakeTimeout: options.WAKE_TIMEOUT ?? defaultWakeTimeout(host, sleepsAfter),
    failureThreshold: options.FAILURE_THRESHOLD,
    successThreshold: options.SUCCESS_THRESHOLD,
    confirm: options.CONFIRM,
    activeHours: options.ACTIVE_HOURS,
    maintenance: options.MAINTENANCE,
    alerts: options.ALERTS,
    recovery: options.RECOVERY_URL && {
      url: options.RECOVERY_URL.url,
      request: authorized(
        toRequest(options.RECOVERY_METHOD, options.RECOVERY_HEADERS, options.RECOVERY_BODY),
        options.RECOVERY_URL.authorization,
        own.RECOVERY_HEADERS,
      ),
      cooldown: options.RECOVERY_COOLDOWN,
      max: options.RECOVERY_MAX,
      grace: options.RECOVERY_GRACE,
    },
  };
  const fields = PROTOCOLS[protocol].groups.map((group) => FIELDS[group](source, options));
  // The compiler does not see that these are the fields of this protocol.
  return Object.assign(common, { protocol }, ...fields) as Target;
}

/** The token, where the host has an API and the address tells which app it is. One that is inherited is for other targets. */
function hostTokenOf(
  host: HostName,
  value: string | null,
  { address, own, placeOf }: Source,
  report: (option: TargetOptionName, message: string) => void,
): CommonTarget['hostToken'] {
  if (value === null) return null;
  const { api, title } = HOSTS[host];
  if (api === null) {
    const known = HOST_NAMES.filter((name) => HOSTS[name].api !== null).join(', ');
    report('HOST_TOKEN', `has no effect with HOST=${host}: ${known} have an API that is asked`);
    return null;
  }
  if (api.ask(new URL(address.url), value) === null) {
    report('HOST_TOKEN', `has no effect: the address does not tell which app of ${title} it is`);
    return null;
  }
  const isShared = own.HOST_TOKEN === undefined;
  return { value, variable: isShared ? HOST_TOKEN_FOR_ALL : placeInWords(placeOf('HOST_TOKEN')) };
}

/** A token is sent to one host alone: that of another host would get to know it. */
export function sharedTokenProblem(targets: readonly Target[]): Problem[] {
  const sharing = targets.filter(({ hostToken }) => hostToken?.variable === HOST_TOKEN_FOR_ALL);
  const hosts = [...new Set(sharing.map(({ info }) => info.host))].sort();
  if (hosts.length < 2) return [];
  const message = `is for one host, and targets are at ${hosts.join(', ')}: set TARGET_<ID>_HOST_TOKEN instead`;
  return [{ variable: HOST_TOKEN_FOR_ALL, message }];
}

const HOST_TOKEN_FOR_ALL = 'KEEP_ALIVE_HOST_TOKEN';

/**
 * A target at an address, with the defaults for everything else, and what is wrong with it; null where the address itself
 * is not valid.
 */
export function targetAt(url: string): {
  readonly target: Target | null;
  readonly problem: string | null;
} {
  const { data: address, error } = targetAddress.safeParse(url);
  if (address === undefined) return { target: null, problem: expectationOf(error) };
  const id = idFromHost(address.hostname);
  const problems: Problem[] = [];
  const target = toTarget(plainSource(id, address), new Map(), problems);
  return { target, problem: problems[0]?.message ?? null };
}

/**
 * The id of a `KEEP_ALIVE_URLS` entry: its whole host name with `-` for everything but letters and digits, so that it
 * depends on nothing but the entry itself: `https://my-api.up.railway.app/health` is `my-api-up-railway-app`.
 */
export function idFromHost(hostname: string): string {
  return hostname.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'target';
}

function hasBody(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

function toRequest(method: string, headers: RequestOptions['headers'], body: string | null): RequestOptions {
  return { method, headers, body: hasBody(method) ? body : null };
}

function authorized(
  request: RequestOptions,
  authorization: string | null,
  ownHeaders: RequestOptions['headers'] | undefined,
): RequestOptions {
  return { ...request, headers: withAuthorization(request.headers, authorization, ownHeaders) };
}

/** The address's user info as a header, unless the target's own headers have one; it is nearer than inherited ones. */
function withAuthorization(
  headers: RequestOptions['headers'],
  authorization: string | null,
  ownHeaders: RequestOptions['headers'] | undefined,
): RequestOptions['headers'] {
  const isAuthorization = (name: string): boolean => name.toLowerCase() === 'authorization';
  if (authorization === null || Object.keys(ownHeaders ?? {}).some(isAuthorization)) return headers;
  const others = Object.entries(headers).filter(([name]) => !isAuthorization(name));
  return { ...Object.fromEntries(others), Authorization: authorization };
}
