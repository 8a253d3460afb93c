import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { loadOverview } from '../../lib/read/load.js';
import { health, healthSettings, type Budget } from '../../lib/read/health.js';
import { limitsOf } from '../../lib/rules/allowances.js';
import { EMPTY_OUTBOX } from '../../lib/rules/outbox.js';
import { RESOURCES, type Attempt, type Target } from '../../lib/types.js';
import { openRemoteStore } from '../support/stores.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { configOf, FAILED, GOOD, Pinger } from '../support/runs.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const TICK = 2 * MINUTE;
/** The first of a month of 31 days. */
const START = Date.UTC(2026, 11, 1);
const DAYS = 31;
const FUNCTION_LIMIT = 300 * SECOND;
/** CPU of a run and of an attempt, in ms (docs/measurements.md). */
const RUN_CPU = 30;
const ATTEMPT_CPU = 1.6;
/** A host falls asleep after so long, and takes so long to wake. */
const SLEEPS_AFTER = 15 * MINUTE;
const WAKES_IN = 12 * SECOND;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
  console.log(table.join('\n'));
});

const table: string[] = [];

interface Month {
  readonly plan: string;
  /** One target asks for a check every 10 s. */
  readonly quick: boolean;
  readonly days: number;
}

/** 25 targets: ten sleep, two of them for ever; the others answer at once. */
function configuration({ plan, quick }: Month) {
  const urls = Array.from({ length: 25 }, (_, i): [string, string][] => {
    const id = `TARGET_S${i}`;
    return [
      [`${id}_URL`, `https://s${i}.${i < 10 ? 'onrender.com' : 'example.com'}/`],
      // The last of the sleepers are pinged too seldom to be kept awake.
      ...(i >= 8 && i < 10 ? [[`${id}_INTERVAL`, '30m'] as [string, string]] : []),
      ...(quick && i === 24 ? [[`${id}_INTERVAL`, '10s'] as [string, string]] : []),
    ];
  });
  return configOf({
    ...Object.fromEntries(urls.flat()),
    VERCEL: '1',
    QSTASH_TOKEN: 'token',
    KEEP_ALIVE_PLAN: plan,
    KEEP_ALIVE_CONTROL_URLS: 'off',
    UPSTASH_REDIS_REST_URL: 'https://db.upstash.example',
    UPSTASH_REDIS_REST_TOKEN: 'token',
  });
}

async function play(month: Month, prefix: string) {
  const config = configuration(month);
  const store = await openRemoteStore({ kind: 'redis', url: redis.url }, { prefix });
  const pinger = new Pinger(config, store);
  pinger.now = START;
  /** When hosts that sleep were last awake, by target. */
  const active = new Map<string, number>();
  let attempts = 0;
  pinger.attempt = async (target: Target): Promise<Attempt> => {
    const { id, sleepsAfter } = target.info;
    attempts += 1;
    pinger.cpu += ATTEMPT_CPU;
    if (id === 's0' || id === 's1') {
      // Dead: one answers 503, the other not at all.
      await pinger.clock.sleep(id === 's0' ? 200 : target.timeout);
      return id === 's0' ? FAILED : { ...FAILED, reason: 'timeout', statusCode: null, message: 'timed out' };
    }
    await pinger.clock.sleep(150);
    if (sleepsAfter === null) return GOOD;
    const since = active.get(id) ?? START;
    const { now } = pinger;
    if (now < since) return FAILED;
    if (now - since > SLEEPS_AFTER) {
      active.set(id, now + WAKES_IN);
      return FAILED;
    }
    active.set(id, now);
    return GOOD;
  };
  const truth = { wallMs: 0, commands: 0, runs: 0 };
  const budget = async (): Promise<Budget> => {
    const { state } = await loadOverview(store, pinger.now);
    return health({
      ...healthSettings(config, limitsOf({ ...config, plan: 'hobby' }, { isLocal: false })),
      now: pinger.now,
      store: { ok: true, kind: 'upstash', latencyMs: 1, state, outbox: EMPTY_OUTBOX },
      memory: { usedBytes: 0, limitBytes: 1 },
      processStartedAt: START,
    }).checks.budget;
  };
  let forecast: Budget | null = null;
  for (let at = START; at < START + month.days * DAY; at += TICK) {
    // A run that lasts longer than the tick makes the next call find the lease taken.
    if (pinger.now > at) continue;
    pinger.now = at;
    pinger.cpu += RUN_CPU;
    const report = await pinger.run({ trigger: 'qstash', limit: FUNCTION_LIMIT, nextRunIn: TICK });
    expect(report.stored).toBe(true);
    truth.wallMs += pinger.now - at;
    truth.commands += report.commands;
    truth.runs += 1;
    if (at === START + DAY - TICK) forecast = await budget();
  }
  const end = await budget();
  await store.close();
  return { end, forecast, truth, attempts };
}

const MONTHS: readonly (readonly [name: string, month: Omit<Month, 'days'>])[] = [
  ['with a target every 10 s, throttled', { plan: 'hobby', quick: true }],
  ['without it, not throttled', { plan: 'none', quick: false }],
];

it.runIf(inject('long')).each(MONTHS)(
  'a month of 25 targets fits the free plans, and is known after a day: %s',
  async (name, given) => {
    const { end, forecast, truth, attempts } = await play({ ...given, days: DAYS }, given.plan);
    table.push(`${name}: ${truth.runs} runs, ${attempts} attempts`);
    for (const resource of RESOURCES) {
      const { used, allowed } = end[resource] ?? expect.unreachable();
      const { projected } = forecast?.[resource] ?? expect.unreachable();
      const share = (100 * used) / allowed;
      table.push(
        `  ${resource.padEnd(22)} ${String(used).padStart(10)} of ${String(allowed).padStart(9)}  ${share.toFixed(1).padStart(5)} %  forecast ${projected}`,
      );
      // QStash's calls follow from the tick alone.
      const most = resource === 'qstashMessages' ? 72 : given.plan === 'none' ? 100 : 50;
      expect(share, resource).toBeLessThanOrEqual(most);
      expect(Math.abs((projected ?? NaN) / used - 1), `${resource} after a day`).toBeLessThan(0.1);
    }
    // The account holds what was really used.
    const counted = end.functionMemoryGbHours?.used ?? NaN;
    expect(counted / ((truth.wallMs / 3_600_000) * 2)).toBeCloseTo(1, 1);
    expect((end.storeCommands?.used ?? NaN) / truth.commands).toBeCloseTo(1, 1);
    expect(end.invocations?.used).toBe(truth.runs);
  },
  3_600_000,
);
