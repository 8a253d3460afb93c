/** Options that targets of only some protocols have (`config/target-builder.ts` lists those of each group). */
export type OptionGroup = 'http' | 'headers' | 'body' | 'query' | 'tls' | 'hosts';

/** Parts of an address besides host and port. */
export type AddressPart = 'user info' | 'path' | 'query string';

interface ProtocolRules {
  /** How its addresses begin or look, for messages. */
  readonly form: string;
  /** Null where the address has to name a port. */
  readonly defaultPort: number | null;
  readonly groups: readonly OptionGroup[];
  /** What an address may have besides host and port. */
  readonly parts: readonly AddressPart[];
  /** Whether its connections begin with TLS. */
  readonly beginsWithTls: boolean;
  /** The scheme for servers that begin otherwise; null where ports do not tell how a server begins. */
  readonly counterpart: string | null;
  /** Whether the URL standard knows its scheme ("special"), and checks and lowers its hosts. */
  readonly isSpecial: boolean;
  /** Whether an `@` behind the authority can mean something. Else it is the end of a password that was cut in two. */
  readonly atInPath: boolean;
  /** Whether its addresses have a user, a database and a parameter about TLS. */
  readonly hasSqlAddress: boolean;
  /** Whether a target that asks nothing itself is only connected to. */
  readonly mayBeSilent: boolean;
}

const ALL_PARTS = ['user info', 'path', 'query string'] as const;
const PLAIN = { beginsWithTls: false, counterpart: null } as const;
const SERVICE = { isSpecial: false, atInPath: true, hasSqlAddress: false, mayBeSilent: false } as const;
const WEB = { ...SERVICE, parts: ALL_PARTS, isSpecial: true } as const;
const MAIL = { ...SERVICE, groups: ['body', 'tls'], parts: ['user info'], atInPath: false } as const;
// The path is a database number.
const REDIS = { ...SERVICE, defaultPort: 6379, parts: ALL_PARTS, atInPath: false } as const;
const SQL = {
  ...SERVICE,
  ...PLAIN,
  groups: ['body', 'query', 'tls'],
  parts: ALL_PARTS,
  atInPath: false,
  hasSqlAddress: true,
} as const;

/** The protocols of targets. `probe/probe.ts` has the probe of each. */
export const PROTOCOLS = {
  // A redirect may lead from http to https, so that the TLS options matter to both.
  'http:': {
    ...WEB,
    form: 'http://',
    defaultPort: 80,
    groups: ['http', 'body', 'tls'],
    beginsWithTls: false,
    counterpart: 'https',
  },
  'https:': {
    ...WEB,
    form: 'https://',
    defaultPort: 443,
    groups: ['http', 'body', 'tls'],
    beginsWithTls: true,
    counterpart: 'http',
  },
  // Servers on the same port may begin with TLS: it is tls:// that says so.
  'tcp:': {
    ...SERVICE,
    ...PLAIN,
    form: 'tcp://host:port',
    defaultPort: null,
    // A dialogue may begin TLS.
    groups: ['body', 'query', 'tls'],
    parts: [],
    mayBeSilent: true,
  },
  'tls:': {
    ...SERVICE,
    form: 'tls://host:port',
    defaultPort: null,
    groups: ['body', 'query', 'tls'],
    parts: [],
    mayBeSilent: true,
    beginsWithTls: true,
    counterpart: 'tcp',
  },
  'dns:': { ...SERVICE, ...PLAIN, form: 'dns://', defaultPort: 53, groups: ['body', 'query'], parts: [] },
  // The ports of mail programs, as for ALERT_SMTP_URL: hosts block port 25.
  'smtp:': { ...MAIL, form: 'smtp://', defaultPort: 587, beginsWithTls: false, counterpart: 'smtps' },
  'smtps:': { ...MAIL, form: 'smtps://', defaultPort: 465, beginsWithTls: true, counterpart: 'smtp' },
  'grpc:': {
    ...SERVICE,
    form: 'grpc://host:port',
    defaultPort: null,
    groups: ['headers'],
    parts: ['user info', 'path'],
    beginsWithTls: false,
    counterpart: 'grpcs',
  },
  'grpcs:': {
    ...SERVICE,
    form: 'grpcs://',
    defaultPort: 443,
    groups: ['headers', 'tls'],
    parts: ['user info', 'path'],
    beginsWithTls: true,
    counterpart: 'grpc',
  },
  'ws:': {
    ...WEB,
    form: 'ws://',
    defaultPort: 80,
    groups: ['headers', 'query', 'body'],
    mayBeSilent: true,
    beginsWithTls: false,
    counterpart: 'wss',
  },
  'wss:': {
    ...WEB,
    form: 'wss://',
    defaultPort: 443,
    groups: ['headers', 'query', 'body', 'tls'],
    mayBeSilent: true,
    beginsWithTls: true,
    counterpart: 'ws',
  },
  'redis:': { ...REDIS, ...PLAIN, form: 'redis://', groups: ['body', 'query'] },
  'rediss:': {
    ...REDIS,
    form: 'rediss://',
    groups: ['body', 'query', 'tls'],
    beginsWithTls: true,
    counterpart: null,
  },
  'mysql:': { ...SQL, form: 'mysql://', defaultPort: 3306 },
  'postgres:': { ...SQL, form: 'postgres://', defaultPort: 5432 },
  'mongodb:': {
    ...SERVICE,
    ...PLAIN,
    form: 'mongodb://',
    defaultPort: 27_017,
    groups: ['body', 'query', 'tls', 'hosts'],
    parts: ALL_PARTS,
  },
  // Its ports are those of its SRV records.
  'mongodb+srv:': {
    ...SERVICE,
    form: 'mongodb+srv://',
    defaultPort: null,
    groups: ['body', 'query', 'tls'],
    parts: ALL_PARTS,
    beginsWithTls: true,
    counterpart: null,
  },
} as const satisfies Readonly<Record<string, ProtocolRules>>;

export type Protocol = keyof typeof PROTOCOLS;
export const PROTOCOL_NAMES = Object.keys(PROTOCOLS) as Protocol[];

/** Other names that vendors print. */
const ALIASES: ReadonlyMap<string, Protocol> = new Map([['postgresql:', 'postgres:']]);

/** @param scheme with its colon, lower case */
export function protocolOf(scheme: string): Protocol | undefined {
  const name = ALIASES.get(scheme) ?? scheme;
  return PROTOCOL_NAMES.find((each) => each === name);
}
