import type { StatusRange, TextPattern } from '../types.js';
import { checkAddress, credentialsOf, withPercentEncoded } from './address.js';
import { patternOf } from '../rules/queries.js';
import { InvalidValue, isOff, value } from './values.js';

/** An address to send requests to. */
export interface Endpoint {
  /** Without user info. */
  readonly url: string;
  /** An `authorization` header made of the address's user info. */
  readonly authorization: string | null;
}

export const NOT_UTF8 = 'expected user name and password in UTF-8 where they are percent-encoded';

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
export function checkRedis(url: URL): void {
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
  { kind: 'map' },
);

function headerValue(content: unknown): string {
  if (typeof content === 'string') return content.trim();
  if (typeof content === 'number' || typeof content === 'boolean') return String(content);
  throw new TypeError('not a header value');
}

export const statusList = value('status codes and ranges such as 200-299,301', parseStatusList, {
  kind: 'list',
  separator: ',',
});

function parseStatusList(text: string): StatusRange[] | undefined {
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
}

/** A text between two slashes is a regular expression, what follows them its flags. */
export const pattern = value(
  'a text, or /regex/ with flags of i, m, s, u, v (a text between slashes: as a regex)',
  (text): TextPattern | undefined => patternOf(text) ?? undefined,
);

/** Entries with commas or white space between. */
export function list(text: string): string[] {
  return text.split(/[\s,]+/).filter((entry) => entry !== '');
}

/**
 * The addresses of a list. Throws an `InvalidValue` that names the entry by its place, undefined where the general
 * message has to do.
 */
export function parseAddresses<T>(text: string, parse: (entry: string) => T | undefined): T[] | undefined {
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
export function parseUrl(text: string): URL | undefined {
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
export function takeUserInfo(url: URL): string | null {
  if (url.username === '' && url.password === '') return null;
  const credentials = credentialsOf(url);
  url.username = '';
  url.password = '';
  return `Basic ${credentials.toString('base64')}`;
}
