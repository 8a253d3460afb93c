import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { glob, type BuildV3, type Files, type Lambda } from '@vercel/build-utils';

const require = createRequire(import.meta.url);
/** Its types do not say what it exports. */
const { build } = require('@vercel/node') as { build: BuildV3 };
const LAUNCHER = join(dirname(require.resolve('@vercel/node')), 'dev-server.mjs');

/** What is to end with this process. */
const open = new Set<() => void>();
process.once('exit', () => open.forEach((end) => end()));

/** What Vercel's builder makes of one file under api/, laid out as it would be deployed. */
export interface BuiltFunction {
  readonly directory: string;
  /** Relative to the directory. */
  readonly entrypoint: string;
  readonly runtime: string;
  /** All that is shipped, relative to the directory. */
  readonly files: readonly string[];
}

export interface Deployable {
  readonly functions: ReadonlyMap<string, BuiltFunction>;
  remove(): Promise<void>;
}

/**
 * Builds the files under api/ with `@vercel/node`, as a deployment does.
 * @param root of the repository
 */
export async function buildFunctions(
  entrypoints: readonly string[],
  root = process.cwd(),
): Promise<Deployable> {
  process.env.VERCEL_INSTALL_COMPLETED = '1';
  const files = {
    ...(await glob('{api,lib}/**', root)),
    ...(await glob('{package,package-lock,tsconfig}.json', root)),
  };
  const home = await mkdtemp(join(tmpdir(), 'keepalive-functions-'));
  const leave = () => rmSync(home, { recursive: true, force: true });
  open.add(leave);
  const functions = new Map<string, BuiltFunction>();
  for (const entrypoint of entrypoints) {
    const { output } = await build({
      files,
      entrypoint,
      workPath: root,
      repoRootPath: root,
      config: { zeroConfig: true, includeFiles: includedFiles(entrypoint, root) },
      meta: { skipDownload: true },
    });
    const lambda = output as Lambda & { handler: string };
    const directory = join(home, entrypoint.replaceAll('/', '-').replace(/\.ts$/, '.func'));
    await lay(lambda.files ?? {}, directory);
    functions.set(entrypoint, {
      directory,
      entrypoint: lambda.handler,
      runtime: lambda.runtime,
      files: Object.keys(lambda.files ?? {}),
    });
  }
  return {
    functions,
    remove: () => {
      open.delete(leave);
      return rm(home, { recursive: true });
    },
  };
}

/** What vercel.json adds to a function, as Vercel's detection of functions hands it to the builder. */
function includedFiles(entrypoint: string, root: string): string {
  const { functions } = JSON.parse(readFileSync(join(root, 'vercel.json'), 'utf8')) as {
    functions: Record<string, { includeFiles: string }>;
  };
  const matches = (pattern: string): boolean => {
    const [beginning = '', end] = pattern.split('*');
    return end === undefined
      ? pattern === entrypoint
      : entrypoint.startsWith(beginning) && entrypoint.endsWith(end);
  };
  const found = Object.keys(functions).find(matches);
  return new Map(Object.entries(functions)).get(found ?? '')?.includeFiles ?? '';
}

async function lay(files: Files, directory: string): Promise<void> {
  for (const [name, file] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    if (file.type === 'FileFsRef') {
      await copyFile(file.fsPath, path);
      await chmod(path, file.mode & 0o777);
    } else if (file.type === 'FileBlob') {
      await writeFile(path, file.data);
    } else {
      throw new Error(`cannot lay out ${name}`);
    }
  }
}

export interface RunningFunction {
  readonly origin: string;
  readonly pid: number;
  /** What it wrote to its log so far. */
  readonly output: () => string;
  stop(): Promise<void>;
}

/** Starts a built function under Vercel's own launcher. */
export async function startFunction(
  { directory, entrypoint }: BuiltFunction,
  env: Readonly<Record<string, string>>,
  execArgv: readonly string[] = [],
): Promise<RunningFunction> {
  const child = fork(LAUNCHER, {
    cwd: directory,
    env: { PATH: process.env.PATH ?? '', ...env, VERCEL_DEV_ENTRYPOINT: entrypoint },
    execArgv: [...execArgv],
    silent: true,
  });
  const kill = () => void child.kill('SIGKILL');
  open.add(kill);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const port = await listening(child, () => output);
  return {
    origin: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    output: () => output,
    stop: async () => {
      open.delete(kill);
      kill();
      await new Promise((done) => (child.exitCode === null ? child.once('exit', done) : done(null)));
    },
  };
}

function listening(child: ChildProcess, output: () => string): Promise<number> {
  return new Promise((done, fail) => {
    child.once('message', (message) => done((message as { port: number }).port));
    child.once('exit', () => fail(new Error(`the function ended: ${output()}`)));
  });
}
