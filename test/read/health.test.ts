import { describe, expect, it } from 'vitest';
import type { HealthFacts } from '../../lib/read/health.js';
import { health, healthStatusCode } from '../../lib/read/health.js';
import { Ledger } from '../../lib/record/ledger.js';
import { emptyMailing, withNotes } from '../../lib/rules/mailing.js';
import { EMPTY_OUTBOX } from '../../lib/rules/outbox.js';
import { readState } from '../../lib/record/state.js';
import { type State } from '../../lib/record/state-model.js';
import { NO_USAGE, withUsage, type Account } from '../../lib/rules/account.js';
import { limitsOf, NO_LIMITS } from '../../lib/rules/allowances.js';
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

const stored = { ok: true, kind: 'upstash', latencyMs: 3, outbox: EMPTY_OUTBOX } as const;

/** A day of runs every minute, up to now; each may use so many times as much as usual. */
function accountOf({ commands = 1 }): Account {
  const used = { ...NO_USAGE, wallMs: 1_000, cpuMs: 50, commands: 7 * commands, invocations: 1 };
  let account: Account | null = null;
  for (let run = 1_440; run > 0; run -= 1)
    account = withUsage(account, used, NOW - 10_000 - (run - 1) * MINUTE);
  return account ?? expect.unreachable();
}

const facts = (changes: Partial<HealthFacts> = {}, endedAgo = 10_000, commands = 7): HealthFacts => ({
  now: NOW,
  tick: MINUTE,
  enabled: true,
  targets: [aTarget('a', { info: { interval: MINUTE } })],
  limits: limitsOf(
    { plan: 'hobby', store: { kind: 'upstash' }, readRegions: 0, qstash: { token: null } },
    { isLocal: false },
  ),
  peers: [],
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
      'the store is away: the schedule says so too',
      facts({ store: away }),
      'degraded',
      200,
      { schedule: { message: 'not known: the store cannot be reached' } },
    ],
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
      'runs will use more than the plan allows',
      facts({
        store: { ...stored, state: { ...stateAfterRun(10_000), account: accountOf({ commands: 2 }) } },
      }),
      'degraded',
      200,
      {
        redis: { status: 'healthy' },
        budget: {
          status: 'degraded',
          storeCommands: { used: 20_160, projected: 554_388, allowed: 500_000 },
          message: 'this month uses 554,388 of 500,000 Upstash commands',
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
      subscribers: null,
    });
  });

  const pending = withNotes(emptyMailing(0), [{ id: 'n', number: 1 }], null, NOW);
  const failing = { failures: 3, nextAt: NOW + MINUTE, key: '', message: 'answered 421' };
  const day = { day: Math.floor(NOW / 86_400_000), count: 250 };
  it.each<[string, HealthFacts['store'] & object, Partial<HealthFacts>, object | null, string | undefined]>([
    [
      'nobody can subscribe',
      { ...stored, state: null, mailings: [] },
      { mailsPerDay: null },
      null,
      undefined,
    ],
    ['it was not read', { ...stored, state: null }, {}, null, undefined],
    [
      'all are told',
      { ...stored, state: null, mailings: [emptyMailing(0)] },
      {},
      { status: 'healthy', waiting: 0, trouble: null },
      undefined,
    ],
    [
      'mails are not taken',
      { ...stored, state: null, mailings: [emptyMailing(0), { ...pending, trouble: failing }] },
      {},
      {
        status: 'failing',
        waiting: 1,
        trouble: { failures: 3, nextTryAt: '2026-01-05T12:01:00.000Z', message: 'answered 421' },
      },
      'subscribers: answered 421',
    ],
    [
      'the mails of the day are used up',
      { ...stored, state: null, mailings: [{ ...pending, sent: day }] },
      {},
      { status: 'healthy', waiting: 1, trouble: null },
      'subscribers: PAGE_MAILS_PER_DAY=250 is reached, the others follow after midnight UTC',
    ],
    [
      'what is stored cannot be read',
      { ...stored, state: null, mailings: [null] },
      {},
      { status: 'failing', waiting: 0, trouble: null },
      'subscribers: what is stored of their mails cannot be read',
    ],
  ])('says of mails to subscribers that %s', (_what, store, changes, subscribers, message) => {
    const { alerts } = health({ ...facts({ store }), mailsPerDay: 250, ...changes }).checks;
    expect(alerts.subscribers).toEqual(subscribers && (expect.objectContaining(subscribers) as object));
    expect([alerts.message, alerts.status]).toEqual([
      message,
      alerts.subscribers?.status === 'failing' ? 'degraded' : 'healthy',
    ]);
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

  it('gives what the month has used, will use and may use, of all that is watched', () => {
    const state = { ...stateAfterRun(10_000), account: accountOf({}) };
    const store = { ok: true, kind: 'upstash', latencyMs: 3, state, outbox: EMPTY_OUTBOX } as const;
    const render = aTarget('b', { info: { host: 'render', interval: MINUTE, sleepsAfter: 15 * MINUTE } });
    // Four days and a half of 31, of which one is counted.
    expect(health(facts({ store, targets: [render] })).checks.budget).toEqual({
      status: 'healthy',
      month: '2026-01',
      countedSince: '2026-01-04T12:00:50.000Z',
      storeCommands: { used: 10_080, projected: 277_194, allowed: 500_000 },
      functionMemoryGbHours: { used: 0.8, projected: 22, allowed: 360 },
      functionCpuHours: { used: 0.02, projected: 0.55, allowed: 4 },
      invocations: { used: 1_440, projected: 39_599, allowed: 1_000_000 },
      qstashMessages: null,
      hostHours: [{ host: 'render', used: 108, projected: 744, allowed: 750 }],
    });
  });

  it('watches nothing where no plan is to be watched', () => {
    const { budget } = health(facts({ limits: NO_LIMITS })).checks;
    expect(budget).toMatchObject({ status: 'healthy', storeCommands: null, functionCpuHours: null });
  });
});

describe('peers in health', () => {
  const state: State = {
    ...stateAfterRun(10_000),
    peers: [
      { peer: 'a.test', askedAt: NOW, trouble: null },
      {
        peer: 'b.test',
        askedAt: NOW,
        trouble: { kind: 'stopped', since: NOW - 10 * MINUTE, readings: 1, message: null },
      },
      {
        peer: 'c.test',
        askedAt: NOW,
        trouble: { kind: 'silent', since: NOW - MINUTE, readings: 1, message: 'connection refused' },
      },
    ],
  };
  const store = { ok: true, kind: 'upstash', latencyMs: 3, state, outbox: EMPTY_OUTBOX } as const;
  const peers = ['a.test', 'b.test', 'c.test', 'd.test'];

  it('are named to callers with STATS_TOKEN', () => {
    const { status, checks } = health(facts({ peers, store, audience: 'trusted' }));
    expect(status).toBe('degraded');
    expect(checks.peers).toEqual({
      status: 'degraded',
      watched: 4,
      outOfOrder: 1,
      each: [
        { peer: 'a.test', status: 'healthy', askedAt: '2026-01-05T12:00:00.000Z' },
        {
          peer: 'b.test',
          status: 'stopped',
          askedAt: '2026-01-05T12:00:00.000Z',
          since: '2026-01-05T11:50:00.000Z',
          message: 'has stopped making runs',
        },
        // Not for three ticks yet.
        { peer: 'c.test', status: 'healthy', askedAt: '2026-01-05T12:00:00.000Z' },
        { peer: 'd.test', status: 'unknown', askedAt: null },
      ],
      message: 'b.test has stopped making runs',
    });
  });

  it('are counted to the public', () => {
    expect(health(facts({ peers, store })).checks.peers).toEqual({
      ...{ status: 'degraded', watched: 4, outOfOrder: 1, each: [], message: 'a peer is out of order' },
    });
    expect(health(facts()).checks).not.toHaveProperty('peers');
  });
});
