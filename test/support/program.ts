import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const POSTGRES = '/usr/lib/postgresql';

/**
 * The package, and the program in /usr/bin. `npm test` tries pages in Chromium without the windows of a desktop, which takes
 * a third of the CPU time for the same engine, `npm run test:long` in the whole of it.
 */
export const CHROMIUM = process.env.LONG === '1' ? 'chromium' : 'chromium-headless-shell';

/** Where a server's program is: Debian keeps some out of the path. */
export function program(name: string): string {
  const versions = existsSync(POSTGRES) ? readdirSync(POSTGRES) : [];
  const folders = [...versions.map((version) => join(POSTGRES, version, 'bin')), '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? name;
}
