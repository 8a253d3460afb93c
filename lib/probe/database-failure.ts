import type { Reason } from '../types.js';
import { codeOf, ProbeFailure, tlsProblem } from './failure.js';

/** What an error of a database means, in fixed words: its own text may hold names, the query and secrets. */
type DatabaseFault = readonly [reason: Reason, message: string];

const WRONG_PASSWORD: DatabaseFault = ['query', 'the database refuses the user name or password'];
const NO_DATABASE: DatabaseFault = ['query', 'there is no database of this name'];
const NOT_FROM_HERE: DatabaseFault = [
  'query',
  'the database does not let this user in from here, or lets nobody in without TLS',
];
// `connect` is the reason of a server that does not accept connections: a sleeping host may fail like that while it wakes.
const TOO_MANY: DatabaseFault = ['connect', 'the database has too many connections'];
const NOT_READY: DatabaseFault = ['connect', 'the database is starting up or shutting down'];
const ENDED: DatabaseFault = ['reset', 'the database is shutting down, or ended the connection on purpose'];
const STOPPED: DatabaseFault = ['timeout', 'the database stopped QUERY: it took too long, or was cancelled'];
const READ_ONLY: DatabaseFault = ['query', 'the database is read only, and QUERY writes'];
const NOT_ALLOWED: DatabaseFault = ['query', 'the user is not allowed to do what QUERY asks for'];
const UNKNOWN_NAME: DatabaseFault = ['query', 'QUERY names something that does not exist in this database'];
const SYNTAX: DatabaseFault = ['query', 'QUERY has a syntax error'];
const DISK_FULL: DatabaseFault = ['query', 'the disk of the database is full'];
const NO_MEMORY: DatabaseFault = ['query', 'the database has too little memory'];
const LOCKED: DatabaseFault = ['query', 'the account of this user is locked, or its password has expired'];
const WANTS_TLS: DatabaseFault = [
  'tls',
  'the database accepts connections with TLS only: set sslmode=require',
];
const UNREACHED: DatabaseFault = ['connect', 'the pooler does not reach the database'];
const ANY: DatabaseFault = ['query', 'the database answers with an error'];

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const SQLSTATES: ReadonlyMap<string, DatabaseFault> = new Map([
  ['28P01', WRONG_PASSWORD],
  ['3D000', NO_DATABASE],
  ['25006', READ_ONLY],
  ['42501', NOT_ALLOWED],
  ['42601', SYNTAX],
  ['53100', DISK_FULL],
  ['53200', NO_MEMORY],
  ['53300', TOO_MANY],
  ['57014', STOPPED],
  ['57P01', ENDED],
  ['57P02', ENDED],
  ['57P03', NOT_READY],
  ['57P04', NO_DATABASE],
  ['57P05', ENDED],
]);

/** By their first two characters. */
const SQLSTATE_CLASSES: ReadonlyMap<string, DatabaseFault> = new Map([
  ['08', UNREACHED],
  ['28', NOT_FROM_HERE],
  ['42', UNKNOWN_NAME],
  ['53', ['query', 'the database is out of resources']],
  ['XX', ['query', 'the database has an internal error']],
]);

/** Classes whose errors are those of a server or pooler, never of a statement: its text is that of a vendor. */
const OF_SERVERS: readonly string[] = ['08', '28', '3D', '53', '57', '58', 'XX'];
/** Classes of errors that only the database itself finds in a statement. */
const OF_STATEMENTS: readonly string[] = ['22', '23', '25', '42'];

/** https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html, and MariaDB's from 1900 to 1999 and 4000 on. */
const MYSQL_ERRORS: ReadonlyMap<number, DatabaseFault> = new Map([
  [1021, DISK_FULL],
  [1037, NO_MEMORY],
  [1038, NO_MEMORY],
  [1040, TOO_MANY],
  [1041, NO_MEMORY],
  [1044, ['query', 'the user is not allowed to use this database']],
  [1045, WRONG_PASSWORD],
  [1049, NO_DATABASE],
  [1053, ENDED],
  [1054, UNKNOWN_NAME],
  [1064, SYNTAX],
  [1079, ENDED],
  [1114, DISK_FULL],
  [1129, ['query', 'the database has blocked this address after many errors: FLUSH HOSTS lifts it']],
  [1130, NOT_FROM_HERE],
  [1142, NOT_ALLOWED],
  [1143, NOT_ALLOWED],
  [1146, UNKNOWN_NAME],
  [1203, TOO_MANY],
  [1205, STOPPED],
  [1226, TOO_MANY],
  [1227, NOT_ALLOWED],
  [1290, READ_ONLY],
  [1305, UNKNOWN_NAME],
  [1317, STOPPED],
  [1370, NOT_ALLOWED],
  [1698, WRONG_PASSWORD],
  [1792, READ_ONLY],
  [1820, LOCKED],
  [1836, READ_ONLY],
  [1862, LOCKED],
  [1969, STOPPED],
  [3024, STOPPED],
  [3118, LOCKED],
  [3159, WANTS_TLS],
  [4151, LOCKED],
]);

/** MySQL's number for an unknown error: proxies and services that speak its protocol answer with it. */
const OF_PROXIES = 1105;

/**
 * What poolers and services say under codes that say little: Supavisor, PgBouncer, Neon's proxy, TiDB Cloud, PlanetScale
 * (their source and users' reports, 2026-11). The first that fits counts.
 */
const TEXTS: readonly (readonly [RegExp, DatabaseFault])[] = [
  [
    /tenant or user not found|tenant\/user .{0,200} not found/,
    ['query', 'no such project or user: if the Supabase project is paused, restore it in the dashboard'],
  ],
  [
    /endpoint (?:has been|is) disabled/,
    ['query', 'the endpoint is disabled: enable it in the console of the host (Neon)'],
  ],
  [
    /quota.{0,200}(?:exceeded|exhausted)|(?:exceeded|exhausted).{0,200}quota/,
    ['query', "the plan's quota is used up: wait until it is renewed, or change the plan"],
  ],
  [
    /endpoint could not be found/,
    ['query', 'the host has no such endpoint: it was deleted, or the address is wrong'],
  ],
  [
    /endpoint id is not specified/,
    ['tls', 'the host wants its own name in TLS: use its host name and sslmode=require'],
  ],
  [/connection is insecure|ssl(?: connection)? is required|sslrequired/, WANTS_TLS],
  [
    /unsupported startup parameter/,
    ['query', "the pooler refuses the address's parameter options: leave it out"],
  ],
  [/password authentication|wrong password|authentication failed/, WRONG_PASSWORD],
  [/max ?client|no more connections|too many .{0,40}connection/, TOO_MANY],
  [/no such database/, NO_DATABASE],
  [/no such user/, WRONG_PASSWORD],
  [
    /\b(?:paused|suspended|sleeping|hibernated)\b/,
    ['query', 'the host says that the database is paused: resume it in its console'],
  ],
];

/** The failure for an error of PostgreSQL or a pooler. Of its text only known phrases are looked at. */
export function postgresFailure(sqlState: string, text: string): ProbeFailure {
  const kind = sqlState.slice(0, 2);
  const byText = OF_SERVERS.includes(kind) ? entryOf(text) : undefined;
  return failure(SQLSTATES.get(sqlState) ?? byText ?? SQLSTATE_CLASSES.get(kind) ?? ANY);
}

/** Whether an error shows that the database itself looked at the statement. */
export function isOfStatement(sqlState: string): boolean {
  return OF_STATEMENTS.includes(sqlState.slice(0, 2));
}

/** The failure for an error of MySQL, MariaDB or what speaks like them. */
export function mysqlFailure(number: number, text: string): ProbeFailure {
  const byText = number === OF_PROXIES ? entryOf(text) : undefined;
  return failure(MYSQL_ERRORS.get(number) ?? byText ?? ANY);
}

const LONGEST_TEXT = 1_000;

function entryOf(text: string): DatabaseFault | undefined {
  const known = text.slice(0, LONGEST_TEXT).toLowerCase();
  return TEXTS.find(([phrase]) => phrase.test(known))?.[1];
}

function failure([reason, message]: DatabaseFault): ProbeFailure {
  return new ProbeFailure(reason, message);
}

/** What it means where a host's name is gone or its address cannot be reached (HOSTS: vendors and users, 2026-11). */
const HOSTS: readonly { readonly domain: string; readonly gone: string; readonly noRoute: string | null }[] =
  [
    {
      domain: '.supabase.co',
      gone: 'name not found: a paused Supabase project has none, restore it in the dashboard',
      noRoute: 'no route to it: direct addresses of Supabase are IPv6 only, use that of the pooler',
    },
    {
      domain: '.aivencloud.com',
      gone: 'name not found: an Aiven service that is powered off has none, power it on in the console',
      noRoute: null,
    },
  ];
const GONE = ['ENOTFOUND', 'ENODATA'];
const NO_ROUTE = ['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL'];

/** OpenSSL's codes for a certificate whose issuer nobody knows: vendors sign with authorities of their own. */
const OWN_ISSUER = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

/** The same failure, with what to do about it where that is known. */
export function withAdvice(error: unknown, hostname: string): unknown {
  if (!(error instanceof ProbeFailure)) return error;
  const code = codeOf(error.cause);
  const advice = (message: string) => new ProbeFailure(error.code, message, { cause: error.cause });
  const problem = tlsProblem(code);
  if (problem !== null && OWN_ISSUER.includes(code)) {
    return advice(`${problem}: trust the host's authority by NODE_EXTRA_CA_CERTS, or set TLS_VERIFY=false`);
  }
  const name = hostname.toLowerCase().replace(/\.$/, '');
  const host = HOSTS.find(({ domain }) => name.endsWith(domain));
  if (host === undefined) return error;
  if (error.code === 'dns' && GONE.includes(code)) return advice(host.gone);
  return host.noRoute !== null && NO_ROUTE.includes(code) ? advice(host.noRoute) : error;
}
