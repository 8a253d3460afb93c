import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { historyOf, ofAllShards, overviewOf } from '../../lib/read/shards.js';
import { daysEnded, historyTimes, loadHistory, loadOverview } from '../../lib/read/load.js';
import { RecentReader } from '../../lib/read/recent.js';
import { stats, targetHistory } from '../../lib/read/stats.js';
import { SLOTS_FIELD, STATE_FIELD } from '../../lib/record/fields.js';
import { EXCERPT } from '../../lib/record/excerpt.js';
import { logName, NO_LOG, readChecks, writeRow } from '../../lib/record/log.js';
import { readSnapshot, snapshotField, writeSnapshot } from '../../lib/record/snapshots.js';
import { readState } from '../../lib/record/state.js';
import { NOTHING } from '../../lib/rules/counters.js';
import type { Meter, Store } from '../../lib/store/store.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { FAILED, GOOD, manyTargets, Pinger } from '../support/runs.js';
import { Books } from '../support/books.js';
import { ShardedPinger } from '../support/shards.js';
import { openRemoteStore } from '../support/stores.js';
import { aTarget, failedCheck, goodCheck } from '../support/targets.js';
import { startUpstashFront, type UpstashFront } from '../support/upstash-front.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 5, 1, 12, 30);
/** Bytes that one target's page may read, and commands. */
const BYTES = 100_000;
const COMMANDS = 3;

let redis: RedisServer;
let front: UpstashFront;
let store: Store;
let prefixes = 0;
beforeAll(async () => {
  redis = await startRedis();
  front = await startUpstashFront({ redisPort: redis.port, token: 'token' });
});
afterAll(async () => {
  await front.close();
  await redis.stop();
});
beforeEach(async () => {
  store = await openRemoteStore(
    { kind: 'upstash', url: front.url, token: front.token },
    { prefix: `k${prefixes++}` },
  );
  return () => store.close();
});

/** What a reader of this store costs, bodies and all. */
async function costOf<T>(work: (reader: RecentReader) => Promise<T>, now = NOW) {
  const meter: Meter = { commands: 0, bytesSent: 0, bytesReceived: 0 };
  front.reset();
  const before = await redis.callsMade();
  const found = await work(new RecentReader(store.metered(meter), () => now));
  const commands = (await redis.callsMade()) - before;
  return { found, commands, counted: meter.commands, bytes: front.bytesIn + front.bytesOut };
}

/** Puts fields and logs there that runs would have written. */
async function put(fields: Record<string, string>, logs: ReadonlyMap<string, string> = new Map()) {
  await store.claim({ token: 't', ttl: MINUTE, fields: [] });
  for (const [log, text] of logs)
    await store.commit({ token: 't', fields: {}, append: { log, offset: 0, text }, release: false });
  await store.commit({ token: 't', fields, append: null, release: true });
}

describe.each([[1], [10], [100], ...(inject('long') ? [[500]] : [])])('one of %i targets', (count) => {
  it('costs three commands and at most 100 KB, and nothing within five seconds', async () => {
    const config = manyTargets(count);
    const pinger = new Pinger(config, store);
    pinger.now = NOW - 2 * MINUTE;
    let random = 1;
    const chance = () => (random = (random * 16_807) % 2_147_483_647) / 2_147_483_647;
    pinger.attempt = () => ({
      ...GOOD,
      timings: {
        dns: chance() * 20,
        connect: 5 + chance() * 20,
        tls: 10 + chance() * 30,
        ttfb: 30 + chance() * 80,
        total: 20 + chance() ** 3 * 400,
      },
      tlsExpiresAt: Date.UTC(2026, 7, 1) + chance() * 1e10,
    });
    await pinger.run();
    pinger.now += MINUTE;
    await pinger.run();
    // The history of 90 days, with as many latencies as there are.
    const state = readState(
      (await store.read({ fields: [STATE_FIELD], logs: [] })).fields.get(STATE_FIELD) ?? '',
    );
    const addedAt = NOW - 100 * DAY;
    const latencies = new Map(
      Array.from({ length: 24 }, (_, i) => [30 + i, 20 + Math.floor(chance() * 200)]),
    );
    const { hours, days } = historyTimes(NOW);
    const fields: Record<string, string> = {};
    for (const at of [...days, ...hours]) {
      const expected = at - addedAt;
      const counters = { ...NOTHING, pings: expected / MINUTE, failures: 120, expected };
      const snapshot = {
        counters: { ...counters, observed: expected - HOUR, good: expected - DAY },
        latencies,
      };
      fields[snapshotField(at)] = writeSnapshot(
        at,
        state.targets.map(() => ({ addedAt, snapshot })),
      );
    }
    const logs = new Map<string, string>();
    const last = Math.floor(NOW / (2 * HOUR));
    for (let span = last - 12; span < last; span += 1) {
      let log = NO_LOG;
      for (let at = span * 2 * HOUR; at < (span + 1) * 2 * HOUR; at += MINUTE) {
        const checks = state.targets.map((_, slot) => ({ slot, check: goodCheck(at, { latency: 45 }) }));
        log = writeRow(log, span, { at, checks });
      }
      logs.set(logName(span), log.pending);
    }
    await put(fields, logs);
    const id = `service-${Math.floor(count / 2)}`;
    // The script is sent in full once.
    await costOf((reader) => historyOf(reader, 'service-0', config, NOW));
    const { found, ...cost } = await costOf(async (reader) => {
      const first = await historyOf(reader, id, config, NOW);
      expect(await historyOf(reader, id, config, NOW)).toEqual(first);
      return first;
    });
    expect(cost).toMatchObject({ commands: COMMANDS, counted: COMMANDS });
    expect(cost.bytes).toBeLessThanOrEqual(BYTES);
    expect(found.checks.length).toBeGreaterThan(1400);
    expect([...found.snapshots.values()].filter((each) => each !== null).length).toBeGreaterThan(250);
    for (const its of [[], daysEnded('90d', NOW)]) {
      const badge = await costOf((reader) => overviewOf(reader, id, config, { now: NOW, days: its }));
      const watch = { ...config, targets: config.targets.filter(({ info }) => info.id === id) };
      const whole = await ofAllShards(new RecentReader(store, () => NOW), config, (each) =>
        loadOverview(each, NOW, its),
      );
      expect(stats(watch, badge.found, NOW).targets).toEqual(stats(watch, whole, NOW).targets);
      expect([badge.commands, badge.counted]).toEqual(count > 10 ? [2, 2] : [1, 1]);
      expect(badge.bytes).toBeLessThanOrEqual(count === 10 ? BYTES : 20_000);
      console.log(`its badge with ${its.length} days: ${badge.bytes} bytes`);
    }
    console.log(`${count} targets: ${cost.bytes} bytes, ${cost.commands} commands`);
  });
});

it('costs three commands in any shard, also where a target is not where it was expected', async () => {
  const config = manyTargets(30, { KEEP_ALIVE_SHARD_SIZE: '3' });
  const pinger = new ShardedPinger({ ...config, targets: config.targets.slice(0, 27) }, store);
  await pinger.tick();
  pinger.clock.now += MINUTE;
  // The first is gone, and the others stay where they were.
  pinger.config = { ...config, targets: config.targets.slice(1) };
  await pinger.tick();
  const { now } = pinger.clock;
  const ask = (reader: RecentReader, id: string) => historyOf(reader, id, pinger.config, now);
  expect(await costOf((reader) => ask(reader, 'service-10'), now)).toMatchObject({ commands: 3 });
  const { found, commands } = await costOf(async (reader) => {
    // By the configuration it would be in the shard before.
    const first = await ask(reader, 'service-3');
    const before = await redis.callsMade();
    const next = await ask(reader, 'service-6');
    return { first, next, commandsOfNext: (await redis.callsMade()) - before };
  }, now);
  expect([found.first, found.next].map(({ checks }) => checks.length)).toEqual([2, 2]);
  // A look at its shard by the configuration, the directory, and its shard.
  expect(commands - found.commandsOfNext).toBeLessThanOrEqual(9);
  expect(found.commandsOfNext).toBe(3);
});

it('is found where the list of slots is missing, or is that of another version', async () => {
  const pinger = new Pinger(manyTargets(5), store);
  pinger.now = NOW - 3 * MINUTE;
  for (let run = 1; run <= 3; run += 1) {
    pinger.attempt = ({ info }) => (info.id === 'service-4' ? FAILED : GOOD);
    await pinger.run();
    pinger.now += MINUTE;
  }
  const ask = () => costOf((reader) => historyOf(reader, 'service-4', pinger.config, NOW));
  const { found, commands } = await ask();
  expect(commands).toBe(3);
  expect(found.checks.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed']);
  for (const list of ['', ' 2\nservice-3\nservice-4\n', ' 9what a later version may write']) {
    await put({ [SLOTS_FIELD]: list });
    const again = await ask();
    expect(again.found.checks).toEqual(found.checks);
    expect(again.commands).toBeLessThanOrEqual(6);
  }
});

it('incidents are found in another slot than that of the configuration, for two commands more', async () => {
  const config = manyTargets(5, { KEEP_ALIVE_FAILURE_THRESHOLD: '1', KEEP_ALIVE_SUCCESS_THRESHOLD: '1' });
  const pinger = new Pinger(config, store);
  pinger.now = NOW - 10 * MINUTE;
  for (let run = 0; run < 10; run += 1) {
    pinger.attempt = ({ info }) => (info.id === 'service-3' && run % 2 === 1 ? FAILED : GOOD);
    await pinger.run();
    pinger.now += MINUTE;
  }
  const shorter = { ...config, targets: config.targets.slice(2) };
  const asked = (expected: typeof config) =>
    costOf(async (reader) => {
      const { incidents } = await historyOf(reader, 'service-3', expected, NOW);
      const again = new RecentReader(store, () => NOW);
      expect((await historyOf(again, 'service-3', expected, NOW)).incidents).toEqual(incidents);
      return incidents;
    });
  const { found, counted } = await asked(config);
  expect(found).toHaveLength(4);
  expect(counted).toBe(3);
  expect(await asked(shorter)).toMatchObject({ found, counted: 5 });
});

it('tells the same as a store that gives everything, whatever happened', async () => {
  const runs = fc.record({
    seed: fc.nat(1_000),
    targets: fc.integer({ min: 1, max: 40 }),
    gaps: fc.boolean(),
    pending: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(runs, async ({ seed, targets: count, gaps, pending }) => {
      let random = seed + 1;
      const chance = () => (random = (random * 16_807) % 2_147_483_647) / 2_147_483_647;
      const targets = Array.from({ length: count }, (_, i) => aTarget(`t${i}`));
      const books = new Books(MINUTE, targets);
      let at = NOW - 30 * HOUR;
      while (at < NOW) {
        const asked = targets.filter(() => chance() < 0.8);
        books.run(
          at,
          asked.map(({ info: { id } }) => [id, chance() < 0.2 ? failedCheck(at) : goodCheck(at)]),
        );
        at += gaps && chance() < 0.1 ? 5 * HOUR : 20 * MINUTE;
        // Some leave, and their slots stay theirs.
        books.targets = targets.filter((_, i) => i % 7 !== 3 || at < NOW - 20 * HOUR);
      }
      if (pending) {
        const ledger = books.open(NOW);
        ledger.record(NOW, new Map(targets.map(({ info: { id } }) => [id, goodCheck(NOW)])));
        ledger.record(NOW + 1_000, new Map([['t0', goodCheck(NOW + 1_000)]]));
        const lastRun = {
          id: 'r',
          at: NOW,
          status: 'partial',
          durationMs: 0,
          checked: 1,
          failed: 0,
          commands: 7,
        } as const;
        for (const [name, text] of Object.entries(ledger.checkpoint(lastRun).fields))
          books.fields.set(name, text);
      }
      await redis.command('FLUSHDB');
      await put(Object.fromEntries(books.fields), books.logs);
      const watch = { enabled: true, tick: MINUTE, targets: books.targets };
      for (const target of books.targets) {
        const { id } = target.info;
        const remote = targetHistory(
          watch,
          target,
          await loadHistory({ read: (request) => store.read(request) }, id, NOW),
          NOW,
        );
        expect(remote).toEqual(
          targetHistory(watch, target, await loadHistory({ ...books.store }, id, NOW), NOW),
        );
        expect(remote.checks.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: inject('long') ? 60 : 4 },
  );
});

describe('texts of every version', () => {
  /** Of two logs and the snapshots, what is cut out of them. */
  const cut = async (fields: Record<string, string>, slot: number, log?: string) => {
    await put(fields, new Map(log === undefined ? [] : [['0', log]]));
    return store.read({
      fields: [SLOTS_FIELD, ...Object.keys(fields)],
      logs: ['0'],
      excerpt: { script: EXCERPT, args: ['', String(slot)] },
    });
  };

  it('of snapshots', async () => {
    const at = Date.UTC(2026, 0, 5, 12);
    const { pings, ...none } = NOTHING;
    const value = Array.from({ length: 40 }, (_, slot) =>
      slot % 5 === 4
        ? null
        : {
            addedAt: at - DAY,
            snapshot: {
              counters: {
                ...none,
                pings: pings + 100 * slot,
                expected: DAY,
                observed: DAY,
                good: DAY - slot * 1000,
              },
              latencies: new Map(Array.from({ length: slot % 4 }, (_each, i) => [20 + i * slot, 1 + 50 * i])),
            },
          },
    );
    const four = writeSnapshot(at, value);
    // Without blocks, and before that without the two times of sleep.
    const field = snapshotField(at);
    for (const slot of [0, 1, 4, 15, 16, 17, 31, 32, 39, 40, 99]) {
      const { fields, excerpt } = await cut({ [field]: four }, slot);
      expect(excerpt?.startsWith(`${slot},`)).toBe(true);
      const whole = readSnapshot(four, at, () => at - DAY);
      const one = readSnapshot(fields.get(field) ?? null, at, () => at - DAY);
      if (whole === null || one === null || !('targets' in whole) || !('targets' in one))
        throw new Error('none');
      expect(one.targets[0] ?? null).toEqual(whole.targets[slot] ?? null);
      expect(fields.get(field)?.length).toBeLessThan(60);
    }
  });

  it('of snapshots and logs that a later version wrote, or that are damaged', async () => {
    const { fields, logs } = await cut({ h1: ' 5anything' }, 3, ' 3anything');
    expect([fields.get('h1'), logs.get('0')]).toEqual([' 5', ' 3']);
    // The whole text is given to the reader, who says what is wrong with it.
    const damaged = await cut({ h1: ' 4x~~~~~~' }, 3);
    expect(damaged).toMatchObject({ fields: new Map([['h1', ' 4x~~~~~~']]) });
    expect('excerpt' in damaged).toBe(false);
  });

  it('of a log', async () => {
    let head = NO_LOG;
    const span = 9;
    for (let row = 0; row < 60; row += 1) {
      const at = span * 2 * HOUR + row * MINUTE;
      const slots = [...Array(row % 7 === 3 ? 12 : 20).keys()].filter(
        (slot) => row % 10 < 6 || (slot + row) % 3 === 0,
      );
      head = writeRow(head, span, {
        at,
        checks: slots.map((slot) => ({ slot, check: goodCheck(at, { latency: slot * 10 + row }) })),
      });
    }
    const now = (span + 1) * 2 * HOUR;
    for (const text of [head.pending, head.pending.slice(2)]) {
      for (let slot = 0; slot < 22; slot += 1) {
        const { logs } = await cut({}, slot, text);
        const whole = readChecks([text], slot, now);
        expect(readChecks([logs.get('0') ?? null], 0, now)).toEqual(whole);
      }
    }
  });
});
