import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/order.js';
import { ROOT } from './test/support/root.js';
import { transpiledFolder } from './test/support/transpile.js';

const LONG = process.env.LONG === '1';

/** Lets Node run the sources: rewritten by Vite they take a tenth more CPU time, and seconds longer to begin. */
const NATIVE = {
  name: 'native-sources',
  enforce: 'pre' as const,
  resolveId(source: string, importer: string | undefined) {
    if (importer === undefined || !/^\.{1,2}\//.test(source)) return null;
    const path = relative(ROOT, join(dirname(importer), source));
    return /^(?:api|bin|lib)\//.test(path) ? join(transpiledFolder(), path) : null;
  },
};

/** What takes so long that only `npm run test:long` has it. */
const ONLY_LONG = [
  'test/fuzz/*.test.ts',
  ...[
    ...['deploy/functions', 'deploy/package', 'deploy/peers', 'local/build', 'probe/clients'],
    ...['big-pages', 'hostile-texts', 'pages'].map((name) => `view/${name}`),
    ...['deliver', 'http', 'probe', 'record'].map((area) => `${area}/linear`),
    ...[
      'run/fault-sweep',
      'run/host-sims',
      'run/overlap',
      'run/refusals',
      'run/scale',
      'run/truth',
      'run/week',
    ],
  ].map((name) => `test/${name}.test.ts`),
];

export default defineConfig({
  // Who watches changes the sources while the tests run.
  plugins: LONG || !process.argv.includes('run') ? [] : [NATIVE],
  test: {
    include: process.env.SCREENSHOTS
      ? ['test/view/screenshots.ts']
      : LONG
        ? [
            ...ONLY_LONG,
            'test/probe/latency.test.ts',
            ...[
              'cli/tool-import',
              'cli/transfer',
              'config/quick-yaml',
              'config/targets-file',
              'local/faults',
              'local/start',
            ].map((name) => `test/${name}.test.ts`),
            ...['alerts', 'codes', 'notifier'].map((name) => `test/record/${name}.test.ts`),
            'test/probe/http-parser.test.ts',
            'test/local/machines.test.ts',
            ...['edges', 'one-target', 'truth'].map((name) => `test/read/${name}.test.ts`),
            ...['cron', 'openapi'].map((name) => `test/http/${name}.test.ts`),
            ...['first-visit', 'status-page'].map((name) => `test/view/${name}.test.ts`),
            'test/rules/opinions-played.test.ts',
            ...[
              'backlog',
              'budget',
              'clock',
              'hostile',
              'maintenance',
              'month',
              'peer-watch',
              'shards',
              'sleeping',
              'stores',
              'subscriber-mails',
              'waking',
            ].map((name) => `test/run/${name}.test.ts`),
          ]
        : ['test/**/*.test.ts'],
    exclude: LONG ? [] : [...ONLY_LONG, '**/node_modules/**'],
    globalSetup: ['test/support/system.ts'],
    setupFiles: ['test/support/own-folder.ts'],
    provide: { long: LONG },
    // Most files import most of the code: a process of its own for each costs more than half a second.
    isolate: LONG,
    // Against what never ends; no test is meant to come near it, on a slow machine either.
    testTimeout: LONG ? 600_000 : 180_000,
    hookTimeout: LONG ? 600_000 : 180_000,
    // By itself `expect.poll` waits for one second, which a busy machine does not always keep.
    expect: { poll: { timeout: 60_000 } },
    // Twice as many as there are cores: many tests wait, but the long ones. By itself vitest leaves a core idle, which on two is half of them.
    maxWorkers: LONG ? availableParallelism() : availableParallelism() * 2,
    // Of tests that wait rather than work.
    maxConcurrency: 40,
    sequence: { sequencer: LongestFirst },
  },
});
