import { PROTOCOLS } from '../protocols.js';
import { decodeBody } from './body-decoder.js';
import { connect, secure } from './connect.js';
import type { Deadline } from './deadline.js';
import { exchange, type ExchangeResponse } from './exchange.js';
import { HEADERS } from './http-probe.js';
import { newTrace, type ProbeContext } from './probe-context.js';

/** What requests to hosts share. */
export interface HostClient {
  readonly shared: Omit<ProbeContext, 'deadline' | 'trace'>;
  /** For tests: where an address leads instead. */
  readonly at: (address: URL) => URL;
}

export interface HostRequest {
  readonly address: URL;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Bytes of the answer that are read at most. */
  readonly maxBody: number;
}

/**
 * Asks a host about an app: one request, with its certificate verified. Redirects are not followed. Null: no answer came
 * in time. Never rejects.
 */
export async function requestOfHost(
  { shared, at }: HostClient,
  { address, method, headers, body, maxBody }: HostRequest,
  deadline: Deadline,
): Promise<ExchangeResponse | null> {
  const url = at(address);
  const context: ProbeContext = { ...shared, deadline, trace: newTrace() };
  const isHttps = url.protocol === 'https:';
  const port = url.port === '' ? PROTOCOLS[isHttps ? 'https:' : 'http:'].defaultPort : Number(url.port);
  try {
    const { socket } = await connect(url, port, context, () => true);
    try {
      return await exchange(
        {
          socket: isHttps ? await secure(socket, url, true, ['http/1.1'], context) : socket,
          method,
          path: url.pathname + url.search,
          headers: { Host: url.host, 'User-Agent': shared.userAgent, ...HEADERS, ...headers },
          body,
          maxBody,
          keepBody: true,
          onHead: () => true,
        },
        deadline,
      );
    } finally {
      socket.destroy();
    }
  } catch {
    return null;
  }
}

/** Null for what is no JSON. */
export async function jsonOf(answer: ExchangeResponse, maxBody: number): Promise<unknown> {
  try {
    const encoding = answer.headers.get('content-encoding') ?? '';
    const { text } = await decodeBody(answer, encoding, 'application/json', maxBody);
    return JSON.parse(text);
  } catch {
    return null;
  }
}
