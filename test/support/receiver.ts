import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { serveHttp, serveRaw, serveTcp } from './servers.js';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  /** Without a slash at the end. */
  readonly url: string;
  readonly received: readonly Received[];
  readonly accepted: () => number;
}

/** A service that messages are sent to. `answer` gets how many it had before. */
export async function receive(
  answer: (response: ServerResponse, request: Received, before: number) => void = (response) =>
    response.end('ok'),
): Promise<Receiver> {
  const received: Received[] = [];
  const { port, accepted } = await serveHttp((request, response) => {
    void readBody(request).then((body) => {
      const { method = '', url = '', headers } = request;
      const had = received.push({ method, url, headers, body }) - 1;
      answer(response, { method, url, headers, body }, had);
    });
  });
  return { url: `http://127.0.0.1:${port}`, received, accepted };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Peers that do not speak HTTP to the end, by what they do. Each gives the port that it listens on. */
export const BAD_PEERS: Readonly<Record<string, () => Promise<number>>> = {
  'resets at once': async () => (await serveTcp((socket) => socket.resetAndDestroy())).port,
  'resets when asked': async () => (await serveRaw((socket) => socket.resetAndDestroy())).port,
  'closes when asked': async () => (await serveRaw((socket) => socket.end())).port,
  'breaks off in the headers': async () =>
    (await serveRaw((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-le'))).port,
  'sends garbage': async () =>
    (await serveRaw((socket) => socket.end('\u0000\u0001 no such thing\r\n\r\n'))).port,
  'sends headers without end': async () =>
    (
      await serveRaw((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${'x-more: and more\r\n'.repeat(5_000)}`);
      })
    ).port,
};
