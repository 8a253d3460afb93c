import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadHistory, loadOverview } from '../../lib/read/load.js';
import { stats } from '../../lib/read/stats.js';
import { STATE_FIELD } from '../../lib/record/fields.js';
import { openSqlite } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { configOf, FAILED, GOOD, manyTargets, Pinger } from '../support/runs.js';

const MINUTE = 60_000;
let directory: string;
let store: Store;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keepalive-run-'));
  store = openSqlite(join(directory, 'keepalive.db'));
});

afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const statsOf = async (pinger: Pinger) =>
  stats(pinger.config, await loadOverview(store, pinger.now), pinger.now);

describe('three runs of one good and one failing target', () => {
  it('are counted right to the digit', async () => {
    const config = configOf({
      TARGET_GOOD_URL: 'http://good.test/',
      TARGET_BAD_URL: 'http://bad.test/',
      KEEP_ALIVE_INTERVAL: '1m',
      KEEP_ALIVE_RETRIES: '0',
    });
    const pinger = new Pinger(config, store);
    pinger.attempt = ({ info }) => (info.id === 'bad' ? FAILED : GOOD);
    const reports = [];
    for (let i = 0; i < 3; i += 1) {
      reports.push(await pinger.run());
      pinger.now += MINUTE;
    }
    expect(reports.map(({ transitions }) => transitions.map(({ target, to }) => [target, to]))).toEqual([
      [['good', 'up']],
      [],
      [['bad', 'down']],
    ]);
    expect(await statsOf(pinger)).toMatchObject({
      isRunning: true,
      uptime: 3 * MINUTE,
      pingCount: 6,
      failedPings: 3,
      successRate: '50.0',
      summary: { up: 1, down: 1, pending: 0 },
      targets: [
        {
          id: 'bad',
          status: 'down',
          pingCount: 3,
          failedPings: 3,
          successRate: '0.0',
          consecutiveFailures: 3,
          consecutiveSuccesses: 0,
          lastStatusCode: 503,
          latency: null,
          message: 'status 503, expected 200-299',
          uptimeRatio: { '24h': 0 },
          coverage: { '24h': 1 },
          incident: { startedAt: new Date(pinger.now - 3 * MINUTE).toISOString() },
        },
        {
          id: 'good',
          status: 'up',
          pingCount: 3,
          failedPings: 0,
          successRate: '100.0',
          consecutiveFailures: 0,
          consecutiveSuccesses: 3,
          latency: 45,
          uptimeRatio: { '24h': 1 },
          latencyMs: { p50: 43.1 },
        },
      ],
    });
    expect(pinger.lines).toContain('ping #3 good ok 45ms');
    expect(pinger.lines).toContain('ping #3 bad failed (status 503, expected 200-299)');
    expect(pinger.lines).toContain('bad: pending -> down (status 503, expected 200-299)');
  });
});

describe('a run', () => {
  it('pings only what is due', async () => {
    const config = configOf({
      TARGET_A_URL: 'http://a.test/',
      TARGET_A_INTERVAL: '1m',
      TARGET_B_URL: 'http://b.test/',
      TARGET_B_INTERVAL: '3m',
      TARGET_OFF_URL: 'http://off.test/',
      TARGET_OFF_ENABLED: 'no',
    });
    const pinger = new Pinger(config, store);
    for (let i = 0; i < 4; i += 1) {
      await pinger.run();
      pinger.asked.push('|');
      pinger.now += MINUTE;
    }
    expect(pinger.asked.join('')).toBe('ab|a|a|ab|');
    expect((await statsOf(pinger)).summary).toMatchObject({ up: 2, paused: 1 });
  });

  it('leaves for the next what did not fit, and says so', async () => {
    const pinger = new Pinger(manyTargets(2), store);
    const timeIsUp = new AbortController();
    pinger.attempt = ({ info }) => {
      if (info.id === 'service-0') return GOOD;
      timeIsUp.abort();
      return { ...FAILED, reason: 'timeout', message: 'cut short', interrupted: true };
    };
    const report = await pinger.run({ signal: timeIsUp.signal });
    expect(report).toMatchObject({ status: 'partial', due: 2, checked: 1, failed: 0, stored: true });
    pinger.attempt = () => GOOD;
    pinger.asked.length = 0;
    pinger.now += MINUTE;
    await pinger.run();
    expect(pinger.asked).toEqual(['service-1', 'service-0']);
  });

  it('goes first to those that wait longest', async () => {
    const config = manyTargets(3, { TARGET_SERVICE_2_INTERVAL: '2m' });
    const pinger = new Pinger(config, store);
    await pinger.run();
    pinger.asked.length = 0;
    pinger.now += 5 * MINUTE;
    await pinger.run();
    expect(pinger.asked).toEqual(['service-0', 'service-1', 'service-2']);
  });

  it('is inconclusive when everything fails and so does our own network', async () => {
    const pinger = new Pinger(manyTargets(2, { KEEP_ALIVE_CONTROL_URLS: 'http://control.test/' }), store);
    await pinger.run();
    const down = { ...FAILED, reason: 'connect', message: 'network unreachable', statusCode: null } as const;
    pinger.attempt = () => down;
    pinger.now += MINUTE;
    expect(await pinger.run()).toMatchObject({ status: 'inconclusive', checked: 0, failed: 0 });
    pinger.attempt = ({ info }) => (info.id === 'control' ? { ...GOOD, statusCode: 204 } : down);
    pinger.now += MINUTE;
    expect(await pinger.run()).toMatchObject({ status: 'completed', failed: 2 });
    expect(await statsOf(pinger)).toMatchObject({
      isRunning: true,
      pingCount: 4,
      failedPings: 2,
      lastRun: { status: 'completed' },
    });
  });

  it('records the others when Keepalive itself breaks over one target', async () => {
    const pinger = new Pinger(manyTargets(2), store);
    pinger.attempt = ({ info }) => {
      if (info.id === 'service-0') throw new TypeError('our own mistake');
      return GOOD;
    };
    const report = await pinger.run();
    expect(report).toMatchObject({
      status: 'partial',
      stored: true,
      results: [{ id: 'service-1', ok: true }],
    });
    expect(pinger.lines.join()).toContain('check_broken');
  });
});

describe('rounds of a run', () => {
  const rounds = { nextRunIn: MINUTE, limit: 5 * MINUTE };
  const secondsOf = (pinger: Pinger, since: number) => {
    const seconds: Record<string, number[]> = {};
    pinger.attempt = ({ info }) => {
      (seconds[info.id] ??= []).push(Math.round((pinger.now - since) / 1000));
      return GOOD;
    };
    return seconds;
  };

  it('check targets whose interval is below the tick as often as they want, and the others once', async () => {
    const config = manyTargets(3, {
      TARGET_SERVICE_0_INTERVAL: '10s',
      TARGET_SERVICE_1_INTERVAL: '25s',
    });
    const pinger = new Pinger(config, store);
    const seconds = secondsOf(pinger, pinger.now);
    expect(await pinger.run(rounds)).toMatchObject({ status: 'completed', due: 3, checked: 10 });
    expect(seconds).toEqual({
      'service-0': [0, 10, 20, 30, 40, 50],
      'service-1': [0, 25, 50],
      'service-2': [0],
    });
    const { checks } = await loadHistory(store, 'service-0', pinger.now);
    expect(checks).toHaveLength(1);
    expect(await statsOf(pinger)).toMatchObject({ pingCount: 10 });
  });

  it('go on while a slow one is waited for, since no other run can ping meanwhile', async () => {
    const config = manyTargets(3, {
      TARGET_SERVICE_0_INTERVAL: '10s',
      TARGET_SERVICE_0_TIMEOUT: '2m',
    });
    const pinger = new Pinger(config, store);
    const startedAt = pinger.now;
    const seconds = secondsOf(pinger, startedAt);
    const quick = pinger.attempt;
    pinger.attempt = async (target, signal) => {
      const answer = await quick(target, signal);
      if (target.info.id === 'service-2') await pinger.clock.sleep(95_000);
      return answer;
    };
    const report = await pinger.run(rounds);
    expect(seconds['service-0']).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(seconds['service-1']).toEqual([0, 60]);
    expect(seconds['service-2']).toEqual([0]);
    expect(report).toMatchObject({ status: 'completed', durationMs: 95_000, stored: true });
  });
});

describe('what a run has finished is on record before a long wait', () => {
  const CASE = { KEEP_ALIVE_TICK: '10m', TARGET_A_URL: 'http://a.test/', KEEP_ALIVE_CONTROL_URLS: 'off' };
  /** The pings that are on record after so many seconds of the run, which goes on. */
  const pingsAfter = async (pinger: Pinger, seconds: readonly number[]) => {
    const startedAt = pinger.now;
    const run = pinger.run({ nextRunIn: 10 * MINUTE, limit: 5 * MINUTE });
    const pings: unknown[] = [];
    for (const second of seconds) {
      await pinger.clock.sleep(startedAt + second * 1000 - pinger.now);
      pings.push(
        Object.fromEntries((await statsOf(pinger)).targets.map(({ id, pingCount }) => [id, pingCount])),
      );
    }
    return { pings, report: await run };
  };

  it('for the next round', async () => {
    const pinger = new Pinger(configOf({ ...CASE, TARGET_A_INTERVAL: '1m' }), store);
    const { pings, report } = await pingsAfter(pinger, [1, 59]);
    expect(pings).toEqual([{ a: 1 }, { a: 1 }]);
    expect(report).toMatchObject({ checked: 5, durationMs: 4 * MINUTE });
  });

  it('or after a minute of short ones', async () => {
    const pinger = new Pinger(configOf({ ...CASE, TARGET_A_INTERVAL: '10s' }), store);
    const { pings, report } = await pingsAfter(pinger, [59, 62]);
    expect(pings).toEqual([{ a: 0 }, { a: 6 }]);
    expect(report).toMatchObject({ checked: 26, durationMs: 250_000 });
  });

  it('with what ends in a moment', async () => {
    const env = { ...CASE, TARGET_B_URL: 'http://b.test/', KEEP_ALIVE_INTERVAL: '1m' };
    const pinger = new Pinger(configOf(env), store);
    pinger.attempt = async ({ info }) => {
      if (info.id === 'b') await pinger.clock.sleep(3_000);
      return GOOD;
    };
    const { pings } = await pingsAfter(pinger, [2, 4]);
    expect(pings).toEqual([
      { a: 0, b: 0 },
      { a: 1, b: 1 },
    ]);
  });

  it('for a target that hangs, though others have short rounds', async () => {
    const config = configOf({
      ...CASE,
      TARGET_A_INTERVAL: '10s',
      TARGET_B_URL: 'http://b.test/',
      TARGET_C_URL: 'http://c.test/',
      TARGET_C_TIMEOUT: '2m',
    });
    const pinger = new Pinger(config, store);
    pinger.attempt = async ({ info }) => {
      if (info.id === 'c') await pinger.clock.sleep(100_000);
      return GOOD;
    };
    const { pings } = await pingsAfter(pinger, [9]);
    expect(pings).toEqual([{ a: 1, b: 1, c: 0 }]);
  });

  it('where all have failed and the network works: people are told at once', async () => {
    const env = { ...CASE, TARGET_A_INTERVAL: '1m', TARGET_A_FAILURE_THRESHOLD: '1', TARGET_A_RETRIES: '0' };
    const pinger = new Pinger(configOf({ ...env, KEEP_ALIVE_CONTROL_URLS: 'http://control.test/' }), store);
    pinger.attempt = ({ info }) => (info.id === 'control' ? GOOD : FAILED);
    const startedAt = pinger.now;
    const told: number[] = [];
    const deliver = () => {
      told.push(pinger.now - startedAt);
      return Promise.resolve();
    };
    pinger.channels = new Map([['slack', { name: 'slack', deliver }]]);
    const { pings } = await pingsAfter(pinger, [1]);
    expect(pings).toEqual([{ a: 1 }]);
    expect(told).toEqual([0]);
  });

  it('but not where our own network fails', async () => {
    const env = { ...CASE, TARGET_A_INTERVAL: '1m', TARGET_A_RETRIES: '0' };
    const pinger = new Pinger(configOf({ ...env, KEEP_ALIVE_CONTROL_URLS: 'http://control.test/' }), store);
    pinger.attempt = () => FAILED;
    const run = pinger.run({ nextRunIn: 10 * MINUTE, limit: 5 * MINUTE });
    expect(await run).toMatchObject({ status: 'inconclusive', checked: 0 });
  });
});

describe('a run whose process is to end', () => {
  it('finishes the checks under way, and makes no more rounds', async () => {
    const pinger = new Pinger(manyTargets(3, { TARGET_SERVICE_0_INTERVAL: '10s' }), store);
    const stopping = new AbortController();
    const startedAt = pinger.now;
    pinger.attempt = async ({ info }) => {
      if (info.id === 'service-0' && pinger.now - startedAt > 15_000) {
        stopping.abort();
        await pinger.clock.sleep(3_000);
      }
      return GOOD;
    };
    const report = await pinger.run({ nextRunIn: MINUTE, limit: 5 * MINUTE, stopping: stopping.signal });
    expect(report).toMatchObject({ status: 'completed', checked: 5, durationMs: 23_000, stored: true });
  });

  it('does not wait for the next round', async () => {
    const pinger = new Pinger(manyTargets(2, { KEEP_ALIVE_INTERVAL: '30s' }), store);
    const stopping = new AbortController();
    const run = pinger.run({ nextRunIn: MINUTE, limit: 5 * MINUTE, stopping: stopping.signal });
    await pinger.clock.sleep(12_000);
    stopping.abort();
    expect(await run).toMatchObject({ status: 'completed', checked: 2, durationMs: 12_000, stored: true });
  });
});

describe('without its store, a run', () => {
  it('keeps to the intervals as far as this process remembers', async () => {
    const pinger = new Pinger(manyTargets(1, { KEEP_ALIVE_INTERVAL: '5m' }), null);
    for (let i = 0; i < 6; i += 1) {
      expect(await pinger.run()).toMatchObject({ stored: false, reason: 'store_missing' });
      pinger.now += MINUTE;
    }
    expect(pinger.asked).toHaveLength(2);
  });

  it('leaves a text that it cannot read as it is', async () => {
    const token = 'x';
    await store.claim({ token, ttl: 1, fields: [] });
    await store.commit({ token, fields: { [STATE_FIELD]: 'not ours' }, append: null, release: true });
    const pinger = new Pinger(manyTargets(1), store);
    expect(await pinger.run()).toMatchObject({ stored: false, reason: 'store_corrupt', checked: 1 });
    const { fields } = await store.read({ fields: [STATE_FIELD], logs: [] });
    expect(fields.get(STATE_FIELD)).toBe('not ours');
  });
});
