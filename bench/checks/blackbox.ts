import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { cpuTime, peakMemory } from '../process.js';
import type { Field } from './field.js';
import { inParallel, type Order, type Outcome } from './order.js';

const BINARY = 'prometheus-blackbox-exporter';

export const hasBlackbox = () => spawnSync(BINARY, ['--version']).status === 0;

/** Has a fresh exporter, on one core as the others, probe each target; only its own process is measured. */
export async function askBlackbox(
  { urls, inFlight }: Order,
  { folder, limits }: Field,
  prefix: readonly string[] = [],
): Promise<Outcome> {
  const config = join(folder, 'blackbox.yml');
  await writeFile(config, configFor(join(folder, 'ca.pem')));
  const port = await freePort();
  const command = [
    ...prefix,
    ...limits,
    BINARY,
    `--config.file=${config}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=error',
  ];
  const exporter = spawn('env', command, { env: { ...process.env, GOMAXPROCS: '1' }, stdio: 'ignore' });
  const kill = () => exporter.kill('SIGKILL');
  process.once('exit', kill);
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  try {
    await answering(port);
    const pid = exporter.pid ?? 0;
    const before = await cpuTime(pid);
    const measured = await inParallel(urls, inFlight, (url) => probe(agent, port, url));
    const cpu = (await cpuTime(pid)) - before;
    return { ...measured, cpu, peakMemory: await peakMemory(pid) };
  } finally {
    agent.destroy();
    const ended = once(exporter, 'exit');
    kill();
    process.off('exit', kill);
    await ended;
  }
}

const configFor = (ca: string) => `
modules:
  http:
    prober: http
    timeout: 10s
    http:
      preferred_ip_protocol: ip4
      valid_status_codes: []
      fail_if_body_not_matches_regexp: [healthy]
      body_size_limit: 256KB
      tls_config: { ca_file: ${ca} }
`;

async function probe(agent: Agent, port: number, url: string): Promise<number | null> {
  const answer = await get(agent, port, `/probe?module=http&target=${encodeURIComponent(url)}`);
  if (!/^probe_success 1$/m.test(answer)) return null;
  return Number(/^probe_duration_seconds (\S+)$/m.exec(answer)?.[1]) * 1000;
}

function get(agent: Agent, port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ agent, host: '127.0.0.1', port, path }, (response) => {
      text(response).then(resolve, reject);
    })
      .on('error', reject)
      .end();
  });
}

async function answering(port: number): Promise<void> {
  const agent = new Agent();
  for (let attempt = 0; attempt < 100; attempt++) {
    const answered = await get(agent, port, '/-/healthy').catch(() => null);
    if (answered !== null) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${BINARY} does not answer`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
