import type { Store } from '../store/store.js';

/**
 * Ms for which a run may wait for a database of which it needs no more than a word, where its own is another: what lives there
 * is not to be pinged late. Undefined: there is one database.
 */
export function patienceWith({ databases }: Store, tick: number): number | undefined {
  return (databases?.numbers.length ?? 1) > 1 ? tick / 5 : undefined;
}
