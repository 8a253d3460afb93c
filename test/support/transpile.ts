import { cpSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { ROOT } from './root.js';

/** Where `transpile` writes to. */
export function transpiledFolder(): string {
  return join(ROOT, 'node_modules', '.cache', `keepalive-test-${process.pid}`);
}

/**
 * Writes the sources, and what tests run in processes of their own, as JavaScript to where packages are still found:
 * Node 20 runs no TypeScript. Gives the folder, which is removed when this process ends.
 */
export function transpile(): string {
  const target = transpiledFolder();
  process.once('exit', () => rmSync(target, { recursive: true, force: true }));
  const files = ['api', 'bin', 'lib', join('test', 'support')].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  buildSync({
    entryPoints: files.filter((file) => /\.(?:tsx?|js)$/.test(file)),
    absWorkingDir: ROOT,
    outbase: ROOT,
    outdir: target,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    jsx: 'automatic',
    jsxImportSource: 'preact',
  });
  cpSync(join(ROOT, 'test/record/golden'), join(target, 'test/record/golden'), { recursive: true });
  symlinkSync(join(ROOT, 'public'), join(target, 'public'));
  cpSync(join(ROOT, 'dist/vendor'), join(target, 'vendor'), { recursive: true });
  writeFileSync(
    join(target, 'package.json'),
    '{ "version": "1.2.3", "type": "module", "imports": { "#message-format": "./vendor/message-format.js", "#messages/*": "./vendor/messages/*.js", "#yaml": "./vendor/yaml.js", "#zod": "./vendor/zod.js" } }',
  );
  return target;
}
