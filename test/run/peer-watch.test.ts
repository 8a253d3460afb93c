import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { DeliveryError, type Digest } from '../../lib/deliver/channel.js';
import { sentenceOf, PLAIN } from '../../lib/deliver/compose.js';
import { loadPresent } from '../../lib/read/load.js';
import { RecentReader } from '../../lib/read/recent.js';
import { leastRecent, ofAllShards } from '../../lib/read/shards.js';
import { ShardedPinger } from '../support/shards.js';
import { openSqlite } from '../support/stores.js';
import { NO_PEERS } from '../../lib/peers/ask.js';
import type { PeerReading } from '../../lib/rules/peer-watch.js';
import type { Store } from '../../lib/store/store.js';
import { configOf, FAILED, GOOD, Pinger } from '../support/runs.js';

const TICK = 300_000;
const RUNNING: PeerReading = { kind: 'running' };
const SILENT: PeerReading = { kind: 'silent', message: 'connection refused' };

let store: Store;
let databases = 0;
let readings: Map<string, PeerReading>;
let asked: string[];
beforeEach(() => {
  store = openSqlite(`${++databases}.db`);
  readings = new Map([['b.test', RUNNING]]);
  asked = [];
});
afterEach(() => store.close());

const ENV = {
  TARGET_A_URL: 'https://a.test/',
  KEEP_ALIVE_TICK: '5m',
  KEEP_ALIVE_INTERVAL: '5m',
  KEEP_ALIVE_RETRIES: '0',
  KEEP_ALIVE_CONTROL_URLS: 'https://control.test/',
};

/** A channel that keeps what it is told, and can be out of order. */
class Told {
  readonly lines: string[] = [];
  works = true;
  readonly channel = {
    name: 'slack' as const,
    deliver: ({ items }: Digest) => {
      if (!this.works) return Promise.reject(new DeliveryError('temporary', 'answered 503'));
      this.lines.push(...items.map((item) => sentenceOf(item, PLAIN, 200)));
      return Promise.resolve();
    },
  };
}

function pingerOf(told: Told, env: Record<string, string> = {}): Pinger {
  const pinger = new Pinger(configOf({ ...ENV, ...env }), store);
  pinger.channels = new Map([['slack', told.channel]]);
  pinger.peers = {
    ...NO_PEERS,
    get watched() {
      return [...readings.keys()];
    },
    readHealth: (peer) => {
      asked.push(peer);
      return Promise.resolve(readings.get(peer) ?? SILENT);
    },
  };
  return pinger;
}

const play = async (pinger: Pinger, runs: number) => {
  const reports = [];
  for (let i = 0; i < runs; i += 1) {
    reports.push(await pinger.run());
    pinger.now += TICK;
  }
  return reports;
};

describe('a peer that is killed', () => {
  it('is told of within three ticks, once, and its return once', async () => {
    const told = new Told();
    const pinger = pingerOf(told);
    await play(pinger, 3);
    readings.set('b.test', SILENT);
    await play(pinger, 2);
    expect(told.lines).toEqual([]);
    await play(pinger, 1);
    expect(told.lines).toEqual([
      'Peer b.test does not answer – connection refused; since 12:10 UTC; nobody may be watching its targets',
    ]);
    expect(pinger.lines).toContain('peer b.test does not answer (connection refused)');
    await play(pinger, 288);
    expect(told.lines).toHaveLength(1);
    readings.set('b.test', RUNNING);
    await play(pinger, 3);
    expect(told.lines.slice(1)).toEqual([expect.stringMatching(/^Peer b\.test is back after 1 d/)]);
  });

  it('is told of at once where it answers that its runs have stopped', async () => {
    const told = new Told();
    const pinger = pingerOf(told);
    await play(pinger, 1);
    readings.set('b.test', { kind: 'stopped', lastRunAt: pinger.now - 3 * TICK });
    await play(pinger, 1);
    expect(told.lines).toEqual([
      'Peer b.test has stopped making runs – it answers, and its last run was at 11:50 UTC; nobody may be watching its targets',
    ]);
  });

  it.runIf(inject('long'))(
    'is told of to a channel that works again, and its return is not where nobody heard of it',
    async () => {
      const told = new Told();
      told.works = false;
      const pinger = pingerOf(told);
      readings.set('b.test', SILENT);
      await play(pinger, 300);
      told.works = true;
      // An hour at most lies between two attempts.
      await play(pinger, 13);
      expect(told.lines).toEqual([expect.stringContaining('Peer b.test does not answer')]);
      readings.set('b.test', RUNNING);
      told.works = false;
      await play(pinger, 1);
      readings.set('b.test', SILENT);
      await play(pinger, 4);
      readings.set('b.test', RUNNING);
      // Longer than an alert is kept, shorter than the end of one that was delivered.
      await play(pinger, 300);
      told.works = true;
      await play(pinger, 13);
      expect(told.lines.map((line) => line.split(' –')[0])).toEqual([
        'Peer b.test does not answer',
        expect.stringMatching(/^Peer b\.test is back/),
        expect.stringMatching(/^Keepalive could not deliver/),
      ]);
    },
  );

  it('ends with its place in KEEP_ALIVE_PEERS', async () => {
    const told = new Told();
    const pinger = pingerOf(told);
    readings.set('b.test', SILENT);
    await play(pinger, 4);
    readings = new Map();
    await play(pinger, 2);
    expect(told.lines.slice(1)).toEqual([
      'Peer b.test is no longer watched – it is not in KEEP_ALIVE_PEERS any more',
    ]);
    const { state } = await loadPresent(store);
    expect(state?.peers).toEqual([]);
  });
});

describe('what is read counts for nothing', () => {
  it('in a run whose fault is ours', async () => {
    const told = new Told();
    const pinger = pingerOf(told);
    readings.set('b.test', SILENT);
    pinger.attempt = () => FAILED;
    const reports = await play(pinger, 5);
    expect(new Set(reports.map(({ status }) => status))).toEqual(new Set(['inconclusive']));
    expect(told.lines).toEqual([]);
  });

  it('where nothing is due and the control addresses do not answer either', async () => {
    const told = new Told();
    const pinger = pingerOf(told, { TARGET_A_INTERVAL: '12h' });
    await play(pinger, 1);
    readings.set('b.test', SILENT);
    pinger.attempt = () => FAILED;
    await play(pinger, 5);
    expect(told.lines).toEqual([]);
    pinger.attempt = () => GOOD;
    await play(pinger, 3);
    expect(told.lines).toHaveLength(1);
  });

  it('where the run is cancelled', async () => {
    const told = new Told();
    const pinger = pingerOf(told);
    await pinger.run({ signal: AbortSignal.abort() });
    const { state } = await loadPresent(store);
    expect(state?.peers).toEqual([]);
  });
});

it('peers are asked once a tick, whatever the triggers', async () => {
  const pinger = pingerOf(new Told());
  for (let i = 0; i < 9; i += 1) {
    await pinger.run();
    pinger.now += TICK / 3;
  }
  expect(asked.length).toBeLessThanOrEqual(5);
});

it('peers are asked by one shard alone, and readers find what it knows', async () => {
  const urls = Object.fromEntries(
    Array.from({ length: 5 }, (_, i) => [`TARGET_A${i}_URL`, 'https://a.test/']),
  );
  const env = { KEEP_ALIVE_TICK: '5m', KEEP_ALIVE_INTERVAL: '5m', KEEP_ALIVE_SHARD_SIZE: '2', ...urls };
  const config = configOf(env);
  const pinger = new ShardedPinger(config, store);
  pinger.peers = pingerOf(new Told()).peers;
  await pinger.tick();
  expect(asked).toEqual(['b.test']);
  const found = await ofAllShards(new RecentReader(store), config, loadPresent);
  expect([found.state?.peers, leastRecent(found)?.peers]).toMatchObject([
    [{ peer: 'b.test' }],
    [{ peer: 'b.test' }],
  ]);
});

it('watching costs no store command', async () => {
  const commandsOf = async (pinger: Pinger) => (await play(pinger, 4)).map(({ commands }) => commands);
  const alone = pingerOf(new Told());
  alone.peers = NO_PEERS;
  const without = await commandsOf(alone);
  await store.close();
  store = openSqlite(`${++databases}.db`);
  expect(await commandsOf(pingerOf(new Told()))).toEqual(without);
});
