import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  monthOf,
  monthUsage,
  NO_USAGE,
  projected,
  withUsage,
  type Account,
  type Usage,
} from '../../lib/rules/account.js';
import { limitsOf, watched } from '../../lib/rules/allowances.js';
import { longestRounds, timeToSpend } from '../../lib/rules/throttle.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOVEMBER = Date.UTC(2026, 10);
const DECEMBER = Date.UTC(2026, 11);
const JANUARY = Date.UTC(2027, 0);
const ONE: Usage = { wallMs: 2_000, cpuMs: 50, commands: 7, invocations: 1, messages: 1 };

/** Runs every so often. */
function counted(from: number, to: number, every: number, used: (at: number) => Usage = () => ONE): Account {
  let account: Account | null = null;
  for (let at = from; at < to; at += every) account = withUsage(account, used(at), at);
  return account ?? expect.unreachable();
}

describe('the account of a month', () => {
  it('counts every run, and begins again with the month in UTC', () => {
    const account = counted(NOVEMBER + DAY, DECEMBER, HOUR);
    expect(monthUsage(account, DECEMBER - 1)).toMatchObject({ since: NOVEMBER + DAY, invocations: 29 * 24 });
    expect(monthUsage(account, DECEMBER)).toBeNull();
    const next = withUsage(account, ONE, DECEMBER);
    expect(monthUsage(next, DECEMBER)).toMatchObject({ since: DECEMBER, invocations: 1, commands: 7 });
  });

  it.each([
    ['ahead, into the next month', DECEMBER + 3 * DAY],
    ['ahead, by a year', DECEMBER + 365 * DAY],
    ['behind, into the month before', NOVEMBER - DAY],
  ])('is not lost to a clock that is %s for some runs', (_, wrong) => {
    const before = counted(NOVEMBER, NOVEMBER + 5 * DAY, HOUR);
    let account = before;
    for (let run = 0; run < 5; run += 1) account = withUsage(account, ONE, wrong + run * HOUR);
    account = withUsage(account, ONE, NOVEMBER + 5 * DAY);
    expect(monthUsage(account, NOVEMBER + 5 * DAY)).toMatchObject({
      invocations: 5 * 24 + 1,
      since: NOVEMBER,
    });
  });

  it('counts each use once, whatever the clock does', () => {
    const times = fc.array(fc.integer({ min: NOVEMBER, max: DECEMBER - 1 }), { minLength: 1 });
    fc.assert(
      fc.property(times, (all) => {
        const account = all.reduce<Account | null>((soFar, at) => withUsage(soFar, ONE, at), null);
        expect(account?.month).toMatchObject({ invocations: all.length, commands: 7 * all.length });
      }),
    );
  });
});

describe('what a month comes to', () => {
  const at = (account: Account, now: number, pace: number) =>
    projected(account, now, { at: now, pace }, undefined);

  it('is not told after a few minutes', () => {
    expect(
      at(counted(NOVEMBER, NOVEMBER + 30 * MINUTE, 2 * MINUTE), NOVEMBER + 28 * MINUTE, 2 * MINUTE),
    ).toBeNull();
    expect(projected(null, NOVEMBER, { at: NOVEMBER, pace: MINUTE })).toBeNull();
  });

  it.each([1, 2, 15, 30, 60])('is what all of its runs use, where they come every %i minutes', (minutes) => {
    const every = minutes * MINUTE;
    for (const days of [1, 1.75, 10, 29]) {
      const end = NOVEMBER + days * DAY;
      const account = counted(NOVEMBER, end, every);
      const found = at(account, end - every, every);
      expect(found?.invocations).toBeCloseTo((30 * DAY) / every, 5);
      expect(found?.commands).toBeCloseTo((7 * 30 * DAY) / every, 5);
    }
  });

  it('follows a change within two days, and knows the rate when a month begins', () => {
    const changed = NOVEMBER + 10 * DAY;
    const account = counted(NOVEMBER, NOVEMBER + 12 * DAY, HOUR, (now) =>
      now < changed ? { ...ONE, commands: 700 } : ONE,
    );
    const soFar = 10 * 24 * 700 + 2 * 24 * 7;
    const found = at(account, NOVEMBER + 12 * DAY - HOUR, HOUR);
    expect(found?.commands).toBeCloseTo(soFar + 18 * 24 * 7, 5);
    const first = withUsage(counted(NOVEMBER, DECEMBER, HOUR), ONE, DECEMBER);
    expect(at(first, DECEMBER, HOUR)?.invocations).toBeCloseTo(31 * 24, 5);
  });

  it('is less once runs have stopped', () => {
    const account = counted(NOVEMBER, NOVEMBER + DAY, HOUR);
    const last = { at: NOVEMBER + 23 * HOUR, pace: HOUR };
    expect(projected(account, NOVEMBER + 10 * DAY, last)?.invocations).toBeLessThan(24 + 24 * 2.1);
  });
});

describe('the plan', () => {
  const limits = limitsOf(
    { plan: 'hobby', store: { kind: 'upstash' }, readRegions: 0, qstash: { token: 'x' } },
    { isLocal: false },
  );

  it('lets rounds use two fifths of the memory hours, however often runs come', () => {
    for (const pace of [MINUTE, 2 * MINUTE, 30 * MINUTE]) {
      const runs = (31 * DAY) / pace;
      const gbHours = ((longestRounds(limits, pace) * runs) / HOUR) * 2;
      expect(gbHours).toBeLessThanOrEqual(0.4 * 360);
      expect(gbHours).toBeGreaterThan(0.39 * 360);
    }
    expect(longestRounds({ functions: null }, MINUTE)).toBe(Infinity);
  });

  it('is never used up by what runs wait for', () => {
    const runs = fc.record({
      pace: fc.integer({ min: 1, max: 30 }).map((minutes) => minutes * MINUTE),
      from: fc.integer({ min: 0, max: 30 * 24 }).map((hours) => DECEMBER + hours * HOUR),
      wanted: fc.infiniteStream<number>(fc.integer({ min: 0, max: 300_000 })),
    });
    fc.assert(
      fc.property(runs, ({ pace, from, wanted }) => {
        let account: Account | null = null;
        for (let at = from; at < JANUARY; at += pace) {
          const want = Math.min(wanted.next().value as number, pace);
          const wallMs = Math.min(want, timeToSpend(account, limits, at));
          account = withUsage(account, { ...NO_USAGE, wallMs, invocations: 1 }, at);
        }
        const [memory] = watched({ ...limits, commands: null }, 31 * DAY);
        expect(memory?.amount(account?.month ?? NO_USAGE)).toBeLessThanOrEqual(181);
      }),
      { numRuns: 20 },
    );
  });

  it('shortens nothing in an outage of two hours after a calm day, and everything once another resource is used up', () => {
    const outage = DECEMBER + DAY;
    const account = counted(DECEMBER, outage + 2 * HOUR, 2 * MINUTE, (at) =>
      at < outage ? ONE : { ...ONE, wallMs: 95_000 },
    );
    expect(timeToSpend(account, limits, outage + 2 * HOUR)).toBeGreaterThan(20_000);
    expect(timeToSpend(null, limits, DECEMBER)).toBe(Infinity);
    const busy = counted(DECEMBER, DECEMBER + DAY, MINUTE, () => ({ ...ONE, cpuMs: 2_000 }));
    expect(timeToSpend(busy, limits, DECEMBER + DAY)).toBe(0);
    expect(timeToSpend(busy, { ...limits, functions: null }, DECEMBER + DAY)).toBe(Infinity);
  });

  it.each([
    ['on one machine', { plan: 'hobby' as const }, true, { functions: null, messagesADay: null }],
    ['where none is to be watched', { plan: 'none' as const }, false, { functions: null, commands: null }],
    ['elsewhere than on Vercel', { plan: null }, false, { functions: null, commands: 500_000 }],
    ['on Pro', { plan: 'pro' as const }, false, { functions: { cpuHours: 16 }, messagesADay: 1_000 }],
  ])('is watched %s', (_, given, isLocal, expected) => {
    const by = { store: { kind: 'upstash' }, readRegions: 0, qstash: { token: 'x' }, ...given };
    expect(limitsOf(by, { isLocal })).toMatchObject(expected);
  });

  it('counts a command once more for each read region', () => {
    const usedIn = (readRegions: number) =>
      watched({ ...limits, readRegions }, 31 * DAY).map(({ resource, amount }) => [
        resource,
        amount({ ...NO_USAGE, commands: 7, messages: 3 }),
      ]);
    expect(usedIn(0)).toEqual(expect.arrayContaining([['storeCommands', 7]]));
    expect(usedIn(2)).toEqual(
      expect.arrayContaining([
        ['storeCommands', 21],
        ['qstashMessages', 3],
      ]),
    );
  });

  it('months are those of the calendar', () => {
    expect(monthOf(DECEMBER) - monthOf(DECEMBER - 1)).toBe(1);
    expect(monthOf(JANUARY)).toBe(57 * 12);
  });
});
