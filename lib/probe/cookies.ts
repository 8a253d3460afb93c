import type { CookieJar } from 'tough-cookie';
import type { ResponseHeaders } from './http-parser.js';

/** Cookies of one answer that are kept at most, and characters of each: no honest server sends more. */
const MOST_COOKIES = 100;
const LONGEST_COOKIE = 8_192;

/**
 * The cookies that redirects set on the way of one attempt. Which request they go along with is decided as browsers do
 * (RFC 6265: domain, path, Secure, expiry, public suffixes). The library is loaded with the first cookie.
 */
export class Cookies {
  #jar: CookieJar | null = null;

  async take(headers: ResponseHeaders, url: URL): Promise<void> {
    const lines = headers.get('set-cookie')?.split('\n').slice(0, MOST_COOKIES) ?? [];
    if (lines.length === 0) return;
    if (this.#jar === null) {
      const { CookieJar } = await import('tough-cookie');
      this.#jar = new CookieJar(undefined, { looseMode: true, allowSpecialUseDomain: true });
    }
    for (const line of lines) {
      if (line.length <= LONGEST_COOKIE) this.#jar.setCookieSync(line, url.href, { ignoreError: true });
    }
  }

  /** The configured headers, and with them the cookies for this address. */
  withCookies(headers: Readonly<Record<string, string>>, url: URL): Readonly<Record<string, string>> {
    const own = this.#jar?.getCookieStringSync(url.href) ?? '';
    if (own === '') return headers;
    const entries = Object.entries(headers);
    const configured = entries.filter(([name]) => name.toLowerCase() === 'cookie');
    const rest = entries.filter(([name]) => name.toLowerCase() !== 'cookie');
    // What was set on the way is newer than what is configured: servers take the first of a name.
    return { ...Object.fromEntries(rest), Cookie: [own, ...configured.map(([, value]) => value)].join('; ') };
  }
}
