import { randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { calledAs } from '../called-as.js';
import { DEFAULT_DATABASE, type Config } from '../config/config.js';
import { validConfig, type Env } from '../config/valid.js';
import { STORE_FIELDS } from '../record/fields.js';
import { SPREAD_FIELDS } from '../record/spread-fields.js';
import { singleLine } from '../single-line.js';
import { openRemoteStores } from '../store/open.js';
import { openSqlite } from '../store/sqlite.js';
import { DATABASE_IN_USE } from '../store/sqlite-failure.js';
import { StoreError, type Store } from '../store/store.js';
import { COMMANDS } from './commands.js';
import { isDump, readDump, TransferError, writeDump } from './dump.js';
import { readStored } from './read-store.js';
import { collect, restore, type Progress } from './transfer.js';
import { toolOf } from './tools/names.js';
import { readArguments } from './usage.js';

/** Prints to stderr: stdout may be the export. */
const report = console.error;

/**
 * Writes all data of the store that is configured to a file, which is there when it is complete, or to stdout. The
 * embedded database is read from a copy, so that `npm start` may go on.
 * @returns the exit code
 * @throws ConfigError UsageError
 */
export function exportData(
  env: Env,
  args: readonly string[],
  progress: (line: string) => void,
): Promise<number> {
  const { words, has } = readArguments('export', COMMANDS.export, args);
  const file = words[0] === '-' ? undefined : words[0];
  return exitCodeOf(async () => {
    if (file !== undefined && !has('force') && existsSync(file)) {
      throw new TransferError('The file exists already: --force replaces it.');
    }
    const { fields, logs, leftOut } = await readStore(env, (store) =>
      collect(store, { progress: inTenths('Read', progress), incomplete: has('incomplete') }),
    );
    const lines = Readable.from(writeDump({ fields, logs }, Date.now()));
    if (file === undefined) await writing(pipeline(lines, process.stdout));
    else await writing(writeWhole(file, lines));
    report(`Exported ${fields.size} fields and ${logs.size} logs.`);
    if (leftOut.length > 0) report(`Targets that are left out, and begin anew: ${leftOut.join(', ')}.`);
  });
}

/** Writes what a file (or stdin) holds to the store that is configured. @throws ConfigError UsageError */
export function importData(
  env: Env,
  args: readonly string[],
  progress: (line: string) => void,
): Promise<number> {
  const { words, has } = readArguments('import', COMMANDS.import, args);
  return exitCodeOf(async () => {
    if (words[0] === undefined && process.stdin.isTTY) progress('Reading the export from the terminal.');
    const text = await readText(words[0]);
    const tool = isDump(text) ? undefined : toolOf(text);
    if (tool !== undefined)
      throw new TransferError(
        `This is no export of Keepalive, but looks like one of ${tool}: \`${calledAs()} import --from ${tool}\` reads it.`,
      );
    const dump = readDump(text);
    const size = `${dump.fields.size} fields and ${dump.logs.size} logs`;
    if (dump.fields.size === 0) {
      report('The export is of an installation without data: there is nothing to import.');
      return;
    }
    report(`Read ${size}, and all of them are sound; writing them.`);
    const outcome = await writeStore(env, (store) => restore(store, dump, { force: has('force') }));
    report(outcome === 'same' ? `All of it is there already: nothing was written.` : `Imported ${size}.`);
  });
}

async function exitCodeOf(work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    if (!(error instanceof TransferError)) throw error;
    report(error.message);
    return 1;
  }
}

async function readStore<T>(env: Env, work: (store: Store) => Promise<T>): Promise<T> {
  const config = await validConfig(env);
  return readStored(config, work).catch((error: unknown) => {
    throw explained(error, 'read');
  });
}

async function writeStore<T>(env: Env, work: (store: Store) => Promise<T>): Promise<T> {
  const config = await validConfig(env);
  let store: Store | null = null;
  try {
    store = await open(config);
    return await work(store);
  } catch (error) {
    throw explained(error, 'write');
  } finally {
    await store?.close();
  }
}

async function open({ store: config, stores, prefix }: Config): Promise<Store> {
  if (config.kind === 'upstash' || config.kind === 'redis')
    return openRemoteStores(stores, { prefix, ...SPREAD_FIELDS });
  const path = config.kind === 'sqlite' ? config.path : DEFAULT_DATABASE;
  return openSqlite(path, { ...STORE_FIELDS, print: report });
}

function explained(error: unknown, purpose: 'read' | 'write'): unknown {
  return error instanceof StoreError ? new TransferError(problem(error, purpose), { cause: error }) : error;
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

function inTenths(what: string, print: (line: string) => void): Progress {
  let printed = 0;
  return (done, total) => {
    const tenths = Math.floor((10 * done) / total);
    if (tenths !== printed) print(`${what} ${10 * tenths} %`);
    printed = tenths;
  };
}

/**
 * The text of a file, or of stdin, which `-` stands for too.
 * @param what it should be, for messages
 * @throws TransferError
 */
export async function readText(file: string | undefined, what = 'export of Keepalive'): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = file === undefined || file === '-' ? await buffer(process.stdin) : await readFile(file);
  } catch (cause) {
    throw new TransferError(`${file === undefined ? 'The input' : singleLine(file)} ${unreadable(cause)}.`, {
      cause,
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new TransferError(`This is no ${what}, or it is cut off: it is not UTF-8.`, { cause });
  }
}

async function writeWhole(file: string, lines: Readable): Promise<void> {
  // A device or a pipe would be replaced by a file.
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === false) {
    throw new TransferError('The export cannot be written: there is something else than a file.');
  }
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
    if (cause instanceof TransferError) throw cause;
    throw new TransferError(`The export cannot be written${reason(cause)}.`, { cause });
  });
}

const UNREADABLE: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['EISDIR', 'is a folder, and a file is expected'],
  ['EACCES', 'may not be read by this user'],
]);

function unreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return UNREADABLE.get(code) ?? `cannot be read${reason(error)}`;
}

function reason(error: unknown): string {
  return error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
}
