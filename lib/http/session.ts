import { createHmac } from 'node:crypto';
import { isSame } from './responses.js';

/** The name of the session cookie. */
const COOKIE = 'keepalive_session';
const LIFETIME = 30 * 86_400;

export interface SessionSettings {
  readonly token: string;
  /** Ms since the epoch. */
  readonly now: number;
  /** The page is served over https: the cookie goes nowhere else. */
  readonly secure: boolean;
}

/**
 * The cookie of a session: the time when it ends, and an HMAC of that time with the token as its key. It does not hold the
 * token, and is no longer valid when the token is changed.
 */
export function sessionCookie({ token, now, secure }: SessionSettings): string {
  const end = Math.floor(now / 1000) + LIFETIME;
  return cookie(`${end}.${seal(token, end)}`, { maxAge: LIFETIME, secure });
}

export function endedCookie({ secure }: Pick<SessionSettings, 'secure'>): string {
  return cookie('', { maxAge: 0, secure });
}

export function hasSession(request: Request, token: string, now: number): boolean {
  const value = cookieOf(request);
  const [, end, given] = (value !== undefined && /^(\d{1,12})\.([\w-]+)$/.exec(value)) || [];
  if (end === undefined || given === undefined) return false;
  return isSame(given, seal(token, Number(end))) && Number(end) * 1000 > now;
}

function seal(token: string, end: number): string {
  return createHmac('sha256', token).update(`keepalive session until ${end}`).digest('base64url');
}

function cookie(
  value: string,
  { maxAge, secure }: { readonly maxAge: number; readonly secure: boolean },
): string {
  return `${COOKIE}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
}

function cookieOf({ headers }: Request): string | undefined {
  return headers
    .get('cookie')
    ?.split(';')
    .map((pair) => pair.trim().split('='))
    .find(([name]) => name === COOKIE)?.[1];
}
