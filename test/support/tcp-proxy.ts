import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** What happens to requests: passed on, or the connection broken in their stead. */
  requests: 'pass' | 'break';
  /** What happens to answers: passed on, swallowed, or in their stead the connection broken or this sent. */
  answers: 'pass' | 'swallow' | 'break' | Buffer;
  /** Breaks all connections. */
  cut(): void;
  close(): Promise<void>;
}

/** Stands between a client and a server on loopback, counts bytes and spoils requests and answers. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let bytesIn = 0;
  let bytesOut = 0;
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => {
      if (proxy.requests === 'break') {
        client.destroy();
        return;
      }
      bytesIn += chunk.length;
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (proxy.answers === 'break') client.destroy();
      if (Buffer.isBuffer(proxy.answers)) client.write(proxy.answers);
      if (proxy.answers !== 'pass') return;
      bytesOut += chunk.length;
      client.write(chunk);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    get bytesIn() {
      return bytesIn;
    },
    get bytesOut() {
      return bytesOut;
    },
    requests: 'pass',
    answers: 'pass',
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      proxy.cut();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
