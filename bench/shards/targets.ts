import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createAuthority } from '../../test/support/certificates.js';
import type { Manner } from './servers-child.js';

export interface Ports {
  readonly http: number;
  readonly https: number;
}

/** Starts the servers of all targets, in one process of their own. */
export async function startServers(
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly child: ChildProcess; readonly ports: Ports }> {
  const pair = createAuthority('bench').issue(['localhost']);
  const child = fork(new URL('servers-child.js', import.meta.url), {
    env: { ...process.env, ...env, TLS_KEY: pair.key, TLS_CERT: pair.cert },
    detached: true,
  });
  const [[http = 0, https = 0]] = (await once(child, 'message')) as [number[]];
  return { child, ports: { http, https } };
}

/** Ms after which a target answers: 5 to 104, and 400 for two of a hundred. */
export function delayOf(i: number): number {
  return i % 50 === 13 ? 400 : 5 + ((i * 37) % 100);
}

/** Of a thousand, ten fail and one flaps (every other one of these more quickly than anybody is to be told). */
export function mannerOf(i: number): Manner {
  if (i % 100 === 7) return 'fails';
  return i % 1_000 === 11 ? (i % 2_000 === 11 ? 'flaps' : 'flickers') : 'ok';
}

/** Half of the targets over HTTPS, each at an address of its own as far as there are any. */
export function targetsFile(count: number, { http, https }: Ports): string {
  const targets = Array.from({ length: count }, (_, i) => {
    const [scheme, port] = i % 2 === 0 ? ['http', http] : ['https', https];
    const host = `127.${1 + Math.floor(i / 60_000)}.${Math.floor(i / 250) % 240}.${(i % 250) + 1}`;
    return `  - id: ${idOf(i)}\n    url: ${scheme}://${host}:${port}/${i}/${delayOf(i)}/${mannerOf(i)}\n    group: group ${Math.floor(i / 100)}\n`;
  });
  return `defaults:\n  interval: 1m\n  tlsVerify: false\ntargets:\n${targets.join('')}`;
}

const PREFIX = 'service-';

function idOf(i: number): string {
  return `${PREFIX}${i}`;
}

/** The number of the target with an id. */
export function numberOf(id: string): number {
  return Number(id.slice(PREFIX.length));
}
