import { Redis, errors } from '@upstash/redis';
import type { RedisTransport, Reply } from './redis.js';
import { refusal } from './refusal.js';
import { StoreError, type Meter } from './store.js';

export interface UpstashConfig {
  readonly url: string;
  readonly token: string;
}

/** Redis over Upstash's REST API: one HTTP request a `send`. */
export class UpstashTransport implements RedisTransport {
  readonly kind = 'upstash';
  readonly timeout: number;
  readonly #client: RestClient;
  #closed = false;

  /** @throws StoreError `store_unreachable` when the URL is none. */
  constructor({ url, token }: UpstashConfig, timeout: number) {
    this.timeout = timeout;
    try {
      this.#client = new RestClient({
        url: url.trim(),
        token: token.trim(),
        retry: { retries: 0 },
        // A static signal would make the client answer an abort with a false success.
        signal: () => AbortSignal.timeout(timeout),
        automaticDeserialization: false,
        enableAutoPipelining: false,
        enableTelemetry: false,
        responseEncoding: false,
      });
    } catch {
      throw new StoreError('store_unreachable', 'the REST URL of the store is not valid');
    }
  }

  async send(commands: readonly (readonly string[])[], meter: Meter): Promise<readonly Reply[]> {
    if (this.#closed) throw new StoreError('store_unreachable', 'the store is closed');
    meter.bytesSent += jsonBytes(commands);
    let answer: unknown;
    try {
      answer = await this.#client.post(commands);
    } catch (error) {
      throw failure(error);
    }
    meter.bytesReceived += jsonBytes(answer);
    if (!Array.isArray(answer)) throw noAnswer();
    return answer.map(toReply);
  }

  close(): void {
    this.#closed = true;
  }
}

/** Sends raw pipelines, and gives their replies one by one: the client's own `exec` throws at the first error. */
class RestClient extends Redis {
  post(commands: readonly (readonly string[])[]): Promise<unknown> {
    return this.client.request({ path: ['pipeline'], body: commands });
  }
}

function toReply(item: unknown): Reply {
  if (typeof item === 'object' && item !== null) {
    if ('error' in item && typeof item.error === 'string') return { error: item.error };
    if ('result' in item) return { value: item.result };
  }
  throw noAnswer();
}

/** The client's own errors quote the command or the answer: nothing of them but the kind goes on. */
function failure(error: unknown): StoreError {
  if (error instanceof errors.UpstashJSONParseError) return noAnswer();
  if (error instanceof errors.UpstashError) return refusal(withoutCommand(error.message));
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new StoreError('store_timeout', 'the store did not answer in time', { cause: error });
  }
  return new StoreError('store_unreachable', 'the store cannot be reached', { cause: error });
}

function withoutCommand(message: string): string {
  const end = message.indexOf(', command was: ');
  return end === -1 ? message : message.slice(0, end);
}

function noAnswer(): StoreError {
  return new StoreError('store_answer', 'what answered is not the REST API of Upstash');
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
