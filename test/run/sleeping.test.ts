import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { checkTarget } from '../../lib/probe/check-target.js';
import { createProber } from '../../lib/probe/probe.js';
import { loadHistory, loadOverview } from '../../lib/read/load.js';
import { stats } from '../../lib/read/stats.js';
import { openSqlite } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import type { Attempt } from '../../lib/types.js';
import { configOf, FAILED, GOOD, Pinger } from '../support/runs.js';
import { Sleeper, WAKING } from '../support/sleeper.js';
import { someTarget } from '../support/targets.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let directory: string;
let store: Store;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keepalive-sleep-'));
  store = openSqlite(join(directory, 'keepalive.db'));
});

afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const own = async (pinger: Pinger, id: string) => {
  const { targets } = stats(pinger.config, await loadOverview(store, pinger.now), pinger.now);
  const found = targets.find((target) => target.id === id);
  if (!found) throw new Error(`no ${id}`);
  return found;
};

describe.each([
  ['railway', 'https://app.up.railway.app', 5],
  ['render', 'https://app.onrender.com', 15],
  ['koyeb', 'https://app.koyeb.app', 60],
  ['heroku', 'https://app.herokuapp.com', 30],
])('a host on %s, pinged as its preset says', (host, url, sleepsAfterMinutes) => {
  // Of Heroku it is not known who answered.
  const proof = host === 'heroku' ? 'edge' : 'container';
  const proven = host === 'heroku' ? null : true;
  const sleepsAfter = sleepsAfterMinutes * MINUTE;
  const setUp = (env: Record<string, string> = {}) => {
    const pinger = new Pinger(configOf({ TARGET_APP_URL: url, ...env }), store);
    const sleeper = new Sleeper(sleepsAfter, 40_000, pinger.clock);
    pinger.attempt = async () => {
      const answer = await sleeper.request();
      return host === 'heroku' && answer.outcome === 'good' ? { ...answer, origin: 'unknown' } : answer;
    };
    return { pinger, sleeper };
  };

  it.runIf(inject('long'))('never sleeps for a day, and the figures prove it', async () => {
    const { pinger, sleeper } = setUp();
    for (let i = 0; i < 24 * 60; i += 1) {
      await pinger.run();
      pinger.now += MINUTE;
    }
    expect(sleeper.sleptTimes).toBe(0);
    const { awake, ...target } = await own(pinger, 'app');
    expect(target).toMatchObject({ host, status: 'up', successRate: '100.0' });
    expect(awake).toEqual({
      sleepsAfter,
      longestGap: Math.floor(sleepsAfterMinutes / 2) * MINUTE,
      coldStarts: 0,
      keptAwake: proven,
      proof,
    });
  });

  it('does not sleep when one check is missed, and sleeps when two are, and the figures say so', async () => {
    const interval = sleepsAfter / 2;
    const { pinger, sleeper } = setUp({ KEEP_ALIVE_TICK: `${interval}ms` });
    const runs = async (missed: readonly number[], count: number) => {
      for (let i = 0; i < count; i += 1) {
        if (!missed.includes(i)) await pinger.run();
        pinger.now += interval;
      }
    };
    await runs([5], 10);
    expect(sleeper.sleptTimes).toBe(0);
    expect(await own(pinger, 'app')).toMatchObject({ awake: { longestGap: 2 * interval, coldStarts: 0 } });

    await runs([5, 6], 10);
    expect(sleeper.sleptTimes).toBe(1);
    expect(await own(pinger, 'app')).toMatchObject({
      status: 'up',
      failedPings: 0,
      consecutiveFailures: 0,
      // We missed two runs: the promise was not the host's to break.
      awake: { longestGap: 3 * interval, coldStarts: 1, keptAwake: null },
      latencyMs: { p99: 43.1 },
      incident: null,
    });
    // A day later it is forgotten.
    await runs([], Math.ceil((25 * HOUR) / interval));
    expect(await own(pinger, 'app')).toMatchObject({
      awake: { longestGap: interval, coldStarts: 0, keptAwake: proven },
    });
  });
});

describe('asleep is not down', () => {
  const config = configOf({
    TARGET_APP_URL: 'https://app.onrender.com',
    TARGET_OTHER_URL: 'https://other.test',
    KEEP_ALIVE_INTERVAL: '1m',
  });
  const setUp = (wakesIn: number, answer: Attempt = FAILED) => {
    const pinger = new Pinger(config, store);
    const sleeper = new Sleeper(HOUR, wakesIn, pinger.clock, answer);
    pinger.now += HOUR + 1;
    const asked = { app: [] as number[], other: [] as number[] };
    const startedAt = pinger.now;
    pinger.attempt = ({ info }) => {
      asked[info.id as 'app'].push(pinger.now - startedAt);
      return info.id === 'app' ? sleeper.request() : GOOD;
    };
    return { pinger, asked };
  };

  it.each(Object.entries(WAKING))('when the platform answers with %s', async (_, answer) => {
    const { pinger, asked } = setUp(30_000, answer);
    const report = await pinger.run({ nextRunIn: MINUTE, limit: 300_000 });
    const result = report.results.find(({ id }) => id === 'app');
    expect(result).toMatchObject({ ok: true, status: 'up', coldStart: true, latency: 45 });
    expect(result?.wakeMs).toBeGreaterThanOrEqual(30_000);
    expect(result?.wakeMs).toBeLessThanOrEqual(42_000);
    expect(result?.attempts).toBe(asked.app.length);
    expect(report.results.filter(({ id }) => id === 'other')).toMatchObject([{ ok: true, coldStart: false }]);
    expect((await own(pinger, 'app')).latencyMs.p50).toBeNull();
    expect(pinger.lines.join()).toMatch(/ping #1 app ok 45ms \(woke in \d+\.\ds\)/);
  });

  it('but a host that does not wake within its budget has failed, after attempts spaced over it', async () => {
    const { pinger, asked } = setUp(24 * HOUR);
    const report = await pinger.run({ nextRunIn: MINUTE, limit: 300_000 });
    const result = report.results.find(({ id }) => id === 'app');
    expect(result).toMatchObject({ ok: false, coldStart: false, latency: null, attempts: 45 });
    expect(asked.app.at(-1)).toBeLessThanOrEqual(90_000);
    const gaps = asked.app.slice(1).map((at, i) => at - (asked.app[i] ?? 0));
    expect(new Set(gaps)).toEqual(new Set([2000]));
  });

  it.each([
    ['a status that says nothing of sleep', { ...FAILED, statusCode: 500 }, 3],
    ['a body that is wrong', { ...FAILED, reason: 'body' as const, statusCode: 200 }, 3],
  ])('and %s is a failure at once', async (_, answer, attempts) => {
    const { pinger } = setUp(24 * HOUR, answer);
    const report = await pinger.run();
    expect(report.results.find(({ id }) => id === 'app')).toMatchObject({ ok: false, attempts });
  });

  it('and never holds up what is known of the others', async () => {
    const { pinger } = setUp(80_000);
    const recorded: number[] = [];
    const watched: Store = {
      ...store,
      kind: store.kind,
      metered: () => watched,
      shard: () => watched,
      claim: (request) => store.claim(request),
      read: (request) => store.read(request),
      swap: (swap) => store.swap(swap),
      now: () => store.now(),
      ping: () => store.ping(),
      renew: (ttl) => store.renew(ttl),
      underWay: (shards) => store.underWay(shards),
      close: () => store.close(),
      commit: (commit) => {
        recorded.push(pinger.now);
        return store.commit(commit);
      },
    };
    pinger.store = watched;
    const startedAt = pinger.now;
    const sleep = pinger.clock.sleep.bind(pinger.clock);
    const run = pinger.run({ nextRunIn: MINUTE, limit: 300_000 });
    await sleep(10_000);
    const seenEarly = await own(pinger, 'other');
    const checksSeenEarly = (await loadHistory(store, 'other', pinger.now)).checks;
    const report = await run;
    expect(seenEarly).toMatchObject({ pingCount: 1, status: 'up' });
    expect(checksSeenEarly).toHaveLength(1);
    expect(recorded[0]).toBe(startedAt);
    expect(report.results.filter(({ id }) => id === 'other').length).toBe(2);
    expect(await own(pinger, 'other')).toMatchObject({ pingCount: 2 });
    expect(await own(pinger, 'app')).toMatchObject({ pingCount: 1, awake: { coldStarts: 1 } });
    expect((await loadHistory(store, 'other', pinger.now)).checks).toHaveLength(2);
  });

  it('and what was recorded while it slept is not recorded again when the end of the run cannot be', async () => {
    const { pinger } = setUp(40_000);
    let commits = 0;
    const failing: Store = {
      kind: store.kind,
      writes: 0,
      metered: () => failing,
      shard: () => failing,
      claim: (request) => store.claim(request),
      read: (request) => store.read(request),
      replace: (replacement) => store.replace(replacement),
      swap: (swap) => store.swap(swap),
      now: () => store.now(),
      ping: () => store.ping(),
      renew: (ttl) => store.renew(ttl),
      underWay: (shards) => store.underWay(shards),
      close: () => store.close(),
      commit: (commit) => {
        commits += 1;
        return commits === 2 ? Promise.resolve('lost') : store.commit(commit);
      },
    };
    pinger.store = failing;
    expect(await pinger.run({ nextRunIn: MINUTE, limit: 300_000 })).toMatchObject({
      stored: false,
      reason: 'lease_lost',
    });
    pinger.now += 10 * MINUTE;
    // The run that lost its lease did not give it back.
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 10 * MINUTE);
    onTestFinished(() => clock.mockRestore());
    await pinger.run();
    expect(await own(pinger, 'other')).toMatchObject({ pingCount: 2 });
    expect(await own(pinger, 'app')).toMatchObject({ pingCount: 2 });
    expect((await loadHistory(store, 'other', pinger.now)).checks).toHaveLength(2);
  });
});

describe('over the wire', () => {
  const answers: Record<string, (response: ServerResponse) => void> = {
    '503': (response) => response.writeHead(503).end(),
    '502': (response) => response.writeHead(502).end('Application failed to respond'),
    hang: () => undefined,
    reset: (response) => response.socket?.resetAndDestroy(),
  };

  it.each(Object.entries(answers))('a host that answers with %s first is a cold start', async (_, answer) => {
    let requests = 0;
    const server = createServer((_request, response) => {
      requests += 1;
      if (requests === 1) answer(response);
      else response.end('ok');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const prober = createProber();
    const check = await checkTarget(someTarget(url, { wakeTimeout: 30_000, timeout: 500 }), {
      at: 0,
      prober,
      signal: new AbortController().signal,
      now: Date.now,
      random: () => 0.5,
      sleep: () => Promise.resolve(),
    });
    expect(check).toMatchObject({ outcome: 'good', coldStart: true, attempts: 2, statusCode: 200 });
    server.closeAllConnections();
    server.close();
    await prober.close();
  });
});
