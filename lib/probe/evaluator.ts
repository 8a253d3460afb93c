import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Evaluation, Evaluator } from '../rules/assertions.js';

/** Time for one expression, in ms. Where the machine is so busy that it had no CPU, it is run again for longer. */
const TIME_LIMIT = 250;
/** Heap of the thread in MB: an expression that needs more breaks, and nothing else does. */
const HEAP = 128;

/** What the thread is given; it answers each with an Evaluation. */
export interface Task {
  readonly source: string;
  /** Of a regular expression; null: the source is JSONata. */
  readonly flags: string | null;
  readonly text: string;
}

interface Job extends Task {
  readonly resolve: (evaluation: Evaluation) => void;
}

const OUTCOMES: readonly unknown[] = ['true', 'false', 'not_json', 'slow', 'broken'] satisfies Evaluation[];

/** Under this name, and at the top, Vercel's builder sees what is resolved, and ships it. */
const require = createRequire(import.meta.url);

/**
 * Runs regular expressions and JSONata one by one in a thread, which is started with the first: while one of them is
 * slow, the process goes on. One that had to be stopped once waits thereafter until no other is waiting.
 * It guards time, not trust: the expressions are the operator's.
 */
export function createEvaluator(): Evaluator & { close(): Promise<void> } {
  const waiting: Job[] = [];
  const putOff: Job[] = [];
  const stopped = new Set<string>();
  let thread: Worker | null = null;
  let job: Job | null = null;

  const next = () => {
    if (job) return;
    job = waiting.shift() ?? putOff.shift() ?? null;
    if (!job) return;
    thread ??= start();
    const { source, flags, text } = job;
    thread.ref();
    thread.postMessage({ source, flags, text } satisfies Task);
  };

  const settle = (outcome: unknown) => {
    const settled = job;
    job = null;
    thread?.unref();
    if (!settled) return;
    if (outcome === 'slow') stopped.add(settled.source);
    settled.resolve(OUTCOMES.includes(outcome) ? (outcome as Evaluation) : 'broken');
    next();
  };

  const start = () => {
    const started = new Worker(new URL('./evaluator-thread.js', import.meta.url), {
      workerData: { jsonataPath: require.resolve('jsonata'), timeLimit: TIME_LIMIT },
      resourceLimits: { maxOldGenerationSizeMb: HEAP },
      execArgv: [],
    });
    started.on('message', settle);
    // An exit follows.
    started.on('error', () => undefined);
    started.once('exit', () => {
      thread = null;
      settle('broken');
    });
    return started;
  };

  const evaluate = (task: Task) =>
    new Promise<Evaluation>((resolve) => {
      (stopped.has(task.source) ? putOff : waiting).push({ ...task, resolve });
      next();
    });

  return {
    search: ({ source, flags }, text) => evaluate({ source, flags, text }),
    query: (source, text) => evaluate({ source, flags: null, text }),
    async close() {
      await thread?.terminate();
    },
  };
}
