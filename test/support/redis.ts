import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Runs any command. */
  command(...args: string[]): Promise<unknown>;
  /** Empties the data and `callsMade`, and keeps loaded scripts. */
  flush(): Promise<void>;
  /** Ends all leases, as if their time were over: tests that simulate the time cannot wait for it. */
  expireLeases(): Promise<void>;
  /** Commands run since `flush`, calls inside scripts included, without those of connecting and of this helper. */
  callsMade(): Promise<number>;
  /** From now on it takes up nothing, as a machine that hangs; until `wake`. */
  hang(): void;
  wake(): void;
  /** Kills the server; its data is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const HOUSEKEEPING = new Set(['auth', 'hello', 'select', 'client|setinfo', 'info', 'config|resetstat']);

interface RedisOptions {
  readonly password?: string;
  /** The port of the bus between the nodes of a cluster; set: the server is one of them, and has no slots yet. */
  readonly clusterPort?: number;
  /** Signals to the process group of its caller, such as that of Ctrl-C, do not reach it. */
  readonly detached?: boolean;
}

/** Starts a private redis-server that keeps nothing on disk. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'keepalive-redis-'));
  const leave = () => rmSync(directory, { recursive: true, force: true });
  process.once('exit', leave);
  const port = await freePort();
  let server = await launch(port, directory, options);
  let admin = await connect(port, options.password);

  const kill = async () => {
    admin.destroy();
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    command: (...args) => admin.sendCommand(args),
    flush: async () => {
      await admin.sendCommand(['FLUSHALL']);
      await admin.sendCommand(['CONFIG', 'RESETSTAT']);
    },
    expireLeases: async () => {
      const leases = (await admin.sendCommand(['KEYS', '*:lease'])) as unknown as string[];
      if (leases.length > 0) await admin.sendCommand(['DEL', ...leases]);
    },
    callsMade: async () => {
      const stats = (await admin.sendCommand(['INFO', 'commandstats'])) as unknown as string;
      const calls = [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
      return calls.reduce(
        (sum, [, name, count]) => sum + (HOUSEKEEPING.has(name ?? '') ? 0 : Number(count)),
        0,
      );
    },
    hang: () => void server.kill('SIGSTOP'),
    wake: () => void server.kill('SIGCONT'),
    kill,
    restart: async () => {
      server = await launch(port, directory, options);
      admin = await connect(port, options.password);
    },
    stop: async () => {
      if (server.exitCode === null && server.signalCode === null) await kill();
      process.off('exit', leave);
      leave();
    },
  };
}

async function launch(
  port: number,
  directory: string,
  { password, clusterPort, detached = false }: RedisOptions,
): Promise<ChildProcess> {
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    directory,
  ];
  if (password) args.push('--requirepass', password);
  if (clusterPort !== undefined) {
    args.push('--cluster-enabled', 'yes', '--cluster-port', String(clusterPort));
  }
  const server = spawn('redis-server', args, { detached, stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => server.kill('SIGKILL'));
  let log = '';
  for await (const chunk of server.stdout.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    log += chunk.toString();
    if (log.includes('Ready to accept connections')) {
      server.stdout.resume();
      return server;
    }
  }
  throw new Error(`redis-server did not start: ${log}`);
}

async function connect(port: number, password?: string) {
  const client = createClient({
    ...(password ? { password } : {}),
    RESP: 2,
    socket: { host: '127.0.0.1', port, reconnectStrategy: false },
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** A port that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
