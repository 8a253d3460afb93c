import type { Stats, TargetStats } from '../../lib/read/views.js';
import { wordsIn } from '../../lib/view/language.js';
import { PLAIN_PAGE, type Site } from '../../lib/view/site.js';
import type { Status } from '../../lib/types.js';

export const ENGLISH = await wordsIn('en', null);

/** The site of somebody who has said nothing of it. */
export const PUBLIC_SITE: Site = { isPrivate: false, page: PLAIN_PAGE, words: ENGLISH };
export const PRIVATE_SITE: Site = { isPrivate: true, page: PLAIN_PAGE, words: ENGLISH };

/** When the views of the tests are looked at. */
export const NOW = Date.UTC(2026, 0, 5, 12);
const iso = (time: number) => new Date(time).toISOString();

/** A target that has been up all the time. */
export function someTargetStats(changes: Partial<TargetStats> = {}): TargetStats {
  const ratios = { '24h': 1, '7d': 1, '30d': 1, '90d': 1 };
  return {
    id: 'api',
    name: 'api',
    group: null,
    status: 'up',
    lastKnownStatus: null,
    healthUrl: 'https://api.test/health',
    host: 'none',
    since: iso(NOW - 86_400_000),
    lastCheckAt: iso(NOW - 30_000),
    lastSuccessAt: iso(NOW - 30_000),
    lastStatusCode: 200,
    latency: 45,
    message: null,
    pingCount: 1440,
    failedPings: 2,
    successRate: '99.9',
    consecutiveFailures: 0,
    consecutiveSuccesses: 100,
    pingInterval: 60_000,
    uptimeRatio: ratios,
    coverage: ratios,
    latencyMs: { samples: 1438, p50: 44, p95: 80.5, p99: 120 },
    awake: {
      sleepsAfter: 900_000,
      longestGap: 61_000,
      coldStarts: 1,
      keptAwake: false,
      proof: 'container',
    },
    tls: { expiresAt: iso(NOW + 90 * 86_400_000) },
    incident: null,
    lastError: null,
    recovery: null,
    maintenance: null,
    waking: null,
    ...changes,
  };
}

/** A target that no run has seen yet. */
export function unseenTargetStats(changes: Partial<TargetStats> = {}): TargetStats {
  const nothing = { '24h': null, '7d': null, '30d': null, '90d': null };
  return someTargetStats({
    status: 'pending',
    since: null,
    lastCheckAt: null,
    lastSuccessAt: null,
    lastStatusCode: null,
    latency: null,
    pingCount: 0,
    failedPings: 0,
    successRate: null,
    consecutiveSuccesses: 0,
    uptimeRatio: nothing,
    coverage: nothing,
    latencyMs: { samples: 0, p50: null, p95: null, p99: null },
    awake: { sleepsAfter: null, longestGap: null, coldStarts: 0, keptAwake: null, proof: null },
    tls: null,
    ...changes,
  });
}

export function someStats(targets: readonly TargetStats[], changes: Partial<Stats> = {}): Stats {
  const summary: Record<Status, number> = { pending: 0, up: 0, degraded: 0, down: 0, paused: 0, sleeping: 0 };
  for (const { status } of targets) summary[status] += 1;
  return {
    isRunning: true,
    stale: false,
    uptime: 86_400_000,
    uptimeHours: '24.0',
    pingCount: 0,
    failedPings: 0,
    successRate: null,
    pingInterval: null,
    updatedAt: iso(NOW),
    recordedSince: iso(NOW - 86_400_000),
    lost: null,
    lastRun: {
      runId: 'run',
      startedAt: iso(NOW - 31_000),
      durationMs: 900,
      status: 'completed',
      checked: targets.length,
      failed: 0,
    },
    summary,
    notes: [],
    hours: [],
    targets,
    ...changes,
  };
}

/** Names and messages as nobody should give them. */
export const HOSTILE: readonly string[] = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onload='alert(1)",
  ']]><svg onload="alert(1)">',
  '&lt;b&gt; &amp; &#x3c;script&#x3e; &nbsp;',
  '<!-- --><![CDATA[ x ]]><?php ?>',
  '\u202Egnp.exe \u2066 \u2069 \u200F',
  'שלום עולם',
  '👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301\u0301\u0301',
  'a\u0000b\u0008c\u001b[31m\u007f\u0085\u2028\u2029\ufffe\uffff\ud800x',
  'two\nlines\r\n\ttab',
  'back\\slash "quoted" {label="x"} 1\n# TYPE evil counter',
  'x'.repeat(200),
  '界'.repeat(200),
  '',
  '   ',
  '__proto__',
];
