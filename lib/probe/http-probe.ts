import type { TLSSocket } from 'node:tls';
import { needsBody, type Body } from '../rules/assertions.js';
import { looksAtBody, verdictOf } from '../rules/hosts.js';
import { PROTOCOLS } from '../protocols.js';
import type { Assertions, CommonTarget, HttpTarget } from '../types.js';
import { ACCEPT_ENCODING, decodeBody } from './body-decoder.js';
import { connect, secure } from './connect.js';
import { Cookies } from './cookies.js';
import type { ExchangeResponse } from './exchange.js';
import { ProbeFailure } from './failure.js';
import { nextHop, redirectOf, type Hop } from './redirect.js';
import type { Probe, ProbeContext } from './probe-context.js';

/** @param contact where the operator of a target finds out who asks; null: nothing is known */
export const userAgentOf = (contact: string | null): string =>
  `keepalive/0.1 (+${contact ?? 'uptime check'})`;
/** Sent unless HEADERS sets them. */
export const HEADERS = { Accept: '*/*', 'Accept-Encoding': ACCEPT_ENCODING };

/** Statuses that a gateway sends when its server does not answer. They prove nothing about the server. */
const GATEWAY_STATUSES = [502, 503, 504];

/** HTTP and HTTPS: redirects followed, the body read only as far as it may be needed. */
export const probeHttp: Probe<'http:' | 'https:'> = async (target, url, context) => {
  const { method, body, headers } = target.request;
  let hop: Hop = { url, method, body, headers };
  let fromPublic = false;
  const cookies = new Cookies();
  for (let redirects = 0; ; redirects++) {
    const { answer, address, tls } = await request(
      { ...hop, headers: cookies.withCookies(hop.headers, hop.url) },
      target,
      context,
      fromPublic,
    );
    const location = target.maxRedirects > 0 ? redirectOf(answer.statusCode, answer.headers) : null;
    if (location === null) {
      const body = await bodyOf(answer, target, hop.url, context);
      const { statusCode, headers } = answer;
      const variables = { status: statusCode, headers: Object.fromEntries(headers), ip: address, tls };
      return body && { ...body, variables };
    }
    noteOrigin(answer, null, target, hop.url, context);
    if (redirects >= target.maxRedirects) throw new ProbeFailure('redirect', 'too many redirects');
    fromPublic = context.isPublic(address);
    await cookies.take(answer.headers, hop.url);
    hop = nextHop(hop, location, answer.statusCode);
  }
};

/** The body where an assertion needs it. It may have been read to see who answered. */
async function bodyOf(
  answer: ExchangeResponse,
  target: HttpTarget,
  url: URL,
  context: ProbeContext,
): Promise<Body | null> {
  const isNeeded = needsBody(target.assertions);
  if (!isNeeded && !tellsByBody(answer, target, url)) {
    noteOrigin(answer, null, target, url, context);
    return null;
  }
  const encoding = answer.headers.get('content-encoding') ?? '';
  const type = answer.headers.get('content-type') ?? '';
  try {
    const body = await decodeBody(answer, encoding, type, target.maxBody);
    noteOrigin(answer, body.text, target, url, context);
    return isNeeded ? body : null;
  } catch (error) {
    noteOrigin(answer, null, target, url, context);
    // Nobody asked for it.
    if (!isNeeded) return null;
    throw error;
  }
}

type Head = Pick<ExchangeResponse, 'statusCode' | 'headers'>;

function tellsByBody(head: Head, target: HttpTarget, url: URL): boolean {
  return isOwnName(target, url) && looksAtBody(target.info.host, answerOf(head, url));
}

/** Who answered, by the rules of the target's host. Another name's answer tells nothing of it. */
export function noteOrigin(
  head: Head,
  body: string | null,
  target: CommonTarget,
  url: URL,
  { trace }: ProbeContext,
): void {
  if (!isOwnName(target, url)) return;
  const verdict = verdictOf(target.info.host, { ...answerOf(head, url), body });
  // Once the app itself has answered, an answer that tells nothing takes nothing back.
  if (verdict.origin === 'unknown' && trace.verdict?.origin === 'container') return;
  trace.verdict = verdict;
}

function answerOf({ statusCode, headers }: Head, url: URL) {
  return { protocol: url.protocol, path: url.pathname, statusCode, headers };
}

function isOwnName({ info, url }: CommonTarget, { hostname }: URL): boolean {
  return info.host !== 'none' && new URL(url).hostname === hostname;
}

async function request(
  hop: Hop,
  target: HttpTarget,
  context: ProbeContext,
  fromPublic: boolean,
): Promise<{ answer: ExchangeResponse; address: string; tls: string | undefined }> {
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
    const secured: TLSSocket | null = isHttps
      ? await secure(socket, url, target.tlsVerify, ['http/1.1'], context)
      : null;
    // Gone with the connection.
    const tls = secured?.getProtocol() ?? undefined;
    const answer = await context.exchange(
      {
        socket: secured ?? socket,
        method: hop.method,
        path: url.pathname + url.search,
        headers: {
          ...missing({ Host: url.host, 'User-Agent': context.userAgent, ...HEADERS }, hop.headers),
          ...hop.headers,
        },
        body: hop.body,
        maxBody: target.maxBody,
        keepBody: needsBody(target.assertions) || looksAtBody(target.info.host, null),
        onHead(statusCode, headers) {
          context.trace.statusCode = statusCode;
          context.trace.reached = mayBeOwnAnswer(statusCode, target.assertions);
          // Where the body fails, the head has told what it can.
          noteOrigin({ statusCode, headers }, null, target, url, context);
          context.deadline.stage = 'in the body';
          return target.maxRedirects === 0 || redirectOf(statusCode, headers) === null;
        },
      },
      context.deadline,
    );
    context.trace.ttfb = (context.trace.ttfb ?? 0) + answer.ttfb;
    return { answer, address, tls };
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

/** Whether the status may be that of the host's own server. A gateway status that is expected counts as the server's own. */
export function mayBeOwnAnswer(statusCode: number, { expectStatus }: Assertions): boolean {
  const isExpected = expectStatus.some(({ from, to }) => statusCode >= from && statusCode <= to);
  return isExpected || !GATEWAY_STATUSES.includes(statusCode);
}
