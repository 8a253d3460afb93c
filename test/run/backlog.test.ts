import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { loadHistory, loadOverview, loadState } from '../../lib/read/load.js';
import { stats } from '../../lib/read/stats.js';
import { Backlog, type Batch } from '../../lib/run/backlog.js';
import { openRemoteStore, openSqlite } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import type { Check } from '../../lib/types.js';
import { startRedis } from '../support/redis.js';
import { FAILED, GOOD, manyTargets, Pinger } from '../support/runs.js';
import { failedCheck, goodCheck } from '../support/targets.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const QUICK_TO_JUDGE = { KEEP_ALIVE_FAILURE_THRESHOLD: '1', KEEP_ALIVE_SUCCESS_THRESHOLD: '1' };
let directory: string;
let store: Store;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keepalive-carry-'));
  store = openSqlite(join(directory, 'keepalive.db'));
});

afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const targetsOf = async (from = store) => (await loadState(from))?.targets ?? [];

describe('what runs could not store', () => {
  it('is recorded once, through several outages in a row', async () => {
    const pinger = new Pinger(manyTargets(2, QUICK_TO_JUDGE), store);
    const startedAt = pinger.now;
    // Down in the first outage, up in the second, down again in the third.
    const fails = 'ggfffgggffgg';
    const outages = '.xx..xx.xx..';
    const transitions: string[] = [];
    for (const [i, outage] of Array.from(outages).entries()) {
      pinger.attempt = () => (fails[i] === 'f' ? FAILED : GOOD);
      pinger.store = outage === 'x' ? null : store;
      const report = await pinger.run();
      expect(report).toMatchObject({ checked: 2, stored: outage !== 'x' });
      if (report.stored) transitions.push(...report.transitions.map(({ target, to }) => `${target} ${to}`));
      pinger.now += MINUTE;
    }
    for (const target of await targetsOf()) {
      expect(target).toMatchObject({
        status: 'up',
        incident: null,
        incidents: 2,
        counters: { pings: 12, failures: 5 },
      });
      const { checks, incidents } = await loadHistory(store, target?.id ?? '', pinger.now);
      expect(checks.map(({ outcome }) => outcome.charAt(0)).join('')).toBe(fails);
      expect(
        incidents.map(({ startedAt: from, endedAt }) =>
          [from, endedAt ?? 0].map((at) => (at - startedAt) / MINUTE),
        ),
      ).toEqual([
        [8, 10],
        [2, 5],
      ]);
    }
    expect(transitions.filter((line) => line.startsWith('service-0'))).toEqual(
      ['up', 'down', 'up', 'down', 'up'].map((to) => `service-0 ${to}`),
    );
    expect(pinger.backlog.all).toEqual([]);
  });

  it('is recorded once where two runs of the process overlapped in the outage', async () => {
    const pinger = new Pinger(manyTargets(1), null);
    let goOn = (): void => undefined;
    pinger.attempt = () => new Promise((resolve) => (goOn = () => resolve(FAILED)));
    const first = pinger.run();
    await expect.poll(() => pinger.asked.length).toBe(1);
    const finishFirst = goOn;
    pinger.attempt = () => GOOD;
    pinger.now += MINUTE;
    await pinger.run();
    finishFirst();
    await first;
    pinger.store = store;
    for (let i = 0; i < 2; i += 1) {
      pinger.now += MINUTE;
      await pinger.run();
    }
    const [target] = await targetsOf();
    expect(target).toMatchObject({ counters: { pings: 4, failures: 1 }, lastOutcome: 'good' });
  });

  it('neither counts twice nor overwrites what another process recorded meanwhile', async () => {
    const [cutOff, other] = [0, 1].map(() => new Pinger(manyTargets(2, QUICK_TO_JUDGE), store));
    if (!cutOff || !other) return expect.unreachable();
    cutOff.store = null;
    cutOff.attempt = () => FAILED;
    await cutOff.run();
    // The other process has no time for the second target.
    const timeIsUp = new AbortController();
    other.now = cutOff.now + MINUTE;
    other.attempt = ({ info }) => {
      if (info.id === 'service-0') return GOOD;
      timeIsUp.abort();
      return { ...FAILED, interrupted: true };
    };
    expect(await other.run({ signal: timeIsUp.signal })).toMatchObject({ checked: 1, stored: true });
    cutOff.store = store;
    cutOff.now = other.now + MINUTE;
    cutOff.attempt = () => GOOD;
    expect(await cutOff.run()).toMatchObject({ checked: 2, stored: true });
    expect(await targetsOf()).toMatchObject([
      { id: 'service-0', status: 'up', incidents: 0, counters: { pings: 2, failures: 0 } },
      { id: 'service-1', status: 'up', incidents: 1, counters: { pings: 2, failures: 1 } },
    ]);
  });

  it('is all there is of the first hours, and the figures begin with it', async () => {
    const pinger = new Pinger(manyTargets(2, QUICK_TO_JUDGE), null);
    pinger.attempt = ({ info }) =>
      info.id === 'service-0' || pinger.now % (2 * HOUR) < HOUR ? GOOD : FAILED;
    for (let i = 0; i < 420; i += 1) {
      if (i === 300) pinger.store = store;
      expect(await pinger.run()).toMatchObject({ stored: i >= 300, checked: 2 });
      pinger.now += MINUTE;
    }
    const { targets } = stats(pinger.config, await loadOverview(store, pinger.now), pinger.now);
    const whole = { pingCount: 420, coverage: { '24h': 1 } };
    expect(targets).toMatchObject([
      { ...whole, failedPings: 0, uptimeRatio: { '24h': 1 } },
      { ...whole, failedPings: 180, uptimeRatio: { '24h': expect.closeTo(240 / 420, 2) as number } },
    ]);
    const { incidents } = await loadHistory(store, 'service-1', pinger.now);
    expect(incidents.map(({ startedAt, endedAt }) => (endedAt ?? 0) - startedAt)).toEqual([HOUR, HOUR, HOUR]);
  });

  it('waits on where the run that would record it loses its lease', async () => {
    const pinger = new Pinger(manyTargets(1), null);
    await pinger.run();
    pinger.store = store;
    pinger.now += MINUTE;
    const thief = { token: 'thief', ttl: 1, fields: [] };
    const begun = performance.now();
    const later = vi.spyOn(performance, 'now').mockReturnValue(begun);
    onTestFinished(() => later.mockRestore());
    pinger.attempt = async () => {
      // When the lease of the run is over.
      later.mockReturnValue(begun + 20 * MINUTE);
      await store.claim(thief);
      return GOOD;
    };
    expect(await pinger.run()).toMatchObject({ stored: false, reason: 'lease_lost' });
    pinger.attempt = () => GOOD;
    pinger.now += 20 * MINUTE;
    later.mockReturnValue(begun + 40 * MINUTE);
    expect(await pinger.run()).toMatchObject({ stored: true });
    expect(await targetsOf()).toMatchObject([{ counters: { pings: 3 } }]);
  });
});

describe('the bound of what is carried', () => {
  const batchOf = (size: number, at: number, check: (at: number) => Check): Batch => ({
    at,
    checks: new Map(Array.from({ length: size }, (_, i) => [`service-${i}`, check(at)])),
  });

  it('is 50,000 checks, of which the oldest go first', () => {
    const backlog = new Backlog();
    expect(backlog.keep(Array.from({ length: 100 }, (_, i) => batchOf(500, 100 - i, goodCheck)))).toBe(0);
    expect(backlog.keep([batchOf(10, 101, goodCheck)])).toBe(500);
    expect([backlog.all[0]?.at, backlog.all.at(-1)?.at, backlog.all.length]).toEqual([2, 101, 100]);
  });

  it.runIf(inject('long'))(
    'can be recorded in one commit over Redis, even when everything flapped',
    async () => {
      const redis = await startRedis();
      onTestFinished(() => redis.stop());
      const remote = await openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: 'k' });
      const pinger = new Pinger(manyTargets(500, QUICK_TO_JUDGE), remote);
      pinger.backlog.keep(
        Array.from({ length: 100 }, (_, i) =>
          batchOf(500, pinger.now + i * MINUTE, i % 2 === 0 ? failedCheck : goodCheck),
        ),
      );
      pinger.now += 100 * MINUTE;
      expect(await pinger.run()).toMatchObject({ stored: true, checked: 500 });
      expect(pinger.backlog.all).toEqual([]);
      for (const target of await targetsOf(remote)) {
        expect(target).toMatchObject({ status: 'up', incidents: 50, counters: { pings: 101, failures: 50 } });
      }
      const { incidents, checks } = await loadHistory(remote, 'service-499', pinger.now);
      expect([incidents.length, checks.length]).toEqual([50, 101]);
      await remote.close();
    },
  );
});
