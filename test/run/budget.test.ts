import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { loadOverview } from '../../lib/read/load.js';
import { openRemoteStore } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import {
  BYTES_A_TARGET,
  COMMANDS_A_READ,
  COMMANDS_A_RUN,
  COMMANDS_DELIVERING,
  STORED_A_TARGET,
} from '../support/budget.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { FAILED, GOOD, manyTargets, Pinger } from '../support/runs.js';
import { startUpstashFront, type UpstashFront } from '../support/upstash-front.js';

const MINUTE = 60_000;
/** What a run costs whatever the number of targets. */
const BYTES_A_RUN = 600;
/** Where the run before was another process's: the state has to be read. */
const BYTES_A_FIRST_RUN = 1_000;
/** Of the call that acknowledges deliveries. */
const BYTES_DELIVERING = 600;

let redis: RedisServer;
let front: UpstashFront;
let store: Store;
const table: string[] = [];
const CASE = 32;

beforeAll(async () => {
  redis = await startRedis();
  front = await startUpstashFront({ redisPort: redis.port, token: 'token' });
  store = await open();
});

const open = () => openRemoteStore({ kind: 'upstash', url: front.url, token: front.token }, { prefix: 'k' });

afterAll(async () => {
  await store.close();
  await front.close();
  await redis.stop();
  console.log(
    [`targets  ${'case'.padEnd(CASE)} commands delivering  bytes a run  a target`, ...table].join('\n'),
  );
});

beforeEach(() => redis.flush());

/** Commands as Redis counts them, inner calls and all, and bytes of bodies as the REST front counts them. */
async function costOf(work: () => Promise<unknown>): Promise<{ commands: number; bytes: number }> {
  const callsBefore = await redis.callsMade();
  front.reset();
  await work();
  const commands = (await redis.callsMade()) - callsBefore;
  return { commands, bytes: front.bytesIn + front.bytesOut };
}

describe.each([[1], [100], ...(inject('long') ? [[10], [500]] : [])])('a run of %i targets', (count) => {
  it.each([
    // With many targets these take their time: `npm run test:long` has them all.
    ['flapping', true, false] as const,
    ...(count < 100 || inject('long') ? [['calm', false, false] as const] : []),
    ...(count < 100 || inject('long') ? [['calm, each run in a new process', false, true] as const] : []),
  ] as const)('costs no more than the contract allows, %s', async (name, flapping, anew) => {
    const config = manyTargets(
      count,
      flapping ? { KEEP_ALIVE_FAILURE_THRESHOLD: '1', KEEP_ALIVE_SUCCESS_THRESHOLD: '1' } : {},
    );
    const pinger = new Pinger(config, store);
    let deliveries = 0;
    const deliver = () => {
      deliveries += 1;
      return Promise.resolve();
    };
    pinger.channels = new Map([
      ['slack', { name: 'slack', deliver }],
      ['email', { name: 'email', deliver }],
    ]);
    // Over an hour's end, and midnight: where most is written.
    const minutes = count < 100 || inject('long') ? 95 : 20;
    pinger.now = Date.UTC(2026, 0, 6, 0, 5 - minutes, 0, 137);
    let random = 1;
    const chance = () => (random = (random * 16_807) % 2_147_483_647) / 2_147_483_647;
    let dearest = { commands: 0, delivering: 0, bytes: 0 };
    for (let i = 0; i < minutes; i += 1) {
      const failing = flapping && i % 2 === 1;
      pinger.attempt = ({ info }) =>
        failing
          ? FAILED
          : {
              ...GOOD,
              timings: {
                dns: chance() * 20,
                connect: 5 + chance() * 20,
                tls: 10 + chance() * 30,
                ttfb: 30 + chance() * 80,
                total: 30 + chance() * 90,
              },
              tlsExpiresAt: Date.UTC(2026, 5, 1) + info.id.length * 12_345_000 + chance() * 1e9,
            };
      const before = deliveries;
      const fresh = anew ? await open() : null;
      pinger.store = fresh ?? store;
      const cost = await costOf(async () => {
        const report = await pinger.run();
        expect(report).toMatchObject({ status: 'completed', checked: count, stored: true });
        expect(report.transitions.length).toBe(i === 0 || flapping ? count : 0);
      });
      await fresh?.close();
      // The scripts are sent in full once.
      const delivers = deliveries > before;
      if (i > 0) {
        dearest = {
          ...dearest,
          [delivers ? 'delivering' : 'commands']: Math.max(
            delivers ? dearest.delivering : dearest.commands,
            cost.commands,
          ),
          bytes: Math.max(dearest.bytes, cost.bytes),
        };
      }
      pinger.now += MINUTE + Math.floor(chance() * 3000) - 1500;
    }
    table.push(
      `${String(count).padStart(7)}  ${name.padEnd(CASE)} ${String(dearest.commands).padStart(8)} ${String(dearest.delivering).padStart(10)} ${String(dearest.bytes).padStart(12)} ${(dearest.bytes / count).toFixed(0).padStart(9)}`,
    );
    expect(dearest.commands).toBeLessThanOrEqual(COMMANDS_A_RUN);
    expect(dearest.delivering).toBeLessThanOrEqual(COMMANDS_DELIVERING);
    const fixed = (anew ? BYTES_A_FIRST_RUN : BYTES_A_RUN) + (flapping ? BYTES_DELIVERING : 0);
    expect(dearest.bytes).toBeLessThanOrEqual(fixed + BYTES_A_TARGET * count);

    const read = await costOf(() => loadOverview(store, pinger.now));
    expect(read.commands).toBeLessThanOrEqual(COMMANDS_A_READ);
  });
});

it('reports what it costs, exactly', async () => {
  const pinger = new Pinger(manyTargets(3), store);
  for (let i = 0; i < 3; i += 1) {
    let reported = 0;
    const { commands } = await costOf(async () => {
      reported = (await pinger.run()).commands;
    });
    expect(reported).toBe(commands);
    // The first run of a database sends the scripts in full, which it cannot know before.
    const { state } = await loadOverview(store, pinger.now);
    if (i > 0) expect(state?.lastRun?.commands).toBe(commands);
    pinger.now += MINUTE;
  }
});

it('costs ten commands where it records the others while it waits for a host to wake', async () => {
  const config = manyTargets(3, { TARGET_SERVICE_0_WAKE_TIMEOUT: '90s' });
  const pinger = new Pinger(config, store);
  await pinger.run();
  const wakesAt = pinger.now + MINUTE + 40_000;
  pinger.attempt = ({ info }) => (info.id === 'service-0' && pinger.now < wakesAt ? FAILED : GOOD);
  pinger.now += MINUTE;
  const { commands } = await costOf(() => pinger.run({ nextRunIn: MINUTE }));
  expect(commands).toBe(COMMANDS_A_RUN);
});

it.each([
  ['10s', 1, 7],
  ['15s', 1, COMMANDS_A_RUN],
  ['30s', 1, COMMANDS_A_RUN],
  ['30s', 2, COMMANDS_A_RUN],
  ['10s', 10, COMMANDS_A_RUN],
  ['1m', 10, COMMANDS_A_RUN],
  ['5m', 10, 7],
])('makes rounds every %s under a tick of %i min for %i commands', async (interval, tick, expected) => {
  const config = manyTargets(3, {
    KEEP_ALIVE_INTERVAL: interval,
    KEEP_ALIVE_TICK: `${tick}m`,
    KEEP_ALIVE_FAILURE_THRESHOLD: '1',
    KEEP_ALIVE_SUCCESS_THRESHOLD: '1',
  });
  const pinger = new Pinger(config, store);
  const begunAt = pinger.now;
  const run = (number: number) => {
    pinger.now = begunAt + number * tick * MINUTE;
    return costOf(() => pinger.run({ nextRunIn: tick * MINUTE, limit: 5 * MINUTE }));
  };
  await run(0);
  expect((await run(1)).commands).toBe(expected);
  // Down in the first round, up in a later one.
  let told = 0;
  const deliver = () => {
    told += 1;
    return Promise.resolve();
  };
  pinger.channels = new Map([['slack', { name: 'slack', deliver }]]);
  const upAt = begunAt + 2 * tick * MINUTE + 12_000;
  pinger.attempt = ({ info }) => (info.id === 'service-0' && pinger.now < upAt ? FAILED : GOOD);
  expect((await run(2)).commands).toBeLessThanOrEqual(COMMANDS_DELIVERING);
  expect(told).toBeGreaterThan(0);
});

it('costs three commands where another run holds the lease', async () => {
  const pinger = new Pinger(manyTargets(3), store);
  await pinger.run();
  await store.claim({ token: 'other', ttl: 60_000, fields: [] });
  expect(await pinger.run()).toMatchObject({ status: 'skipped', reason: 'locked', commands: 3, checked: 0 });
  expect(pinger.asked).toHaveLength(3);
});

it.runIf(inject('long'))(
  'stores no more than the contract allows after 83 days of every hour and 2 of every minute',
  async () => {
    const count = 10;
    const pinger = new Pinger(manyTargets(count), store);
    let random = 7;
    const chance = () => (random = (random * 16_807) % 2_147_483_647) / 2_147_483_647;
    pinger.attempt = () => ({ ...GOOD, timings: { ...GOOD.timings, total: 30 + chance() * 60 } });
    const day = 24 * 60;
    for (let i = 0; i < 83 * 24; i += 1) {
      await pinger.run();
      pinger.now += 60 * MINUTE;
    }
    for (let i = 0; i < 2 * day; i += 1) {
      await pinger.run();
      pinger.now += MINUTE;
    }
    const fields = (await redis.command('HGETALL', 'k:data')) as string[];
    const logs = await Promise.all(
      ((await redis.command('KEYS', 'k:log:*')) as string[]).map((key) => redis.command('STRLEN', key)),
    );
    const stored = fields.join('').length + logs.reduce((sum: number, length) => sum + Number(length), 0);
    console.log(`stored: ${(stored / count / 1024).toFixed(1)} KB a target of ${count}`);
    expect(stored).toBeLessThanOrEqual(STORED_A_TARGET * count);
  },
  600_000,
);
