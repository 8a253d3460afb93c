import { StoreError, type StoreErrorCode } from './store.js';

/** The message of the error where another process has the file open. */
export const DATABASE_IN_USE = 'another process uses the database';

/**
 * What a result code of https://www.sqlite.org/rescode.html (its extensions begin with the same words) or an errno
 * means.
 */
const FAILURES: readonly (readonly [code: string, StoreErrorCode, message: string])[] = [
  ['SQLITE_BUSY', 'store_unreachable', DATABASE_IN_USE],
  ['SQLITE_LOCKED', 'store_unreachable', DATABASE_IN_USE],
  ['SQLITE_NOTADB', 'store_corrupt', 'the database file is not a database'],
  ['SQLITE_CORRUPT', 'store_corrupt', 'the database file is damaged'],
  ['SQLITE_FULL', 'store_limit', 'the disk is full'],
  ['SQLITE_READONLY', 'store_denied', 'the database file can only be read'],
  ['SQLITE_PERM', 'store_denied', 'the database file may not be opened'],
  ['SQLITE_CANTOPEN', 'store_unreachable', 'the database file cannot be opened or created'],
  ['SQLITE_IOERR', 'store_unreachable', 'the disk failed'],
  ['ENOENT', 'store_unreachable', 'the folder does not exist and cannot be created'],
  ['ENOTDIR', 'store_unreachable', 'a part of the path is a file, not a folder'],
  ['EEXIST', 'store_unreachable', 'a part of the path is a file, not a folder'],
  ['EISDIR', 'store_unreachable', 'it is a folder, not a file'],
  ['EACCES', 'store_denied', 'permission denied'],
  ['EPERM', 'store_denied', 'permission denied'],
  ['EROFS', 'store_denied', 'the file system is read-only'],
  ['ENOSPC', 'store_limit', 'the disk is full'],
  ['EDQUOT', 'store_limit', "the user's share of the disk is used up"],
];

/** An error of SQLite or the file system as a StoreError, whose message does not name the path. */
export function failure(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const sqliteCode = error instanceof Error && 'code' in error ? String(error.code) : '';
  const known = FAILURES.find(([code]) => sqliteCode.startsWith(code));
  if (!known) return new StoreError('store_answer', 'the database failed', { cause: error });
  return new StoreError(known[1], known[2], { cause: error });
}
