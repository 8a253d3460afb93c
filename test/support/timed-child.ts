import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

/** How long a server takes over each part, in ms. */
export interface Pace {
  /** From the first bytes of a TLS handshake to its own part. */
  readonly handshake: number;
  /** From the request to the head of the answer. */
  readonly head: number;
  /** From there to the body. */
  readonly body: number;
}

/** What a server measured of its last connection, in ms; null: it did not come to that. */
export interface Measured {
  readonly handshake: number | null;
  /** From the request to the first and the last bytes of the answer. */
  readonly first: number | null;
  readonly last: number | null;
}

/** Ports of servers, and what each measured since it was asked before. */
export interface TimedServers {
  readonly plain: readonly number[];
  readonly secure: readonly number[];
  readonly measured: readonly (readonly [port: number, Measured])[];
}

const [count = '0', key, cert] = process.argv.slice(2);
const secureContext = createSecureContext({ key, cert });
let paces: readonly Pace[] = [];
let measured = new Map<number, Measured>();

/** Makes a server that takes its time, and notes how much. Each time is taken just before it sends. */
async function listen(index: number, isSecure: boolean): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    const pace = paces[index] ?? { handshake: 0, head: 0, body: 0 };
    const note = (part: Partial<Measured>) => {
      const known = measured.get(port) ?? { handshake: null, first: null, last: null };
      measured.set(port, { ...known, ...part });
    };
    socket.on('error', () => undefined);
    if (!isSecure) {
      answer(socket, pace, note);
      return;
    }
    socket.once('readable', () => {
      const start = performance.now();
      setTimeout(() => {
        note({ handshake: performance.now() - start });
        const secured = new TLSSocket(socket, { isServer: true, secureContext });
        secured.on('error', () => undefined);
        answer(secured, pace, note);
      }, pace.handshake);
    });
  });
  server.listen({ host: '127.0.0.1', port: 0, backlog: 1024 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return port;
}

function answer(socket: Socket, { head, body }: Pace, note: (part: Partial<Measured>) => void): void {
  socket.once('data', () => {
    const start = performance.now();
    setTimeout(() => {
      note({ first: performance.now() - start });
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n');
      setTimeout(() => {
        note({ last: performance.now() - start });
        socket.end('healthy');
      }, body);
    }, head);
  });
}

const indices = Array.from({ length: Number(count) }, (_, i) => i);
const plain = await Promise.all(indices.map((index) => listen(index, false)));
const secure = await Promise.all(indices.map((index) => listen(index, true)));

/** A message sets the paces of the servers and asks for what they measured until then. */
process.on('message', (message) => {
  process.send?.({ plain, secure, measured: [...measured] } satisfies TimedServers);
  paces = message as readonly Pace[];
  measured = new Map();
});
