import { StoreError } from './store.js';

/** Ms between two attempts. */
const PAUSES = [100, 300];

/** One call never takes longer than this many time limits of a single attempt. */
const LIMITS_A_CALL = 3;

/**
 * Repeats `attempt` while the store cannot be reached or does not answer in time: three attempts at most. Only for
 * calls that may be done twice.
 * @param timeout Ms that one attempt may take; none is begun that could end after three times this.
 * @param attempt Gets the failure of the attempt before it, which may have reached the store; null at first.
 */
export async function withRetry<T>(
  timeout: number,
  attempt: (earlier: StoreError | null) => Promise<T>,
): Promise<T> {
  const latestStart = performance.now() + (LIMITS_A_CALL - 1) * timeout;
  let earlier: StoreError | null = null;
  for (let retries = 0; ; retries++) {
    try {
      return await attempt(earlier);
    } catch (error) {
      const pause = PAUSES[retries];
      if (pause === undefined || performance.now() + pause > latestStart || !isLostAnswer(error)) throw error;
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
