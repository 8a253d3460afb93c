import { loginOf, tlsChoice } from '../rules/database-address.js';
import { PROTOCOLS, type AddressPart, type OptionGroup, type Protocol } from '../types.js';
import { checkAddress, withPercentEncoded } from './address.js';
import { checkRedis, NOT_UTF8, parseAddresses, parseUrl, takeUserInfo, type Endpoint } from './request.js';
import { InvalidValue, value } from './values.js';

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
  if (isDatabase(protocol)) checkDatabase(sent);
  const address = serviceAddress(sent.href, protocol);
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
    throw new InvalidValue('expected disable, prefer, require, verify-ca or verify-full as sslmode');
  }
}

/**
 * An address of any other scheme, in parts: user info, host, port, path, query string. The URL standard neither checks nor
 * lowers its host.
 */
const SERVICE =
  /^[a-z+]+:\/\/(?:([^/?#@]*)@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d+))?(\/[^?#]*)?(?:\?([^#]*))?$/i;

/** @throws URIError for a path that cannot be decoded */
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
  decodeURIComponent(path);
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
  if (encoded === null) throw new InvalidValue(NOT_UTF8);
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

export const targetAddress = value(`an address: ${ADDRESS}`, parseTargetAddress);

export const targetAddresses = value(`addresses with commas or spaces between, each ${ADDRESS}`, (text) => {
  return parseAddresses(text, parseTargetAddress);
});
