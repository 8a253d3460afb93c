import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_PEERS } from '../../lib/peers/ask.js';
import type { Opinion } from '../../lib/rules/opinions.js';
import { readChecks, recentLogs } from '../../lib/record/log.js';
import type { Target } from '../../lib/types.js';
import { openSqlite } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { configOf, FAILED, GOOD, Pinger } from '../support/runs.js';

const MINUTE = 60_000;
const WELL: readonly Opinion[] = [
  { place: 'fra1', isWell: true },
  { place: 'syd1', isWell: true },
];
const FAILING = WELL.map((each) => ({ ...each, isWell: false }));

let store: Store;
let opinions: (id: string) => readonly Opinion[];
let asked: string[];
let databases = 0;
beforeEach(() => {
  store = openSqlite(`${++databases}.db`);
  asked = [];
  opinions = () => WELL;
});

afterEach(() => store.close());

function pingerOf(env: Record<string, string> = {}, ids: readonly string[] = ['a']): Pinger {
  const urls = Object.fromEntries(ids.map((id) => [`TARGET_${id.toUpperCase()}_URL`, `https://${id}.test/`]));
  const common = { KEEP_ALIVE_INTERVAL: '1m', KEEP_ALIVE_RETRIES: '0', KEEP_ALIVE_CONTROL_URLS: 'off' };
  const pinger = new Pinger(configOf({ ...common, ...urls, ...env }), store);
  pinger.peers = {
    ...NO_PEERS,
    ask: ({ info }: Target) => {
      asked.push(info.id);
      return Promise.resolve(opinions(info.id));
    },
  };
  pinger.attempt = () => FAILED;
  return pinger;
}
const play = async (pinger: Pinger, runs: number) => {
  const reports = [];
  for (let i = 0; i < runs; i += 1) {
    reports.push(await pinger.run());
    pinger.now += MINUTE;
  }
  return reports;
};

describe('a target that fails here', () => {
  it('and answers elsewhere is degraded and never down, and says from where it answers', async () => {
    const reports = await play(pingerOf(), 5);
    expect(reports.map(({ status }) => status)).toEqual(Array(5).fill('completed'));
    expect(reports[4]?.results).toMatchObject([
      { ok: true, latency: null, status: 'degraded', message: 'answers from fra1 and syd1, not from here' },
    ]);
    expect(asked).toHaveLength(5);
    const { logs } = await store.read({ fields: [], logs: recentLogs(Date.UTC(2026, 0, 5, 12, 5)) });
    const checks = readChecks([...logs.values()], 0, Date.UTC(2026, 0, 5, 12, 5));
    expect(checks).toHaveLength(5);
    expect(new Set(checks.map(({ reason }) => reason))).toEqual(new Set(['local']));
  });

  it('and everywhere is down as soon as without peers, and is not asked about any more', async () => {
    opinions = () => FAILING;
    const reports = await play(pingerOf(), 5);
    expect(reports.flatMap(({ transitions }) => transitions)).toMatchObject([
      { from: 'pending', to: 'down', reason: 'status 503, expected 200-299 (also from fra1 and syd1)' },
    ]);
    expect(reports[2]?.transitions).toHaveLength(1);
    expect(asked).toHaveLength(3);
    expect(reports[4]?.results).toMatchObject([{ message: 'status 503, expected 200-299' }]);
  });

  it('is asked about once a run, and what was said holds for its rounds', async () => {
    const pinger = pingerOf({ KEEP_ALIVE_INTERVAL: '10s' });
    const { results } = await pinger.run({ limit: 300_000, nextRunIn: MINUTE });
    expect(results.length).toBeGreaterThan(3);
    expect(new Set(results.map(({ ok }) => ok))).toEqual(new Set([true]));
    expect(asked).toEqual(['a']);
  });

  it.each([
    ['with CONFIRM=false', { TARGET_A_CONFIRM: 'false' }],
    ['in maintenance', { TARGET_A_MAINTENANCE: '2026-01-05T00:00Z/1d' }],
    ['paused', { TARGET_A_ENABLED: 'false' }],
  ])('is not asked about %s', async (_when, env) => {
    await play(pingerOf(env), 2);
    expect(asked).toEqual([]);
  });

  it('is not asked about where it answers, or where its host says that it does not run', async () => {
    const pinger = pingerOf();
    pinger.attempt = () => GOOD;
    await play(pinger, 1);
    pinger.attempt = () => ({ ...FAILED, reason: 'host', origin: 'unwakeable', message: 'paused' });
    await play(pinger, 1);
    expect(asked).toEqual([]);
  });
});

describe('where everything fails here', () => {
  const ids = ['a', 'b', 'c'];
  const ONE_WELL = [{ place: 'fra1', isWell: true }];

  it('and one peer finds all of it well, the fault is ours', async () => {
    opinions = () => ONE_WELL;
    const [report] = await play(pingerOf({}, ids), 1);
    expect(report).toMatchObject({ status: 'inconclusive', transitions: [], results: [] });
  });

  it('and a target fails there too, the fault is not ours', async () => {
    opinions = (id) => (id === 'c' ? [{ place: 'fra1', isWell: false }] : ONE_WELL);
    const [report] = await play(pingerOf({}, ids), 1);
    expect(report).toMatchObject({ status: 'completed', failed: 3 });
  });

  it('and some are known to be well by most, those of which nobody knows count for nothing', async () => {
    opinions = (id) => (id === 'c' ? [] : WELL);
    const [report] = await play(pingerOf({}, ids), 1);
    expect(report).toMatchObject({ status: 'inconclusive' });
  });

  it('and all are, each is degraded', async () => {
    const [report] = await play(pingerOf({}, ids), 1);
    expect(report).toMatchObject({ status: 'completed', failed: 0, succeeded: 3 });
  });

  it('and nobody is asked, it is as without peers', async () => {
    opinions = () => [];
    const [report] = await play(pingerOf({}, ids), 1);
    expect(report).toMatchObject({ status: 'completed', failed: 3 });
  });
});
