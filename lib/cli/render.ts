import type { Finding } from './finding.js';
import type { Paint } from './terminal.js';

const LABELS: Readonly<Record<Finding['level'], string>> = { ok: 'ok', warning: 'warning', error: 'ERROR' };
const STYLES = { ok: 'green', warning: 'yellow', error: 'red' } as const satisfies Record<
  Finding['level'],
  string
>;
const INDENT = ' '.repeat(11);

/** The findings as lines for people, by area, with the count at the end. */
export function render(findings: readonly Finding[], paint: Paint): string[] {
  const areas = [...new Set(findings.map(({ area }) => area))];
  const lines = areas.flatMap((area) => [
    paint('bold', area),
    ...findings.filter((finding) => finding.area === area).flatMap((finding) => linesOf(finding, paint)),
    '',
  ]);
  const count = (level: Finding['level']): number =>
    findings.filter((finding) => finding.level === level).length;
  const [errors, warnings] = [count('error'), count('warning')];
  const sum = `${errors === 1 ? '1 error' : `${errors} errors`}, ${warnings === 1 ? '1 warning' : `${warnings} warnings`}.`;
  return [...lines, errors + warnings === 0 ? 'All is well.' : sum];
}

function linesOf(finding: Finding, paint: Paint): string[] {
  const { level } = finding;
  const head = `  ${paint(STYLES[level], LABELS[level].padEnd(9))}${finding.what}`;
  return finding.level === 'ok'
    ? [head]
    : [head, `${INDENT}Why: ${finding.why}`, `${INDENT}Do: ${finding.todo}`];
}
