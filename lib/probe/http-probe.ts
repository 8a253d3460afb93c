import { needsBody } from '../rules/assertions.js';
import { PROTOCOLS, type Assertions, type HttpTarget } from '../types.js';
import { ACCEPT_ENCODING, decodeBody } from './body-decoder.js';
import { connect, secure } from './connect.js';
import { Cookies } from './cookies.js';
import type { ResponseHeaders } from './http-parser.js';
import { exchange, type ExchangeResponse } from './exchange.js';
import { ProbeFailure } from './failure.js';
import { nextHop, redirectOf, type Hop } from './redirect.js';
import type { Probe, ProbeContext } from './probe-context.js';

/** @param contact where the operator of a target finds out who asks; null: nothing is known */
export const userAgentOf = (contact: string | null): string =>
  `keepalive/0.1 (+${contact ?? 'uptime check'})`;
/** Sent unless HEADERS sets them. */
const HEADERS = { Accept: '*/*', 'Accept-Encoding': ACCEPT_ENCODING };

/** What platforms send in place of a server that sleeps (PLATFORM: Render with 404). */
const NO_SERVER: readonly (readonly [header: string, value: string])[] = [['x-render-routing', 'no-server']];
/** Headers of responses that a platform's edge sends in place of the server (seen on Render and Railway, 2026-11). */
const EDGE_HEADERS = ['x-render-routing', 'x-railway-fallback'];
/** Statuses that a gateway sends when its server does not answer. They prove nothing about the server. */
const GATEWAY_STATUSES = [502, 503, 504];

/** HTTP and HTTPS: redirects followed, the body read only as far as it may be needed. */
export const probeHttp: Probe<'http:' | 'https:'> = async (target, url, context) => {
  const { method, body, headers } = target.request;
  let hop: Hop = { url, method, body, headers };
  let fromPublic = false;
  const cookies = new Cookies();
  for (let redirects = 0; ; redirects++) {
    const { answer, address } = await request(
      { ...hop, headers: cookies.withCookies(hop.headers, hop.url) },
      target,
      context,
      fromPublic,
    );
    const location = target.maxRedirects > 0 ? redirectOf(answer.statusCode, answer.headers) : null;
    if (location === null) {
      if (!needsBody(target.assertions)) return null;
      const encoding = answer.headers.get('content-encoding') ?? '';
      const type = answer.headers.get('content-type') ?? '';
      return decodeBody(answer, encoding, type, target.maxBody);
    }
    if (redirects >= target.maxRedirects) throw new ProbeFailure('redirect', 'too many redirects');
    fromPublic = context.isPublic(address);
    await cookies.take(answer.headers, hop.url);
    hop = nextHop(hop, location, answer.statusCode);
  }
};

async function request(
  hop: Hop,
  target: HttpTarget,
  context: ProbeContext,
  fromPublic: boolean,
): Promise<{ answer: ExchangeResponse; address: string }> {
  const { url } = hop;
  // The redirect may have been sent by the edge.
  context.trace.reached = false;
  const isHttps = url.protocol === 'https:';
  const allow = (address: string) => target.allowPrivate || !fromPublic || context.isPublic(address);
  const { defaultPort } = PROTOCOLS[isHttps ? 'https:' : 'http:'];
  const { socket, address } = await connect(
    url,
    url.port === '' ? defaultPort : Number(url.port),
    context,
    allow,
  );
  try {
    const stream = isHttps ? await secure(socket, url, target.tlsVerify, ['http/1.1'], context) : socket;
    const answer = await exchange(
      {
        socket: stream,
        method: hop.method,
        path: url.pathname + url.search,
        headers: {
          ...missing({ Host: url.host, 'User-Agent': context.userAgent, ...HEADERS }, hop.headers),
          ...hop.headers,
        },
        body: hop.body,
        maxBody: target.maxBody,
        keepBody: needsBody(target.assertions),
        onHead(statusCode, headers) {
          context.trace.statusCode = statusCode;
          context.trace.reached = isOwnAnswer(statusCode, headers, target.assertions);
          context.deadline.stage = 'in the body';
          return target.maxRedirects === 0 || redirectOf(statusCode, headers) === null;
        },
      },
      context.deadline,
    );
    context.trace.ttfb = (context.trace.ttfb ?? 0) + answer.ttfb;
    context.trace.noServer = isWithoutServer(answer.headers);
    return { answer, address };
  } finally {
    socket.destroy();
  }
}

/** The defaults that are not set otherwise, in whatever spelling. */
export function missing(
  defaults: Readonly<Record<string, string>>,
  set: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const names = new Set(Object.keys(set).map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => !names.has(name.toLowerCase())));
}

/** Whether the platform says that no server is there. */
export function isWithoutServer(headers: ResponseHeaders): boolean {
  return NO_SERVER.some(([name, value]) => headers.get(name) === value);
}

/** Whether the host's own server answered. A gateway status that is expected counts as the server's own. */
export function isOwnAnswer(
  statusCode: number,
  headers: ResponseHeaders,
  { expectStatus }: Assertions,
): boolean {
  if (EDGE_HEADERS.some((name) => headers.has(name))) return false;
  const isExpected = expectStatus.some(({ from, to }) => statusCode >= from && statusCode <= to);
  return isExpected || !GATEWAY_STATUSES.includes(statusCode);
}
