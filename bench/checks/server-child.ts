import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

/** How the targets are to be from now on; an answer tells where they are and what was true until then. */
export interface Manner {
  /** Ms from the request to its answer. */
  readonly delay: number;
  /** Ms from a client's part of the TLS handshake to the server's; none: as soon as it can. */
  readonly handshake?: number;
}

export interface Truth {
  readonly ports: readonly number[];
  readonly tlsPorts: readonly number[];
  /**
   * Ms from a request to its answer (or of the delay of a handshake), as the server saw it, since the last manner, with
   * the address and port at which it came.
   */
  readonly latencies: readonly (readonly [host: string, ms: number])[];
}

const BODY = JSON.stringify({ status: 'healthy', version: '1.4.2', uptime: 86_400, checks: { redis: 'ok' } });
const ANSWER = [
  'HTTP/1.1 200 OK',
  'date: Sat, 21 Nov 2026 12:00:00 GMT',
  'content-type: application/json; charset=utf-8',
  `content-length: ${BODY.length}`,
  'cache-control: no-store',
  'vary: origin, accept-encoding',
  'x-request-id: 4f2c1a9e-77d0-4c7a-9d55-0e3f5c1b7a10',
  '',
  BODY,
].join('\r\n');
/** Ms that a connection may be idle, as Node's own server has it. */
const KEPT_ALIVE = 5_000;

let delay = 0;
let handshake: number | undefined;
let latencies: [string, number][] = [];
const hostOf = ({ localAddress, localPort }: Socket) => `${localAddress}:${localPort}`;

/** Answers whatever comes, and keeps the connection unless asked to close it. */
function serve(socket: Socket, host = hostOf(socket)): void {
  socket.on('error', () => undefined);
  socket.setTimeout(KEPT_ALIVE, () => socket.destroy());
  socket.on('data', (request: Buffer) => {
    const start = performance.now();
    const closes = request.includes('lose\r\n');
    const answer = () => {
      latencies.push([host, performance.now() - start]);
      socket.write(ANSWER);
      if (closes) socket.end();
    };
    if (delay === 0) answer();
    else setTimeout(answer, delay);
  });
}

const { TLS_KEY: key, TLS_CERT: cert } = process.env;
const secureContext = createSecureContext({ key, cert });
const serveSecure = (socket: Socket) => {
  socket.on('error', () => undefined);
  const host = hostOf(socket);
  const secure = () => serve(new TLSSocket(socket, { isServer: true, secureContext }), host);
  if (handshake === undefined) {
    secure();
    return;
  }
  const wait = handshake;
  socket.once('readable', () => {
    const start = performance.now();
    setTimeout(() => {
      latencies.push([host, performance.now() - start]);
      secure();
    }, wait);
  });
};

async function listen(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => onConnection(socket));
  server.listen({ host: '0.0.0.0', port: 0, backlog: 4096 });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const count = Number(process.env.PORTS);
const ports = await Promise.all(Array.from({ length: count }, () => listen(serve)));
const tlsPorts = await Promise.all(Array.from({ length: count }, () => listen(serveSecure)));
process.on('message', (message) => {
  process.send?.({ ports, tlsPorts, latencies } satisfies Truth);
  ({ delay, handshake } = message as Manner);
  latencies = [];
});
