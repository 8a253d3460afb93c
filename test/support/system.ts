import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { CHROMIUM, program } from './program.js';
import { transpile } from './transpile.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the sources as JavaScript. */
    readonly transpiled: string;
    /** Whether the tests may take their time: `npm run test:long`. */
    readonly long: boolean;
  }
}

interface Tool {
  readonly command: string;
  readonly debianPackage: string;
}

const TOOLS: readonly Tool[] = [
  { command: 'curl', debianPackage: 'curl' },
  { command: 'openssl', debianPackage: 'openssl' },
  { command: 'redis-server', debianPackage: 'redis-server' },
  { command: 'promtool', debianPackage: 'prometheus' },
  { command: 'dnsmasq', debianPackage: 'dnsmasq-base' },
  { command: 'postgres', debianPackage: 'postgresql' },
  { command: 'mariadbd', debianPackage: 'mariadb-server' },
  { command: 'tmux', debianPackage: 'tmux' },
  // CHROMIUM: the path of another build of it.
  ...(process.env.CHROMIUM ? [] : [{ command: CHROMIUM, debianPackage: CHROMIUM }]),
];

/** Makes sure that what tests run against exists: nothing is skipped for want of it. */
export default function setup(project: TestProject): void {
  execFileSync(process.execPath, ['scripts/vendor.js']);
  project.provide('transpiled', transpile());
  const missing = TOOLS.filter(({ command }) => !isInstalled(command));
  if (missing.length === 0) return;
  const packages = missing.map((tool) => tool.debianPackage);
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    console.log(`installing for the tests: ${packages.join(' ')}`);
    const options = { stdio: 'inherit' as const, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    // Where it fails it has said why; what is missing is named below.
    spawnSync('apt-get', ['update', '-qq'], options);
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options);
  }
  const absent = missing.filter(({ command }) => !isInstalled(command));
  if (absent.length > 0) {
    const names = absent.map((tool) => tool.command).join(', ');
    throw new Error(
      `The tests need ${names}. On Debian or Ubuntu: sudo apt-get install ${packages.join(' ')}; with Homebrew: brew install curl openssl redis prometheus dnsmasq postgresql mariadb tmux; CHROMIUM=<path> names a Chromium or Chrome that is there.`,
    );
  }
}

function isInstalled(command: string): boolean {
  return spawnSync(program(command), ['--version'], { stdio: 'ignore' }).error === undefined;
}
