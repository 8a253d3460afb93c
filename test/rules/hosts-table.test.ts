import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';
import { hostsPage, hostsTable } from '../support/hosts-table.js';
import { ROOT } from '../support/root.js';

const BEGIN = '<!-- made from lib/rules/host-rows -->';
const END = '<!-- end -->';

/** `UPDATE_DOCS=1` writes the documents instead of comparing them. */
it.each([
  ['docs/hosts.md', () => hostsPage()],
  [
    'README.md',
    (before: string) => {
      const [start = '', rest = ''] = before.split(BEGIN);
      const [, ...end] = rest.split(END);
      return [start, BEGIN, '\n\n', hostsTable(), '\n\n', END, end.join(END)].join('');
    },
  ],
])('%s says what the table of hosts says', async (file, make) => {
  const path = join(ROOT, file);
  const isUpdate = process.env.UPDATE_DOCS === '1';
  const before = isUpdate && file !== 'README.md' ? '' : readFileSync(path, 'utf8');
  const options = await resolveConfig(path);
  const after = await format(make(before), { ...options, filepath: path });
  if (isUpdate) writeFileSync(path, after);
  else expect(before).toBe(after);
});
