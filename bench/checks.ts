import { askBlackbox, hasBlackbox } from './checks/blackbox.js';
import { NAME_DELAY, openField, type Field, type Method } from './checks/field.js';
import type { Order, Outcome } from './checks/order.js';
import type { Truth } from './checks/server-child.js';
import { median, quantile, type Table } from './table.js';

/** How often each contender runs, by the number of targets. */
const REPETITIONS = new Map([
  [100, 5],
  [1_000, 5],
  [10_000, 1],
]);
const MOST = Math.max(...REPETITIONS.keys());
const COLUMNS = [
  ...['method', 'wall ms', '×', 'CPU µs a check', '×', 'peak MB'],
  ...['reported p50', 'p99', 'true p50', 'p99', 'below the truth', 'least error', 'false downs'],
];

/** A way to check targets, and which ones. */
interface Contender {
  readonly name: string;
  readonly method: Method;
  readonly urls: readonly string[];
  readonly nameServer?: string;
}

interface Measured extends Omit<Outcome, 'latencies'> {
  /** Of the checks that were good: what the method says, how long the server took, and by how much they differ. */
  readonly reported: readonly number[];
  readonly truth: readonly number[];
  readonly errors: readonly number[];
}

/** A latency that is reported as less than the true one by more than this, in ms, is below the truth. */
const TOLERANCE = 1;
export const isBelow = (error: number) => error < -TOLERANCE;

/** All methods check the same targets, each from a fresh process, in turn. The first row is what the others are held against. */
export async function* measure(): AsyncIterable<Table> {
  const field = await openField(MOST);
  try {
    for (const secure of [false, true]) {
      for (const delay of [0, 50]) {
        for (const [count] of REPETITIONS) yield await byMethod(field, { secure, delay, count });
      }
    }
    yield await byName(field, 1_000);
  } finally {
    field.close();
  }
}

export interface Case {
  readonly secure: boolean;
  /** Of the targets' answers, in ms. */
  readonly delay: number;
  readonly count: number;
}

export async function byMethod(field: Field, { secure, delay, count }: Case): Promise<Table> {
  const urls = field.addresses(count, secure);
  const inFlight = delay === 0 ? 100 : 500;
  const blackbox: Method = (order) => askBlackbox(order, field);
  const contenders: Contender[] = [
    { name: 'undici.request', method: field.method('undici'), urls },
    { name: 'fetch', method: field.method('fetch'), urls },
    ...(hasBlackbox() ? [{ name: 'blackbox_exporter', method: blackbox, urls }] : []),
    { name: 'keepalive', method: field.method('keepalive'), urls },
    { name: "keepalive, Node's client", method: field.method('keepalive', ['CLIENT=node']), urls },
  ];
  return {
    title: `${count} ${secure ? 'HTTPS' : 'HTTP'} targets that answer ${delay === 0 ? 'at once' : `after ${delay} ms`}`,
    ...(await compare(field, contenders, { delay, inFlight, addresses: urls })),
  };
}

export async function byName(field: Field, count: number): Promise<Table> {
  const addresses = field.addresses(count, false);
  const names = field.names(count);
  const { nameServer, resolving } = field;
  const blackbox: Method = (order) => askBlackbox(order, field, resolving ?? []);
  const contenders: Contender[] = [
    { name: 'keepalive, no names', method: field.method('keepalive'), urls: addresses },
    { name: 'keepalive', method: field.method('keepalive'), urls: names, nameServer },
    ...(resolving
      ? [
          { name: 'undici.request', method: field.method('undici', resolving), urls: names },
          { name: 'fetch', method: field.method('fetch', resolving), urls: names },
          ...(hasBlackbox() ? [{ name: 'blackbox_exporter', method: blackbox, urls: names }] : []),
        ]
      : []),
  ];
  return {
    title: `${count} names that DNS answers after ${NAME_DELAY} ms, targets after 50 ms`,
    ...(await compare(field, contenders, { delay: 50, inFlight: 500, addresses })),
  };
}

/** What a method reported of targets beside what the server measured of each. */
export function compared(
  addresses: readonly string[],
  latencies: Outcome['latencies'],
  truth: Truth['latencies'],
): Pick<Measured, 'reported' | 'truth' | 'errors'> {
  const byHost = new Map(truth);
  const reported: number[] = [];
  const errors: number[] = [];
  for (const [i, address] of addresses.entries()) {
    const latency = latencies[i] ?? null;
    if (latency === null) continue;
    reported.push(latency);
    errors.push(latency - (byHost.get(new URL(address).host) ?? 0));
  }
  return { reported, truth: truth.map(([, ms]) => ms), errors };
}

async function compare(
  field: Field,
  contenders: readonly Contender[],
  { delay, inFlight, addresses }: { delay: number; inFlight: number; addresses: readonly string[] },
): Promise<Pick<Table, 'note' | 'columns' | 'rows'>> {
  const count = addresses.length;
  const repetitions = REPETITIONS.get(count) ?? 3;
  const found = contenders.map((): Measured[] => []);
  for (let i = 0; i < repetitions; i++) {
    for (const [at, { method, urls, nameServer = null }] of contenders.entries()) {
      await field.be({ delay });
      const outcome = await method({ urls, inFlight, ca: field.ca, nameServer } satisfies Order);
      const { latencies } = await field.be({ delay });
      found[at]?.push({ ...outcome, ...compared(addresses, outcome.latencies, latencies) });
    }
  }
  const figures = found.map((each) => {
    const middle = (figure: (one: Measured) => number) => median(each.map(figure));
    return {
      wall: middle(({ wall }) => wall),
      cpu: middle(({ cpu }) => cpu),
      rest: [
        middle(({ peakMemory }) => peakMemory / 2 ** 20).toFixed(0),
        middle(({ reported }) => quantile(reported, 0.5)).toFixed(1),
        middle(({ reported }) => quantile(reported, 0.99)).toFixed(1),
        middle(({ truth }) => quantile(truth, 0.5)).toFixed(1),
        middle(({ truth }) => quantile(truth, 0.99)).toFixed(1),
        middle(({ errors }) => errors.filter(isBelow).length).toFixed(0),
        Math.min(...each.map(({ errors }) => quantile(errors, 0))).toFixed(1),
        middle(({ falseDowns }) => falseDowns).toFixed(0),
      ],
    };
  });
  const [base] = figures;
  const ratio = (part: number, whole = Number.NaN) => (part / whole).toFixed(2);
  return {
    note: `At most ${inFlight} in flight; medians of ${repetitions}.`,
    columns: COLUMNS,
    rows: figures.map(({ wall, cpu, rest }, i) => [
      contenders[i]?.name ?? '',
      wall.toFixed(0),
      ratio(wall, base?.wall),
      ((cpu / count) * 1000).toFixed(0),
      ratio(cpu, base?.cpu),
      ...rest,
    ]),
  };
}
