import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DeliveryError, type Digest } from '../../lib/deliver/channel.js';
import { PLAIN, sentenceOf } from '../../lib/deliver/compose.js';
import { loadHistory } from '../../lib/read/load.js';
import { openRemoteStore } from '../support/stores.js';
import { StoreError, type Store } from '../../lib/store/store.js';
import type { ChannelName } from '../../lib/types.js';
import { meddled } from '../support/meddle.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { configOf, FAILED, GOOD, Pinger } from '../support/runs.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TWELVE = 12;

let redis: RedisServer;
let store: Store;

beforeAll(async () => {
  redis = await startRedis();
  store = await openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: 'k' });
});
afterAll(async () => {
  await store.close();
  await redis.stop();
});
beforeEach(() => redis.flush());

const ENV = {
  KEEP_ALIVE_INTERVAL: '1m',
  KEEP_ALIVE_RETRIES: '0',
  KEEP_ALIVE_FAILURE_THRESHOLD: '1',
  KEEP_ALIVE_SUCCESS_THRESHOLD: '1',
  KEEP_ALIVE_CONTROL_URLS: 'off',
};

/** A process that makes runs a minute apart, whose channels do as they are told. */
class Teller extends Pinger {
  failing = new Set<string>();
  readonly told: string[] = [];
  readonly digests: Digest[] = [];
  /** Throws, hangs, or does nothing. */
  trouble: (channel: ChannelName, digest: Digest) => Promise<void> = () => Promise.resolve();

  constructor(store: Store | null, targets = ['a', 'b'], env: Readonly<Record<string, string>> = {}) {
    const urls = targets.map((id) => [`TARGET_${id.toUpperCase()}_URL`, `http://${id}.test/`] as const);
    super(configOf({ ...ENV, ...Object.fromEntries(urls), ...env }), store);
    this.attempt = ({ info }) => (this.failing.has(info.id) ? FAILED : GOOD);
    this.channels = new Map(
      (['slack', 'email'] as const).map((name) => [
        name,
        {
          name,
          deliver: async (digest) => {
            await this.trouble(name, digest);
            this.digests.push(digest);
            this.told.push(`${name}: ${summary(digest)}`);
          },
        },
      ]),
    );
  }

  /** The next run, with these targets failing. */
  async minute(...failing: string[]): ReturnType<Pinger['run']> {
    this.failing = new Set(failing);
    this.told.length = 0;
    this.now += MINUTE;
    return this.run({ nextRunIn: MINUTE });
  }
}

function summary({ items }: Digest): string {
  return items.map(({ alert, target }) => `${target?.id ?? ''} ${alert.kind}`).join(', ');
}

describe('after a run', () => {
  it('each channel gets one digest, once', async () => {
    const teller = new Teller(store);
    await teller.minute();
    await teller.minute('a', 'b');
    expect(teller.told.sort()).toEqual(['email: a down, b down', 'slack: a down, b down']);
    await teller.minute('b');
    expect(teller.told.sort()).toEqual(['email: a up', 'slack: a up']);
    await teller.minute('b');
    expect(teller.told).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['UTC', {}, '12:02 UTC'],
    ['the zone of the page where it is set', { PAGE_TIME_ZONE: 'europe/paris' }, '13:02 CET'],
  ])('times are told in %s', async (_, env, expected) => {
    const teller = new Teller(store, ['a'], env);
    teller.now = Date.parse('2026-11-20T12:00Z');
    await teller.minute();
    await teller.minute('a');
    const said = teller.digests.flatMap(({ items }) => items.map((item) => sentenceOf(item, PLAIN, 200)));
    expect(said).toEqual(Array(2).fill(expect.stringContaining(`one check failed at ${expected}`)));
  });

  it('what a run saw is said although its commit failed, and not again by the next that is on record', async () => {
    const teller = new Teller(store);
    await teller.minute();
    await teller.minute();
    teller.store = meddled(store, ({ name }, work) =>
      name === 'commit' ? Promise.reject(new StoreError('store_timeout', 'no answer')) : work(),
    );
    expect(await teller.minute('a')).toMatchObject({ stored: false });
    expect(teller.told.sort()).toEqual(['email: a down', 'slack: a down']);
    teller.store = store;
    // The lease of the run before has to run out. Runs were made meanwhile, so none is said to be missing.
    teller.now += MINUTE;
    await redis.expireLeases();
    await teller.minute('a');
    expect(teller.told).toEqual([]);
    await teller.minute();
    expect(teller.told.sort()).toEqual(['email: a up', 'slack: a up']);
  });

  it('nothing is said of an inconclusive run, and what is left waits for a better one', async () => {
    const teller = new Teller(store, ['a', 'b'], { KEEP_ALIVE_CONTROL_URLS: 'http://control.test/' });
    await teller.minute();
    teller.trouble = () => Promise.reject(new DeliveryError('temporary', 'answered 500'));
    await teller.minute('a');
    teller.trouble = () => Promise.resolve();
    expect(await teller.minute('a', 'b', 'control-1')).toMatchObject({ status: 'completed' });
    teller.attempt = () => FAILED;
    expect(await teller.minute('a', 'b')).toMatchObject({ status: 'inconclusive' });
    expect(teller.told).toEqual([]);
  });

  it('a channel that fails harms no other, and is told by a later run', async () => {
    const teller = new Teller(store);
    await teller.minute();
    teller.trouble = (channel) =>
      channel === 'slack'
        ? Promise.reject(new DeliveryError('temporary', 'answered 500'))
        : Promise.resolve();
    await teller.minute('a');
    expect(teller.told).toEqual(['email: a down']);
    expect(teller.lines).toContain('slack: not told (1 alert): answered 500');
    teller.trouble = () => Promise.resolve();
    await teller.minute('a', 'b');
    expect(teller.told.sort()).toEqual(['email: b down', 'slack: a down, b down']);
  });

  it('a channel that breaks in us harms nobody either, and its error says nothing', async () => {
    const teller = new Teller(store);
    await teller.minute();
    teller.trouble = (channel) =>
      channel === 'slack' ? Promise.reject(new Error('secret')) : Promise.resolve();
    expect(await teller.minute('a')).toMatchObject({ stored: true });
    expect(teller.told).toEqual(['email: a down']);
    expect(teller.lines.join('\n')).not.toContain('secret');
  });

  it('what a channel took in part is not sent again', async () => {
    const teller = new Teller(store);
    await teller.minute();
    teller.trouble = (channel, { items }) =>
      channel === 'slack'
        ? Promise.reject(
            new DeliveryError('temporary', 'answered 500', {
              delivered: items.slice(0, 1).map(({ alert }) => alert.id),
            }),
          )
        : Promise.resolve();
    await teller.minute('a', 'b');
    teller.trouble = () => Promise.resolve();
    await teller.minute('a', 'b');
    expect(teller.told).toEqual(['slack: b down']);
  });

  it.each([
    ['that refuses', new DeliveryError('permanent', 'answered 404'), 2],
    ['that asks to wait', new DeliveryError('rate_limited', 'answered 429', { retryAfter: 150_000 }), 3],
  ])('a channel %s is told by a later run', async (_, error, runs) => {
    const teller = new Teller(store);
    await teller.minute();
    teller.trouble = (channel) => (channel === 'slack' ? Promise.reject(error) : Promise.resolve());
    await teller.minute('a');
    teller.trouble = () => Promise.resolve();
    for (let i = 1; i < runs; i += 1) {
      await teller.minute('a');
      expect(teller.told).toEqual([]);
    }
    await teller.minute('a');
    expect(teller.told).toEqual(['slack: a down']);
    await teller.minute();
    expect(teller.told.sort()).toEqual(['email: a up', 'slack: a up']);
  });
});

describe('a run that is cut off', () => {
  it('between commit and delivery: the next one delivers', async () => {
    const teller = new Teller(store);
    await teller.minute();
    teller.trouble = () => new Promise(() => undefined);
    void teller.minute('a');
    await expect.poll(() => redis.command('HGET', 'k:data', 'outbox')).toBeTruthy();
    const heir = new Teller(store);
    heir.now = teller.now;
    expect(await heir.minute('a')).toMatchObject({ reason: 'locked' });
    heir.now += 2 * MINUTE;
    await redis.expireLeases();
    expect(await heir.minute('a')).toMatchObject({ status: 'completed' });
    expect(heir.told.sort()).toEqual(['email: a down,  missed', 'slack: a down,  missed']);
    await heir.minute();
    expect(heir.told.sort()).toEqual(['email: a up', 'slack: a up']);
  });

  it.each([
    ['before it is written', false],
    ['after it is written', true],
  ])('in its acknowledgement, %s: the process tells nobody twice', async (_, isWritten) => {
    const teller = new Teller(store);
    await teller.minute();
    let commits = 0;
    teller.store = meddled(store, async ({ name }, work) => {
      if (name !== 'commit' || ++commits !== 2) return work();
      if (isWritten) await work();
      throw new StoreError('store_unreachable', 'connection lost');
    });
    expect(await teller.minute('a')).toMatchObject({ stored: true });
    expect(teller.told).toHaveLength(2);
    expect(teller.lines.filter((line) => line.includes('delivery_not_acknowledged'))).toHaveLength(1);
    teller.store = store;
    await redis.expireLeases();
    await teller.minute('a');
    expect(teller.told).toEqual([]);
    await teller.minute();
    expect(teller.told.sort()).toEqual(['email: a up', 'slack: a up']);
    expect(teller.backlog.outcomes).toEqual([]);
  });
});

describe('what it costs', () => {
  it('twelve commands at most, also where hosts are waking meanwhile, and nobody waits for them', async () => {
    // A day between two runs, and a clock that does not go so far while a call to the store takes its real time.
    const teller = new Teller(store, ['a', 'b', 'sleeper'], {
      TARGET_SLEEPER_WAKE_TIMEOUT: '90s',
      KEEP_ALIVE_INTERVAL: '1d',
      KEEP_ALIVE_TICK: '1d',
    });
    const { clock } = teller;
    const sleep = clock.sleep.bind(clock);
    clock.sleep = (ms, signal) =>
      ms < HOUR || signal?.aborted
        ? sleep(ms, signal)
        : new Promise((resolve) => {
            signal?.addEventListener('abort', () => resolve(), { once: true });
          });
    const nextDay = (...failing: string[]) => {
      teller.failing = new Set(failing);
      teller.told.length = 0;
      teller.now += DAY;
      return teller.run({ nextRunIn: DAY });
    };
    await nextDay();
    let tell: () => void = () => undefined;
    const told = new Promise<void>((resolve) => (tell = resolve));
    teller.trouble = () => {
      tell();
      return Promise.resolve();
    };
    // It does not wake before the others are told of.
    let asked = 0;
    teller.attempt = async ({ info }) => {
      if (info.id !== 'sleeper') return teller.failing.has(info.id) ? FAILED : GOOD;
      asked += 1;
      if (asked === 1) return FAILED;
      await told;
      return GOOD;
    };
    const calls = await redis.callsMade();
    const { commands } = await nextDay('a');
    expect(teller.told.sort()).toEqual([
      'email: a down',
      'email: sleeper slept',
      'slack: a down',
      'slack: sleeper slept',
    ]);
    expect(commands).toBeLessThanOrEqual(TWELVE);
    expect((await redis.callsMade()) - calls).toBe(commands);
    await nextDay();
    expect(teller.told.sort()).toEqual(['email: a up', 'slack: a up']);
  });

  it.each([
    ['ten with deliveries', ['a'], 10],
    ['seven without', [], 7],
  ])('%s', async (_, failing, expected) => {
    const teller = new Teller(store);
    await teller.minute();
    await teller.minute();
    expect(await teller.minute(...failing)).toMatchObject({ commands: expected });
  });
});

describe('restarts', () => {
  const recovery = {
    TARGET_A_RECOVERY_URL: 'http://user:canary@hook.test/?key=canary',
    TARGET_A_RECOVERY_MAX: '2',
  };
  const restarter = (): Teller & { asked: string[]; requests: string[] } => {
    const teller = new Teller(store, ['a', 'b'], recovery);
    const requests: string[] = [];
    teller.send = ({ url, method }) => {
      requests.push(`${method} ${url}`);
      return Promise.resolve({ status: 200, headers: {}, text: '' });
    };
    return Object.assign(teller, { requests });
  };

  it('are made after the commit, told of and on the incident’s record', async () => {
    const teller = restarter();
    await teller.minute();
    await teller.minute('a');
    expect(teller.requests).toEqual(['POST http://hook.test/?key=canary']);
    expect(teller.told.sort()).toEqual(['email: a down, a restart', 'slack: a down, a restart']);
    expect(teller.lines).toContain('a: restart 1 of 2 answered 200');
    await teller.minute();
    const { incidents } = await loadHistory(store, 'a', teller.now);
    expect(incidents[0]?.events).toMatchObject([
      { kind: 'alert', alert: 'down' },
      { kind: 'restart', answer: 'answered 200' },
      { kind: 'alert', alert: 'up' },
    ]);
    expect(JSON.stringify([incidents, teller.lines, teller.digests])).not.toContain('canary');
  });

  it('that were ordered by a run that was cut off are made by the next, if the target is still down', async () => {
    for (const [failing, expected] of [
      [['a'], 1],
      [[], 0],
    ] as const) {
      await redis.flush();
      const cut = restarter();
      cut.send = () => new Promise(() => undefined);
      await cut.minute();
      void cut.minute('a');
      await expect.poll(() => redis.command('HGET', 'k:data', 'outbox')).toBeTruthy();
      const heir = restarter();
      heir.now = cut.now + 5 * MINUTE;
      await redis.expireLeases();
      await heir.minute(...failing);
      expect(heir.requests).toHaveLength(expected);
      await heir.minute(...failing);
      expect(heir.requests).toHaveLength(expected);
    }
  });

  it('that are made are not made again when the store forgot', async () => {
    const teller = restarter();
    await teller.minute();
    let commits = 0;
    teller.store = meddled(store, ({ name }, work) =>
      name === 'commit' && ++commits === 2
        ? Promise.reject(new StoreError('store_unreachable', 'connection lost'))
        : work(),
    );
    await teller.minute('a');
    teller.store = store;
    await teller.minute('a');
    expect([teller.requests.length, teller.told]).toEqual([1, []]);
  });

  it('that fail count, and are told with what came of them', async () => {
    const teller = restarter();
    teller.send = () => Promise.reject(new DeliveryError('temporary', 'no answer in time'));
    await teller.minute();
    await teller.minute('a');
    const restart = teller.digests[0]?.items.find(({ alert }) => alert.kind === 'restart');
    expect(restart?.alert).toMatchObject({ number: 1, max: 2, answer: 'no answer in time' });
  });
});

describe('the heartbeat', () => {
  const beating = () => {
    const teller = new Teller(store, ['a', 'b'], {
      KEEP_ALIVE_HEARTBEAT_URL: 'http://beat.test/canary',
      KEEP_ALIVE_CONTROL_URLS: 'http://control.test/',
    });
    let beats = 0;
    teller.send = ({ url, method }) => {
      expect([method, url]).toEqual(['GET', 'http://beat.test/canary']);
      beats += 1;
      return Promise.resolve({ status: 200, headers: {}, text: '' });
    };
    return { teller, beats: () => beats };
  };

  it('goes out after each good run, and after no other', async () => {
    const { teller, beats } = beating();
    await teller.minute();
    await teller.minute('a');
    expect(beats()).toBe(2);
    teller.attempt = () => FAILED;
    expect(await teller.minute()).toMatchObject({ status: 'inconclusive' });
    teller.attempt = () => GOOD;
    teller.store = null;
    await teller.minute();
    expect(beats()).toBe(2);
  });

  it('harms nothing when it fails', async () => {
    const { teller } = beating();
    teller.send = () => Promise.reject(new DeliveryError('temporary', 'no answer in time'));
    expect(await teller.minute()).toMatchObject({ status: 'completed', stored: true });
    expect(teller.lines).toContain('heartbeat: no answer in time');
    expect(teller.lines.join('\n')).not.toContain('canary');
  });
});
