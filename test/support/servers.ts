import { spawn } from 'node:child_process';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { connect, createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTls, type TlsOptions } from 'node:tls';
import { atEnd } from './at-end.js';

export interface Listening {
  readonly port: number;
  /** Connections accepted so far. */
  readonly accepted: () => number;
}

async function listen(server: Server, address: string): Promise<Listening> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, resolve);
  });
  atEnd(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return { port: (server.address() as AddressInfo).port, accepted: () => accepted };
}

/** Servers on loopback that end with the test file. */
export const serveHttp = (listener: RequestListener, address = '127.0.0.1'): Promise<Listening> =>
  listen(createHttp(listener), address);

export const serveHttps = (tls: TlsOptions, listener: RequestListener): Promise<Listening> =>
  listen(createHttps(tls, listener), '127.0.0.1');

export const serveTcp = (onSocket: (socket: Socket) => void): Promise<Listening> =>
  listen(createTcp(onSocket), '127.0.0.1');

export const serveTls = (tls: TlsOptions, onSocket?: (socket: Socket) => void): Promise<Listening> =>
  listen(createTls(tls, onSocket), '127.0.0.1');

/** A server that answers the first bytes it gets by `answer`. */
export const serveRaw = (answer: (socket: Socket) => void): Promise<Listening> =>
  serveTcp((socket) => socket.once('data', () => answer(socket)));

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createTcp();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const BLOCKED = `
  const [address, port] = process.argv.slice(1);
  require('node:net').createServer().listen({ host: address, port: Number(port), backlog: 1 }, () => {
    require('node:fs').writeSync(1, 'listening');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/** Makes connections to an address and port hang: a blocked process listens there, its queue is full. */
export async function hang(address: string, port: number): Promise<void> {
  const child = spawn(process.execPath, ['-e', BLOCKED, address, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const fillers = Array.from({ length: 4 }, () =>
    connect({ host: address, port }).on('error', () => undefined),
  );
  atEnd(() => {
    for (const filler of fillers) filler.destroy();
    return new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    });
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
}
