import type { Socket } from 'node:net';
import { HttpParser, type ResponseHeaders, type ParserOptions } from './http-parser.js';
import { closedEarly, closingOf, failureOf, ProbeFailure } from './failure.js';
import type { Deadline } from './deadline.js';

/** Characters that are refused in a request: a line break in a header would let its value write the rest of the request. */
const UNFIT = /[^\t\x20-\x7e\x80-\xff]/;
const SENDS_BODY = ['POST', 'PUT', 'PATCH'];

export interface ExchangeRequest extends ParserOptions {
  /** A connected socket that has not been used. It is destroyed at the end. */
  readonly socket: Socket;
  /** Path and query. */
  readonly path: string;
  /** In the order and spelling in which they are sent, `Host` first, none that concerns the connection or the length. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface ExchangeResponse {
  readonly statusCode: number;
  readonly headers: ResponseHeaders;
  /** The body without any decoding; empty where it is not kept. */
  readonly body: Buffer;
  /** The body was longer than `maxBody`: the rest was not read. */
  readonly cut: boolean;
  /** From the request to the first byte of the answer, in ms. */
  readonly ttfb: number;
}

/** One HTTP/1.1 request and its answer over a given socket. Rejects with a ProbeFailure. */
export type Exchange = (request: ExchangeRequest, deadline: Deadline) => Promise<ExchangeResponse>;

/** The exchange with our own parser. */
export const exchange: Exchange = (request, deadline) => {
  const start = deadline.elapsed;
  return deadline.guard('waiting for the answer', (resolve, reject) => {
    const { socket } = request;
    const reader = new HttpParser(request);
    let ttfb: number | null = null;

    const stop = () => {
      // Node keeps a closed socket for a while, and with it what listens to it.
      socket.off('data', onData).off('end', onEnd).off('close', onClose).off('error', fail);
      socket.destroy();
    };
    // The clock stops before the cleaning up.
    const fail = (error: unknown) => {
      reject(failureOf(error, 'exchange'));
      stop();
    };
    const take = (read: () => void) => {
      const at = deadline.elapsed;
      ttfb ??= at - start;
      try {
        read();
      } catch (error) {
        fail(error);
        return;
      }
      if (!reader.isOver) return;
      const { statusCode, headers, body, cut } = reader;
      resolve({ statusCode, headers, body, cut, ttfb }, at);
      stop();
    };
    const onData = (bytes: Buffer) => take(() => reader.read(bytes));
    const onEnd = () => take(() => reader.end());
    // Without an end before it: also a body that ends with its connection is not whole.
    const onClose = () => fail(closedEarly());
    if (socket.destroyed) {
      fail(closingOf(socket, 'exchange'));
      return stop;
    }
    socket.on('data', onData).on('end', onEnd).on('close', onClose).on('error', fail);
    try {
      const text = textOf(request);
      deadline.beginStep();
      socket.write(text, 'latin1');
    } catch (error) {
      fail(error);
    }
    return stop;
  });
};

/** The text of the request. Each Latin-1 character stands for one byte. */
function textOf({ method, path, headers, body }: ExchangeRequest): string {
  const content = body === null ? '' : Buffer.from(body).toString('latin1');
  let text = `${method} ${path} HTTP/1.1\r\n`;
  let isFit = method !== 'CONNECT' && !UNFIT.test(path);
  for (const [name, value] of Object.entries(headers)) {
    isFit &&= !UNFIT.test(value);
    text += `${name}: ${value}\r\n`;
  }
  if (!isFit) throw new ProbeFailure('protocol', 'request cannot be sent');
  if (body !== null || SENDS_BODY.includes(method)) text += `Content-Length: ${content.length}\r\n`;
  return `${text}Connection: close\r\n\r\n${content}`;
}
