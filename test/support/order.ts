import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest. One that begins last would keep the others' cores idle. */
const LONG = [
  ...['run/truth', 'run/month', 'local/machines', 'fuzz/readers', 'deploy/peers', 'deploy/functions'],
  ...[
    'run/fault-sweep',
    'run/host-sims',
    'view/status-page',
    'rules/opinions-played',
    'local/start',
    'cli/transfer',
  ],
  ...['run/budget', 'run/refusals', 'run/week', 'run/sleeping', 'run/clock', 'run/overlap', 'run/scale'],
  ...['probe/clients', 'local/faults', 'record/notifier', 'cli/schedule'],
  ...['store/upstash-faults', 'store/redis', 'cli/init', 'run/stores'],
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
