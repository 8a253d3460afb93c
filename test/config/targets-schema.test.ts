import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TARGET_OPTIONS, type TargetOptionName } from '../../lib/config/options.js';
import { fileName } from '../../lib/config/targets-file.js';
import { targetsSchema } from '../../lib/config/targets-schema.js';
import { ROOT } from '../support/root.js';

const FILE = join(ROOT, 'public/targets.schema.json');

it('the schema for editors is that of the options (UPDATE_DOCS=1 writes it)', () => {
  const text = `${JSON.stringify(targetsSchema(), null, 2)}\n`;
  if (process.env.UPDATE_DOCS) writeFileSync(FILE, text);
  expect(readFileSync(FILE, 'utf8')).toBe(text);
});

interface OptionSchema {
  readonly description: string;
  readonly default?: unknown;
  readonly anyOf: readonly {
    readonly type?: unknown;
    readonly pattern?: string;
    readonly enum?: readonly unknown[];
  }[];
}

it('every option has what an editor needs: a description, a default that fits, and its own forms', () => {
  const { properties } = targetsSchema() as {
    properties: { targets: { items: { properties: Record<string, OptionSchema> } } };
  };
  const schemas = new Map(Object.entries(properties.targets.items.properties));
  expect([...schemas.keys()].sort()).toEqual(
    ['id', ...(Object.keys(TARGET_OPTIONS) as TargetOptionName[]).map(fileName)].sort(),
  );
  for (const [name, { default: text }] of Object.entries(TARGET_OPTIONS)) {
    const schema = schemas.get(fileName(name as TargetOptionName));
    expect(schema?.description).toMatch(/^\S.{10,}\.$/s);
    expect([name, schema?.default === undefined]).toEqual([name, text === null]);
    const patterns = schema?.anyOf.flatMap(({ pattern }) => pattern ?? []) ?? [];
    // The last one is that of variables.
    if (text !== null && patterns.length > 1) expect(text).toMatch(new RegExp(patterns[0] ?? '', 'u'));
  }
});
