import { StoreError } from './store.js';

/** Ms between two attempts. */
const PAUSES = [100, 300];

/** One call never takes longer than this many time limits of a single attempt. */
const LIMITS_A_CALL = 3;

/**
 * What `work` resolves to, or `store_timeout` after `limit` ms. What has arrived by then counts: where this process was
 * busy when the limit was reached, the event loop reads its sockets once more first.
 */
export async function withinLimit<T>(limit: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_, reject) => {
    const give = (): void => reject(new StoreError('store_timeout', 'the store did not answer in time'));
    timer = setTimeout(() => setImmediate(give), limit);
  });
  try {
    return await Promise.race([work, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Repeats `attempt` while the store cannot be reached or does not answer in time: three attempts at most, and none that
 * could end after three time limits. Only for calls that may be done twice.
 * @param timeout Ms that one attempt may take.
 * @param attempt Gets the failure of the attempt before it, which may have reached the store; null at first.
 * @param within Ms after which nobody waits any more: what the attempt under way finds is lost. By default an attempt is
 * waited for to its end.
 */
export function withRetry<T>(
  timeout: number,
  attempt: (earlier: StoreError | null) => Promise<T>,
  within?: number,
): Promise<T> {
  const latestStart = Math.min((LIMITS_A_CALL - 1) * timeout, within ?? Infinity);
  const answer = repeated(attempt, latestStart);
  return within === undefined ? answer : withinLimit(within, answer);
}

/** @param latestStart ms after which no attempt begins */
async function repeated<T>(
  attempt: (earlier: StoreError | null) => Promise<T>,
  latestStart: number,
): Promise<T> {
  const end = performance.now() + latestStart;
  let earlier: StoreError | null = null;
  for (let retries = 0; ; retries++) {
    try {
      return await attempt(earlier);
    } catch (error) {
      const pause = PAUSES[retries];
      if (pause === undefined || performance.now() + pause > end || !isLostAnswer(error)) throw error;
      earlier = error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

function isLostAnswer(error: unknown): error is StoreError {
  return (
    error instanceof StoreError && (error.code === 'store_unreachable' || error.code === 'store_timeout')
  );
}
