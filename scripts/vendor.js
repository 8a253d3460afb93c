// Makes of packages what is loaded in one piece: the chart library in public/, by browsers; zod and yaml in dist/, by functions.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = join(import.meta.dirname, '..');

/**
 * Leaves a file alone that is as it should be: another process may be reading it.
 * @param {string} path
 * @param {Uint8Array} content
 */
function put(path, content) {
  if (existsSync(path) && readFileSync(path).equals(content)) return;
  writeFileSync(path, content);
}

const uplot = join(dirname(fileURLToPath(import.meta.resolve('uplot'))), '..');
const shown = join(root, 'public/vendor');
mkdirSync(shown, { recursive: true });
put(join(shown, 'uplot.js'), readFileSync(join(uplot, 'dist/uPlot.iife.min.js')));
put(join(shown, 'uplot.css'), readFileSync(join(uplot, 'dist/uPlot.min.css')));
put(join(shown, 'uplot-license.txt'), readFileSync(join(uplot, 'LICENSE')));

const loaded = join(root, 'dist/vendor');
mkdirSync(loaded, { recursive: true });
for (const name of ['zod', 'yaml']) {
  const { outputFiles } = buildSync({
    entryPoints: [join(root, `lib/${name}.ts`)],
    write: false,
    bundle: true,
    format: 'esm',
    // What yaml has for Node is CommonJS, of which nothing can be left out.
    platform: 'neutral',
    target: 'node20',
  });
  for (const { contents } of outputFiles) put(join(loaded, `${name}.js`), contents);
  const home = dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`)));
  put(join(loaded, `${name}-license.txt`), readFileSync(join(home, 'LICENSE')));
}
