import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Evaluation, Evaluator, Variables } from '../rules/assertions.js';

/** Time for one expression, in ms. Where the machine is so busy that it had no CPU, it is run again for longer. */
const TIME_LIMIT = 250;
/**
 * Time that an expression has at first, in ms. One that needs more is run again when no other is waiting: however many
 * answers make an expression slow, the others are judged first.
 */
const FIRST_LIMIT = 25;
/** Heap of the process that evaluates, in MB. */
const HEAP = 128;
/** What that process may occupy in all, in bytes: one large text may exceed its heap before V8 notices. */
const MEMORY_LIMIT = 256 * 1024 * 1024;
/** How often its memory is looked at while it evaluates, in ms. Linux alone tells. */
const MEMORY_CHECKED_EVERY = 5;
const PAGE = 4096;

/** What the process is given; it answers each with an Evaluation, or with groups as JSON where they are asked for. */
export interface Task {
  readonly source: string;
  /** Of a regular expression; null: the source is JSONata. */
  readonly flags: string | null;
  readonly text: string;
  /** What the groups of a regular expression hold is asked for. */
  readonly asksGroups: boolean;
  /** What a JSONata expression names of the answer, as JSON; null: nothing. */
  readonly variables: string | null;
  /** Ms that it may take. */
  readonly limit: number;
}

/** What came of a task: an Evaluation, or the groups of an expression that was found. */
type Outcome = Evaluation | readonly string[];

interface Job extends Task {
  readonly resolve: (outcome: Outcome) => void;
}

const OUTCOMES: readonly unknown[] = ['true', 'false', 'not_json', 'slow', 'broken'] satisfies Evaluation[];

/** Under this name, and at the top, Vercel's builder sees what is resolved, and ships it. */
const require = createRequire(import.meta.url);
const PROGRAM = fileURLToPath(new URL('./evaluator-process.js', import.meta.url));

/**
 * Runs regular expressions and JSONata one by one in a process of their own, which is started with the first: while one
 * of them is slow, the others go on, and one that takes all memory ends that process and no other. (V8 ends the whole
 * process when a thread runs out of memory.) It guards time and memory, not trust: the expressions are the operator's.
 */
export function createEvaluator(): Evaluator & { close(): Promise<void> } {
  const waiting: Job[] = [];
  const putOff: Job[] = [];
  let child: ChildProcess | null = null;
  let job: Job | null = null;
  let memoryTimer: NodeJS.Timeout | undefined;

  const next = () => {
    if (job) return;
    job = waiting.shift() ?? putOff.shift() ?? null;
    if (!job) return;
    child ??= start();
    const { source, flags, text, asksGroups, variables, limit } = job;
    const task: Task = { source, flags, text, asksGroups, variables, limit };
    const { pid } = child;
    keepAlive(child, true);
    child.send(task, () => undefined);
    memoryTimer = setInterval(() => {
      if (memoryOf(pid) <= MEMORY_LIMIT) return;
      // What it may still say is not listened to: it would be taken for the answer to the next expression.
      child?.kill('SIGKILL');
      child = null;
      settle('broken');
    }, MEMORY_CHECKED_EVERY);
  };

  const settle = (outcome: unknown) => {
    const settled = job;
    job = null;
    clearInterval(memoryTimer);
    if (child) keepAlive(child, false);
    if (!settled) return;
    if (outcome === 'slow' && settled.limit === FIRST_LIMIT) putOff.push({ ...settled, limit: TIME_LIMIT });
    else
      settled.resolve(settled.asksGroups && outcome !== 'broken' ? groupsOf(outcome) : evaluationOf(outcome));
    next();
  };

  const start = () => {
    const started = fork(PROGRAM, [require.resolve('jsonata')], {
      execArgv: [`--max-old-space-size=${HEAP}`],
      // Nothing of the environment: it holds secrets.
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const ended = () => {
      if (child !== started) return;
      child = null;
      settle('broken');
    };
    started.on('message', (outcome) => {
      if (child === started) settle(outcome);
    });
    started.once('error', ended).once('exit', ended);
    return started;
  };

  const run = (task: Omit<Task, 'limit'>) =>
    new Promise<Outcome>((resolve) => {
      waiting.push({ ...task, limit: FIRST_LIMIT, resolve });
      next();
    });
  const evaluate = async (task: Omit<Task, 'limit' | 'asksGroups'>) =>
    evaluationOf(await run({ ...task, asksGroups: false }));

  return {
    search: ({ source, flags }, text) => evaluate({ source, flags, text, variables: null }),
    async groups({ source, flags }, text) {
      const outcome = await run({ source, flags, text, variables: null, asksGroups: true });
      return outcome === 'true' ? 'broken' : outcome;
    },
    query: (source, text, variables = {}) =>
      evaluate({ source, flags: null, text, variables: namedIn(source, variables) }),
    async close() {
      const closing = child;
      if (closing === null) return;
      const ended = new Promise((resolve) => closing.once('exit', resolve).once('error', resolve));
      // Otherwise our own process would end here where nothing else is under way.
      closing.ref();
      closing.kill('SIGKILL');
      await ended;
    },
  };
}

function evaluationOf(outcome: unknown): Evaluation {
  return OUTCOMES.includes(outcome) ? (outcome as Evaluation) : 'broken';
}

/** The process answers with a list of texts. */
function groupsOf(outcome: unknown): Outcome {
  if (typeof outcome !== 'string' || !outcome.startsWith('[')) return evaluationOf(outcome);
  const groups: unknown = JSON.parse(outcome);
  return Array.isArray(groups) ? groups.map(String) : 'broken';
}

/** Those that an expression names, as JSON; null: none. */
function namedIn(source: string, variables: Variables): string | null {
  const named = Object.entries(variables).filter(([name]) => source.includes(`$${name}`));
  return named.length === 0 ? null : JSON.stringify(Object.fromEntries(named));
}

/** Whether our own process waits for this one before it ends. */
function keepAlive(child: ChildProcess, wanted: boolean): void {
  if (wanted) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
}

/** Bytes of memory that a process occupies; 0 where the system does not tell. */
function memoryOf(pid: number | undefined): number {
  try {
    const [, resident] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
    return Number(resident) * PAGE;
  } catch {
    return 0;
  }
}
