import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import * as badge from '../../api/badge/[id].js';
import * as cron from '../../api/cron.js';
import * as feed from '../../api/feed/[format].js';
import * as health from '../../api/health.js';
import * as keepalive from '../../api/keepalive/[id].js';
import * as operator from '../../api/maintenance/[change].js';
import * as metrics from '../../api/metrics.js';
import * as probe from '../../api/probe.js';
import * as page from '../../api/page/[page].js';
import { readableAnywhere } from '../http/cors.js';
import { answerProblem } from '../http/html.js';
import { pathOf } from '../http/path.js';
import { answerError } from '../http/responses.js';
import { isPublicAddress } from '../probe/public-address.js';
import { compressed } from '../http/compression.js';
import { staticFile } from './files.js';

const METHODS = ['GET', 'POST', 'DELETE', 'OPTIONS'] as const;
type Method = (typeof METHODS)[number];
type Handler = (request: Request) => Response | Promise<Response>;

/** The paths that Vercel makes of the files under api/, and those that vercel.json rewrites to them. */
const ROUTES: readonly (readonly [pattern: RegExp, methods: Readonly<Partial<Record<Method, Handler>>>])[] = [
  [/^\/api\/badge\/[^/]+$/, badge],
  [/^\/api\/cron$/, cron],
  [/^\/api\/(?:feed|calendar\.ics)$/, feed],
  [/^\/api\/health$/, health],
  [/^\/api\/keepalive(?:\/[^/]+)?$/, keepalive],
  [/^\/api\/(?:maintenance|notes)$/, operator],
  [/^\/api\/metrics$/, metrics],
  [/^\/api\/probe$/, probe],
  [
    /^\/(?:history|manifest\.webmanifest|sign-in|subscribe|confirm|unsubscribe|(?:t|api\/page)\/[^/]+)?$/,
    page,
  ],
];

/** Bytes of a request's body at most; the functions have limits of their own below it. */
const BODY_LIMIT = 64 * 1024;

/** Requests that a client may send before it has the answer to the first. They are answered one after the other. */
const PIPELINED = 32;

/** Serves the functions on this machine. Rejects where the port cannot be had. */
export async function serve(port: number): Promise<{ server: Server; port: number }> {
  const under = new WeakMap<Socket, { count: number; last: Promise<void> }>();
  const server = createServer((request, response) => {
    const { socket } = request;
    const way = under.get(socket) ?? { count: 0, last: Promise.resolve() };
    under.set(socket, way);
    if (++way.count > PIPELINED) {
      socket.destroy();
      return;
    }
    way.last = way.last
      .then(() => respond(request, response))
      .then(() => sent(response))
      .finally(() => way.count--);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return { server, port: (server.address() as AddressInfo).port };
}

/** Resolves when the client has taken the answer, or is gone. */
async function sent(response: ServerResponse): Promise<void> {
  if (response.closed || response.destroyed) return;
  await new Promise<void>((resolve) => response.once('close', resolve));
}

/** Ms that an answer under way may still take. */
const CLOSING_TIMEOUT = 2_000;

/** Takes no more requests, and resolves when the answers under way are sent or have taken too long. */
export async function closeServer(server: Server): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), CLOSING_TIMEOUT);
  // Clients keep a connection open after their answer.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  await new Promise((resolve) => server.close(resolve));
  clearTimeout(timer);
  clearInterval(idle);
}

async function respond(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  try {
    const answer = await dispatch(incoming);
    const whole = Buffer.from(await answer.arrayBuffer());
    const { headers, body } = await compressed(
      answer,
      whole,
      incoming.headersDistinct['accept-encoding']?.join(),
    );
    outgoing.writeHead(answer.status, {
      ...Object.fromEntries(headers),
      ...(answer.status === 304 || answer.status === 204 ? {} : { 'content-length': String(body.length) }),
    });
    outgoing.end(incoming.method === 'HEAD' ? undefined : body);
  } catch (error) {
    // A request that the client broke off is no error of ours.
    if (incoming.complete) console.error(error);
    outgoing.destroy();
  }
}

/** A name, an IPv4 or an IPv6 address, and a port. A longer or stranger one takes long to be read as a URL. */
const HOST = /^[\w.[\]:-]{1,300}$/;

/** What is asked for. A client that takes us for a proxy names scheme and host as well. */
function pathIn(target: string): string {
  if (target.startsWith('/')) return target;
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return path.startsWith('/') ? path : `/${path}`;
}

/**
 * Where a request came from. Who connects from the internet is the client. Who connects from this machine or its network
 * may be a proxy, which writes whom it serves behind whatever the client has sent.
 */
function clientOf({ socket, headersDistinct }: IncomingMessage): string {
  const peer = socket.remoteAddress ?? '';
  const forwarded = headersDistinct['x-forwarded-for']?.at(-1) ?? '';
  const last = forwarded.slice(forwarded.lastIndexOf(',') + 1).trim();
  return last === '' || isPublicAddress(peer) ? peer : last;
}

function isMethod(name: string): name is Method {
  return (METHODS as readonly string[]).includes(name);
}

async function dispatch(incoming: IncomingMessage): Promise<Response> {
  const host = incoming.headers.host ?? 'localhost';
  const address = `http://${host}${pathIn(incoming.url ?? '/')}`;
  if (!HOST.test(host) || !URL.canParse(address)) {
    return answerError('bad_request', 'The address is not valid.');
  }
  const url = new URL(address);
  const path = pathOf({ url: address });
  const route = ROUTES.find(([pattern]) => pattern.test(path));
  if (route === undefined) {
    const isApi = path === '/api/openapi.json';
    const file = await staticFile(incoming, isApi ? '/openapi.json' : path);
    if (file === null) return page.GET(requestOf(incoming, url));
    return isApi ? readableAnywhere(Promise.resolve(file)) : file;
  }
  const method = incoming.method === 'HEAD' ? 'GET' : (incoming.method ?? 'GET');
  const handler = isMethod(method) ? route[1][method] : undefined;
  if (handler === undefined) {
    const answer = await answerProblem(
      'method_not_allowed',
      'Method not allowed.',
      {},
      requestOf(incoming, url),
    );
    answer.headers.set('allow', Object.keys(route[1]).join(', '));
    return answer;
  }
  if (method === 'GET') return handler(requestOf(incoming, url));
  const body = await readBody(incoming);
  if (body === null) {
    return answerError('too_large', `The body may have ${BODY_LIMIT} bytes at most.`);
  }
  return handler(requestOf(incoming, url, { method, ...(body.length > 0 ? { body } : {}) }));
}

/** What a function gets of a request. */
function requestOf(incoming: IncomingMessage, url: URL, init: RequestInit = {}): Request {
  const headers = Object.entries({
    ...incoming.headersDistinct,
    'x-real-ip': [clientOf(incoming)],
  }).flatMap(([name, values = []]) => values.map((value): [string, string] => [name, value]));
  return new Request(url.origin + url.pathname + url.search, { headers, ...init });
}

/** Null: longer than the limit. Its rest is read and dropped: who still sends would not see the answer. */
async function readBody(incoming: IncomingMessage): Promise<Uint8Array<ArrayBuffer> | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= BODY_LIMIT) chunks.push(chunk);
  }
  return bytes > BODY_LIMIT ? null : Buffer.concat(chunks);
}
