import { request as httpRequest, type IncomingMessage } from 'node:http';
import { closedEarly, failureOf } from '../../lib/probe/failure.js';
import type { Exchange } from '../../lib/probe/exchange.js';

/** As Chrome and our own parser have it. */
const MAX_HEAD = 256 * 1024;
/** Headers whose values are not joined by commas. */
const ONE_BY_ONE = ['location', 'set-cookie'];

/** The same as `exchange` of lib/probe, with Node's HTTP client and parser instead of our own. */
export const nodeExchange: Exchange = (request, deadline) => {
  const { socket, method, path, headers, body, maxBody, keepBody, onHead } = request;
  const start = deadline.elapsed;
  return deadline.guard('waiting for the answer', (resolve, reject) => {
    const fail = (error: unknown) => reject(failureOf(error, 'exchange'));
    const sent = httpRequest({
      createConnection: () => socket,
      method,
      path,
      headers: { ...headers, Connection: 'close' },
      setHost: false,
      insecureHTTPParser: true,
      maxHeaderSize: MAX_HEAD,
    });
    sent.on('error', fail);
    sent.on('response', (response) => {
      const ttfb = deadline.elapsed - start;
      const { statusCode = 0 } = response;
      const found = headersOf(response);
      const pieces: Buffer[] = [];
      let length = 0;
      const end = (cut: boolean) =>
        resolve({ statusCode, headers: found, body: Buffer.concat(pieces), cut, ttfb }, deadline.elapsed);
      if (!onHead(statusCode, found)) {
        end(false);
        return;
      }
      response.on('data', (piece: Buffer) => {
        const rest = maxBody - length;
        length += piece.length;
        if (keepBody) pieces.push(piece.length > rest ? piece.subarray(0, rest) : piece);
        if (length > maxBody) {
          end(true);
          response.destroy();
        }
      });
      response.on('end', () => end(false));
      response.on('error', fail);
      response.on('aborted', () => fail(closedEarly()));
    });
    deadline.beginStep();
    sent.end(body ?? undefined);
    return () => sent.destroy();
  });
};

function headersOf({ rawHeaders }: IncomingMessage): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const value = rawHeaders[i + 1] ?? '';
    const before = headers.get(name);
    const link = ONE_BY_ONE.includes(name) ? '\n' : ', ';
    headers.set(name, before === undefined ? value : before + link + value);
  }
  return headers;
}
