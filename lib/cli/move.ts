import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { DEFAULT_DATABASE, type Config } from '../config/config.js';
import { validConfig, type Env } from '../config/valid.js';
import { GUARDED_FIELDS } from '../record/fields.js';
import { openRemoteStore } from '../store/open.js';
import { openSqlite } from '../store/sqlite.js';
import { DATABASE_IN_USE } from '../store/sqlite-failure.js';
import { StoreError, type Store } from '../store/store.js';
import { readDump, TransferError, writeDump } from './dump.js';
import { collect, restore, type Progress } from './transfer.js';

const USAGE = `Usage: keepalive export [file]
       keepalive import [file] [--force]`;

/** Prints to stderr: stdout may be the export. */
const report = console.error;

/**
 * Writes all data of the store that is configured to a file, which is there when it is complete, or to stdout.
 * @returns the exit code
 * @throws ConfigError
 */
export function exportData(env: Env, args: readonly string[]): Promise<number> {
  return command(args, {}, async ({ file }) => {
    const { fields, logs } = await withStore(env, 'read', (store) => collect(store, inTenths('Read')));
    const lines = Readable.from(writeDump({ fields, logs }, Date.now()));
    if (file === undefined) await writing(pipeline(lines, process.stdout));
    else await writing(writeWhole(file, lines));
    report(`Exported ${fields.size} fields and ${logs.size} logs.`);
  });
}

/** Writes what a file (or stdin) holds to the store that is configured. */
export function importData(env: Env, args: readonly string[]): Promise<number> {
  return command(args, { force: { type: 'boolean' } }, async ({ file, force }) => {
    const dump = readDump(await readText(file));
    const size = `${dump.fields.size} fields and ${dump.logs.size} logs`;
    if (dump.fields.size === 0) {
      report('The export is of an installation without data: there is nothing to import.');
      return;
    }
    report(`Read ${size}, and all of them are sound; writing them.`);
    const outcome = await withStore(env, 'write', (store) => restore(store, dump, { force }));
    report(outcome === 'same' ? `All of it is there already: nothing was written.` : `Imported ${size}.`);
  });
}

interface Arguments {
  readonly file: string | undefined;
  readonly force: boolean;
}

async function command(
  args: readonly string[],
  options: { force?: { type: 'boolean' } },
  work: (parsed: Arguments) => Promise<void>,
): Promise<number> {
  const parsed = argumentsOf(args, options);
  if (parsed === null) {
    report(USAGE);
    return 2;
  }
  try {
    await work(parsed);
    return 0;
  } catch (error) {
    if (!(error instanceof TransferError)) throw error;
    report(error.message);
    return 1;
  }
}

function argumentsOf(args: readonly string[], options: { force?: { type: 'boolean' } }): Arguments | null {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (positionals.length > 1) return null;
    return { file: positionals[0], force: values.force === true };
  } catch {
    return null;
  }
}

async function withStore<T>(
  env: Env,
  purpose: 'read' | 'write',
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const config = await validConfig(env);
  let store: Store | null = null;
  try {
    store = await open(config, purpose);
    return await work(store);
  } catch (error) {
    throw error instanceof StoreError ? new TransferError(problem(error, purpose), { cause: error }) : error;
  } finally {
    await store?.close();
  }
}

async function open({ store: config, prefix }: Config, purpose: 'read' | 'write'): Promise<Store> {
  if (config.kind === 'upstash' || config.kind === 'redis')
    return openRemoteStore(config, { prefix, guarded: GUARDED_FIELDS });
  const path = config.kind === 'sqlite' ? config.path : DEFAULT_DATABASE;
  if (purpose === 'read' && !existsSync(path)) {
    const hint =
      config.kind === 'none' ? ` There is no ${DEFAULT_DATABASE} here, and no other store is set.` : '';
    throw new TransferError(`The database file (KEEP_ALIVE_DATABASE) does not exist.${hint}`);
  }
  return openSqlite(path, { guarded: GUARDED_FIELDS, print: report });
}

export function problem({ code, message }: StoreError, purpose: 'read' | 'write'): string {
  const isUncertain = code === 'store_unreachable' || code === 'store_timeout';
  const advice = message.endsWith(DATABASE_IN_USE)
    ? ' Stop the runner (npm start) first.'
    : purpose === 'write' && isUncertain
      ? ' All of it was written, or nothing: repeat the import.'
      : '';
  return `The store: ${message}.${advice}`;
}

function inTenths(what: string): Progress {
  let printed = 0;
  return (done, total) => {
    const tenths = Math.floor((10 * done) / total);
    if (tenths !== printed) report(`${what} ${10 * tenths} %`);
    printed = tenths;
  };
}

export async function readText(file: string | undefined): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = file === undefined ? await buffer(process.stdin) : await readFile(file);
  } catch (cause) {
    throw new TransferError(`The file cannot be read${reason(cause)}.`, { cause });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new TransferError('This is no export of Keepalive, or it is cut off: it is not UTF-8.', { cause });
  }
}

async function writeWhole(file: string, lines: Readable): Promise<void> {
  const partial = `${file}.${randomUUID()}.partial`;
  try {
    // It may hold what nobody else should read: texts of errors, names of targets.
    await writeFile(partial, lines, { flag: 'wx', flush: true, mode: 0o600 });
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function writing(work: Promise<void>): Promise<void> {
  await work.catch((cause: unknown) => {
    throw new TransferError(`The export cannot be written${reason(cause)}.`, { cause });
  });
}

function reason(error: unknown): string {
  return error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
}
