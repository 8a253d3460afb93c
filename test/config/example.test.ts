import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readEnv } from '../../lib/config/env.js';
import { GENERAL_VARIABLES } from '../../lib/config/variable-names.js';
import { SYSTEM_OPTIONS, TARGET_OPTIONS } from '../../lib/config/options.js';

const example = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
const shown = new Map(
  [...example.matchAll(/^(?:# )?([A-Z][A-Z_<>]+)=(.*)$/gm)].map(([, name = '', text = '']) => [name, text]),
);

it('.env.example names every variable once, and nothing else', () => {
  expect([...shown.keys()].sort()).toEqual(['TARGET_<ID>_URL', ...GENERAL_VARIABLES].sort());
  expect(example.match(/^(?:# )?[A-Z][A-Z_<>]+=/gm)).toHaveLength(shown.size);
});

it('.env.example shows the defaults', () => {
  for (const [name, { default: text }] of Object.entries(TARGET_OPTIONS)) {
    expect([name, shown.get(name === 'URL' ? 'TARGET_<ID>_URL' : `KEEP_ALIVE_${name}`)]).toEqual([
      name,
      text ?? '',
    ]);
  }
  for (const [name, { default: text }] of Object.entries(SYSTEM_OPTIONS)) {
    expect([name, shown.get(name)]).toEqual([name, text ?? '']);
  }
});

it('the environment is read when it is asked for', () => {
  process.env.TARGET_READ_ENV_URL = 'http://h';
  expect(readEnv().TARGET_READ_ENV_URL).toBe('http://h');
  delete process.env.TARGET_READ_ENV_URL;
  expect(readEnv().TARGET_READ_ENV_URL).toBeUndefined();
});
