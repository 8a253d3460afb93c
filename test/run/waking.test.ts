import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { Digest } from '../../lib/deliver/channel.js';
import { loadHistory, loadOverview } from '../../lib/read/load.js';
import { stats, targetHistory } from '../../lib/read/stats.js';
import type { Bucket, TargetHistory } from '../../lib/read/views.js';
import type { RunReport } from '../../lib/run/report.js';
import type { Store } from '../../lib/store/store.js';
import type { Attempt, Target } from '../../lib/types.js';
import { configOf, FAILED, GOOD, Pinger } from '../support/runs.js';
import { openSqlite } from '../support/stores.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const WAKE_TIMEOUT = 90 * SECOND;
const SLEEPS_AFTER = 15 * MINUTE;
const WAKING = {
  ...FAILED,
  reason: 'host',
  message: 'the host says that it sleeps',
  origin: 'asleep',
} as const satisfies Attempt;

let directory: string;
const stores: Store[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keepalive-waking-'));
});

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await rm(directory, { recursive: true });
});

/** What the host does from a time on, in ms since the first run. */
interface Phase {
  readonly from: number;
  /** Sleeps, and wakes so many ms after the first request that it gets; Infinity: never. */
  readonly wakesIn: number;
}

/** A process that watches a host which sleeps from time to time. */
class World {
  readonly pinger: Pinger;
  readonly startedAt: number;
  readonly reports: RunReport[] = [];
  /** What people were told: kind and, of an outage, when it began. */
  readonly told: unknown[] = [];
  private readonly store: Store;
  private readonly wokenAt = new Map<Phase, number>();

  constructor(
    phases: readonly Phase[],
    { env = {}, answer = WAKING }: { env?: Record<string, string>; answer?: Attempt } = {},
  ) {
    this.store = openSqlite(join(directory, `${stores.length}.db`));
    stores.push(this.store);
    const config = configOf({
      TARGET_APP_URL: 'https://app.onrender.com/',
      KEEP_ALIVE_WAKE_TIMEOUT: `${WAKE_TIMEOUT}ms`,
      KEEP_ALIVE_SLEEPS_AFTER: `${SLEEPS_AFTER}ms`,
      KEEP_ALIVE_CONTROL_URLS: 'off',
      ...env,
    });
    this.pinger = new Pinger(config, this.store);
    const deliver = ({ items }: Digest): Promise<void> => {
      for (const { alert } of items)
        this.told.push([alert.kind, 'startedAt' in alert ? alert.startedAt : null]);
      return Promise.resolve();
    };
    this.pinger.channels = new Map([['slack', { name: 'slack', deliver }]]);
    const { clock } = this.pinger;
    this.startedAt = clock.now;
    this.pinger.attempt = async (_, signal) => {
      const time = clock.now - this.startedAt;
      const phase = phases.findLast(({ from }) => from <= time);
      if (phase === undefined) return GOOD;
      const wokenAt = this.wokenAt.get(phase) ?? time;
      this.wokenAt.set(phase, wokenAt);
      if (time >= wokenAt + phase.wakesIn) return GOOD;
      if (answer.reason !== 'timeout') return answer;
      await clock.sleep(10 * SECOND, signal);
      return signal.aborted ? { ...answer, interrupted: true } : answer;
    };
  }

  /** Calls at these times; one that comes while a run is under way is skipped. */
  async call(times: readonly number[]): Promise<void> {
    for (const time of times) {
      if (this.pinger.now > this.startedAt + time) continue;
      this.pinger.now = this.startedAt + time;
      const limit = 300 * SECOND;
      this.reports.push(await this.pinger.run({ limit, nextRunIn: this.pinger.config.tick }));
    }
  }

  async own() {
    const { pinger, store } = this;
    const [own] = stats(pinger.config, await loadOverview(store, pinger.now), pinger.now).targets;
    return own ?? expect.unreachable();
  }

  async history(): Promise<TargetHistory> {
    const { pinger, store } = this;
    const target = pinger.config.targets[0] ?? expect.unreachable();
    return targetHistory(pinger.config, target, await loadHistory(store, 'app', pinger.now), pinger.now);
  }

  get results() {
    return this.reports.flatMap(({ results }) => results);
  }
}

const every = (period: number, count: number) => Array.from({ length: count }, (_, i) => i * period);
const VERCEL = { VERCEL: '1', KEEP_ALIVE_TICK: '1m', KEEP_ALIVE_INTERVAL: '1m' };

describe('a host that wakes after', () => {
  const setUp = async (wakesIn: number, count: number) => {
    const world = new World([{ from: 10 * MINUTE, wakesIn }], { env: VERCEL });
    await world.call(every(MINUTE, 10 + count));
    return { world, results: world.results.slice(10), runs: world.reports.slice(10) };
  };

  it.each([
    [1 * SECOND, { wakeMs: 2_000, attempts: 2 }],
    [17 * SECOND, { wakeMs: 18_000, attempts: 10 }],
  ])('%i ms is waited for', async (wakesIn, wake) => {
    const { results, runs } = await setUp(wakesIn, 1);
    expect(results).toMatchObject([{ ok: true, status: 'up', coldStart: true, ...wake }]);
    expect(results[0]).not.toHaveProperty('wakeMsAtLeast');
    expect(runs[0]?.durationMs).toBe(wake.wakeMs);
  });

  it('45 s is decided by the next run, which says how exact that is', async () => {
    const { world, results, runs } = await setUp(45 * SECOND, 2);
    expect(runs).toMatchObject([
      { due: 1, checked: 0, succeeded: 0, failed: 0, status: 'completed', stored: true, transitions: [] },
      { due: 1, checked: 2, succeeded: 2, failed: 0 },
    ]);
    expect(runs[0]?.durationMs).toBeLessThanOrEqual(20 * SECOND);
    expect(results).toEqual([
      {
        ...{
          id: 'app',
          ok: null,
          latency: null,
          status: 'up',
          statusCode: 503,
          attempts: 10,
          coldStart: false,
        },
        message: 'waking for 18 s so far: the host says that it sleeps',
      },
      {
        ...{ id: 'app', ok: true, latency: 45, status: 'up', statusCode: 200, attempts: 11, coldStart: true },
        ...{ wakeMs: 60_000, wakeMsAtLeast: 18_000 },
      },
      { id: 'app', ok: true, latency: 45, status: 'up', statusCode: 200, attempts: 1, coldStart: false },
    ]);
    expect(world.pinger.lines).toEqual(
      expect.arrayContaining([
        'app waking for 18 s so far: the host says that it sleeps',
        'ping #11 app ok 45ms (woke in 60.0s or less, 18.0s at least)',
        'ping #12 app ok 45ms',
      ]),
    );
    const { checks } = await world.history();
    expect(checks.slice(-2)).toMatchObject([
      { ok: true, coldStart: true, latency: null, wakeMsAtLeast: expect.any(Number) as number },
      { ok: true, coldStart: false, latency: 45, wakeMsAtLeast: null },
    ]);
  });

  it('70 s is seen by the next run', async () => {
    const { results } = await setUp(70 * SECOND, 2);
    expect(results.slice(1)).toMatchObject([{ ok: true, coldStart: true, wakeMs: 70_000, attempts: 16 }]);
  });

  it('nothing at all has failed once its WAKE_TIMEOUT is over, dated from the first attempt', async () => {
    const { world, results, runs } = await setUp(Infinity, 7);
    const open = [null, 'up'];
    expect(results.map(({ ok, status }) => [ok, status])).toEqual([
      ...[open, open, [false, 'up']],
      ...[open, open, [false, 'up']],
      ...[open, open, [false, 'down']],
      [false, 'down'],
    ]);
    await world.call([17, 18, 19, 20].map((minute) => minute * MINUTE));
    expect(runs.every(({ durationMs }) => durationMs <= 20 * SECOND)).toBe(true);
    expect(await world.own()).toMatchObject({
      status: 'down',
      incident: { startedAt: new Date(world.startedAt + 10 * MINUTE).toISOString() },
    });
    const { results: last = [] } = world.reports.at(-1) ?? {};
    // Down: it gets one attempt.
    expect(last).toMatchObject([{ ok: false, attempts: 1 }]);
    expect(world.reports.at(-1)?.durationMs).toBe(0);
  });
});

describe('while a host is waking', () => {
  it('nothing is decided: no failure, no change, no time counted, and the API says so', async () => {
    const world = new World([{ from: 10 * MINUTE, wakesIn: Infinity }], { env: VERCEL });
    await world.call(every(MINUTE, 10));
    const before = await world.own();
    expect(before.waking).toBeNull();
    await world.call([10 * MINUTE]);
    expect(await world.own()).toEqual({
      ...before,
      uptimeRatio: before.uptimeRatio,
      awake: { ...before.awake, longestGap: expect.any(Number) as number },
      waking: { since: new Date(world.startedAt + 10 * MINUTE).toISOString(), attempts: 10 },
    });
  });

  it('the next run asks it, however long its interval is', async () => {
    const env = { ...VERCEL, KEEP_ALIVE_INTERVAL: '7m' };
    const world = new World([{ from: MINUTE, wakesIn: 45 * SECOND }], { env });
    await world.call([0, 7 * MINUTE, 8 * MINUTE, 9 * MINUTE]);
    expect(world.results.map(({ ok, coldStart }) => [ok, coldStart])).toEqual([
      [true, false],
      [null, false],
      [true, true],
      [true, false],
    ]);
  });

  it('others are recorded before it is waited for', async () => {
    const world = new World([{ from: 0, wakesIn: Infinity }], {
      env: { ...VERCEL, TARGET_OTHER_URL: 'https://other.test/' },
    });
    const { pinger } = world;
    const { attempt } = pinger;
    pinger.attempt = (target, signal) => (target.info.id === 'other' ? GOOD : attempt(target, signal));
    await world.call([0]);
    expect(world.results.map(({ id, ok }) => [id, ok])).toEqual([
      ['other', true],
      ['app', null],
    ]);
    // Of the embedded database, where each field is a statement.
    expect(world.reports[0]?.commands).toBeLessThanOrEqual(11);
  });

  it('a run in which our own network does not work decides nothing', async () => {
    const env = { ...VERCEL, KEEP_ALIVE_CONTROL_URLS: 'https://control.test/' };
    const world = new World([{ from: MINUTE, wakesIn: 45 * SECOND }], { env });
    const { pinger } = world;
    const { attempt: ofApp } = pinger;
    const attempt = (target: Target, signal: AbortSignal) =>
      target.info.id === 'app' ? ofApp(target, signal) : GOOD;
    pinger.attempt = attempt;
    await world.call([0, MINUTE]);
    pinger.attempt = () => ({ ...FAILED, reason: 'connect', statusCode: null });
    await world.call([2 * MINUTE, 3 * MINUTE]);
    expect(world.reports.slice(2)).toMatchObject([{ status: 'inconclusive' }, { status: 'inconclusive' }]);
    pinger.attempt = attempt;
    await world.call([4 * MINUTE]);
    expect(world.results.slice(2)).toMatchObject([{ coldStart: true, wakeMs: 180_000 }, { ok: true }]);
    expect(await world.own()).toMatchObject({ failedPings: 0 });
  });

  it('its end is not known where it may have slept again before a run asked', async () => {
    const env = { ...VERCEL, KEEP_ALIVE_SLEEPS_AFTER: '5m' };
    const world = new World(
      [
        { from: MINUTE, wakesIn: 45 * SECOND },
        { from: 8 * MINUTE, wakesIn: 45 * SECOND },
      ],
      { env },
    );
    await world.call([0, MINUTE, 9 * MINUTE, 10 * MINUTE]);
    expect(world.results.map(({ ok, coldStart }) => [ok, coldStart])).toEqual([
      [true, false],
      [null, false],
      [null, false],
      [true, true],
      [true, false],
    ]);
    expect(await world.own()).toMatchObject({ failedPings: 0, pingCount: 3 });
  });

  it('it is asked on where it was watched from Vercel before, and from one machine now', async () => {
    const world = new World([{ from: MINUTE, wakesIn: 70 * SECOND }], { env: VERCEL });
    await world.call([0, MINUTE]);
    world.pinger.config = { ...world.pinger.config, isOnVercel: false };
    await world.call([2 * MINUTE]);
    expect(world.results.slice(1)).toMatchObject([{ ok: null }, { coldStart: true, wakeMs: 70_000 }]);
  });
});

const RUNS = inject('long') ? 40 : 4;
/** When the host wakes is not looked at this near to the end of WAKE_TIMEOUT: nobody asks at that moment. */
const EDGE = 15 * SECOND;

describe('many runs that wait for 20 s decide as single ones that wait for all of WAKE_TIMEOUT:', () => {
  const pace = fc.constantFrom(1 * MINUTE, 2 * MINUTE, 3 * MINUTE, 5 * MINUTE);
  const phase = fc.record({
    after: fc.integer({ min: 4 * MINUTE, max: 20 * MINUTE }),
    wakesIn: fc.oneof(
      fc.integer({ min: 0, max: WAKE_TIMEOUT - EDGE }),
      fc.constantFrom(0, 1 * SECOND, 19 * SECOND, 45 * SECOND, Infinity),
    ),
    /** For how long it stays as it is at least, where it never wakes. */
    lasts: fc.integer({ min: 0, max: 10 * MINUTE }),
  });
  const answers = fc.constantFrom<Attempt>(WAKING, FAILED, {
    ...FAILED,
    reason: 'timeout',
    message: 'timed out waiting for the answer',
    statusCode: null,
  });

  it('the same checks, incidents and figures', async () => {
    await fc.assert(
      fc.asyncProperty(
        pace,
        fc.array(phase, { minLength: 1, maxLength: 3 }),
        answers,
        async (period, drawn, answer) => {
          let end = 0;
          const phases = drawn.flatMap(({ after, wakesIn, lasts }): Phase[] => {
            const from = end + after;
            end = from + 20 * MINUTE + lasts;
            // A dead host is brought back to life.
            return wakesIn === Infinity
              ? [
                  { from, wakesIn },
                  { from: end, wakesIn: 0 },
                ]
              : [{ from, wakesIn }];
          });
          const env = {
            KEEP_ALIVE_TICK: `${period}ms`,
            KEEP_ALIVE_INTERVAL: `${period}ms`,
          };
          const times = every(period, Math.ceil((end + 30 * MINUTE) / period));
          const single = new World(phases, { env, answer });
          const many = new World(phases, { env: { ...env, VERCEL: '1' }, answer });
          await single.call(times);
          await many.call(times);
          many.pinger.now = single.pinger.now = Math.max(many.pinger.now, single.pinger.now);
          const [a, b] = [await single.history(), await many.history()];
          const checks = ({ checks: all }: TargetHistory) =>
            all.map(({ at, outcome, coldStart }) => [at, outcome, coldStart]);
          expect(checks(b)).toEqual(checks(a));
          const incidents = ({ incidents: all }: TargetHistory) =>
            all.map(({ startedAt, endedAt, message }) => ({ startedAt, endedAt, message }));
          expect(incidents(b)).toEqual(incidents(a));
          const figures = (history: TargetHistory) => {
            const { status, pingCount, failedPings, uptimeRatio, coverage, awake, consecutiveFailures } =
              history;
            const { coldStarts, keptAwake } = awake;
            return {
              status,
              pingCount,
              failedPings,
              uptimeRatio,
              coverage,
              coldStarts,
              keptAwake,
              consecutiveFailures,
            };
          };
          expect(figures(b)).toEqual(figures(a));
          expect(many.told).toEqual(single.told);
          for (const each of [...b.hours, ...b.days]) expectSound(each);
          expect(Math.max(...many.reports.map(({ durationMs }) => durationMs))).toBeLessThanOrEqual(
            20 * SECOND,
          );
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('and where it wakes in time, nothing has failed, whatever the interval', async () => {
    const sleeps = phase.filter(({ wakesIn }) => wakesIn !== Infinity);
    await fc.assert(
      fc.asyncProperty(
        pace,
        fc.integer({ min: 1, max: 7 * MINUTE }),
        fc.array(sleeps, { minLength: 1, maxLength: 3 }),
        async (period, interval, drawn) => {
          let end = 0;
          const phases = drawn.map(({ after, wakesIn, lasts }): Phase => {
            const from = end + after;
            end = from + 20 * MINUTE + lasts;
            return { from, wakesIn };
          });
          const env = {
            VERCEL: '1',
            KEEP_ALIVE_TICK: `${period}ms`,
            KEEP_ALIVE_INTERVAL: `${Math.max(MINUTE, interval)}ms`,
          };
          const world = new World(phases, { env });
          await world.call(every(period, Math.ceil((end + 30 * MINUTE) / period)));
          const { failedPings, incidents, status, awake, checks } = await world.history();
          expect({ failedPings, incidents, status }).toEqual({ failedPings: 0, incidents: [], status: 'up' });
          const slept = phases.filter(({ wakesIn }) => wakesIn > 0).length;
          expect(checks.filter(({ coldStart }) => coldStart).length).toBe(slept);
          expect(awake.coldStarts).toBe(slept);
          // That it slept although it was pinged is said once a day.
          expect(world.told).toEqual(slept > 0 ? [['slept', null]] : []);
        },
      ),
      { numRuns: RUNS },
    );
  });
});

function expectSound({ uptimeRatio, coverage, downtimeMs, pings, failures }: Bucket): void {
  for (const ratio of [uptimeRatio ?? 0, coverage ?? 0]) {
    expect(ratio).toBeGreaterThanOrEqual(0);
    expect(ratio).toBeLessThanOrEqual(1);
  }
  expect(downtimeMs).toBeGreaterThanOrEqual(0);
  expect(pings).toBeGreaterThanOrEqual(failures);
}
