import type {
  Day,
  Freshness,
  IncidentView,
  Summary,
  TargetIncident,
  TargetSummary,
} from '../../lib/read/views.js';
import type { Status } from '../../lib/types.js';
import { chanceOf } from './lives.js';
import { someTargetStats } from './views.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const WORDS = [
  'Public API',
  'Search',
  'Billing worker',
  'Espace clients – Paiements et factures',
  '決済サービス',
  'Webhook deliveries (eu-west-1, production)',
  'Website',
  'Auth',
  'Image resizer',
  'Synchronisation des stocks entrepôt Nord',
  '検索インデックス更新ジョブ',
  'Queue 10',
  'Queue 9',
];
const GROUPS = [
  'Web',
  'Backend',
  'Modèles',
  'データベース',
  'Payments',
  'Europe',
  'America',
  'Asia',
  'Internal',
  'Partners',
];
const MESSAGES = [
  'status 503, expected 200-299',
  'timed out waiting for the answer',
  'connection refused',
  'name not found',
  'expected text not found',
];

const iso = (time: number): string => new Date(time).toISOString();

/** A summary of so many made-up services, the same at every call: most are up, a few are not, and some share an outage. */
export function madeUpSummary(count: number, now: number, { healthy = false, groups = 10 } = {}): Summary {
  const chance = chanceOf(7);
  const midnight = Math.floor(now / DAY) * DAY;
  const incidents: TargetIncident[] = [];
  const targets = Array.from({ length: count }, (_, i): TargetSummary => {
    const id = `service-${i}`;
    const name = `${WORDS[i % WORDS.length] ?? ''}${i < WORDS.length ? '' : ` ${Math.floor(i / WORDS.length) + 1}`}`;
    const isShared = !healthy && i % 37 === 3;
    const status: Status = healthy
      ? 'up'
      : isShared || i === 1
        ? 'down'
        : i % 29 === 4
          ? 'degraded'
          : i % 41 === 6
            ? 'paused'
            : 'up';
    const open = status === 'down' ? outage(now - 47 * MINUTE - (i % 3) * 40_000, null, now, i % 2) : null;
    const past = Array.from({ length: Math.floor(chance() * 4) }, () => {
      const start = now - Math.floor((1 + chance() * 85) * DAY);
      return outage(start, start + Math.floor(3 + chance() * 200) * MINUTE, now, Math.floor(chance() * 5));
    });
    const mine = [...(open === null ? [] : [open]), ...past].sort((a, b) =>
      a.startedAt < b.startedAt ? 1 : -1,
    );
    incidents.push(...mine.map((incident) => ({ target: { id, name }, incident })));
    const days = Array.from({ length: 90 }, (_, d): Day => {
      const from = midnight - (89 - d) * DAY;
      const to = Math.min(now, from + DAY);
      if (i % 11 === 5 && d < 40)
        return { from: iso(from), uptimeRatio: null, coverage: null, downtimeMs: 0 };
      const coverage = i % 13 === 7 && d % 9 === 0 ? 0.3 : i % 5 === 2 ? 0.96 + 0.01 * (d % 4) : 1;
      const down = mine.reduce((sum, { startedAt, endedAt }) => {
        const begins = Math.max(from, Date.parse(startedAt));
        const ends = Math.min(to, endedAt === null ? now : Date.parse(endedAt));
        return sum + Math.max(0, ends - begins);
      }, 0);
      return { from: iso(from), uptimeRatio: 1 - down / (to - from), coverage, downtimeMs: down };
    });
    const latency = 20 + Math.floor(chance() * 600);
    const bad = days.reduce((sum, { downtimeMs }) => sum + downtimeMs, 0);
    return {
      ...someTargetStats({
        ...{ id, name, status, group: GROUPS[i % Math.min(groups, GROUPS.length)] ?? null },
        ...{ incident: open, since: open?.startedAt ?? iso(now - 2 * HOUR), lastCheckAt: iso(now - 20_000) },
        message: open?.message ?? (status === 'degraded' ? 'slower than 1000 ms' : null),
        uptimeRatio: { '24h': 1, '7d': 1, '30d': 1, '90d': 1 - bad / (90 * DAY) },
        latencyMs: { samples: 288, p50: latency, p95: latency * 1.4, p99: latency * 2 },
        awake: {
          sleepsAfter: i % 3 === 0 ? 10 * MINUTE : null,
          longestGap: 6 * MINUTE,
          coldStarts: i % 21 === 9 ? 1 : 0,
          keptAwake: i % 3 === 0 ? i % 21 !== 9 : null,
          proof: 'container',
        },
      }),
      order: null,
      days,
      latencies: Array.from({ length: 25 }, () => Math.round(latency * (0.8 + chance() * 0.5))),
    };
  });
  const freshness: Freshness = {
    updatedAt: iso(now),
    enabled: true,
    lastRunAt: iso(now - 20_000),
    isStale: false,
    recordedSince: iso(now - 200 * DAY),
    lost: null,
  };
  const maintenance = healthy
    ? []
    : [
        {
          from: iso(now - 3 * DAY),
          to: iso(now - 3 * DAY + HOUR),
          reason: 'Database upgrade',
          targets: null,
        },
      ];
  return { freshness, targets, past: { incidents, cutOff: [], maintenance }, upcoming: [], notes: [] };
}

function outage(start: number, end: number | null, now: number, kind: number): IncidentView {
  const message = MESSAGES[kind] ?? 'connection reset';
  return {
    startedAt: iso(start),
    endedAt: end === null ? null : iso(end),
    durationMs: (end ?? now) - start,
    unobservedMs: 0,
    message,
    events: [
      { at: iso(start), kind: 'check', code: 'first_failed', text: 'First failed check' },
      { at: iso(start + 2 * MINUTE), kind: 'alert', code: 'down', text: 'Alert: down' },
      ...(kind === 0
        ? [
            {
              ...({ at: iso(start + 3 * MINUTE), kind: 'restart', code: 'restart' } as const),
              text: 'Restart 1: status 200',
              restart: { number: 1, answer: 'status 200', helped: null, upAfterMs: null },
            },
          ]
        : []),
      ...(end === null
        ? []
        : [{ at: iso(end), kind: 'check', code: 'first_good', text: 'First good check' } as const]),
    ],
  };
}
