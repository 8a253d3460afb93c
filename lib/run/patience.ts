import type { Store } from '../store/store.js';

/**
 * Ms for which a run may wait for the first database, which says who lives where: targets of the other databases must not be
 * pinged late because of it. Undefined: there is one database.
 */
export function patienceWith({ databases }: Store, tick: number): number | undefined {
  return (databases?.numbers.length ?? 1) > 1 ? tick / 5 : undefined;
}
