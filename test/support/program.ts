import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const POSTGRES = '/usr/lib/postgresql';

/** Where a server's program is: Debian keeps some out of the path. */
export function program(name: string): string {
  const versions = existsSync(POSTGRES) ? readdirSync(POSTGRES) : [];
  const folders = [...versions.map((version) => join(POSTGRES, version, 'bin')), '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? name;
}
