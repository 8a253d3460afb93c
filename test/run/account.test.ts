import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadOverview } from '../../lib/read/load.js';
import type { Account } from '../../lib/rules/account.js';
import { openSqlite } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { FAILED, GOOD, manyTargets, Pinger } from '../support/runs.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let store: Store;
let stores = 0;
const openAnother = (): Store => openSqlite(`account-${(stores += 1)}.sqlite`);
beforeEach(() => {
  store = openAnother();
});
afterEach(() => store.close());

const HOBBY = { VERCEL: '1', KEEP_ALIVE_TICK: '2m', KEEP_ALIVE_FAILURE_THRESHOLD: '1' };

/** Runs on Vercel, each of which takes so long. */
function pingerOn(env: Readonly<Record<string, string>> = {}, targets = 2): Pinger {
  const pinger = new Pinger(manyTargets(targets, { ...HOBBY, ...env }), store);
  pinger.attempt = async () => {
    await pinger.clock.sleep(1_000);
    return GOOD;
  };
  return pinger;
}

async function accountOf(pinger: Pinger): Promise<Account> {
  const { state } = await loadOverview(store, pinger.now);
  return state?.account ?? expect.unreachable();
}

describe('the account in the state', () => {
  it('has the wall time, CPU, commands, invocations and QStash calls of every run', async () => {
    const pinger = pingerOn();
    const begunAt = pinger.now;
    let reported = 0;
    for (let run = 1; run <= 10; run += 1) {
      pinger.now = begunAt + run * 2 * MINUTE;
      pinger.cpu += 30;
      const { commands } = await pinger.run({ trigger: run % 2 === 0 ? 'qstash' : 'vercel' });
      reported += commands;
    }
    const { month, otherMonth, toldIn } = await accountOf(pinger);
    expect(month).toMatchObject({ invocations: 10, messages: 5, cpuMs: 300 });
    expect(month.wallMs).toBeGreaterThanOrEqual(10_000);
    expect(month.wallMs).toBeLessThan(20_000);
    // The commands of a commit are known before it is made, and are those of Redis.
    expect(Math.abs(month.commands - reported)).toBeLessThanOrEqual(10);
    expect([otherMonth, toldIn]).toEqual([null, null]);
  });

  it('has what a run used after its commit, and what skipped runs used, with the next run of the process', async () => {
    const pinger = pingerOn();
    await pinger.run();
    const before = (await accountOf(pinger)).month;
    // Between two runs the process answers readers.
    pinger.cpu += 70;
    await store.claim({ token: 'other', ttl: 60_000, fields: [] });
    expect(await pinger.run({ trigger: 'qstash' })).toMatchObject({ reason: 'locked' });
    await store.commit({ token: 'other', fields: {}, append: null, release: true });
    pinger.now += 2 * MINUTE;
    await pinger.run();
    const { month } = await accountOf(pinger);
    expect(month).toMatchObject({ invocations: before.invocations + 2, messages: 1, cpuMs: 70 });
  });

  it('has what runs used that could not be recorded, once', async () => {
    const pinger = pingerOn();
    await pinger.run();
    pinger.store = null;
    for (let run = 0; run < 3; run += 1) {
      pinger.now += 2 * MINUTE;
      pinger.cpu += 10;
      expect(await pinger.run()).toMatchObject({ stored: false });
    }
    pinger.store = store;
    pinger.now += 2 * MINUTE;
    await pinger.run();
    pinger.now += 2 * MINUTE;
    await pinger.run();
    expect((await accountOf(pinger)).month).toMatchObject({ invocations: 6, cpuMs: 30 });
  });

  it('has a run that records while it goes on once', async () => {
    const pinger = pingerOn({ TARGET_SERVICE_0_WAKE_TIMEOUT: '90s', KEEP_ALIVE_FAILURE_THRESHOLD: '3' });
    await pinger.run();
    pinger.now += 2 * MINUTE;
    const wakesAt = pinger.now + 15_000;
    pinger.attempt = ({ info }) => (info.id === 'service-0' && pinger.now < wakesAt ? FAILED : GOOD);
    const { commands } = await pinger.run({ nextRunIn: 2 * MINUTE });
    const { month } = await accountOf(pinger);
    expect(month.invocations).toBe(2);
    expect(month.wallMs).toBeGreaterThan(16_000);
    expect(month.wallMs).toBeLessThan(25_000);
    expect(month.commands).toBeGreaterThan(commands);
    expect(month.commands).toBeLessThanOrEqual(3 * commands);
  });
});

/** A month in which runs came every 2 minutes up to now, and used all of what they may. */
async function spend(pinger: Pinger): Promise<void> {
  const begunAt = pinger.now;
  for (let run = 0; run < 12; run += 1) {
    pinger.now = begunAt + run * 2 * HOUR;
    pinger.cpu += HOUR;
    await pinger.run();
  }
  pinger.now = begunAt + 24 * HOUR;
}

describe('a plan that is used up', () => {
  it('leaves one attempt to each target, and neither retries, waits nor rounds', async () => {
    const env = { KEEP_ALIVE_RETRIES: '2', KEEP_ALIVE_WAKE_TIMEOUT: '90s', KEEP_ALIVE_INTERVAL: '10s' };
    const attempts = async (given: Readonly<Record<string, string>>, trigger = 'vercel') => {
      await store.close();
      store = openAnother();
      const pinger = pingerOn({ ...env, ...given });
      await spend(pinger);
      pinger.attempt = () => FAILED;
      pinger.asked.length = 0;
      await pinger.run({ nextRunIn: 2 * MINUTE, limit: 300_000, trigger });
      return pinger.asked.length;
    };
    expect(await attempts({})).toBe(2);
    expect(await attempts({ KEEP_ALIVE_PLAN: 'none' })).toBeGreaterThan(10);
    // Nobody pays for the time of one's own machine.
    expect(await attempts({}, 'local')).toBeGreaterThan(10);
  });

  it('is told of once a month, after a day', async () => {
    const pinger = pingerOn();
    const told: string[] = [];
    pinger.channels = new Map([
      [
        'slack',
        {
          name: 'slack',
          deliver: ({ items }) => {
            told.push(
              ...items.map(({ alert }) => `${alert.kind}@${new Date(pinger.now).toISOString().slice(5, 10)}`),
            );
            return Promise.resolve();
          },
        },
      ],
    ]);
    pinger.now = Date.UTC(2026, 0, 29, 12);
    for (let run = 0; run < 7 * 12; run += 1) {
      pinger.cpu += 15 * MINUTE;
      await pinger.run({ trigger: 'qstash' });
      pinger.now += 2 * HOUR;
    }
    expect(told.filter((each) => each.startsWith('allow'))).toEqual(['allowances@01-30', 'allowances@02-01']);
  });
});

it('rounds use a part of the plan only, from the first run on', async () => {
  const pinger = pingerOn({ KEEP_ALIVE_INTERVAL: '10s', KEEP_ALIVE_TICK: '2m' }, 1);
  await pinger.run({ nextRunIn: 2 * MINUTE, limit: 300_000 });
  expect(pinger.asked).toHaveLength(2);
  await store.close();
  store = openAnother();
  const free = pingerOn({ KEEP_ALIVE_INTERVAL: '10s', KEEP_ALIVE_PLAN: 'none' }, 1);
  await free.run({ nextRunIn: 2 * MINUTE, limit: 300_000 });
  expect(free.asked).toHaveLength(12);
});
