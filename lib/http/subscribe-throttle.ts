import { HOUR } from '../time.js';

/** Forms that one network may send within an hour. */
const FROM_ONE = 30;
/** Networks that are remembered. */
const NETWORKS_KEPT = 1_000;

/**
 * Bounds how often the form for subscribers asks the store, in the memory of one process: how many mails are sent is counted
 * in the store itself. An hour begins with the first form.
 */
export class SubscribeThrottle {
  #since = 0;
  #all = 0;
  #byNetwork = new Map<string, number>();

  /** Whether one more form may be looked at. @param most of all networks in an hour */
  take(network: string, { now, most }: { readonly now: number; readonly most: number }): boolean {
    // A clock that was set back begins anew.
    if (now - this.#since >= HOUR || now < this.#since) {
      this.#since = now;
      this.#all = 0;
      this.#byNetwork = new Map();
    }
    const own = this.#byNetwork.get(network) ?? 0;
    if (this.#all >= most || own >= FROM_ONE) return false;
    this.#all += 1;
    if (own > 0 || this.#byNetwork.size < NETWORKS_KEPT) this.#byNetwork.set(network, own + 1);
    return true;
  }
}
