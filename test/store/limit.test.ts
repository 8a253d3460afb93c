import { afterEach, expect, it, vi } from 'vitest';
import { withinLimit } from '../../lib/store/retry.js';

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
