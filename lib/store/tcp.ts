import { ErrorReply, createClient } from '@redis/client';
import type { RedisTransport, Reply } from './redis.js';
import { refusal } from './refusal.js';
import { StoreError, type Meter } from './store.js';

/** Ms until the next attempt to connect after the first failure in a row; doubles with each. */
const FIRST_COOLDOWN = 100;
const LONGEST_COOLDOWN = 10_000;

interface TcpConnection {
  readonly client: ReturnType<typeof connectable>;
  readonly ready: Promise<unknown>;
  dropped: boolean;
}

/**
 * Redis over TCP or TLS. Connects at the first call, and again at the next one after the connection broke. In a cluster,
 * all keys are in one slot (see `KEEP_ALIVE_PREFIX`), so it is enough to follow to the one node that has it; when that
 * node is gone, the one that is configured is asked again.
 */
export class TcpTransport implements RedisTransport {
  readonly kind = 'redis';
  readonly timeout: number;
  readonly #url: string;
  /** The address of the node of a cluster that has our slot; null: the one that is configured. */
  #node: string | null = null;
  #connection: TcpConnection | null = null;
  #failures = 0;
  #coolUntil = 0;
  /** Why the server last refused us: it is told of until it is asked again. */
  #refusal: StoreError | null = null;
  #closed = false;

  /** @param url `redis[s]://[[user]:password@]host[:port][/database]` */
  constructor(url: string, timeout: number) {
    this.#url = url;
    this.timeout = timeout;
  }

  async send(commands: readonly (readonly string[])[], meter: Meter): Promise<readonly Reply[]> {
    // Before the time limit begins: making a client is our own work.
    const connection = (this.#connection ??= this.#connect());
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new StoreError('store_timeout', 'the store did not answer in time')),
        this.timeout,
      );
    });
    timeUp.catch(() => undefined);
    try {
      const replies = await this.#ask(connection, commands, meter, timeUp);
      const node = nodeOf(replies, this.#node ?? this.#url);
      if (node === null) return replies;
      // Nothing was done: each command was answered by where to send it.
      this.#leaveFor(node);
      return await this.#ask((this.#connection ??= this.#connect()), commands, meter, timeUp);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(
    connection: TcpConnection,
    commands: readonly (readonly string[])[],
    meter: Meter,
    timeUp: Promise<never>,
  ): Promise<readonly Reply[]> {
    try {
      const replies = await Promise.race([exchange(connection, commands, meter), timeUp]);
      this.#failures = 0;
      return replies;
    } catch (error) {
      this.#drop(connection);
      const found = failure(error);
      this.#refusal = found.code === 'store_denied' ? found : null;
      throw found;
    }
  }

  /** Calls under way on the connection until now are answered there. */
  #leaveFor(node: string): void {
    if (this.#node === node) return;
    this.#node = node;
    this.#connection?.client.close().catch(() => undefined);
    this.#connection = null;
  }

  close(): void {
    this.#closed = true;
    if (this.#connection) this.#drop(this.#connection);
  }

  #connect(): TcpConnection {
    if (this.#closed) throw new StoreError('store_unreachable', 'the store is closed');
    if (performance.now() < this.#coolUntil) {
      throw (
        this.#refusal ?? new StoreError('store_unreachable', 'the store could not be reached a moment ago')
      );
    }
    let client;
    try {
      client = connectable(this.#node ?? this.#url, this.timeout);
    } catch {
      throw new StoreError('store_unreachable', 'the URL of the store is not valid');
    }
    const connection: TcpConnection = { client, ready: client.connect(), dropped: false };
    connection.ready.catch(() => undefined);
    // Fires on an idle connection too: the next call shall open a new one.
    client.on('error', () => {
      if (this.#connection === connection) this.#connection = null;
    });
    return connection;
  }

  #drop(connection: TcpConnection): void {
    if (connection.dropped) return;
    connection.dropped = true;
    if (this.#connection === connection) this.#connection = null;
    this.#node = null;
    this.#coolUntil = performance.now() + Math.min(FIRST_COOLDOWN * 2 ** this.#failures, LONGEST_COOLDOWN);
    this.#failures++;
    connection.client.destroy();
  }
}

function connectable(url: string, timeout: number) {
  return createClient({
    url,
    // 2 is what every server and every restricted user can speak.
    RESP: 2,
    socket: { connectTimeout: timeout, reconnectStrategy: false },
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    commandOptions: { timeout: 0 },
  });
}

/**
 * The address of the node that a cluster says has the keys (`MOVED 3999 10.0.0.5:6381`; without a host, the one that was
 * asked); null where it did not say so. User info, database and TLS stay as they are.
 */
function nodeOf(replies: readonly Reply[], asked: string): string | null {
  for (const reply of replies) {
    const [, host, port] = ('error' in reply && /^MOVED \d+ (\S*):(\d+)/.exec(reply.error)) || [];
    if (host === undefined || port === undefined) continue;
    const url = new URL(asked);
    if (host !== '') url.hostname = host.includes(':') ? `[${host}]` : host;
    url.port = port;
    return url.href;
  }
  return null;
}

async function exchange(
  { client, ready }: TcpConnection,
  commands: readonly (readonly string[])[],
  meter: Meter,
): Promise<readonly Reply[]> {
  await ready;
  meter.bytesSent += commands.reduce((sum, command) => sum + respBytes(command), 0);
  const outcomes = await Promise.allSettled(commands.map((command) => client.sendCommand(command)));
  return outcomes.map((outcome): Reply => {
    if (outcome.status === 'fulfilled') {
      meter.bytesReceived += respBytes(outcome.value);
      return { value: outcome.value };
    }
    if (!(outcome.reason instanceof ErrorReply)) throw outcome.reason;
    meter.bytesReceived += Buffer.byteLength(outcome.reason.message) + 3;
    return { error: outcome.reason.message };
  });
}

function failure(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof ErrorReply) return refusal(error.message);
  return new StoreError('store_unreachable', 'the store cannot be reached', { cause: error });
}

/** Length in RESP 2; a simple string (only PING has one) is counted as a bulk string. */
function respBytes(value: unknown): number {
  if (Array.isArray(value)) {
    return value.reduce<number>((sum, item) => sum + respBytes(item), arrayHead(value.length));
  }
  if (typeof value === 'string') {
    const length = Buffer.byteLength(value);
    return arrayHead(length) + length + 2;
  }
  return typeof value === 'number' ? String(value).length + 3 : '$-1\r\n'.length;
}

/** `*<n>\r\n`, as long as `$<n>\r\n`. */
function arrayHead(n: number): number {
  return String(n).length + 3;
}
