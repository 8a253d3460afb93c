import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runPaced } from '../../lib/probe/pace.js';

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

test('every item is called once, in order, never more than so many at a time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(5), { maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      async (items, concurrency) => {
        let running = 0;
        const order: number[] = [];
        const results = await runPaced(items, concurrency, async (ms, index) => {
          order.push(index);
          expect(++running).toBeLessThanOrEqual(concurrency);
          if (ms > 0) await wait(ms);
          running--;
          return ms;
        });
        expect(order).toEqual(items.map((_, i) => i));
        expect(results).toEqual(items.map((value) => ({ status: 'fulfilled', value })));
      },
    ),
    { numRuns: 20 },
  );
});

test('one that throws or rejects harms no other', async () => {
  const results = await runPaced(['throws', 'rejects', 'good'], 1, (item) => {
    if (item === 'throws') throw new Error(item);
    return item === 'rejects' ? Promise.reject(new Error(item)) : Promise.resolve(item);
  });
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
});

describe('starts', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('come eight at once, then three a millisecond', async () => {
    const started: number[] = [];
    const begin = performance.now();
    const running = runPaced(Array.from({ length: 100 }), 1_000, () => {
      started.push(performance.now() - begin);
      return Promise.resolve();
    });
    await vi.runAllTimersAsync();
    await running;
    const within = (ms: number) => started.filter((at) => at <= ms).length;
    expect([within(0), within(1), within(10), within(31)]).toEqual([8, 11, 38, 100]);
  });
});
