import type { Paint } from './terminal.js';

/** Lines of columns that are as wide as their widest cells. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string[] {
  // eslint-disable-next-line no-control-regex -- colours have no width
  const width = (text: string): number => text.replace(/\u001b\[\d+m/g, '').length;
  const padded = head.map((title, column) => {
    const cells = [title, ...rows.map((row) => row[column] ?? '')];
    const widest = cells.reduce((most, cell) => Math.max(most, width(cell)), 0);
    return cells.map((cell) => cell + ' '.repeat(widest - width(cell)));
  });
  const lines = [head, ...rows].map((_, line) =>
    padded
      .map((cells) => cells[line])
      .join('  ')
      .trimEnd(),
  );
  return lines.map((line, index) => (index === 0 ? paint('bold', line) : line));
}
