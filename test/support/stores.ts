import { STORE_FIELDS } from '../../lib/record/fields.js';
import { SPREAD_FIELDS } from '../../lib/record/spread-fields.js';
import * as remote from '../../lib/store/open.js';
import * as embedded from '../../lib/store/sqlite.js';
import type { Store } from '../../lib/store/store.js';

/** The stores as the program opens them. */
export function openRemoteStore(
  config: remote.RemoteStoreConfig,
  { prefix, timeout }: { readonly prefix: string; readonly timeout?: number },
): Promise<Store> {
  const options = { prefix, ...STORE_FIELDS, ...(timeout !== undefined && { timeout }) };
  return remote.openRemoteStore(config, options);
}

/** Several databases as one store, by their numbers. */
export function openRemoteStores(
  configs: Readonly<Record<number, remote.RemoteStoreConfig>>,
  { prefix, timeout }: { readonly prefix: string; readonly timeout?: number },
): Promise<Store> {
  const options = { prefix, ...SPREAD_FIELDS, ...(timeout !== undefined && { timeout }) };
  const stores = Object.entries(configs).map(([number, store]) => ({
    number: Number(number),
    store,
    variables: [number === '1' ? 'REDIS_URL' : `REDIS_URL_${number}`],
  }));
  return remote.openRemoteStores(stores, options);
}

export function openSqlite(path: string, print?: (line: string) => void): Store {
  return embedded.openSqlite(path, { ...STORE_FIELDS, ...(print && { print }) });
}

/** Fields or logs as a store answers: by name, without those that are null. */
export function texts(all: Readonly<Record<string, string | null | undefined>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(all).flatMap(([name, text]) => (text == null ? [] : [[name, text]])));
}
