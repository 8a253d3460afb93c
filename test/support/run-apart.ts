import { once } from 'node:events';
import { runChild, type ChildOptions } from './child.js';
import type { RunOrder, RunOutcome } from './apart-child.js';

/** Longer than any question to a name server lasts. */
const PATIENCE = 15_000;

/** Makes one run in a process of its own; `ended` is how that process ended: 0 and null when it did so by itself. */
export async function runApart(
  order: RunOrder,
  options?: ChildOptions,
): Promise<RunOutcome & { readonly ended: readonly [code: number | null, signal: string | null] }> {
  const child = runChild(new URL('./apart-child.ts', import.meta.url), [], options);
  process.once('exit', () => child.kill('SIGKILL'));
  const exit = once(child, 'exit') as Promise<[number | null, string | null]>;
  const told = new Promise<RunOutcome>((resolve, reject) => {
    child.once('message', (message) => resolve(message as RunOutcome));
    child.once('exit', (code, signal) => reject(new Error(`the run ended its process: ${code ?? signal}`)));
  });
  child.send(order);
  const outcome = await told;
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  const ended = await exit;
  clearTimeout(timer);
  return { ...outcome, ended };
}
