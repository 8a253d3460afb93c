import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Digest } from '../../lib/deliver/channel.js';
import { DeliveryError } from '../../lib/deliver/channel.js';
import { loadState } from '../../lib/read/load.js';
import { MAINTENANCE_FIELD } from '../../lib/record/fields.js';
import { writeMaintenance } from '../../lib/record/maintenance.js';
import { openSqlite } from '../support/stores.js';
import { StoreError, type Store, type StoreErrorCode } from '../../lib/store/store.js';
import { meddled } from '../support/meddle.js';
import { configOf, FAILED, GOOD, Pinger } from '../support/runs.js';

const MINUTE = 60_000;
let directory: string;
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keepalive-memory-'));
  store = openSqlite(join(directory, 'keepalive.db'));
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

/** A process whose runs are a minute apart. */
class Process extends Pinger {
  readonly told: string[] = [];
  restarts = 0;
  refuses = false;

  constructor(env: Readonly<Record<string, string>> = {}) {
    super(
      configOf({
        TARGET_A_URL: 'http://a.test/',
        TARGET_B_URL: 'http://b.test/',
        KEEP_ALIVE_INTERVAL: '1m',
        KEEP_ALIVE_RETRIES: '0',
        KEEP_ALIVE_FAILURE_THRESHOLD: '2',
        KEEP_ALIVE_SUCCESS_THRESHOLD: '1',
        KEEP_ALIVE_CONTROL_URLS: 'off',
        ...env,
      }),
      store,
    );
    const deliver = ({ items }: Digest) => {
      if (this.refuses) return Promise.reject(new DeliveryError('permanent', 'answered 404'));
      this.told.push(...items.map(({ alert, target }) => `${target?.id ?? 'pinger'} ${alert.kind}`));
      return Promise.resolve();
    };
    this.channels = new Map([['slack', { name: 'slack', deliver }]]);
    this.send = () => {
      this.restarts += 1;
      return Promise.resolve({ status: 200, headers: {}, text: '' });
    };
  }

  /** So many runs, `a` failing or not. Gives what was told. */
  async minutes(letters: string): Promise<string> {
    this.told.length = 0;
    for (const letter of letters) {
      this.now += MINUTE;
      this.attempt = ({ info }) => (letter === 'f' && info.id === 'a' ? FAILED : GOOD);
      await this.run({ nextRunIn: MINUTE / 2 });
    }
    return this.told.join(', ');
  }

  /** From now on, these calls of the store are refused. */
  refuse(code: StoreErrorCode, ...calls: string[]): this {
    const error = new StoreError(code, "the store's allowance is used up");
    this.store = meddled(store, ({ name }, work) => (calls.includes(name) ? Promise.reject(error) : work()));
    return this;
  }

  recover(): this {
    this.store = store;
    return this;
  }
}

const WAYS = [
  ['store_limit', ['claim', 'commit']],
  ['store_denied', ['claim']],
  ['store_unreachable', ['claim', 'commit']],
] as const;

describe.each(WAYS)('while the store refuses (%s in %j)', (code, calls) => {
  it('an outage and its end are told once, and not again when it works', async () => {
    const pinger = new Process();
    expect(await pinger.minutes('ggg')).toBe('');
    pinger.refuse(code, ...calls);
    expect(await pinger.minutes('f')).toBe('');
    expect(await pinger.minutes('fff')).toBe('a down');
    expect(await pinger.minutes('gg')).toBe('a up');
    pinger.recover();
    expect(await pinger.minutes('ggg')).toBe('');
    expect((await loadState(store))?.targets).toMatchObject([
      { incidents: 1, incident: null },
      { incidents: 0 },
    ]);
  });

  it('an outage that outlasts it is ended by the record', async () => {
    const pinger = new Process();
    await pinger.minutes('gg');
    expect(await pinger.refuse(code, ...calls).minutes('fff')).toBe('a down');
    expect(await pinger.recover().minutes('ff')).toBe('');
    expect(await pinger.minutes('gg')).toBe('a up');
  });

  it('one that was told before is ended once', async () => {
    const pinger = new Process();
    expect(await pinger.minutes('gff')).toBe('a down');
    expect(await pinger.refuse(code, ...calls).minutes('fg')).toBe('a up');
    expect(await pinger.recover().minutes('gg')).toBe('');
  });

  it('failures of before count', async () => {
    const pinger = new Process();
    await pinger.minutes('gf');
    expect(await pinger.refuse(code, ...calls).minutes('f')).toBe('a down');
  });
});

it('a process that remembers nothing tells once', async () => {
  const pinger = new Process().refuse('store_limit', 'claim');
  expect(await pinger.minutes('ffff')).toBe('a down');
  expect(await pinger.minutes('gg')).toBe('a up');
});

it('without any store, people are told too', async () => {
  const pinger = new Process();
  pinger.store = null;
  expect(await pinger.minutes('fffgg')).toBe('a down, a up');
});

it('a process that dies takes with it what it told: the next one tells an outage that lasts again', async () => {
  const first = new Process();
  await first.minutes('gg');
  expect(await first.refuse('store_limit', 'claim').minutes('ff')).toBe('a down');
  const second = new Process();
  second.now = first.now;
  expect(await second.minutes('ff')).toBe('pinger missed, a down');
});

it('the end is told to those who were told by memory alone, where the record never saw the outage', async () => {
  const pinger = new Process();
  await pinger.minutes('gg');
  expect(await pinger.refuse('store_limit', 'claim').minutes('ff')).toBe('a down');
  // What was to be recorded is lost.
  pinger.backlog.drop(pinger.backlog.all);
  expect(await pinger.recover().minutes('gg')).toBe('pinger missed, a up');
});

it('a channel that refuses is tried again, from memory and then by the record, and told once', async () => {
  const pinger = new Process();
  await pinger.minutes('gg');
  pinger.refuse('store_limit', 'claim').refuses = true;
  expect(await pinger.minutes('ff')).toBe('');
  pinger.refuses = false;
  expect(await pinger.minutes('fff')).toBe('a down');
  expect(await pinger.recover().minutes('ff')).toBe('');
});

it('nothing is restarted, and nobody is asked for because restarts did not help', async () => {
  const pinger = new Process({
    TARGET_A_RECOVERY_URL: 'http://hook.test/',
    TARGET_A_RECOVERY_MAX: '1',
    TARGET_A_RECOVERY_COOLDOWN: '1m',
    TARGET_A_RECOVERY_GRACE: '0',
  });
  await pinger.minutes('gg');
  expect(await pinger.refuse('store_limit', 'claim').minutes('ffffffff')).toBe('a down');
  expect(pinger.restarts).toBe(0);
  expect(await pinger.recover().minutes('f')).toBe('a restart');
  expect(pinger.restarts).toBe(1);
});

it('maintenance that was begun before is kept to', async () => {
  const pinger = new Process();
  const window = { target: 'a', from: pinger.now, to: pinger.now + 10 * MINUTE, reason: null };
  await store.swap({ field: MAINTENANCE_FIELD, expected: null, value: writeMaintenance([window]) });
  await pinger.minutes('g');
  expect(await pinger.refuse('store_limit', 'claim').minutes('ffff')).toBe('');
  expect(await pinger.minutes('ggggggg')).toBe('');
});

it('that nothing can be recorded is said once it has lasted a quarter of an hour, and once a day', async () => {
  const pinger = new Process();
  await pinger.minutes('g');
  pinger.refuse('store_limit', 'claim');
  expect(await pinger.minutes('g'.repeat(15))).toBe('');
  expect(await pinger.minutes('g'.repeat(30))).toBe('pinger unrecorded');
  await pinger.recover().minutes('gg');
  expect(await pinger.refuse('store_limit', 'claim').minutes('g'.repeat(30))).toBe('');
});

it('a run that lost its lease tells nobody: the one that took it does', async () => {
  const pinger = new Process({ KEEP_ALIVE_FAILURE_THRESHOLD: '1' });
  await pinger.minutes('g');
  const thief = { token: 'thief', ttl: 1, fields: [] };
  const begun = performance.now();
  const clock = vi.spyOn(performance, 'now').mockReturnValue(begun);
  onTestFinished(() => clock.mockRestore());
  pinger.store = meddled(store, async ({ name }, work) => {
    if (name !== 'commit') return work();
    // When the lease of the run is over.
    clock.mockReturnValue(begun + 100 * MINUTE);
    await store.claim(thief);
    return work();
  });
  expect(await pinger.minutes('f')).toBe('');
});
