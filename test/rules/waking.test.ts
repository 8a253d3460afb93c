import { describe, expect, it } from 'vitest';
import { isDecidable, longestWait } from '../../lib/rules/waking.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const sleeper = (sleepsAfter: number | null, wakeTimeout = 90 * SECOND) => ({
  wakeTimeout,
  info: { sleepsAfter },
});

describe('a run waits for a host that wakes', () => {
  it.each<[string, number | null, number, boolean, number]>([
    ['without end on one machine', 15 * MINUTE, MINUTE, false, Infinity],
    ['for 20 s on Vercel', 15 * MINUTE, 2 * MINUTE, true, 20 * SECOND],
    ['for 20 s where the host does not sleep by itself', null, 30 * MINUTE, true, 20 * SECOND],
    [
      'for 20 s where the next run comes before it may have slept again',
      5 * MINUTE,
      149_000,
      true,
      20 * SECOND,
    ],
    ['until it knows where the next run may come too late', 5 * MINUTE, 150_000, true, Infinity],
  ])('%s', (_, sleepsAfter, pace, isOnVercel, wait) => {
    expect(longestWait(sleeper(sleepsAfter), { pace, isOnVercel })).toBe(wait);
  });
});

describe('an open check', () => {
  const open = { since: 0, attempts: 9, lastAt: 20 * SECOND };
  it.each<[string, ReturnType<typeof sleeper>, number, boolean]>([
    ['is decided by the next run', sleeper(15 * MINUTE), 2 * MINUTE, true],
    ['is decided as long as the host would still be awake', sleeper(15 * MINUTE), 15 * MINUTE + 19_999, true],
    ['is not decided once it may have slept again', sleeper(15 * MINUTE), 15 * MINUTE + 20_000, false],
    ['is decided at any time where the host does not sleep by itself', sleeper(null), 600 * MINUTE, true],
    ['is not decided where nothing is waited for any more', sleeper(15 * MINUTE, 0), 2 * MINUTE, false],
  ])('%s', (_, target, now, expected) => {
    expect(isDecidable(open, target, now)).toBe(expected);
  });
});
