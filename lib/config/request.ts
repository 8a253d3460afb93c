import {
  PROTOCOLS,
  type AddressPart,
  type OptionGroup,
  type Protocol,
  type StatusRange,
  type TextPattern,
} from '../types.js';
import { checkAddress, credentialsOf, withPercentEncoded } from './address.js';
import { loginOf, tlsChoice } from '../rules/database-address.js';
import { nearest } from './spelling.js';
import { InvalidValue, isOff, value } from './values.js';

/** An address to send requests to. */
export interface Endpoint {
  /** Without user info. */
  readonly url: string;
  /** An `authorization` header made of the address's user info. */
  readonly authorization: string | null;
}

export interface TargetAddress extends Endpoint {
  readonly protocol: Protocol;
  /** Lower case. */
  readonly hostname: string;
  /** Without user info, query and fragment. */
  readonly healthUrl: string;
  /** Further hosts, as `host:port`, where an address may have several. */
  readonly moreHosts?: readonly string[];
}

const PROTOCOL_NAMES = Object.keys(PROTOCOLS) as Protocol[];
/** Schemes that the URL standard knows ("special"): it checks and lowers their hosts. */
const KNOWN_TO_URL: ReadonlySet<Protocol> = new Set(['http:', 'https:', 'ws:', 'wss:']);
/** Other names that vendors print. */
const ALIASES: ReadonlyMap<string, Protocol> = new Map([['postgresql:', 'postgres:']]);
const DATABASES: readonly Protocol[] = ['mysql:', 'postgres:'];
const ADDRESS_PARTS: readonly AddressPart[] = ['user info', 'path', 'query string'];
const ADDRESS = `${inWords(
  PROTOCOL_NAMES.map((name) => PROTOCOLS[name].form),
  'or',
)} with a host`;

/** `a, b or c` */
function inWords(words: readonly string[], link: 'and' | 'or'): string {
  return words.join(', ').replace(/, ([^,]*)$/, ` ${link} $1`);
}

/** Whether targets of a protocol have a group of options. */
export function hasGroup(protocol: Protocol, group: OptionGroup): boolean {
  return PROTOCOLS[protocol].groups.some((each) => each === group);
}

/** The forms of the protocols that have one of these groups of options: `http:// and https://`. */
export function formsWith(groups: readonly OptionGroup[]): string {
  const names = PROTOCOL_NAMES.filter((name) => groups.some((group) => hasGroup(name, group)));
  return inWords(
    names.map((name) => PROTOCOLS[name].form),
    'and',
  );
}

const NOT_UTF8 = 'expected user name and password in UTF-8 where they are percent-encoded';

function parseTargetAddress(text: string): TargetAddress | undefined {
  if (/^mongodb(?:\+srv)?:/i.test(text)) return mongoAddress(text);
  const url = parseUrl(text);
  const scheme = url && (ALIASES.get(url.protocol) ?? url.protocol);
  const protocol = PROTOCOL_NAMES.find((name) => name === scheme);
  if (url === undefined || protocol === undefined) return undefined;
  if (KNOWN_TO_URL.has(protocol)) {
    const authorization = takeUserInfo(url);
    url.hash = '';
    return {
      url: url.href,
      authorization,
      protocol,
      hostname: url.hostname,
      healthUrl: url.origin + url.pathname,
    };
  }
  if (protocol === 'redis:' || protocol === 'rediss:') {
    checkRedis(url);
    if (/[?&](?:db|user|username|password)=/i.test(url.search)) {
      throw new InvalidValue(
        'expected redis://user:password@host:port/database, and none of it after a question mark',
      );
    }
  }
  const encoded = withPercentEncoded(url.href);
  if (encoded === null) throw new InvalidValue(NOT_UTF8);
  const sent = new URL(encoded);
  const authorization = hasGroup(protocol, 'headers') ? takeUserInfo(sent) : null;
  const address = serviceAddress(sent.href, protocol);
  if (address !== undefined && isDatabase(protocol)) checkDatabase(new URL(address.url));
  return address && { ...address, authorization };
}

/** Whether addresses of a protocol have a user, a database, and parameters about TLS. */
export function isDatabase(protocol: Protocol): boolean {
  return DATABASES.includes(protocol);
}

/** @throws InvalidValue for the address of a database that can never work */
function checkDatabase(url: URL): void {
  if (loginOf(url) === null) {
    throw new InvalidValue(`expected ${url.protocol}//user:password@host/database, percent-encoded`);
  }
  if (tlsChoice(url) === null) {
    throw new InvalidValue(
      url.protocol === 'mysql:'
        ? 'expected DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY as ssl-mode'
        : 'expected disable, prefer, require, verify-ca or verify-full as sslmode',
    );
  }
}

/**
 * An address of any other scheme, in parts: user info, host, port, path, query string. The URL standard neither checks nor
 * lowers its host.
 */
const SERVICE =
  /^[a-z+]+:\/\/(?:([^/?#@]*)@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d+))?(\/[^?#]*)?(?:\?([^#]*))?$/i;

/** @throws InvalidValue for a path that cannot be decoded */
function serviceAddress(text: string, protocol: Protocol): Omit<TargetAddress, 'authorization'> | undefined {
  const [, userInfo, name, named, path = '', query] = SERVICE.exec(text) ?? [];
  const { defaultPort, parts } = PROTOCOLS[protocol];
  const port = named ?? defaultPort;
  if (name === undefined || port === null) return undefined;
  const given: Readonly<Record<AddressPart, boolean>> = {
    'user info': userInfo !== undefined,
    path: path !== '' && path !== '/',
    'query string': query !== undefined,
  };
  const allowed: readonly AddressPart[] = parts;
  if (ADDRESS_PARTS.some((part) => given[part] && !allowed.includes(part))) return undefined;
  try {
    decodeURIComponent(path);
  } catch {
    throw new InvalidValue('expected a percent-encoded path, with % itself as %25');
  }
  const hostname = name.toLowerCase();
  const place = `${hostname}:${port}${given.path ? path : ''}`;
  const login = userInfo === undefined ? '' : `${userInfo}@`;
  return {
    url: `${protocol}//${login}${place}${query === undefined ? '' : `?${query}`}`,
    protocol,
    hostname,
    healthUrl: `${protocol}//${place}`,
  };
}

/** The parts of an address of MongoDB: scheme, user info, hosts, database, parameters. */
const MONGO = /^(mongodb(?:\+srv)?:)\/\/(?:([^/?#@]*)@)?([^/?#@]+)(?:\/([^?#/]*))?(?:\?([^#]*))?$/i;
const MONGO_HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i;

/** Hosts, with commas between them, of which the first one is the target's name. */
function mongoAddress(text: string): TargetAddress | undefined {
  checkAddress(text);
  const encoded = withPercentEncoded(text);
  if (encoded === null) {
    throw new InvalidValue('expected user name and password in UTF-8 where they are percent-encoded');
  }
  const [, scheme = '', userInfo, names = '', database = '', query] = MONGO.exec(encoded) ?? [];
  const protocol = scheme.toLowerCase() === 'mongodb:' ? 'mongodb:' : 'mongodb+srv:';
  const hosts = names.split(',').map((name) => MONGO_HOST.exec(name.toLowerCase()));
  const isSrv = protocol === 'mongodb+srv:';
  if (isSrv && (hosts.length > 1 || hosts[0]?.[2] !== undefined)) {
    throw new InvalidValue(
      'expected one name without a port behind mongodb+srv://: its SRV records have the rest',
    );
  }
  const mechanism = /(?:^|&)authMechanism=([^&]*)/i.exec(query ?? '')?.[1] ?? 'DEFAULT';
  if (!/^(?:DEFAULT|SCRAM-SHA-1|SCRAM-SHA-256)$/.test(mechanism)) {
    throw new InvalidValue(
      'expected SCRAM-SHA-256 or SCRAM-SHA-1 as authMechanism: no other login is spoken',
    );
  }
  const places = hosts.map((found) => {
    const [, name = '', port = '27017'] = found ?? [];
    if (Number(port) < 1 || Number(port) > 65_535) {
      throw new InvalidValue('expected a port from 1 to 65535 after the colon');
    }
    return { name, place: isSrv ? name : `${name}:${port}` };
  });
  const [first, ...more] = places;
  if (first === undefined || places.some(({ name }) => name === '')) return undefined;
  const rest = database === '' ? '' : `/${database}`;
  const login = userInfo === undefined ? '' : `${userInfo}@`;
  return {
    url: `${protocol}//${login}${first.place}${rest}${query === undefined ? '' : `?${query}`}`,
    authorization: null,
    protocol,
    hostname: first.name,
    healthUrl: `${protocol}//${places.map(({ place }) => place).join(',')}${rest}`,
    moreHosts: more.map(({ place }) => place),
  };
}

/** Schemes that are near to one of ours and mean something else. */
const OTHER_SCHEMES: readonly string[] = ['sftp', 'mssql'];

/**
 * What is wrong with an address that is none, where its scheme is known or near to a known one. It holds no part of the
 * address; null: nothing is certain.
 */
function whatIsWrong(text: string): string | null {
  const [, named = '', authority = '', path = '', query, fragment] =
    /^([a-z][a-z0-9+]{0,20}):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/is.exec(text) ?? [];
  const scheme = named.toLowerCase();
  const protocol = PROTOCOL_NAMES.find((name) => name === (ALIASES.get(`${scheme}:`) ?? `${scheme}:`));
  if (protocol === undefined) {
    const names = PROTOCOL_NAMES.map((name) => name.slice(0, -1));
    const meant =
      scheme === 'mariadb'
        ? 'mysql'
        : nearest(scheme, names, ({ length }) => (length < 3 ? 0 : length < 6 ? 1 : 2));
    const isMeant = meant !== undefined && !OTHER_SCHEMES.includes(scheme);
    return isMeant ? `this kind of address is not known: did you mean ${meant}://?` : null;
  }
  const kind = `${protocol}//`;
  const { defaultPort, parts } = PROTOCOLS[protocol];
  const takes = (part: AddressPart): boolean => parts.some((each) => each === part);
  const place = authority.slice(authority.lastIndexOf('@') + 1);
  if (!takes('user info') && authority.includes('@')) {
    return `expected an address without user name and password: ${kind} takes none`;
  }
  if (!takes('path') && path !== '' && path !== '/') {
    const rest = protocol === 'dns:' ? '; the name to ask for belongs in QUERY' : '';
    return `expected an address without a path: ${kind} takes none${rest}`;
  }
  if (!takes('query string') && query !== undefined) {
    return `expected an address without a question mark: ${kind} takes no query string`;
  }
  if (place === '' || place.startsWith(':')) return `expected a host behind ${kind}`;
  if (protocol.startsWith('mongodb') && authority.split('@').length > 2) {
    return 'expected user name and password percent-encoded (@ as %40, : as %3A, / as %2F)';
  }
  if (place.includes(',')) {
    return hasGroup(protocol, 'hosts')
      ? 'expected a host before and behind each comma, each with its port or without'
      : `expected one host: ${kind} takes no list of them`;
  }
  if (!KNOWN_TO_URL.has(protocol) && fragment !== undefined) {
    return 'expected an address without #: in a user name or password it is %23';
  }
  if (defaultPort === null && protocol !== 'mongodb+srv:' && !/:\d+$/.test(place)) {
    return `expected a port behind the host, as in ${kind}host:port`;
  }
  return `expected a host behind ${kind}: a name of letters, digits, dots and hyphens, or an IP address`;
}

/** @throws InvalidValue that says what is wrong, where that can be told */
function readTargetAddress(text: string): TargetAddress | undefined {
  try {
    const address = parseTargetAddress(text);
    if (address !== undefined) return address;
  } catch (error) {
    if (error instanceof InvalidValue) throw error;
  }
  const wrong = whatIsWrong(text);
  if (wrong !== null) throw new InvalidValue(wrong);
  return undefined;
}

export const targetAddress = value(`an address: ${ADDRESS}`, readTargetAddress);

export const targetAddresses = value(`addresses with commas or spaces between, each ${ADDRESS}`, (text) => {
  return parseAddresses(text, readTargetAddress);
});

const HTTP = 'an http:// or https:// address with a host';

export const endpoint = value(HTTP, (text): Endpoint | undefined => {
  const url = parseHttpUrl(text);
  if (url === undefined) return undefined;
  const authorization = takeUserInfo(url);
  return { url: url.href, authorization };
});

/** ntfy takes the topic from the path. */
export const topicEndpoint = value(`${HTTP} and a topic as its path`, (text): Endpoint | undefined => {
  const url = parseHttpUrl(text);
  if (url === undefined || url.pathname === '/') return undefined;
  const authorization = takeUserInfo(url);
  return { url: url.href, authorization };
});

const PLAIN_HTTP = `${HTTP} and without user info`;

export const plainUrl = value(PLAIN_HTTP, parsePlainUrl);

/** Addresses with commas or white space between; empty for `off`. */
export const plainUrls = value(`${PLAIN_HTTP} (several: commas between), or off`, (text) => {
  return isOff(text) ? [] : parseAddresses(text, parsePlainUrl);
});

export const origin = value('an origin such as https://status.example.com, without a path', (text) => {
  const url = parseHttpUrl(text);
  return url !== undefined && url.href === `${url.origin}/` ? url.origin : undefined;
});

/** PagerDuty's address is found with and without the path of its API. */
export const eventsUrl = value('an origin such as https://events.eu.pagerduty.com', (text) => {
  const url = parseHttpUrl(text);
  if (url === undefined || url.username !== '' || url.password !== '') return undefined;
  return /^\/(?:v2\/enqueue\/?)?$/.test(url.pathname) && url.search === '' ? url.origin : undefined;
});

/** A vendor's variable, which has had a path in its time. */
export const originOf = value('an http:// or https:// address', (text) => parseHttpUrl(text)?.origin);

export const redisUrl = value('a redis:// or rediss:// address with a host', (text) => {
  const url = parseUrl(text);
  if (url?.protocol !== 'redis:' && url?.protocol !== 'rediss:') return undefined;
  checkRedis(url);
  return withPercentEncoded(text) ?? undefined;
});

/** @throws InvalidValue */
function checkRedis(url: URL): void {
  if (!/^\/?\d*$/.test(url.pathname)) {
    throw new InvalidValue('expected a number after the slash: a database of Redis has no name');
  }
  // https://upstash.com/docs/redis/howto/connect-client (2026-11): TLS cannot be switched off.
  if (url.protocol === 'redis:' && url.hostname.toLowerCase().endsWith('.upstash.io')) {
    throw new InvalidValue('expected rediss://, since Upstash accepts connections with TLS only');
  }
  if (withPercentEncoded(url.href) === null) throw new InvalidValue(NOT_UTF8);
}

export const smtpUrl = value('an smtp:// or smtps:// address with a host', (text) => {
  const url = parseUrl(text);
  if (url?.protocol !== 'smtp:' && url?.protocol !== 'smtps:') return undefined;
  // nodemailer takes what it cannot decode as it stands.
  return withPercentEncoded(text) ?? text;
});

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Upper case. CONNECT is a request for a tunnel and has no answer to judge. */
export const method = value('an HTTP method such as GET, HEAD or POST', (text) => {
  const name = text.toUpperCase();
  return TOKEN.test(name) && name !== 'CONNECT' ? name : undefined;
});

/** Those that the HTTP client sets, or refuses to send. */
const RESERVED = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Names as written. What passes is fit to be sent: no later step needs to check. */
export const headers = value(
  'a JSON object of header names and values, each name once, none that concerns the connection or the length',
  (text) => {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
    const entries = Object.entries(parsed).map(([name, content]) => [name, headerValue(content)] as const);
    if (entries.some(([, content]) => !/^[\t\x20-\x7e\x80-\xff]*$/.test(content))) {
      throw new InvalidValue(
        'a value has a character that no header can hold (a line end, another control character, or one beyond Latin-1)',
      );
    }
    const fit = entries.every(([name]) => TOKEN.test(name) && !RESERVED.has(name.toLowerCase()));
    const names = new Set(entries.map(([name]) => name.toLowerCase()));
    return fit && names.size === entries.length ? Object.fromEntries(entries) : undefined;
  },
);

function headerValue(content: unknown): string {
  if (typeof content === 'string') return content.trim();
  if (typeof content === 'number' || typeof content === 'boolean') return String(content);
  throw new TypeError('not a header value');
}

export const statusList = value('status codes and ranges such as 200-299,301', (text) => {
  const ranges = list(
    text
      .split('-')
      .map((part) => part.trim())
      .join('-'),
  ).map((entry): StatusRange | undefined => {
    const [, from, to = from] = /^([1-9]\d\d)(?:-([1-9]\d\d))?$/.exec(entry) ?? [];
    return from !== undefined && Number(from) <= Number(to)
      ? { from: Number(from), to: Number(to) }
      : undefined;
  });
  const valid = ranges.filter((range) => range !== undefined);
  return valid.length > 0 && valid.length === ranges.length ? valid : undefined;
});

/** A text between two slashes is a regular expression, what follows them its flags. */
export const pattern = value(
  'a text, or /regex/ with flags of i, m, s, u, v (a text between slashes: as a regex)',
  (text): TextPattern | undefined => {
    const [, source, flags] = /^\/(.+)\/([a-z]*)$/s.exec(text) ?? [];
    if (source === undefined || flags === undefined) return { kind: 'text', text };
    // `g` is a habit and changes nothing here, save that a search would begin where the last one ended.
    const kept = flags.replace('g', '');
    if (!/^[imsuv]*$/.test(kept)) return undefined;
    new RegExp(source, kept);
    return { kind: 'regex', source, flags: kept };
  },
);

/** Entries with commas or white space between. */
export function list(text: string): string[] {
  return text.split(/[\s,]+/).filter((entry) => entry !== '');
}

/**
 * The addresses of a list. Throws an `InvalidValue` that names the entry by its place, undefined where the general
 * message has to do.
 */
function parseAddresses<T>(text: string, parse: (entry: string) => T | undefined): T[] | undefined {
  const entries = list(text);
  const addresses = entries.map((entry, index) => {
    const place = entries.length > 1 ? `entry ${index + 1}: ` : '';
    // What a comma or white space has cut off an address with user info.
    const isRest = !entry.includes('://') && entry.includes('@') && index > 0;
    if (isRest) {
      throw new InvalidValue(
        `${place}percent-encode a comma in a user name or password as %2C, a space as %20`,
      );
    }
    try {
      return parse(entry);
    } catch (error) {
      throw error instanceof InvalidValue ? new InvalidValue(place + error.message) : error;
    }
  });
  const valid = addresses.filter((address) => address !== undefined);
  return valid.length === addresses.length ? valid : undefined;
}

/** @throws InvalidValue for an address that can never work, TypeError for a text that is none */
function parseUrl(text: string): URL | undefined {
  if (!/^[a-z+]+:\/\//i.test(text)) return undefined;
  checkAddress(text);
  const url = new URL(text);
  return url.hostname === '' ? undefined : url;
}

function parseHttpUrl(text: string): URL | undefined {
  const url = parseUrl(text);
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}

function parsePlainUrl(text: string): string | undefined {
  const url = parseHttpUrl(text);
  return url?.username === '' && url.password === '' ? url.href : undefined;
}

/** Removes the user info from `url`; gives the header that says the same. */
function takeUserInfo(url: URL): string | null {
  if (url.username === '' && url.password === '') return null;
  const credentials = credentialsOf(url);
  url.username = '';
  url.password = '';
  return `Basic ${credentials.toString('base64')}`;
}
