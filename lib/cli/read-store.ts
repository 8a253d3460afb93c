import { existsSync } from 'node:fs';
import { DEFAULT_DATABASE, type Config } from '../config/config.js';
import { STORE_FIELDS } from '../record/fields.js';
import { SPREAD_FIELDS } from '../record/spread-fields.js';
import { openRemoteStores } from '../store/open.js';
import { withCopyOf } from '../store/sqlite-copy.js';
import type { Store } from '../store/store.js';
import { TransferError } from './dump.js';

/**
 * Reads the store that is configured, of the embedded database a copy, so that `npm start` may go on.
 * @throws TransferError where there is no store; StoreError
 */
export async function readStored<T>(
  { store: config, stores, prefix }: Pick<Config, 'store' | 'stores' | 'prefix'>,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  if (config.kind === 'upstash' || config.kind === 'redis') {
    const store = await openRemoteStores(stores, { prefix, ...SPREAD_FIELDS });
    return work(store).finally(() => store.close());
  }
  const path = config.kind === 'sqlite' ? config.path : DEFAULT_DATABASE;
  if (!existsSync(path)) {
    throw new TransferError(
      config.kind === 'none'
        ? `No store is set, and there is no ${DEFAULT_DATABASE} in this folder.`
        : 'The database file (KEEP_ALIVE_DATABASE) does not exist.',
    );
  }
  return withCopyOf(path, { ...STORE_FIELDS }, work);
}
