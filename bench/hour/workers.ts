import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cpuTime, peakMemory } from '../process.js';

const SCRIPT = fileURLToPath(new URL('worker-child.js', import.meta.url));
/** Descriptors that a process may have on Vercel. */
const DESCRIPTORS = 1_024;

interface Worker {
  readonly child: ChildProcess;
  readonly origin: string;
  underWay: number;
}

/** What came of a request; null: its process was killed, or broke the connection. */
type Answered = { readonly status: number; readonly body: string } | null;

/** Processes of functions. Each request goes to the one with the fewest under way, as a platform would have it. */
export class Workers {
  #workers: Worker[] = [];
  /** Of those that are gone. */
  #cpu = 0;
  #memory = 0;
  #isClosing = false;

  private constructor(
    private readonly folder: string,
    private readonly env: Readonly<Record<string, string | undefined>>,
  ) {}

  /** @param folder in which they work */
  static async start(count: number, folder: string, env: Workers['env']): Promise<Workers> {
    const workers = new Workers(folder, env);
    await Promise.all(Array.from({ length: count }, () => workers.#add()));
    return workers;
  }

  async #add(): Promise<void> {
    const child = spawn(
      'sh',
      ['-c', `ulimit -n ${DESCRIPTORS}; exec "$0" "$@"`, process.execPath, SCRIPT],
      // Of a group of its own: Ctrl-C is for us.
      { cwd: this.folder, env: this.env, detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    );
    const end = (): void => void child.kill('SIGKILL');
    process.once('exit', end);
    child.once('exit', (code, signal) => {
      process.off('exit', end);
      this.#workers = this.#workers.filter((each) => each.child !== child);
      if (this.#isClosing || signal === 'SIGKILL') return;
      console.error(`a worker ended by itself (${code ?? signal}), and is started again`);
      void this.#add();
    });
    const [port] = (await once(child, 'message')) as [number];
    this.#workers.push({ child, origin: `http://127.0.0.1:${port}`, underWay: 0 });
  }

  /** @param path with the query */
  async call(path: string, init: RequestInit): Promise<Answered> {
    const worker = await this.#take();
    try {
      const answer = await fetch(worker.origin + path, init);
      return { status: answer.status, body: await answer.text() };
    } catch {
      return null;
    } finally {
      worker.underWay -= 1;
    }
  }

  /** The one with the fewest requests under way, and one more: those that are asked for in one turn must not all get the same. */
  async #take(): Promise<Worker> {
    for (;;) {
      const [first] = [...this.#workers].sort((a, b) => a.underWay - b.underWay);
      if (first !== undefined) {
        first.underWay += 1;
        return first;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Kills one of them, and starts another at once. @returns how many requests it had under way */
  async killOne(): Promise<number> {
    const victim = this.#workers[Math.floor(Math.random() * this.#workers.length)];
    if (victim === undefined) return 0;
    await this.#count(victim);
    this.#workers = this.#workers.filter((each) => each !== victim);
    const { underWay } = victim;
    victim.child.kill('SIGKILL');
    await this.#add();
    return underWay;
  }

  async #count({ child: { pid = 0 } }: Worker): Promise<void> {
    this.#cpu += await cpuTime(pid).catch(() => 0);
    this.#memory = Math.max(this.#memory, await peakMemory(pid).catch(() => 0));
  }

  /** CPU ms of all of them so far, those that are gone included. */
  async cpu(): Promise<number> {
    const times = await Promise.all(
      this.#workers.map(({ child: { pid = 0 } }) => cpuTime(pid).catch(() => 0)),
    );
    return times.reduce((sum, each) => sum + each, this.#cpu);
  }

  /** The most memory that one of them ever had, in bytes. */
  async memory(): Promise<number> {
    const sizes = this.#workers.map(({ child: { pid = 0 } }) => peakMemory(pid).catch(() => 0));
    return Math.max(this.#memory, ...(await Promise.all(sizes)));
  }

  close(): void {
    this.#isClosing = true;
    for (const { child } of this.#workers) child.kill('SIGKILL');
  }
}
