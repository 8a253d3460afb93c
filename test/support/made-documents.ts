import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { expect } from 'vitest';
import { ROOT } from './root.js';

const END = '<!-- end -->';

/** Puts a text between the comment `<!-- made from … -->` of a document and the end that follows it. */
export function withSection(document: string, source: string, text: string): string {
  const begin = `<!-- made from ${source} -->`;
  const [start = '', rest = ''] = document.split(begin);
  const [, ...end] = rest.split(END);
  return [start, begin, '\n\n', text, '\n\n', END, end.join(END)].join('');
}

/**
 * Expects a document to be what `make` makes of it. `UPDATE_DOCS=1` writes it instead.
 * @param make is given the document as it is
 */
export async function expectDocument(file: string, make: (before: string) => string): Promise<void> {
  const path = join(ROOT, file);
  const options = await resolveConfig(path);
  const before = readFileSync(path, 'utf8');
  const after = await format(make(before), { ...options, filepath: path });
  if (process.env.UPDATE_DOCS === '1') writeFileSync(path, after);
  else expect(before).toBe(after);
}
