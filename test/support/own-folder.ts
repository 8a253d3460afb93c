import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { closeAll } from './at-end.js';

/** Each test file runs in an empty folder, so that no `keepalive.db` or `.env` of whoever runs the tests is found. */
const home = mkdtempSync(join(tmpdir(), 'keepalive-test-'));
const before = process.cwd();
process.chdir(home);

afterAll(async () => {
  await closeAll();
  process.chdir(before);
  rmSync(home, { recursive: true, force: true });
});
