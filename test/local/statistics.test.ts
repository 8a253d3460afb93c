import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { setApp } from '../../lib/app.js';
import { start } from '../../lib/local/start.js';
import { StatisticsClock, statisticsLine } from '../../lib/local/statistics.js';
import { newTarget } from '../../lib/record/state-model.js';
import type { State } from '../../lib/record/state-model.js';
import { configOf } from '../support/runs.js';

const HOUR = 3_600_000;

afterEach(() => setApp(null));

it('is due after the first ten pings, and then once an hour', () => {
  const clock = new StatisticsClock();
  expect(clock.isDue(9, 0)).toBe(false);
  expect(clock.isDue(0, 5 * HOUR)).toBe(false);
  expect(clock.isDue(1, 5 * HOUR)).toBe(true);
  expect(clock.isDue(100, 6 * HOUR - 1)).toBe(false);
  expect(clock.isDue(0, 6 * HOUR)).toBe(true);
  expect(clock.isDue(0, 6 * HOUR + 1)).toBe(false);
});

it('is never due twice within an hour', () => {
  const runs = fc.array(fc.tuple(fc.nat(50), fc.nat(2 * HOUR)));
  fc.assert(
    fc.property(runs, (all) => {
      const clock = new StatisticsClock();
      let now = 0;
      const printed: number[] = [];
      for (const [pings, later] of all) {
        now += later;
        if (clock.isDue(pings, now)) printed.push(now);
      }
      for (const [i, at] of printed.entries()) {
        if (i > 0) expect(at - (printed[i - 1] ?? 0)).toBeGreaterThanOrEqual(HOUR);
      }
    }),
  );
});

it('says what was pinged, how much of it failed, and what is down', () => {
  const { targets } = configOf(
    Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`TARGET_T${i}_URL`, `http://t${i}.test/`])),
  );
  const stateOf = (statuses: readonly ('up' | 'down')[]) => {
    const all = statuses.map((status, i) => {
      const target = newTarget(`t${i}`, 0);
      const counters = { ...target.counters, pings: 10, failures: status === 'down' ? 4 : 0 };
      return { ...target, status, counters };
    });
    const removed = { ...newTarget('removed', 0), status: 'down' as const };
    return { targets: [...all, null, removed] } as unknown as State;
  };
  const line = (statuses: readonly ('up' | 'down')[]) => statisticsLine(targets, stateOf(statuses).targets);
  expect(line(['up', 'up'])).toBe('statistics: 20 pings, 0 failed, success rate 100.0 %, nothing is down');
  expect(line(['up', 'down'])).toBe('statistics: 20 pings, 4 failed, success rate 80.0 %, down: t1');
  expect(line([])).toContain('0 pings, 0 failed, success rate – %');
  expect(line(Array.from({ length: 12 }, () => 'down' as const))).toMatch(/down: t0, .*, t9 and 2 more$/);
});

it('is printed by the runner', async () => {
  const server = createServer((_, response) => response.end('ok'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const ids = Object.fromEntries(
    Array.from({ length: 10 }, (_, i) => [`TARGET_T${i}_URL`, address] as const),
  );
  const lines: string[] = [];
  const env = { PORT: '0', KEEP_ALIVE_DATABASE: 'statistics.db', ...ids };
  const running = await start(env, (line) => lines.push(line));
  const expected = 'statistics: 10 pings, 0 failed, success rate 100.0 %, nothing is down';
  await expect.poll(() => lines, { timeout: 60_000 }).toContain(expected);
  await running.stop();
  server.close();
});
