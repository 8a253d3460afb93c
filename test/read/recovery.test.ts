import { describe, expect, it } from 'vitest';
import { stats, targetHistory } from '../../lib/read/stats.js';
import { Books } from '../support/books.js';
import { aTarget, failedCheck, goodCheck } from '../support/targets.js';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 5, 12);

const recovery = {
  url: 'http://user:canary@hook.test/?key=canary',
  request: { method: 'POST', headers: { authorization: 'canary' }, body: 'canary' },
  cooldown: 0,
  max: 2,
  grace: 0,
};
const target = aTarget('api', {
  info: { maxRestarts: 2 },
  failureThreshold: 1,
  successThreshold: 1,
  recovery,
});

/** A target whose checks go as the letters say, a minute apart. */
async function after(letters: string) {
  const books = new Books(MINUTE, [target], ['slack']);
  for (const [i, letter] of Array.from(letters).entries()) {
    const at = START + i * MINUTE;
    books.run(at, [['api', letter === 'g' ? goodCheck(at) : failedCheck(at)]]);
  }
  const now = START + letters.length * MINUTE;
  const watch = { enabled: true, tick: MINUTE, targets: [target] };
  return {
    all: stats(watch, await books.overview(now), now),
    one: targetHistory(watch, target, await books.history('api', now), now),
  };
}

describe('what the stats say of restarts', () => {
  it.each([
    ['none while it is up', 'ggg', { restarts: 0, lastAt: null, exhausted: false }],
    ['the first', 'gf', { restarts: 1, lastAt: '2026-01-05T12:01:00.000Z', exhausted: false }],
    ['that they are used up', 'gffff', { restarts: 2, lastAt: '2026-01-05T12:02:00.000Z', exhausted: true }],
    ['nothing of those of an earlier incident', 'gffffgg', { restarts: 0, exhausted: false }],
  ])('%s', async (_, letters, expected) => {
    const { all } = await after(letters);
    expect(all.targets[0]?.recovery).toMatchObject({ max: 2, ...expected });
  });

  it('what was done in an incident, in its order, and what came of it', async () => {
    const open = await after('gfff');
    expect(open.one.incident?.events.map(({ text }) => text)).toEqual([
      'First failed check',
      'Alert: down',
      'Restart 1: not known to be made, did not help',
      'Restart 2: not known to be made, did not help',
      'Alert: a person is needed',
    ]);
    const resolved = await after('gfffgg');
    expect(resolved.one.incidents[0]?.events.map(({ text }) => text).slice(-2)).toEqual([
      'First good check',
      'Alert: up again',
    ]);
    const helped = await after('gfgg');
    expect(helped.one.incidents[0]?.events).toMatchObject([
      { kind: 'check', text: 'First failed check' },
      { kind: 'alert', text: 'Alert: down' },
      {
        kind: 'restart',
        text: 'Restart 1: not known to be made, up 1 m later',
        at: '2026-01-05T12:01:00.000Z',
      },
      { kind: 'check', text: 'First good check' },
      { kind: 'alert', text: 'Alert: up again' },
    ]);
    expect(JSON.stringify([open, resolved, helped])).not.toContain('canary');
  });
});

it('the phases of the last check are shown, in whole ms', async () => {
  const books = new Books(MINUTE, [target]);
  const timings = { dns: 1.4, connect: 2.6, tls: null, ttfb: 40.2, total: 45 };
  books.run(START, [['api', goodCheck(START, { timings })]]);
  const watch = { enabled: true, tick: MINUTE, targets: [target] };
  const { phases } = targetHistory(watch, target, await books.history('api', START), START);
  expect(phases).toEqual({ dns: 1, connect: 3, tls: null, ttfb: 40 });
});

it('a cold start after a night off does not count against the pings', async () => {
  const hours = { days: [1, 2, 3, 4, 5, 6, 7], fromMinute: 8 * 60, toMinute: 20 * 60, timeZone: 'UTC' };
  const office = aTarget('api', { info: { host: 'render', sleepsAfter: 15 * MINUTE }, activeHours: hours });
  const books = new Books(MINUTE, [office]);
  const cold = { coldStart: true, wakeMs: 30_000 };
  const afternoon = Date.UTC(2026, 0, 5, 19, 30);
  const evening = Date.UTC(2026, 0, 5, 19, 59);
  const morning = Date.UTC(2026, 0, 6, 8, 0);
  for (let at = afternoon; at <= evening; at += MINUTE) books.run(at, [['api', goodCheck(at)]]);
  for (let at = evening + MINUTE; at < morning; at += MINUTE) books.run(at, []);
  books.run(morning, [['api', goodCheck(morning, cold)]]);
  const watch = { enabled: true, tick: MINUTE, targets: [office] };
  const awake = async (now: number) => stats(watch, await books.overview(now), now).targets[0]?.awake;
  expect(await awake(morning + 1)).toMatchObject({ coldStarts: 1, keptAwake: true });
  for (let at = morning + MINUTE; at < morning + 5 * MINUTE; at += MINUTE)
    books.run(at, [['api', goodCheck(at)]]);
  books.run(morning + 5 * MINUTE, [['api', goodCheck(morning + 5 * MINUTE, cold)]]);
  expect(await awake(morning + 5 * MINUTE + 1)).toMatchObject({ coldStarts: 2, keptAwake: false });
});
