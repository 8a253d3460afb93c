import {
  connect as openSession,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { Reason, TargetOf } from '../types.js';
import { ByteCollector } from './bytes.js';
import { connect, secure } from './connect.js';
import { closedEarly, closedWithoutTls, codeOf, failureOf, ProbeFailure } from './failure.js';
import { mayBeOwnAnswer, missing, noteOrigin } from './http-probe.js';
import type { Probe, ProbeContext } from './probe-context.js';

type GrpcTarget = TargetOf<'grpc:' | 'grpcs:'>;

const CHECK = '/grpc.health.v1.Health/Check';
/** Bytes of the answer's message at most: it has one small field. */
const MAX_MESSAGE = 4_096;
/** Bytes of a head at most, as HPACK counts them. */
const MAX_HEAD = 64 * 1024;
/** Bytes of the connection at most, and how often they are looked at, in ms. */
const MAX_BYTES = 1024 * 1024;
const COUNTED_EVERY = 50;
/** SETTINGS and PING frames at most. */
const MAX_CONTROL = 100;

/** HealthCheckResponse.ServingStatus by number (grpc.health.v1). */
const UNKNOWN_SERVICE = 'the health service does not know this service';
const SERVING = 1;
const NOT_SERVING: ReadonlyMap<number, string> = new Map([
  [0, 'the service says that its health is UNKNOWN'],
  [2, 'the service says that it is NOT_SERVING'],
  [3, UNKNOWN_SERVICE],
]);

/** The status codes of gRPC, by number. */
const STATUS_NAMES = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE'],
  ...['UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];
/** What proxies say too, where the server does not answer them. */
const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;
const OF_PROXIES: readonly number[] = [DEADLINE_EXCEEDED, UNAVAILABLE];
const STATUSES: ReadonlyMap<number, readonly [Reason, string]> = new Map([
  // The server knows our own time limit by `grpc-timeout`, and may answer just before we stop waiting.
  [DEADLINE_EXCEEDED, ['timeout', 'timed out waiting for the answer (DEADLINE_EXCEEDED)']],
  [5, ['query', UNKNOWN_SERVICE]],
  [7, ['query', 'the server does not permit the check (PERMISSION_DENIED): see HEADERS']],
  [12, ['query', 'the server has no health service (UNIMPLEMENTED): add grpc.health.v1.Health']],
  [UNAVAILABLE, ['connect', 'the service is not available (UNAVAILABLE)']],
  [16, ['query', 'the server wants credentials (UNAUTHENTICATED): set HEADERS']],
]);

/** gRPC: good when the standard health service says SERVING. The path is the service's name, empty: the whole server. */
export const probeGrpc: Probe<'grpc:' | 'grpcs:'> = async (target, url, context) => {
  const { socket } = await connect(url, Number(url.port), context, () => true);
  try {
    const stream = target.protocol === 'grpcs:' ? await secured(socket, target, url, context) : socket;
    const request = { stream, headers: headersOf(target, url, context.userAgent), message: requestFor(url) };
    await askHealth(request, target, context);
  } finally {
    socket.destroy();
  }
  return null;
};

async function secured(
  socket: Socket,
  { tlsVerify }: TargetOf<'grpcs:'>,
  url: URL,
  context: ProbeContext,
): Promise<Socket> {
  const stream = await secure(socket, url, tlsVerify, ['h2'], context);
  // Servers that know nothing of ALPN choose none.
  if (stream.alpnProtocol === 'h2' || stream.alpnProtocol === false) return stream;
  throw new ProbeFailure('tls', 'no common protocol: the server does not offer HTTP/2');
}

function headersOf(target: GrpcTarget, url: URL, userAgent: string): Record<string, string> {
  const { headers, protocol, timeout } = target;
  const all = { ...missing({ Host: url.host, 'User-Agent': userAgent }, headers), ...headers };
  const { host, ...named } = Object.fromEntries(
    Object.entries(all).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return {
    ':method': 'POST',
    ':scheme': protocol === 'grpcs:' ? 'https' : 'http',
    ':authority': host ?? url.host,
    ':path': CHECK,
    ...named,
    te: 'trailers',
    'content-type': 'application/grpc',
    'grpc-accept-encoding': 'identity',
    'grpc-timeout': `${Math.ceil(timeout)}m`,
  };
}

/** HealthCheckRequest { string service = 1; } behind the five bytes that each message of gRPC has: not compressed, length. */
function requestFor(url: URL): Buffer {
  const service = Buffer.from(decodeURIComponent(url.pathname.slice(1)));
  const field =
    service.length === 0 ? service : Buffer.concat([Buffer.of(0x0a), varint(service.length), service]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(field.length, 1);
  return Buffer.concat([head, field]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return Buffer.of(...bytes, rest);
    bytes.push((rest & 127) | 128);
  }
}

interface HealthRequest {
  readonly stream: Socket;
  readonly headers: Record<string, string>;
  readonly message: Buffer;
}

/** Resolves where the answer is SERVING. Rejects with a ProbeFailure. */
function askHealth(
  { stream, headers, message }: HealthRequest,
  target: GrpcTarget,
  context: ProbeContext,
): Promise<void> {
  const { deadline, trace } = context;
  const start = deadline.elapsed;
  return deadline.guard<undefined>('waiting for the answer', (resolve, reject) => {
    const answer = new ByteCollector(MAX_MESSAGE);
    const before = stream.bytesRead;
    let grpcStatus: string | undefined;
    let controls = 0;
    let isHttp2 = false;
    let isAnswered = false;
    let isOver = false;
    let session: ClientHttp2Session | null = null;

    const stop = () => {
      isOver = true;
      clearInterval(timer);
      session?.destroy();
    };
    const fail = (failure: ProbeFailure) => {
      const mayHaveTls = target.protocol === 'grpc:' && !isHttp2 && failure.code === 'reset';
      reject(mayHaveTls ? closedWithoutTls('grpcs://') : failure);
      stop();
    };
    const onError = (error: Error) => fail(failureOfSession(error, isHttp2 ? null : target.protocol));
    const countControl = () => {
      isHttp2 = true;
      if (++controls > MAX_CONTROL) fail(noAnswer());
    };
    // Frames that Node tells nobody of count too.
    const timer = setInterval(() => {
      if (stream.bytesRead - before > MAX_BYTES) fail(noAnswer());
    }, COUNTED_EVERY);

    const onResponse = (head: IncomingHttpHeaders & IncomingHttpStatusHeader) => {
      isAnswered = true;
      trace.ttfb = deadline.elapsed - start;
      const status = head[':status'] ?? 0;
      if (status !== 200) {
        const answers = new Map(Object.entries(head).map(([name, value]) => [name, String(value)]));
        trace.statusCode = status;
        trace.reached = mayBeOwnAnswer(status, target.assertions);
        noteOrigin({ statusCode: status, headers: answers }, null, target, new URL(target.url), context);
        fail(new ProbeFailure('status', `status ${status}, expected 200`));
      } else if (!head['content-type']?.startsWith('application/grpc')) {
        fail(new ProbeFailure('protocol', 'no gRPC answer: something else is served here'));
      } else {
        onStatus(head);
      }
    };
    const onStatus = (fields: IncomingHttpHeaders) => {
      const status = fields['grpc-status'];
      if (typeof status === 'string') grpcStatus = status;
    };
    const onData = (bytes: Buffer) => {
      if (answer.length + bytes.length > MAX_MESSAGE) fail(noAnswer());
      else answer.append(bytes, 0, bytes.length);
    };
    const onEnd = () => {
      // It comes after the session was destroyed too.
      if (isOver) return;
      const at = deadline.elapsed;
      if (!isAnswered) {
        fail(closedEarly());
        return;
      }
      const code = grpcStatus !== undefined && /^\d{1,2}$/.test(grpcStatus) ? Number(grpcStatus) : null;
      trace.reached = code !== null && !OF_PROXIES.includes(code);
      const failure = judge(code, answer.bytes);
      if (failure !== null) {
        fail(failure);
        return;
      }
      resolve(undefined, at);
      stop();
    };

    try {
      session = openSession(`http://${headers[':authority']}`, {
        createConnection: () => stream,
        maxSessionMemory: 1,
        maxReservedRemoteStreams: 0,
        settings: { enablePush: false, initialWindowSize: 65_535, maxHeaderListSize: MAX_HEAD },
      });
      session
        .on('error', onError)
        .on('close', () => fail(closedEarly()))
        .once('connect', () => deadline.beginStep())
        .on('remoteSettings', countControl)
        .on('ping', countControl);
      session
        .request(headers)
        .on('error', onError)
        .on('response', onResponse)
        .on('trailers', onStatus)
        .on('data', onData)
        .on('end', onEnd)
        .on('aborted', () => fail(closedEarly()))
        .on('close', () => fail(closedEarly()))
        .end(message);
    } catch (error) {
      fail(new ProbeFailure('protocol', 'request cannot be sent', { cause: error }));
    }
    return stop;
  });
}

/** Null for SERVING. */
function judge(code: number | null, answer: Buffer): ProbeFailure | null {
  if (code === null) return noAnswer();
  if (code !== 0) {
    const name = STATUS_NAMES[code];
    if (name === undefined) return noAnswer();
    return new ProbeFailure(...(STATUSES.get(code) ?? ['query', `the health service answers ${name}`]));
  }
  const status = servingStatus(answer);
  if (status === SERVING) return null;
  const message = status === null ? undefined : NOT_SERVING.get(status);
  return message === undefined ? noAnswer() : new ProbeFailure('query', message);
}

/** HealthCheckResponse { ServingStatus status = 1; }; null for bytes that are none. A field that is left out is 0. */
function servingStatus(bytes: Buffer): number | null {
  if (bytes.length < 5 || bytes[0] !== 0 || bytes.readUInt32BE(1) !== bytes.length - 5) return null;
  let at = 5;
  let status = 0;
  const read = (): number | null => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) return null;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    return null;
  };
  while (at < bytes.length) {
    const key = read();
    const value = key === null ? null : read();
    if (value === null || key === null) return null;
    if (key === 8) status = value;
    // Fields that later versions may add: numbers and texts.
    else if (key % 8 === 2) at += value;
    else if (key % 8 !== 0) return null;
  }
  return at === bytes.length ? status : null;
}

/** @param spoken null once the server has sent its settings */
function failureOfSession(error: Error, spoken: GrpcTarget['protocol'] | null): ProbeFailure {
  const code = codeOf(error);
  if (!code.startsWith('ERR_HTTP2')) return failureOf(error, 'dialogue');
  if (spoken !== null) {
    const remedy = spoken === 'grpc:' ? ': for a server with TLS, write grpcs://' : '';
    return new ProbeFailure('protocol', `the server does not speak HTTP/2 here${remedy}`, { cause: error });
  }
  if (code === 'ERR_HTTP2_STREAM_ERROR' || code === 'ERR_HTTP2_SESSION_ERROR') {
    return new ProbeFailure('reset', 'the server ended the request', { cause: error });
  }
  return noAnswer();
}

const noAnswer = () => new ProbeFailure('protocol', 'no valid gRPC answer');
