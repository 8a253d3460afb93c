import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../support/root.js';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly repository: { readonly url: string };
}

it('what is published holds all that runs, and nothing else', () => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.js')]);
  const pack = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const [packed] = JSON.parse(execFileSync('npm', pack, { cwd: ROOT, encoding: 'utf8' })) as {
    files: { path: string }[];
  }[];
  const paths = packed?.files.map(({ path }) => path) ?? [];
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  // One command alone: npx runs it, whatever the package is called.
  expect(Object.keys(manifest.bin)).toEqual(['keepalive']);
  expect(manifest.repository.url).toMatch(/^git\+https:\/\/github\.com\/[\w-]+\/[\w.-]+\.git$/);
  expect(paths).toEqual(
    expect.arrayContaining([
      ...Object.values(manifest.bin),
      'dist/api/page/[page].js',
      'dist/lib/probe/evaluator-process.js',
      'dist/vendor/yaml.js',
      'dist/vendor/zod.js',
      'public/style.css',
      'public/vendor/uplot.js',
      'LICENSE',
      'README.md',
    ]),
  );
  expect(
    paths.filter((path) => !/^(?:dist\/(?:api|bin|lib|types|vendor)|public)\//.test(path)).sort(),
  ).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
});

// `npx keepalive` in a clone: before anything is built npx would link to nothing, and keep that in its cache.
it('has its command from the installation on', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Readonly<Record<string, string>>;
  };
  expect(scripts.prepare).toBe(scripts.prestart);
  // There the sources come after the packages.
  expect(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')).toMatch(/^RUN npm ci --ignore-scripts$/m);
});

it('a version that is released has its part of the changelog', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  const notes = (of: string) =>
    spawnSync(process.execPath, ['scripts/release-notes.js', of], { cwd: ROOT, encoding: 'utf8' });
  expect(notes(version).stdout).toMatch(/^\S[^]+\n- /);
  expect(notes(version).stdout).not.toMatch(/^## /m);
  expect(notes('99.0.0')).toMatchObject({
    status: 1,
    stdout: '',
    stderr: `package.json has version ${version}, not 99.0.0.\n`,
  });
});
