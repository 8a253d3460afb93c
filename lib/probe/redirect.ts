import type { ResponseHeaders } from './http-parser.js';
import { ProbeFailure } from './failure.js';

const FOLLOWED = new Set([301, 302, 303, 307, 308]);
/** Headers that describe the client, and so go along to wherever a redirect leads. */
const OF_THE_CLIENT = /^(?:user-agent|accept(?:-.*)?)$/i;

/** Characters of user info, host and port at most. To read a host that is not ASCII takes long, and no name is longer. */
const LONGEST_AUTHORITY = 1_000;
const AUTHORITY = /^[\0- ]*(?:https?:[\\/]*|[\\/]{2,})([^\\/?#]*)/i;

/** A request as it goes from one redirect to the next. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly body: string | null;
  /** Only what was configured. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The address that an answer redirects to, as it stands there; null when it does not. */
export function redirectOf(statusCode: number, headers: ResponseHeaders): string | null {
  if (!FOLLOWED.has(statusCode)) return null;
  const [location = '', ...others] = new Set(headers.get('location')?.split('\n'));
  if (others.length > 0) throw new ProbeFailure('redirect', 'redirect to several addresses');
  return location === '' ? null : addressOf(location);
}

/** Servers write what is not ASCII in UTF-8. Bytes that are not are percent-encoded as they stand, as browsers do it. */
function addressOf(location: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(location, 'latin1'));
  } catch {
    return location.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  }
}

function parsed(location: string, base: URL): URL | null {
  try {
    return new URL(location, base);
  } catch {
    return null;
  }
}

/**
 * As browsers do it: 303 (and 301, 302 after POST) becomes GET; the body goes no further than the name, and configured
 * headers no further than the origin, but for those that describe the client. From http to https of the same name is
 * the same origin here.
 */
export function nextHop(hop: Hop, location: string, statusCode: number): Hop {
  const authority = AUTHORITY.exec(location.replace(/\t/g, ''))?.[1] ?? '';
  const url = authority.length > LONGEST_AUTHORITY ? null : parsed(location, hop.url);
  if (url === null) throw new ProbeFailure('redirect', 'redirect to an invalid address');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new ProbeFailure('redirect', 'redirect to another protocol');
  const toGet = (statusCode === 303 && hop.method !== 'HEAD') || (statusCode <= 302 && hop.method === 'POST');
  const isSameName = url.hostname === hop.url.hostname;
  const isUpgrade = isSameName && hop.url.protocol === 'http:' && url.protocol === 'https:';
  const isOwn = isUpgrade || url.origin === hop.url.origin;
  const isDowngrade = hop.url.protocol === 'https:' && url.protocol === 'http:';
  const kept = Object.entries(hop.headers).filter(
    ([name]) => (isOwn || OF_THE_CLIENT.test(name)) && !(toGet && /^content-/i.test(name)),
  );
  return {
    url,
    method: toGet ? 'GET' : hop.method,
    body: toGet || !isSameName || isDowngrade ? null : hop.body,
    headers: Object.fromEntries(kept),
  };
}
