import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createPacer } from '../../lib/probe/pace.js';

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

test('every task is run once, in order, never more than so many at a time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(5), { maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      async (items, concurrency) => {
        const pacer = createPacer(concurrency);
        let running = 0;
        const order: number[] = [];
        const results = await Promise.all(
          items.map((ms, index) =>
            pacer.run(async () => {
              order.push(index);
              expect(++running).toBeLessThanOrEqual(concurrency);
              if (ms > 0) await wait(ms);
              running--;
              return ms;
            }),
          ),
        );
        expect(order).toEqual(items.map((_, i) => i));
        expect(results).toEqual(items);
      },
    ),
    { numRuns: 20 },
  );
});

test('one that throws or rejects harms no other, and gives its place back', async () => {
  const pacer = createPacer(1);
  const results = await Promise.allSettled([
    pacer.run(() => {
      throw new Error('thrown');
    }),
    pacer.run(() => Promise.reject(new Error('rejected'))),
    pacer.run(() => Promise.resolve('good')),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
});

describe('starts', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('come eight at once, then three a millisecond', async () => {
    const started: number[] = [];
    const begin = performance.now();
    const pacer = createPacer(1_000);
    const running = Array.from({ length: 100 }, () =>
      pacer.run(() => {
        started.push(performance.now() - begin);
        return Promise.resolve();
      }),
    );
    await vi.runAllTimersAsync();
    await Promise.all(running);
    const within = (ms: number) => started.filter((at) => at <= ms).length;
    expect([within(0), within(1), within(10), within(31)]).toEqual([8, 11, 38, 100]);
  });
});
