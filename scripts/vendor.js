// Copies the chart library from node_modules into public/, from where browsers get it.
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const from = join(dirname(fileURLToPath(import.meta.resolve('uplot'))), '..');
const to = join(import.meta.dirname, '../public/vendor');
mkdirSync(to, { recursive: true });
copyFileSync(join(from, 'dist/uPlot.iife.min.js'), join(to, 'uplot.js'));
copyFileSync(join(from, 'dist/uPlot.min.css'), join(to, 'uplot.css'));
copyFileSync(join(from, 'LICENSE'), join(to, 'uplot-license.txt'));
