import { describe, expect, it } from 'vitest';
import type { HealthFacts } from '../../lib/read/health.js';
import { health, healthStatusCode } from '../../lib/read/health.js';
import { Ledger } from '../../lib/record/ledger.js';
import { EMPTY_OUTBOX } from '../../lib/rules/outbox.js';
import { readState } from '../../lib/record/state.js';
import { type State } from '../../lib/record/state-model.js';
import { aTarget } from '../support/targets.js';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 0, 5, 12);

function stateAfterRun(endedAgo: number, commands = 7): State {
  const at = NOW - endedAgo;
  const settings = { targets: [aTarget('a')], tick: MINUTE, channels: [], reminder: null };
  const { fields } = new Ledger({ state: null, outbox: null }, settings, at).close({
    id: 'r',
    at,
    status: 'completed',
    durationMs: 0,
    checked: 1,
    failed: 0,
    commands,
  });
  return readState(fields.state ?? '');
}

const facts = (changes: Partial<HealthFacts> = {}, endedAgo = 10_000, commands = 7): HealthFacts => ({
  now: NOW,
  tick: MINUTE,
  enabled: true,
  targets: [aTarget('a', { info: { interval: MINUTE } })],
  channels: ['slack', 'email'],
  store: {
    ok: true,
    kind: 'upstash',
    latencyMs: 3,
    state: stateAfterRun(endedAgo, commands),
    outbox: EMPTY_OUTBOX,
  },
  memory: { usedBytes: 100, limitBytes: 1000 },
  processStartedAt: NOW - 10_000,
  ...changes,
});

/** Runs that come every so many minutes, but for one. */
const paced = (minutes: number, endedAgo = 10_000): HealthFacts['store'] => {
  const every = 60 * minutes;
  const intervals = [every, every, 2 * every, every, every];
  const state = { ...stateAfterRun(endedAgo), intervals };
  return { ok: true, kind: 'upstash', latencyMs: 3, state, outbox: EMPTY_OUTBOX };
};

const noRunYet = { ok: true, kind: 'upstash', latencyMs: 3, state: null, outbox: EMPTY_OUTBOX } as const;
const away = { ok: false, kind: 'upstash', message: 'the store cannot be reached' } as const;

describe('health', () => {
  it.each<[string, HealthFacts, string, number, object]>([
    ['everything is well', facts(), 'healthy', 200, {}],
    ['the last run is late', facts({}, 2.5 * MINUTE), 'degraded', 200, { schedule: { status: 'degraded' } }],
    [
      'no run came for three ticks',
      facts({}, 3.1 * MINUTE),
      'critical',
      503,
      { schedule: { status: 'critical' } },
    ],
    ['no run came yet', facts({ store: noRunYet }), 'degraded', 200, { schedule: { lastRunAt: null } }],
    [
      'no run came yet, and the process is old',
      facts({ store: noRunYet, processStartedAt: NOW - 4 * MINUTE }),
      'critical',
      503,
      {},
    ],
    ['everything is paused', facts({ enabled: false }, 60 * MINUTE), 'healthy', 200, {}],
    ['the store is away', facts({ store: away }), 'degraded', 200, { redis: { latencyMs: null } }],
    [
      'runs come more seldom than a target is to be checked',
      facts({ store: paced(10) }),
      'degraded',
      200,
      {
        schedule: {
          status: 'degraded',
          expectedIntervalMs: MINUTE,
          actualIntervalMs: 10 * MINUTE,
          longestIntervalMs: 20 * MINUTE,
          tooSlowFor: { count: 1, targets: [{ target: 'a', interval: MINUTE, sleepsAfter: null }] },
          message: 'runs come every 10 m (expected every 1 m); too slow for the interval of a (every 1 m)',
        },
      },
    ],
    [
      'no run came for three ticks at such a pace',
      facts({ store: paced(10, 4 * MINUTE) }),
      'critical',
      503,
      {
        schedule: {
          message:
            'no run came for three ticks: runs come every 10 m (expected every 1 m); too slow for the interval of a (every 1 m)',
        },
      },
    ],
    [
      'runs are expected more seldom than a target is to be checked',
      facts({ tick: 10 * MINUTE }),
      'degraded',
      200,
      { schedule: { actualIntervalMs: null, tooSlowFor: { count: 1 } } },
    ],
    [
      'runs come as expected',
      facts({ store: paced(1) }),
      'healthy',
      200,
      { schedule: { actualIntervalMs: MINUTE } },
    ],
    ['there is no target', facts({ targets: [] }), 'degraded', 200, { config: { status: 'degraded' } }],
    [
      'memory is at 79.9 %',
      facts({ memory: { usedBytes: 799, limitBytes: 1000 } }),
      'healthy',
      200,
      { memory: { status: 'healthy', ratio: 0.799 } },
    ],
    ['memory is at 80 %', facts({ memory: { usedBytes: 800, limitBytes: 1000 } }), 'degraded', 200, {}],
    ['memory is at 90 %', facts({ memory: { usedBytes: 900, limitBytes: 1000 } }), 'critical', 503, {}],
    [
      'runs cost more than the free plan has',
      facts({}, 10_000, 12),
      'healthy',
      200,
      {
        redis: {
          message: 'more commands than the free plan has',
          budget: { commandsPerRun: 12, commandsPerMonth: 518_400 },
        },
      },
    ],
  ])('%s', (_, given, status, code, checks) => {
    const answer = health(given);
    expect([answer.status, healthStatusCode(answer)]).toEqual([status, code]);
    expect(answer.checks).toMatchObject(checks);
  });

  it.each([
    ['failing', { permanent: false, message: 'answered 500' }, 'failing'],
    ['refused', { permanent: true, message: 'answered 404' }, 'refused'],
  ])('says which channel is %s, and why', (_, changes, status) => {
    const trouble = { since: NOW - MINUTE, failures: 2, nextAt: NOW + MINUTE, ...changes };
    const alert = { id: 'x', at: NOW, kind: 'missed', from: NOW, to: NOW } as const;
    const outbox = {
      ...EMPTY_OUTBOX,
      troubles: { slack: trouble },
      undelivered: { slack: 1 },
      alerts: [{ alert, to: { slack: 1 } }],
    };
    const store = { ok: true, kind: 'upstash', latencyMs: 3, state: stateAfterRun(0), outbox } as const;
    const answer = health(facts({ store }));
    expect([answer.status, healthStatusCode(answer)]).toEqual(['degraded', 200]);
    expect(answer.checks.alerts).toEqual({
      status: 'degraded',
      message: `slack: ${changes.message}`,
      channels: [
        {
          name: 'slack',
          status,
          waiting: 1,
          trouble: {
            since: '2026-01-05T11:59:00.000Z',
            failures: 2,
            nextTryAt: '2026-01-05T12:01:00.000Z',
            dropped: 1,
            message: changes.message,
          },
        },
        { name: 'email', status: 'healthy', waiting: 0, trouble: null },
      ],
    });
  });

  it('says that a Telegram group moved, without its id', () => {
    const outbox = { ...EMPTY_OUTBOX, moved: { telegram: { from: '-1', to: '-100123' } } };
    const store = { ok: true, kind: 'upstash', latencyMs: 3, state: stateAfterRun(0), outbox } as const;
    const of = (telegramChat: string) =>
      health({ ...facts({ store }), channels: ['telegram'], telegramChat }).checks.alerts;
    expect(of('-1')).toMatchObject({ status: 'healthy', channels: [{ status: 'healthy' }] });
    expect(of('-1').message).toMatch(/^telegram: the group moved: set ALERT_TELEGRAM_CHAT/);
    expect(JSON.stringify(of('-1'))).not.toContain('100123');
    expect(of('-100123').message).toBeUndefined();
  });

  it('projects what a month of runs costs', () => {
    expect(health(facts()).checks.redis.budget).toEqual({
      commandsPerRun: 7,
      commandsPerMonth: 302_400,
      monthlyAllowance: 500_000,
    });
  });
});

it('a month of runs is counted as they come, not as they are expected', () => {
  const intervals = [600, 1_200, 300, 1_500, 900, 900, 600, 1_200, 900, 900];
  const state = { ...stateAfterRun(10_000), intervals };
  const store = { ok: true, kind: 'upstash', latencyMs: 3, state, outbox: EMPTY_OUTBOX } as const;
  const { checks } = health({ ...facts({ store }), tick: 1_800_000 });
  const commands = state.lastRun?.commands ?? NaN;
  expect(checks.redis.budget?.commandsPerMonth).toBe(commands * 2_880);
});
