import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A message as the webhook channel sends it. */
export interface Digest {
  readonly receivedAt: number;
  readonly id: string;
  /** Alerts that found no room in it. */
  readonly omitted: number;
  readonly alerts: readonly {
    readonly id: string;
    readonly kind: string;
    readonly target: { readonly id: string } | null;
  }[];
}

/** Takes messages of alerts. */
export class Receiver {
  readonly digests: Digest[] = [];
  #server: Server | null = null;

  /** @returns its address */
  async listen(): Promise<string> {
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        const digest = JSON.parse(body) as Omit<Digest, 'receivedAt'>;
        this.digests.push({ ...digest, receivedAt: Date.now() });
        response.end('ok');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  }

  close(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }
}
