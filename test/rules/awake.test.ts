import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { awakeAfter, type AwakeState } from '../../lib/rules/awake.js';
import { ORIGINS, type Origin } from '../../lib/types.js';

const MINUTE = 60_000;
const LIMIT = 15 * MINUTE;
const rules = { sleepsAfter: LIMIT, answersCount: true, isExempt: () => false };

type State = AwakeState & { readonly lastCheckAt: number | null };
const NEW: State = {
  awakeFrom: null,
  awakeGaps: [],
  provenAt: null,
  awakeSince: null,
  brokenAt: null,
  asleepAt: null,
  sleptAt: null,
  pingsMissed: false,
  lastCheckAt: null,
};

interface Ping {
  /** Minutes after the one before. */
  readonly after: number;
  readonly origin: Origin | null;
  readonly coldStart?: boolean;
}

function play(pings: readonly Ping[], by = rules) {
  let at = 0;
  let awake = 0;
  let slept = 0;
  let state = NEW;
  const log = pings.map(({ after, origin, coldStart = false }) => {
    at += after * MINUTE;
    const reached = origin === 'container' || origin === 'unknown';
    const check = {
      at,
      origin,
      reached,
      coldStart: coldStart && reached,
      latency: null,
      wakeMs: null,
    } as never;
    const step = awakeAfter(state, by, check);
    state = { ...step.state, lastCheckAt: at };
    awake += step.awake;
    slept += step.slept;
    return { at, ...step };
  });
  return { at, awake: awake / MINUTE, slept: slept / MINUTE, state, log };
}

const app = (after: number): Ping => ({ after, origin: 'container' });

describe('what pings tell of a host that sleeps after 15 minutes', () => {
  it.each<[string, Ping[], { awake: number; slept: number }, Partial<State>]>([
    [
      'answers of the app, close enough',
      [app(0), app(10), app(14)],
      { awake: 24, slept: 0 },
      { awakeSince: 0 },
    ],
    [
      'answers that are too far apart',
      [app(0), app(15)],
      { awake: 0, slept: 0 },
      { awakeSince: 15 * MINUTE },
    ],
    [
      'an answer that may be the edge’s between',
      [app(0), { after: 5, origin: 'unknown' }, app(5)],
      { awake: 10, slept: 0 },
      {},
    ],
    [
      'such answers for too long',
      [app(0), { after: 10, origin: 'unknown' }, app(10)],
      { awake: 0, slept: 0 },
      { brokenAt: 20 * MINUTE },
    ],
    [
      'a wake before the limit',
      [app(0), { ...app(10), coldStart: true }],
      { awake: 0, slept: 10 },
      { sleptAt: 10 * MINUTE },
    ],
    [
      'a wake behind it',
      [app(0), { ...app(60), coldStart: true }],
      { awake: 0, slept: 45 },
      { sleptAt: 60 * MINUTE },
    ],
    [
      'a sleeping page, then the app',
      [app(0), { after: 10, origin: 'asleep' }, { after: 5, origin: 'asleep' }, app(5)],
      { awake: 0, slept: 20 },
      { sleptAt: 10 * MINUTE, asleepAt: null, awakeSince: 20 * MINUTE },
    ],
    [
      'an edge’s answer and none at all',
      [app(0), { after: 5, origin: 'edge' }, { after: 5, origin: null }, app(4)],
      { awake: 0, slept: 0 },
      { awakeFrom: 14 * MINUTE, brokenAt: null, awakeSince: 14 * MINUTE },
    ],
    [
      'a first ping that wakes it',
      [{ ...app(0), coldStart: true }, app(5)],
      { awake: 5, slept: 0 },
      { sleptAt: null, awakeSince: 0 },
    ],
  ])('%s', (_, pings, time, state) => {
    const found = play(pings);
    expect({ awake: found.awake, slept: found.slept }).toEqual(time);
    expect(found.state).toMatchObject(state);
  });

  it('is nothing where nobody knows whether a request counts', () => {
    const { awake, state } = play([app(0), app(5), app(5)], { ...rules, answersCount: false });
    expect([awake, state.provenAt]).toEqual([0, 10 * MINUTE]);
  });
});

const ping = fc.record({
  after: fc.integer({ min: 1, max: 40 }),
  origin: fc.constantFrom<(Origin | null)[]>(...ORIGINS, null),
  coldStart: fc.boolean(),
});

describe('whatever the answers', () => {
  it('no time is counted twice, and none before the first ping', () => {
    fc.assert(
      fc.property(fc.array(ping, { maxLength: 60 }), (pings) => {
        const { at, awake, slept } = play(pings);
        const first = (pings[0]?.after ?? 0) * MINUTE;
        expect((awake + slept) * MINUTE).toBeLessThanOrEqual(Math.max(0, at - first));
      }),
    );
  });

  it('it is awake only between two answers of the app, closer together than its limit, without a wake', () => {
    fc.assert(
      fc.property(fc.array(ping, { maxLength: 60 }), (pings) => {
        const { log } = play(pings);
        for (const [i, { at, awake }] of log.entries()) {
          if (awake === 0) continue;
          const from = at - awake;
          expect(awake).toBeLessThan(LIMIT);
          expect([pings[i]?.origin, pings[i]?.coldStart]).toEqual(['container', false]);
          const before = log.findIndex((each) => each.at === from);
          expect(pings[before]?.origin).toBe('container');
          const between = pings.slice(before + 1, i);
          expect(between.every(({ origin, coldStart }) => origin === 'unknown' && !coldStart)).toBe(true);
        }
      }),
    );
  });
});
