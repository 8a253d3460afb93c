// Makes of packages what is loaded in one piece: the chart library in public/, by browsers; zod in dist/, by functions.
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = join(import.meta.dirname, '..');

const uplot = join(dirname(fileURLToPath(import.meta.resolve('uplot'))), '..');
const shown = join(root, 'public/vendor');
mkdirSync(shown, { recursive: true });
copyFileSync(join(uplot, 'dist/uPlot.iife.min.js'), join(shown, 'uplot.js'));
copyFileSync(join(uplot, 'dist/uPlot.min.css'), join(shown, 'uplot.css'));
copyFileSync(join(uplot, 'LICENSE'), join(shown, 'uplot-license.txt'));

const zod = dirname(fileURLToPath(import.meta.resolve('zod/package.json')));
const loaded = join(root, 'dist/vendor');
buildSync({
  entryPoints: [join(root, 'lib/zod.ts')],
  outfile: join(loaded, 'zod.js'),
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
});
copyFileSync(join(zod, 'LICENSE'), join(loaded, 'zod-license.txt'));
