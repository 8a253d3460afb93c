import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { Table } from './table.js';
import { render } from './table.js';

/** Each measures one thing side by side and yields its tables as they are ready. */
const SECTIONS: Readonly<Record<string, () => Promise<{ measure: () => AsyncIterable<Table> }>>> = {
  latency: () => import('./latency.js'),
  checks: () => import('./checks.js'),
  runs: () => import('./runs.js'),
  reads: () => import('./reads.js'),
  shards: () => import('./shards.js'),
  start: () => import('./start.js'),
  many: () => import('./many.js'),
  growth: () => import('./growth.js'),
  hour: () => import('./hour.js'),
};

/** Too long to be made unless they are named. */
const LONG: ReadonlySet<string> = new Set(['many', 'growth', 'hour']);

/** `npm run bench [-- section…]`: measures all or the named sections, and prints the tables as Markdown. */
async function main(): Promise<number> {
  // Vercel's builder talks on standard output, where the tables alone are to be.
  console.log = console.error;
  // So that what must end with this process does.
  process.once('SIGINT', () => process.exit(130));
  const { positionals } = parseArgs({ allowPositionals: true });
  const unknown = positionals.filter((name) => !Object.hasOwn(SECTIONS, name));
  if (unknown.length > 0) {
    console.error(`unknown: ${unknown.join(', ')}; there are ${Object.keys(SECTIONS).join(', ')}`);
    return 1;
  }
  const [cpu] = cpus();
  process.stdout.write(
    `Node ${process.version}, ${cpus().length} × ${cpu?.model ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB\n\n`,
  );
  for (const [name, load] of Object.entries(SECTIONS)) {
    if (positionals.length > 0 ? !positionals.includes(name) : LONG.has(name)) continue;
    const { measure } = await load();
    for await (const table of measure()) process.stdout.write(`${render(table)}\n\n`);
  }
  return 0;
}

process.exitCode = await main();
