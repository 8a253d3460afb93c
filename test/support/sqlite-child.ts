import { openSqlite } from './stores.js';
import type { StoreError } from '../../lib/store/store.js';

/** Owns a database file, does one thing with it, and waits to be killed. */
const [path = '', task = ''] = process.argv.slice(2);

// Without a listener this signal, sent by the limit of a file's size, ends the process.
process.on('SIGXFSZ', () => undefined);
process.on('disconnect', () => process.exit());

const store = openSqlite(path);
await store.claim({ token: 'child', ttl: 300_000, fields: [] });

const commit = (fields: Record<string, string>) =>
  store.commit({ token: 'child', fields, append: null, release: false });

switch (task) {
  case 'hold':
    process.send?.('holding');
    break;
  case 'write':
    for (let count = 1; ; count++) {
      const append = { log: 'l', offset: count - 1, text: 'x' };
      const fields = { count: String(count), copy: String(count) };
      await store.commit({ token: 'child', fields, append, release: false });
      await new Promise((resolve) => process.send?.(count, resolve));
    }
  case 'fill':
    await commit({ first: 'kept' });
    await commit({ large: 'x'.repeat(4_000_000) }).catch(async (error: unknown) => {
      const { code, message } = error as StoreError;
      const { fields } = await store.read({ fields: ['first'], logs: [] });
      process.send?.({ code, message, first: fields.get('first') });
    });
}
