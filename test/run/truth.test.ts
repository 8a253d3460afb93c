import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Bucket, TargetHistory } from '../../lib/read/views.js';
import { openRemoteStore } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import {
  BYTES_A_TARGET,
  COMMANDS_A_READ,
  COMMANDS_A_CHECKPOINT,
  COMMANDS_A_RUN,
  COMMANDS_DELIVERING,
  STORED_A_TARGET,
} from '../support/budget.js';
import { HOUR, DAY } from '../support/ninety-days.js';
import { PlainTarget, quantile, windowBegin } from '../support/plain.js';
import { Play, type Look } from '../support/play.js';
import { startRedis, type RedisServer } from '../support/redis.js';

/** What was measured here, and some more. */
const BYTES_AT_MOST = 400;
const BYTES_A_SNAPSHOT = 100;
/** Extra commands that a claim may cost now and then. */
const RARELY_MORE = 3;
const CLOSE = 0.05;
const INCIDENTS = 100;
/** What the script has of targets, and of calls that meet another at least. */
const [TARGETS, DOUBLED] = [50, 100];
const WINDOWS = [
  ['24h', 1],
  ['7d', 7],
  ['30d', 30],
  ['90d', 90],
] as const;
const PERCENTILES = [
  ['p50', 0.5],
  ['p95', 0.95],
  ['p99', 0.99],
] as const;

let redis: RedisServer;
let store: Store;
let play: Play;
let plain: ReadonlyMap<string, PlainTarget>;
let figures = 0;

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  redis = await startRedis();
  store = await openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: 'k' });
  play = new Play(redis, store);
  await play.all();
  const reads = play.looks.map(({ now }) => now);
  const ids = new Set(play.runs.flatMap(({ deployment: { targets } }) => Object.keys(targets)));
  plain = new Map([...ids].map((id) => [id, new PlainTarget(id, play, reads)]));
}, 1_800_000);

afterAll(async () => {
  vi.useRealTimers();
  await store.close();
  await redis.stop();
  const dearest = (of: (cost: (typeof play.costs)[number]) => number) => Math.max(...play.costs.map(of));
  const bytes = play.costs.map(({ bytes, targets }) => bytes / targets).sort((a, b) => a - b);
  const checks = [...plain.values()].reduce((total, { checks }) => total + checks.length, 0);
  console.log(
    [
      ['runs', play.runs.length],
      ['checks', checks],
      ['targets', plain.size],
      ['figures compared', figures],
      ['commands, dearest', dearest(({ commands }) => commands)],
      ['bytes a target, median', Math.round(quantile(bytes, 0.5) ?? 0)],
      ['bytes a target, p95', Math.round(quantile(bytes, 0.95) ?? 0)],
      ['bytes a target, dearest', Math.round(dearest(({ bytes, targets }) => bytes / targets))],
      ['KB stored a target', (Math.max(...play.looks.map(({ stored }) => stored)) / 1024).toFixed(1)],
    ]
      .map(([name, value]) => `${String(name).padEnd(24)} ${String(value).padStart(9)}`)
      .join('\n'),
  );
});

type Compared = readonly [name: string, actual: unknown, expected: unknown];

/** What of the targets, at every look, is not as the plain computation says. */
function differences(of: (target: PlainTarget, found: TargetHistory, look: Look) => Compared[]): string[] {
  const wrong: string[] = [];
  for (const look of play.looks) {
    for (const [id, found] of look.histories) {
      for (const [name, actual, expected] of of(plainOf(id), found, look)) {
        figures += 1;
        const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
        if (a !== b) wrong.push(`${look.name}: ${id} ${name}: ${a}, not ${b}`);
      }
    }
  }
  return some(wrong);
}

function plainOf(id: string): PlainTarget {
  const found = plain.get(id);
  if (found === undefined) throw new Error(`nobody knows ${id}`);
  return found;
}

const some = (wrong: readonly string[]): string[] =>
  wrong.length === 0 ? [] : [`${wrong.length} are wrong`, ...wrong.slice(0, 30)];
const iso = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString());

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

it('is played to the end, and costs what it tells', () => {
  expect(some(play.wrong)).toEqual([]);
  expect(play.doubled).toBeGreaterThan(DOUBLED);
  expect(play.offline.size).toBeGreaterThan(5);
  expect(plain.size).toBe(TARGETS);
});

it('checks those that are due, and nobody twice', () => {
  expect(some([...plain.values()].flatMap((target) => target.misjudgedDue()))).toEqual([]);
});

describe('figures', () => {
  it('count pings and failures', () => {
    const wrong = differences((target, found, { now }) => {
      const { pings, failures } = target.within(0, now);
      const rate = pings === 0 ? null : (((pings - failures) / pings) * 100).toFixed(1);
      return [
        ['pingCount', found.pingCount, pings],
        ['failedPings', found.failedPings, failures],
        ['successRate', found.successRate, rate],
      ];
    });
    expect(wrong).toEqual([]);
    for (const { now, stats, histories } of play.looks) {
      const all = [...histories.keys()].map((id) => plainOf(id).within(0, now));
      expect(stats).toMatchObject({
        pingCount: sum(all.map(({ pings }) => pings)),
        failedPings: sum(all.map(({ failures }) => failures)),
      });
    }
  });

  it('tell the status, since when, and how many checks in a row', () => {
    const wrong = differences((target, found, { now }) => {
      const standing = target.standing(now);
      const shown = target.shown(now);
      return [
        ['status', found.status, shown.status],
        ['since', found.since, iso(shown.since)],
        ['consecutiveFailures', found.consecutiveFailures, standing.failuresInARow],
        ['consecutiveSuccesses', found.consecutiveSuccesses, standing.successesInARow],
        ['lastCheckAt', found.lastCheckAt, iso(standing.last?.at ?? null)],
        ['lastSuccessAt', found.lastSuccessAt, iso(standing.lastSuccessAt)],
      ];
    });
    expect(wrong).toEqual([]);
  });

  it.each(WINDOWS)('weigh time: uptime and coverage of %s', (window, days) => {
    const wrong = differences((target, found, { now }) => {
      const { uptimeRatio, coverage } = target.within(windowBegin(days, now), now);
      return [
        ['uptimeRatio', found.uptimeRatio[window], uptimeRatio],
        ['coverage', found.coverage[window], coverage],
      ];
    });
    expect(wrong).toEqual([]);
  });

  it.each(['hours', 'days'] as const)('tell of each of the %s', (kind) => {
    const wrong = differences((target, found, { now }) => {
      const buckets = found[kind];
      const length = kind === 'hours' ? HOUR : DAY;
      const running = Math.floor(now / length) * length;
      const kept = kind === 'hours' ? 7 * 24 : 90;
      const froms = Array.from({ length: kept }, (_, i) => running - (kept - 1 - i) * length).filter(
        (from) => from < now && Math.min(from + length, now) > target.addedAt,
      );
      return [
        [kind, buckets.map(({ from }) => from), froms.map(iso)],
        ...buckets.map((bucket): Compared => {
          const { from, to } = bucket;
          return [from, countsOf(bucket), countsOf(target.within(Date.parse(from), Date.parse(to)))];
        }),
      ];
    });
    expect(wrong).toEqual([]);
  });

  it('tell the incidents', () => {
    const wrong = differences((target, found, { now }) => {
      const all = target.standing(now).incidents;
      const last = all.slice(-INCIDENTS).reverse();
      return [
        [
          'incidents',
          found.incidents.map(({ startedAt, endedAt, unobservedMs }) => [startedAt, endedAt, unobservedMs]),
          last.map(({ startedAt, endedAt, unobservedMs }) => [iso(startedAt), iso(endedAt), unobservedMs]),
        ],
        [
          'incident',
          found.incident?.startedAt,
          iso(all.find(({ endedAt }) => endedAt === null)?.startedAt ?? null) ?? undefined,
        ],
      ];
    });
    expect(wrong).toEqual([]);
  });

  it('tell whether the host was kept awake', () => {
    const wrong = differences((target, { awake }, { now }) => {
      const { longestGap, keptAwake } = target.awake(now);
      const { coldStarts } = target.within(windowBegin(1, now), now);
      return [
        ['longestGap', awake.longestGap, longestGap],
        ['coldStarts', awake.coldStarts, coldStarts],
        ['keptAwake', awake.keptAwake, keptAwake],
      ];
    });
    expect(wrong).toEqual([]);
  });

  it('give percentiles within 5 %', () => {
    const wrong: string[] = [];
    for (const { name, now, histories } of play.looks) {
      for (const [id, { latencyMs, hours, days }] of histories) {
        const day = { from: iso(windowBegin(1, now)) ?? '', to: iso(now) ?? '', latencyMs };
        for (const { from, to, latencyMs: found } of [day, ...hours, ...days]) {
          const { latencies } = plainOf(id).within(Date.parse(from), Date.parse(to));
          figures += 1;
          if (found.samples !== latencies.length)
            wrong.push(`${name}: ${id} ${from} samples: ${found.samples}, not ${latencies.length}`);
          for (const [key, part] of PERCENTILES) {
            figures += 1;
            const [a, b] = [found[key], quantile(latencies, part)];
            const isClose = a === null || b === null ? a === b : Math.abs(a - b) <= b * CLOSE;
            if (!isClose) wrong.push(`${name}: ${id} ${from} ${key}: ${a ?? '-'}, not ${b ?? '-'}`);
          }
        }
      }
    }
    expect(some(wrong)).toEqual([]);
  });
});

describe('costs', () => {
  it('stay within the commands of the contract in every run, and in every read', () => {
    // A run that goes on for longer than a tick holds others up, and records what it found once for each of them.
    const beyond = play.costs.filter(
      ({ commands, delivered, ticks }) =>
        commands > (delivered ? COMMANDS_DELIVERING : COMMANDS_A_RUN) + COMMANDS_A_CHECKPOINT * ticks,
    );
    // Once in a process and every ten minutes the store is asked for its time; a lease that was given up is taken over.
    const wrong = beyond.filter(
      ({ commands, delivered }) =>
        commands > (delivered ? COMMANDS_DELIVERING : COMMANDS_A_RUN) + RARELY_MORE,
    );
    expect(some(wrong.map((cost) => JSON.stringify(cost)))).toEqual([]);
    // Which runs ask follows from real time, too: a slow machine has more of them among fewer runs.
    expect(beyond.length).toBeLessThanOrEqual(play.costs.length / 500);
    expect(Math.max(...play.looks.map(({ commands }) => commands))).toBeLessThanOrEqual(COMMANDS_A_READ);
  });

  /** No two targets are alike, and a run that comes after hours writes a snapshot of each: that costs more than the usual. */
  it('stay within the bytes of the contract, but for what snapshots cost', () => {
    const usual = play.costs.map(({ bytes, targets }) => bytes / targets).sort((a, b) => a - b);
    // Here a target is due every 30 s: a run waits for it for more than 10 s, and writes the state before it and after it.
    expect(quantile(usual, 0.95)).toBeLessThanOrEqual(1.5 * BYTES_A_TARGET);
    const wrong = play.costs.filter(({ at, bytes, targets }, i) => {
      const hours = Math.floor(at / HOUR) - Math.floor((play.costs[i - 1]?.at ?? at) / HOUR);
      return bytes > (BYTES_AT_MOST + BYTES_A_SNAPSHOT * hours) * targets;
    });
    expect(some(wrong.map((cost) => JSON.stringify(cost)))).toEqual([]);
  });

  it('stay within the storage of the contract', () => {
    expect(Math.max(...play.looks.map(({ stored }) => stored))).toBeLessThanOrEqual(STORED_A_TARGET);
  });
});

type Counts = Omit<Bucket, 'from' | 'to' | 'latencyMs' | 'awakeMs' | 'sleptMs'>;

function countsOf({ pings, failures, coldStarts, uptimeRatio, coverage, downtimeMs }: Counts): Counts {
  return { pings, failures, coldStarts, uptimeRatio, coverage, downtimeMs };
}
