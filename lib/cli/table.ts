import type { Paint } from './terminal.js';

/** Lines of columns that are as wide as their widest cells. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string[] {
  // eslint-disable-next-line no-control-regex -- colours have no width
  const width = (text: string): number => text.replace(/\u001b\[\d+m/g, '').length;
  const widths = head.map((title, column) =>
    rows.reduce((widest, row) => Math.max(widest, width(row[column] ?? '')), width(title)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell)))
      .join('  ')
      .trimEnd();
  return [paint('bold', line(head)), ...rows.map(line)];
}
