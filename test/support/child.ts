import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let output: string | null = null;

export interface ChildOptions extends SpawnOptions {
  /** Blocks (512 or 1,024 bytes, as the shell has it) that a file of the child may have. */
  readonly fileBlocks?: number | undefined;
  /** Descriptors that it may have open. */
  readonly openFiles?: number;
  /** For Node itself. */
  readonly nodeOptions?: readonly string[];
}

/** Runs a script of `bin` or `test/support` in a process of its own, with messages between the two. */
export function runChild(
  script: URL,
  args: readonly string[],
  { fileBlocks, openFiles, nodeOptions = [], ...options }: ChildOptions = {},
): ChildProcess {
  prepareChildren();
  const limits = [
    fileBlocks === undefined ? '' : `ulimit -f ${fileBlocks}; `,
    openFiles === undefined ? '' : `ulimit -n ${openFiles}; `,
  ];
  const path = relative(ROOT, fileURLToPath(script)).replace(/\.ts$/, '.js');
  const command = [process.execPath, ...nodeOptions, join(output ?? '', path), ...args];
  return spawn('sh', ['-c', `${limits.join('')}exec "$0" "$@"`, ...command], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...options,
  });
}

/** Does now what the first child would wait for. */
export function prepareChildren(): void {
  output ??= transpile();
}

/** Node 20 runs no TypeScript: writes what children run as JavaScript to where packages are still found. */
function transpile(): string {
  const target = join(ROOT, 'node_modules', '.cache', `keepalive-test-${process.pid}`);
  process.once('exit', () => rmSync(target, { recursive: true, force: true }));
  for (const folder of ['api', 'bin', 'lib', join('test', 'support')]) {
    for (const file of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })) {
      if (file.endsWith('.js')) cpSync(join(ROOT, folder, file), join(target, folder, file));
      if (!/\.tsx?$/.test(file)) continue;
      const { outputText } = ts.transpileModule(readFileSync(join(ROOT, folder, file), 'utf8'), {
        fileName: file,
        compilerOptions: {
          module: ts.ModuleKind.ESNext,
          target: ts.ScriptTarget.ES2022,
          jsx: ts.JsxEmit.ReactJSX,
          jsxImportSource: 'preact',
        },
      });
      const path = join(target, folder, file.replace(/\.tsx?$/, '.js'));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, outputText);
    }
  }
  writeFileSync(join(target, 'package.json'), '{ "type": "module", "imports": { "#zod": "zod/mini" } }');
  return target;
}
