import { spawn } from 'node:child_process';
import { afterAll } from 'vitest';
import { freePort } from './redis.js';

/** A real name server on loopback, dnsmasq, that ends with the test file. `records` are its options, such as `--mx-host=…`. */
export async function serveDnsmasq(records: readonly string[]): Promise<{ readonly port: number }> {
  const port = await freePort();
  const fixed = [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--bind-interfaces',
  ];
  const place = ['--listen-address=127.0.0.1', `--port=${port}`, '--pid-file=', '--log-facility=-'];
  const server = spawn('dnsmasq', [...fixed, ...place, ...records], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exit = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  afterAll(() => {
    server.kill('SIGKILL');
    return exit;
  });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    server.stderr.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      if (said.includes('started')) resolve();
    });
    void exit.then(() => reject(new Error(`dnsmasq ended: ${said}`)));
  });
  return { port };
}
