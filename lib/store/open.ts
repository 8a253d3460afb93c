import { RedisStore } from './redis.js';
import { spreadStore, type SpreadOptions } from './spread.js';
import type { Store, StoreOptions } from './store.js';

export type RemoteStoreConfig =
  | { readonly kind: 'upstash'; readonly url: string; readonly token: string }
  | { readonly kind: 'redis'; readonly url: string };

export interface RemoteStoreOptions extends StoreOptions {
  /** What the names of all keys begin with. */
  readonly prefix: string;
  /** Ms that one request may take; a call with its repetitions takes at most three times this. */
  readonly timeout?: number;
}

/** Long enough for 2 MB over a slow line, short enough for two tries within a function's life. */
const TIMEOUT = 4_000;

/**
 * Opens a Redis, over REST or TCP; each driver is loaded only where it is used. Connects at the first call.
 * @throws StoreError `store_unreachable` when the URL cannot be one.
 */
export async function openRemoteStore(
  config: RemoteStoreConfig,
  { timeout = TIMEOUT, ...options }: RemoteStoreOptions,
): Promise<Store> {
  switch (config.kind) {
    case 'upstash': {
      const { UpstashTransport } = await import('./upstash.js');
      return new RedisStore(new UpstashTransport(config, timeout), options);
    }
    case 'redis': {
      const { TcpTransport } = await import('./tcp.js');
      return new RedisStore(new TcpTransport(config.url, timeout), options);
    }
  }
}

/** One of the databases over which shards are spread, as it is configured. */
export interface NumberedStoreConfig {
  readonly number: number;
  readonly store: RemoteStoreConfig;
  /** That with the address first. */
  readonly variables: readonly string[];
}

/** Opens all of them as one store. */
export async function openRemoteStores(
  configs: readonly NumberedStoreConfig[],
  options: RemoteStoreOptions & SpreadOptions,
): Promise<Store> {
  const databases = await Promise.all(
    configs.map(async ({ number, store, variables: [name = ''] }) => {
      const opened = await openRemoteStore(store, options);
      return { number, name, store: opened };
    }),
  );
  return spreadStore(databases, options);
}
