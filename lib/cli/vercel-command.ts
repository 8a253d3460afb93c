import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Ms that one call of the command may take. */
const TIMEOUT = 30_000;

/** Whether this folder is linked to a project of Vercel's. */
export function isLinkedToVercel(): boolean {
  return existsSync('.vercel/project.json');
}

/** Whether this folder is linked to a project of Vercel's, and its command is installed and signed in. */
export async function isVercelReady(): Promise<boolean> {
  return isLinkedToVercel() && (await vercel(['whoami'], '')) === 0;
}

/** Sets a variable of production. The value goes through stdin: other users can see arguments. @returns whether it was set */
export async function setVercelVariable(name: string, value: string): Promise<boolean> {
  return (await vercel(['env', 'add', name, 'production'], value)) === 0;
}

/** The exit code; null: it is not installed, or was ended. */
function vercel(args: readonly string[], input: string): Promise<number | null> {
  return new Promise((done) => {
    const child = spawn('vercel', args, {
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: TIMEOUT,
      shell: process.platform === 'win32',
    });
    child.once('error', () => done(null));
    child.once('close', done);
    child.stdin.once('error', () => undefined);
    child.stdin.end(input);
  });
}
