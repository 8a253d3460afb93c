import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { FromClock, ToClock } from './jumping-clock.js';

/** Drives the clock of one process that has loaded `jumping-clock.ts`. */
export class ClockDriver {
  /** The time of the process, as far as it has told it; ms since the epoch. */
  now = 0;
  #socket: Socket | null = null;
  #set: (() => void) | null = null;
  readonly #sleepers = new Map<number, () => void>();
  readonly #server = createServer((socket) => {
    this.#socket = socket;
    createInterface(socket).on('line', (line) => {
      const message = JSON.parse(line) as FromClock;
      this.now = message.at;
      if (message.kind === 'set') this.#set?.();
      else this.#sleepers.get(message.port)?.();
    });
  });

  /** What the process needs in its environment. @param at its time at the start, ms since the epoch */
  async environment(at: number, of: { readonly targets: number; readonly store: string }) {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.now = at;
    const { port } = this.#server.address() as AddressInfo;
    return {
      CLOCK_PORT: String(port),
      CLOCK_AT: String(at),
      CLOCK_TARGETS: String(of.targets),
      CLOCK_STORE: of.store,
    };
  }

  /** Sets the clock of the process, which must not be at work. */
  set(at: number): Promise<void> {
    return new Promise((resolve) => {
      this.#set = resolve;
      this.#tell({ kind: 'set', at });
    });
  }

  /**
   * Resolves when so many ms have gone by on the clock of the process, which waits for the answer to a request.
   * @param request over which it waits
   * @param ms null: for ever
   */
  sleep({ remotePort: port = 0 }: Pick<Socket, 'remotePort'>, ms: number | null): Promise<void> {
    return new Promise((resolve) => {
      this.#sleepers.set(port, () => {
        this.#sleepers.delete(port);
        resolve();
      });
      this.#tell({ kind: 'sleep', port, ms });
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#server.close();
  }

  #tell(message: ToClock): void {
    this.#socket?.write(`${JSON.stringify(message)}\n`);
  }
}
