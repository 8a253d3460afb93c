import { loginOf, tlsChoice } from '../rules/database-address.js';
import {
  PROTOCOL_NAMES,
  protocolOf,
  PROTOCOLS,
  type AddressPart,
  type OptionGroup,
  type Protocol,
} from '../protocols.js';
import { checkAddress, withPercentEncoded } from './address.js';
import { checkRedis, NOT_UTF8, parseAddresses, parseUrl, takeUserInfo, type Endpoint } from './request.js';
import { nearest } from './spelling.js';
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
  const protocol = url && protocolOf(url.protocol);
  if (url === undefined || protocol === undefined) return undefined;
  if (PROTOCOLS[protocol].isSpecial) {
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
  if (PROTOCOLS[protocol].hasSqlAddress) checkDatabase(sent);
  const address = serviceAddress(sent.href, protocol);
  return address && { ...address, authorization };
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

/** Schemes that are near to one of ours and mean something else. */
const OTHER_SCHEMES: readonly string[] = ['sftp', 'mssql'];

/** `my-api.onrender.com/health`, `localhost:8080` */
const BARE_HOST = /^(?:localhost|[a-z\d-]+(?:\.[a-z\d-]+)+)(?::\d{1,5})?(?:[/?#]|$)/i;

/**
 * What is wrong with an address that is none, where its scheme is known or near to a known one. It holds no part of the
 * address; null: nothing is certain.
 */
function whatIsWrong(text: string): string | null {
  const [, named = '', authority = '', path = '', query, fragment] =
    /^([a-z][a-z0-9+]{0,20}):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/is.exec(text) ?? [];
  if (named === '' && BARE_HOST.test(text)) return 'expected https:// (or http://) before the host name';
  const scheme = named.toLowerCase();
  const protocol = protocolOf(`${scheme}:`);
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
  if (!PROTOCOLS[protocol].isSpecial && fragment !== undefined) {
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
