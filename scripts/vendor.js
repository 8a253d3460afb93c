// Makes of packages what is loaded in one piece: the chart library in public/, by browsers; zod, yaml and the message
// library in dist/, by functions. Compiles the catalogues of messages too, one file a language.
import { Buffer } from 'node:buffer';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { IntlMessageFormat } from 'intl-messageformat';

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
mkdirSync(join(loaded, 'messages'), { recursive: true });
/**
 * @param {string} entryPoint
 * @param {import('esbuild').BuildOptions} [options]
 */
function bundled(entryPoint, options = {}) {
  const [output] = buildSync({
    entryPoints: [join(root, entryPoint)],
    absWorkingDir: root,
    write: false,
    bundle: true,
    format: 'esm',
    // What yaml has for Node is CommonJS, of which nothing can be left out.
    platform: 'neutral',
    target: 'node20',
    ...options,
  }).outputFiles;
  return output.contents;
}

// The catalogues are compiled here: what runs needs no parser.
const withoutParser = {
  '@formatjs/icu-messageformat-parser': '@formatjs/icu-messageformat-parser/no-parser.js',
};
for (const [name, vendored, alias] of [
  ['zod', 'zod', {}],
  ['yaml', 'yaml', {}],
  ['message-format', 'intl-messageformat', withoutParser],
]) {
  put(join(loaded, `${name}.js`), bundled(`lib/${name}.ts`, { alias }));
  const home = join(root, 'node_modules', vendored);
  const license = ['LICENSE', 'LICENSE.md'].map((file) => join(home, file)).find(existsSync);
  put(join(loaded, `${name}-license.txt`), readFileSync(license));
}

for (const file of readdirSync(join(root, 'lib/view/messages'))) {
  const source = Buffer.from(bundled(`lib/view/messages/${file}`)).toString('base64');
  const { default: messages } = await import(`data:text/javascript;base64,${source}`);
  const language = file.replace('.ts', '');
  const compiled = Object.entries(messages).map(([name, text]) => {
    const ast = new IntlMessageFormat(text, language).getAst();
    return [name, ast.length === 1 && ast[0].type === 0 ? ast[0].value : ast];
  });
  const code = `export default ${JSON.stringify(Object.fromEntries(compiled))};\n`;
  put(join(loaded, 'messages', `${language}.js`), Buffer.from(code));
}
