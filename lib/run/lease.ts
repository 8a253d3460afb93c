import type { Store } from '../store/store.js';

/**
 * Keeps the lease until the timer is cleared, and for `lifetime` ms at most, so that a run that fails in an unforeseen way
 * does not hold up the next ones for ever.
 */
export function keepLease(store: Store, lease: number, lifetime: number): NodeJS.Timeout {
  const until = performance.now() + lifetime;
  const timer = setInterval(() => {
    if (performance.now() > until) clearInterval(timer);
    // A lease that has run out is still ours until somebody takes it.
    else store.renew(lease).catch(() => undefined);
  }, lease / 2);
  return timer;
}
