import { expect, it } from 'vitest';
import { stats, targetHistory } from '../../lib/read/stats.js';
import type { Target } from '../../lib/types.js';
import { Books } from '../support/books.js';
import { aTarget, failedCheck, goodCheck, type TargetOptions } from '../support/targets.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TICK = 5 * MINUTE;
/** A Tuesday. */
const START = Date.UTC(2026, 2, 3, 8);

const rare = aTarget('api', { info: { interval: 12 * HOUR } });

it.each<[name: string, change: TargetOptions]>([
  ['a pause', { info: { enabled: false } }],
  ['another interval', { info: { interval: 10 * MINUTE } }],
  ['other active hours', { activeHours: { days: [6], fromMinute: 0, toMinute: 60, timeZone: 'UTC' } }],
])('%s takes nothing back of the time that was counted before', async (_name, change) => {
  const books = new Books(TICK, [rare]);
  const watch = (targets: readonly Target[]) => ({ enabled: true, tick: TICK, targets });
  books.run(START, [['api', failedCheck(START)]]);
  for (let now = START + TICK; now <= START + 5 * HOUR; now += TICK) books.run(now, []);
  const changed = aTarget('api', { ...change, info: { interval: 12 * HOUR, ...change.info } });
  books.targets = [changed];
  const now = START + 5 * HOUR + TICK;
  books.run(now, []);
  const { hours, days } = targetHistory(watch([changed]), changed, await books.history('api', now), now);
  expect(hours.slice(0, 5).map(({ downtimeMs }) => downtimeMs)).toEqual([HOUR, HOUR, HOUR, HOUR, HOUR]);
  expect(hours[5]?.downtimeMs).toBeGreaterThanOrEqual(0);
  expect(days[0]?.downtimeMs).toBeGreaterThanOrEqual(5 * HOUR);
});

it('does not count a night in which no run came as a gap between pings, and the sleep in it as no broken promise', async () => {
  const office = aTarget('office', {
    info: { host: 'render', interval: 5 * MINUTE, sleepsAfter: 15 * MINUTE },
    activeHours: { days: [1, 2, 3, 4, 5], fromMinute: 480, toMinute: 1200, timeZone: 'UTC' },
  });
  const books = new Books(TICK, [office]);
  const awakeAt = async (now: number) =>
    stats({ enabled: true, tick: TICK, targets: [office] }, await books.overview(now), now).targets[0]?.awake;
  const ping = (now: number, coldStart: boolean) =>
    books.run(now, [['office', goodCheck(now, { coldStart, wakeMs: coldStart ? 9_000 : null })]]);
  for (let now = START; now <= START + 11 * HOUR; now += TICK) ping(now, false);
  const kept = {
    sleepsAfter: 15 * MINUTE,
    longestGap: TICK,
    coldStarts: 0,
    keptAwake: true,
    proof: 'container',
  };
  expect(await awakeAt(START + 20 * HOUR)).toEqual(kept);
  const morning = START + 25 * HOUR;
  ping(morning, true);
  ping(morning + TICK, false);
  // It woke, and nobody had promised to keep it awake.
  expect(await awakeAt(morning + TICK)).toEqual({ ...kept, coldStarts: 1 });
});
