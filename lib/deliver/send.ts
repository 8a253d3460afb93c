import { setMaxListeners } from 'node:events';
import { connect as openSocket, isIP, type Socket } from 'node:net';
import { connect as openTls } from 'node:tls';
import type { IncomingHttpHeaders } from 'node:http';
import type { Endpoint } from '../config/request.js';
import { codeOf, failureOf } from '../probe/failure.js';
import { DeliveryError } from './channel.js';
import { HOUR } from '../time.js';

/** Bytes of an answer that are read at most: enough for what a service says of a refusal. */
const MAX_ANSWER = 16_384;

export interface Outgoing {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Bytes of the answer that are read at most; 16 KB where it is not given. */
  readonly maxAnswer?: number;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly headers: Readonly<IncomingHttpHeaders>;
  /** What was read of the body. */
  readonly text: string;
}

export type Send = (request: Outgoing, signal: AbortSignal) => Promise<ServiceAnswer>;

/**
 * Makes one HTTP request over a connection of its own, follows no redirect, and gives whatever status comes. The
 * status is the answer: a body that breaks off or stalls ends where it got to, the latter when the signal fires.
 * @throws DeliveryError `temporary` when no answer came, `permanent` when the request cannot be sent at all
 */
export async function send(
  { url, method, headers, body, maxAnswer = MAX_ANSWER }: Outgoing,
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  const { Client } = await import('undici');
  const { origin, pathname, search } = new URL(url);
  let socket: Socket | null = null;
  const client = new Client(origin, {
    // undici neither stops connecting when a signal fires, nor says which socket it opened.
    connect({ protocol, hostname, port }, callback) {
      const host = hostname.replace(/^\[|\]$/g, '');
      const secure = protocol === 'https:';
      const target = { host, port: Number(port || (secure ? 443 : 80)) };
      const opened = secure
        ? openTls({
            ...target,
            ...(isIP(host) === 0 && { servername: host }),
            ALPNProtocols: ['http/1.1'],
          })
        : openSocket(target);
      socket = opened;
      const fail = (error: Error) => callback(error, null);
      opened.once('error', fail);
      opened.once(secure ? 'secureConnect' : 'connect', () => {
        opened.removeListener('error', fail);
        callback(null, opened);
      });
    },
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  let stop: () => void = () => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new DeliveryError('temporary', 'no answer in time', { cause: 'ABORTED' }));
  });
  stopped.catch(() => undefined);
  // One signal ends all deliveries of a run.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const request = {
      method,
      path: pathname + search,
      headers: { ...(hasUserAgent(headers) ? {} : { 'user-agent': 'keepalive' }), ...headers },
      body,
      reset: true,
    };
    const asked = client.request(request);
    // If the answer comes as the signal fires, nobody reads it, and an error of its body would end the process.
    asked.then(({ body }) => body.on('error', () => undefined)).catch(() => undefined);
    const answer = await Promise.race([stopped, asked]);
    const text = await readText(answer.body, { most: maxAnswer, stopped });
    return { status: answer.statusCode, headers: answer.headers, text };
  } catch (error) {
    throw deliveryErrorOf(error);
  } finally {
    signal.removeEventListener('abort', stop);
    void client.destroy().catch(() => undefined);
    end(socket);
  }
}

const hasUserAgent = (headers: Outgoing['headers']): boolean =>
  Object.keys(headers).some((name) => name.toLowerCase() === 'user-agent');

/** Destroys a socket, whatever its state. */
function end(socket: Socket | null): void {
  socket?.on('error', () => undefined).destroy();
}

async function readText(
  body: AsyncIterable<Uint8Array>,
  { most, stopped }: { readonly most: number; readonly stopped: Promise<never> },
): Promise<string> {
  const chunks: Uint8Array[] = [];
  const read = async () => {
    let size = 0;
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= most) break;
    }
  };
  await Promise.race([stopped, read()]).catch(() => undefined);
  return Buffer.concat(chunks).subarray(0, most).toString();
}

/** The cause is a code alone: the error itself may quote an address, or what a peer sent back. */
function deliveryErrorOf(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  const code = codeOf(error);
  const { message } = failureOf(error, /^(?:ENOTFOUND|ENODATA|EAI_)/.test(code) ? 'dns' : 'exchange');
  const cannotBeSent = code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED';
  return new DeliveryError(cannotBeSent ? 'permanent' : 'temporary', message, { cause: code });
}

/**
 * Posts JSON to where a channel is configured to be.
 * @throws DeliveryError as `send` does
 */
export function post(
  { url, authorization }: Endpoint,
  payload: unknown,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<ServiceAnswer> {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return send(
    {
      url,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(authorization !== null && { authorization }),
        ...headers,
      },
      body,
    },
    signal,
  );
}

/** Statuses below 500 after which the same request may succeed later: request timeout, too early. */
const PASSING = new Set([408, 425]);
/** Ms; an alert is tried for a day. */
const LONGEST_WAIT = HOUR;

/**
 * Returns where the answer says that the message was accepted.
 * @throws DeliveryError for every other, `retryAfter` as the service asks, an hour at most. A redirect is not followed: it
 * may lead anywhere, and what is sent was meant for the configured address.
 */
export function accept(answer: ServiceAnswer): void {
  const { status } = answer;
  if (status >= 200 && status < 300) return;
  const retryAfter = waitOf(answer);
  const passes = status >= 500 || PASSING.has(status);
  // A service that says when to try again does not refuse for good.
  const isLimit = status === 429 || (!passes && retryAfter !== null);
  const code = isLimit ? 'rate_limited' : passes ? 'temporary' : 'permanent';
  throw new DeliveryError(code, `answered ${status}`, { retryAfter });
}

/** Ms; null where the answer does not say, or says nonsense. */
function waitOf({ headers, text }: ServiceAnswer): number | null {
  const waits = [inHeader(headers['retry-after']), inJson(text)].filter(
    (wait) => wait !== null && Number.isFinite(wait) && wait >= 0,
  );
  return waits.length === 0 ? null : Math.min(LONGEST_WAIT, Math.ceil(Math.max(...waits.map(Number))));
}

/** RFC 9110, 10.2.3: seconds or a date; some send a fraction. */
function inHeader(value: unknown): number | null {
  if (typeof value !== 'string') return null;
  if (/^\d+(?:\.\d+)?$/.test(value)) return Number(value) * 1000;
  return /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/.test(value)
    ? Date.parse(value) - Date.now()
    : null;
}

/** Discord: `retry_after`, Telegram: `parameters.retry_after`, both in seconds. */
function inJson(text: string): number | null {
  try {
    const json = JSON.parse(text) as { retry_after?: unknown; parameters?: { retry_after?: unknown } } | null;
    const seconds = json?.retry_after ?? json?.parameters?.retry_after;
    return typeof seconds === 'number' ? seconds * 1000 : null;
  } catch {
    return null;
  }
}
