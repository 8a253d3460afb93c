import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askBlackbox, hasBlackbox } from './checks/blackbox.js';
import type { Order, Outcome } from './checks/order.js';
import type { Manner, Truth } from './checks/server-child.js';
import { median, quantile, type Table } from './table.js';

/** Descriptors that a process may have on Vercel, all invocations together. */
const DESCRIPTORS = 1_024;
const HOSTS = Array.from({ length: 16 }, (_, i) => `127.64.0.${1 + i}`);
const REPETITIONS = new Map([
  [100, 7],
  [1_000, 5],
  [10_000, 3],
]);

const MOST = Math.max(...REPETITIONS.keys());

interface Measured extends Outcome {
  /** As the target server saw them. */
  readonly truth: readonly number[];
}

type Method = (order: Order) => Promise<Outcome>;

/** All methods check the same targets, each on a distinct address, from a fresh process on a core of its own. */
export async function* measure(): AsyncIterable<Table> {
  const field = await prepare();
  try {
    for (const secure of [false, true]) {
      for (const delay of [0, 50]) {
        for (const [count, repetitions] of REPETITIONS)
          yield await field.race({ secure, delay, count, repetitions });
      }
    }
  } finally {
    await field.close();
  }
}

interface Race {
  readonly secure: boolean;
  /** Of the targets' answers, in ms. */
  readonly delay: number;
  readonly count: number;
  readonly repetitions: number;
}

/** The targets, and the methods that are here. */
export async function prepare(): Promise<{ race(race: Race): Promise<Table>; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'keepalive-bench-'));
  const server = await startServer(folder);
  const { ca } = server;
  const methods = new Map<string, Method>([
    ['undici.request', inProcess('undici', folder)],
    ['fetch', inProcess('fetch', folder)],
    ...(hasBlackbox()
      ? [['blackbox_exporter', (order: Order) => askBlackbox(order, limits(CLIENT_CORE))] as const]
      : []),
    ['keepalive', inProcess('keepalive', folder)],
  ]);
  return {
    async race({ secure, delay, count, repetitions }) {
      const inFlight = delay === 0 ? 100 : 500;
      const urls = Array.from({ length: count }, (_, i) => server.urlOf(i, secure));
      const found = new Map<string, Measured[]>([...methods].map(([name]) => [name, []]));
      for (let i = 0; i < repetitions; i++) {
        for (const [name, method] of methods) {
          await server.be({ delay });
          const outcome = await method({ urls, inFlight, ca, nameServer: null });
          const { latencies } = await server.be({ delay });
          found.get(name)?.push({ ...outcome, truth: latencies });
        }
      }
      return {
        title: `${count} ${secure ? 'HTTPS' : 'HTTP'} targets that answer ${delay === 0 ? 'at once' : `after ${delay} ms`}`,
        note: `At most ${inFlight} in flight; medians of ${repetitions}.`,
        ...compare(found, count),
      };
    },
    async close() {
      server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

function compare(
  found: ReadonlyMap<string, readonly Measured[]>,
  count: number,
): Pick<Table, 'columns' | 'rows'> {
  const base = found.get('undici.request') ?? [];
  const of = (each: readonly Measured[], figure: (one: Measured) => number) => median(each.map(figure));
  const rows = [...found].map(([name, each]) => {
    const wall = of(each, (one) => one.wall);
    const cpu = of(each, (one) => one.cpu);
    return [
      name,
      wall.toFixed(0),
      (wall / of(base, (one) => one.wall)).toFixed(2),
      ((cpu / count) * 1000).toFixed(0),
      (cpu / of(base, (one) => one.cpu)).toFixed(2),
      (of(each, (one) => one.peakMemory) / 2 ** 20).toFixed(0),
      of(each, (one) => quantile(one.latencies, 0.5)).toFixed(1),
      of(each, (one) => quantile(one.latencies, 0.99)).toFixed(1),
      of(each, (one) => quantile(one.truth, 0.5)).toFixed(1),
      of(each, (one) => quantile(one.truth, 0.99)).toFixed(1),
      of(each, (one) => one.falseDowns).toFixed(0),
    ];
  });
  return {
    columns: [
      'method',
      'wall ms',
      '×',
      'CPU µs a check',
      '×',
      'peak MB',
      'reported p50',
      'p99',
      'true p50',
      'p99',
      'false downs',
    ],
    rows,
  };
}

/** A script of this folder in a process of its own. */
function start(script: string, prefix: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const path = join(import.meta.dirname, 'checks', `${script}-child.js`);
  const child = spawn('env', [...prefix, process.execPath, path], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  return child;
}

const inProcess =
  (script: string, folder: string): Method =>
  async (order) => {
    const child = start(script, limits(CLIENT_CORE), { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') });
    child.send(order);
    const [outcome] = (await once(child, 'message')) as [Outcome];
    if (child.exitCode === null) await once(child, 'exit');
    return outcome;
  };

interface TargetServer {
  readonly ca: string;
  /** Of the target with this number; each has an address and port of its own. */
  urlOf(i: number, secure: boolean): string;
  /** From now on; tells what was true until now. */
  be(manner: Manner): Promise<Truth>;
  stop(): void;
}

async function startServer(folder: string): Promise<TargetServer> {
  await makeCertificate(folder);
  const [ca, key, cert] = await Promise.all(
    ['ca.pem', 'key.pem', 'cert.pem'].map((name) => readFile(join(folder, name), 'utf8')),
  );
  const child = start('server', limits(SERVER_CORE), {
    TLS_KEY: key,
    TLS_CERT: cert,
    PORTS: String(Math.ceil(MOST / HOSTS.length)),
  });
  const be = async (manner: Manner): Promise<Truth> => {
    child.send(manner);
    const [truth] = (await once(child, 'message')) as [Truth];
    return truth;
  };
  const { ports, tlsPorts } = await be({ delay: 0 });
  return {
    ca: ca ?? '',
    urlOf(i, secure) {
      const host = HOSTS[i % HOSTS.length];
      const port = (secure ? tlsPorts : ports)[Math.floor(i / HOSTS.length)];
      return `${secure ? 'https' : 'http'}://${host}:${port}/health`;
    },
    be,
    stop: () => void child.kill('SIGKILL'),
  };
}

/** An authority, and a P-256 leaf for all the addresses and names, as servers have them today. */
async function makeCertificate(folder: string): Promise<void> {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const hosts = HOSTS.map((host) => `IP:${host}`).join(',');
  await writeFile(join(folder, 'names'), `subjectAltName=DNS:*.bench.test,${hosts}`);
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca-key.pem',
    '-out',
    'ca.pem',
    '-days',
    '30',
    '-subj',
    '/CN=bench',
  );
  openssl('req', ...newKey, '-keyout', 'key.pem', '-out', 'leaf.csr', '-subj', '/CN=targets');
  openssl(
    ...['x509', '-req', '-in', 'leaf.csr', '-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial'],
    ...['-out', 'cert.pem', '-days', '30', '-extfile', 'names'],
  );
}

const SERVER_CORE = 1;
const CLIENT_CORE = 0;

/** What comes before a command: one core of its own, where the machine has them, and as many descriptors as on Vercel. */
function limits(core: number): readonly string[] {
  const pins = spawnSync('taskset', ['-c', String(core), 'true']).status === 0;
  return [
    ...(core === CLIENT_CORE ? ['sh', '-c', `ulimit -n ${DESCRIPTORS}; exec "$0" "$@"`] : []),
    ...(pins ? ['taskset', '-c', String(core)] : []),
  ];
}
