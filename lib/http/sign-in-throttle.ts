import { MINUTE } from '../time.js';

/** Wrong tokens that an address may send before it has to wait. */
const FREE_TRIES = 5;
/** Ms; doubles with each further wrong token. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;
/** Ms without a wrong token after which an address begins anew. */
const FORGOTTEN_AFTER = 15 * MINUTE;
/** Addresses that are remembered; the one that failed longest ago makes room. */
const ADDRESSES_KEPT = 1_000;

/** Wrong tokens from all addresses together: so many at once, and then one more every 3 s. */
const TRIES_OF_ALL = 30;
const PAUSE_OF_ALL = 3_000;

/**
 * Slows down guessing of tokens, in the memory of one process. Nobody is locked out: an address waits 30 s at most because
 * of its own wrong tokens, and a right token never waits because of those of others. A wrong token waits for all of them.
 */
export class Throttle {
  readonly #failures = new Map<string, { count: number; at: number; until: number }>();
  /** When the wrong tokens of all addresses are worked off, ms since the epoch. */
  #allUntil = 0;

  /** Ms until the token of the address is looked at; 0: now. */
  wait(address: string, { now, isRight }: { readonly now: number; readonly isRight: boolean }): number {
    const failure = this.#failures.get(address);
    // What lies further ahead is from before the clock was set back.
    const isOpen = failure !== undefined && failure.until > now && failure.until - now <= LONGEST_WAIT;
    const own = isOpen ? failure.until - now : 0;
    return isRight ? own : Math.max(own, this.#waitOfAll(now));
  }

  failed(address: string, now: number): void {
    const before = this.#failures.get(address);
    const isFresh = before !== undefined && Math.abs(now - before.at) < FORGOTTEN_AFTER;
    const count = (isFresh ? before.count : 0) + 1;
    const wait = count < FREE_TRIES ? 0 : Math.min(FIRST_WAIT * 2 ** (count - FREE_TRIES), LONGEST_WAIT);
    this.#failures.delete(address);
    this.#failures.set(address, { count, at: now, until: now + wait });
    dropOldest(this.#failures, ADDRESSES_KEPT);
    const latest = now + (TRIES_OF_ALL - 1) * PAUSE_OF_ALL;
    this.#allUntil = Math.min(Math.max(this.#allUntil, now), latest) + PAUSE_OF_ALL;
  }

  succeeded(address: string): void {
    this.#failures.delete(address);
  }

  #waitOfAll(now: number): number {
    const over = this.#allUntil - now - (TRIES_OF_ALL - 1) * PAUSE_OF_ALL;
    return over > PAUSE_OF_ALL ? 0 : Math.max(0, over);
  }
}

function dropOldest(kept: Map<string, unknown>, most: number): void {
  for (const key of kept.keys()) {
    if (kept.size <= most) return;
    kept.delete(key);
  }
}

/**
 * The network that a request came from, as Vercel and the local server tell it in `x-real-ip`: both overwrite what a
 * client sends there. Of IPv6, the half that belongs to one customer.
 */
export function networkOf({ headers }: Request): string {
  const address = (headers.get('x-real-ip') ?? '').slice(0, 64);
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const rest = tail === undefined ? [] : tail.split(':').filter((group) => group !== '');
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0');
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':');
}
