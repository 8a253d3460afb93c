import { gzipSync } from 'node:zlib';
import { restore } from '../lib/cli/transfer.js';
import { parseConfig } from '../lib/config/config.js';
import { startFunction } from '../test/support/deployable.js';
import { costOf, openGround, targetsEnv, type Cost, type Ground } from './built/ground.js';
import { lived } from './built/history.js';
import { median, type Table } from './table.js';

const COUNTS = [1, 100, 500];
/** Of history. */
const DAYS = [1, 90];
const WARM_UP = 10;
const LATER = 30;

const OF_ALL = [
  { entrypoint: 'api/keepalive/[id].ts', path: '/api/keepalive' },
  { entrypoint: 'api/page/[page].ts', path: '/' },
];
const OF_ONE = [
  { entrypoint: 'api/keepalive/[id].ts', path: '/api/keepalive/service-0' },
  { entrypoint: 'api/page/[page].ts', path: '/t/service-0' },
];
type Read = (typeof OF_ALL)[number];

/** What readers ask the built functions for, after a day and after 90. */
export async function* measure(): AsyncGenerator<Table> {
  const ground = await openGround([...OF_ALL, ...OF_ONE].map(({ entrypoint }) => entrypoint));
  try {
    const ofAll: string[][] = [];
    const ofOne: string[][] = [];
    for (const count of COUNTS) {
      for (const days of DAYS) {
        const env = targetsEnv(count, (i) => `https://service-${i}.example.com/health`);
        const config = parseConfig(env);
        if (!config.ok) throw new Error('nothing to measure');
        await restore(ground.store, lived(config.config, days, Date.now()), { force: true });
        const row = async (read: Read) => [
          read.path.replace('service-0', '<id>'),
          String(count),
          String(days),
          ...(await cellsOf(ground, read, { ...ground.env, ...env })),
        ];
        for (const read of OF_ALL) ofAll.push(await row(read));
        for (const read of OF_ONE) ofOne.push(await row(read));
      }
    }
    const columns = [
      ...['', 'targets', 'days', 'first, ms', 'later, ms', 'CPU, ms', 'commands', 'KB from the store, first'],
      ...['later', 'answer, KB', 'gzip, KB'],
    ];
    const note = `One reader, one process a function, Upstash's REST API on loopback. Checks by the minute in the last 26 hours. The first request of a process, then the median of ${LATER} after ${WARM_UP}.`;
    yield { title: 'Reads of all targets', note, columns, rows: byPath(ofAll) };
    yield { title: 'Reads of one target', note, columns, rows: byPath(ofOne) };
  } finally {
    await ground.close();
  }
}

async function cellsOf(
  ground: Ground,
  { entrypoint, path }: Read,
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  const built = ground.functions.get(entrypoint);
  if (built === undefined) throw new Error(`${entrypoint} was not built`);
  const running = await startFunction(built, env);
  try {
    const costs: Cost[] = [];
    while (costs.length < 1 + WARM_UP + LATER) costs.push(await costOf(ground, running, path));
    const [first] = costs;
    const later = costs.slice(-LATER);
    const body = later.at(-1)?.body ?? '';
    return [
      (first?.wall ?? NaN).toFixed(0),
      median(later.map(({ wall }) => wall)).toFixed(1),
      median(later.map(({ cpu }) => cpu)).toFixed(1),
      String(median(later.map(({ commands }) => commands))),
      kilobytes(first?.received ?? NaN),
      kilobytes(median(later.map(({ received }) => received))),
      kilobytes(Buffer.byteLength(body)),
      kilobytes(gzipSync(body).length),
    ];
  } finally {
    await running.stop();
  }
}

function byPath(rows: readonly string[][]): string[][] {
  const paths = [...new Set(rows.map(([path]) => path))];
  return paths.flatMap((path) => rows.filter(([first]) => first === path));
}

function kilobytes(bytes: number): string {
  return (bytes / 1024).toFixed(1);
}
