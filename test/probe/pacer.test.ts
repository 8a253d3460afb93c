import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createPacer } from '../../lib/probe/pacer.js';
import { afterEvents } from '../../lib/probe/event-loop.js';

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

test('nothing is started while much work of what is under way waits for its turn', async () => {
  let done = 0;
  for (let i = 0; i < 50; i++) afterEvents(() => done++);
  const doneAtStart = await createPacer(10).run(() => Promise.resolve(done));
  expect(doneAtStart).toBeGreaterThanOrEqual(40);
});

describe('starts', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** How many of a hundred tasks, which take 50 ms each, were started in each ms, on a loop that is idle so much of it. */
  const startsOn = async (share: number, quietBefore = 0) => {
    let now = 0;
    const started: number[] = [];
    const pacer = createPacer(1_000, () => ({ idle: now * share, active: now * (1 - share) }));
    now = quietBefore;
    const running = Array.from({ length: 100 }, () =>
      pacer.run(() => {
        started.push(now - quietBefore);
        return wait(50);
      }),
    );
    await vi.advanceTimersByTimeAsync(0);
    while (vi.getTimerCount() > 0) {
      now++;
      await vi.advanceTimersByTimeAsync(1);
    }
    await Promise.all(running);
    return (ms: number) => started.filter((at) => at === ms).length;
  };

  test.each([
    ['all of the time', 1, [1, 5, 5, 5]],
    ['half of it', 0.5, [1, 2, 3, 2]],
    ['a tenth of it', 0.1, [1, 0, 1, 1]],
  ])('come as the loop can bear them: idle %s', async (_name, share, expected) => {
    const at = await startsOn(share);
    expect([at(0), at(1), at(2), at(3)]).toEqual(expected);
  });

  test('go on where the loop is always busy', async () => {
    const at = await startsOn(0);
    expect(Array.from({ length: 22 }, (_, ms) => at(ms)).reduce((sum, starts) => sum + starts)).toBe(7);
  });

  test('do not begin with a burst that a quiet time has earned', async () => {
    const at = await startsOn(1, 60_000);
    expect(at(0)).toBe(1);
  });
});

test('tells when all tasks have been started, those that are under way included', async () => {
  const pacer = createPacer(2);
  await pacer.whenStarted();
  const ends: (() => void)[] = [];
  const tasks = Array.from({ length: 3 }, () => pacer.run(() => new Promise<void>((end) => ends.push(end))));
  let isStarted = false;
  const started = pacer.whenStarted().then(() => (isStarted = true));
  await vi.waitFor(() => expect(ends).toHaveLength(2));
  expect(isStarted).toBe(false);
  ends[0]?.();
  await started;
  expect(ends).toHaveLength(3);
  for (const end of ends) end();
  await Promise.all(tasks);
});
