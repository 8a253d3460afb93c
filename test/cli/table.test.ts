import { expect, it } from 'vitest';
import { table } from '../../lib/cli/table.js';

it('a table may have as many rows as 10,000 targets have settings', () => {
  const rows = Array.from({ length: 500_000 }, (_, index) => [String(index), 'x']);
  const lines = table(['a', 'b'], rows, (_, text) => text);
  expect([lines.length, lines[0], lines.at(-1)]).toEqual([500_001, 'a       b', '499999  x']);
});
