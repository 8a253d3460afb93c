import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ArrivalClock } from '../../lib/probe/arrival.js';

/** A clock on a loop that is made to turn by hand. */
function turning() {
  const loop = { loopCount: 0, eventsWaiting: 0, now: 0 };
  const clock = new ArrivalClock(
    () => loop,
    () => loop.now,
  );
  const turn = (at: number, waiting = 0) => {
    loop.loopCount++;
    loop.eventsWaiting += waiting;
    loop.now = at;
  };
  return { loop, clock, turn };
}

test('what the loop was waiting for came when it turned, however late in the turn it is handled', () => {
  const { loop, clock, turn } = turning();
  turn(100);
  clock.note();
  turn(150);
  clock.note();
  loop.now = 156;
  expect(clock.arrival(90)).toBe(150);
});

test('what waited for the loop came at some time since the turn before, or since it was awaited', () => {
  const { clock, turn } = turning();
  turn(100);
  clock.note();
  turn(110, 3);
  expect(clock.arrival(90)).toBe(105);
  expect(clock.arrival(104)).toBe(107);
});

test('where the turn before was not seen, it is not guessed when it was', () => {
  const { clock, turn } = turning();
  turn(100);
  clock.note();
  turn(104);
  turn(110, 3);
  expect(clock.arrival(90)).toBe(110);
});

test('what was awaited in this turn came now', () => {
  const { loop, clock, turn } = turning();
  turn(100);
  clock.note();
  loop.now = 103;
  expect(clock.arrival(102)).toBe(103);
});

test('nothing comes before it is awaited, after now, or before what was noted earlier', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          idle: fc.nat(20),
          busy: fc.nat(20),
          waiting: fc.nat(2),
          skips: fc.nat(1),
          isNoted: fc.boolean(),
        }),
        { minLength: 1 },
      ),
      (turns) => {
        const { loop, clock, turn } = turning();
        let since = 0;
        for (const { idle, busy, waiting, skips, isNoted } of turns) {
          loop.loopCount += skips;
          turn(loop.now + idle, waiting);
          if (isNoted) clock.note();
          loop.now += busy;
          const arrival = clock.arrival(since);
          expect(arrival).toBeGreaterThanOrEqual(since);
          expect(arrival).toBeLessThanOrEqual(loop.now);
          since = arrival;
        }
      },
    ),
  );
});
