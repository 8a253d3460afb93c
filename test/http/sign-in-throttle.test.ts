import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { networkOf, Throttle } from '../../lib/http/sign-in-throttle.js';

const NOW = Date.UTC(2026, 4, 20, 13);
const MINUTE = 60_000;

/** Tries as often as it is let, at each of the times; how many tries were made. */
function tries(throttle: Throttle, address: () => string, times: Iterable<number>): number {
  let made = 0;
  for (const now of times) {
    const each = address();
    if (throttle.wait(each, { now, isRight: false }) > 0) continue;
    throttle.failed(each, now);
    made += 1;
  }
  return made;
}

/** Every 10 ms. */
function* during(minutes: number, from = NOW) {
  for (let now = from; now < from + minutes * MINUTE; now += 10) yield now;
}

describe('whoever tries tokens', () => {
  it('waits longer after each wrong one from the fifth on, and 30 s at most', () => {
    const throttle = new Throttle();
    let now = NOW;
    const waits = Array.from({ length: 12 }, () => {
      throttle.failed('a', now);
      const wait = throttle.wait('a', { now, isRight: true });
      now += wait;
      return wait / 1000;
    });
    expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30]);
  });

  it('from one address makes 3 tries a minute in the long run', () => {
    expect(tries(new Throttle(), () => 'a', during(60))).toBeLessThanOrEqual(9 + 2 * 60);
  });

  it('from any number of addresses, forged or not, makes 20 tries a minute after the first 30', () => {
    const throttle = new Throttle();
    let i = 0;
    const made = tries(throttle, () => `10.${(i += 1)}`, during(60));
    expect(made).toBeLessThanOrEqual(30 + 20 * 60);
    expect(made).toBeGreaterThan(1_000);
  });

  it('makes wrong tokens of others wait 3 s at most, and right ones not at all', () => {
    const throttle = new Throttle();
    let i = 0;
    for (const now of during(5)) {
      const each = `10.${(i += 1)}`;
      if (throttle.wait(each, { now, isRight: false }) === 0) throttle.failed(each, now);
      expect(throttle.wait('new', { now, isRight: false })).toBeLessThanOrEqual(3_000);
      expect(throttle.wait('operator', { now, isRight: true })).toBe(0);
    }
    for (let tries = 0; tries < 5; tries += 1) throttle.failed('operator', NOW + 5 * MINUTE);
    expect(throttle.wait('operator', { now: NOW + 5 * MINUTE, isRight: true })).toBe(1_000);
  });

  it('begins anew after the right one, and after a quarter of an hour', () => {
    const throttle = new Throttle();
    for (let i = 0; i < 8; i += 1) throttle.failed('a', NOW);
    expect(throttle.wait('a', { now: NOW, isRight: true })).toBe(8_000);
    throttle.succeeded('a');
    expect(throttle.wait('a', { now: NOW, isRight: true })).toBe(0);
    for (let i = 0; i < 8; i += 1) throttle.failed('b', NOW);
    throttle.failed('b', NOW + 15 * MINUTE);
    expect(throttle.wait('b', { now: NOW + 15 * MINUTE, isRight: true })).toBe(0);
  });

  it('is never made to wait longer than 30 s, whatever the clock does', () => {
    const step = fc.record({
      address: fc.constantFrom('a', 'b', 'c'),
      jump: fc.integer({ min: -100_000_000, max: 100_000_000 }),
      isRight: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const throttle = new Throttle();
        let now = NOW;
        for (const { address, jump, isRight } of steps) {
          now += jump % 7 === 0 ? jump : Math.abs(jump % 3_000);
          expect(throttle.wait(address, { now, isRight: isRight })).toBeLessThanOrEqual(30_000);
          if (isRight) throttle.succeeded(address);
          else throttle.failed(address, now);
        }
        expect(throttle.wait('a', { now: now - 1e9, isRight: true })).toBe(0);
      }),
    );
  });
});

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::1', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['::ffff:203.0.113.7', '::ffff:203.0.113.7'],
  ['', ''],
])('the network of %s is %s', (address, network) => {
  const request = new Request('http://a.test/', { headers: { 'x-real-ip': address } });
  expect(networkOf(request)).toBe(network);
});
