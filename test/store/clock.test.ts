import { describe, expect, test } from 'vitest';
import { StoreClock } from '../../lib/store/clock.js';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;

function setUp() {
  const time = { wall: NOW, monotonic: 5_000 };
  const clock = new StoreClock({ wall: () => time.wall, monotonic: () => time.monotonic });
  const pass = (ms: number) => {
    time.wall += ms;
    time.monotonic += ms;
  };
  /** Asks a store whose clock is so many ms ahead, and that takes so many ms to answer. */
  const measure = (ahead: number, latency = 0) => {
    const measured = clock.measure();
    pass(latency);
    measured(time.wall - latency / 2 + ahead);
  };
  return { time, clock, pass, measure };
}

describe('the clock of a store', () => {
  test('is the process clock before anything was measured', () => {
    const { clock } = setUp();
    expect([clock.isMeasured, clock.now(), clock.storeTime]).toEqual([false, NOW, null]);
  });

  test.each([
    ['as much as the store', 0, 0],
    ['behind by 10 minutes', 10 * MINUTE, 10 * MINUTE],
    ['ahead by 10 minutes', -10 * MINUTE, -10 * MINUTE],
    ['behind by less than 2 s', 1_999, 0],
    ['ahead by less than 2 s', -1_999, 0],
    ['behind by more than 2 s', 2_001, 2_001],
  ])('where the process is %s', (_name, ahead, expected) => {
    const { time, clock, measure, pass } = setUp();
    measure(ahead);
    pass(MINUTE);
    expect(clock.now()).toBe(time.wall + expected);
    expect(clock.storeTime).toBe(time.wall + ahead);
  });

  test('is not corrected by less than a slow answer leaves open', () => {
    const { time, clock, measure } = setUp();
    measure(3_000, 4_000);
    expect(clock.now()).toBe(time.wall);
  });

  test('is measured again after ten minutes', () => {
    const { clock, measure, pass } = setUp();
    measure(MINUTE);
    pass(10 * MINUTE - 1);
    expect(clock.isMeasured).toBe(true);
    pass(1);
    expect(clock.isMeasured).toBe(false);
  });

  test('is measured again once the process clock was set, and not corrected until then', () => {
    const { time, clock, measure } = setUp();
    measure(10 * MINUTE);
    time.wall += 10 * MINUTE;
    expect([clock.isMeasured, clock.now(), clock.storeTime]).toEqual([false, time.wall, null]);
    measure(0);
    expect([clock.isMeasured, clock.now()]).toEqual([true, time.wall]);
  });

  test.each([NaN, 0, -1])('ignores %d, which is no time', (nonsense) => {
    const { clock } = setUp();
    clock.measure()(nonsense);
    expect([clock.isMeasured, clock.now()]).toEqual([false, NOW]);
  });
});
