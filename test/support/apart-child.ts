import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createPacer } from '../../lib/probe/pacer.js';
import { createProber } from '../../lib/probe/probe.js';
import { sharedContext } from '../../lib/run/run-context.js';
import type { RunReport } from '../../lib/run/report.js';
import { run } from '../../lib/run/run.js';
import { configOf } from './runs.js';

/** What a process is to run, as the test sends it. */
export interface RunOrder {
  readonly env: Readonly<Record<string, string>>;
  /** Name servers instead of the system's. */
  readonly servers?: readonly string[];
}

/** What became of it. */
export interface RunOutcome {
  readonly report: RunReport;
  /** The most memory that the process ever had, in bytes. */
  readonly peakMemory: number;
  /** The longest that its event loop was held up, in ms. */
  readonly longestBlock: number;
  /** The most descriptors that were seen open at once. */
  readonly mostOpen: number;
  /** What Node warned of. */
  readonly warnings: readonly string[];
  /** What was still open after the run, apart from the channel to the test. */
  readonly leftOpen: readonly string[];
}

/** Makes one run without a store, tells of it, and must then end by itself. */
process.once('message', (order) => {
  void work(order as RunOrder).then((outcome) => {
    process.send?.(outcome, () => process.disconnect());
  });
});

async function work({ env, servers }: RunOrder): Promise<RunOutcome> {
  const config = configOf(env);
  const parts = sharedContext(config);
  let { prober } = parts;
  if (servers) {
    const pacer = createPacer(config.concurrency);
    const own = createProber({ servers });
    prober = { ...own, attempt: (target, signal) => pacer.run(() => own.attempt(target, signal)) };
  }
  // A thread's output goes to these, which are opened when they are first used.
  for (const stream of [process.stdout, process.stderr]) stream.write('');
  const warnings: string[] = [];
  process.on('warning', ({ name }) => warnings.push(name));
  const before = process.getActiveResourcesInfo();
  const delay = monitorEventLoopDelay({ resolution: 10 });
  let mostOpen = 0;
  const watch = setInterval(() => (mostOpen = Math.max(mostOpen, openNow())), 10);
  delay.enable();
  const report = await run(
    { ...parts, prober, config, store: null, log: () => undefined },
    { trigger: 'test', limit: 300_000, nextRunIn: 0 },
  );
  delay.disable();
  clearInterval(watch);
  await new Promise((resolve) => setTimeout(resolve, 100));
  return {
    report,
    peakMemory: process.resourceUsage().maxRSS * 1024,
    longestBlock: delay.max / 1e6,
    mostOpen,
    warnings,
    leftOpen: without(process.getActiveResourcesInfo(), before),
  };
}

function openNow(): number {
  return readdirSync('/proc/self/fd').length;
}

function without(names: readonly string[], gone: readonly string[]): string[] {
  const left = [...names];
  for (const name of gone) {
    const at = left.indexOf(name);
    if (at >= 0) left.splice(at, 1);
  }
  return left;
}
