import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest. One that begins last would keep the others' cores idle. */
const LONG = [
  ...['run/truth', 'run/month', 'local/machines', 'fuzz/readers', 'deploy/peers', 'deploy/functions'],
  ...['run/fault-sweep', 'run/host-sims', 'run/week', 'run/overlap', 'run/scale', 'probe/clients'],
  ...['rules/opinions-played', 'run/refusals', 'record/notifier'],
  ...['local/start', 'cli/transfer', 'view/status-page', 'run/stores', 'run/subscriber-mails'],
  ...['store/redis', 'store/upstash-faults', 'cli/init', 'store/sqlite', 'local/faults', 'store/cluster'],
  ...['run/hostile', 'store/spread', 'run/sleeping', 'run/clock', 'run/budget', 'read/one-target'],
];

/** Begins with the files of that list, in its order. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const name = relative('test', moduleId).replace(/\.\w+\.ts$/, '');
      return LONG.includes(name) ? LONG.indexOf(name) : LONG.length;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
