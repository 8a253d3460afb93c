import { openRemoteStore } from './stores.js';
import type { RemoteStoreConfig } from '../../lib/store/open.js';
import { openSqlite } from './stores.js';
import type { Store } from '../../lib/store/store.js';
import { meddled } from './meddle.js';
import { manyTargets, Pinger } from './runs.js';
import { Storyteller } from './story.js';

/** What a run of a process of its own is to do. */
export type ChildTask = { readonly store: ChildStore } & (
  | {
      /** Makes the second run of the story, and kills itself in a call to the store. */
      readonly task: 'die';
      readonly call: number;
      readonly when: 'during' | 'after';
    }
  /**
   * Whenever it is told to: opens its store anew, makes so many runs at once, and sends what they pinged and how they
   * ended. Its clock is ahead by so many ms.
   */
  | { readonly task: 'crowd'; readonly runs: number; readonly targets: number; readonly ahead: number }
);

export type ChildStore =
  (RemoteStoreConfig & { readonly prefix: string }) | { readonly kind: 'sqlite'; readonly path: string };

export interface Crowd {
  readonly asked: readonly string[];
  readonly statuses: readonly string[];
}

const task = JSON.parse(process.argv[2] ?? '') as ChildTask;
const openStore = async (): Promise<Store> =>
  task.store.kind === 'sqlite' ? openSqlite(task.store.path) : openRemoteStore(task.store, task.store);

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

switch (task.task) {
  case 'die': {
    const deadly = meddled(await openStore(), async ({ number }, work) => {
      if (number !== task.call) return work();
      const working = work();
      if (task.when === 'during') setImmediate(die);
      const result = await working;
      if (task.when === 'after') die();
      return result;
    });
    await new Storyteller(deadly).tell(1);
    break;
  }
  case 'crowd': {
    const { now } = Date;
    Date.now = () => now() + task.ahead;
    const together = async (): Promise<Crowd> => {
      const store = await openStore();
      const pinger = new Pinger(manyTargets(task.targets), store);
      Object.defineProperty(pinger, 'now', { get: () => store.now() });
      const reports = await Promise.all(Array.from({ length: task.runs }, () => pinger.run()));
      await store.close();
      return { asked: pinger.asked, statuses: reports.map(({ status }) => status) };
    };
    process.on('message', () => void together().then((crowd) => process.send?.(crowd)));
    process.send?.('ready');
  }
}
