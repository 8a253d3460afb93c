import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { Profiler } from 'node:inspector';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startFunction, type BuiltFunction, type RunningFunction } from '../../test/support/deployable.js';

/** A running function whose work can be looked into. */
export interface ProfiledFunction {
  readonly running: RunningFunction;
  /** Ms of CPU in each part of ours while `work` was done, and in what no part of ours called. */
  during(work: () => Promise<void>): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

export async function startProfiled(
  built: BuiltFunction,
  env: Readonly<Record<string, string>>,
): Promise<ProfiledFunction> {
  const folder = await mkdtemp(join(tmpdir(), 'keepalive-profile-'));
  const path = join(folder, 'profile.json');
  const preload = new URL('profiler-child.js', import.meta.url).href;
  const running = await startFunction(built, { ...env, PROFILE: path }, ['--import', preload]);
  return {
    running,
    async during(work) {
      process.kill(running.pid, 'SIGUSR2');
      await delay(200);
      await work();
      process.kill(running.pid, 'SIGUSR2');
      while (!existsSync(path)) await delay(50);
      return byPart(JSON.parse(await readFile(path, 'utf8')) as Profiler.Profile);
    },
    async stop() {
      await running.stop();
      await rm(folder, { recursive: true });
    },
  };
}

type Node = Profiler.ProfileNode;

/** A sample belongs to the module of ours that is nearest on the stack; garbage is collected for all of them. */
function byPart({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Map<string, number> {
  const parents = new Map(
    nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)),
  );
  const parts = new Map(nodes.map((node) => [node.id, partOf(node, parents)]));
  const times = new Map<string, number>();
  for (const [i, id] of samples.entries()) {
    const part = parts.get(id) ?? '';
    times.set(part, (times.get(part) ?? 0) + (timeDeltas[i] ?? 0) / 1000);
  }
  times.delete('(idle)');
  return times;
}

function partOf(node: Node, parents: ReadonlyMap<number, Node>): string {
  const { functionName } = node.callFrame;
  if (functionName === '(idle)') return functionName;
  if (functionName === '(garbage collector)') return 'garbage collection';
  for (let at: Node | undefined = node; at !== undefined; at = parents.get(at.id)) {
    const [, part] = /\/(lib\/[\w-]+\/[\w-]+)\.js$/.exec(at.callFrame.url) ?? [];
    if (part !== undefined) return part;
  }
  return 'Node, called by no part of ours';
}
