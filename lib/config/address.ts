import { protocolOf, PROTOCOLS } from '../protocols.js';
import { InvalidValue } from './values.js';

/** Ports of https, smtps, imaps and pop3s in IANA's registry: their servers wait for a TLS handshake. */
const TLS_PORTS: ReadonlySet<number> = new Set([443, 465, 993, 995]);
/** Ports of smtp, http, pop3, imap and submission: TLS comes by STARTTLS or not at all. */
const PLAIN_PORTS: ReadonlySet<number> = new Set([25, 80, 110, 143, 587]);

/** Schemes whose parameters may hold an address: smtp://host/?name=a@b.org */
const WITH_PARAMETERS = /^(?:smtps?|postgres(?:ql)?|mysql)$/;

const CUT =
  'a character of the user name or password cuts the address in two: percent-encode it (/ as %2F, ? as %3F, # as %23, @ as %40, : as %3A, % as %25)';

interface Parts {
  /** Lower case. */
  readonly scheme: string;
  /** Host and port without user info; the host of an IPv6 address has its brackets. */
  readonly host: string;
  /** What follows the host's colon; null where there is none. */
  readonly port: string | null;
  /** Everything behind the authority; empty, or begins with one of `/?#\`. */
  readonly rest: string;
}

function split(text: string): Parts | null {
  const scheme = /^([a-z+]+):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return null;
  const behind = text.slice(scheme.length + '://'.length);
  // A backslash counts as a slash in some schemes only (WHATWG URL, "special" schemes).
  const end = behind.search(/^(?:http|ws)s?$/.test(scheme) ? /[/?#\\]/ : /[/?#]/);
  const authority = end < 0 ? behind : behind.slice(0, end);
  const place = authority.slice(authority.lastIndexOf('@') + 1);
  const bracket = place.startsWith('[') ? place.indexOf(']') + 1 : 0;
  const colon = place.indexOf(':', bracket);
  return {
    scheme,
    host: colon < 0 ? place : place.slice(0, colon),
    port: colon < 0 ? null : place.slice(colon + 1),
    rest: end < 0 ? '' : behind.slice(end),
  };
}

/**
 * Refuses an address that can never work. Reports only what is certain: `https://h:8080/a@b.org` may be the
 * address of a page, so it passes (see `isProbablyCut`).
 * @throws InvalidValue that says what to do
 */
export function checkAddress(text: string): void {
  const parts = split(text);
  if (parts === null) return;
  const { scheme, port } = parts;
  if (isCut(parts)) throw new InvalidValue(CUT);
  // Several hosts, each with its port, are looked at where they are read.
  if (port === null || port === '' || scheme.startsWith('mongodb')) return;
  const number = /^\d+$/.test(port) ? Number(port) : 0;
  if (number < 1 || number > 65_535) {
    throw new InvalidValue('expected a port from 1 to 65535 after the colon');
  }
  const protocol = protocolOf(`${scheme}:`);
  if (protocol === undefined) return;
  const { beginsWithTls, counterpart } = PROTOCOLS[protocol];
  if (counterpart === null) return;
  if (beginsWithTls && PLAIN_PORTS.has(number)) {
    throw new InvalidValue(
      `servers on this port do not begin with TLS, as ${scheme}:// does: expected ${counterpart}:// or another port`,
    );
  }
  if (!beginsWithTls && TLS_PORTS.has(number)) {
    throw new InvalidValue(
      `servers on this port begin with TLS, which ${scheme}:// does not: expected ${counterpart}:// or another port`,
    );
  }
}

/** An `@` behind the authority, and before it something that can only be a user name and the beginning of a password. */
function isCut({ scheme, host, port, rest }: Parts): boolean {
  const at = rest.indexOf('@');
  if (at < 0) return false;
  const ports = scheme === 'mongodb' ? /^\d+(?:,.*)?$/ : /^\d+$/;
  if (port !== null && !ports.test(port)) return true;
  if (port !== null && host === '') return true;
  if (port !== null && rest.startsWith('#')) return true;
  const query = WITH_PARAMETERS.test(scheme) ? rest.indexOf('?') : -1;
  const isInParameter = query >= 0 && rest.slice(query, at).includes('=');
  const protocol = protocolOf(`${scheme}:`);
  return protocol !== undefined && !PROTOCOLS[protocol].atInPath && !isInParameter;
}

/**
 * Whether an address that passes `checkAddress` has probably lost its host to an unencoded character all the same:
 * `https://user:12/34@host.example.com` is an address of the host `user`. Not certain, since `http://api:8080/a@b.org`
 * has the same form.
 */
export function isProbablyCut(text: string): boolean {
  const parts = split(text);
  if (parts === null || !/^(?:http|ws)s?$/.test(parts.scheme) || parts.port === null) return false;
  const at = parts.rest.indexOf('@');
  const isHost = /^(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*(?=[:/?#]|$)/i.test(parts.rest.slice(at + 1));
  return at >= 0 && isHost && !parts.host.includes('.') && parts.host.toLowerCase() !== 'localhost';
}

/** `%` where no two hexadecimal digits follow. */
const BARE_PERCENT = /%(?![0-9a-f]{2})/gi;

/**
 * An address whose user info every client decodes as curl does: a bare `%` stands for itself, so it is encoded. Null
 * where what is encoded is not UTF-8.
 */
export function withPercentEncoded(text: string): string | null {
  const [, scheme = '', authority = '', rest = ''] = /^([a-z+]+:\/\/)([^/?#]*)(.*)$/is.exec(text) ?? [];
  const at = authority.lastIndexOf('@') + 1;
  const userInfo = authority.slice(0, at).replace(BARE_PERCENT, '%25');
  try {
    decodeURIComponent(userInfo);
  } catch {
    return null;
  }
  return scheme + userInfo + authority.slice(at) + rest;
}

/** User name and password of an address, decoded as curl does: any byte, and a bare `%` stands for itself. */
export function credentialsOf({ username, password }: URL): Buffer {
  return Buffer.concat(
    `${username}:${password}`
      .split(/(%[0-9a-f]{2})/i)
      .map((part, index) => (index % 2 === 1 ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part))),
  );
}
