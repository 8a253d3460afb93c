/* eslint-disable @typescript-eslint/no-deprecated -- undici 7 itself calls these handlers; the newer ones wrap them at a cost, and do not tell the first byte. */
import type { Socket } from 'node:net';
import { Client } from 'undici';
import { codeOf, failureOf, ProbeFailure } from './failure.js';
import type { Limit } from './limit.js';

/** Bytes of a header block at most, as Node's own default. */
const MAX_HEADERS = 16_384;
/** 1xx answers before the real one at most. */
const MAX_INTERIM = 16;

export interface ExchangeRequest {
  /** Connected, unused, and used up by the exchange. */
  readonly socket: Socket;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Names and values in turn, `host` among them. */
  readonly headers: readonly string[];
  readonly body: string | null;
  /** Bytes of the body that are read at most, as they come. */
  readonly maxBody: number;
  /** Whether the body of such an answer is wanted at all. */
  readonly wantsBody: (statusCode: number, headers: RawHeaders) => boolean;
  readonly onStatus: (statusCode: number) => void;
}

/** Names and values in turn, as they came. */
export type RawHeaders = readonly Buffer[];

export interface ExchangeAnswer {
  readonly statusCode: number;
  readonly headers: RawHeaders;
  readonly chunks: readonly Buffer[];
  /** The body was longer than `maxBody`: the rest was not read. */
  readonly cut: boolean;
  /** From the request to the first byte of the answer, in ms. */
  readonly ttfb: number;
}

/** One HTTP/1.1 request and its answer over a given socket. Rejects with a ProbeFailure. */
export type Exchange = (request: ExchangeRequest, limit: Limit) => Promise<ExchangeAnswer>;

/** A Client that sends one request at a time, each over the socket that it is handed. */
interface Slot {
  readonly client: Client;
  socket: Socket | null;
}

/** The transport on undici: Clients used again and again as slots, for making one costs more than a request. */
export function createExchange(): { exchange: Exchange; close: () => Promise<void> } {
  const idle: Slot[] = [];

  const exchange: Exchange = (request, limit) =>
    limit.guard('waiting for the answer', (resolve, reject) => {
      const slot = idle.pop() ?? createSlot();
      const { socket } = request;
      const start = performance.now();
      const chunks: Buffer[] = [];
      let ttfb: number | null = null;
      let statusCode = 0;
      let headers: RawHeaders = [];
      let size = 0;
      let interim = 0;
      let over = false;

      // A slot whose exchange did not end well is not used again.
      const discard = () => {
        over = true;
        socket.destroy();
      };
      const fail = (error: unknown) => {
        discard();
        reject(failureOf(error, 'exchange'));
      };
      const answer = (cut: boolean) =>
        resolve({ statusCode, headers, chunks, cut, ttfb: ttfb ?? performance.now() - start });

      slot.socket = socket;
      slot.client.dispatch(
        {
          method: request.method,
          path: request.path,
          headers: request.headers as string[],
          body: request.body,
          reset: true,
        },
        {
          onConnect: () => undefined,
          onResponseStarted() {
            ttfb ??= performance.now() - start;
          },
          onHeaders(status, raw) {
            if (over) return true;
            if (status < 200) {
              if (++interim > MAX_INTERIM) fail(new ProbeFailure('protocol', 'too many interim answers'));
              return true;
            }
            statusCode = status;
            headers = raw;
            limit.stage = 'in the body';
            request.onStatus(status);
            if (!request.wantsBody(status, raw)) {
              answer(false);
              discard();
            }
            return true;
          },
          onData(chunk) {
            if (over) return true;
            size += chunk.length;
            if (size > request.maxBody) {
              answer(true);
              discard();
            } else chunks.push(chunk);
            return true;
          },
          onComplete() {
            if (over) return;
            over = true;
            answer(false);
            // undici would destroy it with an error, whose stack costs a tenth of the check.
            socket.destroy();
            socket.once('close', () => idle.push(slot));
          },
          onError(error) {
            // undici hangs up without a code of its own on what it does not expect, as on 101.
            const gaveUp = codeOf(error) === 'UND_ERR_SOCKET' && !socket.readableEnded;
            fail(gaveUp ? new ProbeFailure('protocol', 'unexpected answer', { cause: error }) : error);
          },
        },
      );
      return discard;
    });

  return {
    exchange,
    async close() {
      await Promise.all(idle.splice(0).map(({ client }) => client.destroy()));
    },
  };
}

function createSlot(): Slot {
  const client = new Client('http://slot', {
    // undici connects anew while a request is pending, so a socket is given once; it ignores an answer in the same call.
    connect: (_options, callback) => {
      const { socket } = slot;
      slot.socket = null;
      queueMicrotask(() => {
        if (socket) callback(null, socket);
        else callback(Object.assign(new Error('no socket'), { code: 'ECONNRESET' }), null);
      });
    },
    maxHeaderSize: MAX_HEADERS,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const slot: Slot = { client, socket: null };
  return slot;
}
