import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The user `nobody`: servers that refuse to run as root run as it. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const asNobody = isRoot ? { uid: NOBODY, gid: NOBODY } : {};

/** A temporary folder of a server, which ends with this process. */
export function serverFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `keepalive-${name}-`));
  own(folder, 0o700);
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Gives a file or folder to the user of servers. */
function own(path: string, mode: number): void {
  if (isRoot) chownSync(path, NOBODY, NOBODY);
  chmodSync(path, mode);
}

/** Writes a file that the servers' user alone may read. Returns its path. */
export function ownFile(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  own(path, 0o600);
  return path;
}

/** Runs a command to its end; throws with what it said where it fails. */
export function runAsNobody(command: string, args: readonly string[], input = ''): void {
  execFileSync(command, args, { ...asNobody, input, stdio: 'pipe', cwd: '/' });
}

export interface Daemon {
  /** Sends a signal, such as the one to read its configuration again. */
  signal(name: NodeJS.Signals): void;
  /** Waits until it says so again. */
  waitFor(text: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server and waits until it says `ready` on its standard error. */
export async function startDaemon(command: string, args: readonly string[], ready: string): Promise<Daemon> {
  const child: ChildProcess = spawn(command, args, {
    ...asNobody,
    cwd: '/',
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  let log = '';
  const listeners = new Set<() => void>();
  child.stderr?.on('data', (bytes: Buffer) => {
    log += bytes.toString();
    listeners.forEach((listener) => listener());
  });
  const waitFor = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        const at = log.indexOf(text);
        if (at >= 0) {
          log = log.slice(at + text.length);
          listeners.delete(look);
          resolve();
        } else if (child.exitCode !== null) {
          reject(new Error(`${command} ended: ${log}`));
        }
      };
      listeners.add(look);
      child.once('close', look);
      look();
    });
  await waitFor(ready);
  return {
    signal: (name) => void child.kill(name),
    waitFor,
    async stop() {
      process.off('exit', kill);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
