import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NameServer } from './dns-child.js';
import type { Order, Outcome } from './order.js';
import type { Manner, Truth } from './server-child.js';

/** Descriptors that a process may have on Vercel, all invocations together. */
const DESCRIPTORS = 1_024;
const HOSTS = Array.from({ length: 16 }, (_, i) => `127.64.0.${1 + i}`);
/** Where the name server listens, as root: the system's resolver asks at port 53 only. */
const NAME_SERVER = '127.64.1.53';
const SERVER_CORE = 1;
const CLIENT_CORE = 0;

/** Makes one order in a fresh process. */
export type Method = (order: Order) => Promise<Outcome>;

/** The servers on one core, and the ways to start a client on the other. */
export interface Field {
  /** Of its own; holds `ca.pem`. */
  readonly folder: string;
  /** Of the authority behind the targets. */
  readonly ca: string;
  /** Of a name server whose answers take NAME_DELAY. */
  readonly nameServer: string;
  /** Of so many targets, each an address and port of its own. */
  addresses(count: number, secure: boolean): string[];
  /** The same as names, each its own. */
  names(count: number): string[];
  /** How the targets are from now on; tells what was true until now. */
  be(manner: Manner): Promise<Truth>;
  /** A script of this folder as a method. */
  method(script: string, prefix?: readonly string[]): Method;
  /** What comes before a command so that it has its own core, and as many descriptors as on Vercel. */
  readonly limits: readonly string[];
  /** What comes before a command so that the system's resolver asks our name server; null: that cannot be had here. */
  readonly resolving: readonly string[] | null;
  close(): void;
}

/** Of the name server's answers, in ms. */
export const NAME_DELAY = 20;

/**
 * @param most targets that will be asked for
 * @param descriptors that a client may have
 */
export async function openField(most: number, descriptors = DESCRIPTORS): Promise<Field> {
  const folder = await mkdtemp(join(tmpdir(), 'keepalive-bench-'));
  const leave = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', leave);
  await makeCertificate(folder);
  const [ca = '', key, cert] = await Promise.all(
    ['ca.pem', 'key.pem', 'cert.pem'].map((name) => readFile(join(folder, name), 'utf8')),
  );
  const server = start('server', onCore(SERVER_CORE), {
    TLS_KEY: key,
    TLS_CERT: cert,
    PORTS: String(Math.ceil(most / HOSTS.length)),
  });
  const be = async (manner: Manner): Promise<Truth> => {
    server.send(manner);
    const [truth] = (await once(server, 'message')) as [Truth];
    return truth;
  };
  const { ports, tlsPorts } = await be({ delay: 0 });
  const resolving = await ownResolver(folder);
  const dns = start('dns', onCore(SERVER_CORE), {
    HOSTS: HOSTS.join(),
    DELAY: String(NAME_DELAY),
    ...(resolving && { ADDRESS: NAME_SERVER, PORT: '53' }),
  });
  const [{ address }] = (await once(dns, 'message')) as [NameServer];
  const portOf = (i: number, secure: boolean) => (secure ? tlsPorts : ports)[Math.floor(i / HOSTS.length)];
  const limits = ['sh', '-c', `ulimit -n ${descriptors}; exec "$0" "$@"`, 'env', ...onCore(CLIENT_CORE)];

  return {
    folder,
    ca,
    nameServer: address,
    addresses: (count, secure) =>
      Array.from(
        { length: count },
        (_, i) => `http${secure ? 's' : ''}://${HOSTS[i % HOSTS.length]}:${portOf(i, secure)}/health`,
      ),
    names: (count) =>
      Array.from({ length: count }, (_, i) => `http://n${i}.bench.test:${portOf(i, false)}/health`),
    be,
    method:
      (script, prefix = []) =>
      async (order) => {
        const child = start(script, [...prefix, ...limits], {
          NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
        });
        child.send(order);
        const [outcome] = (await once(child, 'message')) as [Outcome];
        if (child.exitCode === null) await once(child, 'exit');
        return outcome;
      },
    limits,
    resolving,
    close() {
      server.kill('SIGKILL');
      dns.kill('SIGKILL');
      process.off('exit', leave);
      leave();
    },
  };
}

function start(script: string, prefix: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const path = join(import.meta.dirname, `${script}-child.js`);
  const child = spawn('env', [...prefix, process.execPath, path], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  return child;
}

/** Nothing where cores cannot be chosen. */
function onCore(core: number): readonly string[] {
  const pin = ['taskset', '-c', String(core)];
  return works([...pin, 'true']) ? pin : [];
}

async function ownResolver(folder: string): Promise<readonly string[] | null> {
  const path = join(folder, 'resolv.conf');
  await writeFile(path, `nameserver ${NAME_SERVER}\noptions timeout:1 attempts:3\n`);
  const mount = `mount --bind ${path} /etc/resolv.conf && exec "$0" "$@"`;
  const prefix = ['unshare', '-m', 'sh', '-c', mount, 'env'];
  return works([...prefix, 'true']) ? prefix : null;
}

const works = (command: readonly string[]) => spawnSync('env', command).status === 0;

/** An authority, and a P-256 leaf for all the addresses, as servers have them today. */
async function makeCertificate(folder: string): Promise<void> {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = HOSTS.map((host) => `IP:${host}`);
  await writeFile(join(folder, 'names'), `subjectAltName=${names.join()}`);
  openssl(
    ...['req', '-x509', ...newKey, '-keyout', 'ca-key.pem', '-out', 'ca.pem', '-days', '30'],
    ...['-subj', '/CN=bench'],
  );
  openssl('req', ...newKey, '-keyout', 'key.pem', '-out', 'leaf.csr', '-subj', '/CN=targets');
  openssl(
    ...['x509', '-req', '-in', 'leaf.csr', '-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial'],
    ...['-out', 'cert.pem', '-days', '30', '-extfile', 'names'],
  );
}
