import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as cron from '../../api/cron.js';
import * as health from '../../api/health.js';
import * as keepalive from '../../api/keepalive.js';
import * as target from '../../api/keepalive/[id].js';
import * as page from '../../api/page.js';
import * as targetPage from '../../api/page/[id].js';
import * as signIn from '../../api/sign-in.js';
import { answerError } from '../http/answer.js';
import { staticFile } from './files.js';

type Handler = (request: Request) => Promise<Response>;

/** Bytes of a request's body at most; no form or call of ours comes near. */
const MAX_BODY = 65_536;

/** The paths that Vercel makes of the files under api/, and those that vercel.json rewrites to them. */
const ROUTES: readonly (readonly [path: RegExp, methods: Readonly<Record<string, Handler>>])[] = [
  [/^\/api\/cron$/, cron],
  [/^\/api\/health$/, health],
  [/^\/api\/keepalive$/, keepalive],
  [/^\/api\/keepalive\/[^/]+$/, target],
  [/^\/(?:api\/page)?$/, page],
  [/^\/(?:t|api\/page)\/[^/]+$/, targetPage],
  [/^\/(?:api\/)?sign-in$/, signIn],
];

/** Serves the functions on this machine. Rejects where the port cannot be had. */
export async function serve(port: number): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    void respond(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return { server, port: (server.address() as AddressInfo).port };
}

async function respond(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  try {
    const answer = await dispatch(incoming);
    const body = Buffer.from(await answer.arrayBuffer());
    if (!incoming.complete) outgoing.setHeader('connection', 'close');
    outgoing.writeHead(answer.status, {
      ...Object.fromEntries(answer.headers),
      'content-length': String(body.length),
    });
    outgoing.end(incoming.method === 'HEAD' ? undefined : body);
    incoming.resume();
  } catch (error) {
    console.error(error);
    outgoing.destroy();
  }
}

async function dispatch(incoming: IncomingMessage): Promise<Response> {
  const path = incoming.url ?? '/';
  if (!URL.canParse(path, 'http://localhost')) {
    return answerError(400, 'bad_request', 'The path cannot be read.');
  }
  const url = new URL(path, 'http://localhost');
  const route = ROUTES.find(([path]) => path.test(url.pathname));
  if (route === undefined) {
    return (
      (await staticFile(incoming, url.pathname)) ?? answerError(404, 'not_found', 'Nothing is served here.')
    );
  }
  const method = incoming.method === 'HEAD' ? 'GET' : (incoming.method ?? 'GET');
  const handler = Object.hasOwn(route[1], method) ? route[1][method] : undefined;
  if (handler === undefined) return answerError(405, 'method_not_allowed', 'This method is not served here.');
  const headers = Object.entries(incoming.headersDistinct).flatMap(([name, values]) =>
    (values ?? []).map((value): [string, string] => [name, value]),
  );
  const body = await bodyOf(incoming);
  if (body === null) return answerError(413, 'too_large', 'The body is too large.');
  return handler(new Request(url, { method, headers, ...(body.length === 0 ? {} : { body }) }));
}

/** Null: it is longer than allowed. */
async function bodyOf(incoming: IncomingMessage): Promise<Buffer<ArrayBuffer> | null> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_BODY) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
