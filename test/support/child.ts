import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import { ROOT } from './root.js';

export interface ChildOptions extends SpawnOptions {
  /** Blocks (512 or 1,024 bytes, as the shell has it) that a file of the child may have. */
  readonly fileBlocks?: number | undefined;
  /** Descriptors that it may have open. */
  readonly openFiles?: number;
  /** Shell commands that set up a network of its own, which takes root on Linux. */
  readonly network?: string;
  /** For Node itself. */
  readonly nodeOptions?: readonly string[];
}

/** Runs a script of `bin` or `test/support` in a process of its own, with messages between the two. */
export function runChild(
  script: URL,
  args: readonly string[],
  { fileBlocks, openFiles, network, nodeOptions = [], ...options }: ChildOptions = {},
): ChildProcess {
  const limits = [
    fileBlocks === undefined ? '' : `ulimit -f ${fileBlocks}; `,
    openFiles === undefined ? '' : `ulimit -n ${openFiles}; `,
  ];
  const path = relative(ROOT, fileURLToPath(script)).replace(/\.ts$/, '.js');
  const command = [process.execPath, ...nodeOptions, join(inject('transpiled'), path), ...args];
  const [shell, before] =
    network === undefined ? [['sh'], ''] : [['unshare', '--net', 'sh'], `${network} && `];
  const [file = 'sh', ...rest] = shell;
  return spawn(file, [...rest, '-c', `${limits.join('')}${before}exec "$0" "$@"`, ...command], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...options,
  });
}
