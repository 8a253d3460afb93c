import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ErrorReply, createClient } from '@redis/client';

/** What goes wrong with one request. */
export type Fault =
  /** The connection breaks; nothing was executed. */
  | { readonly kind: 'refuse' }
  /** Executed, then the connection breaks. */
  | { readonly kind: 'lose-answer' }
  /** Executed, and the connection breaks in the middle of the answer. */
  | { readonly kind: 'half-answer' }
  /** Executed; the answer comes when `until` resolves. */
  | { readonly kind: 'late'; readonly until: Promise<unknown> }
  /** Executed when `until` resolves, when nobody may be waiting any more. */
  | { readonly kind: 'late-execution'; readonly until: Promise<unknown> }
  /** No answer until the client gives up; nothing was executed. */
  | { readonly kind: 'hang' }
  /** Not executed, answered with this. */
  | { readonly kind: 'answer'; readonly status: number; readonly body: string };

interface FrontRequest {
  readonly path: string;
  readonly commands: readonly (readonly string[])[];
  readonly headers: IncomingMessage['headers'];
  readonly bodyBytes: number;
}

export interface UpstashFront {
  readonly url: string;
  readonly token: string;
  readonly readOnlyToken: string;
  /** All requests with a valid token since the start or `reset`. */
  readonly requests: readonly FrontRequest[];
  /** Bodies of all requests and answers since the start or `reset`. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Asked at each request what shall go wrong with it; null: nothing. */
  fault: (request: FrontRequest) => Fault | null;
  /** Forgets requests, bytes and fault. */
  reset(): void;
  /** Closes the port and every connection. */
  stop(): Promise<void>;
  /** Opens the same port again. */
  start(): Promise<void>;
  /** Stops for good. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The commands that the store uses to read; a read-only token may use nothing else. */
const READS = new Set(['GET', 'MGET', 'HGET', 'HMGET', 'HGETALL', 'PING']);

/** Serves Upstash's REST API (https://upstash.com/docs/redis/features/restapi) on loopback, before a real Redis. */
export async function startUpstashFront(options: {
  readonly redisPort: number;
  readonly token: string;
  readonly port?: number;
}): Promise<UpstashFront> {
  const redis = createClient({ RESP: 2, socket: { host: '127.0.0.1', port: options.redisPort } });
  redis.on('error', () => undefined);
  await redis.connect();

  const { token } = options;
  const readOnlyToken = `${token}-read-only`;
  const noFault = () => null;
  let requests: FrontRequest[] = [];
  let bytesIn = 0;
  let bytesOut = 0;
  let writes = 0;
  let port = options.port ?? 0;
  let server: Server;

  const run = async (command: readonly string[], readOnly: boolean) => {
    const name = (command[0] ?? '').toUpperCase();
    if (readOnly && !READS.has(name)) {
      return { error: `NOPERM this user has no permissions to run the '${name.toLowerCase()}' command` };
    }
    try {
      return { result: await redis.sendCommand(command) };
    } catch (error) {
      if (error instanceof ErrorReply) return { error: error.message };
      throw error;
    }
  };

  const execute = async ({ path, commands }: FrontRequest, readOnly: boolean): Promise<Answer> => {
    if (path === '/multi-exec') {
      const queued = [['MULTI'], ...commands, ['EXEC']].map((command) => run(command, readOnly));
      const outcome = (await Promise.all(queued)).at(-1);
      if (!outcome || outcome.error !== undefined) return { status: 400, body: outcome };
      return { status: 200, body: (outcome.result as unknown as unknown[]).map((result) => ({ result })) };
    }
    const outcomes = await Promise.all(commands.map((command) => run(command, readOnly)));
    if (path === '/pipeline') return { status: 200, body: outcomes };
    return { status: outcomes[0]?.error === undefined ? 200 : 400, body: outcomes[0] };
  };

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const body = await text(incoming);
    bytesIn += Buffer.byteLength(body);
    const answer = (status: number, content: string, cutAt = Infinity) => {
      outgoing.writeHead(status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(content),
        'upstash-sync-token': `front:${++writes}`,
      });
      bytesOut += Buffer.byteLength(content);
      if (cutAt >= content.length) return outgoing.end(content);
      return outgoing.write(content.slice(0, cutAt), () => outgoing.destroy());
    };
    const refuse = (status: number, error: string) => answer(status, JSON.stringify({ error }));

    if (incoming.method !== 'POST') return refuse(405, 'ERR method not allowed');
    const bearer = incoming.headers.authorization;
    if (bearer !== `Bearer ${token}` && bearer !== `Bearer ${readOnlyToken}`) {
      return refuse(401, 'WRONGPASS invalid or missing auth token');
    }
    const path = incoming.url ?? '/';
    const commands = parse(path, body);
    if (!commands) return refuse(400, 'ERR failed to parse command');
    const request: FrontRequest = {
      path,
      commands,
      headers: incoming.headers,
      bodyBytes: Buffer.byteLength(body),
    };
    requests.push(request);

    const fault = front.fault(request);
    if (fault?.kind === 'hang') return undefined;
    if (fault?.kind === 'refuse') return outgoing.destroy();
    if (fault?.kind === 'answer') return answer(fault.status, fault.body);
    if (fault?.kind === 'late-execution') await fault.until;
    const { status, body: result } = await execute(request, bearer !== `Bearer ${token}`);
    if (fault?.kind === 'lose-answer') return outgoing.destroy();
    if (fault?.kind === 'late') await fault.until;
    const encoded = incoming.headers['upstash-encoding'] === 'base64' ? base64(result) : result;
    const content = JSON.stringify(encoded);
    return answer(status, content, fault?.kind === 'half-answer' ? Math.ceil(content.length / 2) : undefined);
  };

  const front: UpstashFront = {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    token,
    readOnlyToken,
    get requests() {
      return requests;
    },
    get bytesIn() {
      return bytesIn;
    },
    get bytesOut() {
      return bytesOut;
    },
    fault: noFault,
    reset() {
      requests = [];
      bytesIn = 0;
      bytesOut = 0;
      front.fault = noFault;
    },
    async start() {
      server = createServer((incoming, outgoing) => {
        handle(incoming, outgoing).catch(() => outgoing.destroy());
      });
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      port = (server.address() as AddressInfo).port;
    },
    async stop() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
    async close() {
      await front.stop();
      redis.destroy();
    },
  };
  await front.start();
  return front;
}

async function text(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** The commands of a request, or null when there are none. */
function parse(path: string, body: string): string[][] | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return null;
  }
  const commands: unknown = path === '/' ? [parsed] : parsed;
  if (!['/', '/pipeline', '/multi-exec'].includes(path) || !Array.isArray(commands)) return null;
  const isCommand = (command: unknown) => Array.isArray(command) && command.length > 0;
  if (commands.length === 0 || !commands.every(isCommand)) return null;
  return (commands as unknown[][]).map((command) => command.map(String));
}

/** Texts of results as base64, `error` as it is. */
function base64(value: unknown): unknown {
  if (typeof value === 'string') return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(base64);
  if (typeof value !== 'object' || value === null || !('result' in value)) return value;
  return { result: base64(value.result) };
}
