import { execFile, execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/root.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keepalive-build-'));
  const loaded = ['zod', 'yaml', 'message-format', 'time'].map((name) => `lib/${name}.ts`);
  for (const name of ['package.json', 'scripts', 'lib/view/messages', ...loaded, 'bin']) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const build = () => execFileSync(process.execPath, [join(folder, 'scripts/build.js')], { encoding: 'utf8' });
const path = (name: string) => join(folder, name);
const UNCHANGED = 'Nothing to build: no source has changed.\n';

describe('the build', () => {
  it('builds what has changed, and says so', () => {
    expect(build()).toMatch(/^Building 11 files… done in \d+\.\d s\.\n$/);
    expect(readFileSync(path('dist/lib/time.js'), 'utf8')).toContain('const MINUTE');
    expect(readFileSync(path('dist/vendor/zod.js'), 'utf8')).toContain('ZodType');
    expect(build()).toBe(UNCHANGED);

    writeFileSync(path('lib/time.ts'), 'export const NEW: number = 1;\n');
    expect(build()).toMatch(/^Building lib\/time\.ts… done/);
    expect(readFileSync(path('dist/lib/time.js'), 'utf8')).toContain('const NEW = 1');
    expect(build()).toBe(UNCHANGED);
  });

  it('leaves the command fit to be executed, also when it was built anew', () => {
    const command = path('dist/bin/keepalive.js');
    for (const end of ['', '// Changed.\n']) {
      appendFileSync(path('bin/keepalive.ts'), end);
      build();
      expect(statSync(command).mode & 0o777).toBe(0o755);
      expect(statSync(path('dist/lib/zod.js')).mode & 0o111).toBe(0);
    }
  });

  it('puts right what is missing or was changed in its output', () => {
    build();
    writeFileSync(path('dist/lib/time.js'), 'broken');
    expect(build()).toMatch(/^Building lib\/time\.ts… done/);
    rmSync(path('dist/vendor/zod.js'));
    build();
    expect(readFileSync(path('dist/vendor/zod.js'), 'utf8')).toContain('ZodType');
    writeFileSync(path('dist/.built.json'), '{');
    expect(build()).toMatch(/^Building 11 files/);
    expect(build()).toBe(UNCHANGED);
  });

  it('takes away what has no source any more', () => {
    writeFileSync(path('lib/old.ts'), 'export const OLD = 1;\n');
    build();
    expect(readFileSync(path('dist/lib/old.js'), 'utf8')).toContain('OLD');
    rmSync(path('lib/old.ts'));
    build();
    expect(() => readFileSync(path('dist/lib/old.js'))).toThrow('ENOENT');
  });

  it('fails with the place of what cannot be built, and keeps what there was', async () => {
    build();
    const before = readFileSync(path('dist/lib/time.js'), 'utf8');
    writeFileSync(path('lib/time.ts'), 'export const = 1;\n');
    const failed = promisify(execFile)(process.execPath, [path('scripts/build.js')]);
    await expect(failed).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/lib\/time\.ts:1:13/) as string,
    });
    await expect(failed).rejects.not.toMatchObject({
      stderr: expect.stringContaining('node_modules') as string,
    });
    expect(readFileSync(path('dist/lib/time.js'), 'utf8')).toBe(before);
  });
});
