import { describe, expect, it } from 'vitest';
import type { TargetStats } from '../../lib/read/views.js';
import type { Status } from '../../lib/types.js';
import { metricsText } from '../../lib/view/metrics-text.js';
import { checkMetrics } from '../support/promtool.js';
import { HOSTILE, NOW, someStats, someTargetStats, unseenTargetStats } from '../support/views.js';

const metricsOf = (...targets: TargetStats[]) => metricsText(someStats(targets));
/** The samples of one target, without those that are the same for all. */
const samples = (text: string, name = '') =>
  text.split('\n').filter((line) => line.startsWith(name) && line !== '' && !line.startsWith('#'));

describe('the metrics', () => {
  it('of a target that is up', () => {
    expect(samples(metricsOf(someTargetStats({ group: 'shop' })))).toEqual([
      'probe_success{target="api"} 1',
      'probe_duration_seconds{target="api"} 0.045',
      'probe_http_status_code{target="api"} 200',
      `probe_ssl_earliest_cert_expiry{target="api"} ${NOW / 1000 + 90 * 86_400}`,
      'keepalive_up 1',
      'keepalive_stale 0',
      `keepalive_last_run_timestamp_seconds ${NOW / 1000 - 31}`,
      'keepalive_target_info{target="api",name="api",group="shop",host="none",url="https://api.test/health"} 1',
      'keepalive_target_status{target="api",status="pending"} 0',
      'keepalive_target_status{target="api",status="up"} 1',
      'keepalive_target_status{target="api",status="degraded"} 0',
      'keepalive_target_status{target="api",status="down"} 0',
      'keepalive_target_status{target="api",status="paused"} 0',
      'keepalive_target_status{target="api",status="sleeping"} 0',
      'keepalive_checks_total{target="api"} 1440',
      'keepalive_check_failures_total{target="api"} 2',
      `keepalive_last_check_timestamp_seconds{target="api"} ${NOW / 1000 - 30}`,
      'keepalive_fails_here_alone{target="api"} 0',
      'keepalive_uptime_ratio{target="api",window="24h"} 1',
      'keepalive_uptime_ratio{target="api",window="7d"} 1',
      'keepalive_uptime_ratio{target="api",window="30d"} 1',
      'keepalive_uptime_ratio{target="api",window="90d"} 1',
      'keepalive_coverage_ratio{target="api",window="24h"} 1',
      'keepalive_coverage_ratio{target="api",window="7d"} 1',
      'keepalive_coverage_ratio{target="api",window="30d"} 1',
      'keepalive_coverage_ratio{target="api",window="90d"} 1',
      'keepalive_latency_seconds{target="api",quantile="0.5"} 0.044',
      'keepalive_latency_seconds{target="api",quantile="0.95"} 0.0805',
      'keepalive_latency_seconds{target="api",quantile="0.99"} 0.12',
      'keepalive_latency_samples{target="api"} 1438',
      'keepalive_cold_starts{target="api"} 1',
      'keepalive_longest_gap_seconds{target="api"} 61',
      'keepalive_kept_awake{target="api"} 0',
      'keepalive_incident_open{target="api"} 0',
    ]);
  });

  it('have no sample of now where no run came for three ticks, and keep those of the past', () => {
    const target = someTargetStats({ status: 'pending', lastKnownStatus: 'up' });
    const names = samples(metricsText(someStats([target], { isRunning: false, stale: true }))).map((line) =>
      line.replace(/[{ ].*/, ''),
    );
    expect([...new Set(names)]).toEqual([
      'keepalive_up',
      'keepalive_stale',
      'keepalive_last_run_timestamp_seconds',
      'keepalive_target_info',
      'keepalive_checks_total',
      'keepalive_check_failures_total',
      'keepalive_last_check_timestamp_seconds',
      'keepalive_uptime_ratio',
      'keepalive_coverage_ratio',
      'keepalive_latency_seconds',
      'keepalive_latency_samples',
      'keepalive_cold_starts',
      'keepalive_longest_gap_seconds',
    ]);
  });

  it('say that a target fails here alone', () => {
    const target = someTargetStats({ status: 'degraded', latency: null, consecutiveFailures: 0 });
    expect(samples(metricsOf(target))).toContain('keepalive_fails_here_alone{target="api"} 1');
    const failed = someTargetStats({ status: 'down', latency: null, consecutiveFailures: 1 });
    expect(samples(metricsOf(failed))).toContain('keepalive_fails_here_alone{target="api"} 0');
  });

  it('count the peers, where there are any', () => {
    const text = metricsText(someStats([]), { watched: 2, outOfOrder: 1 });
    expect(samples(text)).toEqual(
      expect.arrayContaining(['keepalive_peers 2', 'keepalive_peers_out_of_order 1']),
    );
  });

  it('say nothing of what is not known', () => {
    const text = metricsText(someStats([unseenTargetStats()], { isRunning: false, lastRun: null }));
    expect(samples(text)).toEqual([
      'keepalive_up 0',
      'keepalive_stale 0',
      'keepalive_target_info{target="api",name="api",group="",host="none",url="https://api.test/health"} 1',
      ...['pending', 'up', 'degraded', 'down', 'paused', 'sleeping'].map(
        (status, i) => `keepalive_target_status{target="api",status="${status}"} ${i === 0 ? 1 : 0}`,
      ),
      'keepalive_checks_total{target="api"} 0',
      'keepalive_check_failures_total{target="api"} 0',
    ]);
  });

  it.each<[string, Partial<TargetStats>, string[]]>([
    [
      'down',
      {
        status: 'down',
        consecutiveFailures: 3,
        latency: null,
        lastStatusCode: 503,
        incident: {
          startedAt: new Date(NOW - 180_000).toISOString(),
          endedAt: null,
          durationMs: 180_000,
          unobservedMs: 0,
          message: 'status 503, expected 200-299',
          events: [],
        },
      },
      [
        'probe_success{target="api"} 0',
        'probe_http_status_code{target="api"} 503',
        'keepalive_incident_open{target="api"} 1',
      ],
    ],
    [
      'failing, and not down yet',
      { consecutiveFailures: 1, latency: null, lastStatusCode: null, tls: null },
      ['probe_success{target="api"} 0', 'keepalive_incident_open{target="api"} 0'],
    ],
    ['paused', { status: 'paused', tls: null }, ['keepalive_incident_open{target="api"} 0']],
    ['sleeping', { status: 'sleeping', tls: null }, ['keepalive_incident_open{target="api"} 0']],
  ])('of a target that is %s', (_, changes, expected) => {
    const found = samples(metricsOf(someTargetStats(changes)));
    expect(found.filter((line) => /^(?:probe_(?!ssl)|keepalive_incident)/.test(line))).toEqual(expected);
  });

  it.each<[string, string]>([
    ['back\\slash', 'back\\\\slash'],
    ['"quoted"', '\\"quoted\\"'],
    ['two\nlines', 'two\\nlines'],
    ['\\n', '\\\\n'],
  ])('escape %j', (name, escaped) => {
    expect(samples(metricsOf(someTargetStats({ name })), 'keepalive_target_info')).toEqual([
      `keepalive_target_info{target="api",name="${escaped}",group="",host="none",url="https://api.test/health"} 1`,
    ]);
  });
});

describe("Prometheus' own tool has nothing to say of the metrics", () => {
  const statuses: Status[] = ['pending', 'up', 'degraded', 'down', 'paused', 'sleeping'];
  it.each<[string, TargetStats[]]>([
    ['no target', []],
    ['one', [someTargetStats()]],
    ['one that nobody has seen yet', [unseenTargetStats()]],
    ['all statuses', statuses.map((status) => someTargetStats({ id: status, status }))],
    ['hostile names', HOSTILE.map((name, i) => someTargetStats({ id: `t${i}`, name, group: name }))],
    ['200', Array.from({ length: 200 }, (_, i) => someTargetStats({ id: `target-${i}` }))],
  ])('of %s', (_, targets) => {
    expect(checkMetrics(metricsOf(...targets))).toBe('');
  });

  it('but has of a metric that is named badly, or cannot be read', () => {
    expect(checkMetrics('# HELP a_count b\n# TYPE a_count counter\na_count 1\n')).toContain('_total');
    expect(checkMetrics('a{b="c\nd"} 1\n')).not.toBe('');
  });
});

it('500 targets are about a megabyte', () => {
  const text = metricsOf(...Array.from({ length: 500 }, (_, i) => someTargetStats({ id: `target-${i}` })));
  expect(text.length).toBeLessThan(1.2e6);
});
