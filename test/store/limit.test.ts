import { afterEach, expect, it, vi } from 'vitest';
import { withinLimit, withRetry } from '../../lib/store/retry.js';
import { StoreError } from '../../lib/store/store.js';

afterEach(() => {
  vi.useRealTimers();
});

const never = new Promise<never>(() => undefined);

it('what takes too long ends with store_timeout, and no sooner', async () => {
  vi.useFakeTimers();
  let outcome: unknown = 'waits';
  void withinLimit(3_000, never).catch((error: unknown) => (outcome = error));
  await vi.advanceTimersByTimeAsync(2_999);
  expect(outcome).toBe('waits');
  await vi.advanceTimersByTimeAsync(2);
  expect(outcome).toMatchObject({ code: 'store_timeout' });
});

it('what has ended counts, whatever it was, and leaves no timer', async () => {
  vi.useFakeTimers();
  const failure = new Error('other');
  expect(await withinLimit(1, Promise.resolve('found'))).toBe('found');
  await expect(withinLimit(1, Promise.reject(failure))).rejects.toBe(failure);
  expect(vi.getTimerCount()).toBe(0);
});

it.each([
  ['no limit is set', undefined, 2, 8_100],
  ['the limit is short', 2_000, 1, 2_000],
  ['the limit is longer than what attempts take', 60_000, 2, 8_100],
])('an attempt that takes 4 s and comes to nothing is repeated where %s', async (_, within, attempts, ms) => {
  vi.useFakeTimers();
  let begun = 0;
  const attempt = async (): Promise<never> => {
    begun += 1;
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    throw new StoreError('store_timeout', 'no answer');
  };
  let outcome: unknown = 'waits';
  void withRetry(4_000, attempt, within).catch((error: unknown) => (outcome = error));
  await vi.advanceTimersByTimeAsync(ms - 1);
  expect(outcome).toBe('waits');
  await vi.advanceTimersByTimeAsync(2);
  expect(outcome).toMatchObject({ code: 'store_timeout' });
  await vi.runAllTimersAsync();
  expect(begun).toBe(attempts);
});
