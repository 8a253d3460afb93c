import { existsSync } from 'node:fs';
import { copyFile, mkdir, open, rm } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { textsOf } from './config.js';
import type { Problem } from './problems.js';
import { fetchTargets } from './targets-address.js';
import { MAX_TARGETS_FILE, TargetsError, textOfBytes, tooLarge } from './targets-bytes.js';
import type { TargetsFile } from './targets-file.js';
import { TARGETS_FILES, targetsPlace, type TargetsPlace } from './targets-place.js';

/** Where a build on Vercel puts the file for its functions, since it may have any name (`includeFiles` in vercel.json). */
const BUILT_TARGETS = 'dist/targets';

/**
 * The targets file that the variables name, or the one at the top level; null: there is none. Never rejects: why it cannot
 * be had is a problem of the file.
 */
export async function loadTargets(
  env: Readonly<Record<string, string | undefined>>,
): Promise<TargetsFile | null> {
  const texts = textsOf(env);
  const place = targetsPlaceOf(texts);
  if (place === null) return null;
  if ('message' in place) return without(place);
  try {
    if (place.kind === 'file' && texts.has('VERCEL')) checkIsInside(place.path);
    const [name, text] =
      place.kind === 'file'
        ? [place.path, textOfBytes(await readFileOf(place.path))]
        : [nameOfAddress(place.url), (await fetchTargets(place, null, fetch)).text];
    const { readTargets, readYaml } = await import('./targets-text.js');
    return readTargets(name, await readYaml(text), { texts });
  } catch (error) {
    if (!(error instanceof TargetsError)) throw error;
    const why = place.kind === 'file' ? '' : 'the targets cannot be had from the address: ';
    return without({ variable: 'KEEP_ALIVE_TARGETS', message: why + error.message });
  }
}

/**
 * The targets file at a path, for comparing it with another version: variables that are not set stand for their own names.
 * Never rejects.
 */
export async function compareTargets(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<TargetsFile> {
  try {
    const text = textOfBytes(await readWithinLimit(path));
    const { readTargets, readYaml } = await import('./targets-text.js');
    return readTargets(path, await readYaml(text), { texts: textsOf(env), mayLackVariables: true });
  } catch (error) {
    return without({ file: path, line: 1, column: 1, message: unreadable(error).message });
  }
}

/** Where the targets are listed; null: nowhere, or KEEP_ALIVE_TARGETS is not valid, which is a problem of its own. */
function targetsPlaceOf(texts: ReadonlyMap<string, string>): TargetsPlace | Problem | null {
  const named = texts.get('KEEP_ALIVE_TARGETS');
  if (named !== undefined) return targetsPlace.safeParse(named).data ?? null;
  const [first, second] = TARGETS_FILES.filter(
    (path) => existsSync(path) || existsSync(join(BUILT_TARGETS, path)),
  );
  if (first === undefined) return null;
  if (second === undefined) return { kind: 'file', path: first };
  const message = `${first} and ${second} are both there: set this to the one to use, or remove the other`;
  return { variable: 'KEEP_ALIVE_TARGETS', message };
}

/** The address at which the targets are listed; null: they are listed elsewhere, or nowhere. */
export function targetsAddress(
  texts: ReadonlyMap<string, string>,
): Extract<TargetsPlace, { kind: 'address' }> | null {
  const place = texts.has('KEEP_ALIVE_TARGETS') ? targetsPlaceOf(texts) : null;
  return place !== null && 'kind' in place && place.kind === 'address' ? place : null;
}

/** How messages name an address: its path may hold a secret. */
export function nameOfAddress(url: string): string {
  return `${new URL(url).origin}/…`;
}

/** @throws TargetsError where a path leads out of the working directory */
function checkIsInside(path: string): void {
  const way = relative('.', path);
  if (!isAbsolute(path) && way !== '..' && !way.startsWith(`..${sep}`)) return;
  throw new TargetsError('names a file outside the project, which a function does not have');
}

/**
 * Copies the targets file to where the functions of a deployment find it: which files they have is decided by
 * `includeFiles` in vercel.json, before the name of this one is known.
 */
export async function keepForFunctions(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const place = targetsPlaceOf(textsOf(env));
  await rm(BUILT_TARGETS, { recursive: true, force: true });
  if (place === null || 'message' in place || place.kind !== 'file') return;
  const copy = join(BUILT_TARGETS, place.path);
  await mkdir(dirname(copy), { recursive: true });
  await copyFile(place.path, copy);
}

/** A file of which nothing is known but what is wrong. */
export function without(problem: Problem): TargetsFile {
  return { name: '', targets: [], defaults: new Map(), problems: [problem] };
}

/** @throws TargetsError */
async function readFileOf(path: string): Promise<Buffer> {
  try {
    return await readWithinLimit(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw unreadable(error);
  }
  return readWithinLimit(join(BUILT_TARGETS, path)).catch((error: unknown) => {
    throw unreadable(error);
  });
}

async function readWithinLimit(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > MAX_TARGETS_FILE) throw tooLarge();
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function unreadable(error: unknown): TargetsError {
  if (error instanceof TargetsError) return error;
  const code = codeOf(error);
  return new TargetsError(
    code === 'ENOENT'
      ? 'names a file that is not there'
      : `the targets file cannot be read: ${code ?? 'unknown error'}`,
    { cause: error },
  );
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
