import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { CRON_PATH } from '../../lib/config/vercel.js';
import type { DispatchReport } from '../../lib/run/dispatch.js';
import type { RunReport } from '../../lib/run/report.js';
import { sign } from '../../test/support/signature.js';
import type { Workers } from './workers.js';

/** Shares of the messages that do not simply arrive, and the most by which one is late, in ms. */
export interface Troubles {
  readonly lost: number;
  readonly doubled: number;
  readonly delayed: number;
  readonly longestDelay: number;
}

/** A message on its way: the trigger of a tick, or one that starts the run of a shard. */
export interface Message {
  /** Null: the trigger. */
  readonly shard: number | null;
  /** When it was taken, ms since the epoch. */
  readonly at: number;
  readonly fate: 'prompt' | 'lost' | 'delayed';
  /** What came of each time that it was delivered. */
  readonly deliveries: Delivery[];
}

export interface Delivery {
  readonly at: number;
  /** When it was answered, ms since the epoch; null: not yet. */
  endedAt: number | null;
  /** `killed`: no answer came. */
  outcome: 'under way' | 'killed' | number;
  report: RunReport | DispatchReport | null;
}

/** QStash as far as a tick uses it, with messages that are lost, doubled and late. */
export class Messages {
  readonly #taken = new Set<string>();
  #under = 0;
  #server: Server | null = null;
  readonly all: Message[] = [];

  constructor(
    private readonly settings: {
      readonly call: Workers['call'];
      readonly signingKey: string;
      /** Where messages are sent by their address. */
      readonly publicUrl: string;
      readonly troubles: Troubles;
    },
  ) {}

  /** @returns its address */
  async listen(): Promise<string> {
    const server = createServer((request, response) => {
      void text(request).then((sent) => response.end(this.#takeBatch(sent)));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** As a schedule does it. */
  trigger(): Message {
    return this.#take(`${this.settings.publicUrl}${CRON_PATH}`);
  }

  /** How many are on their way or are being answered. */
  get underWay(): number {
    return this.#under;
  }

  close(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  #takeBatch(sent: string): string {
    const batch = JSON.parse(sent) as {
      readonly destination: string;
      readonly headers: Readonly<Record<string, string>>;
    }[];
    return JSON.stringify(
      batch.map(({ destination, headers }) => {
        const id = headers['Upstash-Deduplication-Id'] ?? '';
        const isCopy = this.#taken.has(id);
        if (!isCopy) this.#take(destination);
        this.#taken.add(id);
        return { messageId: `msg_${id}`, ...(isCopy && { deduplicated: true }) };
      }),
    );
  }

  #take(destination: string): Message {
    const { lost, doubled, delayed, longestDelay } = this.settings.troubles;
    const chance = Math.random();
    const fate = chance < lost ? 'lost' : chance < lost + delayed ? 'delayed' : 'prompt';
    const shard = new URL(destination).searchParams.get('shard');
    const message: Message = {
      shard: shard === null ? null : Number(shard),
      at: Date.now(),
      fate,
      deliveries: [],
    };
    this.all.push(message);
    if (fate === 'lost') return message;
    void this.#deliver(message, destination, fate === 'delayed' ? Math.random() * longestDelay : 0);
    if (Math.random() < doubled) void this.#deliver(message, destination, Math.random() * longestDelay);
    return message;
  }

  async #deliver(message: Message, destination: string, after: number): Promise<void> {
    this.#under += 1;
    if (after > 0) await new Promise((resolve) => setTimeout(resolve, after));
    const delivery: Delivery = { at: Date.now(), endedAt: null, outcome: 'under way', report: null };
    message.deliveries.push(delivery);
    const { call, signingKey, publicUrl } = this.settings;
    const at = Math.floor(Date.now() / 1000);
    const jti = `jwt_${Math.random()}`;
    const signature = sign({ key: signingKey, url: destination, at, claims: { jti } });
    const answer = await call(destination.slice(publicUrl.length), {
      method: 'POST',
      headers: { 'upstash-signature': signature },
    });
    delivery.endedAt = Date.now();
    delivery.outcome = answer?.status ?? 'killed';
    delivery.report = answer === null ? null : reportOf(answer.body);
    this.#under -= 1;
  }
}

function reportOf(body: string): Delivery['report'] {
  try {
    const found: unknown = JSON.parse(body);
    return typeof found === 'object' && found !== null && 'runId' in found ? (found as RunReport) : null;
  } catch {
    return null;
  }
}
