import { realpathSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * How the command line is called the way this process was: what messages tell people to type. In a clone it is
 * `npx keepalive`, for a package that npx has fetched `npx keepalive-pinger`, and `keepalive` where that is installed.
 * @param script the path of the program, as the shell or npm named it
 */
export function calledAs(script = process.argv[1] ?? ''): string {
  // npx runs the command of a clone by a link from its own folder.
  if (/[\\/]_npx[\\/]/.test(realPathOf(script))) return 'npx keepalive-pinger';
  const isInstalled = basename(script) === 'keepalive' && !/[\\/]node_modules[\\/]/.test(script);
  return isInstalled ? 'keepalive' : 'npx keepalive';
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
