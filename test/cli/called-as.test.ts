import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { calledAs } from '../../lib/called-as.js';

const CLONE = 'clone/dist/bin/keepalive.js';
const FETCHED = '.npm/_npx/1f/node_modules/keepalive-pinger/dist/bin/keepalive.js';
const INSTALLED = 'lib/node_modules/keepalive-pinger/dist/bin/keepalive.js';
const DEPENDENCY = 'project/node_modules/keepalive-pinger/dist/bin/keepalive.js';

it.each([
  ['npm start or node in a clone', CLONE, CLONE, 'npx keepalive'],
  ['npx in a clone', CLONE, '.npm/_npx/2e/node_modules/.bin/keepalive', 'npx keepalive'],
  ['npx of the package', FETCHED, '.npm/_npx/1f/node_modules/.bin/keepalive', 'npx keepalive-pinger'],
  ['an installed command', INSTALLED, 'bin/keepalive', 'keepalive'],
  ['npx in a project that depends on it', DEPENDENCY, 'project/node_modules/.bin/keepalive', 'npx keepalive'],
])('%s is told how to call it again', (_what, file, script, expected) => {
  const home = realpathSync(mkdtempSync(join(process.cwd(), 'called-')));
  for (const path of [file, script]) mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, file), '');
  if (script !== file) symlinkSync(join(home, file), join(home, script));
  expect(calledAs(join(home, script))).toBe(expected);
});
