import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from './sqlite.js';
import { StoreError, type Store, type StoreOptions } from './store.js';

/** The file itself, and what SQLite keeps beside it of writes that are not in it yet. */
const SUFFIXES = ['', '-wal', '-journal'] as const;
const ATTEMPTS = 5;

/**
 * Reads the embedded database from a copy, also while another process owns the file. The file and those beside it are
 * neither locked nor written. The copy is removed afterwards.
 * @throws StoreError as `openSqlite`, and `store_unreachable` where the file never stays the same while it is copied
 */
export async function withCopyOf<T>(
  path: string,
  options: StoreOptions,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'keepalive-'));
  try {
    const copy = join(folder, 'copy.db');
    for (let attempt = 1; !copied(path, copy); attempt += 1) {
      if (attempt === ATTEMPTS)
        throw new StoreError('store_unreachable', 'the database is written all the while');
    }
    const store = openSqlite(copy, options);
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether nothing was written meanwhile: what is copied of several files then belongs together. */
function copied(path: string, copy: string): boolean {
  const before = stamp(path);
  for (const suffix of SUFFIXES) {
    rmSync(copy + suffix, { force: true });
    if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
  }
  return stamp(path) === before;
}

function stamp(path: string): string {
  return SUFFIXES.map((suffix) => {
    const found = statSync(path + suffix, { bigint: true, throwIfNoEntry: false });
    return found === undefined ? '-' : `${found.ino}/${found.size}/${found.mtimeNs}`;
  }).join();
}
