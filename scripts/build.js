// Builds dist/ from the sources: what has changed since the last build, and nothing where nothing has. The types are not
// checked here: `npm run build` does both.
import { Buffer } from 'node:buffer';
import console from 'node:console';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';

const root = join(import.meta.dirname, '..');
/** Others are named as arguments: the benchmark uses what the tests are supported by. */
const FOLDERS = ['api', 'bench', 'bin', 'lib', ...process.argv.slice(2)];
const MANIFEST = join(root, 'dist/.built.json');
/** The catalogues of messages, which scripts/vendor.js compiles. */
const CATALOGUES = readdirSync(join(root, 'lib/view/messages')).map((file) => file.replace('.ts', ''));
/** What scripts/vendor.js makes, and of which packages. */
const VENDORED = [
  ...['zod', 'yaml', 'message-format'].map((name) => `dist/vendor/${name}.js`),
  ...CATALOGUES.map((language) => `dist/vendor/messages/${language}.js`),
  ...['public/vendor/uplot.js', 'public/vendor/uplot.css'],
];
const PACKAGES = ['esbuild', 'intl-messageformat', 'uplot', 'yaml', 'zod'];
const OPTIONS = {
  format: 'esm',
  platform: 'node',
  target: 'node20',
  jsx: 'automatic',
  jsxImportSource: 'preact',
};

const hash = (content) => createHash('sha256').update(content).digest('base64url').slice(0, 22);
const hashOf = (path) => {
  const full = resolve(root, path);
  return existsSync(full) ? hash(readFileSync(full)) : null;
};
const outputOf = (source) => join('dist', source.replace(/\.tsx?$/, '.js'));

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

/**
 * Another process may be reading the file: it gets the old content or the new one. A program may be executed: `npx` links to
 * it, and npm makes it executable only when it makes the link.
 */
function put(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}`;
  const isProgram = Buffer.from(content).subarray(0, 2).toString() === '#!';
  writeFileSync(partial, content, { mode: isProgram ? 0o755 : 0o644 });
  renameSync(partial, path);
}

function readManifest() {
  try {
    return JSON.parse(readFileSync(MANIFEST, 'utf8'));
  } catch {
    return {};
  }
}

/** The versions of the packages that the build uses; a package that is not there is an error of the operator. */
function versions() {
  try {
    return PACKAGES.map((name) => {
      const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));
      return `${name}@${version}`;
    });
  } catch {
    console.error('The packages that the build needs are not installed: run npm ci first.');
    return process.exit(1);
  }
}

const before = readManifest();
const key = hash(JSON.stringify([versions(), OPTIONS, hashOf(import.meta.filename)]));
const isSame = before.key === key;
const known = new Map(isSame ? Object.entries(before.files) : []);
const sources = FOLDERS.flatMap((folder) => filesIn(join(root, folder)))
  .map((path) => path.slice(root.length + 1))
  .filter((path) => /\.(?:tsx?|js)$/.test(path));
const found = sources.map((path) => ({ path, source: hashOf(path), output: hashOf(outputOf(path)) }));
const changed = found.filter(({ path, source, output }) => known.get(path) !== `${source} ${output}`);

const expected = new Set(sources.map((path) => join(root, outputOf(path))));
for (const folder of FOLDERS) {
  for (const path of filesIn(join(root, 'dist', folder))) if (!expected.has(path)) rmSync(path);
}

/** Changes where something has changed that scripts/vendor.js reads or makes. */
const VENDOR_SOURCES = [
  ...['lib/zod.ts', 'lib/yaml.ts', 'lib/message-format.ts', 'scripts/vendor.js'],
  ...CATALOGUES.map((language) => `lib/view/messages/${language}.ts`),
];
const vendorHash = () => hash(JSON.stringify([...VENDOR_SOURCES, ...VENDORED].map(hashOf)));
const needsVendor = !isSame || before.vendor !== vendorHash();
if (changed.length === 0 && !needsVendor) {
  console.log('Nothing to build: no source has changed.');
} else {
  const startedAt = performance.now();
  const what =
    changed.length === 0
      ? 'dist/vendor'
      : changed.length === 1
        ? changed[0]?.path
        : `${changed.length} files`;
  process.stdout.write(`Building ${what}… `);
  const { buildSync } = await import('esbuild');
  try {
    const { outputFiles } = buildSync({
      entryPoints: changed.map(({ path }) => path),
      absWorkingDir: root,
      outbase: root,
      outdir: 'dist',
      write: false,
      logLevel: 'error',
      ...OPTIONS,
    });
    for (const { path, contents } of outputFiles) put(path, contents);
  } catch {
    // It has said what is wrong.
    process.exit(1);
  }
  if (needsVendor) await import('./vendor.js');
  const files = found.map(({ path, source }) => [path, `${source} ${hashOf(outputOf(path))}`]);
  put(MANIFEST, JSON.stringify({ key, vendor: vendorHash(), files: Object.fromEntries(files) }));
  console.log(`done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`);
}
