import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { metricsText } from '../../lib/view/metrics-text.js';
import { checkConfig, checkExpressions } from '../support/promtool.js';
import { someStats, someTargetStats } from '../support/views.js';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly datasource: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const pathOf = (name: string) => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
const dashboard = JSON.parse(readFileSync(pathOf('grafana-dashboard.json'), 'utf8')) as Dashboard;
const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
const definitions = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);

/** What we export of a target of which everything is known, in the order of the text. */
const exported = new Set(
  [...metricsText(someStats([someTargetStats()])).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name),
);

describe('the Grafana dashboard', () => {
  it('uses metrics that we export, and all of them', () => {
    const used = [...expressions, ...definitions].flatMap(
      (text) => text.match(/\b(?:probe|keepalive)_\w+/g) ?? [],
    );
    const others = [
      'probe_http_status_code',
      'keepalive_last_check_timestamp_seconds',
      'keepalive_latency_samples',
      'keepalive_kept_awake',
      'keepalive_fails_here_alone',
    ];
    expect([...new Set([...used, ...others])].sort()).toEqual([...exported].sort());
  });

  it('asks in a language that Prometheus reads', () => {
    const filled = expressions.map((expr) =>
      expr.replaceAll('$target', '.*').replaceAll('$window', '30d').replaceAll('$quantile', '0.95'),
    );
    expect(filled.join()).not.toContain('$');
    expect(checkExpressions(filled)).toBe('');
    expect(checkExpressions(['sum by (target'])).not.toBe('');
  });

  it('uses labels and values that we export', () => {
    const text = metricsText(someStats([someTargetStats()]));
    for (const [, label, value] of expressions.join('\n').matchAll(/(\w+)="([^"$]+)"/g)) {
      expect(text).toContain(`${label ?? ''}="${value ?? ''}"`);
    }
  });

  it('leaves the data source to whoever imports it', () => {
    const sources = dashboard.panels.flatMap(({ datasource, targets }) => [
      datasource,
      ...targets.map((each) => each.datasource),
    ]);
    expect(new Set(sources.map(({ uid }) => uid))).toEqual(new Set(['${datasource}']));
    expect(dashboard.templating.list.map(({ name }) => name)).toContain('datasource');
  });

  it('has panels that do not overlap, each with an id of its own', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...dashboard.panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
  });
});

it('the configuration for Prometheus is one', () => {
  expect(checkConfig(pathOf('prometheus.yml'))).toBe('');
});
