import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What Prometheus' own tool says of these metrics: nothing, where they can be read and keep to its conventions. */
export function checkMetrics(text: string): string {
  return promtool(['check', 'metrics'], text);
}

/** What it says of expressions; nothing where all of them can be read. */
export function checkExpressions(expressions: readonly string[]): string {
  const rules = expressions.map((expr, i) => ({ record: `expression:${i}`, expr }));
  return withFile({ groups: [{ name: 'all', rules }] }, (path) =>
    promtool(['check', 'rules', '--lint=none', path]).replace(/^Checking .*\n\s*SUCCESS: .*\n*/, ''),
  );
}

/** What it says of a configuration of Prometheus itself, without looking for the files that it names. */
export function checkConfig(path: string): string {
  return promtool(['check', 'config', '--syntax-only', path]).replace(/^Checking .*\n\s*SUCCESS: .*\n*/, '');
}

/** JSON is YAML. */
function withFile<T>(content: object, work: (path: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'keepalive-promtool-'));
  try {
    const path = join(directory, 'rules.yml');
    writeFileSync(path, JSON.stringify(content));
    return work(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function promtool(args: readonly string[], input = ''): string {
  const { stdout, stderr, status, error } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  if (error) throw error;
  const said = stdout + stderr;
  return status === 0 || said !== '' ? said : `promtool ended with ${status ?? 'a signal'}`;
}
